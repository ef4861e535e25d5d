//! Peers that read from a slice: mqttrs, mqtt-codec-kit, mqtt5-protocol, mqtt-protocol-core.

use std::hint::black_box;
use std::sync::Arc;

use bytes::BytesMut;
use harness::Case;
use mqtt_codec::ProtocolVersion::{V3_1_1, V5};
use mqtt_codec_kit::common::{Decodable, Encodable};
use mqtt_protocol_core::mqtt::packet::{v3_1_1, v5_0};
use mqtt5_protocol::packet::{FixedHeader, MqttPacket, Packet as Mqtt5Packet};

use super::mqtt_packets::Peer;

pub(super) fn cases() -> Vec<Case> {
    [mqttrs(), kit_v4(), kit_v5(), mqtt5_protocol(), protocol_core_v4(), protocol_core_v5()]
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

fn mqttrs() -> Vec<Case> {
    let peer = v4("mqttrs 0.4.1");
    let mut cases = peer.parse_slice(|bytes| match mqttrs::decode_slice(bytes) {
        Ok(Some(packet)) => {
            black_box(&packet);
            true
        }
        _ => false,
    });
    let decode = |bytes: &[u8]| mqttrs::decode_slice(bytes.to_vec().leak()).ok().flatten();
    cases.extend(peer.encode(
        decode,
        |len| vec![0; len],
        |packet, buffer| mqttrs::encode_slice(packet, buffer).expect("room"),
    ));
    cases
}

fn kit<P: Encodable + 'static>(peer: Peer, read: fn(&[u8]) -> Option<P>) -> Vec<Case> {
    let mut cases = peer.parse_slice(move |bytes| match read(bytes) {
        Some(packet) => {
            black_box(&packet);
            true
        }
        None => false,
    });
    cases.extend(peer.encode(read, Vec::with_capacity, |packet: &P, buffer: &mut Vec<u8>| {
        buffer.clear();
        packet.encode(buffer).expect("room");
        buffer.len()
    }));
    cases
}

fn kit_v4() -> Vec<Case> {
    use mqtt_codec_kit::v4::packet::VariablePacket;
    kit(v4("mqtt-codec-kit 1.0.5"), |mut bytes| VariablePacket::decode(&mut bytes).ok())
}

fn kit_v5() -> Vec<Case> {
    use mqtt_codec_kit::v5::packet::VariablePacket;
    kit(v5("mqtt-codec-kit 1.0.5"), |mut bytes| VariablePacket::decode(&mut bytes).ok())
}

fn mqtt5_protocol() -> Vec<Case> {
    let mut cases = Vec::new();
    for (peer, number) in [(v4("mqtt5-protocol 0.16.2"), 4), (v5("mqtt5-protocol 0.16.2"), 5)] {
        let read = move |mut bytes: &[u8]| {
            let header = FixedHeader::decode(&mut bytes).ok()?;
            Mqtt5Packet::decode_from_body_with_version(header.packet_type, &header, &mut bytes, number).ok()
        };
        cases.extend(peer.parse_slice(move |bytes| match read(bytes) {
            Some(packet) => {
                black_box(&packet);
                true
            }
            None => false,
        }));
        cases.extend(peer.encode(read, BytesMut::with_capacity, |packet, buffer| {
            buffer.clear();
            let written = match packet {
                Mqtt5Packet::Connect(packet) => packet.encode(buffer),
                Mqtt5Packet::Publish(packet) => packet.encode(buffer),
                Mqtt5Packet::PubAck(packet) => packet.encode(buffer),
                Mqtt5Packet::Subscribe(packet) => packet.encode(buffer),
                Mqtt5Packet::PingReq => {
                    mqtt5_protocol::packet::pingreq::PingReqPacket::default().encode(buffer)
                }
                _ => Ok(()),
            };
            written.expect("room");
            buffer.len()
        }));
    }
    cases
}

/// The body of a packet in a slice, and its first byte.
fn split(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let header = 1 + bytes.get(1..)?.iter().position(|byte| *byte < 0x80)? + 1;
    Some((*bytes.first()?, bytes.get(header..)?))
}

macro_rules! protocol_core {
    ($peer:expr, $module:ident) => {{
        enum Packet {
            Connect($module::Connect),
            Publish($module::Publish),
            Puback($module::Puback),
            Subscribe($module::Subscribe),
            Pingreq($module::Pingreq),
        }
        let read = |bytes: &[u8]| {
            let (first, body) = split(bytes)?;
            Some(match first >> 4 {
                1 => Packet::Connect($module::Connect::parse(body).ok()?.0),
                3 => Packet::Publish($module::Publish::parse(first & 15, Arc::from(body)).ok()?.0),
                4 => Packet::Puback($module::Puback::parse(body).ok()?.0),
                8 => Packet::Subscribe($module::Subscribe::parse(body).ok()?.0),
                12 => Packet::Pingreq($module::Pingreq::parse(body).ok()?.0),
                _ => return None,
            })
        };
        let mut cases = $peer.parse_slice(move |bytes| match read(bytes) {
            Some(packet) => {
                black_box(&packet);
                true
            }
            None => false,
        });
        cases.extend($peer.encode(read, Vec::with_capacity, |packet, buffer: &mut Vec<u8>| {
            *buffer = match packet {
                Packet::Connect(packet) => packet.to_continuous_buffer(),
                Packet::Publish(packet) => packet.to_continuous_buffer(),
                Packet::Puback(packet) => packet.to_continuous_buffer(),
                Packet::Subscribe(packet) => packet.to_continuous_buffer(),
                Packet::Pingreq(packet) => packet.to_continuous_buffer(),
            };
            buffer.len()
        }));
        cases
    }};
}

fn protocol_core_v4() -> Vec<Case> {
    protocol_core!(v4("mqtt-protocol-core 0.7.9"), v3_1_1)
}

fn protocol_core_v5() -> Vec<Case> {
    protocol_core!(v5("mqtt-protocol-core 0.7.9"), v5_0)
}
