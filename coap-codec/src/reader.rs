//! The leaves of the grammar. Own ones with nom's signature: they inline to a comparison and a load.

use crate::Malformed;

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
            nom::Err::Incomplete(_) => Self::OptionTruncated,
        }
    }
}

/// One byte; `missing` when there is none.
#[inline]
pub(crate) fn byte(input: &[u8], missing: Malformed) -> Parsed<'_, u8> {
    match input {
        [first, rest @ ..] => Ok((rest, *first)),
        [] => Err(refuse(missing)),
    }
}

/// Two bytes, most significant first.
#[inline]
pub(crate) fn be_u16(input: &[u8], missing: Malformed) -> Parsed<'_, u16> {
    match input {
        [high, low, rest @ ..] => Ok((rest, u16::from_be_bytes([*high, *low]))),
        _ => Err(refuse(missing)),
    }
}

/// That many bytes.
#[inline]
pub(crate) fn take(input: &[u8], len: usize, missing: Malformed) -> Parsed<'_, &[u8]> {
    match input.split_at_checked(len) {
        Some((taken, rest)) => Ok((rest, taken)),
        None => Err(refuse(missing)),
    }
}
