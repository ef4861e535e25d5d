//! The life of a client, as the gateway sees it (§6.14, figure 4).
//!
//! ```text
//!                 Accept                 Sleep               Wake
//!  Connecting ─────────────▶ Active ─────────────▶ Asleep ◀────────▶ Awake
//!    ▲   │                    │  ▲                   │   Drained,      │
//!    │   │ Refuse, Silence    │  └──────Accept───────┤   GaveUp        │
//!    │   ▼                    │      (a CONNECT)     ├─────────────────┘
//!    │  Disconnected ◀────────┴──────Disconnect──────┤
//!    └──────┤  Connect                               │
//!         Lost ◀──────────────────────Silence────────┘ (from Active, Asleep and Awake)
//! ```
//! `Connecting` is not in the figure: the client's CONNECT waits for the server's CONNACK. A CONNECT that only repeats
//! itself, or that wakes a sleeper, is no `Connect` here.

/// Where a client stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The server has not let it in yet.
    Connecting,
    /// It sends and gets messages; supervised by the keep alive.
    Active,
    /// Its messages wait; supervised by the sleep duration.
    Asleep,
    /// It gets what has waited.
    Awake,
    /// It took leave. Not supervised.
    Disconnected,
    /// It was silent for too long. The will is out; otherwise as `Disconnected`.
    Lost,
}

/// What happens to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A new connection begins and waits for the server.
    Connect,
    /// CONNACK goes out.
    Accept,
    /// The server does not let the client in, or ends its session.
    Refuse,
    /// DISCONNECT.
    Disconnect,
    /// DISCONNECT with a duration.
    Sleep,
    /// PINGREQ.
    Wake,
    /// All that waited is delivered: PINGRESP goes out.
    Drained,
    /// The client does not answer what it is sent.
    GaveUp,
    /// The time of supervision is over.
    Silence,
}

impl State {
    /// The whole table; `None` where the event means nothing.
    pub(super) const fn next(self, event: Event) -> Option<Self> {
        use State::{Active, Asleep, Awake, Connecting, Disconnected, Lost};
        match (self, event) {
            (Connecting | Active | Asleep | Awake | Disconnected | Lost, Event::Connect) => Some(Connecting),
            (Connecting | Active | Asleep | Awake, Event::Accept) | (Active, Event::Wake | Event::GaveUp) => {
                Some(Active)
            }
            (Active | Asleep | Awake, Event::Sleep) | (Awake, Event::Drained | Event::GaveUp) => Some(Asleep),
            (Asleep | Awake, Event::Wake) => Some(Awake),
            (Connecting | Active | Asleep | Awake | Disconnected | Lost, Event::Disconnect)
            | (Connecting | Active | Asleep | Awake, Event::Refuse)
            | (Connecting, Event::Silence) => Some(Disconnected),
            (Active | Asleep | Awake, Event::Silence) => Some(Lost),
            (Disconnected | Lost, Event::Accept | Event::Refuse | Event::Silence)
            | (Connecting | Disconnected | Lost, Event::Sleep | Event::Wake)
            | (Connecting | Active | Asleep | Disconnected | Lost, Event::Drained)
            | (Connecting | Asleep | Disconnected | Lost, Event::GaveUp) => None,
        }
    }

    /// Whether the client has a connection: what it sends is taken.
    pub(super) const fn is_connected(self) -> bool {
        match self {
            Self::Active | Self::Asleep | Self::Awake => true,
            Self::Connecting | Self::Disconnected | Self::Lost => false,
        }
    }

    /// Whether the client is at no address any more: somebody else may be at the last one that it had.
    pub(super) const fn is_gone(self) -> bool {
        match self {
            Self::Disconnected | Self::Lost => true,
            Self::Connecting | Self::Active | Self::Asleep | Self::Awake => false,
        }
    }

    /// Whether messages may go out now.
    pub(super) const fn is_listening(self) -> bool {
        match self {
            Self::Active | Self::Awake => true,
            Self::Connecting | Self::Asleep | Self::Disconnected | Self::Lost => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Event::{Accept, Connect, Disconnect, Drained, GaveUp, Refuse, Silence, Sleep, Wake};
    use super::*;

    /// Every state × event: the first letter of the next state, `-` where nothing happens (`s` asleep, `w` awake).
    #[test]
    fn state_event_table() {
        let events = [Connect, Accept, Refuse, Disconnect, Sleep, Wake, Drained, GaveUp, Silence];
        let table = [
            (State::Connecting, "CADD----D"),
            (State::Active, "CADDsA-AL"),
            (State::Asleep, "CADDsw--L"),
            (State::Awake, "CADDswssL"),
            (State::Disconnected, "C--D-----"),
            (State::Lost, "C--D-----"),
        ];
        for (state, row) in table {
            for (event, expected) in events.into_iter().zip(row.chars()) {
                let letter = match state.next(event) {
                    Some(State::Connecting) => 'C',
                    Some(State::Active) => 'A',
                    Some(State::Asleep) => 's',
                    Some(State::Awake) => 'w',
                    Some(State::Disconnected) => 'D',
                    Some(State::Lost) => 'L',
                    None => '-',
                };
                assert_eq!(letter, expected, "{state:?} × {event:?}");
            }
        }
    }
}
