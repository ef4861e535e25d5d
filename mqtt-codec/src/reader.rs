//! The leaves of the grammar. Own ones with nom's signature: they inline to a comparison and a load.

use crate::{Malformed, PacketIdentifier};

/// What every parser returns: the rest of the input and a value, or the rule that was broken.
pub(crate) type Parsed<'a, T> = nom::IResult<&'a [u8], T, Malformed>;

/// A broken rule in nom's clothes. Never `Incomplete`: parsers only see whole packets.
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

/// The end of the packet.
#[inline]
pub(crate) const fn end(input: &[u8]) -> Result<(), Malformed> {
    if input.is_empty() { Ok(()) } else { Err(Malformed::TrailingBytes) }
}

#[inline]
pub(crate) fn byte(input: &[u8]) -> Parsed<'_, u8> {
    match input {
        [first, rest @ ..] => Ok((rest, *first)),
        [] => Err(refuse(Malformed::Truncated)),
    }
}

#[inline]
fn array<const N: usize>(input: &[u8]) -> Parsed<'_, [u8; N]> {
    match input.split_first_chunk() {
        Some((bytes, rest)) => Ok((rest, *bytes)),
        None => Err(refuse(Malformed::Truncated)),
    }
}

#[inline]
pub(crate) fn be_u16(input: &[u8]) -> Parsed<'_, u16> {
    array(input).map(|(rest, bytes)| (rest, u16::from_be_bytes(bytes)))
}

#[inline]
pub(crate) fn be_u32(input: &[u8]) -> Parsed<'_, u32> {
    array(input).map(|(rest, bytes)| (rest, u32::from_be_bytes(bytes)))
}

#[inline]
pub(crate) fn take(input: &[u8], len: usize) -> Parsed<'_, &[u8]> {
    match input.split_at_checked(len) {
        Some((taken, rest)) => Ok((rest, taken)),
        None => Err(refuse(Malformed::Truncated)),
    }
}

/// Binary Data, §1.5.6: two bytes of length, then that many bytes.
#[inline]
pub(crate) fn binary(input: &[u8]) -> Parsed<'_, &[u8]> {
    let (rest, len) = be_u16(input)?;
    take(rest, usize::from(len))
}

/// Variable Byte Integer, §1.5.5: one to four bytes, the shortest encoding only.
#[inline]
pub(crate) fn varint(input: &[u8]) -> Parsed<'_, u32> {
    match input {
        [first, rest @ ..] if *first < 0x80 => Ok((rest, u32::from(*first))),
        _ => long_varint(input),
    }
}

fn long_varint(input: &[u8]) -> Parsed<'_, u32> {
    let mut value = 0;
    for (index, byte) in input.iter().take(4).enumerate() {
        value |= u32::from(byte & 0x7F) << (7 * index);
        if *byte == 0 && index > 0 {
            return Err(refuse(Malformed::VariableByteIntegerNotShortest));
        }
        if *byte < 0x80 {
            return Ok((&input[index + 1..], value));
        }
    }
    Err(refuse(if input.len() < 4 { Malformed::Truncated } else { Malformed::VariableByteIntegerTooLong }))
}

#[inline]
pub(crate) fn packet_identifier(input: &[u8]) -> Parsed<'_, PacketIdentifier> {
    let (rest, number) = be_u16(input)?;
    match PacketIdentifier::new(number) {
        Some(identifier) => Ok((rest, identifier)),
        None => Err(refuse(Malformed::PacketIdentifierZero)),
    }
}

/// A field that is only there under a condition.
#[inline]
pub(crate) fn cond<'a, T>(
    there: bool,
    parser: impl FnOnce(&'a [u8]) -> Parsed<'a, T>,
    input: &'a [u8],
) -> Parsed<'a, Option<T>> {
    if there { parser(input).map(|(rest, value)| (rest, Some(value))) } else { Ok((input, None)) }
}
