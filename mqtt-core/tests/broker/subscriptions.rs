//! SUBSCRIBE and UNSUBSCRIBE, and who gets what (MQTT 5 §3.3.4, §3.8 to §3.11).

use mqtt_codec::{
    Packet, Properties, Property, ReasonCode, Subscribe, SubscribeFilters, SubscriptionIdentifier,
    SubscriptionOptions, Unsubscribe, UnsubscribeFilters,
};
use mqtt_core::{CloseReason, ConnectionId, Overlapping, Violation};

use crate::support::{
    AtLeastOnce, AtMostOnce, Bench, ExactlyOnce, Got, V3_1, V3_1_1, V5, connect, id, persistent, publish,
};

pub fn identifier(number: u32) -> Property<'static> {
    Property::SubscriptionIdentifier(SubscriptionIdentifier::new(number).unwrap())
}

/// SUBSCRIBE to all these filters at QoS 1, and the reasons of the SUBACK.
pub fn subscribe_all(bench: &mut Bench, client: ConnectionId, filters: &[&str]) -> Vec<ReasonCode> {
    let filters: Vec<_> =
        filters.iter().map(|filter| (*filter, SubscriptionOptions::qos(AtLeastOnce))).collect();
    let packet = Subscribe {
        packet_id: id(5),
        properties: Properties::NONE,
        filters: SubscribeFilters::list(&filters),
    };
    bench.send(client, &Packet::Subscribe(packet));
    match bench.got(client).into_iter().next() {
        Some(Got::SubAck(5, reasons)) => reasons,
        other => panic!("{other:?}"),
    }
}

#[test]
fn suback_has_one_code_for_each_filter_in_order() {
    // [MQTT-2.2.1-6], 3.1.1 [MQTT-2.3.1-7, MQTT-3.9.3-2]
    // [MQTT-3.8.4-1, -2, -5, -6, -7, MQTT-3.9.3-1]
    for (version, refused) in
        [(V5, ReasonCode::WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED), (V3_1_1, ReasonCode::UNSPECIFIED_ERROR)]
    {
        let mut bench = Bench::with(|config| config.wildcard_subscriptions = false);
        let client = bench.connect(&connect(version, "c"));
        let reasons = subscribe_all(&mut bench, client, &["a", "#", "b"]);
        let granted = ReasonCode::GRANTED_QOS_1;
        assert_eq!(reasons, [granted, refused, granted]);
        bench.publish(client, &publish("b", b"x", AtMostOnce, 0));
        assert_eq!(bench.payloads(client), ["x"]);
    }
}

#[test]
fn filters_against_the_syntax_are_malformed() {
    // [MQTT-4.7.1-1, MQTT-4.7.1-2, MQTT-4.8.2-1, MQTT-4.8.2-2], 3.1.1 [MQTT-4.7.1-3]
    for filter in
        ["#/a", "a#", "a/#/b", "a+", "+a/b", "$share/g", "$share//a", "$share/g/", "$share/+/a", "$share/#/a"]
    {
        let mut bench = Bench::new();
        let client = bench.connect(&connect(V5, "c"));
        bench.subscribe_with(client, filter, SubscriptionOptions::qos(AtMostOnce), &[]);
        let closed = Got::Closed(CloseReason::Violation(Violation::TopicFilterMalformed));
        assert_eq!(bench.got(client), [Got::Disconnect(ReasonCode::MALFORMED_PACKET), closed], "{filter}");
        let client = bench.connect(&connect(V3_1_1, "c"));
        bench.unsubscribe(client, filter);
        assert!(matches!(bench.got(client)[..], [Got::Closed(_)]), "{filter}");
    }
}

#[test]
fn the_same_filter_replaces_the_subscription_and_loses_nothing() {
    // [MQTT-3.8.4-3, MQTT-3.8.4-4]
    let mut bench = Bench::new();
    let client = bench.connect(&persistent(V5, "c"));
    bench.subscribe(client, "a", ExactlyOnce);
    bench.publish(client, &publish("a", b"in flight", AtLeastOnce, 1));
    bench.subscribe(client, "a", AtMostOnce);
    bench.publish(client, &publish("a", b"x", AtLeastOnce, 2));
    let messages = bench.messages(client);
    assert_eq!((messages.len(), messages[1].qos), (2, AtMostOnce));
    assert_eq!(bench.broker.gauges().subscriptions, 1);
    let client = bench.connect(&persistent(V5, "c"));
    assert_eq!(bench.payloads(client), ["in flight"]);
}

