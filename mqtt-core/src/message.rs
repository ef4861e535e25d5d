//! Application messages as they are kept: once, however many sessions wait for them.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use core::time::Duration;

use ascii::{AsAsciiStr, AsciiStr};
use machine::Instant;
use mqtt_codec::{Properties, Property, ProtocolVersion, QoS};

use crate::spare::Spare;

/// What a stored message costs beside its bytes: the structure, its allocations and their slack.
const OVERHEAD: usize = 128;
/// What a place in a queue costs, in flight or waiting.
const PLACE: usize = 96;

/// A message that is kept: retained, queued, or in flight. Shared; its bytes count once towards the memory limit.
pub struct Message {
    /// Topic name, properties, payload.
    data: Vec<u8>,
    topic_len: usize,
    payload_start: usize,
    qos: QoS,
    retain: bool,
    expires: Option<Instant>,
    number: u64,
    meter: Arc<Meter>,
    /// What it took from the budget; 0 for a spare one.
    taken: usize,
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
        message.meter.take(size)?;
        Ok(Self { message, size })
    }

    /// As [`take`](Self::take), though the budget may be used up: for one at a time in each session.
    pub(crate) fn take_anyway(message: Arc<Message>) -> Self {
        message.meter.used.fetch_add(PLACE, Relaxed);
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
        self.message.meter.used.fetch_sub(self.size, Relaxed);
    }
}

/// A message on its way in, still in the buffers of whoever sent it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) topic: &'a str,
    /// The properties that are forwarded unchanged, encoded: all but alias, expiry and subscription identifiers.
    pub(crate) properties: &'a [u8],
    pub(crate) payload: &'a [u8],
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
    pub(crate) expires: Option<Instant>,
}

/// The text that the bytes were copied from. It is most likely ASCII, which is cheaper to tell than UTF-8.
pub(crate) fn copied_text(bytes: &[u8]) -> &str {
    let ascii = bytes.as_ascii_str().map(AsciiStr::as_str);
    ascii.or_else(|_| core::str::from_utf8(bytes)).unwrap_or_default()
}

impl Message {
    /// The topic name.
    pub fn topic(&self) -> &str {
        copied_text(&self.data[..self.topic_len])
    }

    /// The properties that are forwarded with it, without the message expiry interval.
    pub fn properties(&self) -> Properties<'_> {
        Properties::assume_valid(&self.data[self.topic_len..self.payload_start])
    }

    /// The payload.
    pub fn payload(&self) -> &[u8] {
        &self.data[self.payload_start..]
    }

    /// The QoS it was published with.
    pub fn qos(&self) -> QoS {
        self.qos
    }

    /// Whether it was published with the retain flag.
    pub fn retain(&self) -> bool {
        self.retain
    }

    /// When it expires, if it does.
    pub fn expires(&self) -> Option<Instant> {
        self.expires
    }

    /// A number that tells it from every other message in the records, also over restarts: for a host that stores each
    /// message once.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Takes bytes from the budget under which this message is kept.
    pub(crate) fn reserve(&self, size: usize) -> Result<Reservation, OutOfMemory> {
        self.meter.take(size)?;
        Ok(Reservation { meter: Arc::clone(&self.meter), size })
    }

    pub(crate) fn draft(&self) -> Draft<'_> {
        Draft {
            topic: self.topic(),
            properties: &self.data[self.topic_len..self.payload_start],
            payload: self.payload(),
            qos: self.qos,
            retain: self.retain,
            expires: self.expires,
        }
    }

    /// What a PUBLISH ends with: the properties, which a client of MQTT 5 gets and others do not, and the payload.
    pub(crate) fn tail(&self, version: ProtocolVersion) -> &[u8] {
        &self.data[if version == ProtocolVersion::V5 { self.topic_len } else { self.payload_start }..]
    }

    /// Bytes of topic, properties and payload.
    pub(crate) fn size(&self) -> usize {
        self.data.len()
    }

    /// Bytes that the buffer has room for.
    pub(crate) fn capacity(&self) -> usize {
        self.data.capacity()
    }

    fn empty(meter: &Arc<Meter>) -> Self {
        Self {
            data: Vec::new(),
            topic_len: 0,
            payload_start: 0,
            qos: QoS::AtMostOnce,
            retain: false,
            expires: None,
            number: 0,
            meter: Arc::clone(meter),
            taken: 0,
        }
    }

    /// Takes what it needs from the budget, and becomes this message.
    fn fill(&mut self, draft: &Draft<'_>, number: u64) -> Result<(), OutOfMemory> {
        let parts = [draft.topic.as_bytes(), draft.properties, draft.payload];
        let size = parts.iter().map(|part| part.len()).sum();
        let taken = self.data.capacity().max(size) + OVERHEAD;
        self.meter.take(taken)?;
        self.meter.messages.fetch_add(1, Relaxed);
        self.meter.bytes.fetch_add(size, Relaxed);
        self.data.clear();
        self.data.reserve_exact(size);
        parts.into_iter().for_each(|part| self.data.extend_from_slice(part));
        self.topic_len = draft.topic.len();
        self.payload_start = draft.topic.len() + draft.properties.len();
        (self.qos, self.retain, self.expires) = (draft.qos, draft.retain, draft.expires);
        (self.number, self.taken) = (number, taken);
        Ok(())
    }

    /// Gives back what it took: it is no message any more.
    fn give_back(&mut self) {
        if self.taken > 0 {
            self.meter.used.fetch_sub(self.taken, Relaxed);
            self.meter.messages.fetch_sub(1, Relaxed);
            self.meter.bytes.fetch_sub(self.data.len(), Relaxed);
            self.taken = 0;
        }
    }
}

