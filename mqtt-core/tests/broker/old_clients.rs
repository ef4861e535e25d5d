//! Rules that hold for clients of MQTT 3.1 and 3.1.1 as they do for those of 5.0.

use mqtt_codec::{Packet, Properties, Publish, ReasonCode, Unsubscribe, UnsubscribeFilters};
use mqtt_core::ConnectionId;

use crate::support::{
    AtLeastOnce, AtMostOnce, Bench, ExactlyOnce, Got, V3_1, V3_1_1, connect, delivery, id, persistent,
    publish,
};

const OLD: [mqtt_codec::ProtocolVersion; 2] = [V3_1, V3_1_1];

fn retain(bench: &mut Bench, client: ConnectionId, payload: &[u8], qos: mqtt_codec::QoS) {
    bench.publish(client, &Publish { retain: true, ..publish("a", payload, qos, 1) });
}

/// Payload and QoS of what a new subscription gets.
fn retained(bench: &mut Bench, version: mqtt_codec::ProtocolVersion) -> Vec<(Vec<u8>, mqtt_codec::QoS)> {
    let client = bench.connect(&connect(version, "looker"));
    bench.subscribe(client, "#", ExactlyOnce);
    let messages = bench.messages(client).into_iter();
    messages.map(|message| (message.payload, message.qos)).collect()
}

#[test]
fn retained_messages_are_kept_replaced_and_removed() {
    // 3.1.1 [MQTT-3.1.2-7, MQTT-3.3.1-5, MQTT-3.3.1-7, MQTT-3.3.1-10, MQTT-3.3.1-11, MQTT-3.3.1-12]
    for version in OLD {
        let mut bench = Bench::new();
        let publisher = bench.connect(&connect(version, "p"));
        retain(&mut bench, publisher, b"two", ExactlyOnce);
        bench.pubrel(publisher, 1);
        assert_eq!(retained(&mut bench, version), [(b"two".to_vec(), ExactlyOnce)]);
        bench.publish(publisher, &publish("a", b"not retained", AtMostOnce, 0));
        retain(&mut bench, publisher, b"zero", AtMostOnce);
        assert_eq!(retained(&mut bench, version), [(b"zero".to_vec(), AtMostOnce)]);
        bench.close(publisher);
        assert_eq!(retained(&mut bench, version).len(), 1, "it outlives the session");

        let publisher = bench.connect(&connect(version, "p"));
        bench.subscribe(publisher, "a", AtMostOnce);
        bench.messages(publisher);
        retain(&mut bench, publisher, b"", AtMostOnce);
        let routed = bench.messages(publisher);
        assert_eq!((routed.len(), routed[0].retain), (1, false));
        assert_eq!(retained(&mut bench, version), []);
    }
}

