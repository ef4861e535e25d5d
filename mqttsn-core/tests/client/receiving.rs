//! Messages from the gateway (§6.10).

use mqttsn_codec::{Packet, PingReq, ReturnCode, Topic};
use mqttsn_core::client::{Action, Config, Input, MessageTopic};

use crate::support::*;

const SHORT: Topic = Topic::Short(mqttsn_codec::ShortTopic(*b"ab"));

/// The message comes before its acknowledgement.
#[test]
fn delivery_before_acknowledgement() {
    let mut rig = Rig::connected(config());
    let datagram = encoded(&publish(AtLeastOnce, 9, SHORT, false, "hi"));
    rig.client.handle(Input::Datagram { from: GATEWAY, datagram: &datagram }, rig.now);
    let Some(Action::Message(message)) = rig.client.poll_action() else { panic!("the message first") };
    assert_eq!((message.topic.name(), &message.data[..], message.dup), (Some("ab"), &b"hi"[..], false));
    let Some(Action::Send { .. }) = rig.client.poll_action() else { panic!("then PUBACK") };
}

#[test]
fn each_qos_is_acknowledged_as_it_must_be() {
    let mut rig = Rig::connected(config());
    rig.receive(&publish(AtMostOnce, 0, SHORT, false, "0"));
    rig.expect(&[]);
    rig.receive(&publish(AtLeastOnce, 9, SHORT, false, "1"));
    rig.expect(&[puback(9, SHORT.field(), ReturnCode::ACCEPTED)]);
    rig.receive(&publish(ExactlyOnce, 9, SHORT, false, "2"));
    rig.expect(&[Packet::PubRec(id(9))]);
    rig.receive(&Packet::PubRel(id(9)));
    rig.expect(&[Packet::PubComp(id(9))]);
    assert_eq!(rig.messages().len(), 3);
}

#[test]
fn qos_2_is_delivered_once() {
    let mut rig = Rig::connected(config());
    for dup in [false, true, true] {
        rig.receive(&publish(ExactlyOnce, 9, SHORT, dup, "x"));
    }
    rig.expect(&[Packet::PubRec(id(9)); 3]);
    assert_eq!((rig.messages().len(), rig.client.counters().duplicates), (1, 2));
    rig.receive(&Packet::PubRel(id(9)));
    rig.receive(&Packet::PubRel(id(9)));
    rig.expect(&[Packet::PubComp(id(9)); 2]);
    rig.receive(&publish(ExactlyOnce, 9, SHORT, false, "y"));
    assert_eq!(rig.messages().len(), 1, "the id is free again");
}

/// The network may hold a datagram back, or double it, until after PUBREL.
#[test]
fn qos_2_is_delivered_once_even_if_it_comes_again_after_its_release() {
    let mut rig = Rig::connected(config());
    rig.receive(&publish(ExactlyOnce, 9, SHORT, false, "x"));
    rig.receive(&Packet::PubRel(id(9)));
    rig.receive(&publish(ExactlyOnce, 9, SHORT, false, "x"));
    assert_eq!(rig.messages().len(), 1);
    rig.expect(&[Packet::PubRec(id(9)), Packet::PubComp(id(9)), Packet::PubRec(id(9))]);
    rig.advance(secs(10));
    rig.receive(&publish(ExactlyOnce, 9, SHORT, false, "x"));
    assert_eq!(rig.messages().len(), 1, "later on it is another one");
}

#[test]
fn an_unknown_topic_id_is_told_at_every_qos() {
    let mut rig = Rig::connected(config());
    let unknown = Topic::Id(topic(77));
    rig.receive(&publish(AtMostOnce, 0, unknown, false, "0"));
    rig.receive(&publish(AtLeastOnce, 8, unknown, false, "1"));
    rig.receive(&publish(ExactlyOnce, 9, unknown, false, "2"));
    let invalid = ReturnCode::INVALID_TOPIC_ID;
    rig.expect(&[puback(0, 77, invalid), puback(8, 77, invalid), puback(9, 77, invalid)]);
    assert_eq!((rig.messages().len(), rig.client.counters().unknown_topic), (0, 3));
}

#[test]
fn predefined_ids_are_the_applications() {
    let mut rig = Rig::connected(config());
    rig.receive(&publish(AtMostOnce, 0, Topic::Predefined(topic(3)), false, "0"));
    let message = &rig.messages()[0];
    assert_eq!((&message.topic, message.topic.name()), (&MessageTopic::Predefined(topic(3)), None));
}

#[test]
fn the_gateway_may_ask_whether_the_client_is_there() {
    let mut rig = Rig::connected(config());
    rig.receive(&Packet::PingReq(PingReq { client_id: None }));
    rig.expect(&[Packet::PingResp]);
    rig.receive_from(OTHER, &Packet::PingReq(PingReq { client_id: None }));
    rig.expect_to(OTHER, &[]);
}

#[test]
fn garbage_and_strangers_are_counted() {
    let mut rig = Rig::new(config());
    rig.receive(&Packet::PingResp);
    rig.client.connect(rig.now).unwrap();
    rig.accept();
    for garbage in [&b""[..], b"\x02", b"\x04\x0C\x20\x00", b"\x01\x00\x03", b"\x02\x16\x00"] {
        rig.client.handle(Input::Datagram { from: GATEWAY, datagram: garbage }, rig.now);
    }
    rig.receive(&connect(true, false));
    rig.receive_from(OTHER, &publish(AtLeastOnce, 1, SHORT, false, ""));
    rig.receive(&Packet::PubComp(id(1)));
    rig.receive(&Packet::UnsubAck(id(1)));
    rig.receive(&Packet::PingResp);
    rig.expect(&[]);
    assert_eq!(rig.told(), []);
    let counters = rig.client.counters();
    assert_eq!((counters.malformed, counters.foreign, counters.out_of_place), (5, 3, 3));
}

/// A gateway that began anew may have given the id to another name; one that has not announces it again (§6.10).
#[test]
fn ids_of_an_earlier_connection_mean_nothing() {
    for clean_session in [true, false] {
        let mut rig = Rig::connected(Config { clean_session, ..config() });
        rig.know("a", 5);
        rig.receive(&Packet::Disconnect(mqttsn_codec::Disconnect { duration: None }));
        rig.accept();
        rig.receive(&publish(AtLeastOnce, 7, Topic::Id(topic(5)), false, "of something else"));
        rig.expect(&[puback(7, 5, ReturnCode::INVALID_TOPIC_ID)]);
        assert_eq!(rig.messages(), []);
    }
}
