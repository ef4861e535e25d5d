//! Messages to the gateway (§6.6, §6.7, §6.8).

use mqttsn_codec::{MinusOneTopic, Packet, PublishMinusOne, ReturnCode, Topic};
use mqttsn_core::client::{Action, Config, Outcome, PublishTopic, Refused};

use crate::support::*;

const A: Topic = Topic::Id(mqttsn_codec::TopicId::MIN);

fn knowing_a() -> Rig {
    let mut rig = Rig::connected(config());
    rig.know("a", 1);
    rig
}

#[test]
fn qos_1_until_puback() {
    let mut rig = knowing_a();
    let handle = rig.publish("a", AtLeastOnce, "x");
    rig.expect(&[publish(AtLeastOnce, 2, A, false, "x")]);
    rig.advance(secs(20));
    rig.expect(&[publish(AtLeastOnce, 2, A, true, "x"); 2]);
    assert_eq!(rig.client.counters().retransmissions, 2);
    rig.receive(&puback(2, 1, ReturnCode::ACCEPTED));
    rig.expect_completed(&[(handle, Outcome::Published)]);
    assert_eq!((rig.client.unfinished(), rig.client.next_deadline()), (0, None));
}

/// RSMB says 0.
#[test]
fn the_topic_id_of_puback_does_not_matter() {
    let mut rig = knowing_a();
    let handle = rig.publish("a", AtLeastOnce, "x");
    rig.receive(&puback(2, 0, ReturnCode::ACCEPTED));
    rig.expect_completed(&[(handle, Outcome::Published)]);
}

#[test]
fn qos_2_until_pubcomp() {
    let mut rig = knowing_a();
    let handle = rig.publish("a", ExactlyOnce, "x");
    rig.expect(&[publish(ExactlyOnce, 2, A, false, "x")]);
    rig.advance(secs(10));
    rig.expect(&[publish(ExactlyOnce, 2, A, true, "x")]);
    rig.receive(&Packet::PubRec(id(2)));
    rig.expect(&[Packet::PubRel(id(2))]);
    rig.receive(&Packet::PubRec(id(2)));
    rig.expect(&[Packet::PubRel(id(2))]);
    rig.advance(secs(10));
    rig.expect(&[Packet::PubRel(id(2))]);
    rig.expect_completed(&[]);
    rig.receive(&Packet::PubComp(id(2)));
    rig.expect_completed(&[(handle, Outcome::Published)]);
    // Late repetitions do no harm.
    rig.receive(&Packet::PubComp(id(2)));
    rig.receive(&Packet::PubRec(id(2)));
    rig.expect(&[Packet::PubRel(id(2))]);
    rig.expect_completed(&[]);
}

#[test]
fn one_message_at_a_time_but_qos_0_overtakes() {
    let mut rig = knowing_a();
    let first = rig.publish("a", AtLeastOnce, "1");
    let second = rig.publish("a", ExactlyOnce, "2");
    let third = rig.publish("a", AtMostOnce, "3");
    rig.expect(&[publish(AtLeastOnce, 2, A, false, "1"), publish(AtMostOnce, 0, A, false, "3")]);
    rig.expect_completed(&[(third, Outcome::Published)]);
    assert_eq!(rig.client.unfinished(), 2);
    rig.receive(&puback(2, 1, ReturnCode::ACCEPTED));
    rig.expect(&[publish(ExactlyOnce, 3, A, false, "2")]);
    rig.expect_completed(&[(first, Outcome::Published)]);
    rig.receive(&Packet::PubRec(id(3)));
    rig.receive(&Packet::PubComp(id(3)));
    rig.expect_completed(&[(second, Outcome::Published)]);
}

#[test]
fn predefined_and_short_topics_need_no_registration() {
    let mut rig = Rig::connected(config());
    rig.publish_to(PublishTopic::Predefined(topic(9)), AtMostOnce, "1");
    rig.publish_to(PublishTopic::Short(short("ab")), AtLeastOnce, "2");
    rig.expect(&[
        publish(AtMostOnce, 0, Topic::Predefined(topic(9)), false, "1"),
        publish(AtLeastOnce, 1, Topic::Short(short("ab")), false, "2"),
    ]);
}

#[test]
fn a_topic_id_that_the_gateway_forgot_is_registered_again() {
    let mut rig = knowing_a();
    let handle = rig.publish("a", AtLeastOnce, "x");
    rig.forget_sent();
    rig.receive(&puback(2, 1, ReturnCode::INVALID_TOPIC_ID));
    rig.expect(&[register(id(3), "a")]);
    rig.receive(&reg_ack(3, 8, ReturnCode::ACCEPTED));
    rig.expect(&[publish(AtLeastOnce, 2, Topic::Id(topic(8)), false, "x")]);
    rig.receive(&puback(2, 8, ReturnCode::ACCEPTED));
    rig.expect_completed(&[(handle, Outcome::Published)]);
}

#[test]
fn a_gateway_that_forgets_every_time_is_not_asked_for_ever() {
    let mut rig = knowing_a();
    let handle = rig.publish("a", AtLeastOnce, "x");
    for message in 3..6 {
        rig.receive(&puback(2, 1, ReturnCode::INVALID_TOPIC_ID));
        rig.receive(&reg_ack(message, 1, ReturnCode::ACCEPTED));
    }
    rig.expect_completed(&[]);
    rig.receive(&puback(2, 1, ReturnCode::INVALID_TOPIC_ID));
    rig.expect_completed(&[(handle, Outcome::Rejected(ReturnCode::INVALID_TOPIC_ID))]);
}

