//! Arbitrary valid messages. Their text is leaked: a test ends soon.

use mqttsn_codec::{
    Advertise, Connect, Delivery, Disconnect, Encapsulated, GwInfo, MessageId, MinusOneTopic, Packet,
    PingReq, PubAck, Publish, PublishMinusOne, QoS, RegAck, Register, ReturnCode, SearchGw, ShortTopic,
    SubAck, Subscribe, SubscribeTopic, Topic, TopicId, Unsubscribe, WillTopic,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// Any valid message, RSMB's extension included.
pub(crate) fn packet() -> BoxedStrategy<Packet<'static>> {
    prop_oneof![discovery(), connection(), will(), registration(), publication(), subscription()].boxed()
}

pub(crate) fn encapsulated() -> BoxedStrategy<Encapsulated<'static>> {
    (0..4_u8, vec(any::<u8>(), 0..=252), packet())
        .prop_map(|(radius, node, packet)| Encapsulated {
            radius,
            wireless_node_id: node.leak(),
            message: super::bytes_of(&packet).expect("valid").leak(),
        })
        .boxed()
}

fn discovery() -> BoxedStrategy<Packet<'static>> {
    prop_oneof![
        any::<(u8, u16)>()
            .prop_map(|(gateway_id, duration)| Packet::Advertise(Advertise { gateway_id, duration })),
        any::<u8>().prop_map(|radius| Packet::SearchGw(SearchGw { radius })),
        (any::<u8>(), option::of(vec(any::<u8>(), 1..=255))).prop_map(|(gateway_id, address)| {
            Packet::GwInfo(GwInfo { gateway_id, address: address.map(|octets| &*octets.leak()) })
        }),
    ]
    .boxed()
}

fn connection() -> BoxedStrategy<Packet<'static>> {
    prop_oneof![
        (any::<bool>(), any::<bool>(), any::<u16>(), text("[^\0]{0,30}")).prop_map(
            |(will, clean_session, duration, client_id)| {
                Packet::Connect(Connect { will, clean_session, duration, client_id })
            }
        ),
        code().prop_map(Packet::ConnAck),
        option::of(text("[^\0]{1,23}")).prop_map(|client_id| Packet::PingReq(PingReq { client_id })),
        Just(Packet::PingResp),
        option::of(any::<u16>()).prop_map(|duration| Packet::Disconnect(Disconnect { duration })),
    ]
    .boxed()
}

fn will() -> BoxedStrategy<Packet<'static>> {
    let topic = || {
        option::of((qos(), any::<bool>(), name(1)).prop_map(|(qos, retain, topic)| WillTopic {
            qos,
            retain,
            topic,
        }))
    };
    prop_oneof![
        Just(Packet::WillTopicReq),
        topic().prop_map(Packet::WillTopic),
        Just(Packet::WillMsgReq),
        data().prop_map(Packet::WillMsg),
        topic().prop_map(Packet::WillTopicUpd),
        code().prop_map(Packet::WillTopicResp),
        data().prop_map(Packet::WillMsgUpd),
        code().prop_map(Packet::WillMsgResp),
    ]
    .boxed()
}

fn registration() -> BoxedStrategy<Packet<'static>> {
    prop_oneof![
        (option::of(topic_id()), message_id(), name(0)).prop_map(|(topic_id, message_id, topic_name)| {
            Packet::Register(Register { topic_id, message_id, topic_name })
        }),
        (any::<u16>(), message_id(), code()).prop_map(|(topic_id, message_id, return_code)| {
            Packet::RegAck(RegAck { topic_id, message_id, return_code })
        }),
    ]
    .boxed()
}

