//! Values of attributes: tokens, quoted strings, and extended values.

use core::fmt::{self, Write};

use super::grammar::is_attr_char;
use crate::uri::DecodedBytes;

/// The value of an attribute. Equal to a `str` when that is what it says, quotes and backslashes undone.
#[derive(Clone, Copy, Debug)]
pub struct AttributeValue<'a> {
    /// As written, without the quotes.
    pub(super) raw: &'a str,
    pub(super) is_quoted: bool,
}

impl<'a> AttributeValue<'a> {
    /// As written, without the quotes around it and with the backslashes in it.
    pub const fn raw(self) -> &'a str {
        self.raw
    }

    /// Whether it stands in quotes.
    pub const fn is_quoted(self) -> bool {
        self.is_quoted
    }

    /// The value when no backslash is in it, which is nearly always.
    pub fn as_str(self) -> Option<&'a str> {
        (!self.raw.contains('\\')).then_some(self.raw)
    }

    /// The characters of the value, backslashes undone.
    pub fn chars(self) -> impl Iterator<Item = char> + Clone + use<'a> {
        Unescaped(self.raw.chars())
    }

    /// The values between the blanks: `rt`, `if`, `rel`, `rev` and `ct` may have several. RFC 6690 §2, RFC 7252 §7.2.1.
    pub const fn words(self) -> Words<'a> {
        Words { rest: self.raw }
    }

    /// The parts of an extended value, the kind that `title*` has.
    pub fn ext_value(self) -> Option<ExtValue<'a>> {
        if self.is_quoted { None } else { ExtValue::parse(self.raw) }
    }
}

impl PartialEq for AttributeValue<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.chars().eq(other.chars())
    }
}

impl Eq for AttributeValue<'_> {}

impl PartialEq<str> for AttributeValue<'_> {
    fn eq(&self, other: &str) -> bool {
        self.chars().eq(other.chars())
    }
}

impl PartialEq<&str> for AttributeValue<'_> {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

/// The value, backslashes undone.
impl fmt::Display for AttributeValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chars().try_for_each(|next| f.write_char(next))
    }
}

/// The values of an attribute that may have several.
#[derive(Clone, Debug, Default)]
pub struct Words<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Words<'a> {
    type Item = AttributeValue<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.trim_start_matches(' ');
        let end = rest.find(' ').unwrap_or(rest.len());
        let (raw, rest) = rest.split_at_checked(end)?;
        self.rest = rest;
        (!raw.is_empty()).then_some(AttributeValue { raw, is_quoted: true })
    }
}

/// An extended value, RFC 5987 §3.2: text in a character set, with its language.
///
/// ```
/// use coap_codec::link_format::links;
///
/// let link = links("</a>;title*=UTF-8'de'Sch%C3%B6n").next().unwrap()?;
/// let title = link.value("title*").unwrap().ext_value().unwrap();
/// assert_eq!((title.charset, title.language), ("UTF-8", "de"));
/// assert_eq!(title.decode(&mut [0; 32]), Some("Schön"));
/// # Ok::<(), coap_codec::link_format::InvalidLinkFormat>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtValue<'a> {
    /// The name of the character set: UTF-8 or ISO-8859-1, or one that a reader need not know.
    pub charset: &'a str,
    /// A language tag; may be empty.
    pub language: &'a str,
    text: &'a str,
}

impl<'a> ExtValue<'a> {
    /// The bytes in the character set.
    pub fn bytes(self) -> impl Iterator<Item = u8> + Clone + use<'a> {
        DecodedBytes::new(self.text)
    }

    /// The text, written into `buffer`. `None` when it is not UTF-8 or the buffer is too small.
    pub fn decode(self, buffer: &mut [u8]) -> Option<&str> {
        if !self.charset.eq_ignore_ascii_case("UTF-8") {
            return None;
        }
        let mut len = 0;
        for byte in self.bytes() {
            *buffer.get_mut(len)? = byte;
            len += 1;
        }
        core::str::from_utf8(buffer.get(..len)?).ok()
    }

    /// `charset "'" [ language ] "'" *( pct-encoded / attr-char )`.
    pub(super) fn parse(token: &'a str) -> Option<Self> {
        let (charset, rest) = token.split_once('\'')?;
        let (language, text) = rest.split_once('\'')?;
        let is_charset = !charset.is_empty() && charset.chars().all(is_charset_char);
        let is_language = language.chars().all(|next| next.is_ascii_alphanumeric() || next == '-');
        (is_charset && is_language && is_percent_encoded(text)).then_some(Self { charset, language, text })
    }
}

fn is_percent_encoded(text: &str) -> bool {
    let mut pieces = text.split('%');
    let plain = |piece: &str| piece.chars().all(is_attr_char);
    pieces.next().is_some_and(plain)
        && pieces.all(|piece| {
            let digits = piece.bytes().take(2).filter(u8::is_ascii_hexdigit).count();
            digits == 2 && plain(piece)
        })
}

/// `mime-charsetc`, RFC 5987 §3.2.1.
const fn is_charset_char(next: char) -> bool {
    next.is_ascii_alphanumeric()
        || matches!(next, '!' | '#' | '$' | '%' | '&' | '+' | '-' | '^' | '_' | '`' | '{' | '}' | '~')
}

/// Undoes `quoted-pair`, RFC 2616 §2.2.
#[derive(Clone, Debug)]
struct Unescaped<'a>(core::str::Chars<'a>);

impl Iterator for Unescaped<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        match self.0.next()? {
            '\\' => self.0.next(),
            next => Some(next),
        }
    }
}
