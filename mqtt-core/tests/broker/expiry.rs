//! Message expiry, and what else of a PUBLISH is passed on (MQTT 5 §3.3.2.3).

use core::time::Duration;

use mqtt_codec::{Packet, Properties, Property, Publish, QoS, ReasonCode};
use mqtt_core::ConnectionId;

use crate::support::{
    AtLeastOnce, AtMostOnce, Bench, ExactlyOnce, Got, V3_1_1, V5, connect, persistent, publish, seconds, with,
};

fn publish_expiring(bench: &mut Bench, client: ConnectionId, payload: &[u8], qos: QoS, expiry: u32) {
    let properties = [Property::MessageExpiryInterval(expiry)];
    let properties = Properties::list(&properties);
    bench.publish(client, &Publish { properties, ..publish("a", payload, qos, 1) });
}

/// A client with a session and a subscription to `a` that is off-line, and a publisher.
fn sleeper() -> (Bench, ConnectionId) {
    let mut bench = Bench::new();
    let client = bench.connect(&persistent(V5, "s"));
    bench.subscribe(client, "a", ExactlyOnce);
    bench.close(client);
    let publisher = bench.connect(&connect(V5, "p"));
    (bench, publisher)
}

#[test]
fn an_expired_message_is_not_delivered() {
    // [MQTT-3.3.2-5], to the microsecond
    for (wait, expected) in [(Duration::from_micros(9_999_999), 1), (seconds(10), 0)] {
        let (mut bench, publisher) = sleeper();
        publish_expiring(&mut bench, publisher, b"x", AtLeastOnce, 10);
        bench.advance(wait);
        let client = bench.connect(&persistent(V5, "s"));
        assert_eq!(bench.messages(client).len(), expected);
        assert_eq!(bench.broker.counters().dropped_expired, 1 - expected as u64);
    }
}

#[test]
fn the_interval_sent_is_what_is_left() {
    // [MQTT-3.3.2-6]
    let (mut bench, publisher) = sleeper();
    publish_expiring(&mut bench, publisher, b"x", AtLeastOnce, 100);
    bench.advance(seconds(40));
    let client = bench.connect(&persistent(V5, "s"));
    assert_eq!(bench.messages(client)[0].properties, ["MessageExpiryInterval(60)"]);
}

#[test]
fn a_message_that_leaves_at_once_has_the_whole_interval() {
    let mut bench = Bench::new();
    let client = bench.connect(&connect(V5, "c"));
    bench.subscribe(client, "a", AtMostOnce);
    for expiry in [0, 1, u32::MAX] {
        publish_expiring(&mut bench, client, b"x", AtMostOnce, expiry);
        assert_eq!(bench.messages(client)[0].properties, [format!("MessageExpiryInterval({expiry})")]);
    }
}

#[test]
fn the_others_of_the_queue_move_up() {
    let (mut bench, publisher) = sleeper();
    for (payload, expiry) in [(b"1", 5), (b"2", 50), (b"3", 5), (b"4", 50)] {
        publish_expiring(&mut bench, publisher, payload, AtLeastOnce, expiry);
    }
    bench.advance(seconds(10));
    let client = bench.connect(&persistent(V5, "s"));
    assert_eq!(bench.payloads(client), ["2", "4"]);
}

#[test]
fn a_client_of_3_1_1_gets_no_expired_messages_either() {
    let mut bench = Bench::new();
    let client = bench.connect(&persistent(V3_1_1, "s"));
    bench.subscribe(client, "a", AtLeastOnce);
    bench.close(client);
    let publisher = bench.connect(&connect(V5, "p"));
    publish_expiring(&mut bench, publisher, b"x", AtLeastOnce, 5);
    publish_expiring(&mut bench, publisher, b"y", AtLeastOnce, 50);
    bench.advance(seconds(10));
    let client = bench.connect(&persistent(V3_1_1, "s"));
    assert_eq!(bench.payloads(client), ["y"]);
}

#[test]
fn what_was_sent_once_is_sent_again_and_finished_even_if_expired() {
    // [MQTT-4.3.3-7, MQTT-4.3.3-13]
    let mut bench = Bench::new();
    let client = bench.connect(&persistent(V5, "s"));
    bench.subscribe(client, "a", ExactlyOnce);
    let publisher = bench.connect(&connect(V5, "p"));
    publish_expiring(&mut bench, publisher, b"x", ExactlyOnce, 5);
    bench.messages(client);
    bench.close(client);
    bench.advance(seconds(10));
    let client = bench.connect(&persistent(V5, "s"));
    let again = bench.messages(client);
    assert_eq!((again.len(), again[0].dup), (1, true));
    assert_eq!(again[0].properties, ["MessageExpiryInterval(0)"]);
    let sent = again[0].packet_id.unwrap();
    bench.pubrec(client, sent);
    bench.pubcomp(client, sent);
    assert_eq!(bench.got(client), [Got::PubRel(sent, ReasonCode::SUCCESS)]);
}

