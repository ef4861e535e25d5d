//! The messages that `m2m pub` publishes: one, repeated, or the lines of standard input.

use core::future::pending;
use core::time::Duration;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;
use std::rc::Rc;

use machine::Instant;
use tokio::time::sleep_until;

use super::failure::Failure;
use super::lines::{Lines, MAX_LINE, file_size};
use crate::clock::Clock;

/// The largest payload: a packet's largest remaining length, with room for topic and properties (3.1.1 §2.2.3).
pub(crate) const MAX_PAYLOAD: u64 = 268_435_455;

pub(crate) type Payload = Rc<[u8]>;

pub(crate) enum Source {
    Repeated(Repeated),
    Lines(Lines),
}

/// One message, again and again.
pub(crate) struct Repeated {
    payload: Payload,
    left: u64,
    /// From the end of one to the begin of the next.
    delay: Duration,
    next_at: Option<Instant>,
    begun: bool,
}

/// How much there is to do, as far as that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// One message of so many bytes.
    Bytes(u64),
    /// So many messages.
    Messages(u64),
    /// Lines of a file of so many bytes.
    Lines(u64),
    /// Lines of a pipe.
    Unknown,
    /// Somebody types them.
    Typed,
}

impl Source {
    pub(crate) fn repeated(payload: Vec<u8>, times: u64, delay: Duration) -> Self {
        Self::Repeated(Repeated { payload: payload.into(), left: times, delay, next_at: None, begun: false })
    }

    pub(crate) fn lines() -> Result<Self, Failure> {
        Lines::start().map(Self::Lines)
    }

    pub(crate) fn extent(&self) -> Extent {
        match self {
            Self::Repeated(Repeated { left: 1, payload, .. }) => Extent::Bytes(payload.len() as u64),
            Self::Repeated(repeated) => Extent::Messages(repeated.left),
            Self::Lines(_) if io::stdin().is_terminal() => Extent::Typed,
            Self::Lines(_) => file_size().map_or(Extent::Unknown, Extent::Lines),
        }
    }

    /// The longest payload that may come.
    pub(crate) fn max_len(&self) -> usize {
        match self {
            Self::Repeated(repeated) => repeated.payload.len(),
            Self::Lines(_) => MAX_LINE,
        }
    }

    /// The next payload, `None` at the end. `idle`: all earlier ones are delivered. May be dropped and asked for again.
    pub(crate) async fn next(&mut self, idle: bool, clock: Clock) -> Result<Option<Payload>, Failure> {
        match self {
            Self::Repeated(repeated) => Ok(repeated.next(idle, clock).await),
            Self::Lines(lines) => lines.next().await,
        }
    }
}

impl Repeated {
    async fn next(&mut self, idle: bool, clock: Clock) -> Option<Payload> {
        self.left.checked_sub(1)?;
        if self.begun && !self.delay.is_zero() {
            if !idle {
                pending::<()>().await;
            }
            let at = *self.next_at.get_or_insert_with(|| clock.now() + self.delay);
            sleep_until(clock.timer(at)).await;
        }
        self.left -= 1;
        self.begun = true;
        self.next_at = None;
        Some(Rc::clone(&self.payload))
    }
}

/// All of a file, as one message.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    let name = path.display();
    let problem = |error: io::Error| Failure::Other(format!("cannot read {name}: {error}"));
    read_all(File::open(path).map_err(problem)?, &name.to_string())
}

/// All of standard input, as one message.
pub(crate) fn read_stdin() -> Result<Vec<u8>, Failure> {
    let bytes = read_all(io::stdin().lock(), "standard input")?;
    if bytes.is_empty() {
        return Err(Failure::Other("standard input is empty (-n publishes an empty message)".to_owned()));
    }
    Ok(bytes)
}

fn read_all(input: impl Read, name: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = input.take(MAX_PAYLOAD + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::Other(format!("cannot read {name}: {error}")))?;
    if bytes.len() as u64 > MAX_PAYLOAD {
        return Err(Failure::Other(format!("{name} is longer than a message can be ({MAX_PAYLOAD} bytes)")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::runtime::Builder;
    use tokio::time::timeout;

    #[test]
    fn a_delay_counts_from_the_delivery() {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let clock = Clock::start();
            let delay = Duration::from_millis(30);
            let mut source = Source::repeated(b"x".to_vec(), 2, delay);
            assert_eq!(source.extent(), Extent::Messages(2));
            assert!(source.next(false, clock).await.unwrap().is_some(), "the first one waits for nothing");
            let busy = timeout(delay * 2, source.next(false, clock)).await;
            assert!(busy.is_err(), "the first one is not delivered");
            let idle_since = clock.now();
            // Asked for twice, as the loop does, it still waits once.
            assert!(timeout(delay / 2, source.next(true, clock)).await.is_err());
            assert!(source.next(true, clock).await.unwrap().is_some());
            let waited = clock.now() - idle_since;
            assert!(waited >= delay && waited < delay * 10, "{waited:?}");
            assert!(source.next(true, clock).await.unwrap().is_none());
        });
    }

    #[test]
    fn a_file_is_read_whole_and_a_missing_one_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"a\n\0b").unwrap();
        assert_eq!(read_file(file.path()).unwrap(), b"a\n\0b");
        let error = read_file(Path::new("no/such/file")).unwrap_err().to_string();
        assert!(error.starts_with("cannot read no/such/file: "), "{error}");
    }

    #[test]
    fn what_is_too_long_is_refused_before_it_fills_the_memory() {
        let error = read_all(io::repeat(0), "it").unwrap_err().to_string();
        assert_eq!(error, "it is longer than a message can be (268435455 bytes)");
    }
}