#[test]
fn a_lower_maximum_qos_is_granted_not_refused_and_publishes_above_it_are() {
    // [MQTT-3.2.2-10, MQTT-3.2.2-11]
    for version in [V3_1, V3_1_1, V5] {
        let mut bench = Bench::with(|config| config.max_qos = AtLeastOnce);
        let client = bench.connect(&connect(version, "c"));
        bench.subscribe_with(client, "a", SubscriptionOptions::qos(ExactlyOnce), &[]);
        assert_eq!(bench.got(client), [Got::SubAck(77, vec![ReasonCode::GRANTED_QOS_1])]);
        bench.publish(client, &publish("a", b"x", ExactlyOnce, 1));
        let told = bench.got(client).contains(&Got::Disconnect(ReasonCode::QOS_NOT_SUPPORTED));
        assert_eq!(told, version == V5);
    }
}

#[test]
fn unsubscribe_deletes_exact_matches_only() {
    // [MQTT-3.10.4-1, -4, -5, -6, MQTT-3.11.3-1]
    let mut bench = Bench::new();
    let client = bench.connect(&connect(V5, "c"));
    for filter in ["a/+", "A/+", "a/#"] {
        bench.subscribe(client, filter, AtMostOnce);
    }
    let filters = ["a/+", "a/b", "a/+"];
    let filters = UnsubscribeFilters::list(&filters);
    bench.send(
        client,
        &Packet::Unsubscribe(Unsubscribe { packet_id: id(6), properties: Properties::NONE, filters }),
    );
    let (gone, none) = (ReasonCode::SUCCESS, ReasonCode::NO_SUBSCRIPTION_EXISTED);
    assert_eq!(bench.got(client), [Got::UnsubAck(6, vec![gone, none, none])]);
    assert_eq!(bench.broker.gauges().subscriptions, 2);
}

#[test]
fn unsuback_of_3_1_1_comes_even_when_nothing_matched() {
    let mut bench = Bench::new();
    let client = bench.connect(&connect(V3_1_1, "c"));
    bench.unsubscribe(client, "never");
    assert_eq!(bench.got(client), [Got::UnsubAck(78, vec![])]);
}

#[test]
fn after_unsubscribe_nothing_new_comes_and_what_was_begun_is_finished() {
    // [MQTT-3.10.4-2, MQTT-3.10.4-3]
    let mut bench = Bench::new();
    let client = bench.connect(&persistent(V5, "c"));
    bench.subscribe(client, "a", ExactlyOnce);
    bench.publish(client, &publish("a", b"x", ExactlyOnce, 1));
    let sent = bench.messages(client)[0].packet_id.unwrap();
    bench.unsubscribe(client, "a");
    bench.got(client);
    bench.publish(client, &publish("a", b"y", AtMostOnce, 0));
    bench.pubrec(client, sent);
    assert_eq!(bench.got(client), [Got::PubRel(sent, ReasonCode::SUCCESS)]);
}

#[test]
fn overlapping_subscriptions_give_one_copy_with_the_highest_qos_and_all_identifiers() {
    // 3.1.1 [MQTT-3.3.5-1]
    // [MQTT-3.3.4-2, MQTT-3.3.4-3, MQTT-3.3.4-4]; mosquitto #3052
    let mut bench = Bench::new();
    let client = bench.connect(&connect(V5, "c"));
    for (filter, qos, number) in [("a/#", AtMostOnce, 1), ("a/+", ExactlyOnce, 2), ("a/b", AtLeastOnce, 3)] {
        bench.subscribe_with(client, filter, SubscriptionOptions::qos(qos), &[identifier(number)]);
    }
    bench.got(client);
    bench.publish(client, &publish("a/b", b"x", ExactlyOnce, 1));
    let messages = bench.messages(client);
    assert_eq!((messages.len(), messages[0].qos), (1, ExactlyOnce));
    let mut identifiers = messages[0].properties.clone();
    identifiers.sort_unstable();
    assert_eq!(identifiers, [1, 2, 3].map(|number| format!("{:?}", identifier(number))));
}

#[test]
fn overlapping_subscriptions_give_one_copy_each_when_configured() {
    // [MQTT-3.3.4-5]
    let mut bench = Bench::with(|config| config.overlapping_subscriptions = Overlapping::Each);
    let client = bench.connect(&connect(V5, "c"));
    for (filter, qos, number) in [("a/#", AtMostOnce, 1), ("a/b", AtLeastOnce, 2)] {
        bench.subscribe_with(client, filter, SubscriptionOptions::qos(qos), &[identifier(number)]);
    }
    bench.got(client);
    bench.publish(client, &publish("a/b", b"x", ExactlyOnce, 1));
    let mut copies: Vec<_> =
        bench.messages(client).into_iter().map(|message| (message.qos, message.properties)).collect();
    copies.sort_unstable();
    let expected = [(AtMostOnce, 1), (AtLeastOnce, 2)];
    assert_eq!(copies, expected.map(|(qos, number)| (qos, vec![format!("{:?}", identifier(number))])));
}