fn publication() -> BoxedStrategy<Packet<'static>> {
    let topic = prop_oneof![
        topic_id().prop_map(Topic::Id),
        topic_id().prop_map(Topic::Predefined),
        any::<[u8; 2]>().prop_map(|octets| Topic::Short(ShortTopic(octets))),
    ];
    let delivery = prop_oneof![
        Just(Delivery::AtMostOnce),
        (message_id(), any::<bool>()).prop_map(|(message_id, dup)| Delivery::AtLeastOnce { message_id, dup }),
        (message_id(), any::<bool>()).prop_map(|(message_id, dup)| Delivery::ExactlyOnce { message_id, dup }),
    ];
    let minus_one = prop_oneof![
        topic_id().prop_map(MinusOneTopic::Predefined),
        any::<[u8; 2]>().prop_map(|octets| MinusOneTopic::Short(ShortTopic(octets))),
        name(1).prop_map(MinusOneTopic::Name),
    ];
    let puback = prop_oneof![
        (message_id().prop_map(Some), code()),
        (Just(None), (1..=255_u8).prop_map(ReturnCode::new)),
    ];
    prop_oneof![
        4 => (delivery, any::<bool>(), topic, data())
            .prop_map(|(delivery, retain, topic, data)| Packet::Publish(Publish { delivery, retain, topic, data })),
        2 => (any::<bool>(), minus_one, data())
            .prop_map(|(retain, topic, data)| Packet::PublishMinusOne(PublishMinusOne { retain, topic, data })),
        1 => (any::<u16>(), puback).prop_map(|(topic_id, (message_id, return_code))| {
            Packet::PubAck(PubAck { topic_id, message_id, return_code })
        }),
        1 => message_id().prop_map(Packet::PubRec),
        1 => message_id().prop_map(Packet::PubRel),
        1 => message_id().prop_map(Packet::PubComp),
    ]
    .boxed()
}

fn subscription() -> BoxedStrategy<Packet<'static>> {
    let topic = || {
        prop_oneof![
            name(0).prop_map(SubscribeTopic::Name),
            topic_id().prop_map(SubscribeTopic::Predefined),
            any::<[u8; 2]>().prop_map(|octets| SubscribeTopic::Short(ShortTopic(octets))),
        ]
    };
    prop_oneof![
        (any::<bool>(), qos(), message_id(), topic()).prop_map(|(dup, qos, message_id, topic)| {
            Packet::Subscribe(Subscribe { dup, qos, message_id, topic })
        }),
        (qos(), any::<u16>(), message_id(), code()).prop_map(|(qos, topic_id, message_id, return_code)| {
            Packet::SubAck(SubAck { qos, topic_id, message_id, return_code })
        }),
        (message_id(), topic())
            .prop_map(|(message_id, topic)| Packet::Unsubscribe(Unsubscribe { message_id, topic })),
        message_id().prop_map(Packet::UnsubAck),
    ]
    .boxed()
}

fn text(pattern: &'static str) -> BoxedStrategy<&'static str> {
    pattern.prop_map(|text: String| &*text.leak()).boxed()
}

/// A topic name of at least so many characters, some of them long enough for a Length of three octets.
fn name(least: usize) -> BoxedStrategy<&'static str> {
    let least = if least == 0 { "[a-z/+#]{0,20}" } else { "[a-z/+#]{1,20}" };
    prop_oneof![8 => text(least), 2 => text("[^\0]{1,20}"), 1 => text("[a-z/]{240,300}")].boxed()
}

fn data() -> BoxedStrategy<&'static [u8]> {
    prop_oneof![8 => vec(any::<u8>(), 0..40), 1 => vec(any::<u8>(), 240..260)]
        .prop_map(|octets| &*octets.leak())
        .boxed()
}

fn message_id() -> BoxedStrategy<MessageId> {
    (1..=u16::MAX).prop_map(super::id).boxed()
}

fn topic_id() -> BoxedStrategy<TopicId> {
    (1..u16::MAX).prop_map(super::topic).boxed()
}

fn code() -> BoxedStrategy<ReturnCode> {
    any::<u8>().prop_map(ReturnCode::new).boxed()
}

fn qos() -> BoxedStrategy<QoS> {
    prop_oneof![Just(QoS::AtMostOnce), Just(QoS::AtLeastOnce), Just(QoS::ExactlyOnce)].boxed()
}
