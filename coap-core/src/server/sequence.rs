//! The numbers that say which of two notifications is newer (RFC 7641 §4.4).

#[cfg(test)]
mod tests;

/// The highest sequence number: Observe has 24 bits.
const MAX: u32 = 0xFF_FFFF;

/// The sequence numbers of one observation: each newer than the one before, as long as fewer than 2^23 are taken in 128 s. A
/// number is taken for a notification that is sent, so the pace of notifications keeps that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sequence {
    next: u32,
}

impl Sequence {
    /// Begins at a number; of a larger one its low 24 bits count.
    pub(crate) const fn starting_at(number: u32) -> Self {
        Self { next: number & MAX }
    }

    /// The next number.
    pub(crate) const fn take(&mut self) -> u32 {
        let number = self.next;
        self.next = (number + 1) & MAX;
        number
    }
}
