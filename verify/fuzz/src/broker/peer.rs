//! One connection as seen from its client and from the host's socket.

use std::collections::BTreeSet;

use mqtt_codec::{Direction, FrameRules, MAX_PACKET_SIZE, Packet, Properties, ProtocolVersion, next_frame};
use mqtt_core::{ConnectionId, QuestionId};

use super::packets;

/// Longer than any CONNECT that is accepted.
const MOST_OF_CONNECT: usize = 4096;

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Peer {
    pub(super) id: ConnectionId,
    /// What the client's packets are encoded for.
    pub(super) speaks: ProtocolVersion,
    pub(super) said_connect: bool,
    /// Bytes that the broker has not taken.
    pub(super) kept: Vec<u8>,
    /// `Action::Output` was said, and not all output has left.
    pub(super) announced: bool,
    pub(super) closing: bool,
    pub(super) connected: bool,
    pub(super) questions: Vec<OpenQuestion>,
    /// What the client answers to what it got.
    pub(super) replies: Vec<u8>,
    /// The beginning of what was sent, until it is known what was asked for in CONNECT.
    beginning: Vec<u8>,
    asked: Asked,
    incoming: Incoming,
}

/// A question that is not answered. One about a delivery may be overtaken: by then its message is gone.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenQuestion {
    pub(super) id: QuestionId,
    pub(super) about_delivery: bool,
    pub(super) about_connection: bool,
}

/// What the broker has to keep to, once it has accepted the client's CONNECT.
#[derive(Debug)]
struct Asked {
    version: ProtocolVersion,
    max_packet_size: usize,
    topic_alias_maximum: u16,
}

/// What has come from the broker.
#[derive(Debug, Default)]
struct Incoming {
    buffer: Vec<u8>,
    connack: bool,
    ended: bool,
    aliases: BTreeSet<u16>,
}

impl Peer {
    pub(super) fn new(id: ConnectionId) -> Self {
        Self {
            id,
            speaks: ProtocolVersion::V5,
            said_connect: false,
            kept: Vec::new(),
            announced: false,
            closing: false,
            connected: false,
            questions: Vec::new(),
            replies: Vec::new(),
            beginning: Vec::new(),
            // A CONNECT that cannot be read is answered in this version, if at all.
            asked: Asked {
                version: ProtocolVersion::V3_1_1,
                max_packet_size: MAX_PACKET_SIZE as usize,
                topic_alias_maximum: 0,
            },
            incoming: Incoming::default(),
        }
    }

    /// Looks at what the client sends: whatever it is, the broker goes by the CONNECT that it can read there.
    pub(super) fn sends(&mut self, bytes: &[u8]) {
        let room = MOST_OF_CONNECT.saturating_sub(self.beginning.len());
        self.beginning.extend_from_slice(&bytes[..room.min(bytes.len())]);
        let rules = FrameRules {
            direction: Direction::ClientToServer,
            first: true,
            version: ProtocolVersion::V5,
            max_packet_size: MAX_PACKET_SIZE,
        };
        if let Ok(Some(frame)) = next_frame(&self.beginning, &rules)
            && let Ok(Packet::Connect(connect)) = Packet::decode(frame, ProtocolVersion::V5)
        {
            let properties: Properties<'_> = connect.properties;
            self.asked = Asked {
                version: connect.version,
                max_packet_size: properties.maximum_packet_size().map_or(MAX_PACKET_SIZE, Into::into)
                    as usize,
                topic_alias_maximum: properties.topic_alias_maximum().unwrap_or(0),
            };
        }
    }

    /// Reads what the broker has sent: valid packets that suit what the client asked for, and none after the last.
    pub(super) fn receives(&mut self, bytes: &[u8]) {
        self.incoming.buffer.extend_from_slice(bytes);
        let buffer = core::mem::take(&mut self.incoming.buffer);
        let mut rest = &buffer[..];
        loop {
            let rules = FrameRules {
                direction: Direction::ServerToClient,
                first: !self.incoming.connack,
                version: self.asked.version,
                max_packet_size: MAX_PACKET_SIZE,
            };
            let frame = match next_frame(rest, &rules) {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(rule) => panic!("the broker sent {rest:02X?}: {rule:?}"),
            };
            let packet = Packet::decode(frame, self.asked.version);
            let packet = packet.unwrap_or_else(|rule| panic!("the broker sent {rest:02X?}: {rule:?}"));
            assert!(!self.incoming.ended, "after the last packet came {packet:?}");
            assert!(frame.len() <= self.asked.max_packet_size, "too large for the client: {packet:?}");
            self.incoming.look_at(&packet, &self.asked);
            self.replies.extend(packets::reply(&packet, self.asked.version));
            rest = &rest[frame.len()..];
        }
        self.incoming.buffer = rest.to_vec();
    }

    /// Whether what has come from the broker ends with a whole packet.
    pub(super) fn has_whole_packets(&self) -> bool {
        self.incoming.buffer.is_empty()
    }
}

impl Incoming {
    fn look_at(&mut self, packet: &Packet<'_>, asked: &Asked) {
        match packet {
            Packet::ConnAck(connack) => {
                self.connack = true;
                self.ended = connack.reason.is_error();
            }
            Packet::Disconnect(_) => self.ended = true,
            Packet::Publish(publish) => {
                if let Some(alias) = publish.properties.topic_alias() {
                    assert!(alias.get() <= asked.topic_alias_maximum, "{packet:?}");
                    assert!(!publish.topic.is_empty() || self.aliases.contains(&alias.get()), "{packet:?}");
                    self.aliases.insert(alias.get());
                }
            }
            _ => {}
        }
    }
}
