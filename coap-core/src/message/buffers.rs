use alloc::vec::Vec;

/// How many buffers are kept for the next messages, and how large they may be.
const SPARE: usize = 8;
const LARGEST_SPARE: usize = 2048;

/// Buffers of messages that are over, for the next ones.
#[derive(Debug, Default)]
pub(super) struct Buffers(Vec<Vec<u8>>);

impl Buffers {
    /// An empty buffer.
    pub(super) fn take(&mut self) -> Vec<u8> {
        self.0.pop().unwrap_or_default()
    }

    /// A buffer that is not needed any more.
    #[inline]
    pub(super) fn put(&mut self, mut buffer: Vec<u8>) {
        if self.0.len() < SPARE && (1..=LARGEST_SPARE).contains(&buffer.capacity()) {
            buffer.clear();
            self.0.push(buffer);
        }
    }
}
