//! What several tests share.
#![allow(dead_code, reason = "no test uses all of it")]

pub(crate) mod strategies;

use mqtt_codec::{
    Direction, EncodeError, Frame, FrameRules, MAX_PACKET_SIZE, Malformed, Packet, PacketIdentifier,
    PropertyContext, ProtocolVersion, next_frame,
};

pub(crate) const VERSIONS: [ProtocolVersion; 3] =
    [ProtocolVersion::V3_1, ProtocolVersion::V3_1_1, ProtocolVersion::V5];

pub(crate) const CONTEXTS: [PropertyContext; 11] = [
    PropertyContext::Connect,
    PropertyContext::Will,
    PropertyContext::ConnAck,
    PropertyContext::PublishToServer,
    PropertyContext::PublishToClient,
    PropertyContext::Acknowledgement,
    PropertyContext::Subscribe,
    PropertyContext::Unsubscribe,
    PropertyContext::DisconnectToServer,
    PropertyContext::DisconnectToClient,
    PropertyContext::Auth,
];

pub(crate) fn id(number: u16) -> PacketIdentifier {
    PacketIdentifier::new(number).expect("not 0")
}

/// Rules for a reader who takes the packet with this first byte, as far as its place goes.
pub(crate) fn rules(first_byte: u8, version: ProtocolVersion, direction: Direction) -> FrameRules {
    let first = matches!(first_byte >> 4, 1 | 2);
    FrameRules { direction, first, version, max_packet_size: MAX_PACKET_SIZE }
}

/// The one packet that the bytes are.
pub(crate) fn read(
    bytes: &[u8],
    version: ProtocolVersion,
    direction: Direction,
) -> Result<Packet<'_>, Malformed> {
    let frame = frame(bytes, version, direction)?;
    assert_eq!(frame.len(), bytes.len(), "the header tells the length");
    Packet::decode(frame, version)
}

pub(crate) fn frame(
    bytes: &[u8],
    version: ProtocolVersion,
    direction: Direction,
) -> Result<Frame<'_>, Malformed> {
    let rules = rules(bytes[0], version, direction);
    next_frame(bytes, &rules).map(|frame| frame.expect("a whole packet"))
}

pub(crate) fn from_client(bytes: &[u8], version: ProtocolVersion) -> Result<Packet<'_>, Malformed> {
    read(bytes, version, Direction::ClientToServer)
}

pub(crate) fn from_server(bytes: &[u8], version: ProtocolVersion) -> Result<Packet<'_>, Malformed> {
    read(bytes, version, Direction::ServerToClient)
}

pub(crate) fn bytes_of(packet: &Packet<'_>, version: ProtocolVersion) -> Result<Vec<u8>, EncodeError> {
    let mut bytes = vec![0; packet.encoded_len(version)?];
    let len = packet.encode_to_slice(version, &mut bytes)?;
    assert_eq!(len, bytes.len(), "encoded_len is what encode writes");
    let mut appended = vec![0; len];
    let mut out = &mut appended[..];
    packet.encode(version, &mut out)?;
    assert_eq!(appended, bytes, "an output gets what a slice gets");
    let mut short = vec![0; len - 1];
    assert_eq!(packet.encode_to_slice(version, &mut short), Err(EncodeError::NoRoom));
    assert!(short.iter().all(|byte| *byte == 0), "whole or not at all");
    Ok(bytes)
}

/// A packet of this first byte around a body.
pub(crate) fn packet(first_byte: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first_byte];
    let mut rest = body.len();
    loop {
        bytes.push((rest % 128) as u8 | if rest >= 128 { 0x80 } else { 0 });
        rest /= 128;
        if rest == 0 {
            break;
        }
    }
    bytes.extend_from_slice(body);
    bytes
}

/// Identifiers and places of the properties, copied from table 2-4 of the standard (§2.2.2.2).
pub(crate) const PLACES: [(u8, &[PropertyContext]); 27] = {
    use PropertyContext as In;
    const PUBLISH: &[In] = &[In::Will, In::PublishToServer, In::PublishToClient];
    [
        (0x01, PUBLISH),
        (0x02, PUBLISH),
        (0x03, PUBLISH),
        (0x08, PUBLISH),
        (0x09, PUBLISH),
        (0x0B, &[In::PublishToClient, In::Subscribe]),
        (0x11, &[In::Connect, In::ConnAck, In::DisconnectToServer]),
        (0x12, &[In::ConnAck]),
        (0x13, &[In::ConnAck]),
        (0x15, &[In::Connect, In::ConnAck, In::Auth]),
        (0x16, &[In::Connect, In::ConnAck, In::Auth]),
        (0x17, &[In::Connect]),
        (0x18, &[In::Will]),
        (0x19, &[In::Connect]),
        (0x1A, &[In::ConnAck]),
        (0x1C, &[In::ConnAck, In::DisconnectToClient]),
        (0x1F, &[In::ConnAck, In::Acknowledgement, In::DisconnectToServer, In::DisconnectToClient, In::Auth]),
        (0x21, &[In::Connect, In::ConnAck]),
        (0x22, &[In::Connect, In::ConnAck]),
        (0x23, &[In::PublishToServer, In::PublishToClient]),
        (0x24, &[In::ConnAck]),
        (0x25, &[In::ConnAck]),
        (0x26, &CONTEXTS),
        (0x27, &[In::Connect, In::ConnAck]),
        (0x28, &[In::ConnAck]),
        (0x29, &[In::ConnAck]),
        (0x2A, &[In::ConnAck]),
    ]
};
