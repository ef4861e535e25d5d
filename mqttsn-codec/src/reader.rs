//! The leaves of the grammar, with nom's signature.

use crate::{Malformed, MessageId, MessageType, ReturnCode};

/// What every parser returns: the rest of the input and a value, or the rule that was broken.
pub(crate) type Parsed<'a, T> = nom::IResult<&'a [u8], T, Malformed>;

/// A broken rule in nom's clothes. Never `Incomplete`: parsers only see whole messages.
#[inline]
pub(crate) const fn refuse(rule: Malformed) -> nom::Err<Malformed> {
    nom::Err::Failure(rule)
}

#[doc(hidden)]
impl From<nom::Err<Self>> for Malformed {
    #[inline]
    fn from(error: nom::Err<Self>) -> Self {
        match error {
            nom::Err::Error(rule) | nom::Err::Failure(rule) => rule,
            nom::Err::Incomplete(_) => Self::Truncated,
        }
    }
}

/// The end of the message.
#[inline]
pub(crate) const fn end(input: &[u8]) -> Result<(), Malformed> {
    if input.is_empty() { Ok(()) } else { Err(Malformed::OctetsAfterLastField) }
}

#[inline]
pub(crate) fn octet(input: &[u8]) -> Parsed<'_, u8> {
    match input {
        [first, rest @ ..] => Ok((rest, *first)),
        [] => Err(refuse(Malformed::Truncated)),
    }
}

#[inline]
pub(crate) fn array<const N: usize>(input: &[u8]) -> Parsed<'_, [u8; N]> {
    match input.split_first_chunk() {
        Some((octets, rest)) => Ok((rest, *octets)),
        None => Err(refuse(Malformed::Truncated)),
    }
}

#[inline]
pub(crate) fn be_u16(input: &[u8]) -> Parsed<'_, u16> {
    array(input).map(|(rest, octets)| (rest, u16::from_be_bytes(octets)))
}

#[inline]
pub(crate) fn return_code(input: &[u8]) -> Parsed<'_, ReturnCode> {
    octet(input).map(|(rest, code)| (rest, ReturnCode::new(code)))
}

/// MsgId, §5.3.7, where one is needed.
#[inline]
pub(crate) fn message_id(input: &[u8], message: MessageType) -> Parsed<'_, MessageId> {
    let (rest, number) = be_u16(input)?;
    match MessageId::new(number) {
        Some(id) => Ok((rest, id)),
        None => Err(refuse(Malformed::MessageIdZero(message))),
    }
}
