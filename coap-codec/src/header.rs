//! The header, RFC 7252 §3: type, message ID, length of the token.

use core::fmt;

use crate::Malformed;
use crate::reader::{Parsed, refuse, take};

/// The type of a message, §4.2 and §4.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageType {
    /// CON: asks for an acknowledgement.
    Confirmable = 0,
    /// NON: asks for none.
    NonConfirmable = 1,
    /// ACK: acknowledges a Confirmable message, and may carry a response.
    Acknowledgement = 2,
    /// RST: says that a message could not be used.
    Reset = 3,
}

impl MessageType {
    /// The type in the first byte of a header.
    #[inline]
    pub(crate) const fn of_first_byte(byte: u8) -> Self {
        match byte >> 4 & 3 {
            0 => Self::Confirmable,
            1 => Self::NonConfirmable,
            2 => Self::Acknowledgement,
            _ => Self::Reset,
        }
    }
}

impl fmt::Display for MessageType {
    /// `CON`, `NON`, `ACK`, `RST`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Confirmable => "CON",
            Self::NonConfirmable => "NON",
            Self::Acknowledgement => "ACK",
            Self::Reset => "RST",
        })
    }
}

/// Tells duplicates and finds what an Acknowledgement or Reset message belongs to, §4.4. Any number is one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(u16);

impl MessageId {
    /// The message ID of this number.
    #[inline]
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// Its number.
    #[inline]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The longest token of RFC 7252.
pub const MAX_TOKEN_LEN: usize = 8;

/// The longest token that RFC 8974 can express.
pub const MAX_EXTENDED_TOKEN_LEN: usize = 65_804;

/// What a reader of datagrams allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rules {
    /// The longest token. Up to 8 the token lengths 9 to 15 are format errors, as RFC 7252 has it; with more,
    /// RFC 8974 is in use.
    pub max_token_len: usize,
}

impl Rules {
    /// Those of RFC 7252.
    pub const DEFAULT: Self = Self { max_token_len: MAX_TOKEN_LEN };
}

impl Default for Rules {
    #[inline]
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The token that begins with its extended length, if any. `nibble` is the token length of the header.
#[inline]
pub(crate) fn token(input: &[u8], nibble: u8, max: usize) -> Parsed<'_, &[u8]> {
    let len = usize::from(nibble);
    if len <= MAX_TOKEN_LEN && len <= max {
        take(input, len, Malformed::TokenTruncated)
    } else {
        long_token(input, nibble, max)
    }
}

#[cold]
fn long_token(input: &[u8], nibble: u8, max: usize) -> Parsed<'_, &[u8]> {
    let missing = Malformed::TokenTruncated;
    let (extension, len) = token_lengths(input, nibble, max)?.ok_or(refuse(missing))?;
    let (input, _) = take(input, extension, missing)?;
    take(input, len, missing)
}

/// How many bytes the extended length of the token has, and how many the token. `None` when the extended length has
/// not come yet.
#[inline]
pub(crate) fn token_lengths(
    input: &[u8],
    nibble: u8,
    max: usize,
) -> Result<Option<(usize, usize)>, nom::Err<Malformed>> {
    let lengths =
        if nibble <= 8 { (0, usize::from(nibble)) } else { return long_token_lengths(input, nibble, max) };
    if lengths.1 > max { Err(refuse(Malformed::TokenTooLong)) } else { Ok(Some(lengths)) }
}

/// RFC 8974 §2.1: 13 and 14 announce one or two bytes of length; 9 to 12 need none.
#[cold]
fn long_token_lengths(
    input: &[u8],
    nibble: u8,
    max: usize,
) -> Result<Option<(usize, usize)>, nom::Err<Malformed>> {
    if max <= MAX_TOKEN_LEN || nibble == 15 {
        return Err(refuse(Malformed::TokenTooLong));
    }
    let lengths = match (nibble, input) {
        (13, [extension, ..]) => (1, usize::from(*extension) + 13),
        (14, [high, low, ..]) => (2, usize::from(u16::from_be_bytes([*high, *low])) + 269),
        (13 | 14, _) => return Ok(None),
        (len, _) => (0, usize::from(len)),
    };
    if lengths.1 > max { Err(refuse(Malformed::TokenTooLong)) } else { Ok(Some(lengths)) }
}

/// The token length of the header, and the bytes of its extension with their number, RFC 8974 §2.1. Up to 12 bytes of
/// token need no extension.
#[inline]
pub(crate) const fn token_length(len: usize) -> (u8, usize, [u8; 2]) {
    match len {
        0..13 => (len as u8, 0, [0; 2]),
        13..269 => (13, 1, [(len - 13) as u8, 0]),
        _ => (14, 2, ((len - 269) as u16).to_be_bytes()),
    }
}
