//! QoS 1 and 2 in both directions, across reconnections (MQTT 5 §4.3, §4.4, §4.6).

use crate::support::{
    AtLeastOnce, AtMostOnce, Bench, ExactlyOnce, Got, V3_1_1, V5, connect, persistent, publish,
};
use mqtt_codec::{Packet, Publish, ReasonCode};

#[test]
fn each_qos_arrives_with_the_lesser_of_both() {
    for version in [V3_1_1, V5] {
        for sent in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
            for granted in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
                let mut bench = Bench::new();
                let subscriber = bench.connect(&connect(version, "s"));
                let publisher = bench.connect(&connect(version, "p"));
                bench.subscribe(subscriber, "a/#", granted);
                bench.publish(publisher, &publish("a/b", b"x", sent, 5));
                let messages = bench.messages(subscriber);
                assert_eq!(messages.len(), 1);
                assert_eq!(messages[0].qos, sent.min(granted));
                assert!(!messages[0].dup && !messages[0].retain);
            }
        }
    }
}

#[test]
fn qos2_any_number_of_repeats_is_one_delivery() {
    let mut bench = Bench::new();
    let subscriber = bench.connect(&connect(V5, "s"));
    let publisher = bench.connect(&connect(V5, "p"));
    bench.subscribe(subscriber, "a", AtMostOnce);
    for _ in 0..4 {
        bench.publish(publisher, &publish("a", b"x", ExactlyOnce, 9));
    }
    assert_eq!(bench.got(publisher), vec![Got::PubRec(9, ReasonCode::SUCCESS); 4]);
    bench.pubrel(publisher, 9);
    bench.pubrel(publisher, 9);
    assert_eq!(
        bench.got(publisher),
        [Got::PubComp(9, ReasonCode::SUCCESS), Got::PubComp(9, ReasonCode::PACKET_IDENTIFIER_NOT_FOUND)]
    );
    assert_eq!(bench.payloads(subscriber), ["x"]);
}

#[test]
fn unacknowledged_messages_are_sent_again_in_order_with_dup() {
    let mut bench = Bench::new();
    let subscriber = bench.connect(&persistent(V5, "s"));
    let publisher = bench.connect(&connect(V5, "p"));
    bench.subscribe(subscriber, "a", ExactlyOnce);
    for (packet_id, payload) in (1..).zip([b"1", b"2", b"3", b"4"]) {
        bench.publish(publisher, &publish("a", payload, ExactlyOnce, packet_id));
    }
    let first = bench.messages(subscriber);
    bench.pubrec(subscriber, first[1].packet_id.unwrap());
    bench.close(subscriber);
    bench.publish(publisher, &publish("a", b"5", ExactlyOnce, 9));

    let subscriber = bench.connect(&persistent(V5, "s"));
    let again = bench.got(subscriber);
    let expected: Vec<_> = [(0, true), (2, true), (3, true)]
        .map(|(index, dup)| Got::Publish(crate::support::Message { dup, ..first[index].clone() }))
        .into();
    assert_eq!(again[..3], expected);
    assert_eq!(again[3], Got::PubRel(first[1].packet_id.unwrap(), ReasonCode::SUCCESS));
    assert!(matches!(&again[4], Got::Publish(message) if message.payload == b"5" && !message.dup));
    assert_eq!(again.len(), 5);
}

#[test]
fn nothing_is_sent_again_without_a_reconnection() {
    let mut bench = Bench::new();
    let subscriber = bench.connect(&connect(V5, "s"));
    let publisher = bench.connect(&connect(V5, "p"));
    bench.subscribe(subscriber, "a", AtLeastOnce);
    bench.publish(publisher, &publish("a", b"x", AtLeastOnce, 1));
    assert_eq!(bench.messages(subscriber).len(), 1);
    bench.advance(crate::support::seconds(3600));
    assert_eq!(bench.messages(subscriber).len(), 0);
}

#[test]
fn dup_of_a_publisher_is_not_passed_on() {
    let mut bench = Bench::new();
    let subscriber = bench.connect(&connect(V3_1_1, "s"));
    let publisher = bench.connect(&connect(V3_1_1, "p"));
    bench.subscribe(subscriber, "a", AtLeastOnce);
    let delivery = mqtt_codec::Delivery::AtLeastOnce { packet_id: crate::support::id(4), dup: true };
    let packet = Publish { delivery, ..publish("a", b"x", AtLeastOnce, 4) };
    bench.send(publisher, &Packet::Publish(packet));
    assert!(!bench.messages(subscriber)[0].dup);
}
