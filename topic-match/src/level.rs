//! Bytes eight at a time: what validation and matching share.

use crate::InvalidTopic;

pub(crate) const MAXIMUM_BYTES: usize = 65_535;

const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);

/// The high bit of a byte of the result is set for every zero byte up to the first (in little-endian
/// order; bytes above the first zero byte may be flagged wrongly).
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

const fn repeat(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// What one pass over the bytes of a topic finds.
#[derive(Clone, Copy)]
pub(crate) struct Scan {
    pub(crate) null: bool,
    pub(crate) wildcard: bool,
}

/// Looks for U+0000, `+` and `#`.
#[inline]
pub(crate) fn scan(bytes: &[u8]) -> Scan {
    let (mut null, mut wildcard) = (0, 0);
    let mut look = |chunk: [u8; 8]| {
        let word = u64::from_le_bytes(chunk);
        null |= zero_bytes(word);
        // `#` is 0x23 and `+` is 0x2B: they differ in one bit, which is set here.
        wildcard |= zero_bytes((word | repeat(0x08)) ^ repeat(b'+'));
    };
    if let Some(&last) = bytes.last_chunk::<8>() {
        bytes.as_chunks::<8>().0.iter().for_each(|&chunk| look(chunk));
        look(last);
    } else {
        let mut padded = [b'/'; 8];
        padded.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        look(padded);
    }
    Scan { null: null != 0, wildcard: wildcard != 0 }
}

/// The rules that names and filters have in common.
#[inline]
pub(crate) fn scan_valid(text: &str) -> Result<Scan, InvalidTopic> {
    if text.is_empty() {
        return Err(InvalidTopic::Empty);
    }
    if text.len() > MAXIMUM_BYTES {
        return Err(InvalidTopic::TooLong);
    }
    let scan = scan(text.as_bytes());
    if scan.null { Err(InvalidTopic::NullCharacter) } else { Ok(scan) }
}

/// Length of the longest common prefix.
pub(crate) fn common_prefix(mut a: &[u8], mut b: &[u8]) -> usize {
    let mut length = 0;
    while let (Some((x, rest_a)), Some((y, rest_b))) =
        (a.split_first_chunk::<8>(), b.split_first_chunk::<8>())
    {
        let difference = u64::from_le_bytes(*x) ^ u64::from_le_bytes(*y);
        if difference != 0 {
            return length + (difference.trailing_zeros() / 8) as usize;
        }
        (a, b, length) = (rest_a, rest_b, length + 8);
    }
    length + a.iter().zip(b).take_while(|(x, y)| x == y).count()
}

/// Length of the level that `bytes` begins with, up to the next `/` or the end.
pub(crate) fn level_length(bytes: &[u8]) -> usize {
    let (chunks, rest) = bytes.as_chunks::<8>();
    for (index, chunk) in chunks.iter().enumerate() {
        let found = zero_bytes(u64::from_le_bytes(*chunk) ^ repeat(b'/'));
        if found != 0 {
            return index * 8 + (found.trailing_zeros() / 8) as usize;
        }
    }
    bytes.len() - rest.len() + rest.iter().take_while(|&&byte| byte != b'/').count()
}

/// Characters that a sender should not use and a receiver may refuse (MQTT 5.0 §1.5.4): control
/// characters U+0001..U+001F and U+007F..U+009F, and the non-characters of Unicode.
pub(crate) fn is_discouraged(character: char) -> bool {
    let code = u32::from(character);
    character.is_control() || matches!(code, 0xFDD0..=0xFDEF) || code & 0xFFFE == 0xFFFE
}
