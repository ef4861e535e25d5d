//! A QoS 1 or 2 message on its way to the gateway (§6.6). One at a time.
//!
//! ```text
//!  QoS 1: PUBLISH ──▶ AwaitPubAck ── PUBACK ──▶ done
//!  QoS 2: PUBLISH ──▶ AwaitPubRec ── PUBREC ──▶ AwaitPubComp ── PUBCOMP ──▶ done
//! ```
//! PUBACK with a rejection ends the way, or leads back, at both levels.

use mqttsn_codec::{QoS, ReturnCode};

/// What the gateway is to say next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "the messages' names")]
pub(super) enum Flow {
    AwaitPubAck,
    AwaitPubRec,
    AwaitPubComp,
}

/// What the gateway said, with the MsgId of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Accepted,
    /// PUBACK: invalid topic id.
    UnknownTopic,
    /// PUBACK: congestion.
    Congested,
    /// PUBACK with any other code.
    Rejected(ReturnCode),
    PubRec,
    PubComp,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The message has arrived.
    Done,
    /// Send PUBREL.
    Release,
    /// Get a new topic id, and send the message again.
    Register,
    /// Send the message again, later.
    Postpone,
    /// The message is refused.
    Refuse(ReturnCode),
    /// A late answer.
    Ignore,
}

impl Answer {
    pub(super) const fn of(code: ReturnCode) -> Self {
        match code {
            ReturnCode::ACCEPTED => Self::Accepted,
            ReturnCode::CONGESTION => Self::Congested,
            ReturnCode::INVALID_TOPIC_ID => Self::UnknownTopic,
            _ => Self::Rejected(code),
        }
    }
}

impl Flow {
    /// What the gateway is to say to a PUBLISH; `None` for QoS 0.
    pub(super) const fn of(qos: QoS) -> Option<Self> {
        match qos {
            QoS::AtMostOnce => None,
            QoS::AtLeastOnce => Some(Self::AwaitPubAck),
            QoS::ExactlyOnce => Some(Self::AwaitPubRec),
        }
    }

    pub(super) const fn step(self, answer: Answer) -> Step {
        match (self, answer) {
            (Self::AwaitPubAck, Answer::Accepted) | (Self::AwaitPubComp, Answer::PubComp) => Step::Done,
            (Self::AwaitPubRec | Self::AwaitPubComp, Answer::PubRec) => Step::Release,
            (Self::AwaitPubAck | Self::AwaitPubRec, Answer::UnknownTopic) => Step::Register,
            (Self::AwaitPubAck | Self::AwaitPubRec, Answer::Congested) => Step::Postpone,
            (Self::AwaitPubAck | Self::AwaitPubRec, Answer::Rejected(code)) => Step::Refuse(code),
            (Self::AwaitPubAck, Answer::PubRec | Answer::PubComp)
            | (Self::AwaitPubRec, Answer::Accepted | Answer::PubComp)
            // The gateway has the message: what it says of the topic is about an earlier PUBLISH.
            | (
                Self::AwaitPubComp,
                Answer::Accepted | Answer::UnknownTopic | Answer::Congested | Answer::Rejected(_),
            ) => Step::Ignore,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flow_answer_table() {
        let code = ReturnCode::NOT_SUPPORTED;
        let answers = [
            Answer::Accepted,
            Answer::UnknownTopic,
            Answer::Congested,
            Answer::Rejected(code),
            Answer::PubRec,
            Answer::PubComp,
        ];
        let (done, register, later) = (Step::Done, Step::Register, Step::Postpone);
        let (refuse, release, ignore) = (Step::Refuse(code), Step::Release, Step::Ignore);
        let table = [
            (Flow::AwaitPubAck, [done, register, later, refuse, ignore, ignore]),
            (Flow::AwaitPubRec, [ignore, register, later, refuse, release, ignore]),
            (Flow::AwaitPubComp, [ignore, ignore, ignore, ignore, release, done]),
        ];
        for (flow, row) in table {
            for (answer, expected) in answers.into_iter().zip(row) {
                assert_eq!(flow.step(answer), expected, "{flow:?} × {answer:?}");
            }
        }
    }

    #[test]
    fn answers_of_return_codes() {
        for (code, answer) in [
            (0, Answer::Accepted),
            (1, Answer::Congested),
            (2, Answer::UnknownTopic),
            (3, Answer::Rejected(ReturnCode::NOT_SUPPORTED)),
            (9, Answer::Rejected(ReturnCode::new(9))),
        ] {
            assert_eq!(Answer::of(ReturnCode::new(code)), answer);
        }
    }
}
