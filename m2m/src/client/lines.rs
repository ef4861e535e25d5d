//! The lines of standard input, read by a thread of their own: reading may block.

use std::io::{self, BufRead, Read};
use std::os::fd::AsFd;
use std::rc::Rc;
use std::thread;

use rustix::fs::{FileType, fstat};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::failure::Failure;
use super::source::Payload;

/// The longest line.
pub(crate) const MAX_LINE: usize = 16 << 20;
/// Lines that are read ahead.
const AHEAD: usize = 256;

pub(crate) struct Lines(Receiver<Result<Vec<u8>, Failure>>);

impl Lines {
    pub(crate) fn start() -> Result<Self, Failure> {
        let (sender, receiver) = channel(AHEAD);
        let thread = thread::Builder::new().name("lines".to_owned());
        let started = thread.spawn(move || read(io::stdin().lock(), &sender));
        started.map_err(|error| Failure::Other(format!("cannot start a thread: {error}")))?;
        Ok(Self(receiver))
    }

    /// The next line without its end, `None` after the last one.
    pub(crate) async fn next(&mut self) -> Result<Option<Payload>, Failure> {
        self.0.recv().await.map(|line| line.map(Rc::from)).transpose()
    }
}

/// If standard input is a file.
pub(crate) fn file_size() -> Option<u64> {
    let status = fstat(io::stdin().as_fd()).ok()?;
    let is_file = FileType::from_raw_mode(status.st_mode) == FileType::RegularFile;
    u64::try_from(status.st_size).ok().filter(|_| is_file)
}

/// Sends line after line, until the end, an error, or nobody listens.
fn read(mut input: impl BufRead, sender: &Sender<Result<Vec<u8>, Failure>>) {
    for number in 1_u64.. {
        let mut line = Vec::new();
        let limit = MAX_LINE as u64 + 1;
        let item = match input.by_ref().take(limit).read_until(b'\n', &mut line) {
            Ok(0) => return,
            Ok(_) => match line.pop_if(|last| *last == b'\n') {
                None if line.len() > MAX_LINE => {
                    Err(format!("line {number} of standard input is longer than 16 MiB"))
                }
                _ => Ok(line),
            },
            Err(error) => Err(format!("cannot read standard input: {error}")),
        };
        let failed = item.is_err();
        if sender.blocking_send(item.map_err(Failure::Other)).is_err() || failed {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: impl BufRead + Send + 'static) -> Vec<Result<Vec<u8>, String>> {
        let (sender, mut receiver) = channel(1);
        let reader = thread::spawn(move || read(input, &sender));
        let lines = core::iter::from_fn(|| receiver.blocking_recv());
        let lines = lines.map(|line| line.map_err(|failure| failure.to_string())).collect();
        reader.join().unwrap();
        lines
    }

    #[test]
    fn every_line_counts_also_empty_and_unfinished_ones() {
        let line = |text: &[u8]| Ok(text.to_vec());
        assert_eq!(lines(&b"a\n\n\xff\0b\r\nc"[..]), [line(b"a"), line(b""), line(b"\xff\0b\r"), line(b"c")]);
        assert_eq!(lines(&b"\n"[..]), [line(b"")]);
        assert_eq!(lines(&b""[..]), []);
    }

    #[test]
    fn an_endless_line_is_refused() {
        let endless = io::BufReader::new(io::Cursor::new(b"a\n").chain(io::repeat(b'x')));
        let lines = lines(endless);
        assert_eq!(
            lines,
            [Ok(b"a".to_vec()), Err("line 2 of standard input is longer than 16 MiB".to_owned())]
        );
    }

    #[test]
    fn a_line_may_be_as_long_as_the_limit() {
        let mut text = vec![b'x'; MAX_LINE];
        text.push(b'\n');
        assert_eq!(lines(io::Cursor::new(text))[0].as_ref().unwrap().len(), MAX_LINE);
    }
}
