use mqttsn_codec::{Datagram, Packet, Rules};

/// Takes a datagram and writes its message anew, out of its encapsulation if it has one: decodes and encodes every
/// message. Returns how many bytes it wrote.
#[unsafe(no_mangle)]
pub fn no_std_mqttsn_codec(datagram: &[u8], out: &mut [u8]) -> Option<usize> {
    let packet = match Datagram::decode(datagram, &Rules::default()).ok()? {
        Datagram::Packet(packet) => packet,
        Datagram::Encapsulated(encapsulated) => Packet::decode(encapsulated.message).ok()?,
    };
    packet.encode_to_slice(out).ok()
}
