//! Messages on standard output.

use std::io::{self, BufWriter, ErrorKind, StdoutLock, Write};

use mqtt_core::client::Message;

use super::failure::Failure;
use super::format::{Format, NotJson, Zone};
use super::report;
use crate::clock::unix_time;

/// How a message is printed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Payload,
    /// `topic payload`
    Verbose,
    Formatted(Format),
}

/// Standard output; [`flush`](Self::flush) when there is nothing more to print for now.
pub(crate) struct Printer {
    style: Style,
    end: &'static [u8],
    quiet: bool,
    zone: Zone,
    line: Vec<u8>,
    output: BufWriter<StdoutLock<'static>>,
}

/// Nobody reads what is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    Listens,
    Gone,
}

impl Printer {
    pub(crate) fn new(style: Style, no_newline: bool, quiet: bool) -> Self {
        let end: &[u8] = if no_newline { b"" } else { b"\n" };
        let output = BufWriter::with_capacity(64 << 10, io::stdout().lock());
        Self { style, end, quiet, zone: Zone::of_system(), line: Vec::new(), output }
    }

    pub(crate) fn print(&mut self, message: &Message) -> Result<Reader, Failure> {
        self.line.clear();
        let printed = write(&self.style, self.end, &mut self.line, message, &self.zone);
        if printed == Err(NotJson) && !self.quiet {
            report(&format_args!("the payload is not JSON, as %J wants it, on topic {}", message.topic()));
        }
        reader(self.output.write_all(&self.line))
    }

    pub(crate) fn flush(&mut self) -> Result<Reader, Failure> {
        reader(self.output.flush())
    }
}

fn reader(result: io::Result<()>) -> Result<Reader, Failure> {
    match result {
        Ok(()) => Ok(Reader::Listens),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(Failure::Other(format!("cannot write to standard output: {error}"))),
    }
}

/// Empty payloads are nothing to see, and `(null)` beside a topic.
fn write(
    style: &Style,
    end: &[u8],
    line: &mut Vec<u8>,
    message: &Message,
    zone: &Zone,
) -> Result<(), NotJson> {
    let payload = message.payload();
    let mut result = Ok(());
    match style {
        Style::Payload if payload.is_empty() => return Ok(()),
        Style::Verbose if payload.is_empty() && end.is_empty() => return Ok(()),
        Style::Payload => line.extend_from_slice(payload),
        Style::Verbose => {
            line.extend_from_slice(message.topic().as_bytes());
            line.push(b' ');
            line.extend_from_slice(if payload.is_empty() { b"(null)" } else { payload });
        }
        Style::Formatted(format) => result = format.write(line, message, unix_time(), zone),
    }
    line.extend_from_slice(end);
    result
}
