//! MQTT-SN from a client.

use mqttsn_codec::{
    Connect, Delivery, MessageId, Packet, Publish, QoS, Register, Subscribe, SubscribeTopic, Topic, TopicId,
};

use super::payload;

/// A message of the corpus.
#[derive(Clone)]
pub struct Sample {
    /// Its name in the tables.
    pub name: &'static str,
    /// The whole datagram.
    pub bytes: Vec<u8>,
}

/// A topic id.
pub fn topic_id(number: u16) -> TopicId {
    TopicId::new(number).expect("neither 0 nor 0xFFFF")
}

/// A `MsgId`.
pub fn message_id(number: u16) -> MessageId {
    MessageId::new(number).expect("not 0")
}

/// All messages.
pub fn samples() -> Vec<Sample> {
    let (small, large) = (payload(64), payload(1024));
    let publish = |data| {
        let delivery = Delivery::AtLeastOnce { message_id: message_id(10), dup: false };
        Packet::Publish(Publish { delivery, retain: false, topic: Topic::Id(topic_id(3)), data })
    };
    let connect = Connect { will: false, clean_session: true, duration: 60, client_id: "device-000123" };
    let register = Register { topic_id: None, message_id: message_id(10), topic_name: super::mqtt::TOPIC };
    let subscribe = Subscribe {
        dup: false,
        qos: QoS::AtLeastOnce,
        message_id: message_id(10),
        topic: SubscribeTopic::Name("site/s0100/device/+/alarm"),
    };
    let packets = [
        ("connect", Packet::Connect(connect)),
        ("register_30B", Packet::Register(register)),
        ("publish_q1_64B", publish(&small)),
        ("publish_q1_1KiB", publish(&large)),
        ("subscribe_name", Packet::Subscribe(subscribe)),
        ("pubcomp", Packet::PubComp(message_id(10))),
        ("pingresp", Packet::PingResp),
    ];
    packets.into_iter().map(|(name, packet)| Sample { name, bytes: encoded(&packet) }).collect()
}

/// The datagram of a message.
pub fn encoded(packet: &Packet<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.encode(&mut bytes).expect("valid");
    bytes
}
