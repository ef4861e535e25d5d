//! Laws of `mqtt-codec` on arbitrary bytes.

use core::fmt::Write;

use mqtt_codec::{
    Direction, EncodeError, FrameRules, MAX_PACKET_SIZE, Malformed, Packet, Properties, PropertyContext,
    ProtocolVersion, frame_len_hint, next_frame,
};

use crate::source::{Source, cut};

/// The three versions.
pub const VERSIONS: [ProtocolVersion; 3] =
    [ProtocolVersion::V3_1, ProtocolVersion::V3_1_1, ProtocolVersion::V5];
/// Both directions.
pub const DIRECTIONS: [Direction; 2] = [Direction::ClientToServer, Direction::ServerToClient];

const CONTEXTS: [PropertyContext; 11] = [
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

/// Bytes as a packet, for every version, direction and place in a connection:
/// what is said of them does not change when more bytes come; a packet that is decoded can be encoded, is the same when
/// it is decoded again, and does not change from then on; no strict prefix of it is a packet.
/// Returns in how many ways the bytes are a packet.
pub fn packet(data: &[u8]) -> usize {
    let mut valid = 0;
    for version in VERSIONS {
        for direction in DIRECTIONS {
            for first in [false, true] {
                let rules = FrameRules { direction, first, version, max_packet_size: MAX_PACKET_SIZE };
                said_once(data, rules);
                valid += usize::from(one_packet(data, rules));
            }
        }
    }
    valid
}

/// An answer is final: more bytes change nothing but `None`.
fn said_once(data: &[u8], rules: FrameRules) {
    let whole = next_frame(data, &rules);
    let mut decided = false;
    for cut in cuts(data.len()) {
        let answer = next_frame(&data[..cut], &rules);
        decided |= answer != Ok(None);
        assert_eq!(answer, if decided { whole } else { Ok(None) }, "after {cut} bytes of {data:02X?}");
    }
}

/// All short lengths below `len`, and some long ones.
fn cuts(len: usize) -> impl Iterator<Item = usize> {
    (0..len.min(24)).chain((24..len).step_by(61)).chain(len.checked_sub(1))
}

fn one_packet(data: &[u8], rules: FrameRules) -> bool {
    let frame = match next_frame(data, &rules) {
        Ok(Some(frame)) => frame,
        Ok(None) => {
            assert!(frame_len_hint(data).is_none_or(|len| len > data.len()), "whole, but more is wanted");
            return false;
        }
        Err(rule) => return explained(rule),
    };
    assert_eq!(frame_len_hint(data), Some(frame.len()));
    let smaller = FrameRules { max_packet_size: frame.len() as u32 - 1, ..rules };
    assert_eq!(next_frame(data, &smaller), Err(Malformed::PacketTooLarge));
    match Packet::decode(frame, rules.version) {
        Ok(packet) => {
            let bytes = encoded(&packet, rules.version);
            assert!(bytes.len() <= frame.len(), "longer than it came: {packet:?}");
            assert_eq!(read(&bytes, rules), Ok(packet), "from {data:02X?}");
            no_prefix_is_a_packet(&bytes, &packet, rules);
            everything_can_be_looked_at(&packet);
            true
        }
        Err(rule) => explained(rule),
    }
}

fn encoded(packet: &Packet<'_>, version: ProtocolVersion) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.encode(version, &mut bytes).expect("what was decoded can be encoded");
    assert_eq!(packet.encoded_len(version), Ok(bytes.len()));

    let mut buffer = vec![0; bytes.len()];
    let short = &mut buffer[1..];
    assert_eq!(packet.encode_to_slice(version, short), Err(EncodeError::NoRoom));
    assert!(short.iter().all(|byte| *byte == 0), "whole or not at all");
    assert_eq!(packet.encode_to_slice(version, &mut buffer), Ok(bytes.len()));
    assert_eq!(buffer, bytes, "the same into any output");
    bytes
}

fn read(bytes: &[u8], rules: FrameRules) -> Result<Packet<'_>, Malformed> {
    let frame = next_frame(bytes, &rules)?.expect("a whole packet");
    assert_eq!(frame.len(), bytes.len());
    Packet::decode(frame, rules.version)
}

/// For framing every prefix is the beginning of a packet. As a packet of its own, with its own length, it is malformed
/// unless it ends where the standard lets one end; then it obeys the laws itself.
fn no_prefix_is_a_packet(bytes: &[u8], packet: &Packet<'_>, rules: FrameRules) {
    for cut in cuts(bytes.len()) {
        assert_eq!(next_frame(&bytes[..cut], &rules), Ok(None), "{cut} bytes of {bytes:02X?}");
    }
    let body = next_frame(bytes, &rules).expect("valid").expect("whole").body();
    for cut in cuts(body.len()) {
        let shorter = with_length(bytes[0], &body[..cut]);
        match read(&shorter, rules) {
            Err(rule) => _ = explained(rule),
            Ok(other) => {
                assert!(may_end_at(packet, rules.version, cut, body.len()), "{packet:?} cut at {cut}");
                assert_eq!(read(&encoded(&other, rules.version), rules), Ok(other));
            }
        }
    }
}

