use mqtt_codec::{Direction, FrameRules, Packet, ProtocolVersion, next_frame};

/// Takes the first packet of a stream, in either direction and any version, and writes it anew: decodes and encodes
/// every kind of packet and every property. Returns how many bytes it wrote.
#[unsafe(no_mangle)]
pub fn no_std_mqtt_codec(stream: &[u8], v5: bool, to_server: bool, out: &mut [u8]) -> Option<usize> {
    let version = if v5 { ProtocolVersion::V5 } else { ProtocolVersion::V3_1_1 };
    let direction = if to_server { Direction::ClientToServer } else { Direction::ServerToClient };
    let rules = FrameRules { direction, first: false, version, max_packet_size: 1024 };
    let frame = next_frame(stream, &rules).ok()??;
    let packet = Packet::decode(frame, version).ok()?;
    packet.encode_to_slice(version, out).ok()
}