#[test]
fn a_qos_0_message_may_be_refused_afterwards() {
    let mut rig = knowing_a();
    let handle = rig.publish("a", AtMostOnce, "x");
    rig.expect_completed(&[(handle, Outcome::Published)]);
    rig.forget_sent();
    rig.receive(&puback(0, 1, ReturnCode::INVALID_TOPIC_ID));
    rig.publish("a", AtMostOnce, "y");
    rig.expect(&[register(id(2), "a")]);
}

#[test]
fn what_registering_cannot_cure_is_rejected() {
    let mut rig = Rig::connected(config());
    let rejected = Outcome::Rejected(ReturnCode::INVALID_TOPIC_ID);
    let predefined = rig.publish_to(PublishTopic::Predefined(topic(9)), AtLeastOnce, "1");
    rig.receive(&puback(1, 9, ReturnCode::INVALID_TOPIC_ID));
    rig.expect_completed(&[(predefined, rejected)]);
    let other = rig.publish_to(PublishTopic::Short(short("ab")), ExactlyOnce, "1");
    rig.receive(&puback(2, 0, ReturnCode::NOT_SUPPORTED));
    rig.expect_completed(&[(other, Outcome::Rejected(ReturnCode::NOT_SUPPORTED))]);
}

#[test]
fn qos_minus_one_needs_no_connection() {
    let mut rig = Rig::new(config());
    let topic = MinusOneTopic::Short(short("ab"));
    rig.client.publish_minus_one(OTHER, topic, true, b"x").unwrap();
    rig.expect_to(OTHER, &[Packet::PublishMinusOne(PublishMinusOne { retain: true, topic, data: b"x" })]);
    assert_eq!(rig.client.next_deadline(), None, "and is forgotten");
    let refused = rig.client.publish_minus_one(OTHER, MinusOneTopic::Short(short("a#")), false, b"");
    assert_eq!(refused, Err(Refused::InvalidTopic));
    let refused = rig.client.publish_minus_one(OTHER, topic, false, &[0; 1300]);
    assert_eq!(refused, Err(Refused::TooLong));
}

#[test]
fn what_is_published_without_a_connection_waits() {
    let mut rig = Rig::new(config());
    let first = rig.publish("a", AtMostOnce, "1");
    let second = rig.publish_to(PublishTopic::Short(short("ab")), AtLeastOnce, "2");
    rig.expect(&[]);
    rig.client.connect(rig.now).unwrap();
    rig.accept();
    rig.expect(&[register(id(1), "a")]);
    rig.receive(&reg_ack(1, 1, ReturnCode::ACCEPTED));
    rig.expect(&[
        publish(AtMostOnce, 0, A, false, "1"),
        publish(AtLeastOnce, 2, Topic::Short(short("ab")), false, "2"),
    ]);
    rig.receive(&puback(2, 0, ReturnCode::ACCEPTED));
    rig.expect_completed(&[(first, Outcome::Published), (second, Outcome::Published)]);
}

#[test]
fn qos_0_need_not_wait() {
    let mut rig = Rig::new(Config { queue_qos0: false, ..config() });
    let handle = rig.publish("a", AtMostOnce, "1");
    let outcome = Outcome::NotConnected;
    assert_eq!(rig.told(), [Action::Completed { handle, outcome }]);
    rig.publish("a", AtLeastOnce, "1");
    assert_eq!(rig.client.unfinished(), 1);
}

/// The session goes on with the same gateway: the message is sent again, as what it is.
#[test]
fn a_message_survives_the_loss_of_the_connection() {
    let mut rig = Rig::connected(Config { clean_session: false, ..config() });
    rig.know("a", 1);
    let handle = rig.publish("a", ExactlyOnce, "x");
    rig.forget_sent();
    rig.receive(&Packet::Disconnect(mqttsn_codec::Disconnect { duration: None }));
    rig.accept();
    rig.expect(&[register(id(3), "a")]);
    rig.receive(&reg_ack(3, 4, ReturnCode::ACCEPTED));
    rig.expect(&[publish(ExactlyOnce, 2, Topic::Id(topic(4)), true, "x")]);
    rig.receive(&Packet::PubRec(id(2)));
    rig.expect(&[Packet::PubRel(id(2))]);
    rig.receive(&Packet::Disconnect(mqttsn_codec::Disconnect { duration: None }));
    rig.accept();
    rig.expect(&[Packet::PubRel(id(2))]);
    rig.receive(&Packet::PubComp(id(2)));
    rig.expect_completed(&[(handle, Outcome::Published)]);
}

/// A clean session knows nothing of it: QoS 1 is sent anew, QoS 2 might arrive twice.
#[test]
fn a_clean_session_interrupts_qos_2() {
    let mut rig = knowing_a();
    let handle = rig.publish("a", ExactlyOnce, "x");
    rig.receive(&Packet::Disconnect(mqttsn_codec::Disconnect { duration: None }));
    rig.forget_sent();
    rig.receive(&Packet::ConnAck(ReturnCode::ACCEPTED));
    rig.expect_completed(&[(handle, Outcome::Interrupted)]);
    rig.expect(&[]);

    let mut rig = Rig::connected(config());
    rig.publish_to(PublishTopic::Short(short("ab")), AtLeastOnce, "x");
    rig.receive(&Packet::Disconnect(mqttsn_codec::Disconnect { duration: None }));
    rig.accept();
    rig.expect(&[publish(AtLeastOnce, 2, Topic::Short(short("ab")), false, "x")]);
}
