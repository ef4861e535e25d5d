//! Messages on standard output, as mqtt-sn-sub prints them.

use std::io::{self, ErrorKind, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use mqttsn_core::client::{Message, MessageTopic};

use super::failure::Failure;
use crate::clock::unix_time;

/// What stands before a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Nothing.
    Payload,
    /// `topic: `; a predefined topic id as four hexadecimal digits.
    Topic,
    /// `2026-11-26 19:08:30 topic: `.
    TimeAndTopic,
}

/// Nobody reads what is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    Listens,
    Gone,
}

/// Prints a message and a newline.
pub(super) fn print(message: &Message, style: Style) -> Result<Reader, Failure> {
    let mut line = Vec::new();
    write(&mut line, message, style);
    let mut output = io::stdout().lock();
    match output.write_all(&line).and_then(|()| output.flush()) {
        Ok(()) => Ok(Reader::Listens),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(Failure::output(error)),
    }
}

fn write(line: &mut Vec<u8>, message: &Message, style: Style) {
    if style == Style::TimeAndTopic {
        let seconds = i64::try_from(unix_time().as_secs()).unwrap_or_default();
        let time = Timestamp::from_second(seconds).unwrap_or_default().to_zoned(TimeZone::system());
        line.extend_from_slice(time.strftime("%Y-%m-%d %H:%M:%S ").to_string().as_bytes());
    }
    if style != Style::Payload {
        match &message.topic {
            MessageTopic::Name(name) => line.extend_from_slice(name.as_bytes()),
            MessageTopic::Short(name) => line.extend_from_slice(&name.0),
            MessageTopic::Predefined(id) => line.extend_from_slice(format!("{:04x}", id.get()).as_bytes()),
        }
        line.extend_from_slice(b": ");
    }
    line.extend_from_slice(&message.data);
    line.push(b'\n');
}
