//! Packets that tests send, and what they look at of those that they get.

use mqtt_codec::{
    Connect, Delivery, Packet, PacketIdentifier, Properties, Property, ProtocolVersion, Publish, QoS,
    ReasonCode, Will,
};
use mqtt_core::CloseReason;

use super::{AtLeastOnce, AtMostOnce, ExactlyOnce, V3_1, V3_1_1, V5};

pub fn id(number: u16) -> PacketIdentifier {
    PacketIdentifier::new(number).unwrap()
}

pub fn connect(version: ProtocolVersion, client_id: &str) -> Connect<'_> {
    Connect {
        version,
        clean_start: true,
        keep_alive: 0,
        properties: Properties::NONE,
        client_id,
        will: None,
        username: None,
        password: None,
    }
}

/// A connect that keeps its session for ever.
pub fn persistent(version: ProtocolVersion, client_id: &str) -> Connect<'_> {
    let properties = match version {
        V5 => Properties::list(&[Property::SessionExpiryInterval(u32::MAX)]),
        V3_1 | V3_1_1 => Properties::NONE,
    };
    Connect { clean_start: false, properties, ..connect(version, client_id) }
}

/// The same with these properties.
pub fn with<'a>(connect: Connect<'a>, properties: &'a [Property<'a>]) -> Connect<'a> {
    Connect { properties: Properties::list(properties), ..connect }
}

pub fn will<'a>(topic: &'a str, payload: &'a [u8]) -> Will<'a> {
    Will { qos: AtLeastOnce, retain: false, properties: Properties::NONE, topic, payload }
}

pub fn delivery(qos: QoS, packet_id: u16) -> Delivery {
    match qos {
        AtMostOnce => Delivery::AtMostOnce,
        AtLeastOnce => Delivery::AtLeastOnce { packet_id: id(packet_id), dup: false },
        ExactlyOnce => Delivery::ExactlyOnce { packet_id: id(packet_id), dup: false },
    }
}

pub fn publish<'a>(topic: &'a str, payload: &'a [u8], qos: QoS, packet_id: u16) -> Publish<'a> {
    Publish {
        delivery: delivery(qos, packet_id),
        retain: false,
        topic,
        properties: Properties::NONE,
        payload,
    }
}

/// What a client got, as far as tests look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Got {
    ConnAck {
        reason: ReasonCode,
        session_present: bool,
        properties: String,
    },
    Publish(Message),
    PubAck(u16, ReasonCode),
    PubRec(u16, ReasonCode),
    PubRel(u16, ReasonCode),
    PubComp(u16, ReasonCode),
    SubAck(u16, Vec<ReasonCode>),
    UnsubAck(u16, Vec<ReasonCode>),
    PingResp,
    Disconnect(ReasonCode),
    Auth(ReasonCode, Vec<u8>),
    /// The broker closed the connection.
    Closed(CloseReason),
}

/// A PUBLISH that a client got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub topic: String,
    pub payload: Vec<u8>,
    pub qos: QoS,
    pub packet_id: Option<u16>,
    pub dup: bool,
    pub retain: bool,
    /// Its properties as `Debug` shows them.
    pub properties: Vec<String>,
}

pub(super) fn got(packet: &Packet<'_>) -> Got {
    match packet {
        Packet::ConnAck(connack) => Got::ConnAck {
            reason: connack.reason,
            session_present: connack.session_present,
            properties: format!("{:?}", connack.properties.iter().collect::<Vec<_>>()),
        },
        Packet::Publish(publish) => Got::Publish(Message {
            topic: publish.topic.into(),
            payload: publish.payload.into(),
            qos: publish.delivery.qos(),
            packet_id: publish.delivery.packet_id().map(PacketIdentifier::get),
            dup: publish.delivery.dup(),
            retain: publish.retain,
            properties: publish.properties.iter().map(|property| format!("{property:?}")).collect(),
        }),
        Packet::PubAck(ack) => Got::PubAck(ack.packet_id.get(), ack.reason),
        Packet::PubRec(ack) => Got::PubRec(ack.packet_id.get(), ack.reason),
        Packet::PubRel(ack) => Got::PubRel(ack.packet_id.get(), ack.reason),
        Packet::PubComp(ack) => Got::PubComp(ack.packet_id.get(), ack.reason),
        Packet::SubAck(suback) => Got::SubAck(suback.packet_id.get(), suback.reasons.iter().collect()),
        Packet::UnsubAck(unsuback) => {
            Got::UnsubAck(unsuback.packet_id.get(), unsuback.reasons.iter().collect())
        }
        Packet::PingResp => Got::PingResp,
        Packet::Disconnect(disconnect) => Got::Disconnect(disconnect.reason),
        Packet::Auth(auth) => {
            Got::Auth(auth.reason, auth.properties.authentication_data().unwrap_or_default().into())
        }
        other => panic!("a server does not send {other:?}"),
    }
}
