//! Messages to one client: one is under way at a time, the others wait.
//!
//! ```text
//!              ┌──────────────PUBACK "invalid topic id"─────────────┐
//!              ▼                                                    │
//!   AwaitRegAck ──REGACK──▶ QoS 1: AwaitPubAck ──PUBACK──▶ done     │
//!        │                  QoS 2: AwaitPubRec ──PUBREC──▶ AwaitPubComp ──PUBCOMP──▶ done
//!        │ REGACK refuses          │ PUBACK refuses
//!        ▼                         ▼
//!     the topic is left out     the message is dropped ("congestion": it is sent again later)
//! ```

use machine::Instant;
use mqtt_codec::QoS;
use mqttsn_codec::{MessageId, ReturnCode, Topic, TopicId};

use super::queue::Queued;

/// The message that is under way.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) step: Step,
    pub(super) queued: Queued,
    /// What the message is sent under.
    pub(super) topic: Topic,
    /// The MsgId of the PUBLISH, kept for as long as the client may have seen it.
    pub(super) id: MessageId,
    /// The MsgId of the last REGISTER.
    pub(super) register_id: MessageId,
    /// The PUBLISH has been sent.
    pub(super) sent: bool,
    /// How often the client said that it does not know the topic id.
    pub(super) unknown: u8,
    /// How often what is awaited has been asked for.
    pub(super) tries: u16,
    /// When it is sent again; `None` while it waits for a sign of life.
    pub(super) due: Option<Instant>,
}

/// What is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "what is awaited")]
pub(super) enum Step {
    AwaitRegAck,
    AwaitPubAck,
    AwaitPubRec,
    AwaitPubComp,
}

/// What the client answers, of the message that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// REGACK "accepted".
    Registered,
    /// REGACK with any other code.
    RegisterRefused,
    /// PUBACK "accepted".
    PubAck,
    /// PUBACK "congestion".
    Congestion,
    /// PUBACK "invalid topic id".
    InvalidTopic,
    /// PUBACK with any other code.
    Refused,
    /// PUBREC.
    PubRec,
    /// PUBCOMP.
    PubComp,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reaction {
    /// Send PUBLISH.
    Publish,
    /// Leave the topic out from now on.
    RefuseTopic,
    /// The client has the message.
    Done,
    /// Tell it the topic id (again), then the message.
    Register,
    /// Send the same later.
    Later,
    /// Drop the message.
    Drop,
    /// The client has the message: send PUBREL.
    Release,
    /// Send PUBREL again.
    ReleaseAgain,
    /// Nothing.
    Ignore,
}

impl Step {
    /// What a PUBLISH of this QoS waits for.
    pub(super) const fn after_publish(qos: QoS) -> Self {
        match qos {
            QoS::ExactlyOnce => Self::AwaitPubRec,
            QoS::AtMostOnce | QoS::AtLeastOnce => Self::AwaitPubAck,
        }
    }

    /// The whole table.
    pub(super) const fn apply(self, event: Event) -> Reaction {
        match (self, event) {
            (Self::AwaitRegAck, Event::Registered) => Reaction::Publish,
            (Self::AwaitRegAck, Event::RegisterRefused) => Reaction::RefuseTopic,
            (Self::AwaitPubAck, Event::PubAck) | (Self::AwaitPubComp, Event::PubComp) => Reaction::Done,
            (Self::AwaitPubAck | Self::AwaitPubRec, Event::Congestion) => Reaction::Later,
            (Self::AwaitPubAck | Self::AwaitPubRec, Event::InvalidTopic) => Reaction::Register,
            (Self::AwaitPubAck | Self::AwaitPubRec, Event::Refused) => Reaction::Drop,
            (Self::AwaitPubRec, Event::PubRec) => Reaction::Release,
            (Self::AwaitPubComp, Event::PubRec) => Reaction::ReleaseAgain,
            (
                Self::AwaitRegAck,
                Event::PubAck
                | Event::Congestion
                | Event::InvalidTopic
                | Event::Refused
                | Event::PubRec
                | Event::PubComp,
            )
            | (
                Self::AwaitPubAck,
                Event::Registered | Event::RegisterRefused | Event::PubRec | Event::PubComp,
            )
            | (
                Self::AwaitPubRec,
                Event::Registered | Event::RegisterRefused | Event::PubAck | Event::PubComp,
            )
            | (
                Self::AwaitPubComp,
                Event::Registered
                | Event::RegisterRefused
                | Event::PubAck
                | Event::Congestion
                | Event::InvalidTopic
                | Event::Refused,
            ) => Reaction::Ignore,
        }
    }
}

impl Event {
    pub(super) const fn of_puback(code: ReturnCode) -> Self {
        match code {
            ReturnCode::ACCEPTED => Self::PubAck,
            ReturnCode::CONGESTION => Self::Congestion,
            ReturnCode::INVALID_TOPIC_ID => Self::InvalidTopic,
            _ => Self::Refused,
        }
    }

    pub(super) const fn of_regack(code: ReturnCode) -> Self {
        if code.is_accepted() { Self::Registered } else { Self::RegisterRefused }
    }
}

impl Slot {
    /// The normal topic id of the message, if it has one.
    pub(super) const fn topic_id(&self) -> Option<TopicId> {
        match self.topic {
            Topic::Id(id) => Some(id),
            Topic::Predefined(_) | Topic::Short(_) => None,
        }
    }

    /// Whether an answer with this MsgId is one to what was sent last.
    pub(super) fn awaits(&self, id: MessageId) -> bool {
        match self.step {
            Step::AwaitRegAck => self.register_id == id,
            Step::AwaitPubAck | Step::AwaitPubRec | Step::AwaitPubComp => self.id == id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Event::{
        Congestion, InvalidTopic, PubAck, PubComp, PubRec, Refused, RegisterRefused, Registered,
    };
    use super::*;

    /// Every step × event, by the first letters of the reaction.
    #[test]
    fn state_event_table() {
        let events =
            [Registered, RegisterRefused, PubAck, Congestion, InvalidTopic, Refused, PubRec, PubComp];
        let table = [
            //                  REGACK 0  REGACK n  PUBACK 0  1        2       3       PUBREC   PUBCOMP
            (Step::AwaitRegAck, ["publish", "leave", "-", "-", "-", "-", "-", "-"]),
            (Step::AwaitPubAck, ["-", "-", "done", "later", "register", "drop", "-", "-"]),
            (Step::AwaitPubRec, ["-", "-", "-", "later", "register", "drop", "release", "-"]),
            (Step::AwaitPubComp, ["-", "-", "-", "-", "-", "-", "again", "done"]),
        ];
        for (step, row) in table {
            for (event, expected) in events.into_iter().zip(row) {
                let name = match step.apply(event) {
                    Reaction::Publish => "publish",
                    Reaction::RefuseTopic => "leave",
                    Reaction::Done => "done",
                    Reaction::Register => "register",
                    Reaction::Later => "later",
                    Reaction::Drop => "drop",
                    Reaction::Release => "release",
                    Reaction::ReleaseAgain => "again",
                    Reaction::Ignore => "-",
                };
                assert_eq!(name, expected, "{step:?} × {event:?}");
            }
        }
    }
}
