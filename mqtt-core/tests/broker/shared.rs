//! Shared subscriptions (MQTT 5 §4.8.2).

use mqtt_codec::{Acknowledge, Packet, Properties, Property, QoS, ReasonCode, SubscriptionOptions};
use mqtt_core::ConnectionId;

use crate::support::{
    AtLeastOnce, AtMostOnce, Bench, ExactlyOnce, Got, V3_1_1, V5, connect, id, persistent, publish, seconds,
    with,
};

const SHARED: &str = "$share/g/a/#";

/// A publisher, and members with sessions that stay, at this QoS.
fn group(members: usize, qos: QoS) -> (Bench, ConnectionId, Vec<ConnectionId>) {
    let mut bench = Bench::new();
    let publisher = bench.connect(&connect(V5, "p"));
    let members = (0..members).map(|number| member(&mut bench, number, qos)).collect();
    (bench, publisher, members)
}

fn member(bench: &mut Bench, number: usize, qos: QoS) -> ConnectionId {
    let client = bench.connect(&persistent(V5, &format!("m{number}")));
    bench.subscribe(client, SHARED, qos);
    client
}

fn publish_all(bench: &mut Bench, publisher: ConnectionId, qos: QoS, payloads: &[&str]) {
    for payload in payloads {
        bench.publish(publisher, &publish("a/b", payload.as_bytes(), qos, 1));
        if qos == ExactlyOnce {
            bench.pubrel(publisher, 1);
        }
    }
}

#[test]
fn each_message_goes_to_one_member_in_turn() {
    let (mut bench, publisher, members) = group(3, AtMostOnce);
    publish_all(&mut bench, publisher, AtMostOnce, &["1", "2", "3", "4", "5", "6"]);
    let mut all: Vec<_> = members.iter().map(|member| bench.payloads(*member)).collect();
    all.sort_unstable();
    assert_eq!(all, [["1", "4"], ["2", "5"], ["3", "6"]]);
}

#[test]
fn groups_and_plain_subscriptions_each_get_their_copy() {
    let mut bench = Bench::new();
    let client = bench.connect(&connect(V5, "c"));
    for filter in ["$share/g/a", "$share/h/a", "$share/g/+", "a"] {
        bench.subscribe(client, filter, AtMostOnce);
    }
    bench.publish(client, &publish("a", b"x", AtMostOnce, 0));
    assert_eq!(bench.messages(client).len(), 4);
    assert_eq!((bench.broker.gauges().subscriptions, bench.broker.gauges().shared_subscriptions), (4, 3));
}

#[test]
fn old_clients_share_as_well() {
    let mut bench = Bench::new();
    let [a, b] = ["a", "b"].map(|name| bench.connect(&connect(V3_1_1, name)));
    for member in [a, b] {
        bench.subscribe(member, SHARED, AtMostOnce);
    }
    publish_all(&mut bench, a, AtMostOnce, &["1", "2"]);
    assert_eq!((bench.messages(a).len(), bench.messages(b).len()), (1, 1));
}

#[test]
fn a_member_off_line_gets_nothing_while_another_is_on_line() {
    let (mut bench, publisher, members) = group(2, AtLeastOnce);
    bench.close(members[0]);
    publish_all(&mut bench, publisher, AtLeastOnce, &["1", "2", "3"]);
    assert_eq!(bench.payloads(members[1]), ["1", "2", "3"]);
}

#[test]
fn with_nobody_on_line_messages_wait() {
    let (mut bench, publisher, members) = group(1, AtLeastOnce);
    bench.close(members[0]);
    publish_all(&mut bench, publisher, AtLeastOnce, &["1", "2"]);
    let back = bench.connect(&persistent(V5, "m0"));
    assert_eq!(bench.payloads(back), ["1", "2"]);
}

