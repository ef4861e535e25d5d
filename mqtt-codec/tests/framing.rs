//! Packets out of a stream: any fragmentation, every prefix, and what the fixed header alone shows.

mod common;

use common::{VERSIONS, bytes_of, frame, packet, read, rules, strategies};
use mqtt_codec::{
    Direction, FrameRules, MAX_PACKET_SIZE, Malformed, Packet, PacketType, ProtocolVersion, frame_len_hint,
    next_frame,
};
use proptest::collection::vec;
use proptest::prelude::*;

fn any_packet() -> impl Strategy<Value = (ProtocolVersion, Packet<'static>)> {
    (0..3_usize).prop_flat_map(|version| {
        let version = VERSIONS[version];
        strategies::packet(version, Direction::ClientToServer).prop_map(move |packet| (version, packet))
    })
}

/// What a reader of a connection does: it keeps what it could not use yet.
fn read_in_pieces(stream: &[u8], pieces: &[usize], version: ProtocolVersion) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    let mut kept = Vec::new();
    let mut rest = stream;
    let mut sizes = pieces.iter().cycle();
    while !rest.is_empty() {
        let (piece, later) = rest.split_at(rest.len().min(*sizes.next().expect("cycles")));
        kept.extend_from_slice(piece);
        rest = later;
        while let Some(first) = kept.first() {
            let rules = rules(*first, version, Direction::ClientToServer);
            let Some(frame) = next_frame(&kept, &rules).expect("valid packets") else { break };
            let len = frame.len();
            assert_eq!(frame_len_hint(&kept), Some(len));
            packets.push(kept.drain(..len).collect());
        }
    }
    assert!(kept.is_empty(), "the stream ends with a packet");
    packets
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_fragmentation_gives_the_same_packets(
        packets in vec(strategies::packet(ProtocolVersion::V5, Direction::ClientToServer), 1..8),
        pieces in vec(1..200_usize, 1..6),
    ) {
        let encoded: Vec<_> = packets.iter().map(|packet| bytes_of(packet, ProtocolVersion::V5).unwrap()).collect();
        let stream = encoded.concat();
        prop_assert_eq!(&read_in_pieces(&stream, &pieces, ProtocolVersion::V5), &encoded);
        prop_assert_eq!(&read_in_pieces(&stream, &[1], ProtocolVersion::V5), &encoded);
    }

    #[test]
    fn every_strict_prefix_of_a_packet_needs_more((version, packet) in any_packet()) {
        let bytes = bytes_of(&packet, version).unwrap();
        let rules = rules(bytes[0], version, Direction::ClientToServer);
        for cut in 0..bytes.len() {
            prop_assert_eq!(next_frame(&bytes[..cut], &rules), Ok(None));
            if let Some(hint) = frame_len_hint(&bytes[..cut]) {
                prop_assert_eq!(hint, bytes.len());
            }
        }
        prop_assert!(next_frame(&bytes, &rules).unwrap().is_some());
    }

    /// A body that ends early is malformed, but where the standard lets a body end: after some filters, after
    /// some of the payload, before a reason code or properties. There it is another valid packet.
    #[test]
    fn every_strict_prefix_of_a_body((version, packet) in any_packet()) {
        let bytes = bytes_of(&packet, version).unwrap();
        let body = frame(&bytes, version, Direction::ClientToServer).unwrap().body();
        for cut in 0..body.len().min(2000) {
            let shorter = common::packet(bytes[0], &body[..cut]);
            let decoded = read(&shorter, version, Direction::ClientToServer);
            let Ok(decoded) = decoded else { continue };
            prop_assert!(may_end_at(&packet, version, cut, body.len()), "{:?} cut at {}", packet, cut);
            prop_assert_eq!(decoded.packet_type(), packet.packet_type());
        }
    }
}

fn may_end_at(packet: &Packet<'_>, version: ProtocolVersion, cut: usize, len: usize) -> bool {
    let five = version == ProtocolVersion::V5;
    match packet {
        Packet::Publish(publish) => cut >= len - publish.payload.len(),
        Packet::Subscribe(subscribe) => subscribe.filters.len() > 1 && cut > 4,
        Packet::Unsubscribe(unsubscribe) => unsubscribe.filters.len() > 1 && cut > 4,
        Packet::PubAck(_) | Packet::PubRec(_) | Packet::PubRel(_) | Packet::PubComp(_) => {
            five && (2..=3).contains(&cut)
        }
        Packet::Disconnect(_) => five && cut <= 1,
        Packet::Auth(_) => five && cut == 0,
        // In 3.1 user name and password may be missing although they are announced.
        Packet::Connect(connect) => version == ProtocolVersion::V3_1 && connect.username.is_some(),
        _ => false,
    }
}

const SERVER: FrameRules = FrameRules {
    direction: Direction::ClientToServer,
    first: false,
    version: ProtocolVersion::V5,
    max_packet_size: MAX_PACKET_SIZE,
};
const CLIENT: FrameRules = FrameRules { direction: Direction::ServerToClient, ..SERVER };

