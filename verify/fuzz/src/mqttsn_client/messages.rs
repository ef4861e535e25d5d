//! What gateways say: what answers a message of the client, and anything else.

use mqttsn_codec::{
    Advertise, Connect, Delivery, Disconnect, GwInfo, MessageId, Packet, PingReq, PubAck, Publish, QoS,
    RegAck, Register, ReturnCode, SearchGw, ShortTopic, SubAck, Subscribe, SubscribeTopic, Topic, TopicId,
};

use super::config::qos;
use crate::Source;

pub(super) const NAMES: [&str; 6] = ["a", "b/c", "d", "a topic name that takes some room", "w/+", ""];

/// What a gateway answers, if a code has room there then with this one.
pub(super) fn answer(sent: &[u8], return_code: ReturnCode, topic_id: Option<u16>) -> Option<Vec<u8>> {
    let id_of = |name: &str| topic_id.unwrap_or_else(|| number_of(name));
    let answer = match Packet::decode(sent).ok()? {
        Packet::SearchGw(_) => Packet::GwInfo(GwInfo { gateway_id: 1, address: None }),
        Packet::Connect(Connect { will: true, .. }) if return_code.is_accepted() => Packet::WillTopicReq,
        Packet::WillTopic(Some(_)) if return_code.is_accepted() => Packet::WillMsgReq,
        Packet::Connect(_) | Packet::WillTopic(_) | Packet::WillMsg(_) => Packet::ConnAck(return_code),
        Packet::Register(Register { message_id, topic_name, .. }) => {
            Packet::RegAck(RegAck { topic_id: id_of(topic_name), message_id, return_code })
        }
        Packet::Publish(Publish { delivery, topic, .. }) => match delivery {
            Delivery::AtMostOnce if return_code.is_accepted() => return None,
            Delivery::ExactlyOnce { message_id, .. } if return_code.is_accepted() => {
                Packet::PubRec(message_id)
            }
            _ => {
                let (topic_id, message_id) = (topic.field(), delivery.message_id());
                Packet::PubAck(PubAck { topic_id, message_id, return_code })
            }
        },
        Packet::PubRec(id) => Packet::PubRel(id),
        Packet::PubRel(id) => Packet::PubComp(id),
        Packet::Subscribe(Subscribe { qos, message_id, topic, .. }) => {
            let topic_id = match topic {
                SubscribeTopic::Name(name) => id_of(name),
                SubscribeTopic::Predefined(id) => id.get(),
                SubscribeTopic::Short(name) => name.field(),
            };
            Packet::SubAck(SubAck { qos, topic_id, message_id, return_code })
        }
        Packet::Unsubscribe(unsubscribe) => Packet::UnsubAck(unsubscribe.message_id),
        Packet::PingReq(_) => Packet::PingResp,
        Packet::Disconnect(_) => Packet::Disconnect(Disconnect { duration: None }),
        Packet::WillTopicUpd(_) => Packet::WillTopicResp(return_code),
        Packet::WillMsgUpd(_) => Packet::WillMsgResp(return_code),
        _ => return None,
    };
    Some(encoded(&answer))
}

/// A topic id for each name, mostly another one.
fn number_of(name: &str) -> u16 {
    name.bytes().fold(7, |number: u16, byte| number.wrapping_mul(31).wrapping_add(byte.into())) % 60_000 + 1
}

/// A message of any kind, with few names and numbers.
pub(super) fn any(source: &mut Source<'_>) -> Vec<u8> {
    let return_code = code(source);
    let (number, name) = (1 + u16::from(source.byte()) % 6, source.pick(&NAMES));
    let message_id = MessageId::new(number).unwrap_or(MessageId::MIN);
    let topic_id = source.mostly(&[number_of(name), 0, 1, 2]);
    encoded(&match source.below(28) {
        0 => Packet::Advertise(Advertise { gateway_id: number as u8, duration: source.pick(&[60, 0, 900]) }),
        1 => Packet::SearchGw(SearchGw { radius: source.pick(&[0, 1]) }),
        2 => Packet::GwInfo(GwInfo { gateway_id: number as u8, address: None }),
        3 => Packet::GwInfo(GwInfo { gateway_id: number as u8, address: Some(&[8]) }),
        4 => Packet::ConnAck(return_code),
        5 => Packet::WillTopicReq,
        6 => Packet::WillMsgReq,
        7..=9 => {
            Packet::Register(Register { topic_id: TopicId::new(topic_id), message_id, topic_name: name })
        }
        10 => Packet::RegAck(RegAck { topic_id, message_id, return_code }),
        11..=16 => publish(source, message_id, topic_id),
        17 => Packet::PubAck(PubAck { topic_id, message_id: MessageId::new(number - 1), return_code }),
        18 => Packet::PubRec(message_id),
        19 | 20 => Packet::PubRel(message_id),
        21 => Packet::PubComp(message_id),
        22 => Packet::SubAck(SubAck { qos: qos(source), topic_id, message_id, return_code }),
        23 => Packet::UnsubAck(message_id),
        24 => Packet::PingReq(PingReq { client_id: None }),
        25 => source.pick(&[Packet::PingResp, Packet::WillTopicResp(return_code)]),
        26 => source
            .pick(&[Packet::Disconnect(Disconnect { duration: None }), Packet::WillMsgResp(return_code)]),
        // What only a client says.
        _ => Packet::Connect(Connect { will: false, clean_session: true, duration: 1, client_id: "c" }),
    })
}

fn publish(source: &mut Source<'_>, message_id: MessageId, topic_id: u16) -> Packet<'static> {
    let dup = source.once_in(4);
    let delivery = match qos(source) {
        QoS::AtMostOnce => Delivery::AtMostOnce,
        QoS::AtLeastOnce => Delivery::AtLeastOnce { message_id, dup },
        QoS::ExactlyOnce => Delivery::ExactlyOnce { message_id, dup },
    };
    let topic = match (source.below(4), TopicId::new(topic_id)) {
        (0, _) => Topic::Short(ShortTopic(*b"ab")),
        (1, Some(id)) => Topic::Predefined(id),
        (_, id) => Topic::Id(id.unwrap_or(TopicId::MIN)),
    };
    Packet::Publish(Publish {
        delivery,
        retain: source.once_in(4),
        topic,
        data: source.pick(&[b"x", b"", b"y"]),
    })
}

/// A message of QoS 2.
pub(super) fn exactly_once(number: u16) -> Vec<u8> {
    let message_id = MessageId::new(number).unwrap_or(MessageId::MAX);
    let delivery = Delivery::ExactlyOnce { message_id, dup: false };
    let topic = Topic::Short(ShortTopic(*b"ab"));
    encoded(&Packet::Publish(Publish { delivery, retain: false, topic, data: b"many" }))
}

/// Mostly accepted.
pub(super) fn code(source: &mut Source<'_>) -> ReturnCode {
    ReturnCode::new(source.mostly(&[0, 1, 2, 3, 9]))
}

/// Nothing, where no message can say it.
pub(super) fn encoded(packet: &Packet<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    _ = packet.encode(&mut bytes);
    bytes
}
