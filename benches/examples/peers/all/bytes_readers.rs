//! Peers that read from and write to a `BytesMut`: mqttbytes, rumqttc, mqtt-bytes-v5, rmqtt-codec.

use bytes::BytesMut;
use harness::Case;
use mqtt_codec::ProtocolVersion::{V3_1_1, V5};
use tokio_util::codec::{Decoder, Encoder};

use super::mqtt_packets::Peer;

const LIMIT: usize = 1 << 28;

pub(super) fn cases() -> Vec<Case> {
    [mqttbytes_v4(), mqttbytes_v5(), rumqttc_v4(), rumqttc_v5(), mqtt_bytes_v5(), rmqtt_v3(), rmqtt_v5()]
        .into_iter()
        .flatten()
        .collect()
}

const fn v4(who: &'static str) -> Peer {
    Peer { who, version_name: "v311", version: V3_1_1 }
}

const fn v5(who: &'static str) -> Peer {
    Peer { who, version_name: "v5", version: V5 }
}

/// Reader and writer of one peer.
fn both<P: 'static>(
    peer: Peer,
    read: impl FnMut(&mut BytesMut) -> Option<P> + Clone + 'static,
    write: impl Fn(&P, &mut BytesMut) + Clone + 'static,
) -> Vec<Case> {
    let mut cases = peer.parse_bytes(read.clone());
    let decode = move |bytes: &[u8]| read.clone()(&mut BytesMut::from(bytes));
    cases.extend(peer.encode(decode, BytesMut::with_capacity, move |packet, buffer| {
        buffer.clear();
        write(packet, buffer);
        buffer.len()
    }));
    cases
}

/// The packets that the corpus has, each written by its own type.
macro_rules! written {
    ($module:path, $packet:expr, $buffer:expr) => {{
        use $module as module;
        let written = match $packet {
            module::Packet::Connect(packet) => packet.write($buffer),
            module::Packet::Publish(packet) => packet.write($buffer),
            module::Packet::PubAck(packet) => packet.write($buffer),
            module::Packet::Subscribe(packet) => packet.write($buffer),
            module::Packet::PingReq => module::PingReq.write($buffer),
            _ => return,
        };
        written.expect("room");
    }};
}

fn mqttbytes_v4() -> Vec<Case> {
    both(v4("mqttbytes 0.6.0"), |buffer| mqttbytes::v4::read(buffer, LIMIT).ok(), {
        |packet, buffer| written!(mqttbytes::v4, packet, buffer)
    })
}

fn mqttbytes_v5() -> Vec<Case> {
    both(v5("mqttbytes 0.6.0"), |buffer| mqttbytes::v5::read(buffer, LIMIT).ok(), {
        |packet, buffer| written!(mqttbytes::v5, packet, buffer)
    })
}

fn rumqttc_v4() -> Vec<Case> {
    use rumqttc::mqttbytes::v4::Packet;
    both(
        v4("rumqttc 0.25.1"),
        |buffer| Packet::read(buffer, LIMIT).ok(),
        |packet: &Packet, buffer| {
            packet.write(buffer, LIMIT).expect("room");
        },
    )
}

fn rumqttc_v5() -> Vec<Case> {
    use rumqttc::v5::mqttbytes::v5::Packet;
    let limit = Some(u32::MAX);
    both(
        v5("rumqttc 0.25.1"),
        move |buffer| Packet::read(buffer, limit).ok(),
        move |packet: &Packet, buffer| {
            packet.write(buffer, limit).expect("room");
        },
    )
}

fn mqtt_bytes_v5() -> Vec<Case> {
    use mqtt_bytes_v5::Packet;
    both(
        v5("mqtt-bytes-v5 0.1.3"),
        |buffer| Packet::read(buffer, None).ok(),
        |packet: &Packet, buffer| {
            packet.write(buffer).expect("room");
        },
    )
}

fn rmqtt_v3() -> Vec<Case> {
    use rmqtt_codec::v3::Codec;
    let mut codec = Codec::new(0);
    let read = move |buffer: &mut BytesMut| Some(codec.decode(buffer).ok()??.0);
    both(v4("rmqtt-codec 0.3.1"), read, |packet, buffer| {
        Codec::new(0).encode(packet.clone(), buffer).expect("room");
    })
}

fn rmqtt_v5() -> Vec<Case> {
    use rmqtt_codec::v5::Codec;
    let mut codec = Codec::new(0, 0);
    let read = move |buffer: &mut BytesMut| Some(codec.decode(buffer).ok()??.0);
    both(v5("rmqtt-codec 0.3.1"), read, |packet, buffer| {
        Codec::new(0, 0).encode(packet.clone(), buffer).expect("room");
    })
}