#[test]
fn all_other_properties_are_passed_on_unchanged_and_in_order() {
    // [MQTT-3.3.2-4, -15, -16, -17, -18, -20]
    let properties = [
        Property::PayloadFormatIndicator(true),
        Property::UserProperty("k", "1"),
        Property::ResponseTopic("reply/to"),
        Property::UserProperty("\u{feff}k", "2"),
        Property::CorrelationData(b"\x00\xff"),
        Property::UserProperty("k", "1"),
        Property::ContentType("text/plain"),
    ];
    let expected: Vec<_> = properties.iter().map(|property| format!("{property:?}")).collect();
    let mut bench = Bench::new();
    let sleeper = bench.connect(&persistent(V5, "s"));
    let client = bench.connect(&connect(V5, "c"));
    for subscriber in [sleeper, client] {
        bench.subscribe(subscriber, "a", AtLeastOnce);
    }
    bench.close(sleeper);
    let message = Publish {
        properties: Properties::list(&properties),
        retain: true,
        ..publish("a", b"text", AtLeastOnce, 1)
    };
    bench.publish(client, &message);
    let late = bench.connect(&connect(V5, "late"));
    bench.subscribe(late, "a", AtMostOnce);
    let sleeper = bench.connect(&persistent(V5, "s"));
    for subscriber in [client, sleeper, late] {
        assert_eq!(bench.messages(subscriber)[0].properties, expected);
    }
}

#[test]
fn properties_do_not_reach_old_clients_and_theirs_have_none() {
    let mut bench = Bench::new();
    let old = bench.connect(&connect(V3_1_1, "old"));
    let new = bench.connect(&connect(V5, "new"));
    for client in [old, new] {
        bench.subscribe(client, "a", AtMostOnce);
    }
    let properties = [Property::ContentType("text")];
    let properties = Properties::list(&properties);
    bench.publish(new, &Publish { properties, ..publish("a", b"x", AtMostOnce, 0) });
    bench.publish(old, &publish("a", b"y", AtMostOnce, 0));
    let counts = |messages: Vec<crate::support::Message>| {
        messages.iter().map(|message| message.properties.len()).collect::<Vec<_>>()
    };
    assert_eq!(counts(bench.messages(old)), [0, 0]);
    assert_eq!(counts(bench.messages(new)), [1, 0]);
}

#[test]
fn many_user_properties_are_passed_on_in_one_pass() {
    // CVE-2021-41039: no quadratic work on user properties.
    let properties = vec![Property::UserProperty("k", "v"); 20_000];
    let mut bench = Bench::new();
    let client = bench.connect(&connect(V5, "c"));
    bench.subscribe(client, "a", AtMostOnce);
    let properties = Properties::list(&properties);
    bench.publish(client, &Publish { properties, ..publish("a", b"x", AtMostOnce, 0) });
    assert_eq!(bench.messages(client)[0].properties.len(), 20_000);
}

#[test]
fn request_problem_information_0_keeps_reason_strings_to_disconnect() {
    // [MQTT-3.4.2-2, -3, MQTT-3.5.2-2, -3, MQTT-3.7.2-2, -3, MQTT-3.9.2-1, -2, MQTT-3.11.2-1, -2] hold with it.
    // [MQTT-3.1.2-29]; mosquitto #3633: on every packet but PUBLISH, CONNACK and DISCONNECT.
    let mut bench = Bench::with(|config| config.ask.checks.publish = true);
    let quiet = [Property::RequestProblemInformation(false)];
    let client = bench.connect(&with(connect(V5, "c"), &quiet));
    let before = bench.broker.counters().bytes_sent;
    bench.publish(client, &publish("a", b"", AtLeastOnce, 1));
    bench.answer(mqtt_core::Answer::Deny(ReasonCode::NOT_AUTHORIZED));
    bench.unsubscribe(client, "a");
    bench.pubrel(client, 9);
    bench.send(client, &Packet::PingReq);
    bench.subscribe_with(client, "$share/g/a", mqtt_codec::SubscriptionOptions::qos(AtMostOnce), &[]);
    // PUBACK with reason, UNSUBACK, PUBCOMP with reason, PINGRESP, SUBACK: none has room for a property.
    assert_eq!(bench.got(client).len(), 5);
    assert_eq!(bench.broker.counters().bytes_sent - before, 5 + 6 + 5 + 2 + 6);
}

#[test]
fn a_message_that_expired_while_the_host_decided_is_not_delivered() {
    let mut bench = Bench::with(|config| config.ask.checks.publish = true);
    let client = bench.connect(&connect(V5, "c"));
    bench.subscribe(client, "a", AtMostOnce);
    publish_expiring(&mut bench, client, b"x", AtLeastOnce, 5);
    bench.advance(seconds(6));
    bench.answer(mqtt_core::Answer::Allow);
    assert_eq!(bench.got(client), [Got::PubAck(1, ReasonCode::SUCCESS)]);
    assert_eq!(bench.broker.counters().dropped_expired, 1);
}

#[test]
fn a_message_that_expired_with_one_member_is_not_handed_to_another() {
    let mut bench = Bench::new();
    let narrow = [Property::ReceiveMaximum(1.try_into().unwrap())];
    let slow = bench.connect(&with(connect(V5, "slow"), &narrow));
    let other = bench.connect(&connect(V5, "other"));
    bench.subscribe(slow, "$share/g/a", AtLeastOnce);
    for payload in [b"1", b"2"] {
        publish_expiring(&mut bench, other, payload, AtLeastOnce, 5);
    }
    bench.subscribe(other, "$share/g/a", AtLeastOnce);
    bench.advance(seconds(6));
    bench.close(slow);
    assert!(bench.messages(other).is_empty());
    assert_eq!(bench.broker.counters().dropped_expired, 2);
}
