//! Congestion: `T_WAIT` of silence (§6.5, §6.6, §6.9).

use mqttsn_codec::{Packet, ReturnCode, SubscribeTopic, Topic};
use mqttsn_core::client::{Config, DisconnectReason, Outcome, PublishTopic};

use crate::support::*;

const BUSY: ReturnCode = ReturnCode::CONGESTION;
const SHORT: Topic = Topic::Short(mqttsn_codec::ShortTopic(*b"ab"));

fn rig() -> Rig {
    Rig::connected(Config { congestion_wait: secs(100), ..config() })
}

#[test]
fn publishing_stops_at_every_qos_for_a_time() {
    let mut rig = rig();
    let first = rig.publish_to(PublishTopic::Short(short("ab")), AtLeastOnce, "1");
    rig.expect(&[publish(AtLeastOnce, 1, SHORT, false, "1")]);
    rig.receive(&puback(1, 0, BUSY));
    let second = rig.publish_to(PublishTopic::Short(short("ab")), AtMostOnce, "2");
    rig.advance(secs(99));
    rig.expect(&[]);
    rig.advance(secs(1));
    rig.expect(&[publish(AtLeastOnce, 1, SHORT, false, "1"), publish(AtMostOnce, 0, SHORT, false, "2")]);
    rig.receive(&puback(1, 0, ReturnCode::ACCEPTED));
    rig.expect_completed(&[(second, Outcome::Published), (first, Outcome::Published)]);
    assert_eq!(rig.client.counters().congestions, 1);
}

#[test]
fn a_refused_qos_0_message_stops_publishing_too() {
    let mut rig = rig();
    rig.publish_to(PublishTopic::Short(short("ab")), AtMostOnce, "1");
    rig.receive(&puback(0, 0, BUSY));
    rig.forget_sent();
    rig.publish_to(PublishTopic::Short(short("ab")), AtMostOnce, "2");
    rig.expect(&[]);
    rig.advance(secs(100));
    rig.expect(&[publish(AtMostOnce, 0, SHORT, false, "2")]);
}

#[test]
fn registration_and_subscription_wait_and_go_on() {
    let mut rig = rig();
    rig.client.register("a", rig.now).unwrap();
    rig.subscribe("b", AtMostOnce);
    rig.expect(&[register(id(1), "a"), subscribe(2, SubscribeTopic::Name("b"), AtMostOnce, false)]);
    rig.receive(&reg_ack(1, 0, BUSY));
    rig.receive(&suback(2, 0, AtMostOnce, BUSY));
    rig.advance(secs(99));
    rig.expect(&[]);
    rig.advance(secs(1));
    rig.expect(&[register(id(3), "a"), subscribe(4, SubscribeTopic::Name("b"), AtMostOnce, false)]);
}

#[test]
fn what_is_put_off_too_often_is_given_up() {
    let mut rig = rig();
    let handle = rig.subscribe("b", AtMostOnce);
    for message in 1..4 {
        rig.receive(&suback(message, 0, AtMostOnce, BUSY));
        rig.advance(secs(100));
    }
    rig.expect_completed(&[]);
    rig.receive(&suback(4, 0, AtMostOnce, BUSY));
    rig.expect_completed(&[(handle, Outcome::Rejected(BUSY))]);
}

#[test]
fn the_only_gateway_is_left_alone_for_t_wait() {
    let mut rig = Rig::new(Config { congestion_wait: secs(100), ..config() });
    rig.client.connect(rig.now).unwrap();
    rig.forget_sent();
    rig.receive(&Packet::ConnAck(BUSY));
    assert_eq!(rig.disconnections(), [(DisconnectReason::Refused(BUSY), Some(rig.now + secs(100)))]);
    rig.advance(secs(100));
    rig.expect(&[connect(true, false)]);
}
