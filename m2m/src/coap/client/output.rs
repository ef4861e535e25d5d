//! Payloads on standard output or in a file.

use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};

use super::arguments::OutputArguments;
use super::failure::Failure;

pub(super) struct Output {
    place: Place,
    name: String,
    newline: Newline,
}

enum Place {
    Stdout,
    /// Made when there is something to write: an error leaves an old file alone.
    Unmade(PathBuf),
    File(File),
}

/// When a payload is ended with a newline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Newline {
    Never,
    /// Unless it has one.
    IfMissing,
    Always,
}

/// Whether anybody reads what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    Listens,
    Gone,
}

impl Output {
    /// `several`: payload after payload will come. They follow each other in a file that begins anew.
    pub(super) fn new(arguments: &OutputArguments, several: bool) -> Self {
        let path = arguments.output.as_deref().filter(|path| *path != Path::new("-"));
        let newline = match path {
            _ if arguments.newline => Newline::Always,
            None if several || io::stdout().is_terminal() => Newline::IfMissing,
            _ => Newline::Never,
        };
        let name = path.map_or_else(|| "standard output".to_owned(), |path| path.display().to_string());
        let place = path.map_or(Place::Stdout, |path| Place::Unmade(path.to_owned()));
        Self { place, name, newline }
    }

    pub(super) fn write(&mut self, payload: &[u8]) -> Result<Reader, Failure> {
        if let Place::Unmade(path) = &self.place {
            let file = File::create(path).map_err(|error| Failure::cannot_write(&self.name, &error))?;
            self.place = Place::File(file);
        }
        let result = match &mut self.place {
            Place::Stdout | Place::Unmade(_) => write(&mut io::stdout().lock(), payload, self.newline),
            Place::File(file) => write(file, payload, self.newline),
        };
        match result {
            Ok(()) => Ok(Reader::Listens),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
            Err(error) => Err(Failure::cannot_write(&self.name, &error)),
        }
    }
}

fn write(output: &mut impl Write, payload: &[u8], newline: Newline) -> io::Result<()> {
    output.write_all(payload)?;
    let missing = payload.last().is_some_and(|last| *last != b'\n');
    if newline == Newline::Always || newline == Newline::IfMissing && missing {
        output.write_all(b"\n")?;
    }
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(payload: &[u8], newline: Newline) -> Vec<u8> {
        let mut output = Vec::new();
        write(&mut output, payload, newline).unwrap();
        output
    }

    #[test]
    fn newlines() {
        assert_eq!(written(b"a", Newline::Never), b"a");
        assert_eq!(written(b"a", Newline::IfMissing), b"a\n");
        assert_eq!(written(b"a\n", Newline::IfMissing), b"a\n");
        assert_eq!(written(b"", Newline::IfMissing), b"");
        assert_eq!(written(b"a\n", Newline::Always), b"a\n\n");
        assert_eq!(written(b"", Newline::Always), b"\n");
    }
}