impl Drop for Message {
    /// The last reference to it is gone.
    fn drop(&mut self) {
        self.give_back();
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let payload = self.payload().len();
        write!(f, "Message({:?}, {payload} bytes, {:?})", self.topic(), self.qos)
    }
}

impl PartialEq for Message {
    fn eq(&self, other: &Self) -> bool {
        (&self.data, self.topic_len, self.payload_start, self.qos, self.retain, self.expires)
            == (&other.data, other.topic_len, other.payload_start, other.qos, other.retain, other.expires)
    }
}

impl<'a> Draft<'a> {
    pub(crate) fn properties(&self) -> Properties<'a> {
        Properties::assume_valid(self.properties)
    }

    pub(crate) fn is_expired(&self, now: Instant) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// The expiry interval to send: what is left of it, in seconds, rounded up so that it never turns into "expired".
    pub(crate) fn expiry_left(&self, now: Instant) -> Option<u32> {
        let left = self.expires?.saturating_since(now);
        Some(u32::try_from(left.as_micros().div_ceil(1_000_000)).unwrap_or(u32::MAX))
    }
}

/// Whether a property of a PUBLISH goes on as it is: aliases and expiry are each hop's own, identifiers the receiver's.
pub(crate) fn is_forwarded(property: &Property<'_>) -> bool {
    !matches!(
        property,
        Property::TopicAlias(_) | Property::SubscriptionIdentifier(_) | Property::MessageExpiryInterval(_)
    )
}

/// When a message with this expiry interval expires.
pub(crate) fn expires_at(interval: Option<u32>, now: Instant) -> Option<Instant> {
    interval.map(|seconds| now + Duration::from_secs(u64::from(seconds)))
}

/// The memory that stored messages and half-received packets may take together.
#[derive(Debug)]
pub(crate) struct Budget {
    meter: Arc<Meter>,
    next_number: u64,
    spare: Spare,
}

#[derive(Debug, Default)]
struct Meter {
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
    fn take(&self, size: usize) -> Result<(), OutOfMemory> {
        // Only this grows it; what is given back in the meantime, by whichever thread drops a message, is not lost.
        if self.used.load(Relaxed).saturating_add(size) > self.limit.load(Relaxed) {
            return Err(OutOfMemory);
        }
        self.used.fetch_add(size, Relaxed);
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.meter.used.fetch_sub(self.size, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

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
        let (place, other) = (first.data.as_ptr(), Arc::clone(&first));
        budget.recycle(first);
        assert_eq!(budget.messages(), 1, "somebody has it");
        budget.recycle(other);
        assert_eq!((budget.used(), budget.messages(), budget.message_bytes()), (0, 0, 0));

        let large = budget.store(&draft(&[2; 999])).unwrap();
        let second = budget.store(&draft(&[3; 70])).unwrap();
        assert_ne!(large.data.as_ptr(), place, "of another size");
        assert_eq!(second.data.as_ptr(), place);
        assert_eq!((second.topic(), second.payload(), second.number()), ("a", &[3; 70][..], 2));
        assert_eq!(budget.used(), 1000 + 100 + 2 * OVERHEAD, "what it holds counts");
        drop((large, second));
        assert_eq!((budget.used(), budget.message_bytes()), (0, 0));
    }

    #[test]
    fn spare_memory_is_bounded_and_can_be_given_back() {
        let mut budget = Budget::new(16_000);
        let messages: Vec<_> = (0..20).map(|_| budget.store(&draft(&[0; 399])).unwrap()).collect();
        messages.into_iter().for_each(|message| budget.recycle(message));
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

    #[test]
    fn what_is_left_of_an_expiry_interval_is_rounded_up() {
        let now = Instant::EPOCH;
        let draft = Draft { expires: expires_at(Some(10), now), ..draft(&[]) };
        assert_eq!(draft.expiry_left(now), Some(10));
        assert_eq!(draft.expiry_left(now + Duration::from_millis(9500)), Some(1));
        assert!(!draft.is_expired(now + Duration::from_millis(9999)));
        assert!(draft.is_expired(now + Duration::from_secs(10)));
    }
}
