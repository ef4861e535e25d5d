//! QoS 2 messages that arrived, so that none is delivered twice.
//!
//! ```text
//!  PUBLISH ──▶ Held ── PUBREL ──▶ Released ── a while ──▶ forgotten
//! ```
//! A MsgId is free again after PUBREL. A datagram that the network held back or doubled can come later than that, though:
//! for a while, the same MsgId with the same content is the same message.

use alloc::vec::Vec;
use core::time::Duration;

use machine::Instant;
use mqttsn_codec::{MessageId, Publish};

/// Messages to remember. A gateway has one under way at a time.
const MAX: usize = 16;

#[derive(Clone, Debug, Default)]
pub(super) struct Incoming {
    messages: Vec<Remembered>,
}

#[derive(Clone, Copy, Debug)]
struct Remembered {
    id: MessageId,
    digest: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Held,
    Released(Instant),
}

impl Incoming {
    /// Whether the message has been delivered.
    pub(super) fn has(&self, id: MessageId, publish: &Publish<'_>, window: Duration, now: Instant) -> bool {
        self.messages.iter().filter(|message| message.id == id).any(|message| match message.state {
            State::Held => true,
            State::Released(at) => at + window > now && message.digest == digest(publish),
        })
    }

    /// Remembers a message that is delivered now; `true` when one that was not released had to make room.
    pub(super) fn deliver(&mut self, id: MessageId, publish: &Publish<'_>) -> bool {
        let full = self.messages.len() >= MAX;
        let forgotten = full.then(|| self.make_room());
        self.messages.push(Remembered { id, digest: digest(publish), state: State::Held });
        forgotten.is_some_and(|message| message.state == State::Held)
    }

    pub(super) fn release(&mut self, id: MessageId, now: Instant) {
        let held = |message: &&mut Remembered| message.id == id && message.state == State::Held;
        for message in self.messages.iter_mut().filter(held) {
            message.state = State::Released(now);
        }
    }

    /// The session is over.
    pub(super) fn clear(&mut self) {
        self.messages.clear();
    }

    /// The oldest one that was released, or the oldest.
    fn make_room(&mut self) -> Remembered {
        let released = self.messages.iter().position(|message| message.state != State::Held);
        self.messages.remove(released.unwrap_or(0))
    }
}

/// Tells messages apart that are not made to be confused (FNV-1a).
fn digest(publish: &Publish<'_>) -> u64 {
    let [high, low] = publish.topic.field().to_be_bytes();
    [high, low, u8::from(publish.retain)]
        .iter()
        .chain(publish.data)
        .fold(0xCBF2_9CE4_8422_2325, |hash, octet| (hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01B3))
}
