//! Which part of a body a block is.

use core::ops::Range;

use coap_codec::Block;

use super::{MAX_EXPONENT, size_of};

/// How a response carries its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// All of it, without Block2.
    Whole,
    /// This part of it.
    Part(Part),
    /// Not at all: the body ends before the block that is wanted. 4.00.
    Beyond,
}

/// A block of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Its Block2.
    pub(crate) block: Block,
    /// Which bytes.
    pub(crate) range: Range<usize>,
}

/// Cuts a body of `len` bytes into blocks of at most `exponent` (RFC 7959 §2.4): what is wanted decides the place, and the
/// smaller of both sizes the size, so that all blocks of a body have the same. A body that fits one block stays whole unless
/// blocks are asked for.
pub(crate) fn cut(len: usize, wanted: Option<Block>, exponent: u8) -> Cut {
    let offset = wanted.map_or(0, Block::offset);
    let exponent = exponent.min(wanted.map_or(MAX_EXPONENT, Block::size_exponent)).min(MAX_EXPONENT);
    let size = size_of(exponent);
    if offset == 0 && (len == 0 || wanted.is_none() && len <= size) {
        return Cut::Whole;
    }
    if offset >= len {
        return Cut::Beyond;
    }
    let end = len.min(offset.saturating_add(size));
    let num = u32::try_from(offset / size).ok();
    match num.and_then(|num| Block::new(num, end < len, exponent)) {
        Some(block) => Cut::Part(Part { block, range: offset..end }),
        None => Cut::Beyond,
    }
}