#[test]
fn what_was_not_acknowledged_is_sent_again_in_order_with_its_identifier_and_dup() {
    // 3.1.1 [MQTT-2.3.1-3, MQTT-3.1.2-4, MQTT-3.3.1-1, MQTT-4.1.0-1, MQTT-4.3.2-1, MQTT-4.4.0-1, MQTT-4.6.0-1]
    // 3.1.1 [MQTT-3.2.0-1, MQTT-4.6.0-4, MQTT-4.6.0-5, MQTT-4.6.0-6]
    for version in OLD {
        let mut bench = Bench::new();
        let subscriber = bench.connect(&persistent(version, "s"));
        bench.subscribe(subscriber, "a", ExactlyOnce);
        let publisher = bench.connect(&connect(version, "p"));
        for (number, payload) in (1..).zip([b"1", b"2", b"3", b"4"]) {
            bench.publish(publisher, &publish("a", payload, ExactlyOnce, number));
        }
        let first = bench.messages(subscriber);
        assert!(first.iter().all(|message| !message.dup));
        let ids: Vec<_> = first.iter().map(|message| message.packet_id.unwrap()).collect();
        bench.pubrec(subscriber, ids[2]);
        bench.pubrec(subscriber, ids[0]);
        bench.close(subscriber);
        let (_, got) = bench.try_connect(&persistent(version, "s"));
        assert!(matches!(got[0], Got::ConnAck { reason: ReasonCode::SUCCESS, .. }));
        let again: Vec<_> = got[1..]
            .iter()
            .map(|got| match got {
                Got::Publish(message) => (message.packet_id.unwrap(), Some(message.dup)),
                Got::PubRel(number, _) => (*number, None),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(again, [(ids[1], Some(true)), (ids[3], Some(true)), (ids[2], None), (ids[0], None)]);
    }
}

#[test]
fn identifiers_of_clients_mean_a_new_message_after_the_last_acknowledgement() {
    // 3.1.1 [MQTT-4.3.2-2, MQTT-4.3.3-2, MQTT-3.3.4-1]
    for version in OLD {
        let mut bench = Bench::new();
        let client = bench.connect(&connect(version, "c"));
        bench.subscribe(client, "a", AtMostOnce);
        for dup in [false, true] {
            let delivery = mqtt_codec::Delivery::AtLeastOnce { packet_id: id(1), dup };
            bench.publish(client, &Publish { delivery, ..publish("a", b"one", AtLeastOnce, 1) });
        }
        assert_eq!(bench.payloads(client), ["one", "one"]);
        for _ in 0..2 {
            for _ in 0..3 {
                bench.publish(client, &publish("a", b"two", ExactlyOnce, 2));
            }
            bench.pubrel(client, 2);
        }
        let got = bench.got(client);
        let count = |what: fn(&Got) -> bool| got.iter().filter(|got| what(got)).count();
        assert_eq!(count(|got| matches!(got, Got::PubRec(2, _))), 6);
        assert_eq!(count(|got| matches!(got, Got::PubComp(2, _))), 2);
        assert_eq!(count(|got| matches!(got, Got::Publish(_))), 2);
    }
}

#[test]
fn subscribing_again_replaces_and_sends_retained_messages_again() {
    // 3.1.1 [MQTT-3.8.4-3, MQTT-3.3.5-1, MQTT-3.8.4-6]
    for version in OLD {
        let mut bench = Bench::new();
        let client = bench.connect(&persistent(version, "c"));
        retain(&mut bench, client, b"r", AtMostOnce);
        bench.subscribe(client, "a", ExactlyOnce);
        bench.publish(client, &publish("a", b"in flight", AtLeastOnce, 1));
        bench.subscribe(client, "a", AtMostOnce);
        bench.publish(client, &publish("a", b"x", AtLeastOnce, 2));
        let seen: Vec<_> =
            bench.messages(client).into_iter().map(|message| (message.payload, message.qos)).collect();
        let expected = [("r", AtMostOnce), ("in flight", AtLeastOnce), ("r", AtMostOnce), ("x", AtMostOnce)];
        assert_eq!(seen, expected.map(|(payload, qos)| (payload.as_bytes().to_vec(), qos)));
        bench.subscribe(client, "+", AtLeastOnce);
        bench.messages(client);
        bench.publish(client, &publish("a", b"both", ExactlyOnce, 3));
        let seen = bench.messages(client);
        assert_eq!((seen.len(), seen[0].qos), (1, AtLeastOnce), "the highest of the overlapping");
    }
}

#[test]
fn unsubscribe_takes_exact_filters_back_and_lets_what_was_begun_finish() {
    // 3.1.1 [MQTT-3.10.4-1, MQTT-3.10.4-2, MQTT-3.10.4-3, MQTT-3.10.4-4, MQTT-3.10.4-5, MQTT-3.10.4-6]
    for version in OLD {
        let mut bench = Bench::new();
        let client = bench.connect(&persistent(version, "c"));
        for filter in ["a", "A", "b/+"] {
            bench.subscribe(client, filter, ExactlyOnce);
        }
        bench.publish(client, &publish("a", b"begun", ExactlyOnce, 1));
        let begun = bench.messages(client)[0].packet_id.unwrap();
        let filters = UnsubscribeFilters::list(&["a", "b/c", "never"]);
        let unsubscribe = Unsubscribe { packet_id: id(6), properties: Properties::NONE, filters };
        bench.send(client, &Packet::Unsubscribe(unsubscribe));
        assert_eq!(bench.got(client), [Got::UnsubAck(6, vec![])]);
        for topic in ["a", "A", "b/c"] {
            bench.publish(
                client,
                &Publish { delivery: delivery(AtMostOnce, 0), ..publish(topic, b"", AtMostOnce, 0) },
            );
        }
        let topics: Vec<_> = bench.messages(client).into_iter().map(|message| message.topic).collect();
        assert_eq!(topics, ["A", "b/c"]);
        bench.pubrec(client, begun);
        assert_eq!(bench.got(client), [Got::PubRel(begun, ReasonCode::SUCCESS)]);
    }
}

#[test]
fn names_are_compared_as_they_are_and_dollar_topics_apart() {
    // 3.1.1 [MQTT-3.3.2-3, MQTT-4.7.2-1, MQTT-4.7.3-4, MQTT-4.5.0-1]
    for version in OLD {
        let mut bench = Bench::new();
        let all = bench.connect(&connect(version, "all"));
        bench.subscribe(all, "#", AtMostOnce);
        bench.subscribe(all, "+/a", AtMostOnce);
        let one = bench.connect(&connect(version, "one"));
        bench.subscribe(one, "/a", AtMostOnce);
        let own = bench.connect(&connect(version, "own"));
        bench.subscribe(own, "$own/a", AtMostOnce);
        for topic in ["/a", "a", "/A", "//a", "$own/a"] {
            bench.publish(one, &publish(topic, topic.as_bytes(), AtMostOnce, 0));
        }
        assert_eq!(bench.payloads(all), ["/a", "a", "/A", "//a"]);
        assert_eq!(bench.payloads(one), ["/a"]);
        assert_eq!(bench.payloads(own), ["$own/a"]);
    }
}

#[test]
fn the_identifiers_that_every_server_takes_are_taken_and_ping_is_answered() {
    // 3.1.1 [MQTT-3.1.3-5, MQTT-3.1.4-4, MQTT-3.12.4-1, MQTT-3.1.3-2, MQTT-4.1.0-2]
    for version in OLD {
        let mut bench = Bench::new();
        for name in ["a", "0123456789abcdefghijKLM", "NOPQRSTUVWXYZnopqrstuvw"] {
            let client = bench.connect(&persistent(version, name));
            bench.send(client, &Packet::PingReq);
            assert_eq!(bench.got(client), [Got::PingResp]);
            bench.subscribe(client, name, AtMostOnce);
        }
        assert_eq!(bench.broker.gauges().sessions, 3, "each names a session of its own");
        assert_eq!(bench.broker.gauges().subscriptions, 3);
    }
}