#[test]
fn the_granted_qos_of_the_chosen_member_holds() {
    // [MQTT-4.8.2-3]
    let (mut bench, publisher, members) = group(1, AtMostOnce);
    let other = member(&mut bench, 1, ExactlyOnce);
    publish_all(&mut bench, publisher, AtLeastOnce, &["1", "2"]);
    assert_eq!(bench.messages(members[0])[0].qos, AtMostOnce);
    assert_eq!(bench.messages(other)[0].qos, AtLeastOnce);
}

#[test]
fn what_waits_for_a_member_goes_to_another_when_it_is_lost() {
    // mosquitto #2662, emqx #12257: unsent messages are not stuck with a member that is gone.
    let (mut bench, publisher, _) = group(0, AtLeastOnce);
    let narrow = [Property::ReceiveMaximum(1.try_into().unwrap()), Property::SessionExpiryInterval(1000)];
    let slow = bench.connect(&with(connect(V5, "slow"), &narrow));
    bench.subscribe(slow, SHARED, AtLeastOnce);
    publish_all(&mut bench, publisher, AtLeastOnce, &["1", "2", "3"]);
    let other = member(&mut bench, 1, AtLeastOnce);
    assert_eq!(bench.payloads(slow), ["1"]);
    bench.close(slow);
    assert_eq!(bench.payloads(other), ["2", "3"]);
}

#[test]
fn what_was_sent_at_qos1_but_not_acknowledged_goes_to_another_when_the_session_ends() {
    for unacknowledged in [AtLeastOnce, AtMostOnce] {
        let (mut bench, publisher, _) = group(0, AtLeastOnce);
        let short = [Property::SessionExpiryInterval(10)];
        let dying = bench.connect(&with(connect(V5, "dying"), &short));
        bench.subscribe(dying, SHARED, unacknowledged);
        publish_all(&mut bench, publisher, AtLeastOnce, &["1"]);
        let other = member(&mut bench, 1, AtLeastOnce);
        bench.close(dying);
        assert!(bench.messages(other).is_empty(), "it may still come back");
        bench.advance(seconds(10));
        let expected: &[&str] = if unacknowledged == AtLeastOnce { &["1"] } else { &[] };
        assert_eq!(bench.payloads(other), expected);
    }
}

#[test]
fn a_session_that_ends_with_its_connection_hands_over_at_once() {
    let (mut bench, publisher, _) = group(0, AtLeastOnce);
    let dying = bench.connect(&connect(V3_1_1, "dying"));
    bench.subscribe(dying, SHARED, AtLeastOnce);
    publish_all(&mut bench, publisher, AtLeastOnce, &["1", "2"]);
    let other = member(&mut bench, 1, AtLeastOnce);
    bench.close(dying);
    let messages = bench.messages(other);
    assert_eq!(messages.iter().map(|message| message.payload[0]).collect::<Vec<_>>(), *b"12");
    assert!(messages.iter().all(|message| !message.dup), "to this member it is the first time");
}

#[test]
fn a_qos2_delivery_that_has_begun_stays_with_its_member() {
    // [MQTT-4.8.2-4]
    let (mut bench, publisher, members) = group(2, ExactlyOnce);
    publish_all(&mut bench, publisher, ExactlyOnce, &["1", "2"]);
    bench.messages(members[0]);
    bench.messages(members[1]);
    bench.close(members[0]);
    assert!(bench.messages(members[1]).is_empty());
    let back = bench.connect(&persistent(V5, "m0"));
    let again = bench.messages(back);
    assert_eq!((again.len(), again[0].dup), (1, true));
}

#[test]
fn a_qos2_delivery_that_has_begun_goes_to_nobody_else_when_the_session_ends() {
    // [MQTT-4.8.2-5]
    let (mut bench, publisher, members) = group(2, ExactlyOnce);
    publish_all(&mut bench, publisher, ExactlyOnce, &["1", "2"]);
    bench.messages(members[1]);
    bench.connect(&connect(V5, "m0"));
    assert!(bench.messages(members[1]).is_empty());
    assert_eq!(bench.broker.counters().dropped_session_ended, 1);
}

