//! Messages that are done, whose memory the next ones take: no allocation for each message of a steady stream.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::budget::OVERHEAD;
use crate::message::Message;

/// The most bytes of spare messages.
const MAX_BYTES: usize = 1 << 20;
/// They are this part of the memory limit at most, which they come on top of.
const PART_OF_LIMIT: usize = 8;

/// Messages that nobody else has, by the size of their buffers: a small message never gets a large buffer.
#[derive(Debug, Default)]
pub(crate) struct Spare {
    /// In place n those with room for 2ⁿ⁻¹ to 2ⁿ - 1 bytes.
    classes: Vec<Vec<Arc<Message>>>,
    bytes: usize,
}

impl Spare {
    /// One whose buffer has less than twice this size, and at least half of it.
    pub(crate) fn take(&mut self, size: usize) -> Option<Arc<Message>> {
        let message = self.classes.get_mut(class(size))?.pop()?;
        self.bytes -= message.capacity() + OVERHEAD;
        Some(message)
    }

    /// Keeps one that nobody else has, if there is room under the memory limit.
    pub(crate) fn put(&mut self, message: Arc<Message>, limit: usize) {
        let (capacity, size) = (message.capacity(), message.capacity() + OVERHEAD);
        if self.bytes.saturating_add(size) > MAX_BYTES.min(limit / PART_OF_LIMIT) {
            return;
        }
        if self.classes.len() <= class(capacity) {
            self.classes.resize_with(class(capacity) + 1, Vec::new);
        }
        self.classes[class(capacity)].push(message);
        self.bytes += size;
    }
}

fn class(size: usize) -> usize {
    (usize::BITS - size.leading_zeros()) as usize
}
