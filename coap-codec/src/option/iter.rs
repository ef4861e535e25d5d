//! Options one by one, RFC 7252 §3.1: what checks them, and what walks through checked ones.

use core::fmt;

use super::{CoapOption, Definition, OptionNumber};
use crate::Malformed;
use crate::reader::{Parsed, be_u16, byte, refuse};

/// What ends the options when a payload follows.
pub(crate) const PAYLOAD_MARKER: u8 = 0xFF;

/// Reads options up to the payload marker or the end, and returns where they end.
///
/// Neither numbers nor offsets ever shrink, so that it is enough to look at the last ones.
#[inline]
pub(crate) fn scan(input: &[u8]) -> Result<usize, Malformed> {
    let (mut end, mut number) = (0, 0_u64);
    while let Some(&first) = input.get(end) {
        let (mut delta, mut len) = (usize::from(first >> 4), usize::from(first & 0x0F));
        end += 1;
        if delta > 12 {
            if first == PAYLOAD_MARKER {
                end -= 1;
                break;
            }
            (delta, end) = extended_at(end, delta, Malformed::OptionDelta15, input)?;
        }
        if len > 12 {
            (len, end) = extended_at(end, len, Malformed::OptionLength15, input)?;
        }
        number += delta as u64;
        end += len;
    }
    if number > u64::from(u16::MAX) {
        Err(Malformed::OptionNumberTooLarge)
    } else if end > input.len() {
        Err(Malformed::OptionTruncated)
    } else {
        Ok(end)
    }
}

/// A delta or length that is [`extended`] at this offset, and the offset behind.
#[inline]
fn extended_at(
    offset: usize,
    nibble: usize,
    reserved: Malformed,
    input: &[u8],
) -> Result<(usize, usize), Malformed> {
    let (rest, number) = extended(nibble, reserved, input.get(offset..).unwrap_or_default())?;
    Ok((number, input.len() - rest.len()))
}

/// A delta or length that needs more than its four bits.
#[inline]
fn extended(nibble: usize, reserved: Malformed, input: &[u8]) -> Parsed<'_, usize> {
    match nibble {
        13 => byte(input, Malformed::OptionTruncated).map(|(rest, more)| (rest, usize::from(more) + 13)),
        14 => be_u16(input, Malformed::OptionTruncated).map(|(rest, more)| (rest, usize::from(more) + 269)),
        _ => Err(refuse(reserved)),
    }
}

/// The options of a message, by ascending number; equal numbers in the order of the message.
#[derive(Clone)]
pub struct OptionIter<'a> {
    rest: &'a [u8],
    number: u16,
}

impl<'a> OptionIter<'a> {
    /// Over a block that was checked with [`scan`].
    #[inline]
    pub(super) const fn new(block: &'a [u8]) -> Self {
        Self { rest: block, number: 0 }
    }

    /// The bytes that have not been read yet.
    #[inline]
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for OptionIter<'a> {
    type Item = CoapOption<'a>;

    #[inline]
    fn next(&mut self) -> Option<CoapOption<'a>> {
        let [first, tail @ ..] = self.rest else { return None };
        let (mut delta, mut len, mut tail) = (usize::from(first >> 4), usize::from(first & 0x0F), tail);
        if delta > 12 {
            (tail, delta) = extended(delta, Malformed::OptionDelta15, tail).ok()?;
        }
        if len > 12 {
            (tail, len) = extended(len, Malformed::OptionLength15, tail).ok()?;
        }
        let (value, rest) = tail.split_at_checked(len)?;
        self.rest = rest;
        self.number = self.number.wrapping_add(delta as u16);
        Some(CoapOption { number: OptionNumber::new(self.number), value })
    }
}

impl core::iter::FusedIterator for OptionIter<'_> {}

impl fmt::Debug for OptionIter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

/// The values of one option that count, as [`Options::all`](super::Options::all) has it.
pub(crate) struct Values<'a> {
    pub(super) rest: OptionIter<'a>,
    pub(super) number: OptionNumber,
    pub(super) definition: Option<&'static Definition>,
}

impl<'a> Iterator for Values<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let option = self.rest.next().filter(|option| option.number <= self.number)?;
            if option.number < self.number {
                continue;
            }
            let Some(definition) = self.definition else { return Some(option.value) };
            if !definition.repeatable {
                self.rest = OptionIter::new(&[]);
            }
            if definition.allows(option.value.len()) {
                return Some(option.value);
            }
        }
    }
}