#[test]
fn a_qos2_message_that_was_not_sent_goes_to_another() {
    let (mut bench, publisher, _) = group(0, ExactlyOnce);
    let narrow = [Property::ReceiveMaximum(1.try_into().unwrap())];
    let slow = bench.connect(&with(connect(V5, "slow"), &narrow));
    bench.subscribe(slow, SHARED, ExactlyOnce);
    publish_all(&mut bench, publisher, ExactlyOnce, &["1", "2"]);
    let other = member(&mut bench, 1, ExactlyOnce);
    bench.close(slow);
    assert_eq!(bench.payloads(other), ["2"]);
}

#[test]
fn a_message_that_a_member_rejects_is_discarded() {
    // [MQTT-4.8.2-6]
    for (qos, packet) in [
        (AtLeastOnce, Packet::PubAck as fn(Acknowledge<'static>) -> Packet<'static>),
        (ExactlyOnce, Packet::PubRec),
    ] {
        let (mut bench, publisher, members) = group(1, qos);
        publish_all(&mut bench, publisher, qos, &["1"]);
        let other = member(&mut bench, 1, qos);
        let packet_id = id(bench.messages(members[0])[0].packet_id.unwrap());
        let reason = ReasonCode::NOT_AUTHORIZED;
        bench.send(members[0], &packet(Acknowledge { packet_id, reason, properties: Properties::NONE }));
        bench.connect(&connect(V5, "m0"));
        assert!(bench.messages(other).is_empty());
    }
}

#[test]
fn unsubscribing_leaves_the_group_and_the_others_go_on() {
    // CVE-2024-8376: any mixture of shared and plain subscriptions and their ends.
    let (mut bench, publisher, members) = group(2, AtMostOnce);
    bench.subscribe(members[0], "a/#", AtMostOnce);
    bench.unsubscribe(members[0], SHARED);
    bench.unsubscribe(members[0], SHARED);
    let gone = |reason| Got::UnsubAck(78, vec![reason]);
    let expected = [gone(ReasonCode::SUCCESS), gone(ReasonCode::NO_SUBSCRIPTION_EXISTED)];
    assert_eq!(bench.got(members[0]), expected);
    publish_all(&mut bench, publisher, AtMostOnce, &["1", "2"]);
    assert_eq!(bench.payloads(members[0]), ["1", "2"], "the plain one");
    assert_eq!(bench.payloads(members[1]), ["1", "2"]);
    bench.unsubscribe(members[1], SHARED);
    bench.unsubscribe(members[0], "a/#");
    assert_eq!((bench.broker.gauges().subscriptions, bench.broker.gauges().shared_subscriptions), (0, 0));
    publish_all(&mut bench, publisher, AtMostOnce, &["3"]);
    assert!(bench.messages(members[1]).is_empty());
}

#[test]
fn a_subscription_identifier_of_a_shared_subscription_is_sent() {
    let (mut bench, publisher, _) = group(0, AtMostOnce);
    let client = bench.connect(&connect(V5, "c"));
    let identifier = Property::SubscriptionIdentifier(mqtt_codec::SubscriptionIdentifier::new(5).unwrap());
    bench.subscribe_with(client, SHARED, SubscriptionOptions::qos(AtMostOnce), &[identifier]);
    publish_all(&mut bench, publisher, AtMostOnce, &["1"]);
    assert_eq!(bench.messages(client)[0].properties, [format!("{identifier:?}")]);
}

#[test]
fn the_share_name_is_no_part_of_the_topic() {
    let (mut bench, publisher, members) = group(1, AtMostOnce);
    bench.publish(publisher, &publish(SHARED.trim_end_matches("/#"), b"", AtMostOnce, 0));
    assert!(bench.messages(members[0]).is_empty());
}
