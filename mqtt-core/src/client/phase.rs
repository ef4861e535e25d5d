//! The life of a client's connection.
//!
//! ```text
//!          connect            Opened              CONNACK ok
//!   Idle ──────────▶ Opening ────────▶ AwaitConnAck ─────────▶ Connected
//!    ▲                 │ Closed          │ refused, time-out,     │ error, time-out, DISCONNECT
//!    │                 │                 ▼ error                  ▼
//!    │                 │              Closing ◀───────────────────┘
//!    │ no retry        ▼                 │ Closed
//!    └──────────── BackingOff ◀──────────┘
//!                      │ time ──▶ Opening
//! ```

use mqtt_codec::{Packet, PacketType, ReasonCode};

use crate::error::Violation;

/// Where a client's connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// No connection is wanted.
    Idle,
    /// The host is opening one.
    Opening,
    /// CONNECT has gone.
    AwaitConnAck,
    /// CONNACK has come.
    Connected,
    /// The host is closing it.
    Closing,
    /// The next attempt comes later.
    BackingOff,
}

/// A packet from a server, as far as its admission goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    ConnAck,
    /// PUBLISH, the four acknowledgements, SUBACK, UNSUBACK, PINGRESP, DISCONNECT.
    Traffic(PacketType),
    /// AUTH with reason 0x18.
    ContinueAuthentication,
    /// AUTH with reason 0x00.
    AuthenticationDone,
    /// What only a client sends; AUTH with reason 0x19 too.
    ClientPacket(PacketType),
}

impl Event {
    pub(super) fn of(packet: &Packet<'_>) -> Self {
        match packet {
            Packet::ConnAck(_) => Self::ConnAck,
            Packet::Auth(auth) if auth.reason == ReasonCode::SUCCESS => Self::AuthenticationDone,
            Packet::Auth(auth) if auth.reason == ReasonCode::RE_AUTHENTICATE => {
                Self::ClientPacket(PacketType::Auth)
            }
            Packet::Auth(_) => Self::ContinueAuthentication,
            Packet::Connect(_) | Packet::Subscribe(_) | Packet::Unsubscribe(_) | Packet::PingReq => {
                Self::ClientPacket(packet.packet_type())
            }
            Packet::Publish(_)
            | Packet::PubAck(_)
            | Packet::PubRec(_)
            | Packet::PubRel(_)
            | Packet::PubComp(_)
            | Packet::SubAck(_)
            | Packet::UnsubAck(_)
            | Packet::PingResp
            | Packet::Disconnect(_) => Self::Traffic(packet.packet_type()),
        }
    }

    fn packet_type(self) -> PacketType {
        match self {
            Self::ConnAck => PacketType::ConnAck,
            Self::Traffic(packet) | Self::ClientPacket(packet) => packet,
            Self::ContinueAuthentication | Self::AuthenticationDone => PacketType::Auth,
        }
    }
}

impl Phase {
    /// Whether a packet may come now. `enhanced`: an authentication method was sent; `again`: a re-authentication is
    /// under way.
    pub(super) fn admit(self, event: Event, enhanced: bool, again: bool) -> Result<(), Violation> {
        let allowed = match (self, event) {
            (Self::AwaitConnAck, Event::ConnAck) | (Self::Connected, Event::Traffic(_)) => true,
            (Self::AwaitConnAck, Event::ContinueAuthentication) => enhanced,
            (Self::Connected, Event::ContinueAuthentication | Event::AuthenticationDone) => again,
            (Self::AwaitConnAck, Event::Traffic(_) | Event::AuthenticationDone | Event::ClientPacket(_))
            | (Self::Connected, Event::ConnAck | Event::ClientPacket(_))
            | (
                Self::Idle | Self::Opening | Self::Closing | Self::BackingOff,
                Event::ConnAck
                | Event::Traffic(_)
                | Event::ContinueAuthentication
                | Event::AuthenticationDone
                | Event::ClientPacket(_),
            ) => false,
        };
        if allowed { Ok(()) } else { Err(Violation::UnexpectedPacket(event.packet_type())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every phase × event: `+` may come, `-` may not, `e` with enhanced, `r` during re-authentication.
    #[test]
    fn phase_event_table() {
        let events = [
            Event::ConnAck,
            Event::Traffic(PacketType::Publish),
            Event::ContinueAuthentication,
            Event::AuthenticationDone,
            Event::ClientPacket(PacketType::Subscribe),
        ];
        let table = [
            (Phase::Idle, "-----"),
            (Phase::Opening, "-----"),
            (Phase::AwaitConnAck, "+-e--"),
            (Phase::Connected, "-+rr-"),
            (Phase::Closing, "-----"),
            (Phase::BackingOff, "-----"),
        ];
        for (phase, row) in table {
            for (event, expected) in events.into_iter().zip(row.chars()) {
                for (enhanced, again) in [(false, false), (true, false), (true, true)] {
                    let allowed = match expected {
                        '+' => true,
                        'e' => enhanced,
                        'r' => again,
                        _ => false,
                    };
                    assert_eq!(phase.admit(event, enhanced, again).is_ok(), allowed, "{phase:?} × {event:?}");
                }
            }
        }
    }
}
