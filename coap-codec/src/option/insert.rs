//! Options into a block, in any order, RFC 7252 §3.1.

use super::{CoapOption, OptionNumber, Options, UintValue};
use crate::EncodeError;

/// The longest value that an option can have.
pub const MAX_VALUE_LEN: usize = 65_535 + 269;

/// The most bytes by which a block grows when this option is inserted into it.
#[inline]
pub const fn option_growth(number: OptionNumber, value_len: usize) -> usize {
    1 + extension_len(number.get() as usize) + extension_len(value_len) + value_len
}

/// Inserts an option into the block that is the first `len` bytes of the buffer, behind those of the same number, and
/// returns the new length of the block. The buffer needs room for [`option_growth`] more bytes at most.
///
/// # Errors
/// [`EncodeError::TooLong`] for a value above [`MAX_VALUE_LEN`], [`EncodeError::NoRoom`],
/// [`EncodeError::Malformed`] when the bytes were no block. The block stays as it was.
pub fn insert_option(
    buffer: &mut [u8],
    len: usize,
    number: OptionNumber,
    value: &[u8],
) -> Result<usize, EncodeError> {
    let block = buffer.get(..len).ok_or(EncodeError::NoRoom)?;
    let place = Place::find(Options::decode(block)?, number);
    insert_at(buffer, len, &place, value)
}

/// A block of options in a buffer of the caller's, that options are put into in any order.
#[derive(Debug)]
pub struct OptionsWriter<'b> {
    buffer: &'b mut [u8],
    block: Extent,
}

impl<'b> OptionsWriter<'b> {
    /// No options yet.
    #[inline]
    pub const fn new(buffer: &'b mut [u8]) -> Self {
        Self { buffer, block: Extent::NOTHING }
    }

    /// Goes on with the block that is the first `len` bytes of the buffer. As [`Options::assume_valid`] has it, that is
    /// known to be one.
    #[inline]
    pub fn resume(buffer: &'b mut [u8], len: usize) -> Self {
        let block = buffer.get(..len).unwrap_or_default();
        let last = Options::assume_valid(block).iter().last().map_or(0, |option| option.number.get());
        let block = Extent { len: block.len(), last };
        Self { buffer, block }
    }

    /// Adds an option, behind those of the same number.
    ///
    /// # Errors
    /// As [`insert_option`].
    #[inline]
    pub fn option(&mut self, number: OptionNumber, value: &[u8]) -> Result<&mut Self, EncodeError> {
        self.block.insert(self.buffer, self.block.len, number, value)?;
        Ok(self)
    }

    /// Adds an option whose value is a number.
    ///
    /// # Errors
    /// As [`insert_option`].
    #[inline]
    pub fn uint_option(&mut self, number: OptionNumber, value: u64) -> Result<&mut Self, EncodeError> {
        self.option(number, &UintValue::new(value))
    }

    /// The options so far.
    #[inline]
    pub fn options(&self) -> Options<'_> {
        Options::assume_valid(self.buffer.get(..self.block.len).unwrap_or_default())
    }

    /// The options.
    #[inline]
    pub fn finish(self) -> Options<'b> {
        let Self { buffer, block } = self;
        let buffer: &'b [u8] = buffer;
        Options::assume_valid(buffer.get(..block.len).unwrap_or_default())
    }
}

/// How far a block of options reaches that is being written, and its last number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(crate) len: usize,
    last: u16,
}

impl Extent {
    pub(crate) const NOTHING: Self = Self { len: 0, last: 0 };

    /// Inserts an option into the block at the start of the buffer. `used` bytes of the buffer are in use: what is
    /// behind the block moves on. Returns how many are in use now.
    #[inline]
    pub(crate) fn insert(
        &mut self,
        buffer: &mut [u8],
        used: usize,
        number: OptionNumber,
        value: &[u8],
    ) -> Result<usize, EncodeError> {
        let delta = number.get().checked_sub(self.last);
        if let Some(delta @ 0..13) = delta
            && value.len() < 13
            && used == self.len
        {
            let place = buffer.get_mut(used..=used + value.len()).ok_or(EncodeError::NoRoom)?;
            let [header, place @ ..] = place else { return Err(EncodeError::NoRoom) };
            *header = (delta as u8) << 4 | value.len() as u8;
            place.copy_from_slice(value);
            *self = Self { len: used + 1 + value.len(), last: number.get() };
            return Ok(self.len);
        }
        self.insert_anywhere(buffer, used, number, value)
    }

