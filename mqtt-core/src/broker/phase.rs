//! What a connection may send, and when (MQTT 5 §3.1.4, §4.12).
//!
//! ```text
//!   AwaitConnect ──CONNECT──▶ Connected ◀──────────────┐
//!        │                       │ AUTH 0x19           │ the host admits
//!        │ CONNECT with a method ▼                     │
//!        └────────────────▶ Authenticating ────────────┘
//!                            Reauthenticating ◀─▶ Connected
//!   any ── error, DISCONNECT, take-over, time-out ──▶ Closing
//! ```
//! While a question about the connection is open, its packets are not looked at: no state of its own.

use mqtt_codec::{Packet, PacketType, ReasonCode};

use crate::error::Violation;

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing has come.
    AwaitConnect,
    /// CONNECT has come with an authentication method; the next AUTH is awaited.
    Authenticating,
    /// CONNACK has gone.
    Connected,
    /// As connected, and the next AUTH of a re-authentication is awaited.
    Reauthenticating,
    /// The broker is done with it; output may be left.
    Closing,
}

/// A packet from a client, as far as its admission goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Connect,
    /// PUBLISH, the four acknowledgements, SUBSCRIBE, UNSUBSCRIBE, PINGREQ.
    Traffic(PacketType),
    Disconnect,
    /// AUTH with reason 0x18.
    ContinueAuthentication,
    /// AUTH with reason 0x19.
    Reauthenticate,
    /// What only a server sends.
    ServerPacket(PacketType),
}

impl Event {
    pub(crate) fn of(packet: &Packet<'_>) -> Self {
        match packet {
            Packet::Connect(_) => Self::Connect,
            Packet::Disconnect(_) => Self::Disconnect,
            Packet::Auth(auth) if auth.reason == ReasonCode::RE_AUTHENTICATE => Self::Reauthenticate,
            Packet::Auth(auth) if auth.reason == ReasonCode::CONTINUE_AUTHENTICATION => {
                Self::ContinueAuthentication
            }
            // AUTH with success is a server's (MQTT 5 §3.15.2.1).
            Packet::Auth(_)
            | Packet::ConnAck(_)
            | Packet::SubAck(_)
            | Packet::UnsubAck(_)
            | Packet::PingResp => Self::ServerPacket(packet.packet_type()),
            Packet::Publish(_)
            | Packet::PubAck(_)
            | Packet::PubRec(_)
            | Packet::PubRel(_)
            | Packet::PubComp(_)
            | Packet::Subscribe(_)
            | Packet::Unsubscribe(_)
            | Packet::PingReq => Self::Traffic(packet.packet_type()),
        }
    }

    fn packet_type(self) -> PacketType {
        match self {
            Self::Connect => PacketType::Connect,
            Self::Traffic(packet) | Self::ServerPacket(packet) => packet,
            Self::Disconnect => PacketType::Disconnect,
            Self::ContinueAuthentication | Self::Reauthenticate => PacketType::Auth,
        }
    }
}

impl Phase {
    /// Whether a packet may come now. `enhanced`: CONNECT had an authentication method.
    pub(crate) fn admit(self, event: Event, enhanced: bool) -> Result<(), Violation> {
        let unexpected = Err(Violation::UnexpectedPacket(event.packet_type()));
        match (self, event) {
            (Self::AwaitConnect, Event::Connect)
            | (Self::Authenticating, Event::ContinueAuthentication | Event::Disconnect)
            | (Self::Connected, Event::Traffic(_) | Event::Disconnect)
            | (
                Self::Reauthenticating,
                Event::Traffic(_) | Event::Disconnect | Event::ContinueAuthentication,
            ) => Ok(()),

            (Self::Connected, Event::Reauthenticate) if enhanced => Ok(()),

            (Self::Authenticating | Self::Connected | Self::Reauthenticating, Event::Connect) => {
                Err(Violation::SecondConnect)
            }

            (
                Self::AwaitConnect,
                Event::Traffic(_) | Event::Disconnect | Event::ContinueAuthentication | Event::Reauthenticate,
            )
            | (Self::Authenticating, Event::Traffic(_) | Event::Reauthenticate)
            | (Self::Connected, Event::ContinueAuthentication | Event::Reauthenticate)
            | (Self::Reauthenticating, Event::Reauthenticate)
            | (
                Self::AwaitConnect | Self::Authenticating | Self::Connected | Self::Reauthenticating,
                Event::ServerPacket(_),
            )
            | (
                Self::Closing,
                Event::Connect
                | Event::Traffic(_)
                | Event::Disconnect
                | Event::ContinueAuthentication
                | Event::Reauthenticate
                | Event::ServerPacket(_),
            ) => unexpected,
        }
    }

    /// Whether CONNACK with success has gone.
    pub(crate) fn is_connected(self) -> bool {
        matches!(self, Self::Connected | Self::Reauthenticating)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every phase × event: `+` may come, `-` may not, `2` is a second CONNECT, `a` only with an authentication method.
    #[test]
    fn phase_event_table() {
        let events = [
            Event::Connect,
            Event::Traffic(PacketType::Publish),
            Event::Disconnect,
            Event::ContinueAuthentication,
            Event::Reauthenticate,
            Event::ServerPacket(PacketType::ConnAck),
        ];
        let table = [
            (Phase::AwaitConnect, "+-----"),
            (Phase::Authenticating, "2-++--"),
            (Phase::Connected, "2++-a-"),
            (Phase::Reauthenticating, "2+++--"),
            (Phase::Closing, "------"),
        ];
        for (phase, row) in table {
            for (event, expected) in events.into_iter().zip(row.chars()) {
                for enhanced in [false, true] {
                    let verdict = match phase.admit(event, enhanced) {
                        Ok(()) if expected == 'a' => {
                            assert!(enhanced, "{phase:?} × {event:?}");
                            'a'
                        }
                        Ok(()) => '+',
                        Err(Violation::SecondConnect) => '2',
                        Err(_) if expected == 'a' && !enhanced => 'a',
                        Err(_) => '-',
                    };
                    assert_eq!(verdict, expected, "{phase:?} × {event:?}, enhanced: {enhanced}");
                }
            }
        }
    }
}
