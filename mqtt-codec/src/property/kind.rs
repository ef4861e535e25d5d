//! The types of property values: how each is checked, skipped, read and written.

use super::SubscriptionIdentifier;
use crate::header::varint_len;
use crate::reader::{Parsed, be_u16, be_u32, binary, byte, refuse, varint};
use crate::writer::{Output, binary_len, put_binary, put_varint};
use crate::{EncodeError, Malformed, QoS, text};
use core::num::{NonZeroU16, NonZeroU32};

/// What validation has to know of a value's type.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// One byte that is 0 or 1.
    ZeroOrOne,
    U16,
    NonZeroU16,
    U32,
    NonZeroU32,
    SubscriptionIdentifier,
    Binary,
    String,
    Topic,
    StringPair,
}

impl Kind {
    /// Checks the value at the start of `input` and returns what follows it.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "one caller, in a loop")]
    pub(super) fn check(self, identifier: u8, input: &[u8]) -> Result<&[u8], nom::Err<Malformed>> {
        let zero = |rule| Err(refuse(rule));
        match self {
            Self::ZeroOrOne => match byte(input)? {
                (rest, 0 | 1) => Ok(rest),
                _ => zero(Malformed::NeitherZeroNorOne(identifier)),
            },
            Self::U16 => Ok(be_u16(input)?.0),
            Self::NonZeroU16 => match be_u16(input)? {
                (_, 0) if identifier == 0x23 => zero(Malformed::TopicAliasZero),
                (_, 0) => zero(Malformed::ReceiveMaximumZero),
                (rest, _) => Ok(rest),
            },
            Self::U32 => Ok(be_u32(input)?.0),
            Self::NonZeroU32 => match be_u32(input)? {
                (_, 0) => zero(Malformed::MaximumPacketSizeZero),
                (rest, _) => Ok(rest),
            },
            Self::SubscriptionIdentifier => match varint(input)? {
                (_, 0) => zero(Malformed::SubscriptionIdentifierZero),
                (rest, _) => Ok(rest),
            },
            Self::Binary => Ok(binary(input)?.0),
            Self::String => check_string(input),
            Self::Topic => check_response_topic(input),
            Self::StringPair => check_string(check_string(input)?),
        }
    }

    /// What follows the value at the start of a valid block.
    #[inline]
    pub(super) fn skip(self, input: &[u8]) -> Option<&[u8]> {
        match self {
            Self::ZeroOrOne => input.get(1..),
            Self::U16 | Self::NonZeroU16 => input.get(2..),
            Self::U32 | Self::NonZeroU32 => input.get(4..),
            Self::SubscriptionIdentifier => Some(varint(input).ok()?.0),
            Self::Binary | Self::String | Self::Topic => Some(binary(input).ok()?.0),
            Self::StringPair => Some(binary(binary(input).ok()?.0).ok()?.0),
        }
    }
}

#[inline]
fn check_string(input: &[u8]) -> Result<&[u8], nom::Err<Malformed>> {
    let (rest, bytes) = binary(input)?;
    text::check_string(bytes).map_err(refuse)?;
    Ok(rest)
}

fn check_response_topic(input: &[u8]) -> Result<&[u8], nom::Err<Malformed>> {
    let (rest, bytes) = binary(input)?;
    match text::check_topic_name(bytes) {
        Ok(()) if bytes.is_empty() => Err(refuse(Malformed::EmptyTopicName)),
        Ok(()) => Ok(rest),
        Err(Malformed::WildcardInTopicName) => Err(refuse(Malformed::WildcardInResponseTopic)),
        Err(rule) => Err(refuse(rule)),
    }
}

/// A value of one of the types.
pub(super) trait Value<'a>: Sized {
    const KIND: Kind;

    /// Reads from a block that [`Kind::check`] has seen: an error means that it has not.
    fn read(input: &'a [u8]) -> Parsed<'a, Self>;

    fn encoded_len(&self) -> Result<usize, EncodeError>;

    fn put(&self, out: &mut impl Output);
}

