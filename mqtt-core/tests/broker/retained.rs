//! Retained messages (MQTT 5 §3.3.1.3, §3.8.3.1).

use mqtt_codec::{
    Property, Publish, QoS, ReasonCode, RetainHandling, SubscriptionIdentifier, SubscriptionOptions,
};
use mqtt_core::ConnectionId;

use crate::support::{
    AtLeastOnce, AtMostOnce, Bench, ExactlyOnce, Got, Message, V3_1_1, V5, connect, persistent, publish,
    seconds,
};

fn retain(bench: &mut Bench, client: ConnectionId, topic: &str, payload: &[u8]) {
    bench.publish(client, &Publish { retain: true, ..publish(topic, payload, AtMostOnce, 0) });
}

fn bench() -> (Bench, ConnectionId) {
    let mut bench = Bench::new();
    let publisher = bench.connect(&connect(V5, "p"));
    (bench, publisher)
}

fn handling(retain_handling: RetainHandling) -> SubscriptionOptions {
    SubscriptionOptions { retain_handling, ..SubscriptionOptions::qos(AtLeastOnce) }
}

/// What a fresh client gets for a new subscription.
fn look(bench: &mut Bench, filter: &str) -> Vec<Message> {
    let client = bench.connect(&connect(V5, "looker"));
    bench.subscribe(client, filter, ExactlyOnce);
    bench.messages(client)
}

fn topics(messages: &[Message]) -> Vec<&str> {
    let mut topics: Vec<_> = messages.iter().map(|message| message.topic.as_str()).collect();
    topics.sort_unstable();
    topics
}

#[test]
fn a_new_subscription_gets_the_last_message_of_each_topic_with_retain_1() {
    // 3.1.1 [MQTT-3.3.1-6, MQTT-3.3.1-8], [MQTT-3.3.1-9]
    for version in [V3_1_1, V5] {
        let (mut bench, publisher) = bench();
        for (topic, payload) in [("a/1", b"old"), ("a/1", b"new"), ("a/2", b"one")] {
            retain(&mut bench, publisher, topic, payload);
        }
        let client = bench.connect(&connect(version, "c"));
        bench.subscribe(client, "a/+", AtMostOnce);
        let messages = bench.messages(client);
        assert_eq!(topics(&messages), ["a/1", "a/2"]);
        assert!(messages.iter().all(|message| message.retain && message.payload != b"old"));
    }
}

#[test]
fn a_retained_message_keeps_its_qos() {
    // [MQTT-3.3.1-5]
    for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
        let (mut bench, publisher) = bench();
        bench.publish(publisher, &Publish { retain: true, ..publish("a", b"x", qos, 1) });
        assert_eq!(look(&mut bench, "a")[0].qos, qos);
    }
}

#[test]
fn an_empty_payload_removes_and_is_routed_and_not_stored() {
    // [MQTT-3.3.1-6, MQTT-3.3.1-7]
    let (mut bench, publisher) = bench();
    retain(&mut bench, publisher, "a", b"x");
    let live = bench.connect(&connect(V5, "live"));
    bench.subscribe(live, "a", AtMostOnce);
    bench.messages(live);
    retain(&mut bench, publisher, "a", b"");
    assert_eq!(bench.payloads(live), [""]);
    assert!(look(&mut bench, "a").is_empty());
    assert_eq!(bench.broker.gauges().retained, 0);
}

#[test]
fn a_message_without_retain_neither_stores_nor_replaces() {
    // [MQTT-3.3.1-8]
    let (mut bench, publisher) = bench();
    retain(&mut bench, publisher, "a", b"kept");
    for payload in [&b"other"[..], b""] {
        bench.publish(publisher, &publish("a", payload, AtMostOnce, 0));
    }
    assert_eq!(look(&mut bench, "a")[0].payload, b"kept");
}

#[test]
fn retain_as_published_decides_over_the_flag_of_live_messages() {
    // [MQTT-3.3.1-12, MQTT-3.3.1-13], 3.1.1 [MQTT-3.3.1-9]
    for (retain_as_published, sent) in [(false, false), (false, true), (true, false), (true, true)] {
        let (mut bench, publisher) = bench();
        let client = bench.connect(&connect(V5, "c"));
        let options = SubscriptionOptions { retain_as_published, ..SubscriptionOptions::qos(AtMostOnce) };
        bench.subscribe_with(client, "a", options, &[]);
        bench.publish(publisher, &Publish { retain: sent, ..publish("a", b"x", AtMostOnce, 0) });
        assert_eq!(bench.messages(client)[0].retain, sent && retain_as_published);
    }
}

