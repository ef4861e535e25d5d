//! Application messages as they are kept: once, however many sessions wait for them.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use ascii::{AsAsciiStr, AsciiStr};
use machine::Instant;
use mqtt_codec::{Properties, Property, ProtocolVersion, QoS};

use crate::budget::{Meter, OutOfMemory, Reservation};

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
        Reservation::take(self.meter(), size)
    }

    pub(crate) fn is_expired(&self, now: Instant) -> bool {
        is_past(self.expires, now)
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

    /// Where it is counted.
    pub(crate) fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    /// A spare one, to be [filled](Self::fill).
    pub(crate) fn empty(meter: &Arc<Meter>) -> Self {
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
    pub(crate) fn fill(&mut self, draft: &Draft<'_>, number: u64) -> Result<(), OutOfMemory> {
        let parts = [draft.topic.as_bytes(), draft.properties, draft.payload];
        let size = parts.iter().map(|part| part.len()).sum();
        self.taken = self.meter.take_message(size, self.data.capacity())?;
        self.data.clear();
        self.data.reserve_exact(size);
        for part in parts {
            self.data.extend_from_slice(part);
        }
        self.topic_len = draft.topic.len();
        self.payload_start = draft.topic.len() + draft.properties.len();
        (self.qos, self.retain, self.expires) = (draft.qos, draft.retain, draft.expires);
        self.number = number;
        Ok(())
    }

    /// Gives back what it took: it is no message any more.
    pub(crate) fn give_back(&mut self) {
        if self.taken > 0 {
            self.meter.give_back_message(self.data.len(), self.taken);
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
        is_past(self.expires, now)
    }

    /// The expiry interval to send: what is left of it, in seconds, rounded up so that it never turns into "expired".
    pub(crate) fn expiry_left(&self, now: Instant) -> Option<u32> {
        let left = self.expires?.saturating_since(now);
        Some(u32::try_from(left.as_micros().div_ceil(1_000_000)).unwrap_or(u32::MAX))
    }
}

fn is_past(expires: Option<Instant>, now: Instant) -> bool {
    expires.is_some_and(|expires| expires <= now)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_an_expiry_interval_is_rounded_up() {
        let now = Instant::EPOCH;
        let draft = Draft {
            topic: "a",
            properties: &[],
            payload: &[],
            qos: QoS::AtLeastOnce,
            retain: false,
            expires: expires_at(Some(10), now),
        };
        assert_eq!(draft.expiry_left(now), Some(10));
        assert_eq!(draft.expiry_left(now + Duration::from_millis(9500)), Some(1));
        assert!(!draft.is_expired(now + Duration::from_millis(9999)));
        assert!(draft.is_expired(now + Duration::from_secs(10)));
    }
}