macro_rules! fixed_width {
    ($type:ty, $kind:ident, $len:literal, $read:expr, |$value:ident| $bytes:expr) => {
        impl<'a> Value<'a> for $type {
            const KIND: Kind = Kind::$kind;

            #[inline]
            fn read(input: &'a [u8]) -> Parsed<'a, Self> {
                let read: fn(&'a [u8]) -> Parsed<'a, Option<Self>> = $read;
                match read(input)? {
                    (rest, Some(value)) => Ok((rest, value)),
                    _ => Err(refuse(Malformed::Truncated)),
                }
            }

            #[inline]
            fn encoded_len(&self) -> Result<usize, EncodeError> {
                Ok($len)
            }

            #[inline]
            fn put(&self, out: &mut impl Output) {
                let $value = *self;
                out.put(&$bytes);
            }
        }
    };
}

fixed_width!(bool, ZeroOrOne, 1, |i| byte(i).map(|(r, v)| (r, Some(v != 0))), |v| [u8::from(v)]);
fixed_width!(u16, U16, 2, |i| be_u16(i).map(|(r, v)| (r, Some(v))), |v| v.to_be_bytes());
fixed_width!(NonZeroU16, NonZeroU16, 2, |i| be_u16(i).map(|(r, v)| (r, Self::new(v))), |v| v
    .get()
    .to_be_bytes());
fixed_width!(u32, U32, 4, |i| be_u32(i).map(|(r, v)| (r, Some(v))), |v| v.to_be_bytes());
fixed_width!(NonZeroU32, NonZeroU32, 4, |i| be_u32(i).map(|(r, v)| (r, Self::new(v))), |v| v
    .get()
    .to_be_bytes());

/// Maximum QoS, §3.2.2.3.4: 0 or 1.
impl<'a> Value<'a> for QoS {
    const KIND: Kind = Kind::ZeroOrOne;

    fn read(input: &'a [u8]) -> Parsed<'a, Self> {
        let (rest, at_least_once) = bool::read(input)?;
        Ok((rest, if at_least_once { Self::AtLeastOnce } else { Self::AtMostOnce }))
    }

    fn encoded_len(&self) -> Result<usize, EncodeError> {
        match self {
            Self::AtMostOnce | Self::AtLeastOnce => Ok(1),
            Self::ExactlyOnce => Err(Malformed::NeitherZeroNorOne(0x24).into()),
        }
    }

    fn put(&self, out: &mut impl Output) {
        out.put(&[*self as u8]);
    }
}

impl<'a> Value<'a> for SubscriptionIdentifier {
    const KIND: Kind = Kind::SubscriptionIdentifier;

    fn read(input: &'a [u8]) -> Parsed<'a, Self> {
        match varint(input).map(|(rest, value)| (rest, Self::new(value)))? {
            (rest, Some(value)) => Ok((rest, value)),
            _ => Err(refuse(Malformed::SubscriptionIdentifierZero)),
        }
    }

    fn encoded_len(&self) -> Result<usize, EncodeError> {
        Ok(varint_len(self.get() as usize))
    }

    fn put(&self, out: &mut impl Output) {
        put_varint(self.get() as usize, out);
    }
}

impl<'a> Value<'a> for &'a [u8] {
    const KIND: Kind = Kind::Binary;

    #[inline]
    fn read(input: &'a [u8]) -> Parsed<'a, Self> {
        binary(input)
    }

    #[inline]
    fn encoded_len(&self) -> Result<usize, EncodeError> {
        binary_len(self)
    }

    #[inline]
    fn put(&self, out: &mut impl Output) {
        put_binary(self, out);
    }
}

impl<'a> Value<'a> for &'a str {
    const KIND: Kind = Kind::String;

    #[inline]
    fn read(input: &'a [u8]) -> Parsed<'a, Self> {
        text::checked_string(input)
    }

    #[inline]
    fn encoded_len(&self) -> Result<usize, EncodeError> {
        binary_len(self.as_bytes())
    }

    #[inline]
    fn put(&self, out: &mut impl Output) {
        put_binary(self.as_bytes(), out);
    }
}
