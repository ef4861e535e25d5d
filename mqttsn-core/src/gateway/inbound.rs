//! QoS 1 and 2 messages from one client, on their way to the server: the receiver's side.
//!
//! ```text
//!   QoS 1   PUBLISH ──▶ AwaitPubAck ──the server has it──▶ done (PUBACK)
//!
//!   QoS 2   PUBLISH ──▶ AwaitServer ──the server has it──▶ AwaitPubRel (PUBREC) ──PUBREL──▶ done (PUBCOMP)
//! ```
//! The client is told only what the server has, so that a message that the gateway loses is one that the client still has.
//!
//! A datagram may come twice, and late: a copy of a QoS 2 PUBLISH even after its PUBREL, when the MsgId is free again. So what
//! was released is remembered for a while, by MsgId and content.

use alloc::vec::Vec;

use machine::Instant;
use mqttsn_codec::{MessageId, QoS};

/// Released messages that are remembered, of one client.
const RELEASED: usize = 16;

/// The unfinished messages of one client.
#[derive(Debug, Default)]
pub(super) struct Inbound {
    entries: Vec<Entry>,
    released: Vec<Released>,
}

/// A QoS 2 message that is done.
#[derive(Clone, Copy, Debug)]
struct Released {
    id: MessageId,
    digest: u32,
    until: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    id: MessageId,
    /// The `TopicId` field of its PUBLISH, which a PUBACK echoes.
    topic: u16,
    step: Step,
    /// Of the content, at QoS 2.
    digest: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "what is awaited")]
enum Step {
    AwaitPubAck,
    AwaitServer,
    AwaitPubRel,
}

/// What a client or the server says of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// PUBLISH with QoS 1.
    Publish1,
    /// PUBLISH with QoS 2.
    Publish2,
    /// The server has it, to the end of its QoS.
    Stored,
    /// The server will not have it.
    Failed,
    /// PUBREL.
    PubRel,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reaction {
    /// Hand it to the server.
    Forward,
    /// Send PUBACK "accepted" with this `TopicId`.
    PubAck(u16),
    /// Send PUBACK with the reason and this `TopicId`.
    Refuse(u16),
    /// Send PUBREC.
    PubRec,
    /// Send PUBCOMP.
    PubComp,
    /// It is on its way; the answer will come.
    Wait,
    /// Nothing.
    Ignore,
}

impl Inbound {
    /// Applies an event: the whole table. A message that is not known is added when it is to be forwarded.
    pub(super) fn apply(&mut self, id: MessageId, topic: u16, digest: u32, event: Event) -> Reaction {
        let place = self.entries.iter().position(|entry| entry.id == id);
        let entry = place.and_then(|place| self.entries.get(place)).copied();
        let (next, reaction) =
            transition(entry.map(|entry| entry.step), event, entry.map_or(topic, |e| e.topic));
        match (place, next) {
            (Some(place), Some(step)) => {
                if let Some(entry) = self.entries.get_mut(place) {
                    entry.step = step;
                }
            }
            (Some(place), None) => {
                self.entries.swap_remove(place);
            }
            (None, Some(step)) => self.entries.push(Entry { id, topic, step, digest }),
            (None, None) => {}
        }
        reaction
    }

    /// PUBREL. A copy of the message that comes until then is not taken for another one.
    pub(super) fn release(&mut self, id: MessageId, until: Instant) -> Reaction {
        let entry = self.entries.iter().find(|entry| entry.id == id && entry.step == Step::AwaitPubRel);
        if let Some(digest) = entry.map(|entry| entry.digest) {
            if self.released.len() >= RELEASED {
                self.released.remove(0);
            }
            self.released.push(Released { id, digest, until });
        }
        self.apply(id, 0, 0, Event::PubRel)
    }

    /// Whether a PUBLISH is a late copy of one that is done.
    pub(super) fn is_late_copy(&mut self, id: MessageId, digest: u32, now: Instant) -> bool {
        if !self.released.is_empty() {
            self.released.retain(|released| released.until > now);
            if self.released.is_empty() {
                self.released = Vec::new();
            }
        }
        self.released.iter().any(|released| released.id == id && released.digest == digest)
    }

