//! Percent-encoding: RFC 3986 §2.1, decoded without a copy in memory and encoded into any writer.

use core::fmt;

use super::MAX_VALUE_LEN;
use super::error::{InvalidUri, UriFault};

/// A piece of a URI that may contain percent-encodings: checked, at most 255 bytes and UTF-8 once decoded.
///
/// Two are equal when they decode to the same bytes. `Display` writes the decoded text.
/// ```
/// use coap_codec::uri::Uri;
///
/// let uri = Uri::parse("coap://h/caf%C3%A9")?;
/// let segment = uri.path_segments().next().unwrap();
/// assert_eq!(segment.encoded(), "caf%C3%A9");
/// assert_eq!(segment.decode(&mut [0; 255]), Some("café"));
/// # Ok::<(), coap_codec::uri::InvalidUri>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PercentEncoded<'a> {
    text: &'a str,
    /// Host names are compared and sent in lowercase.
    lowercase: bool,
}

impl<'a> PercentEncoded<'a> {
    /// Nothing, as a path with a slash at its end has it.
    pub(super) const EMPTY: Self = Self::checked("");

    /// As written in the URI.
    pub const fn encoded(self) -> &'a str {
        self.text
    }

    /// The decoded bytes.
    pub fn bytes(self) -> impl Iterator<Item = u8> + Clone + use<'a> {
        DecodedBytes::new(self.text)
            .map(move |byte| if self.lowercase { byte.to_ascii_lowercase() } else { byte })
    }

    /// The number of decoded bytes, at most 255.
    pub fn decoded_len(self) -> usize {
        self.bytes().count()
    }

    /// The decoded text, borrowed from the URI when it needs no decoding, else written into `buffer`.
    /// `None` when the buffer is too small; 255 bytes never are.
    pub fn decode<'b>(self, buffer: &'b mut [u8]) -> Option<&'b str>
    where
        'a: 'b,
    {
        let as_written = |byte: &u8| *byte != b'%' && !(self.lowercase && byte.is_ascii_uppercase());
        if self.text.as_bytes().iter().all(as_written) {
            return Some(self.text);
        }
        let mut len = 0;
        for byte in self.bytes() {
            *buffer.get_mut(len)? = byte;
            len += 1;
        }
        core::str::from_utf8(buffer.get(..len)?).ok()
    }

    /// Checks `text`, of which the first byte stands at `offset` of the URI.
    pub(super) fn parse(text: &'a str, offset: usize, allowed: fn(u8) -> bool) -> Result<Self, InvalidUri> {
        let piece = Self::checked(text);
        check_characters(text, offset, allowed)?;
        if piece.bytes().nth(MAX_VALUE_LEN).is_some() {
            return Err(UriFault::TooLong.at(offset));
        }
        piece.decode(&mut [0; MAX_VALUE_LEN]).ok_or(UriFault::NotUtf8.at(offset))?;
        Ok(piece)
    }

    /// A piece of a text that was checked before.
    pub(super) const fn checked(text: &'a str) -> Self {
        Self { text, lowercase: false }
    }

    pub(super) const fn in_lowercase(self) -> Self {
        Self { lowercase: true, ..self }
    }
}

impl PartialEq for PercentEncoded<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes().eq(other.bytes())
    }
}

impl Eq for PercentEncoded<'_> {}

impl PartialEq<str> for PercentEncoded<'_> {
    fn eq(&self, other: &str) -> bool {
        self.bytes().eq(other.bytes())
    }
}

impl PartialEq<&str> for PercentEncoded<'_> {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl fmt::Display for PercentEncoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.decode(&mut [0; MAX_VALUE_LEN]).unwrap_or_default())
    }
}

/// Decodes lazily; `%` without two digits stands for itself (text that was not checked, in link targets).
#[derive(Clone, Debug)]
pub(crate) struct DecodedBytes<'a> {
    rest: &'a [u8],
}

impl<'a> DecodedBytes<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { rest: text.as_bytes() }
    }
}

impl Iterator for DecodedBytes<'_> {
    type Item = u8;

    #[inline]
    fn next(&mut self) -> Option<u8> {
        if let [b'%', high, low, rest @ ..] = self.rest
            && let Some(byte) = hexadecimal(*high, *low)
        {
            self.rest = rest;
            return Some(byte);
        }
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }
}

/// Writes `bytes`, each that is not `allowed` as `%` and two uppercase digits. RFC 7252 §6.5.
pub(crate) fn write_encoded(
    out: &mut impl fmt::Write,
    bytes: impl IntoIterator<Item = u8>,
    allowed: fn(u8) -> bool,
) -> fmt::Result {
    for byte in bytes {
        if allowed(byte) {
            out.write_char(char::from(byte))?;
        } else {
            write!(out, "%{byte:02X}")?;
        }
    }
    Ok(())
}

/// Every character is `allowed` or part of a percent-encoding.
pub(super) fn check_characters(text: &str, offset: usize, allowed: fn(u8) -> bool) -> Result<(), InvalidUri> {
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        if byte == b'%' {
            let digits = (bytes.next(), bytes.next());
            let (Some((_, high)), Some((_, low))) = digits else {
                return Err(UriFault::PercentEncoding.at(offset + at));
            };
            hexadecimal(high, low).ok_or(UriFault::PercentEncoding.at(offset + at))?;
        } else if !allowed(byte) {
            return Err(UriFault::Character.at(offset + at));
        }
    }
    Ok(())
}

fn hexadecimal(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

/// RFC 3986 §2.3.
pub(crate) const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// RFC 3986 §2.2.
pub(crate) const fn is_sub_delim(byte: u8) -> bool {
    matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=')
}

/// What a registered name consists of besides percent-encodings, RFC 3986 §3.2.2.
pub(super) const fn is_reg_name(byte: u8) -> bool {
    is_unreserved(byte) || is_sub_delim(byte)
}

/// What a segment consists of, RFC 3986 §3.3 and RFC 7252 §6.5 step 6.
pub(super) const fn is_pchar(byte: u8) -> bool {
    is_unreserved(byte) || is_sub_delim(byte) || matches!(byte, b':' | b'@')
}

/// What an argument of a query consists of: RFC 3986 §3.4 without the ampersand, RFC 7252 §6.5 step 8.
pub(super) const fn is_argument(byte: u8) -> bool {
    byte != b'&' && (is_pchar(byte) || matches!(byte, b'/' | b'?'))
}
