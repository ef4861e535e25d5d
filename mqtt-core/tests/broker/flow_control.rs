//! Receive maximum, both ways (MQTT 5 §3.3.4, §4.9).

use std::num::NonZeroU16;

use mqtt_codec::{Acknowledge, Packet, Properties, Property, QoS, ReasonCode};
use mqtt_core::{CloseReason, ConnectionId, Violation};

use crate::support::{
    AtLeastOnce, AtMostOnce, Bench, ExactlyOnce, Got, Message, V3_1_1, V5, connect, id, persistent, publish,
    with,
};

fn receive_maximum(number: u16) -> Property<'static> {
    Property::ReceiveMaximum(NonZeroU16::new(number).unwrap())
}

/// A subscriber to `a` with this receive maximum and a session that stays, and a publisher.
fn bench(maximum: u16) -> (Bench, ConnectionId, ConnectionId) {
    let mut bench = Bench::new();
    let subscriber = reconnect(&mut bench, maximum);
    bench.subscribe(subscriber, "a", ExactlyOnce);
    let publisher = bench.connect(&connect(V5, "p"));
    (bench, subscriber, publisher)
}

fn reconnect(bench: &mut Bench, maximum: u16) -> ConnectionId {
    let properties = [receive_maximum(maximum), Property::SessionExpiryInterval(1000)];
    bench.connect(&mqtt_codec::Connect { clean_start: false, ..with(connect(V5, "s"), &properties) })
}

/// Publishes `1`, `2`, … up to `count`.
fn publish_many(bench: &mut Bench, publisher: ConnectionId, qos: QoS, count: u16) {
    for number in 1..=count {
        bench.publish(publisher, &publish("a", number.to_string().as_bytes(), qos, number));
        if qos == ExactlyOnce {
            bench.pubrel(publisher, number);
        }
    }
}

fn negative(packet_id: u16) -> Acknowledge<'static> {
    let reason = ReasonCode::UNSPECIFIED_ERROR;
    Acknowledge { packet_id: id(packet_id), reason, properties: Properties::NONE }
}

fn ids(messages: &[Message]) -> Vec<u16> {
    messages.iter().map(|message| message.packet_id.unwrap()).collect()
}

#[test]
fn no_more_than_the_receive_maximum_is_unacknowledged() {
    // [MQTT-3.3.4-9, MQTT-4.9.0-1, MQTT-4.9.0-2]
    let (mut bench, subscriber, publisher) = bench(2);
    publish_many(&mut bench, publisher, AtLeastOnce, 5);
    let sent = bench.messages(subscriber);
    assert_eq!(sent.len(), 2);
    bench.puback(subscriber, sent[1].packet_id.unwrap());
    assert_eq!(bench.payloads(subscriber), ["3"]);
    bench.puback(subscriber, sent[0].packet_id.unwrap());
    assert_eq!(bench.payloads(subscriber), ["4"]);
}

#[test]
fn a_qos2_message_counts_until_pubcomp_not_until_pubrec() {
    let (mut bench, subscriber, publisher) = bench(1);
    publish_many(&mut bench, publisher, ExactlyOnce, 2);
    let sent = ids(&bench.messages(subscriber))[0];
    bench.pubrec(subscriber, sent);
    assert_eq!(bench.got(subscriber), [Got::PubRel(sent, ReasonCode::SUCCESS)]);
    bench.pubcomp(subscriber, sent);
    assert_eq!(bench.payloads(subscriber), ["2"]);
}

#[test]
fn a_negative_pubrec_frees_quota_and_identifier_at_once() {
    let (mut bench, subscriber, publisher) = bench(1);
    publish_many(&mut bench, publisher, ExactlyOnce, 2);
    let first = ids(&bench.messages(subscriber));
    bench.send(subscriber, &Packet::PubRec(negative(first[0])));
    let second = bench.messages(subscriber);
    assert_eq!((ids(&second), second[0].payload.as_slice()), (first, &b"2"[..]));
}