    /// Whether a message is known already.
    pub(super) fn knows(&self, id: MessageId) -> bool {
        self.entries.iter().any(|entry| entry.id == id)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// A short digest of a message (FNV-1a).
pub(super) fn digest(topic: u16, data: &[u8]) -> u32 {
    let octets = topic.to_be_bytes().into_iter().chain(data.iter().copied());
    octets.fold(0x811c_9dc5, |digest, octet| (digest ^ u32::from(octet)).wrapping_mul(0x0100_0193))
}

/// The event's name for a PUBLISH; QoS 0 has none.
pub(super) const fn published(qos: QoS) -> Event {
    match qos {
        QoS::AtMostOnce | QoS::AtLeastOnce => Event::Publish1,
        QoS::ExactlyOnce => Event::Publish2,
    }
}

const fn transition(step: Option<Step>, event: Event, topic: u16) -> (Option<Step>, Reaction) {
    match (step, event) {
        // A QoS 1 message cannot be one that was sent with QoS 2: the client has forgotten that.
        (None | Some(Step::AwaitPubRel), Event::Publish1) => (Some(Step::AwaitPubAck), Reaction::Forward),
        (None, Event::Publish2) => (Some(Step::AwaitServer), Reaction::Forward),
        (None, Event::Stored | Event::Failed) => (None, Reaction::Ignore),
        // Always, or a client that missed PUBCOMP would never get on.
        (None | Some(Step::AwaitPubRel), Event::PubRel) => (None, Reaction::PubComp),

        (Some(Step::AwaitPubAck | Step::AwaitServer), Event::Publish1 | Event::Publish2) => {
            (step, Reaction::Wait)
        }
        (Some(Step::AwaitPubAck), Event::Stored) => (None, Reaction::PubAck(topic)),
        (Some(Step::AwaitServer), Event::Stored) => (Some(Step::AwaitPubRel), Reaction::PubRec),
        (Some(Step::AwaitPubAck | Step::AwaitServer), Event::Failed) => (None, Reaction::Refuse(topic)),
        (Some(Step::AwaitPubAck | Step::AwaitServer), Event::PubRel)
        | (Some(Step::AwaitPubRel), Event::Stored | Event::Failed) => (step, Reaction::Ignore),

        (Some(Step::AwaitPubRel), Event::Publish2) => (step, Reaction::PubRec),
    }
}

#[cfg(test)]
mod tests {
    use super::Event::{Failed, PubRel, Publish1, Publish2, Stored};
    use super::Reaction::{Forward, Ignore, PubAck, PubComp, PubRec, Refuse, Wait};
    use super::*;

    /// Every step × event.
    #[test]
    fn state_event_table() {
        let (one, two, rel) = (Step::AwaitPubAck, Step::AwaitServer, Step::AwaitPubRel);
        let events = [Publish1, Publish2, Stored, Failed, PubRel];
        let table = [
            (
                None,
                [(Some(one), Forward), (Some(two), Forward), (None, Ignore), (None, Ignore), (None, PubComp)],
            ),
            (
                Some(one),
                [
                    (Some(one), Wait),
                    (Some(one), Wait),
                    (None, PubAck(7)),
                    (None, Refuse(7)),
                    (Some(one), Ignore),
                ],
            ),
            (
                Some(two),
                [
                    (Some(two), Wait),
                    (Some(two), Wait),
                    (Some(rel), PubRec),
                    (None, Refuse(7)),
                    (Some(two), Ignore),
                ],
            ),
            (
                Some(rel),
                [
                    (Some(one), Forward),
                    (Some(rel), PubRec),
                    (Some(rel), Ignore),
                    (Some(rel), Ignore),
                    (None, PubComp),
                ],
            ),
        ];
        for (step, row) in table {
            for (event, expected) in events.into_iter().zip(row) {
                assert_eq!(transition(step, event, 7), expected, "{step:?} × {event:?}");
            }
        }
    }

    #[test]
    fn a_qos_2_message_is_forwarded_once() {
        let mut inbound = Inbound::default();
        let id = MessageId::MIN;
        assert_eq!(inbound.apply(id, 7, 0, Publish2), Forward);
        assert_eq!(inbound.apply(id, 7, 0, Publish2), Wait);
        assert_eq!(inbound.apply(id, 0, 0, Stored), PubRec);
        assert_eq!(inbound.apply(id, 7, 0, Publish2), PubRec);
        assert_eq!(inbound.apply(id, 0, 0, PubRel), PubComp);
        assert_eq!(inbound.apply(id, 0, 0, PubRel), PubComp);
        assert_eq!(inbound.len(), 0);
    }
    #[test]
    fn a_late_copy_is_known_for_a_while() {
        let mut inbound = Inbound::default();
        let (id, now, until) = (MessageId::MIN, Instant::from_micros(1), Instant::from_micros(5));
        let (one, other) = (digest(7, b"one"), digest(7, b"other"));
        inbound.apply(id, 7, one, Publish2);
        inbound.apply(id, 7, 0, Stored);
        assert_eq!(inbound.release(id, until), PubComp);
        assert!(inbound.is_late_copy(id, one, now));
        assert!(!inbound.is_late_copy(id, other, now), "the id is free");
        assert!(!inbound.is_late_copy(id.next(), one, now));
        assert!(!inbound.is_late_copy(id, one, until));
    }
}
