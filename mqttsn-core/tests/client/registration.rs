//! Topic names and ids, both ways (§6.5).

use mqttsn_codec::{Packet, Register, ReturnCode, Topic};
use mqttsn_core::client::{Config, Outcome, Refused};

use crate::support::*;

fn announce(number: u16, message: u16, name: &str) -> Packet<'_> {
    Packet::Register(Register {
        topic_id: mqttsn_codec::TopicId::new(number),
        message_id: id(message),
        topic_name: name,
    })
}

#[test]
fn a_name_gets_an_id_once() {
    let mut rig = Rig::connected(config());
    let first = rig.client.register("a/b", rig.now).unwrap();
    let same = rig.client.register("a/b", rig.now).unwrap();
    rig.expect(&[register(id(1), "a/b")]);
    rig.receive(&reg_ack(1, 5, ReturnCode::ACCEPTED));
    rig.expect_completed(&[(first, Outcome::Registered(topic(5))), (same, Outcome::Registered(topic(5)))]);
    let known = rig.client.register("a/b", rig.now).unwrap();
    rig.expect_completed(&[(known, Outcome::Registered(topic(5)))]);
    rig.expect(&[]);
}

#[test]
fn one_register_at_a_time() {
    let mut rig = Rig::connected(config());
    rig.client.register("a", rig.now).unwrap();
    rig.client.register("b", rig.now).unwrap();
    rig.expect(&[register(id(1), "a")]);
    rig.advance(secs(10));
    rig.expect(&[register(id(1), "a")]);
    rig.receive(&reg_ack(9, 9, ReturnCode::ACCEPTED));
    rig.expect(&[]);
    rig.receive(&reg_ack(1, 9, ReturnCode::ACCEPTED));
    rig.expect(&[register(id(2), "b")]);
}

#[test]
fn publishing_registers_by_itself() {
    let mut rig = Rig::connected(config());
    let first = rig.publish("a/b", AtMostOnce, "1");
    let second = rig.publish("a/b", AtMostOnce, "2");
    rig.expect(&[register(id(1), "a/b")]);
    rig.receive(&reg_ack(1, 5, ReturnCode::ACCEPTED));
    let to = Topic::Id(topic(5));
    rig.expect(&[publish(AtMostOnce, 0, to, false, "1"), publish(AtMostOnce, 0, to, false, "2")]);
    rig.expect_completed(&[(first, Outcome::Published), (second, Outcome::Published)]);
}

#[test]
fn what_the_client_registered_may_come_with_the_same_id() {
    let mut rig = Rig::connected(config());
    rig.know("a/b", 5);
    rig.receive(&publish(AtMostOnce, 0, Topic::Id(topic(5)), false, "1"));
    assert_eq!(rig.messages()[0].topic.name(), Some("a/b"));
    rig.expect(&[]);
}

#[test]
fn a_rejected_name_rejects_its_messages_and_no_others() {
    let mut rig = Rig::connected(config());
    let bad = rig.publish("bad", AtLeastOnce, "1");
    let good = rig.publish("good", AtMostOnce, "2");
    let late = rig.publish("bad", AtMostOnce, "3");
    rig.expect(&[register(id(1), "bad")]);
    rig.receive(&reg_ack(1, 0, ReturnCode::NOT_SUPPORTED));
    let rejected = Outcome::Rejected(ReturnCode::NOT_SUPPORTED);
    rig.expect_completed(&[(bad, rejected), (late, rejected)]);
    rig.expect(&[register(id(2), "good")]);
    rig.receive(&reg_ack(2, 3, ReturnCode::ACCEPTED));
    rig.expect_completed(&[(good, Outcome::Published)]);
}

#[test]
fn an_id_that_cannot_be_is_a_rejection() {
    let mut rig = Rig::connected(config());
    let handle = rig.client.register("a", rig.now).unwrap();
    rig.receive(&reg_ack(1, 0xFFFF, ReturnCode::ACCEPTED));
    rig.expect_completed(&[(handle, Outcome::Rejected(ReturnCode::INVALID_TOPIC_ID))]);
}

#[test]
fn the_gateway_announces_names() {
    let mut rig = Rig::connected(config());
    rig.receive(&announce(7, 300, "w/x"));
    rig.expect(&[reg_ack(300, 7, ReturnCode::ACCEPTED)]);
    rig.receive(&publish(AtMostOnce, 0, Topic::Id(topic(7)), false, "hi"));
    assert_eq!(rig.messages()[0].topic.name(), Some("w/x"));
    // And changes its mind.
    rig.receive(&announce(7, 301, "w/y"));
    rig.receive(&publish(AtMostOnce, 0, Topic::Id(topic(7)), false, "hi"));
    assert_eq!(rig.messages()[0].topic.name(), Some("w/y"));
}

#[test]
fn names_that_are_none_are_refused() {
    let mut rig = Rig::connected(config());
    rig.receive(&announce(7, 300, "w/+"));
    rig.receive(&announce(7, 301, ""));
    rig.receive(&announce(0, 302, "w"));
    rig.expect(&[
        reg_ack(300, 7, ReturnCode::NOT_SUPPORTED),
        reg_ack(301, 7, ReturnCode::NOT_SUPPORTED),
        reg_ack(302, 0, ReturnCode::INVALID_TOPIC_ID),
    ]);
    assert_eq!(rig.client.counters().refused_registrations, 3);
    assert_eq!(rig.client.register("w/+", rig.now), Err(Refused::InvalidTopic));
}

/// A gateway that has begun anew may have given the id to another name.
#[test]
fn a_new_connection_registers_anew() {
    let mut rig = Rig::connected(Config { clean_session: false, ..config() });
    rig.know("a", 5);
    rig.receive(&Packet::Disconnect(mqttsn_codec::Disconnect { duration: None }));
    rig.accept();
    rig.publish("a", AtMostOnce, "1");
    rig.expect(&[register(id(2), "a")]);
}

#[test]
fn the_oldest_ids_make_room() {
    let mut rig = Rig::connected(Config { max_topics: 2, ..config() });
    rig.know("a", 1);
    rig.know("b", 2);
    rig.publish("a", AtMostOnce, "");
    rig.know("c", 3);
    // In each direction.
    assert_eq!(rig.client.counters().evicted_topics, 2);
    rig.forget_sent();
    rig.publish("a", AtMostOnce, "");
    rig.publish("c", AtMostOnce, "");
    assert_eq!(rig.sent.len(), 2, "known still");
    rig.forget_sent();
    rig.publish("b", AtMostOnce, "");
    rig.expect(&[register(id(4), "b")]);
}