#[test]
fn quota_zero_holds_up_no_other_packet() {
    // [MQTT-3.3.4-10, MQTT-4.9.0-3]
    let (mut bench, subscriber, publisher) = bench(1);
    publish_many(&mut bench, publisher, AtLeastOnce, 2);
    bench.got(subscriber);
    bench.send(subscriber, &Packet::PingReq);
    bench.subscribe_with(subscriber, "b", mqtt_codec::SubscriptionOptions::qos(AtMostOnce), &[]);
    bench.publish(subscriber, &publish("x", b"", AtLeastOnce, 9));
    bench.unsubscribe(subscriber, "b");
    let expected = [
        Got::PingResp,
        Got::SubAck(77, vec![ReasonCode::SUCCESS]),
        Got::PubAck(9, ReasonCode::NO_MATCHING_SUBSCRIBERS),
        Got::UnsubAck(78, vec![ReasonCode::SUCCESS]),
    ];
    assert_eq!(bench.got(subscriber), expected);
}

#[test]
fn qos0_waits_behind_what_waits_for_quota() {
    // Order is kept over all QoS levels of a topic.
    let (mut bench, subscriber, publisher) = bench(1);
    publish_many(&mut bench, publisher, AtLeastOnce, 2);
    bench.publish(publisher, &publish("a", b"zero", AtMostOnce, 0));
    let sent = bench.messages(subscriber);
    assert_eq!(sent.len(), 1);
    bench.puback(subscriber, sent[0].packet_id.unwrap());
    assert_eq!(bench.payloads(subscriber), ["2", "zero"]);
}

#[test]
fn the_quota_is_made_anew_with_each_connection_and_resent_messages_count() {
    let (mut bench, subscriber, publisher) = bench(3);
    publish_many(&mut bench, publisher, AtLeastOnce, 5);
    let sent = bench.messages(subscriber);
    bench.close(subscriber);
    let subscriber = reconnect(&mut bench, 2);
    let again = bench.messages(subscriber);
    assert_eq!(ids(&again), ids(&sent)[..2], "the smaller maximum holds for what is sent again");
    assert!(again.iter().all(|message| message.dup));
    bench.puback(subscriber, again[0].packet_id.unwrap());
    let third = bench.messages(subscriber);
    assert_eq!((third[0].payload.as_slice(), third[0].dup), (&b"3"[..], true));
    bench.puback(subscriber, again[1].packet_id.unwrap());
    let fourth = bench.messages(subscriber);
    assert_eq!((fourth[0].payload.as_slice(), fourth[0].dup), (&b"4"[..], false));
}

#[test]
fn what_is_acknowledged_before_it_is_sent_again_is_done() {
    let (mut bench, subscriber, publisher) = bench(3);
    publish_many(&mut bench, publisher, AtLeastOnce, 4);
    let sent = ids(&bench.messages(subscriber));
    bench.close(subscriber);
    let subscriber = reconnect(&mut bench, 1);
    assert_eq!(ids(&bench.messages(subscriber)), sent[..1]);
    for late in sent[1..].iter().rev() {
        bench.puback(subscriber, *late);
    }
    assert!(bench.messages(subscriber).is_empty());
    bench.puback(subscriber, sent[0]);
    let next = bench.messages(subscriber);
    assert_eq!((next[0].payload.as_slice(), next[0].dup), (&b"4"[..], false));
}

#[test]
fn a_pubrec_that_comes_before_the_publish_is_sent_again_gets_one_pubrel() {
    let (mut bench, subscriber, publisher) = bench(2);
    publish_many(&mut bench, publisher, ExactlyOnce, 2);
    let sent = ids(&bench.messages(subscriber));
    bench.close(subscriber);
    let subscriber = reconnect(&mut bench, 1);
    bench.got(subscriber);
    bench.pubrec(subscriber, sent[1]);
    bench.pubrec(subscriber, sent[0]);
    bench.pubcomp(subscriber, sent[0]);
    let released = [sent[1], sent[0]].map(|id| Got::PubRel(id, ReasonCode::SUCCESS));
    assert_eq!(bench.got(subscriber), released);
}

