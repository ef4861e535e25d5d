//! The questions for a will, between CONNECT and CONNACK (§6.2, figure 3).
//!
//! ```text
//!   CONNECT ──▶ AwaitWillTopic ──WILLTOPIC──▶ AwaitWillMsg ──WILLMSG──▶ accepted, with the will
//!                     │ ▲ CONNECT                  │ ▲ CONNECT, WILLTOPIC
//!                     │ └─┘ WILLTOPICREQ           │ └─┘ the question again
//!                     └─empty WILLTOPIC────────────┴──▶ accepted, the will is deleted
//! ```
//! Only the client repeats: the gateway answers what it is asked again. After a time-out the handshake is forgotten.

use alloc::boxed::Box;

use mqtt_codec::QoS;

use super::io::Address;
use super::peer::Will;

/// A handshake of one address. Nothing of the client's session is touched before it is complete.
#[derive(Debug)]
pub(super) struct Handshake<P> {
    pub(super) address: Address<P>,
    pub(super) connect: Connect,
    pub(super) topic: Option<WillTopic>,
}

/// What a CONNECT says, kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Connect {
    pub(super) client_id: Box<str>,
    pub(super) clean: bool,
    pub(super) will: bool,
    pub(super) duration: u16,
}

/// What a WILLTOPIC says, kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WillTopic {
    pub(super) topic: Box<str>,
    pub(super) qos: QoS,
    pub(super) retain: bool,
}

/// What a CONNECT means for the will (§6.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum WillChange {
    /// `Will` 0: what there is stays, unless `CleanSession` is 1.
    Keep,
    /// An empty WILLTOPIC.
    Delete,
    /// A new one.
    Set(Box<Will>),
}

/// Where a handshake stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    AwaitWillTopic,
    AwaitWillMsg,
}

/// What a client says during a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The same CONNECT again.
    Connect,
    /// WILLTOPIC with a topic.
    WillTopic,
    /// WILLTOPIC without.
    EmptyWillTopic,
    /// WILLMSG.
    WillMsg,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reaction {
    /// Send WILLTOPICREQ.
    AskTopic,
    /// Keep the topic and send WILLMSGREQ.
    AskMessage,
    /// Go on to CONNACK, without a will.
    Delete,
    /// Go on to CONNACK, with the will.
    Accept,
    /// Nothing.
    Ignore,
}

impl Step {
    /// The whole table. A CONNECT that comes late does not take the topic back: the client may be further already.
    pub(super) const fn apply(self, event: Event) -> Reaction {
        match (self, event) {
            (Self::AwaitWillTopic | Self::AwaitWillMsg, Event::Connect) => Reaction::AskTopic,
            (Self::AwaitWillTopic | Self::AwaitWillMsg, Event::WillTopic) => Reaction::AskMessage,
            (Self::AwaitWillTopic | Self::AwaitWillMsg, Event::EmptyWillTopic) => Reaction::Delete,
            (Self::AwaitWillMsg, Event::WillMsg) => Reaction::Accept,
            (Self::AwaitWillTopic, Event::WillMsg) => Reaction::Ignore,
        }
    }
}

impl<P> Handshake<P> {
    pub(super) const fn step(&self) -> Step {
        if self.topic.is_some() { Step::AwaitWillMsg } else { Step::AwaitWillTopic }
    }
}

#[cfg(test)]
mod tests {
    use super::Event::{Connect, EmptyWillTopic, WillMsg, WillTopic};
    use super::Reaction::{Accept, AskMessage, AskTopic, Delete, Ignore};
    use super::*;

    /// Every step × event.
    #[test]
    fn state_event_table() {
        let events = [Connect, WillTopic, EmptyWillTopic, WillMsg];
        let table = [
            (Step::AwaitWillTopic, [AskTopic, AskMessage, Delete, Ignore]),
            (Step::AwaitWillMsg, [AskTopic, AskMessage, Delete, Accept]),
        ];
        for (step, row) in table {
            for (event, expected) in events.into_iter().zip(row) {
                assert_eq!(step.apply(event), expected, "{step:?} × {event:?}");
            }
        }
    }
}
