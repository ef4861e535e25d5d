//! A keyed 64-bit hash: 64×64-bit products folded to 64 bits. The key comes from the seed, so a peer that
//! does not know the seed cannot choose names that collide.

#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    start: u64,
    step: u64,
    end: u64,
}

impl Key {
    pub(super) fn new(seed: u64) -> Self {
        // splitmix64
        let nth = |n: u64| {
            let z = seed.wrapping_add(n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            z ^ (z >> 31)
        };
        Self { start: nth(1), step: nth(2), end: nth(3) }
    }

    /// The tag of a text: 32 bits of its hash.
    pub(super) fn text(&self, text: &str) -> u32 {
        self.bytes(self.start, text.as_bytes())
    }

    /// The tag of a text that belongs to a number.
    pub(super) fn numbered(&self, number: u32, text: &str) -> u32 {
        self.bytes(fold(self.start ^ u64::from(number), self.end), text.as_bytes())
    }

    /// The tag of two numbers.
    pub(super) fn pair(&self, a: u32, b: u32) -> u32 {
        top(fold((u64::from(a) << 32 | u64::from(b)) ^ self.start, self.step))
    }

    fn bytes(&self, state: u64, bytes: &[u8]) -> u32 {
        let mut state = state ^ bytes.len() as u64;
        let (chunks, _) = bytes.as_chunks::<16>();
        for chunk in chunks {
            let (low, high) = halves(*chunk);
            state = fold(low ^ state, high ^ self.step);
        }
        let (low, high) = halves(tail(bytes));
        top(fold(fold(low ^ state, high ^ self.step), self.end))
    }
}

/// The last bytes: those that the chunks of 16 left out, and some before them rather than a loop.
fn tail(bytes: &[u8]) -> [u8; 16] {
    if let Some(last) = bytes.last_chunk::<16>() {
        return *last;
    }
    let mut tail = [0; 16];
    if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        tail[..8].copy_from_slice(first);
        tail[8..].copy_from_slice(last);
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        tail[..4].copy_from_slice(first);
        tail[8..12].copy_from_slice(last);
    } else if let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) {
        (tail[0], tail[1], tail[2]) = (first, bytes[bytes.len() / 2], last);
    }
    tail
}

fn halves(chunk: [u8; 16]) -> (u64, u64) {
    let whole = u128::from_le_bytes(chunk);
    (whole as u64, (whole >> 64) as u64)
}

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

fn top(hash: u64) -> u32 {
    (hash >> 32) as u32
}
