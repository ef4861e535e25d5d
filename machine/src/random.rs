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
        let Some(&word) = self.block.get(self.used) else {
            self.refill();
            return self.block[0];
        };
        self.used += 1;
        word
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

    /// The next block.
    #[cold]
    fn refill(&mut self) {
        self.block = block(&self.key, self.counter);
        self.counter = self.counter.wrapping_add(1);
        self.used = 1;
    }
}

/// Does not show the state: it would foretell what comes.
impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Random").finish_non_exhaustive()
    }
}

/// Four words of the state, which are worked on at once.
type Row = [u32; 4];

/// One block of key stream (RFC 8439 §2.3, with a 64-bit counter and no nonce, as in the original ChaCha).
fn block(key: &[u32; 8], counter: u64) -> [u32; BLOCK_WORDS] {
    let mut start = [CONSTANT, [0; 4], [0; 4], [counter as u32, (counter >> 32) as u32, 0, 0]];
    start[1..3].as_flattened_mut().copy_from_slice(key);
    let mut rows = start;
    for _ in 0..ROUNDS / 2 {
        quarter_rounds(&mut rows);
        // Now the diagonals stand in columns.
        turn(&mut rows, 1);
        quarter_rounds(&mut rows);
        turn(&mut rows, 3);
    }
    for (word, start) in rows.as_flattened_mut().iter_mut().zip(start.as_flattened()) {
        *word = word.wrapping_add(*start);
    }
    let mut words = [0; BLOCK_WORDS];
    words.copy_from_slice(rows.as_flattened());
    words
}

/// A quarter round on each of the four columns.
#[inline]
fn quarter_rounds([a, b, c, d]: &mut [Row; 4]) {
    for (first, second) in [(16, 12), (8, 7)] {
        for column in 0..4 {
            a[column] = a[column].wrapping_add(b[column]);
            d[column] = (d[column] ^ a[column]).rotate_left(first);
            c[column] = c[column].wrapping_add(d[column]);
            b[column] = (b[column] ^ c[column]).rotate_left(second);
        }
    }
}

/// Turns the second row to the left so many times, the third twice, the fourth three times as often.
#[inline]
fn turn(rows: &mut [Row; 4], times: usize) {
    for (index, row) in rows.iter_mut().enumerate() {
        *row = core::array::from_fn(|column| row[(column + index * times) % 4]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ECRYPT's published ChaCha8 vector: 256-bit key of zeros, IV of zeros, the first two blocks of the key stream.
    #[test]
    fn key_stream_is_chacha8() {
        const WORDS: [u64; 16] = [
            0x3e00_ef2f_895f_40d6,
            0x7f5b_b8e8_1f09_a5a1,
            0x2c84_0ec3_ce9a_7f3b,
            0x181b_e188_ef71_1a1e,
            0x984c_e172_b921_6f41,
            0x9f44_5367_456d_5619,
            0x314a_42a3_da86_b001,
            0x387b_fdb8_0e0c_fe42,
            0xd2ae_fa0d_eaa5_c151,
            0xbf0a_db6c_01f2_a5ad,
            0xc0fd_5812_59f9_a2aa,
            0xdcf2_0f8f_d566_a26b,
            0x5032_ec38_bbc5_da98,
            0xee0c_6f56_8b87_2a65,
            0xa08a_bf25_1deb_21bb,
            0x4b56_e5d8_821e_68aa,
        ];
        let mut bytes = [0; 128];
        Random::from_seed([0; 32]).fill(&mut bytes);
        assert!(bytes.chunks(8).eq(WORDS.map(u64::to_be_bytes)));
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