#[test]
fn retain_handling_0_sends_at_each_subscribe_and_1_only_if_new_and_2_never() {
    // [MQTT-3.3.1-9, MQTT-3.3.1-10, MQTT-3.3.1-11]; rumqtt #1069
    for (retain_handling, expected) in [
        (RetainHandling::SendAtSubscribe, [1, 1, 1]),
        (RetainHandling::SendIfNew, [1, 0, 0]),
        (RetainHandling::DoNotSend, [0, 0, 0]),
    ] {
        let (mut bench, publisher) = bench();
        retain(&mut bench, publisher, "a", b"x");
        let mut client = bench.connect(&persistent(V5, "c"));
        for (round, expected) in expected.into_iter().enumerate() {
            if round == 2 {
                // The subscription of a resumed session is not new.
                client = bench.connect(&persistent(V5, "c"));
            }
            bench.subscribe_with(client, "a", handling(retain_handling), &[]);
            let messages = bench.messages(client);
            assert_eq!(messages.len(), expected, "{retain_handling:?}, round {round}");
            for message in messages {
                bench.puback(client, message.packet_id.unwrap_or(1));
            }
        }
    }
}

#[test]
fn retain_handling_1_sends_again_after_unsubscribe() {
    let (mut bench, publisher) = bench();
    retain(&mut bench, publisher, "a", b"x");
    let client = bench.connect(&connect(V5, "c"));
    for _ in 0..2 {
        bench.subscribe_with(client, "a", handling(RetainHandling::SendIfNew), &[]);
        assert_eq!(bench.messages(client).len(), 1);
        bench.unsubscribe(client, "a");
    }
}

#[test]
fn retained_messages_outlive_sessions() {
    // 3.1.1 [MQTT-3.1.2-7]
    let (mut bench, publisher) = bench();
    retain(&mut bench, publisher, "a", b"x");
    bench.disconnect(publisher, ReasonCode::SUCCESS);
    assert_eq!(look(&mut bench, "#").len(), 1);
}

#[test]
fn a_leading_wildcard_does_not_match_topics_with_a_dollar() {
    // [MQTT-4.7.2-1]; CVE-2018-12543: nor does the mixture of both break anything.
    let (mut bench, publisher) = bench();
    for topic in ["$own/a", "$", "a"] {
        retain(&mut bench, publisher, topic, b"x");
    }
    assert_eq!(topics(&look(&mut bench, "#")), ["a"]);
    assert_eq!(topics(&look(&mut bench, "+/a")), [""; 0]);
    assert_eq!(topics(&look(&mut bench, "$own/#")), ["$own/a"]);
    let live = bench.connect(&connect(V5, "live"));
    bench.subscribe(live, "#", AtMostOnce);
    bench.messages(live);
    retain(&mut bench, publisher, "$own/a", b"x");
    assert!(bench.messages(live).is_empty());
}

#[test]
fn retained_messages_carry_the_subscription_identifier() {
    // mqtt-lib #113
    let (mut bench, publisher) = bench();
    retain(&mut bench, publisher, "a", b"x");
    let client = bench.connect(&connect(V5, "c"));
    let identifier = Property::SubscriptionIdentifier(SubscriptionIdentifier::new(9).unwrap());
    bench.subscribe_with(client, "a", SubscriptionOptions::qos(AtMostOnce), &[identifier]);
    assert_eq!(bench.messages(client)[0].properties, [format!("{identifier:?}")]);
}

#[test]
fn shared_subscriptions_get_no_retained_messages() {
    let (mut bench, publisher) = bench();
    retain(&mut bench, publisher, "a", b"x");
    assert!(look(&mut bench, "$share/g/a").is_empty());
}

#[test]
fn a_retained_message_expires_and_tells_what_is_left() {
    let (mut bench, publisher) = bench();
    let expiry = [Property::MessageExpiryInterval(60)];
    let message = Publish {
        retain: true,
        properties: mqtt_codec::Properties::list(&expiry),
        ..publish("a", b"x", AtMostOnce, 0)
    };
    bench.publish(publisher, &message);
    bench.advance(seconds(59));
    assert_eq!(look(&mut bench, "a")[0].properties, ["MessageExpiryInterval(1)"]);
    bench.advance(seconds(1));
    assert_eq!(bench.broker.gauges().retained, 0);
    assert!(look(&mut bench, "a").is_empty());
}

#[test]
fn a_newer_message_is_not_removed_when_the_older_one_would_have_expired() {
    let (mut bench, publisher) = bench();
    let expiry = [Property::MessageExpiryInterval(60)];
    let properties = mqtt_codec::Properties::list(&expiry);
    bench.publish(publisher, &Publish { retain: true, properties, ..publish("a", b"x", AtMostOnce, 0) });
    retain(&mut bench, publisher, "a", b"y");
    bench.advance(seconds(100));
    assert_eq!(look(&mut bench, "a")[0].payload, b"y");
}

