//! The life of a client's connection (§6.2, §6.12, §6.14).
//!
//! ```text
//!        connect          gateway known           WILLTOPICREQ             WILLMSGREQ
//!  Idle ────────▶ Searching ────────▶ Connecting ────────────▶ WillTopic ────────────▶ WillMessage
//!   ▲                 ▲                 │ CONNACK                  │ CONNACK               │ CONNACK
//!   │ DISCONNECT      │ time            ▼                          ▼                       ▼
//!  Disconnecting    Waiting ◀──────── Active ◀─────────────────────┴───────────────────────┘
//!   ▲                       lost        │ sleep            DISCONNECT
//!   │ disconnect                        ▼                   ┌─────────▶ Asleep ──check──▶ Awake
//!  any phase                     FallingAsleep ─────────────┘             ▲    PINGRESP,    │
//!                                                                         └── no answer ────┘
//! ```
//! From `FallingAsleep`, `Asleep` and `Awake`, connect leads to `Connecting`, and sleep to `FallingAsleep`.

use super::io::State;

/// Where a client's connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// No connection is wanted.
    Idle,
    /// A connection is wanted, and no gateway is known.
    Searching,
    /// CONNECT has gone.
    Connecting,
    /// WILLTOPIC has gone.
    WillTopic,
    /// WILLMSG has gone.
    WillMessage,
    /// CONNACK has come.
    Active,
    /// DISCONNECT with a duration has gone.
    FallingAsleep,
    /// It was answered.
    Asleep,
    /// PINGREQ with the client id has gone.
    Awake,
    /// DISCONNECT has gone.
    Disconnecting,
    /// The next attempt comes later.
    Waiting,
}

/// What moves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The application wants to be connected.
    Connect,
    /// The application does not want to be connected.
    Disconnect,
    /// The application wants to sleep.
    Sleep,
    /// It is time to ask what the gateway has kept.
    Check,
    /// There is a gateway to connect to.
    GatewayKnown,
    /// CONNACK that accepts.
    Accepted,
    /// CONNACK that does not.
    Rejected,
    /// WILLTOPICREQ.
    WillTopicReq,
    /// WILLMSGREQ.
    WillMsgReq,
    /// DISCONNECT from the gateway.
    DisconnectReceived,
    /// PINGRESP.
    PingResp,
    /// The gateway does not answer.
    Exhausted,
    /// The time between two attempts is over.
    WaitOver,
    /// No further attempt is wanted.
    GiveUp,
}

impl Phase {
    /// The phase after an event; `None` where the event has no place. The same phase again means that what leads into
    /// it is done again: the gateway repeats a question.
    pub(super) const fn next(self, event: Event) -> Option<Self> {
        use Event as E;
        match (self, event) {
            (Self::Idle, E::Connect) | (Self::Waiting, E::WaitOver) => Some(Self::Searching),
            (Self::Searching, E::GatewayKnown)
            | (Self::FallingAsleep | Self::Asleep | Self::Awake, E::Connect) => Some(Self::Connecting),
            (Self::Connecting | Self::WillTopic | Self::WillMessage, E::WillTopicReq) => Some(Self::WillTopic),
            (Self::WillTopic | Self::WillMessage, E::WillMsgReq) => Some(Self::WillMessage),
            (Self::Connecting | Self::WillTopic | Self::WillMessage, E::Accepted) => Some(Self::Active),
            (Self::Active | Self::FallingAsleep | Self::Asleep | Self::Awake, E::Sleep) => {
                Some(Self::FallingAsleep)
            }
            (Self::FallingAsleep, E::DisconnectReceived) | (Self::Awake, E::PingResp | E::Exhausted) => {
                Some(Self::Asleep)
            }
            (Self::Asleep, E::Check) => Some(Self::Awake),
            // GiveUp: two checks in a row without an answer.
            (Self::Connecting | Self::WillTopic | Self::WillMessage, E::Rejected | E::Exhausted)
            | (Self::WillTopic | Self::WillMessage | Self::Active | Self::Awake, E::DisconnectReceived)
            | (Self::Active | Self::FallingAsleep, E::Exhausted)
            | (Self::Awake, E::GiveUp) => Some(Self::Waiting),
            (
                Self::Connecting
                | Self::WillTopic
                | Self::WillMessage
                | Self::Active
                | Self::FallingAsleep
                | Self::Asleep
                | Self::Awake,
                E::Disconnect,
            ) => Some(Self::Disconnecting),
            (Self::Searching | Self::Waiting, E::Disconnect | E::GiveUp)
            | (Self::Disconnecting, E::DisconnectReceived | E::Exhausted) => Some(Self::Idle),

            (
                Self::Idle,
                E::Disconnect
                | E::Sleep
                | E::Check
                | E::GatewayKnown
                | E::Accepted
                | E::Rejected
                | E::WillTopicReq
                | E::WillMsgReq
                | E::DisconnectReceived
                | E::PingResp
                | E::Exhausted
                | E::WaitOver
                | E::GiveUp,
            )
            | (
                Self::Searching,
                E::Connect
                | E::Sleep
                | E::Check
                | E::Accepted
                | E::Rejected
                | E::WillTopicReq
                | E::WillMsgReq
                | E::DisconnectReceived
                | E::PingResp
                | E::Exhausted
                | E::WaitOver,
            )
            // DISCONNECT: the answer to something before CONNECT.
            | (
                Self::Connecting,
                E::Connect
                | E::Sleep
                | E::Check
                | E::GatewayKnown
                | E::WillMsgReq
                | E::DisconnectReceived
                | E::PingResp
                | E::WaitOver
                | E::GiveUp,
            )
            | (
                Self::WillTopic | Self::WillMessage,
                E::Connect
                | E::Sleep
                | E::Check
                | E::GatewayKnown
                | E::PingResp
                | E::WaitOver
                | E::GiveUp,
            )
            | (
                Self::Active,
                E::Connect
                | E::Check
                | E::GatewayKnown
                | E::Accepted
                | E::Rejected
                | E::WillTopicReq
                | E::WillMsgReq
                | E::PingResp
                | E::WaitOver
                | E::GiveUp,
            )
            | (
                Self::FallingAsleep,
                E::Check
                | E::GatewayKnown
                | E::Accepted
                | E::Rejected
                | E::WillTopicReq
                | E::WillMsgReq
                | E::PingResp
                | E::WaitOver
                | E::GiveUp,
            )
            // DISCONNECT: that which led here, again.
            | (
                Self::Asleep,
                E::GatewayKnown
                | E::Accepted
                | E::Rejected
                | E::WillTopicReq
                | E::WillMsgReq
                | E::DisconnectReceived
                | E::PingResp
                | E::Exhausted
                | E::WaitOver
                | E::GiveUp,
            )
            | (
                Self::Awake,
                E::Check
                | E::GatewayKnown
                | E::Accepted
                | E::Rejected
                | E::WillTopicReq
                | E::WillMsgReq
                | E::WaitOver,
            )
            | (
                Self::Disconnecting,
                E::Connect
                | E::Disconnect
                | E::Sleep
                | E::Check
                | E::GatewayKnown
                | E::Accepted
                | E::Rejected
                | E::WillTopicReq
                | E::WillMsgReq
                | E::PingResp
                | E::WaitOver
                | E::GiveUp,
            )
            | (
                Self::Waiting,
                E::Connect
                | E::Sleep
                | E::Check
                | E::GatewayKnown
                | E::Accepted
                | E::Rejected
                | E::WillTopicReq
                | E::WillMsgReq
                | E::DisconnectReceived
                | E::PingResp
                | E::Exhausted,
            ) => None,
        }
    }

