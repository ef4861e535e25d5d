use core::fmt;
use core::time::Duration;

/// ChaCha with eight rounds: what `rand` offers as its fast unpredictable generator.
const ROUNDS: usize = 8;
const BLOCK_WORDS: usize = 16;
/// "expand 32-byte k", the constant of the ChaCha block function (RFC 8439 §2.3).
const CONSTANT: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

/// Seeded randomness: the same seed gives the same numbers, and without the seed they cannot be foretold.
///
/// The key stream of ChaCha8. Seed it with 32 bytes of entropy where a peer must not guess what comes (tokens, assigned
/// client identifiers), with a number where only variety is wanted (jitter, simulations).
///
/// ```
/// use machine::Random;
///
/// let (mut a, mut b) = (Random::from_u64(7), Random::from_u64(7));
/// assert_eq!(a.next_u64(), b.next_u64());
/// assert!(a.below(10) < 10);
/// ```
#[derive(Clone)]
pub struct Random {
    key: [u32; 8],
    counter: u64,
    block: [u32; BLOCK_WORDS],
    used: usize,
}

impl Random {
    /// Seeded with entropy.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let mut key = [0; 8];
        for (word, bytes) in key.iter_mut().zip(seed.as_chunks::<4>().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        Self { key, counter: 0, block: [0; BLOCK_WORDS], used: BLOCK_WORDS }
    }

    /// Seeded with a number: reproducible, and as easy to guess as the number.
    pub fn from_u64(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        Self::from_seed(bytes)
    }

    /// The next 32 bits.
    pub fn next_u32(&mut self) -> u32 {
        if self.used == BLOCK_WORDS {
            self.block = block(&self.key, self.counter);
            self.counter = self.counter.wrapping_add(1);
            self.used = 0;
        }
        self.used += 1;
        self.block[self.used - 1]
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        u64::from(self.next_u32()) | u64::from(self.next_u32()) << 32
    }

    /// Fills a buffer.
    pub fn fill(&mut self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(4) {
            chunk.copy_from_slice(&self.next_u32().to_le_bytes()[..chunk.len()]);
        }
    }

    /// A number below `bound`, each as likely as the next; 0 when `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        // Lemire's method: the high half of a 128-bit product, redrawn in the sliver that would favour some numbers.
        let threshold = bound.wrapping_neg().checked_rem(bound).unwrap_or(0);
        loop {
            let product = u128::from(self.next_u64()) * u128::from(bound);
            if product as u64 >= threshold {
                return (product >> 64) as u64;
            }
        }
    }

    /// True `numerator` times in `denominator`.
    pub fn chance(&mut self, numerator: u64, denominator: u64) -> bool {
        self.below(denominator) < numerator
    }

    /// A span in `low..=high`, to the microsecond; `low` when the order is reversed.
    pub fn between(&mut self, low: Duration, high: Duration) -> Duration {
        let width = u64::try_from(high.saturating_sub(low).as_micros()).unwrap_or(u64::MAX);
        low.saturating_add(Duration::from_micros(self.below(width.saturating_add(1))))
    }
}

/// Does not show the state: it would foretell what comes.
impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Random").finish_non_exhaustive()
    }
}

/// One block of key stream (RFC 8439 §2.3, with a 64-bit counter and no nonce, as in the original ChaCha).
fn block(key: &[u32; 8], counter: u64) -> [u32; BLOCK_WORDS] {
    let mut start = [0; BLOCK_WORDS];
    start[..4].copy_from_slice(&CONSTANT);
    start[4..12].copy_from_slice(key);
    start[12] = counter as u32;
    start[13] = (counter >> 32) as u32;

    let mut state = start;
    for _ in 0..ROUNDS / 2 {
        quarter_round(&mut state, [0, 4, 8, 12]);
        quarter_round(&mut state, [1, 5, 9, 13]);
        quarter_round(&mut state, [2, 6, 10, 14]);
        quarter_round(&mut state, [3, 7, 11, 15]);
        quarter_round(&mut state, [0, 5, 10, 15]);
        quarter_round(&mut state, [1, 6, 11, 12]);
        quarter_round(&mut state, [2, 7, 8, 13]);
        quarter_round(&mut state, [3, 4, 9, 14]);
    }
    for (word, start) in state.iter_mut().zip(start) {
        *word = word.wrapping_add(start);
    }
    state
}

fn quarter_round(state: &mut [u32; BLOCK_WORDS], [a, b, c, d]: [usize; 4]) {
    for (first, second) in [(16, 12), (8, 7)] {
        state[a] = state[a].wrapping_add(state[b]);
        state[d] = (state[d] ^ state[a]).rotate_left(first);
        state[c] = state[c].wrapping_add(state[d]);
        state[b] = (state[b] ^ state[c]).rotate_left(second);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ECRYPT's published ChaCha8 vector: 256-bit key of zeros, IV of zeros, first bytes of the key stream.
    #[test]
    fn key_stream_is_chacha8() {
        let mut bytes = [0; 16];
        Random::from_seed([0; 32]).fill(&mut bytes);
        assert_eq!(
            bytes,
            [0x3e, 0x00, 0xef, 0x2f, 0x89, 0x5f, 0x40, 0xd6, 0x7f, 0x5b, 0xb8, 0xe8, 0x1f, 0x09, 0xa5, 0xa1]
        );
    }

    #[test]
    fn below_covers_its_range_and_nothing_else() {
        let mut random = Random::from_u64(1);
        let mut seen = [0_u32; 6];
        for _ in 0..6000 {
            seen[random.below(6) as usize] += 1;
        }
        assert!(seen.iter().all(|&count| (800..1200).contains(&count)), "{seen:?}");
        assert_eq!(random.below(0), 0);
        assert_eq!(random.below(1), 0);
    }

    #[test]
    fn between_includes_both_ends() {
        let mut random = Random::from_u64(2);
        let (low, high) = (Duration::from_micros(10), Duration::from_micros(12));
        let drawn: alloc::collections::BTreeSet<_> = (0..200).map(|_| random.between(low, high)).collect();
        assert_eq!(drawn.len(), 3);
        assert_eq!(random.between(high, low), high);
        assert!(random.between(Duration::ZERO, Duration::MAX) <= Duration::MAX);
    }
}
