//! From a format string to its pieces.

use core::iter::Peekable;
use core::str::{Chars, FromStr};

use thiserror::Error;

use super::{Field, Format, Piece, Shape};

/// The largest width, so that no message fills the memory with blanks.
const MAX_WIDTH: usize = 9999;

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum InvalidFormat {
    #[error("the format ends in the middle of a `{0}` sequence")]
    Incomplete(char),
    #[error("`%{0}` is not a parameter: there are %% A C D E F I j J l m P p q R r S t U x X")]
    Field(char),
    #[error("`\\{0}` is not an escape: there are \\\\ \\0 \\a \\e \\n \\r \\t \\v")]
    Escape(char),
    #[error("a width is at most {MAX_WIDTH}")]
    Width,
}

impl FromStr for Format {
    type Err = InvalidFormat;

    fn from_str(text: &str) -> Result<Self, InvalidFormat> {
        let mut pieces = Vec::new();
        let mut chars = text.chars().peekable();
        while let Some(char) = chars.next() {
            match char {
                '%' => field(&mut chars, &mut pieces)?,
                '@' => match chars.next().ok_or(InvalidFormat::Incomplete('@'))? {
                    '@' => literal(&mut pieces, '@'),
                    conversion => pieces.push(Piece::Time(conversion)),
                },
                '\\' => literal(&mut pieces, escape(chars.next())?),
                char => literal(&mut pieces, char),
            }
        }
        Ok(Self(pieces))
    }
}

fn literal(pieces: &mut Vec<Piece>, char: char) {
    let mut buffer = [0; 4];
    let bytes = char.encode_utf8(&mut buffer).as_bytes();
    match pieces.last_mut() {
        Some(Piece::Text(text)) => text.extend_from_slice(bytes),
        _ => pieces.push(Piece::Text(bytes.to_vec())),
    }
}

fn escape(char: Option<char>) -> Result<char, InvalidFormat> {
    Ok(match char.ok_or(InvalidFormat::Incomplete('\\'))? {
        '\\' => '\\',
        '0' => '\0',
        'a' => '\x07',
        'e' => '\x1b',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        other => return Err(InvalidFormat::Escape(other)),
    })
}

/// Flags, width, maximum width, letter: the `%` is taken.
fn field(chars: &mut Peekable<Chars<'_>>, pieces: &mut Vec<Piece>) -> Result<(), InvalidFormat> {
    let left = chars.next_if_eq(&'-').is_some();
    let zeros = chars.next_if_eq(&'0').is_some() && !left;
    let width = number(chars)?.unwrap_or(0);
    let max_width = match chars.next_if_eq(&'.') {
        Some(_) => Some(number(chars)?.unwrap_or(0)),
        None => None,
    };
    let field = match chars.next().ok_or(InvalidFormat::Incomplete('%'))? {
        '%' => {
            literal(pieces, '%');
            return Ok(());
        }
        'A' => Field::TopicAlias,
        'C' => Field::ContentType,
        'D' => Field::CorrelationData,
        'E' => Field::MessageExpiryInterval,
        'F' => Field::PayloadFormatIndicator,
        'I' => Field::Iso8601,
        'j' => Field::Json,
        'J' => Field::JsonPayload,
        'l' => Field::PayloadLength,
        'm' => Field::PacketId,
        'P' => Field::UserProperties,
        'p' => Field::Payload,
        'q' => Field::Qos,
        'R' => Field::ResponseTopic,
        'r' => Field::Retain,
        'S' => Field::SubscriptionIdentifier,
        't' => Field::Topic,
        'U' => Field::UnixTime,
        'x' => Field::HexLower,
        'X' => Field::HexUpper,
        other => return Err(InvalidFormat::Field(other)),
    };
    pieces.push(Piece::Field(field, Shape { left, zeros, width, max_width }));
    Ok(())
}

fn number(chars: &mut Peekable<Chars<'_>>) -> Result<Option<usize>, InvalidFormat> {
    let mut number = None;
    while let Some(digit) = chars.peek().and_then(|char| char.to_digit(10)) {
        chars.next();
        let value = number.unwrap_or(0) * 10 + digit as usize;
        if value > MAX_WIDTH {
            return Err(InvalidFormat::Width);
        }
        number = Some(value);
    }
    Ok(number)
}
