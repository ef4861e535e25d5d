use bytes::BytesMut;
use mqtt_codec::{Packet, ProtocolVersion};

/// Writes a packet into a growing buffer.
#[unsafe(no_mangle)]
pub fn no_std_mqtt_codec_bytes(packet: &Packet<'_>, out: &mut BytesMut) -> bool {
    packet.encode(ProtocolVersion::V5, out).is_ok()
}
