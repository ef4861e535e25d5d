//! Limits of subscriptions: quotas, capabilities, depth (MQTT 5 §3.2.2.3, §3.9.3).

use crate::subscriptions::{identifier, subscribe_all};
use crate::support::{AtMostOnce, Bench, Got, V5, connect, id, publish};
use mqtt_codec::{
    Packet, Properties, ReasonCode, Subscribe, SubscribeFilters, SubscriptionOptions, Unsubscribe,
    UnsubscribeFilters,
};
use mqtt_core::{CloseReason, Violation};

#[test]
fn each_capability_that_is_missing_has_its_code() {
    let mut bench = Bench::with(|config| {
        config.shared_subscriptions = false;
        config.max_topic_levels = 3;
        config.max_filter_wildcards = 1;
    });
    let client = bench.connect(&connect(V5, "c"));
    let reasons = subscribe_all(&mut bench, client, &["$share/g/a", "1/2/3/4", "+/+"]);
    let invalid = ReasonCode::TOPIC_FILTER_INVALID;
    assert_eq!(reasons, [ReasonCode::SHARED_SUBSCRIPTIONS_NOT_SUPPORTED, invalid, invalid]);
}

#[test]
fn subscriptions_have_a_quota_per_client_and_in_all() {
    let mut bench = Bench::with(|config| {
        config.max_subscriptions_per_client = 2;
        config.max_subscriptions = 3;
    });
    let (ok, full) = (ReasonCode::GRANTED_QOS_1, ReasonCode::QUOTA_EXCEEDED);
    let client = bench.connect(&connect(V5, "a"));
    assert_eq!(subscribe_all(&mut bench, client, &["1", "2", "3", "1"]), [ok, ok, full, ok]);
    let other = bench.connect(&connect(V5, "b"));
    assert_eq!(subscribe_all(&mut bench, other, &["4", "5"]), [ok, full]);
    bench.unsubscribe(client, "1");
    bench.got(client);
    assert_eq!(subscribe_all(&mut bench, other, &["5"]), [ok]);
}

#[test]
fn plain_and_shared_subscriptions_have_one_quota() {
    let mut bench = Bench::with(|config| {
        config.max_subscriptions_per_client = 2;
        config.max_subscriptions = 3;
    });
    let (ok, full) = (ReasonCode::GRANTED_QOS_1, ReasonCode::QUOTA_EXCEEDED);
    let client = bench.connect(&connect(V5, "a"));
    let filters = ["1", "$share/g/1", "2", "$share/g/2", "$share/g/1"];
    assert_eq!(subscribe_all(&mut bench, client, &filters), [ok, ok, full, full, ok]);
    let other = bench.connect(&connect(V5, "b"));
    assert_eq!(subscribe_all(&mut bench, other, &["$share/g/1", "1"]), [ok, full]);
    assert_eq!(bench.broker.gauges().subscriptions, 3);
}

#[test]
fn replacing_a_subscription_needs_no_room() {
    let mut bench = Bench::new();
    let client = bench.connect(&connect(V5, "a"));
    bench.subscribe(client, "a", AtMostOnce);
    bench.subscribe(client, "$share/g/a", AtMostOnce);
    let full = mqtt_core::Config { max_memory: 1, ..bench.broker.config().clone() };
    bench.broker.reconfigure(full, bench.now);
    let reasons = subscribe_all(&mut bench, client, &["a", "$share/g/a", "b"]);
    let granted = ReasonCode::GRANTED_QOS_1;
    assert_eq!(reasons, [granted, granted, ReasonCode::QUOTA_EXCEEDED]);
}

#[test]
fn subscription_identifiers_that_are_not_available_are_refused() {
    let mut bench = Bench::with(|config| config.subscription_identifiers = false);
    let client = bench.connect(&connect(V5, "c"));
    bench.subscribe_with(client, "a", SubscriptionOptions::qos(AtMostOnce), &[identifier(1)]);
    let reason = ReasonCode::SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED;
    assert_eq!(bench.got(client)[0], Got::Disconnect(reason));
}

#[test]
fn a_very_deep_topic_is_neither_recursion_nor_quadratic() {
    // CVE-2019-11779
    let mut bench = Bench::with(|config| config.max_topic_levels = u16::MAX);
    let client = bench.connect(&connect(V5, "c"));
    let deep = "/".repeat(60_000);
    bench.subscribe(client, &deep, AtMostOnce);
    bench.subscribe(client, "#", AtMostOnce);
    bench.publish(client, &publish(&deep, b"x", AtMostOnce, 0));
    assert_eq!(bench.payloads(client), ["x"]);
    bench.unsubscribe(client, &deep);
    assert_eq!(bench.broker.gauges().subscriptions, 1);
}

#[test]
fn a_subscribe_with_more_filters_than_can_be_held_is_refused_whole() {
    // One crafted packet must not take many times its size while its filters are decided.
    for (count, taken) in [(1000, true), (1001, false)] {
        let mut bench = Bench::with(|config| config.max_subscriptions_per_client = 2);
        let client = bench.connect(&connect(V5, "c"));
        let filters = vec![("a", SubscriptionOptions::qos(AtMostOnce)); count];
        let filters = SubscribeFilters::list(&filters);
        let packet = Subscribe { packet_id: id(5), properties: Properties::NONE, filters };
        bench.send(client, &Packet::Subscribe(packet));
        let got = bench.got(client);
        assert_eq!(matches!(&got[0], Got::SubAck(5, reasons) if reasons.len() == count), taken);
        assert_eq!(got[0] == Got::Disconnect(ReasonCode::QUOTA_EXCEEDED), !taken);
    }
}

#[test]
fn an_unsubscribe_with_more_filters_than_can_be_held_is_refused_whole() {
    for (count, accepted) in [(10_000, true), (10_001, false)] {
        let mut bench = Bench::new();
        let client = bench.connect(&connect(V5, "c"));
        let filters = vec!["a"; count];
        let filters = UnsubscribeFilters::list(&filters);
        bench.send(
            client,
            &Packet::Unsubscribe(Unsubscribe { packet_id: id(1), properties: Properties::NONE, filters }),
        );
        let got = bench.got(client);
        let refused = [
            Got::Disconnect(ReasonCode::QUOTA_EXCEEDED),
            Got::Closed(CloseReason::Violation(Violation::TooManyFilters)),
        ];
        assert_eq!(got == refused, !accepted, "{:?}", got.last());
        assert_eq!(got.len() == 1, accepted);
    }
}

#[test]
fn the_longest_topic_is_a_topic() {
    // [MQTT-4.7.3-3]
    let mut bench = Bench::new();
    let client = bench.connect(&connect(V5, "c"));
    let longest = "x".repeat(65_535);
    bench.subscribe(client, &longest, AtMostOnce);
    bench.publish(client, &publish(&longest, b"", AtMostOnce, 0));
    assert_eq!(bench.messages(client)[0].topic, longest);
}
