//! Options into a block, in any order, RFC 7252 §3.1.

use super::{CoapOption, OptionNumber, Options, UintValue};
use crate::EncodeError;
use crate::writer::copy;

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
        Self { buffer, block: Extent::at(0) }
    }

    /// Goes on with the block that is the first `len` bytes of the buffer. As [`Options::assume_valid`] has it, that is
    /// known to be one.
    #[inline]
    pub fn resume(buffer: &'b mut [u8], len: usize) -> Self {
        let block = buffer.get(..len).unwrap_or_default();
        let last = Options::assume_valid(block).iter().last().map_or(0, |option| option.number.get());
        let block = Extent { start: 0, end: block.len(), behind: 0, last };
        Self { buffer, block }
    }

    /// Adds an option, behind those of the same number.
    ///
    /// # Errors
    /// As [`insert_option`].
    #[inline]
    pub fn option(&mut self, number: OptionNumber, value: &[u8]) -> Result<&mut Self, EncodeError> {
        self.block.insert(self.buffer, number, value)?;
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
        Options::assume_valid(self.buffer.get(..self.block.end).unwrap_or_default())
    }

    /// The options.
    #[inline]
    pub fn finish(self) -> Options<'b> {
        let Self { buffer, block } = self;
        let buffer: &'b [u8] = buffer;
        Options::assume_valid(buffer.get(..block.end).unwrap_or_default())
    }
}

/// Where in its buffer a block of options lies that is being written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    start: usize,
    pub(crate) end: usize,
    /// Bytes behind it, which move on with each option.
    pub(crate) behind: usize,
    /// The number of the last option.
    last: u16,
}

impl Extent {
    /// No options yet, at this offset.
    #[inline]
    pub(crate) const fn at(start: usize) -> Self {
        Self { start, end: start, behind: 0, last: 0 }
    }

    /// Inserts an option into the block.
    #[inline]
    pub(crate) fn insert(
        &mut self,
        buffer: &mut [u8],
        number: OptionNumber,
        value: &[u8],
    ) -> Result<(), EncodeError> {
        let Some(delta) = number.get().checked_sub(self.last).filter(|_| self.behind == 0) else {
            return self.insert_within(buffer, number, value);
        };
        let room = buffer.get_mut(self.end..).ok_or(EncodeError::NoRoom)?;
        self.end += if delta < 13 && value.len() < 13 {
            let [header, room @ ..] = room else { return Err(EncodeError::NoRoom) };
            let place = room.get_mut(..value.len()).ok_or(EncodeError::NoRoom)?;
            *header = (delta as u8) << 4 | value.len() as u8;
            copy(place, value);
            1 + value.len()
        } else {
            put_extended(room, delta, value)?
        };
        self.last = number.get();
        Ok(())
    }

    fn insert_within(
        &mut self,
        buffer: &mut [u8],
        number: OptionNumber,
        value: &[u8],
    ) -> Result<(), EncodeError> {
        let Self { start, end, behind, last } = *self;
        let place = Place::find(Options::assume_valid(buffer.get(start..end).unwrap_or_default()), number);
        let body = buffer.get_mut(start..).unwrap_or_default();
        let used = insert_at(body, end + behind - start, &place, value)?;
        *self = Self { end: start + used - behind, last: last.max(number.get()), ..*self };
        Ok(())
    }
}

/// Writes an option whose delta or length is too large for its four bits, and returns how many bytes it has.
fn put_extended(room: &mut [u8], delta: u16, value: &[u8]) -> Result<usize, EncodeError> {
    if value.len() > MAX_VALUE_LEN {
        return Err(EncodeError::TooLong);
    }
    let header = OptionHeader::new(delta, value.len());
    let len = header.len + value.len();
    let place = room.get_mut(..len).ok_or(EncodeError::NoRoom)?;
    let (for_header, for_value) = place.split_at_mut_checked(header.len).ok_or(EncodeError::NoRoom)?;
    copy(for_header, header.bytes());
    copy(for_value, value);
    Ok(len)
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
    bytes: [u8; 8],
    len: usize,
}

impl OptionHeader {
    const NOTHING: Self = Self { bytes: [0; 8], len: 0 };

    /// A value has at most [`MAX_VALUE_LEN`] bytes.
    #[inline]
    const fn new(delta: u16, value_len: usize) -> Self {
        let (delta, delta_extension, after_delta) = parts(delta as usize);
        let (len, len_extension, after_len) = parts(value_len);
        let extensions = delta_extension | len_extension << (8 * after_delta);
        let header = delta << 4 | len | extensions << 8;
        Self { bytes: header.to_le_bytes(), len: 1 + after_delta + after_len }
    }

    #[inline]
    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// The four bits that a delta or length has in the first byte; its extension, the first byte lowest, and how long that is.
#[inline]
const fn parts(number: usize) -> (u64, u64, usize) {
    match number {
        0..13 => (number as u64, 0, 0),
        13..269 => (13, number as u64 - 13, 1),
        _ => (14, ((number - 269) as u16).swap_bytes() as u64, 2),
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