    fn insert_anywhere(
        &mut self,
        buffer: &mut [u8],
        used: usize,
        number: OptionNumber,
        value: &[u8],
    ) -> Result<usize, EncodeError> {
        let place = if let Some(delta) = number.get().checked_sub(self.last) {
            Place { offset: self.len, delta, next: None }
        } else {
            let block = buffer.get(..self.len).unwrap_or_default();
            Place::find(Options::assume_valid(block), number)
        };
        let new_used = insert_at(buffer, used, &place, value)?;
        self.len += new_used - used;
        self.last = self.last.max(number.get());
        Ok(new_used)
    }
}

/// Where an option goes.
struct Place {
    /// Offset in the block.
    offset: usize,
    /// Its number less that of the one before.
    delta: u16,
    /// The option behind it, whose delta becomes smaller.
    next: Option<Next>,
}

struct Next {
    /// Bytes of its delta and length as they are.
    header_len: usize,
    /// Its delta as it has to become.
    delta: u16,
    value_len: usize,
}

impl Place {
    #[inline]
    fn find(block: Options<'_>, number: OptionNumber) -> Self {
        let mut iter = block.iter();
        let (mut offset, mut before) = (0, 0);
        let len = block.encoded().len();
        while let Some(CoapOption { number: this, value }) = iter.next() {
            let end = len - iter.rest().len();
            if this > number {
                let header_len = end - offset - value.len();
                let next = Next { header_len, delta: this.get() - number.get(), value_len: value.len() };
                return Self { offset, delta: number.get() - before, next: Some(next) };
            }
            (offset, before) = (end, this.get());
        }
        Self { offset, delta: number.get() - before, next: None }
    }
}

/// Makes room at the place, moves on everything from there to `used`, and returns how many bytes are in use then.
#[inline]
fn insert_at(buffer: &mut [u8], used: usize, place: &Place, value: &[u8]) -> Result<usize, EncodeError> {
    if value.len() > MAX_VALUE_LEN {
        return Err(EncodeError::TooLong);
    }
    let header = OptionHeader::new(place.delta, value.len());
    let (old_next, next) = match &place.next {
        Some(next) => (next.header_len, OptionHeader::new(next.delta, next.value_len)),
        None => (0, OptionHeader::NOTHING),
    };
    let head = [header.bytes(), value, next.bytes()];
    let behind = place.offset + old_next;
    let new_behind = place.offset + head.iter().map(|part| part.len()).sum::<usize>();
    let new_used = new_behind + used.saturating_sub(behind);
    if new_used > buffer.len() {
        return Err(EncodeError::NoRoom);
    }
    if behind < used {
        buffer.copy_within(behind..used, new_behind);
    }
    let mut gap = buffer.get_mut(place.offset..new_behind).ok_or(EncodeError::NoRoom)?;
    for part in head {
        let (here, rest) = gap.split_at_mut_checked(part.len()).ok_or(EncodeError::NoRoom)?;
        here.copy_from_slice(part);
        gap = rest;
    }
    Ok(new_used)
}

/// Delta and length of an option, encoded: one to five bytes.
struct OptionHeader {
    bytes: [u8; 5],
    len: usize,
}

impl OptionHeader {
    const NOTHING: Self = Self { bytes: [0; 5], len: 0 };

    /// A value has at most [`MAX_VALUE_LEN`] bytes.
    #[inline]
    fn new(delta: u16, value_len: usize) -> Self {
        if delta < 13 && value_len < 13 {
            return Self { bytes: [(delta as u8) << 4 | value_len as u8, 0, 0, 0, 0], len: 1 };
        }
        let mut header = Self { bytes: [0; 5], len: 1 };
        let delta = header.push(usize::from(delta));
        let len = header.push(value_len);
        header.bytes[0] = delta << 4 | len;
        header
    }

    /// Appends the extension that the number needs, and returns its four bits for the first byte.
    #[inline]
    fn push(&mut self, number: usize) -> u8 {
        let (nibble, extension) = match number {
            0..13 => (number as u8, 0),
            13..269 => (13, (number - 13) as u16),
            _ => (14, (number - 269) as u16),
        };
        let extension = extension.to_be_bytes();
        let extension = extension.get(2 - extension_len(number)..).unwrap_or_default();
        for byte in extension {
            if let Some(place) = self.bytes.get_mut(self.len) {
                *place = *byte;
                self.len += 1;
            }
        }
        nibble
    }

    #[inline]
    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

#[inline]
const fn extension_len(number: usize) -> usize {
    match number {
        0..13 => 0,
        13..269 => 1,
        _ => 2,
    }
}
