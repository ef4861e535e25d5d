//! The memory limit: what counts towards it, and how it is given back.

use alloc::sync::Arc;
use core::ops::Deref;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::message::{Draft, Message};
use crate::spare::Spare;

/// What a stored message costs beside its bytes: the structure, its allocations and their slack.
pub(crate) const OVERHEAD: usize = 128;
/// What a place in a queue costs, in flight or waiting.
const PLACE: usize = 96;

/// The memory that stored messages and half-received packets may take together.
#[derive(Debug)]
pub(crate) struct Budget {
    meter: Arc<Meter>,
    next_number: u64,
    spare: Spare,
}

#[derive(Debug, Default)]
pub(crate) struct Meter {
    used: AtomicUsize,
    messages: AtomicUsize,
    bytes: AtomicUsize,
    limit: AtomicUsize,
}

/// Bytes of a budget that are given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    meter: Arc<Meter>,
    size: usize,
}

/// There is no memory left for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutOfMemory;

impl Budget {
    pub(crate) fn new(limit: usize) -> Self {
        let budget = Self { meter: Arc::default(), next_number: 0, spare: Spare::default() };
        budget.set_limit(limit);
        budget
    }

    pub(crate) fn set_limit(&self, limit: usize) {
        self.meter.limit.store(limit, Relaxed);
    }

    /// Bytes in use, with the overhead of keeping them.
    pub(crate) fn used(&self) -> usize {
        self.meter.used.load(Relaxed)
    }

    /// Messages stored.
    pub(crate) fn messages(&self) -> usize {
        self.meter.messages.load(Relaxed)
    }

    /// Bytes of the messages stored, without overhead.
    pub(crate) fn message_bytes(&self) -> usize {
        self.meter.bytes.load(Relaxed)
    }

    /// Takes `size` bytes for something other than a message.
    pub(crate) fn take(&self, size: usize) -> Result<(), OutOfMemory> {
        self.meter.take(size)
    }

    /// Whether a stored message could take another place.
    pub(crate) fn has_room_for_place(&self) -> bool {
        self.used().saturating_add(PLACE) <= self.meter.limit.load(Relaxed)
    }

    /// Counts bytes that are in use already.
    pub(crate) fn add(&self, size: usize) {
        self.meter.used.fetch_add(size, Relaxed);
    }

    /// Gives back what [`take`](Self::take) took.
    pub(crate) fn give_back(&self, size: usize) {
        if size > 0 {
            self.meter.used.fetch_sub(size, Relaxed);
        }
    }

    /// Copies a message out of its sender's buffers.
    pub(crate) fn store(&mut self, draft: &Draft<'_>) -> Result<Arc<Message>, OutOfMemory> {
        self.store_as(draft, self.next_number)
    }

    /// As [`store`](Self::store), under the number that the message has in the records of an earlier run.
    pub(crate) fn store_as(&mut self, draft: &Draft<'_>, number: u64) -> Result<Arc<Message>, OutOfMemory> {
        let size = draft.topic.len() + draft.properties.len() + draft.payload.len();
        // A retained message stays: it gets a buffer that fits.
        let spare = if draft.retain { None } else { self.spare.take(size) };
        let mut stored = spare.unwrap_or_else(|| Arc::new(Message::empty(&self.meter)));
        // Nobody else has it.
        Arc::get_mut(&mut stored).ok_or(OutOfMemory)?.fill(draft, number)?;
        self.next_number = self.next_number.max(number.saturating_add(1));
        Ok(stored)
    }

    /// Keeps the memory of a message for another one, unless somebody still has it.
    pub(crate) fn recycle(&mut self, mut message: Arc<Message>) {
        if let Some(unused) = Arc::get_mut(&mut message) {
            unused.give_back();
            self.spare.put(message, self.meter.limit.load(Relaxed));
        }
    }

    /// Gives back the memory that was kept for other messages.
    pub(crate) fn shrink_to_fit(&mut self) {
        self.spare = Spare::default();
    }
}

impl Meter {
    /// Takes what a message of this size needs in a buffer that has this capacity already; returns how much that is.
    pub(crate) fn take_message(&self, size: usize, capacity: usize) -> Result<usize, OutOfMemory> {
        let taken = capacity.max(size) + OVERHEAD;
        self.take(taken)?;
        self.messages.fetch_add(1, Relaxed);
        self.bytes.fetch_add(size, Relaxed);
        Ok(taken)
    }

    /// Gives back what [`take_message`](Self::take_message) took.
    pub(crate) fn give_back_message(&self, size: usize, taken: usize) {
        self.used.fetch_sub(taken, Relaxed);
        self.messages.fetch_sub(1, Relaxed);
        self.bytes.fetch_sub(size, Relaxed);
    }

    fn take(&self, size: usize) -> Result<(), OutOfMemory> {
        // Only this grows it; what is given back in the meantime, by whichever thread drops a message, is not lost.
        if self.used.load(Relaxed).saturating_add(size) > self.limit.load(Relaxed) {
            return Err(OutOfMemory);
        }
        self.used.fetch_add(size, Relaxed);
        Ok(())
    }
}

