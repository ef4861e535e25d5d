//! What clients say: valid messages over few names and numbers, and answers to what they got.

use mqttsn_codec::{
    Connect, Delivery, Disconnect, Encapsulated, GwInfo, MessageId, MinusOneTopic, Packet, PingReq, PubAck,
    Publish, PublishMinusOne, QoS, RegAck, Register, ReturnCode, SearchGw, ShortTopic, Subscribe,
    SubscribeTopic, Topic, TopicId, Unsubscribe, WillTopic,
};
use mqttsn_core::gateway::Address;

use super::config::PREDEFINED;
use super::ledger::Ledger;
use crate::Source;

/// The clients' identifiers; the last one has to be given another.
pub(super) const CLIENTS: [&str; 5] = ["c1", "c2", "c3", "c4", ""];
pub(super) const TOPICS: [&str; 6] = ["a", "a/b", "ab", "other/b", "$x", "a/b/c/d"];
const NAMES: [&str; 10] = ["a", "a/b", "ab", "other/b", "a/b/c/d", "$x", "a/+", "", "a/#/b", "\u{e9}"];
const FILTERS: [&str; 11] =
    ["a", "a/b", "ab", "#", "a/#", "+/b", "$share/g/a", "other/b", "a/#/b", "", "pre/all"];

/// A place that datagrams come from and go to: of its own, or behind the forwarder.
pub(super) fn place(number: usize) -> Address<u8> {
    match number % 7 {
        0..=4 => Address { peer: 1 + number as u8 % 7, node: None },
        5 => Address { peer: 9, node: Some([1].into()) },
        _ => Address { peer: 9, node: Some([2, 2].into()) },
    }
}

/// A message of a client, which thinks that it has this identifier; the gateway knows it as `is`. What it publishes says where
/// it goes if it shall be `tagged`.
pub(super) fn packet(
    source: &mut Source<'_>,
    client_id: &str,
    ledger: &mut Ledger,
    is: Option<&str>,
    tagged: bool,
) -> Vec<u8> {
    let (message_id, return_code) = (id(source), code(source));
    let (qos, topic_id) = (qos(source), topic_id(source, ledger, is));
    let number = topic_id.map_or(0, TopicId::get);
    let packet = match source.below(40) {
        0 | 1 => return connect(source, client_id),
        2 => return connect(source, source.clone().pick(&CLIENTS)),
        3 => Packet::WillMsgUpd(b"later"),
        4 => Packet::WillTopic(will(source, qos)),
        5 => Packet::WillMsg(b"gone"),
        6..=8 => Packet::Register(Register { topic_id: None, message_id, topic_name: source.pick(&NAMES) }),
        9 => Packet::RegAck(RegAck { topic_id: number, message_id, return_code }),
        10..=17 => {
            let topic = topic(source, topic_id);
            let data = ledger.payload(is.filter(|_| tagged), topic);
            let publish = Publish {
                delivery: delivery(source, qos, message_id),
                retain: source.once_in(5),
                topic,
                data: &data,
            };
            return encoded(&Packet::Publish(publish));
        }
        18 => Packet::PubAck(PubAck { topic_id: number, message_id: Some(message_id), return_code }),
        19 => Packet::PubRec(message_id),
        20 | 21 => Packet::PubRel(message_id),
        22 => Packet::PubComp(message_id),
        23..=27 => Packet::Subscribe(Subscribe { dup: false, qos, message_id, topic: filter(source) }),
        28 => Packet::Unsubscribe(Unsubscribe { message_id, topic: filter(source) }),
        29..=31 => Packet::PingReq(PingReq { client_id: source.once_in(2).then_some(client_id) }),
        32 => Packet::Disconnect(Disconnect { duration: None }),
        33 | 34 => Packet::Disconnect(Disconnect { duration: Some(source.mostly(&[60, 0, 1, 300])) }),
        35 => Packet::WillTopicUpd(will(source, qos)),
        36 => Packet::WillMsgUpd(&[b'm'; 100][..source.below(101)]),
        37 => {
            let topic = [
                MinusOneTopic::Short(short(source)),
                MinusOneTopic::Predefined(TopicId::MIN),
                MinusOneTopic::Name(source.pick(&NAMES)),
            ];
            Packet::PublishMinusOne(PublishMinusOne { retain: false, topic: source.pick(&topic), data: b"x" })
        }
        38 => Packet::SearchGw(SearchGw { radius: source.pick(&[0, 1, 200]) }),
        // What a client does not say to a gateway.
        _ => source.pick(&[
            Packet::PingResp,
            Packet::GwInfo(GwInfo { gateway_id: 1, address: None }),
            Packet::ConnAck(ReturnCode::ACCEPTED),
        ]),
    };
    encoded(&packet)
}

