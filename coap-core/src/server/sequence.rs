//! The numbers that say which of two notifications is newer (RFC 7641 §4.4).

use machine::Instant;

#[cfg(test)]
mod tests;

/// The highest sequence number: Observe has 24 bits.
const MAX: u64 = 0xFF_FFFF;

/// A number lasts 2^5 µs: 256 s have 8 000 000 of them, which is less than 2^23. An observer compares the numbers of what
/// arrives within 128 s (§3.4), of which the older may have been as long on its way.
const MICROS: u32 = 5;

/// The sequence numbers of one observation, read from the clock: an observer that is forgotten and registers again is not
/// given a number that it had before. What comes faster than the clock counts on from the last number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sequence {
    /// The last number, with more bits than are sent.
    last: u64,
}

impl Sequence {
    /// The next number.
    pub(crate) fn take(&mut self, now: Instant) -> u32 {
        self.last = (self.last + 1).max(now.as_micros() >> MICROS);
        (self.last & MAX) as u32
    }
}
