//! A datagram in the words of the vectors.

use super::to_hex;
use mqttsn_codec::{
    Datagram, Delivery, MinusOneTopic, Packet, QoS, ReturnCode, SubscribeTopic, Topic, WillTopic,
};
use serde_json::{Value, json};

pub(crate) fn fields(datagram: &Datagram<'_>) -> Value {
    match datagram {
        Datagram::Packet(packet) => of_packet(packet),
        Datagram::Encapsulated(encapsulated) => json!({
            "type": "ENCAPSULATED",
            "ctrl": encapsulated.radius,
            "radius": encapsulated.radius,
            "node_id": to_hex(encapsulated.wireless_node_id),
            "inner": to_hex(encapsulated.message),
        }),
    }
}

fn of_packet(packet: &Packet<'_>) -> Value {
    let mut fields = match packet {
        Packet::WillTopicReq | Packet::WillMsgReq | Packet::PingResp => json!({}),
        Packet::Advertise(m) => json!({ "gw_id": m.gateway_id, "duration": m.duration }),
        Packet::SearchGw(m) => json!({ "radius": m.radius }),
        Packet::GwInfo(m) => json!({
            "gw_id": m.gateway_id,
            "gw_add": m.address.map(|address| format!("{:02x}{}", address.len(), to_hex(address))),
        }),
        Packet::Connect(m) => json!({
            "flags": flags(false, 0, false, (m.will, m.clean_session), 0),
            "protocol_id": 1,
            "duration": m.duration,
            "client_id": m.client_id,
        }),
        Packet::ConnAck(code) | Packet::WillTopicResp(code) | Packet::WillMsgResp(code) => return_code(*code),
        Packet::WillTopic(will) | Packet::WillTopicUpd(will) => of_will(will.as_ref()),
        Packet::WillMsg(message) | Packet::WillMsgUpd(message) => json!({ "will_msg": to_hex(message) }),
        Packet::Register(m) => json!({
            "topic_id": m.topic_id.map_or(0, mqttsn_codec::TopicId::get),
            "msg_id": m.message_id.get(),
            "topic_name": m.topic_name,
        }),
        Packet::RegAck(m) => json!({
            "topic_id": m.topic_id, "msg_id": m.message_id.get(), "return_code": m.return_code.get(),
        }),
        Packet::Publish(m) => {
            let (dup, qos) = (m.delivery.dup(), m.delivery.qos() as u8);
            let kind = match m.topic {
                Topic::Id(_) => 0,
                Topic::Predefined(_) => 1,
                Topic::Short(_) => 2,
            };
            let message_id = match m.delivery {
                Delivery::AtMostOnce => 0,
                Delivery::AtLeastOnce { message_id, .. } | Delivery::ExactlyOnce { message_id, .. } => {
                    message_id.get()
                }
            };
            json!({
                "flags": flags(dup, qos, m.retain, (false, false), kind),
                "topic_id": m.topic.field(), "msg_id": message_id, "data": to_hex(m.data),
            })
        }
        Packet::PublishMinusOne(m) => {
            let (kind, topic_id, name) = match m.topic {
                MinusOneTopic::Name(name) => (0, name.len() as u16, name),
                MinusOneTopic::Predefined(id) => (1, id.get(), ""),
                MinusOneTopic::Short(name) => (2, name.field(), ""),
            };
            json!({
                "flags": flags(false, 3, m.retain, (false, false), kind),
                "topic_id": topic_id, "msg_id": 0, "data": to_hex(name.as_bytes()) + &to_hex(m.data),
            })
        }
        Packet::PubAck(m) => json!({
            "topic_id": m.topic_id,
            "msg_id": m.message_id.map_or(0, mqttsn_codec::MessageId::get),
            "return_code": m.return_code.get(),
        }),
        Packet::PubComp(id) | Packet::PubRec(id) | Packet::PubRel(id) | Packet::UnsubAck(id) => {
            json!({ "msg_id": id.get() })
        }
        Packet::Subscribe(m) => of_subscription(m.dup, m.qos, m.message_id.get(), &m.topic),
        Packet::Unsubscribe(m) => of_subscription(false, QoS::AtMostOnce, m.message_id.get(), &m.topic),
        Packet::SubAck(m) => json!({
            "flags": flags(false, m.qos as u8, false, (false, false), 0),
            "topic_id": m.topic_id, "msg_id": m.message_id.get(), "return_code": m.return_code.get(),
        }),
        Packet::PingReq(m) => json!({ "client_id": m.client_id }),
        Packet::Disconnect(m) => json!({ "duration": m.duration }),
    };
    fields["type"] = json!(packet.message_type().name());
    fields
}

fn of_will(will: Option<&WillTopic<'_>>) -> Value {
    match will {
        None => json!({ "empty": true }),
        Some(will) => json!({
            "flags": flags(false, will.qos as u8, will.retain, (false, false), 0),
            "will_topic": will.topic,
        }),
    }
}

fn of_subscription(dup: bool, qos: QoS, message_id: u16, topic: &SubscribeTopic<'_>) -> Value {
    let (kind, key, value) = match topic {
        SubscribeTopic::Name(name) => (0, "topic_name", json!(name)),
        SubscribeTopic::Predefined(id) => (1, "topic_id", json!(id.get())),
        SubscribeTopic::Short(name) => (2, "topic_name", json!(name.as_str())),
    };
    json!({ "flags": flags(dup, qos as u8, false, (false, false), kind), "msg_id": message_id, key: value })
}

fn return_code(code: ReturnCode) -> Value {
    json!({ "return_code": code.get() })
}

fn flags(dup: bool, qos: u8, retain: bool, (will, clean): (bool, bool), topic_id_type: u8) -> Value {
    json!({
        "dup": dup, "qos": qos, "retain": retain, "will": will, "clean": clean, "topic_id_type": topic_id_type,
    })
}
