//! Values of Block1, Block2, Q-Block1 and Q-Block2, RFC 7959 §2.2.

use core::fmt;

use crate::{Malformed, UintValue};

/// A block number, whether more blocks follow, and the size of blocks.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Block(u32);

const MORE: u32 = 1 << 3;
const SZX: u32 = 7;
const NUM_SHIFT: u32 = 4;

impl Block {
    /// The largest block number.
    pub const MAX_NUM: u32 = 0xF_FFFF;
    /// The size exponent that means BERT, RFC 8323 §6; reserved in datagrams.
    pub const BERT: u8 = 7;

    /// Block `num` of `2^(size_exponent + 4)` bytes. `None` when the number is above [`MAX_NUM`](Self::MAX_NUM) or
    /// the exponent above 7.
    #[inline]
    pub const fn new(num: u32, more: bool, size_exponent: u8) -> Option<Self> {
        if num > Self::MAX_NUM || size_exponent > Self::BERT {
            return None;
        }
        let more = if more { MORE } else { 0 };
        Some(Self(num << NUM_SHIFT | more | size_exponent as u32))
    }

    /// Reads an option value: zero to three bytes; no byte at all is block 0 of 16 bytes without more.
    ///
    /// # Errors
    /// [`Malformed::BlockTooLong`].
    #[inline]
    pub const fn decode(value: &[u8]) -> Result<Self, Malformed> {
        match *value {
            [] => Ok(Self(0)),
            [low] => Ok(Self(low as u32)),
            [middle, low] => Ok(Self(u32::from_be_bytes([0, 0, middle, low]))),
            [high, middle, low] => Ok(Self(u32::from_be_bytes([0, high, middle, low]))),
            _ => Err(Malformed::BlockTooLong),
        }
    }

    /// The option value.
    #[inline]
    pub const fn value(self) -> UintValue {
        UintValue::new(self.0 as u64)
    }

    /// NUM: the number of this block, from 0.
    #[inline]
    pub const fn num(self) -> u32 {
        self.0 >> NUM_SHIFT
    }

    /// M: whether more blocks follow.
    #[inline]
    pub const fn more(self) -> bool {
        self.0 & MORE != 0
    }

    /// SZX: the exponent of the size, minus 4.
    #[inline]
    pub const fn size_exponent(self) -> u8 {
        (self.0 & SZX) as u8
    }

    /// Whether the size exponent is 7: several blocks of 1024 bytes in one message, over reliable transports only.
    #[inline]
    pub const fn is_bert(self) -> bool {
        self.size_exponent() == Self::BERT
    }

    /// Bytes of a block: 16 to 1024. With BERT 1024, of which a message has one or more.
    #[inline]
    pub const fn size(self) -> usize {
        let exponent = self.size_exponent();
        if exponent == Self::BERT { 1024 } else { 16 << exponent }
    }

    /// How many bytes of the body come before this block.
    #[inline]
    pub const fn offset(self) -> usize {
        self.num() as usize * self.size()
    }
}

impl fmt::Display for Block {
    /// `NUM/M/size`, as RFC 7959 §3 writes it: `3/1/128`. BERT is written as its size, 1024.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.num(), u8::from(self.more()), self.size())
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bert = if self.is_bert() { " (BERT)" } else { "" };
        write!(f, "Block({self}{bert})")
    }
}