#[test]
fn retained_messages_have_a_largest_number_and_the_message_is_routed_all_the_same() {
    let mut bench = Bench::with(|config| config.max_retained = 1);
    let publisher = bench.connect(&connect(V5, "p"));
    bench.subscribe(publisher, "b", AtMostOnce);
    retain(&mut bench, publisher, "a", b"x");
    retain(&mut bench, publisher, "b", b"y");
    assert_eq!(bench.payloads(publisher), ["y"]);
    assert_eq!(topics(&look(&mut bench, "#")), ["a"]);
    assert_eq!(bench.broker.counters().dropped_retained_full, 1);
    retain(&mut bench, publisher, "a", b"z");
    assert_eq!(look(&mut bench, "#")[0].payload, b"z", "replacing needs no room");
}

#[test]
fn a_broker_without_retained_messages_refuses_them() {
    let mut bench = Bench::with(|config| config.retain_available = false);
    let client = bench.connect(&connect(V5, "c"));
    retain(&mut bench, client, "a", b"x");
    assert_eq!(bench.got(client)[0], Got::Disconnect(ReasonCode::RETAIN_NOT_SUPPORTED));
}

/// A broker with so many retained messages of 100 bytes, and a subscriber to all of them that reads nothing.
fn many(count: u32, qos: QoS) -> (Bench, ConnectionId) {
    let (mut bench, publisher) = bench();
    for number in 0..count {
        retain(&mut bench, publisher, &format!("many/{number}"), &[b'x'; 100]);
    }
    let reader = bench.connect(&connect(V5, "reader"));
    bench.stalled.push(reader);
    bench.subscribe_with(reader, "many/#", SubscriptionOptions::qos(qos), &[]);
    (bench, reader)
}

#[test]
fn a_slow_reader_of_many_retained_messages_holds_a_bounded_part_of_them_and_gets_all() {
    let (mut bench, reader) = many(10_000, AtLeastOnce);
    bench.advance(seconds(1));
    let waiting: usize = bench.broker.output(reader).map(<[u8]>::len).sum();
    assert!(waiting < bench.broker.config().output_high_water + 200, "{waiting}");
    bench.unstall(reader);
    bench.advance(seconds(1));
    let messages = bench.messages(reader);
    assert_eq!(messages.len(), 10_000);
    assert_eq!(bench.broker.counters().dropped(), 0);
}

#[test]
fn what_is_published_meanwhile_reaches_the_slow_reader_too() {
    let (mut bench, reader) = many(5_000, AtMostOnce);
    let publisher = bench.connect(&connect(V5, "q"));
    bench.publish(publisher, &publish("many/live", b"live", AtMostOnce, 0));
    bench.unstall(reader);
    bench.advance(seconds(1));
    let messages = bench.messages(reader);
    assert_eq!(messages.len(), 5_001);
    assert!(messages.iter().any(|message| !message.retain));
}

#[test]
fn unsubscribing_ends_the_flow_of_retained_messages() {
    // [MQTT-3.10.4-2]
    let (mut bench, reader) = many(5_000, AtMostOnce);
    bench.unsubscribe(reader, "many/#");
    bench.unstall(reader);
    bench.advance(seconds(1));
    assert!(bench.messages(reader).len() < 1_000);
}

#[test]
fn a_client_that_goes_away_amid_retained_messages_leaves_nothing_behind() {
    let (mut bench, reader) = many(5_000, AtLeastOnce);
    bench.close(reader);
    bench.advance(seconds(1));
    assert_eq!((bench.broker.gauges().sessions, bench.broker.gauges().messages), (1, 5_000));
}

#[test]
fn a_search_through_many_topics_goes_on_later_and_lets_others_in_between() {
    let (mut bench, publisher) = bench();
    // Each level of the filter is common, both together are rare: what is looked at matches seldom.
    for n in 0..3000 {
        retain(&mut bench, publisher, &format!("room/{n}/light"), b"x");
        retain(&mut bench, publisher, &format!("hall/{n}/heat"), b"x");
    }
    retain(&mut bench, publisher, "room/last/heat", b"found");
    let client = bench.connect(&connect(V5, "looker"));
    bench.subscribe(client, "room/+/heat", AtMostOnce);
    assert_eq!(bench.payloads(client), [""; 0], "the first turn is over");
    bench.publish(publisher, &publish("room/live/heat", b"live", AtMostOnce, 0));
    bench.advance(seconds(1));
    assert_eq!(bench.payloads(client), ["live", "found"]);
}
