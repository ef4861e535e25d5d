//! `SipHash-2-4`: a hash of 64 bits that nobody can foretell or bring to collide without its key.

/// Takes bytes in any number of pieces.
#[derive(Clone, Debug)]
pub(crate) struct SipHasher {
    state: [u64; 4],
    /// Bytes that do not make a word yet, the first in the lowest place.
    tail: u64,
    len: usize,
}

impl SipHasher {
    /// With a key.
    pub(crate) const fn new(key: [u64; 2]) -> Self {
        Self {
            state: [
                key[0] ^ 0x736f_6d65_7073_6575,
                key[1] ^ 0x646f_7261_6e64_6f6d,
                key[0] ^ 0x6c79_6765_6e65_7261,
                key[1] ^ 0x7465_6462_7974_6573,
            ],
            tail: 0,
            len: 0,
        }
    }

    /// Takes some bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let missing = (8 - self.len % 8) % 8;
        let (head, rest) = bytes.split_at_checked(missing).unwrap_or((bytes, &[]));
        for byte in head {
            self.byte(*byte);
        }
        let (words, tail) = rest.as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
        }
        self.len += words.len() * 8;
        for byte in tail {
            self.byte(*byte);
        }
    }

    /// The hash of all that was taken.
    pub(crate) fn finish(mut self) -> u64 {
        let last = self.tail | (self.len as u64) << 56;
        self.word(last);
        self.state[2] ^= 0xFF;
        for _ in 0..4 {
            round(&mut self.state);
        }
        self.state.iter().fold(0, |all, word| all ^ word)
    }

    fn byte(&mut self, byte: u8) {
        self.tail |= u64::from(byte) << (self.len % 8 * 8);
        self.len += 1;
        if self.len.is_multiple_of(8) {
            let word = core::mem::take(&mut self.tail);
            self.word(word);
        }
    }

    fn word(&mut self, word: u64) {
        self.state[3] ^= word;
        for _ in 0..2 {
            round(&mut self.state);
        }
        self.state[0] ^= word;
    }
}

fn round([v0, v1, v2, v3]: &mut [u64; 4]) {
    *v0 = v0.wrapping_add(*v1);
    *v1 = v1.rotate_left(13) ^ *v0;
    *v0 = v0.rotate_left(32);
    *v2 = v2.wrapping_add(*v3);
    *v3 = v3.rotate_left(16) ^ *v2;
    *v0 = v0.wrapping_add(*v3);
    *v3 = v3.rotate_left(21) ^ *v0;
    *v2 = v2.wrapping_add(*v1);
    *v1 = v1.rotate_left(17) ^ *v2;
    *v2 = v2.rotate_left(32);
}

#[cfg(test)]
mod tests {
    use super::SipHasher;

    const KEY: [u64; 2] = [0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908];

    fn hash(pieces: &[&[u8]]) -> u64 {
        let mut hasher = SipHasher::new(KEY);
        for piece in pieces {
            hasher.write(piece);
        }
        hasher.finish()
    }

    /// The example of the paper (Aumasson and Bernstein, appendix A), and the first of its authors' list.
    #[test]
    fn gives_what_the_paper_gives() {
        assert_eq!(hash(&[&core::array::from_fn::<u8, 15, _>(|n| n as u8)]), 0xa129_ca61_49be_45e5);
        assert_eq!(hash(&[]), 0x726f_db47_dd0e_0e31);
    }

    #[test]
    fn takes_pieces_as_the_whole() {
        let whole: [u8; 40] = core::array::from_fn(|n| n as u8 ^ 0x5A);
        for first in 0..whole.len() {
            for second in first..whole.len() {
                let pieces = [&whole[..first], &whole[first..second], &whole[second..]];
                assert_eq!(hash(&pieces), hash(&[&whole]));
            }
        }
    }
}