#[test]
fn place_in_the_connection() {
    let waiting = FrameRules { first: true, ..SERVER };
    assert_eq!(next_frame(&[0x30], &waiting), Err(Malformed::FirstPacketNotConnect));
    assert_eq!(next_frame(&[0xC0, 0], &waiting), Err(Malformed::FirstPacketNotConnect));
    assert_eq!(next_frame(&[0x10], &waiting), Ok(None));
    assert_eq!(next_frame(&[0x10], &SERVER), Err(Malformed::SecondConnect));

    let waiting = FrameRules { first: true, ..CLIENT };
    assert_eq!(next_frame(&[0x30], &waiting), Err(Malformed::FirstPacketNotConnAck));
    assert_eq!(next_frame(&[0xE0], &waiting), Err(Malformed::FirstPacketNotConnAck));
    assert_eq!(next_frame(&[0x20], &waiting), Ok(None));
    assert_eq!(next_frame(&[0xF0], &waiting), Ok(None));
    assert_eq!(next_frame(&[0x20], &CLIENT), Err(Malformed::SecondConnAck));
}

#[test]
fn an_empty_input_needs_more() {
    assert_eq!(next_frame(&[], &SERVER), Ok(None));
    assert_eq!(frame_len_hint(&[]), None);
    assert_eq!(frame_len_hint(&[0x30]), None);
    assert_eq!(frame_len_hint(&[0x30, 0x80]), None);
    assert_eq!(frame_len_hint(&[0x30, 0x80, 0x01]), Some(131));
    assert_eq!(frame_len_hint(&[0x30, 0xFF, 0xFF, 0xFF, 0xFF]), None);
}

#[test]
fn size_is_refused_from_the_header_alone() {
    let limited = |max_packet_size| FrameRules { max_packet_size, ..SERVER };
    assert_eq!(next_frame(&[0x30, 99], &limited(100)), Err(Malformed::PacketTooLarge));
    assert_eq!(next_frame(&[0x30, 98], &limited(100)), Ok(None));
    assert_eq!(
        next_frame(&[0x30, 0xFF, 0xFF, 0xFF, 0x7F], &limited(MAX_PACKET_SIZE - 1)),
        Err(Malformed::PacketTooLarge)
    );
    assert_eq!(next_frame(&[0x30, 0xFF, 0xFF, 0xFF, 0x7F], &limited(MAX_PACKET_SIZE)), Ok(None));
    assert_eq!(next_frame(&[0xC0, 0], &limited(1)), Err(Malformed::PacketTooLarge));
}

/// The remaining lengths of table 2.4 (3.1.1) at both ends of each size.
#[test]
fn remaining_length_at_its_edges() {
    for (len, header_len) in
        [(0, 2), (127, 2), (128, 3), (16_383, 3), (16_384, 4), (2_097_151, 4), (2_097_152, 5)]
    {
        let bytes = packet(0x30, &vec![0; len]);
        assert_eq!(bytes.len(), len + header_len);
        let frame = next_frame(&bytes, &SERVER).unwrap().expect("whole");
        assert_eq!(
            (frame.len(), frame.body().len(), frame.packet_type()),
            (bytes.len(), len, PacketType::Publish)
        );
    }
    assert_eq!(
        next_frame(&[0x30, 0xFF, 0xFF, 0xFF, 0xFF], &SERVER),
        Err(Malformed::VariableByteIntegerTooLong)
    );
    assert_eq!(next_frame(&[0x30, 0xFF, 0xFF, 0xFF], &SERVER), Ok(None));
}

/// 3.x has no rule against a needlessly long remaining length, 5.0 has, and CONNECT shows its version only
/// inside.
#[test]
fn remaining_length_in_a_longer_form() {
    let long = [0xC0, 0x80, 0x00];
    assert_eq!(next_frame(&long, &SERVER), Err(Malformed::VariableByteIntegerNotShortest));
    let three = FrameRules { version: ProtocolVersion::V3_1_1, ..SERVER };
    assert_eq!(next_frame(&long, &three).unwrap().map(|frame| frame.len()), Some(3));

    let body = |level| [0, 4, b'M', b'Q', b'T', b'T', level, 2, 0, 0, 0, 0, 0];
    let first = FrameRules { first: true, ..SERVER };
    let five = [&[0x10, 0x8D, 0x00], &body(5)[..]].concat();
    let frame = next_frame(&five, &first).unwrap().expect("whole");
    assert_eq!(Packet::decode(frame, ProtocolVersion::V5), Err(Malformed::VariableByteIntegerNotShortest));
    let three = [&[0x10, 0x8C, 0x00], &body(4)[..12]].concat();
    let frame = next_frame(&three, &first).unwrap().expect("whole");
    assert!(matches!(Packet::decode(frame, ProtocolVersion::V5), Ok(Packet::Connect(_))));
}

/// A retransmission in 3.1 sets DUP on packets that are messages of QoS 1 there.
#[test]
fn dup_on_requests_of_3_1() {
    let bytes = packet(0x8A, &[0, 1, 0, 1, b'a', 0]);
    let rules = FrameRules { version: ProtocolVersion::V3_1, ..SERVER };
    let frame = next_frame(&bytes, &rules).unwrap().expect("whole");
    assert!(matches!(Packet::decode(frame, ProtocolVersion::V3_1), Ok(Packet::Subscribe(_))));
}
