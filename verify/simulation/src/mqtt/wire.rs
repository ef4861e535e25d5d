//! Packets of clients, built with the codec.

use std::num::NonZeroU16;

use mqtt_codec::{
    Acknowledge, Connect, Delivery, Disconnect, Packet, PacketIdentifier, Properties, Property,
    ProtocolVersion, Publish, QoS, ReasonCode, Subscribe, SubscribeFilters, SubscriptionOptions, Unsubscribe,
    UnsubscribeFilters, Will,
};

use super::ledger::Published;
use super::scenario::ClientSpec;

/// Encodes any packet.
pub(crate) fn put(packet: &Packet<'_>, version: ProtocolVersion, out: &mut Vec<u8>) {
    packet.encode(version, out).expect("the model sends what can be encoded");
}

pub(crate) fn id(number: u16) -> PacketIdentifier {
    PacketIdentifier::new(number).expect("the model knows no identifier 0")
}

/// CONNECT; `clean`: to end the session instead of using it.
pub(crate) fn connect(spec: &ClientSpec, clean: bool, will_payload: &str, out: &mut Vec<u8>) {
    let v5 = spec.version == ProtocolVersion::V5;
    let mut properties = Vec::new();
    if v5 {
        properties.push(Property::SessionExpiryInterval(if clean { 0 } else { spec.expiry }));
        properties.push(Property::TopicAliasMaximum(spec.alias_maximum));
        properties.extend(NonZeroU16::new(spec.receive_maximum).map(Property::ReceiveMaximum));
    }
    let delay = spec.will.iter().map(|will| Property::WillDelayInterval(will.delay)).collect::<Vec<_>>();
    let will = spec.will.as_ref().filter(|_| !clean).map(|will| Will {
        qos: will.qos,
        retain: false,
        properties: if v5 { Properties::list(&delay) } else { Properties::NONE },
        topic: &will.topic,
        payload: will_payload.as_bytes(),
    });
    let connect = Connect {
        version: spec.version,
        clean_start: clean || spec.expiry == 0,
        keep_alive: spec.keep_alive,
        properties: Properties::list(&properties),
        client_id: &spec.id,
        will,
        username: None,
        password: None,
    };
    put(&Packet::Connect(connect), spec.version, out);
}

/// PUBLISH of a message; `packet_id` is not used for QoS 0.
pub(crate) fn publish(
    version: ProtocolVersion,
    message: &Published,
    packet_id: u16,
    dup: bool,
    out: &mut Vec<u8>,
) {
    let delivery = match message.qos {
        QoS::AtMostOnce => Delivery::AtMostOnce,
        QoS::AtLeastOnce => Delivery::AtLeastOnce { packet_id: id(packet_id), dup },
        QoS::ExactlyOnce => Delivery::ExactlyOnce { packet_id: id(packet_id), dup },
    };
    let expiry = message.expiry.map(Property::MessageExpiryInterval);
    let properties = if version == ProtocolVersion::V5 { expiry.as_slice() } else { &[] };
    let publish = Publish {
        delivery,
        retain: message.retain,
        topic: &message.topic,
        properties: Properties::list(properties),
        payload: message.payload.as_bytes(),
    };
    put(&Packet::Publish(publish), version, out);
}

pub(crate) fn subscribe(version: ProtocolVersion, packet_id: u16, filter: &str, qos: QoS, out: &mut Vec<u8>) {
    let filters = [(filter, SubscriptionOptions::qos(qos))];
    let filters = SubscribeFilters::list(&filters);
    let packet = Subscribe { packet_id: id(packet_id), properties: Properties::NONE, filters };
    put(&Packet::Subscribe(packet), version, out);
}

pub(crate) fn unsubscribe(version: ProtocolVersion, packet_id: u16, filter: &str, out: &mut Vec<u8>) {
    let filters = UnsubscribeFilters::list(std::slice::from_ref(&filter));
    let packet = Unsubscribe { packet_id: id(packet_id), properties: Properties::NONE, filters };
    put(&Packet::Unsubscribe(packet), version, out);
}

pub(crate) fn disconnect(version: ProtocolVersion, out: &mut Vec<u8>) {
    put(&Packet::Disconnect(Disconnect::new(ReasonCode::NORMAL_DISCONNECTION)), version, out);
}

/// An acknowledgement that says success.
pub(crate) fn success(packet_id: PacketIdentifier) -> Acknowledge<'static> {
    Acknowledge::success(packet_id)
}