#[test]
fn identifiers_follow_replacement_and_the_session() {
    let mut bench = Bench::new();
    let client = bench.connect(&persistent(V5, "c"));
    for properties in [&[identifier(1)][..], &[identifier(2)]] {
        bench.subscribe_with(client, "a", SubscriptionOptions::qos(AtLeastOnce), properties);
    }
    bench.close(client);
    let publisher = bench.connect(&connect(V5, "p"));
    bench.publish(publisher, &publish("a", b"x", AtLeastOnce, 1));
    let client = bench.connect(&persistent(V5, "c"));
    assert_eq!(bench.messages(client)[0].properties, [format!("{:?}", identifier(2))]);
    bench.subscribe(client, "a", AtLeastOnce);
    bench.publish(publisher, &publish("a", b"x", AtLeastOnce, 1));
    assert!(bench.messages(client)[0].properties.is_empty(), "replaced by one without");
}

#[test]
fn no_local_keeps_own_messages_away_and_no_others() {
    // [MQTT-3.8.3-3]
    let mut bench = Bench::new();
    let client = bench.connect(&persistent(V5, "c"));
    let options = SubscriptionOptions { no_local: true, ..SubscriptionOptions::qos(AtLeastOnce) };
    bench.subscribe_with(client, "a", options, &[]);
    let other = bench.connect(&connect(V5, "p"));
    bench.publish(client, &publish("a", b"own", AtMostOnce, 0));
    bench.publish(other, &publish("a", b"other", AtMostOnce, 0));
    assert_eq!(bench.payloads(client), ["other"]);
    let client = bench.connect(&persistent(V5, "c"));
    bench.publish(client, &publish("a", b"own, after reconnecting", AtMostOnce, 0));
    assert!(bench.messages(client).is_empty());
    bench.subscribe(client, "+", AtMostOnce);
    bench.publish(client, &publish("a", b"own, by another subscription", AtMostOnce, 0));
    assert_eq!(bench.messages(client).len(), 1);
}

#[test]
fn no_local_on_a_shared_subscription_is_a_protocol_error() {
    // [MQTT-3.8.3-4]
    let mut bench = Bench::new();
    let client = bench.connect(&connect(V5, "c"));
    bench.send_bytes(client, b"\x82\x10\x00\x01\x00\x00\x0a$share/g/a\x04");
    assert_eq!(bench.got(client)[0], Got::Disconnect(ReasonCode::PROTOCOL_ERROR));
}

#[test]
fn matching_compares_bytes_and_normalises_nothing() {
    // [MQTT-4.7.3-4, MQTT-3.3.2-3]
    let mut bench = Bench::new();
    let client = bench.connect(&connect(V5, "c"));
    bench.subscribe(client, "/a", AtMostOnce);
    bench.subscribe(client, "\u{fc}", AtMostOnce);
    for topic in ["a", "/A", "/a/", "u\u{308}", "//a"] {
        bench.publish(client, &publish(topic, b"", AtMostOnce, 0));
    }
    assert!(bench.messages(client).is_empty());
    bench.publish(client, &publish("/a", b"", AtMostOnce, 0));
    assert_eq!(bench.messages(client).len(), 1);
}

#[test]
fn each_of_many_kinds_of_subscribers_gets_its_own_form_of_one_message() {
    // Packets that are encoded once for many must not be mixed up.
    for size in [10, 5000] {
        let mut bench = Bench::new();
        let mut kinds = Vec::new();
        for version in [V3_1_1, V5] {
            for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
                for (retain_as_published, number) in [(false, 0), (true, 0), (true, 7)] {
                    let client = bench.connect(&connect(version, &kinds.len().to_string()));
                    let options =
                        SubscriptionOptions { retain_as_published, ..SubscriptionOptions::qos(qos) };
                    let options = if version == V5 { options } else { SubscriptionOptions::qos(qos) };
                    let properties = identifier(number.max(1));
                    let properties = &[properties][..usize::from(number > 0 && version == V5)];
                    bench.subscribe_with(client, "a", options, properties);
                    bench.got(client);
                    kinds.push((client, qos, options.retain_as_published, properties.len()));
                }
            }
        }
        let message = mqtt_codec::Publish {
            retain: true,
            payload: &vec![b'x'; size],
            ..publish("a", b"", ExactlyOnce, 1)
        };
        let publisher = bench.connect(&connect(V5, "p"));
        bench.publish(publisher, &message);
        for (client, qos, retain, properties) in kinds {
            let message = bench.messages(client).remove(0);
            assert_eq!((message.qos, message.retain, message.properties.len()), (qos, retain, properties));
            assert_eq!((message.payload.len(), message.packet_id.is_some()), (size, qos > AtMostOnce));
        }
    }
}
