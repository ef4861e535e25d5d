//! Options, RFC 7252 §3.1, §5.4 and §5.10.

mod check;
mod insert;
mod iter;
mod number;
mod typed;
mod value;

use core::fmt;

pub use check::{FaultKind, OptionFault};
pub(crate) use insert::Extent;
pub use insert::{MAX_VALUE_LEN, OptionsWriter, insert_option, option_growth};
pub use iter::OptionIter;
pub(crate) use iter::{PAYLOAD_MARKER, Values, scan};
pub use number::{DEFINITIONS, Definition, Format, OptionNumber};
pub(crate) use value::uint;
pub use value::{NoResponse, UintValue, is_newer_notification};

use crate::Malformed;

/// An option of a message: a number and a value.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CoapOption<'a> {
    /// What it is.
    pub number: OptionNumber,
    /// Its value.
    pub value: &'a [u8],
}

impl CoapOption<'_> {
    /// Whether it is part of the cache key, §5.4.2.
    #[inline]
    pub const fn is_cache_key(&self) -> bool {
        !self.number.is_no_cache_key()
    }

    /// The value as a number, `None` above eight bytes.
    #[inline]
    pub fn uint(&self) -> Option<u64> {
        uint(self.value)
    }
}

impl fmt::Debug for CoapOption<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.number)?;
        match (self.number.definition().map(|definition| definition.format), self.uint()) {
            (Some(Format::Uint), Some(number)) => write!(f, "{number}"),
            (Some(Format::String), _) => match core::str::from_utf8(self.value) {
                Ok(text) => write!(f, "{text:?}"),
                Err(_) => write!(f, "{:02X?}", self.value),
            },
            _ => write!(f, "{:02X?}", self.value),
        }
    }
}

/// The options of a message: an encoded block, checked once and walked through whenever it is asked.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Options<'a>(&'a [u8]);

impl<'a> Options<'a> {
    /// None at all.
    pub const EMPTY: Self = Self(&[]);

    /// Checks a block of encoded options that no payload marker follows.
    ///
    /// # Errors
    /// The broken rule of §3.1; [`Malformed::UnexpectedPayload`] when there is a marker.
    pub fn decode(block: &'a [u8]) -> Result<Self, Malformed> {
        if scan(block)? == block.len() { Ok(Self(block)) } else { Err(Malformed::UnexpectedPayload) }
    }

    /// A block that is known to be valid: [`decode`](Self::decode) has let it through, or it was [`encoded`](Self::encoded)
    /// once. It is not checked again.
    ///
    /// Of any other block the options mean nothing, and a message with them is malformed; to read them does no harm.
    #[inline]
    pub const fn assume_valid(block: &'a [u8]) -> Self {
        Self(block)
    }

    /// Splits what follows the token into options and payload.
    #[inline]
    pub(crate) fn split(input: &'a [u8]) -> Result<(Self, &'a [u8]), Malformed> {
        let (options, rest) = input.split_at_checked(scan(input)?).ok_or(Malformed::OptionTruncated)?;
        match rest {
            [] => Ok((Self(options), rest)),
            [_] => Err(Malformed::NoPayloadAfterMarker),
            [_, payload @ ..] => Ok((Self(options), payload)),
        }
    }

    /// The encoded block.
    #[inline]
    pub const fn encoded(self) -> &'a [u8] {
        self.0
    }

    /// Whether there is no option.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// All options as they came, by ascending number, also those that §5.4 says to ignore.
    #[inline]
    pub const fn iter(self) -> OptionIter<'a> {
        OptionIter::new(self.0)
    }

    /// The value of the option; of its first occurrence if it is in the message more than once.
    ///
    /// A registered option whose value has a length that it cannot have is as if absent (§5.4.3); of a repeatable one
    /// the first with a possible length counts.
    #[inline]
    pub fn get(self, number: OptionNumber) -> Option<&'a [u8]> {
        self.all(number).next()
    }

    /// The values of a repeatable option, in order, without those of an impossible length (§5.4.3); of an option that
    /// is not repeatable at most the first (§5.4.5); of an unregistered number all.
    #[inline]
    pub fn all(self, number: OptionNumber) -> impl Iterator<Item = &'a [u8]> {
        self.all_defined(number, number.definition())
    }

    /// As [`all`](Self::all), with the definition from whatever registry.
    #[inline]
    pub(crate) const fn all_defined(
        self,
        number: OptionNumber,
        definition: Option<&'static Definition>,
    ) -> Values<'a> {
        Values { rest: self.iter(), number, definition }
    }

    /// Whether [`get`](Self::get) finds the option.
    #[inline]
    pub fn contains(self, number: OptionNumber) -> bool {
        self.get(number).is_some()
    }

    /// The value as a number; `None` when the option is absent or has more than eight bytes.
    #[inline]
    pub fn uint(self, number: OptionNumber) -> Option<u64> {
        self.get(number).and_then(uint)
    }
}

impl Default for Options<'_> {
    #[inline]
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<'a> IntoIterator for Options<'a> {
    type Item = CoapOption<'a>;
    type IntoIter = OptionIter<'a>;

    #[inline]
    fn into_iter(self) -> OptionIter<'a> {
        self.iter()
    }
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.iter(), f)
    }
}