impl Reservation {
    pub(crate) fn take(meter: &Arc<Meter>, size: usize) -> Result<Self, OutOfMemory> {
        meter.take(size)?;
        Ok(Self { meter: Arc::clone(meter), size })
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.meter.used.fetch_sub(self.size, Relaxed);
    }
}

/// A stored message in one session's queue or flight, where it counts for the place that it takes there.
#[derive(Debug)]
pub(crate) struct Place {
    message: Arc<Message>,
    size: usize,
}

impl Place {
    /// `more`: bytes that are kept beside it.
    pub(crate) fn take(message: Arc<Message>, more: usize) -> Result<Self, OutOfMemory> {
        let size = PLACE + more;
        message.meter().take(size)?;
        Ok(Self { message, size })
    }

    /// As [`take`](Self::take), though the budget may be used up: for one at a time in each session.
    pub(crate) fn take_anyway(message: Arc<Message>) -> Self {
        message.meter().used.fetch_add(PLACE, Relaxed);
        Self { message, size: PLACE }
    }

    pub(crate) fn shared(&self) -> &Arc<Message> {
        &self.message
    }

    /// Gives the place up.
    pub(crate) fn leave(self) -> Arc<Message> {
        Arc::clone(&self.message)
    }
}

impl Deref for Place {
    type Target = Message;

    fn deref(&self) -> &Message {
        &self.message
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.message.meter().used.fetch_sub(self.size, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use mqtt_codec::QoS;

    use super::*;

    fn draft(payload: &[u8]) -> Draft<'_> {
        Draft { topic: "a", properties: &[], payload, qos: QoS::AtLeastOnce, retain: false, expires: None }
    }

    #[test]
    fn a_shared_message_counts_once_and_is_given_back() {
        let mut budget = Budget::new(1000);
        let message = budget.store(&draft(&[0; 99])).unwrap();
        let copies = [Arc::clone(&message), Arc::clone(&message)];
        assert_eq!((budget.used(), budget.messages(), budget.message_bytes()), (100 + OVERHEAD, 1, 100));
        drop(message);
        assert_eq!(budget.messages(), 1);
        drop(copies);
        assert_eq!((budget.used(), budget.messages(), budget.message_bytes()), (0, 0, 0));
    }

    #[test]
    fn each_place_counts_and_is_given_back() {
        let mut budget = Budget::new(1000);
        let message = budget.store(&draft(&[])).unwrap();
        let alone = budget.used();
        let places: Vec<_> = core::iter::from_fn(|| Place::take(Arc::clone(&message), 0).ok()).collect();
        assert_eq!(budget.used(), alone + places.len() * PLACE);
        assert_eq!(places.len(), (1000 - alone) / PLACE);
        drop(places);
        assert_eq!(budget.used(), alone);
    }

    #[test]
    fn the_memory_of_a_message_is_used_again_once_nobody_has_it() {
        let mut budget = Budget::new(1 << 20);
        let first = budget.store(&draft(&[1; 99])).unwrap();
        let (place, other) = (first.topic().as_ptr(), Arc::clone(&first));
        budget.recycle(first);
        assert_eq!(budget.messages(), 1, "somebody has it");
        budget.recycle(other);
        assert_eq!((budget.used(), budget.messages(), budget.message_bytes()), (0, 0, 0));

        let large = budget.store(&draft(&[2; 999])).unwrap();
        let second = budget.store(&draft(&[3; 70])).unwrap();
        assert_ne!(large.topic().as_ptr(), place, "of another size");
        assert_eq!(second.topic().as_ptr(), place);
        assert_eq!((second.topic(), second.payload(), second.number()), ("a", &[3; 70][..], 2));
        assert_eq!(budget.used(), 1000 + 100 + 2 * OVERHEAD, "what it holds counts");
        drop((large, second));
        assert_eq!((budget.used(), budget.message_bytes()), (0, 0));
    }

    #[test]
    fn spare_memory_is_bounded_and_can_be_given_back() {
        let mut budget = Budget::new(16_000);
        let messages: Vec<_> = (0..20).map(|_| budget.store(&draft(&[0; 399])).unwrap()).collect();
        for message in messages {
            budget.recycle(message);
        }
        let spares = |budget: &mut Budget| core::iter::from_fn(|| budget.spare.take(400)).count();
        assert_eq!(spares(&mut budget), 16_000 / 8 / 528);
        let message = budget.store(&draft(&[0; 399])).unwrap();
        budget.recycle(message);
        budget.shrink_to_fit();
        assert_eq!(spares(&mut budget), 0);
    }

    #[test]
    fn the_budget_is_a_limit() {
        let mut budget = Budget::new(OVERHEAD + 10);
        assert_eq!(budget.store(&draft(&[0; 10])).unwrap_err(), OutOfMemory);
        assert!(budget.store(&draft(&[0; 9])).is_ok());
    }
}
