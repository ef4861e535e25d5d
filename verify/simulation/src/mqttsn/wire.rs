//! Datagrams in a line of history.

use mqttsn_codec::{Encapsulated, Packet};

/// What a datagram is.
pub(crate) fn line(bytes: &[u8]) -> String {
    if let Ok(whole) = Encapsulated::decode(bytes) {
        return format!("[{}] {}", whole.wireless_node_id.escape_ascii(), line(whole.message));
    }
    match Packet::decode(bytes) {
        Ok(Packet::Publish(publish)) => {
            format!("Publish {:?} {:?} {}", publish.delivery, publish.topic, publish.data.escape_ascii())
        }
        Ok(packet) => format!("{packet:?}"),
        Err(malformed) => format!("{malformed}: {}", bytes.escape_ascii()),
    }
}
