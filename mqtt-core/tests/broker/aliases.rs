//! Topic aliases, both ways (MQTT 5 §3.3.2.3.4).

use std::num::NonZeroU16;

use mqtt_codec::{Malformed, Properties, Property, Publish, ReasonCode};
use mqtt_core::{CloseReason, ConnectionId, Violation};

use crate::support::{
    AtLeastOnce, AtMostOnce, Bench, ExactlyOnce, Got, V5, connect, persistent, publish, with,
};

fn alias(number: u16) -> Property<'static> {
    Property::TopicAlias(NonZeroU16::new(number).unwrap())
}

fn send(bench: &mut Bench, client: ConnectionId, topic: &str, number: u16, payload: &[u8]) {
    let properties = [alias(number)];
    let properties = Properties::list(&properties);
    bench.publish(client, &Publish { properties, ..publish(topic, payload, AtMostOnce, 0) });
}

fn invalid(bench: &mut Bench, client: ConnectionId) {
    let closed = Got::Closed(CloseReason::Violation(Violation::TopicAliasInvalid));
    assert_eq!(bench.got(client), [Got::Disconnect(ReasonCode::TOPIC_ALIAS_INVALID), closed]);
}

#[test]
fn an_alias_stands_for_the_topic_it_was_last_sent_with() {
    // [MQTT-3.3.2-12]; alias and topic are for one connection only: subscribers get the name.
    let mut bench = Bench::with(|config| config.topic_alias_maximum = 3);
    let watcher = bench.connect(&connect(V5, "w"));
    bench.subscribe(watcher, "#", AtMostOnce);
    let (client, announced) = bench.connack(&connect(V5, "c"));
    assert!(announced.contains("TopicAliasMaximum(3)"), "{announced}");
    for (topic, number, payload) in
        [("a", 3, b"a"), ("", 3, b"a"), ("b", 1, b"b"), ("c", 3, b"c"), ("", 1, b"b"), ("", 3, b"c")]
    {
        send(&mut bench, client, topic, number, payload);
    }
    let messages = bench.messages(watcher);
    assert_eq!(messages.len(), 6);
    for message in messages {
        assert_eq!((message.topic.as_bytes(), message.properties.len()), (message.payload.as_slice(), 0));
    }
}

#[test]
fn an_alias_above_the_maximum_is_invalid() {
    for maximum in [0, 3] {
        let mut bench = Bench::with(|config| config.topic_alias_maximum = maximum);
        let client = bench.connect(&connect(V5, "c"));
        send(&mut bench, client, "a", maximum + 1, b"");
        invalid(&mut bench, client);
    }
}

#[test]
fn an_alias_that_stands_for_nothing_is_invalid() {
    let mut bench = Bench::new();
    let client = bench.connect(&connect(V5, "c"));
    send(&mut bench, client, "", 1, b"");
    invalid(&mut bench, client);
}

#[test]
fn alias_zero_is_invalid() {
    // [MQTT-3.3.2-8]
    let mut bench = Bench::new();
    let client = bench.connect(&connect(V5, "c"));
    bench.send_bytes(client, b"\x30\x07\x00\x01a\x03\x23\x00\x00");
    let closed = Got::Closed(CloseReason::Malformed(Malformed::TopicAliasZero));
    assert_eq!(bench.got(client), [Got::Disconnect(ReasonCode::TOPIC_ALIAS_INVALID), closed]);
}

#[test]
fn aliases_end_with_their_connection() {
    // [MQTT-3.3.2-7]; mqtt_cpp #660
    let mut bench = Bench::new();
    let client = bench.connect(&persistent(V5, "c"));
    send(&mut bench, client, "a", 1, b"");
    bench.close(client);
    let client = bench.connect(&persistent(V5, "c"));
    send(&mut bench, client, "", 1, b"");
    invalid(&mut bench, client);
}

#[test]
fn a_repeated_qos2_publish_sets_its_alias_all_the_same() {
    let mut bench = Bench::new();
    let client = bench.connect(&persistent(V5, "c"));
    bench.publish(client, &publish("a", b"x", ExactlyOnce, 1));
    bench.close(client);
    let client = bench.connect(&persistent(V5, "c"));
    bench.subscribe(client, "a", AtMostOnce);
    let properties = [alias(1)];
    let properties = Properties::list(&properties);
    bench.publish(client, &Publish { properties, ..publish("a", b"x", ExactlyOnce, 1) });
    send(&mut bench, client, "", 1, b"by alias");
    assert_eq!(bench.payloads(client), ["by alias"]);
}

/// A subscriber to everything that allows so many aliases.
fn subscriber(bench: &mut Bench, maximum: u16) -> ConnectionId {
    let properties = [Property::TopicAliasMaximum(maximum), Property::SessionExpiryInterval(1000)];
    let client =
        bench.connect(&mqtt_codec::Connect { clean_start: false, ..with(connect(V5, "s"), &properties) });
    bench.subscribe(client, "#", AtLeastOnce);
    client
}

/// Topics and properties of what the subscriber gets for messages on these topics.
fn named(bench: &mut Bench, client: ConnectionId, topics: &[&str]) -> Vec<(String, Vec<String>)> {
    let publisher = bench.connect(&connect(V5, "p"));
    for topic in topics {
        bench.publish(publisher, &publish(topic, b"", AtMostOnce, 0));
    }
    bench.messages(client).into_iter().map(|message| (message.topic, message.properties)).collect()
}

fn name(topic: &str, number: u16) -> (String, Vec<String>) {
    let properties = if number == 0 { vec![] } else { vec![format!("{:?}", alias(number))] };
    (topic.into(), properties)
}

#[test]
fn a_client_gets_aliases_as_far_as_it_allows() {
    // [MQTT-3.1.2-26, MQTT-3.3.2-11]
    let mut bench = Bench::new();
    let client = subscriber(&mut bench, 2);
    let got = named(&mut bench, client, &["a", "b", "c", "a", "b", "c"]);
    assert_eq!(got, [name("a", 1), name("b", 2), name("c", 0), name("", 1), name("", 2), name("c", 0)]);
}

#[test]
fn a_client_that_allows_no_aliases_gets_none() {
    // [MQTT-3.1.2-27]; GHSA-c8jq-r765-cq7g
    let mut bench = Bench::new();
    let client = subscriber(&mut bench, 0);
    assert_eq!(named(&mut bench, client, &["a", "a"]), [name("a", 0), name("a", 0)]);
    let mut bench = Bench::with(|config| config.max_outgoing_topic_aliases = 0);
    let client = subscriber(&mut bench, 5);
    assert_eq!(named(&mut bench, client, &["a", "a"]), [name("a", 0), name("a", 0)]);
}

#[test]
fn what_is_sent_again_on_a_new_connection_names_its_topic() {
    let mut bench = Bench::new();
    let client = subscriber(&mut bench, 5);
    let publisher = bench.connect(&connect(V5, "p"));
    for payload in [b"1", b"2"] {
        bench.publish(publisher, &publish("a", payload, AtLeastOnce, 1));
    }
    assert_eq!(bench.messages(client)[1].topic, "");
    bench.close(client);
    let properties = [Property::TopicAliasMaximum(5)];
    let client =
        bench.connect(&mqtt_codec::Connect { clean_start: false, ..with(connect(V5, "s"), &properties) });
    let again: Vec<_> = bench.messages(client).into_iter().map(|message| message.topic).collect();
    assert_eq!(again, ["a", ""]);
}