    /// Whether the gateway may send messages, and ask.
    pub(super) const fn takes_messages(self) -> bool {
        matches!(self, Self::Active | Self::FallingAsleep | Self::Awake)
    }

    pub(super) const fn state(self) -> State {
        match self {
            Self::Idle => State::Disconnected,
            Self::Searching | Self::Waiting => State::Searching,
            Self::Connecting | Self::WillTopic | Self::WillMessage => State::Connecting,
            Self::Active => State::Active,
            Self::FallingAsleep | Self::Asleep => State::Asleep,
            Self::Awake => State::Awake,
            Self::Disconnecting => State::Disconnecting,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHASES: [(Phase, char); 11] = [
        (Phase::Idle, 'I'),
        (Phase::Searching, 'S'),
        (Phase::Connecting, 'C'),
        (Phase::WillTopic, 'T'),
        (Phase::WillMessage, 'M'),
        (Phase::Active, 'A'),
        (Phase::FallingAsleep, 'F'),
        (Phase::Asleep, 'Z'),
        (Phase::Awake, 'W'),
        (Phase::Disconnecting, 'D'),
        (Phase::Waiting, 'B'),
    ];

    const EVENTS: [Event; 14] = [
        Event::Connect,
        Event::Disconnect,
        Event::Sleep,
        Event::Check,
        Event::GatewayKnown,
        Event::Accepted,
        Event::Rejected,
        Event::WillTopicReq,
        Event::WillMsgReq,
        Event::DisconnectReceived,
        Event::PingResp,
        Event::Exhausted,
        Event::WaitOver,
        Event::GiveUp,
    ];

    /// One letter for each event in the order above: the phase that follows, `-` for none.
    const TABLE: [(Phase, &str); 11] = [
        //                     application | gateway known, CONNACK | will | DISCONNECT PINGRESP none | over up
        (Phase::Idle, "S--- --- -- --- --"),
        (Phase::Searching, "-I-- C-- -- --- -I"),
        (Phase::Connecting, "-D-- -AB T- --B --"),
        (Phase::WillTopic, "-D-- -AB TM B-B --"),
        (Phase::WillMessage, "-D-- -AB TM B-B --"),
        (Phase::Active, "-DF- --- -- B-B --"),
        (Phase::FallingAsleep, "CDF- --- -- Z-B --"),
        (Phase::Asleep, "CDFW --- -- --- --"),
        (Phase::Awake, "CDF- --- -- BZZ -B"),
        (Phase::Disconnecting, "---- --- -- I-I --"),
        (Phase::Waiting, "-I-- --- -- --- SI"),
    ];

    #[test]
    fn phase_event_table() {
        let letter =
            |phase| PHASES.iter().find(|(other, _)| *other == phase).map_or('?', |(_, letter)| *letter);
        assert_eq!(TABLE.map(|row| row.0), PHASES.map(|row| row.0), "every phase has a row");
        for (phase, row) in TABLE {
            let row = row.chars().filter(|letter| *letter != ' ');
            assert_eq!(row.clone().count(), EVENTS.len());
            for (event, expected) in EVENTS.iter().zip(row) {
                let next = phase.next(*event).map_or('-', letter);
                assert_eq!(next, expected, "{phase:?} × {event:?}");
            }
        }
    }
}
