//! What the host does with a broker: publish, disconnect, shut down, reconfigure; and the laws of the state machine.

use core::time::Duration;

use mqtt_codec::{Connect, Packet, Properties, Property, ReasonCode};
use mqtt_core::{Action, CloseReason, Config, Input, Publication, Refused};

use crate::support::{
    AtLeastOnce, AtMostOnce, Bench, ExactlyOnce, Got, V3_1_1, V5, connect, persistent, publish, seconds,
    will, with,
};

fn publication(topic: &str) -> Publication<'_> {
    Publication { topic, qos: ExactlyOnce, retain: false, properties: Properties::NONE, payload: b"x" }
}

#[test]
fn the_host_publishes_like_a_client() {
    let mut bench = Bench::new();
    let client = bench.connect(&connect(V5, "c"));
    bench.subscribe(client, "a/#", AtLeastOnce);
    let properties = [
        Property::TopicAlias(1.try_into().unwrap()),
        Property::MessageExpiryInterval(10),
        Property::ContentType("text"),
    ];
    let properties = Properties::list(&properties);
    let message = Publication { properties, retain: true, ..publication("a/b") };
    bench.broker.publish(&message, bench.now).unwrap();
    bench.drain();
    let got = bench.messages(client).remove(0);
    assert_eq!((got.topic.as_str(), got.qos, got.retain), ("a/b", AtLeastOnce, false));
    assert_eq!(got.properties, ["MessageExpiryInterval(10)", "ContentType(\"text\")"]);
    assert_eq!(bench.broker.gauges().retained, 1);
    for topic in ["", "a/+", "a/#", "a\0b", &"a/".repeat(200)] {
        assert_eq!(bench.broker.publish(&publication(topic), bench.now), Err(Refused::InvalidTopic));
    }
    for wrong in [Property::AssignedClientIdentifier("x"), Property::ResponseTopic("a/+")] {
        let list = [wrong];
        let message = Publication { properties: Properties::list(&list), ..publication("a/b") };
        assert_eq!(bench.broker.publish(&message, bench.now), Err(Refused::InvalidProperties), "{wrong:?}");
    }
    assert_eq!(bench.messages(client), []);
}

#[test]
fn the_host_disconnects_a_client_once() {
    let mut bench = Bench::new();
    let reason = ReasonCode::ADMINISTRATIVE_ACTION;
    let closed = Got::Closed(CloseReason::Administrative(reason));
    let client = bench.connect(&persistent(V5, "c"));
    for _ in 0..2 {
        bench.broker.disconnect(client, reason, bench.now).unwrap();
        bench.drain();
    }
    assert_eq!(bench.got(client), [Got::Disconnect(reason), closed]);
    bench.close(client);
    assert_eq!(bench.broker.disconnect(client, reason, bench.now), Err(Refused::NoConnection));
    assert_eq!(bench.broker.gauges().sessions, 1);
}

#[test]
fn shutdown_tells_all_and_accepts_no_more() {
    let mut bench = Bench::new();
    let client = bench.connect(&Connect { will: Some(will("w", b"gone")), ..connect(V5, "c") });
    let old = bench.connect(&persistent(V3_1_1, "old"));
    bench.subscribe(old, "w", AtLeastOnce);
    let unknown = bench.open();
    bench.broker.shutdown(bench.now);
    bench.drain();
    let reason = ReasonCode::SERVER_SHUTTING_DOWN;
    let closed = Got::Closed(CloseReason::Administrative(reason));
    assert_eq!(bench.got(client), [Got::Disconnect(reason), closed.clone()]);
    assert_eq!(bench.got(old).last(), Some(&closed));
    assert_eq!(bench.got(unknown), [closed]);
    assert_eq!(bench.broker.open(bench.now), Err(Refused::ShuttingDown));
    assert_eq!(bench.broker.gauges().sessions, 1, "sessions stay as they are");
}

#[test]
fn a_new_configuration_holds_for_what_comes() {
    let mut bench = Bench::new();
    let before = bench.connect(&connect(V5, "before"));
    let config = Config {
        max_qos: AtMostOnce,
        sys_interval: Duration::ZERO,
        wildcard_subscriptions: false,
        ..Config::default()
    };
    bench.broker.reconfigure(config.clone(), bench.now);
    assert_eq!(*bench.broker.config(), config);
    let (_, announced) = bench.connack(&connect(V5, "after"));
    assert!(announced.contains("MaximumQoS(AtMostOnce)"), "{announced}");
    bench.publish(before, &publish("a", b"", AtLeastOnce, 1));
    assert_eq!(bench.got(before)[0], Got::Disconnect(ReasonCode::QOS_NOT_SUPPORTED));
}

#[test]
fn what_cannot_change_stays_in_the_configuration() {
    let mut bench = Bench::new();
    let before = bench.broker.config().clone();
    let changed = Config {
        durable: true,
        max_subscriptions: 1,
        max_subscriptions_per_client: 1,
        max_retained: 1,
        ..before.clone()
    };
    bench.broker.reconfigure(changed, bench.now);
    assert_eq!(*bench.broker.config(), before);
}

#[test]
fn a_new_configuration_can_turn_sys_on_and_off() {
    let mut bench = Bench::new();
    let on = Config { sys_interval: seconds(5), ..bench.broker.config().clone() };
    bench.broker.reconfigure(on, bench.now);
    assert_eq!(bench.broker.next_deadline(), Some(bench.now + seconds(5)));
    let off = Config { sys_interval: Duration::ZERO, ..bench.broker.config().clone() };
    bench.broker.reconfigure(off, bench.now);
    assert_eq!(bench.broker.next_deadline(), None);
}