/// A client wants to be connected.
pub(super) fn connect(source: &mut Source<'_>, client_id: &str) -> Vec<u8> {
    let will = source.once_in(3);
    let (clean_session, duration) = (source.once_in(2), source.mostly(&[60, 0, 1, 300]));
    encoded(&Packet::Connect(Connect { will, clean_session, duration, client_id }))
}

/// What a client that behaves answers, mostly with this code.
pub(super) fn answer(got: &[u8], return_code: ReturnCode) -> Option<Vec<u8>> {
    let answer = match Packet::decode(got).ok()? {
        Packet::WillTopicReq => {
            Packet::WillTopic(Some(WillTopic { qos: QoS::AtLeastOnce, retain: false, topic: "w" }))
        }
        Packet::WillMsgReq => Packet::WillMsg(b"gone"),
        Packet::Register(Register { topic_id, message_id, .. }) => {
            Packet::RegAck(RegAck { topic_id: topic_id.map_or(0, TopicId::get), message_id, return_code })
        }
        Packet::Publish(publish) => match publish.delivery {
            Delivery::AtMostOnce => return None,
            Delivery::ExactlyOnce { message_id, .. } if return_code.is_accepted() => {
                Packet::PubRec(message_id)
            }
            delivery => {
                let (topic_id, message_id) = (publish.topic.field(), delivery.message_id());
                Packet::PubAck(PubAck { topic_id, message_id, return_code })
            }
        },
        Packet::PubRec(id) => Packet::PubRel(id),
        Packet::PubRel(id) => Packet::PubComp(id),
        _ => return None,
    };
    Some(encoded(&answer))
}

/// Mostly one that this client was told of.
fn topic_id(source: &mut Source<'_>, ledger: &Ledger, is: Option<&str>) -> Option<TopicId> {
    let known = ledger.ids_of(is);
    let number = usize::from(source.byte());
    let id = known.get(number % known.len().max(1)).copied().filter(|_| !source.once_in(8));
    TopicId::new(id.unwrap_or(number as u16 % 4))
}

fn topic(source: &mut Source<'_>, topic_id: Option<TopicId>) -> Topic {
    match source.below(6) {
        0 => Topic::Short(short(source)),
        1 => Topic::Predefined(TopicId::new(1 + u16::from(source.byte()) % 3).unwrap_or(TopicId::MIN)),
        _ => Topic::Id(topic_id.unwrap_or(TopicId::MAX)),
    }
}

fn short(source: &mut Source<'_>) -> ShortTopic {
    ShortTopic(source.mostly(&[*b"ab", *b"a+", *b"$x", [0xC3, 0x28], *b"\0a", *b"a#"]))
}

fn filter(source: &mut Source<'_>) -> SubscribeTopic<'static> {
    match source.below(6) {
        0 => {
            SubscribeTopic::Predefined(TopicId::new(1 + u16::from(source.byte()) % 3).unwrap_or(TopicId::MIN))
        }
        1 => SubscribeTopic::Short(short(source)),
        _ => SubscribeTopic::Name(source.pick(&FILTERS)),
    }
}

fn will(source: &mut Source<'_>, qos: QoS) -> Option<WillTopic<'static>> {
    let topic = source.mostly(&["w", "w/+", "$w", PREDEFINED[0]]);
    (!source.once_in(3)).then(|| WillTopic { qos, retain: source.once_in(2), topic })
}

fn delivery(source: &mut Source<'_>, qos: QoS, message_id: MessageId) -> Delivery {
    let dup = source.once_in(4);
    match qos {
        QoS::AtMostOnce => Delivery::AtMostOnce,
        QoS::AtLeastOnce => Delivery::AtLeastOnce { message_id, dup },
        QoS::ExactlyOnce => Delivery::ExactlyOnce { message_id, dup },
    }
}

fn id(source: &mut Source<'_>) -> MessageId {
    MessageId::new(1 + u16::from(source.byte()) % 8).unwrap_or(MessageId::MIN)
}

fn qos(source: &mut Source<'_>) -> QoS {
    source.pick(&[QoS::AtLeastOnce, QoS::ExactlyOnce, QoS::AtMostOnce])
}

/// Mostly accepted.
pub(super) fn code(source: &mut Source<'_>) -> ReturnCode {
    ReturnCode::new(source.mostly(&[0, 1, 2, 3, 9]))
}

/// Nothing, where no message can say it.
fn encoded(packet: &Packet<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    _ = packet.encode(&mut bytes);
    bytes
}

/// The datagram that a message at a place is.
pub(super) fn wrapped(at: &Address<u8>, message: Vec<u8>) -> Vec<u8> {
    let Some(node) = &at.node else { return message };
    let mut bytes = Vec::new();
    _ = Encapsulated { radius: 0, wireless_node_id: node, message: &message }.encode(&mut bytes);
    bytes
}
