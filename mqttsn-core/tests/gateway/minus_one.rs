//! QoS -1: messages without a connection (MQTT-SN 1.2 §6.8, §7.1).

use mqttsn_codec::{MinusOneTopic, Packet, PublishMinusOne, ShortTopic, SubscribeTopic, Topic};
use mqttsn_core::gateway::{Config, MinusOnePolicy, Predefined};

use crate::support::{
    AtLeastOnce, Bench, aggregating, both, both_with, connect, hex, puback, publish, qos1, seconds, topic,
};

fn predefined(config: &mut Config) {
    let mut predefined = Predefined::default();
    predefined.insert(topic(1), "all/one").unwrap();
    predefined.insert_for("c", topic(1), "own/one").unwrap();
    config.predefined = predefined;
}

fn minus_one(topic: MinusOneTopic<'_>) -> Packet<'_> {
    Packet::PublishMinusOne(PublishMinusOne { retain: false, topic, data: b"m" })
}

const SHORT: MinusOneTopic<'static> = MinusOneTopic::Short(ShortTopic(*b"ab"));

#[test]
fn anyone_may_publish_to_short_and_predefined_topics() {
    both_with(predefined, |mut bench| {
        bench.ask(1, &minus_one(SHORT), &[]);
        bench.ask(1, &minus_one(MinusOneTopic::Predefined(topic(1))), &[]);
        assert_eq!(
            bench.seen(),
            [("ab".into(), "m".into(), 0, false), ("all/one".into(), "m".into(), 0, false),]
        );
        bench.connect(1, "c");
        bench.ask(1, &minus_one(MinusOneTopic::Predefined(topic(1))), &[]);
        assert_eq!(bench.seen()[0].0, "own/one", "a client that is known has ids of its own");
    });
}

#[test]
fn an_unknown_or_invalid_topic_is_dropped_without_a_word() {
    both(|mut bench| {
        bench.ask(1, &minus_one(MinusOneTopic::Predefined(topic(1))), &[]);
        for short in [*b"a#", *b"++", *b"$a", [0xc3, 0x28]] {
            bench.ask(1, &minus_one(MinusOneTopic::Short(ShortTopic(short))), &[]);
        }
        assert_eq!(bench.seen(), []);
        assert_eq!(bench.gateway.counters().dropped_minus_one, 5);
    });
}

#[test]
fn the_policy_says_who_may() {
    both_with(
        |config| config.qos_minus_one = MinusOnePolicy::Off,
        |mut bench| {
            bench.connect(1, "c");
            bench.ask(1, &minus_one(SHORT), &[]);
            assert_eq!(bench.seen(), []);
        },
    );
    both_with(
        |config| config.qos_minus_one = MinusOnePolicy::Connected,
        |mut bench| {
            bench.connect(1, "c");
            bench.ask(2, &minus_one(SHORT), &[]);
            assert_eq!(bench.seen(), []);
            bench.ask(1, &minus_one(SHORT), &[]);
            assert_eq!(bench.seen().len(), 1);
        },
    );
}

#[test]
fn each_source_may_so_much_per_second() {
    both_with(
        |config| config.strangers.messages_each = 3,
        |mut bench| {
            for _ in 0..10 {
                bench.send(1, &minus_one(SHORT));
            }
            bench.send(2, &minus_one(SHORT));
            assert_eq!(bench.seen().len(), 4);
            assert_eq!(bench.gateway.counters().strangers_limited, 7);
            bench.advance(seconds(1));
            bench.send(1, &minus_one(SHORT));
            assert_eq!(bench.seen().len(), 1);
        },
    );
}

/// `0c` flags `e0`: QoS -1, TopicIdType 00; the TopicId field 3 is the length of `abc`, then the data.
#[test]
fn rsmbs_extension_is_understood_only_where_it_is_turned_on() {
    let datagram = hex("0b 0c 60 0003 0000 616263 6d");
    both(|mut bench| {
        bench.send_raw(1, &datagram);
        assert_eq!(bench.seen(), []);
    });
    both_with(
        |config| config.rsmb_qos_minus_one = true,
        |mut bench| {
            bench.send_raw(1, &datagram);
            assert_eq!(bench.seen(), [("abc".into(), "m".into(), 0, false)]);
            bench.send_raw(1, &hex("0b 0c 60 0003 0000 612f23 6d"));
            assert_eq!(bench.seen(), []);
        },
    );
}

#[test]
fn a_transparent_gateway_needs_a_connection_of_its_own_only_for_this() {
    let bench = Bench::with(|config| config.qos_minus_one = MinusOnePolicy::Off);
    assert_eq!(bench.connections(), 0);
    let bench = Bench::new();
    assert_eq!(bench.connections(), 1);
    let bench = Bench::with(|config| {
        aggregating(config);
        config.qos_minus_one = MinusOnePolicy::Off;
    });
    assert_eq!(bench.connections(), 1);
}

#[test]
fn predefined_ids_with_a_connection() {
    both_with(predefined, |mut bench| {
        bench.connect(1, "c");
        bench.connect(2, "d");
        let one = Topic::Predefined(topic(1));
        bench.ask(1, &publish(one, "m", qos1(1)), &[puback(1, 1, 0)]);
        bench.ask(2, &publish(one, "m", qos1(1)), &[puback(1, 1, 0)]);
        let topics: Vec<_> = bench.seen().into_iter().map(|(topic, ..)| topic).collect();
        assert_eq!(topics, ["own/one", "all/one"]);
        let suback = bench.subscribe_to(1, SubscribeTopic::Predefined(topic(1)), AtLeastOnce);
        assert_eq!((suback.topic_id, suback.return_code.get()), (1, 0));
        bench.publish_at_broker("own/one", "n", 1);
        let got = bench.take(1);
        match Packet::decode(&got[0]).unwrap() {
            Packet::Publish(publish) => assert_eq!(publish.topic, one, "no REGISTER"),
            other => panic!("{other:?}"),
        }
        bench.publish_at_broker("all/one", "n", 1);
        bench.expect(2, &[]);
        bench.send(1, &Packet::Connect(connect("c")));
    });
}
