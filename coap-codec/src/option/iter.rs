//! Options one by one, RFC 7252 §3.1: what checks them, and what walks through checked ones.

use core::fmt;

use super::{CoapOption, Definition, OptionNumber};
use crate::Malformed;
use crate::reader::{Parsed, be_u16, byte, refuse};

/// What ends the options when a payload follows.
pub(crate) const PAYLOAD_MARKER: u8 = 0xFF;

/// Reads options up to the payload marker or the end, and returns where they end.
#[inline]
pub(crate) fn scan(input: &[u8]) -> Result<usize, Malformed> {
    let mut rest = input;
    let mut number: u32 = 0;
    while let [first, tail @ ..] = rest {
        let (delta, len) = (u32::from(first >> 4), usize::from(first & 0x0F));
        let (delta, len, tail) = if delta < 13 && len < 13 {
            (delta, len, tail)
        } else if *first == PAYLOAD_MARKER {
            break;
        } else {
            let (tail, (delta, len)) = extended(*first, tail)?;
            (delta, len, tail)
        };
        number += delta;
        if number > u32::from(u16::MAX) {
            return Err(Malformed::OptionNumberTooLarge);
        }
        rest = tail.get(len..).ok_or(Malformed::OptionTruncated)?;
    }
    Ok(input.len() - rest.len())
}

/// Delta and length when one of them needs more than its four bits.
#[inline]
fn extended(first: u8, input: &[u8]) -> Parsed<'_, (u32, usize)> {
    let (input, delta) = extension(first >> 4, Malformed::OptionDelta15, input)?;
    let (input, len) = extension(first & 0x0F, Malformed::OptionLength15, input)?;
    Ok((input, (delta, len as usize)))
}

#[inline]
fn extension(nibble: u8, reserved: Malformed, input: &[u8]) -> Parsed<'_, u32> {
    match nibble {
        13 => byte(input, Malformed::OptionTruncated).map(|(rest, more)| (rest, u32::from(more) + 13)),
        14 => be_u16(input, Malformed::OptionTruncated).map(|(rest, more)| (rest, u32::from(more) + 269)),
        15 => Err(refuse(reserved)),
        itself => Ok((input, u32::from(itself))),
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
        let (delta, len) = (u32::from(first >> 4), usize::from(first & 0x0F));
        let (delta, len, tail) = if delta < 13 && len < 13 {
            (delta, len, tail)
        } else {
            let (tail, (delta, len)) = extended(*first, tail).ok()?;
            (delta, len, tail)
        };
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