#[test]
fn a_pubrel_is_sent_again_even_without_quota() {
    let (mut bench, subscriber, publisher) = bench(2);
    publish_many(&mut bench, publisher, ExactlyOnce, 2);
    let sent = ids(&bench.messages(subscriber));
    bench.pubrec(subscriber, sent[1]);
    bench.close(subscriber);
    let subscriber = reconnect(&mut bench, 1);
    let again = bench.got(subscriber);
    assert!(matches!(&again[0], Got::Publish(message) if message.packet_id == Some(sent[0])));
    assert_eq!(again[1..], [Got::PubRel(sent[1], ReasonCode::SUCCESS)]);
}

#[test]
fn the_broker_announces_its_receive_maximum() {
    let mut bench = Bench::with(|config| config.receive_maximum = 7);
    let (_, properties) = bench.connack(&connect(V5, "c"));
    assert!(properties.contains("ReceiveMaximum(7)"), "{properties}");
}

#[test]
fn too_many_unreleased_messages_are_answered_0x93() {
    let mut bench = Bench::with(|config| config.receive_maximum = 2);
    let client = bench.connect(&connect(V5, "c"));
    for number in 1..=3 {
        bench.publish(client, &publish("a", b"", ExactlyOnce, number));
    }
    let reason = ReasonCode::NO_MATCHING_SUBSCRIBERS;
    let closed = Got::Closed(CloseReason::Violation(Violation::ReceiveMaximumExceeded));
    let expected = [
        Got::PubRec(1, reason),
        Got::PubRec(2, reason),
        Got::Disconnect(ReasonCode::RECEIVE_MAXIMUM_EXCEEDED),
        closed,
    ];
    assert_eq!(bench.got(client), expected);
}

#[test]
fn repeats_and_released_messages_do_not_count_towards_the_brokers_receive_maximum() {
    let mut bench = Bench::with(|config| config.receive_maximum = 1);
    let client = bench.connect(&connect(V5, "c"));
    for number in [1, 1, 1] {
        bench.publish(client, &publish("a", b"", ExactlyOnce, number));
    }
    bench.pubrel(client, 1);
    bench.publish(client, &publish("a", b"", AtLeastOnce, 1));
    bench.publish(client, &publish("a", b"", ExactlyOnce, 2));
    assert!(matches!(bench.got(client).last(), Some(Got::PubRec(2, _))));
}

#[test]
fn unreleased_messages_of_old_clients_are_bounded_too() {
    // CVE-2023-28366: QoS 2 messages that are never released must not pile up.
    let mut bench = Bench::with(|config| config.v3_receive_maximum = 2);
    let client = bench.connect(&connect(V3_1_1, "c"));
    for number in 1..=3 {
        bench.publish(client, &publish("a", b"", ExactlyOnce, number));
    }
    let closed = CloseReason::Violation(Violation::ReceiveMaximumExceeded);
    assert_eq!(bench.got(client).last(), Some(&Got::Closed(closed)));
}

#[test]
fn unreleased_messages_count_across_connections() {
    let mut bench = Bench::with(|config| config.receive_maximum = 2);
    let client = bench.connect(&persistent(V5, "c"));
    bench.publish(client, &publish("a", b"", ExactlyOnce, 1));
    bench.publish(client, &publish("a", b"", ExactlyOnce, 2));
    bench.close(client);
    let client = bench.connect(&persistent(V5, "c"));
    bench.publish(client, &publish("a", b"", ExactlyOnce, 2));
    bench.pubrel(client, 2);
    bench.publish(client, &publish("a", b"", ExactlyOnce, 3));
    assert!(matches!(bench.got(client).last(), Some(Got::PubRec(3, _))));
}

#[test]
fn the_brokers_own_limit_holds_where_the_client_allows_more() {
    let mut bench = Bench::with(|config| config.max_inflight = 1);
    let subscriber = bench.connect(&connect(V3_1_1, "s"));
    bench.subscribe(subscriber, "a", AtLeastOnce);
    let publisher = bench.connect(&connect(V5, "p"));
    publish_many(&mut bench, publisher, AtLeastOnce, 2);
    assert_eq!(bench.messages(subscriber).len(), 1);
}