fn may_end_at(packet: &Packet<'_>, version: ProtocolVersion, cut: usize, len: usize) -> bool {
    let five = version == ProtocolVersion::V5;
    match packet {
        Packet::Publish(publish) => cut >= len - publish.payload.len(),
        Packet::Subscribe(subscribe) => subscribe.filters.len() > 1,
        Packet::Unsubscribe(unsubscribe) => unsubscribe.filters.len() > 1,
        Packet::SubAck(suback) => suback.reasons.len() > 1,
        Packet::UnsubAck(unsuback) => unsuback.reasons.len() > 1,
        // Reason code and properties may be left out.
        Packet::PubAck(_) | Packet::PubRec(_) | Packet::PubRel(_) | Packet::PubComp(_) => {
            five && matches!(cut, 2 | 3)
        }
        Packet::Disconnect(_) => five && cut <= 1,
        Packet::Auth(_) => cut == 0,
        // In 3.1 user name and password may be missing although they are announced.
        Packet::Connect(connect) => {
            connect.version == ProtocolVersion::V3_1
                && (connect.username.is_some() || connect.password.is_some())
        }
        Packet::ConnAck(_) | Packet::PingReq | Packet::PingResp => false,
    }
}

/// A packet with this first byte and body.
pub fn with_length(first_byte: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first_byte];
    let mut left = body.len();
    loop {
        let more = if left >= 0x80 { 0x80 } else { 0 };
        bytes.push((left % 0x80) as u8 | more);
        left /= 0x80;
        if left == 0 {
            bytes.extend_from_slice(body);
            return bytes;
        }
    }
}

fn explained(rule: Malformed) -> bool {
    assert!(rule.reason_code().is_error(), "{rule:?}");
    assert!(VERSIONS.iter().all(|version| !rule.statement_in(*version).is_empty()), "{rule:?}");
    false
}

struct Nowhere;

impl Write for Nowhere {
    fn write_str(&mut self, _: &str) -> core::fmt::Result {
        Ok(())
    }
}

fn everything_can_be_looked_at(packet: &Packet<'_>) {
    // Walks through every list and property that the packet has.
    assert!(write!(Nowhere, "{packet:?}").is_ok());
}

/// Bytes as a block of properties of every packet: a block that is valid is the properties that it gives, one after the
/// other; one that is not can still be looked at.
pub fn properties(block: &[u8]) {
    for context in CONTEXTS {
        let any = Properties::assume_valid(block);
        assert!(any.iter().count() <= block.len());
        _ = (any.authentication_data(), any.reason_string(), any.shared_subscription_available());
        match Properties::validate(block, context) {
            Err(rule) => _ = explained(rule),
            Ok(properties) => {
                let mut again = Vec::new();
                for property in &properties {
                    property.encode(&mut again).expect("what was decoded can be encoded");
                }
                assert_eq!(again, block);
                assert_eq!(properties.encoded_len(), Ok(block.len()));
            }
        }
    }
}

/// Bytes as what travels one way on a connection: the packets are the same, and so is the end, however the bytes are cut
/// into pieces.
pub fn stream(data: &[u8]) {
    let mut source = Source::new(data);
    let direction = source.pick(&DIRECTIONS);
    let max_packet_size = source.pick(&[MAX_PACKET_SIZE, 2000, 64, 10]);
    let sizes = source.take(4);
    let bytes = source.rest();
    let rules = FrameRules { direction, first: true, version: ProtocolVersion::V5, max_packet_size };

    let whole = Reader::new(rules).read(core::iter::once(bytes));
    assert_eq!(Reader::new(rules).read(bytes.chunks(1)), whole);
    assert_eq!(Reader::new(rules).read(cut(bytes, sizes)), whole);
}

/// What a peer reads: packets in their shortest form, and the rule that ended the connection.
#[derive(Debug, PartialEq, Eq)]
struct Reader {
    rules: FrameRules,
    kept: Vec<u8>,
    packets: Vec<Vec<u8>>,
    end: Option<Malformed>,
}

impl Reader {
    fn new(rules: FrameRules) -> Self {
        Self { rules, kept: Vec::new(), packets: Vec::new(), end: None }
    }

    fn read<'a>(mut self, pieces: impl Iterator<Item = &'a [u8]>) -> Self {
        for piece in pieces {
            self.kept.extend_from_slice(piece);
            if let Err(rule) = self.read_kept() {
                // What follows is not looked at; how much of it was kept does not matter.
                self.kept.clear();
                self.end = Some(rule);
                break;
            }
        }
        self
    }

    fn read_kept(&mut self) -> Result<(), Malformed> {
        let kept = core::mem::take(&mut self.kept);
        let mut rest = &kept[..];
        while let Some(frame) = next_frame(rest, &self.rules)? {
            rest = &rest[frame.len()..];
            let packet = Packet::decode(frame, self.rules.version)?;
            if let Packet::Connect(connect) = packet {
                self.rules.version = connect.version;
            }
            self.rules.first &= !matches!(packet, Packet::Connect(_) | Packet::ConnAck(_));
            self.packets.push(encoded(&packet, self.rules.version));
        }
        self.kept = rest.to_vec();
        Ok(())
    }
}