#[test]
fn inputs_about_connections_that_are_gone_are_ignored_and_their_bytes_taken() {
    let mut bench = Bench::new();
    let client = bench.connect(&connect(V5, "c"));
    bench.close(client);
    let now = bench.now;
    assert_eq!(bench.broker.handle(Input::Bytes { connection: client, bytes: b"\xc0\x00" }, now), 2);
    bench.broker.handle(Input::Sent { connection: client, bytes: 100 }, now);
    bench.broker.handle(Input::Closed { connection: client }, now);
    assert!(bench.broker.poll_action().is_none());
    assert_eq!(bench.broker.output(client).count(), 0);
}

#[test]
fn a_disconnect_of_the_client_is_the_end() {
    // [MQTT-3.14.4-1, MQTT-3.14.4-2]
    let mut bench = Bench::new();
    let client = bench.connect(&connect(V5, "c"));
    bench.send(client, &Packet::Disconnect(mqtt_codec::Disconnect::new(ReasonCode::SUCCESS)));
    bench.send(client, &Packet::PingReq);
    assert_eq!(bench.got(client), [Got::Closed(CloseReason::Disconnected(ReasonCode::SUCCESS))]);
}

/// Runs many clients through the same life; everything that came out, and when.
fn history(seed: u8) -> Vec<String> {
    let config = Config { connect_timeout: seconds(3), ..Config::default() };
    let mut now = machine::Instant::from_micros(5_000_000);
    let mut broker = mqtt_core::Broker::new(config, [seed; 32], now);
    let mut log = Vec::new();
    for round in 0..40u64 {
        let expiry = [Property::SessionExpiryInterval(round as u32 % 5)];
        let id = if round % 7 == 0 { String::new() } else { format!("c{}", round % 6) };
        let connect = Connect { clean_start: round % 3 == 0, ..with(connect(V5, &id), &expiry) };
        let connect = Connect { will: Some(will("a/will", b"w")), keep_alive: 2, ..connect };
        let connection = broker.open(now).unwrap();
        let mut bytes = Vec::new();
        Packet::Connect(connect).encode(V5, &mut bytes).unwrap();
        let filters = [
            ("a/#", mqtt_codec::SubscriptionOptions::qos(ExactlyOnce)),
            ("$share/g/a/#", mqtt_codec::SubscriptionOptions::qos(AtLeastOnce)),
        ];
        let subscribe = mqtt_codec::Subscribe {
            packet_id: crate::support::id(1),
            properties: Properties::NONE,
            filters: mqtt_codec::SubscribeFilters::list(&filters),
        };
        Packet::Subscribe(subscribe).encode(V5, &mut bytes).unwrap();
        Packet::Publish(publish("a/b", &[b'x'; 3], AtLeastOnce, 1)).encode(V5, &mut bytes).unwrap();
        broker.handle(Input::Bytes { connection, bytes: &bytes }, now);
        now += Duration::from_millis(700);
        broker.handle(Input::Tick, now);
        while let Some(action) = broker.poll_action() {
            log.push(format!("{now:?} {action:?}"));
            if let Action::Output(connection) = action {
                let output: Vec<u8> = broker.output(connection).flatten().copied().collect();
                broker.handle(Input::Sent { connection, bytes: output.len() }, now);
                log.push(format!("{output:?}"));
            } else if let Action::Close { connection, .. } = action {
                broker.handle(Input::Closed { connection }, now);
            }
        }
    }
    log
}

#[test]
fn the_same_inputs_at_the_same_times_give_the_same_actions_byte_for_byte() {
    let first = history(1);
    assert!(first.len() > 200);
    assert_eq!(first, history(1));
    assert_ne!(first, history(2), "the seed shows in assigned client identifiers");
}

#[test]
fn after_a_tick_no_deadline_is_left_behind_and_ticks_are_harmless() {
    let mut bench = Bench::with(|config| config.sys_interval = seconds(7));
    let publisher = bench.connect(&Connect { keep_alive: 11, ..connect(V5, "p") });
    for number in 1..=10u32 {
        let expiry = [Property::SessionExpiryInterval(number * 3)];
        let delay = [Property::WillDelayInterval(number * 2)];
        let will = mqtt_codec::Will { properties: Properties::list(&delay), ..will("w", b"") };
        let connect = Connect { will: Some(will), ..with(connect(V5, "c"), &expiry) };
        let client = bench.connect(&Connect { client_id: &number.to_string(), ..connect });
        bench.subscribe(client, "#", AtLeastOnce);
        let expiry = [Property::MessageExpiryInterval(number)];
        let properties = Properties::list(&expiry);
        let topic = number.to_string();
        let message = mqtt_codec::Publish { retain: true, properties, ..publish(&topic, b"", AtMostOnce, 0) };
        bench.publish(publisher, &mqtt_codec::Publish { payload: b"x", ..message });
        bench.open();
        bench.close(client);
    }
    for _ in 0..500 {
        bench.now += Duration::from_millis(137);
        for _ in 0..2 {
            bench.broker.handle(Input::Tick, bench.now);
            bench.drain();
            assert!(bench.broker.next_deadline().is_none_or(|deadline| deadline > bench.now));
        }
    }
    let gauges = bench.broker.gauges();
    assert_eq!((gauges.sessions, gauges.messages), (0, gauges.retained));
}
