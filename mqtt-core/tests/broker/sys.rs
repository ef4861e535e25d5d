//! `$SYS/broker/…`, and the counters and gauges behind it.

use mqtt_codec::{Publish, ReasonCode};
use mqtt_core::{Config, ConnectionId};

use crate::support::{
    AtLeastOnce, AtMostOnce, Bench, Got, Message, V3_1_1, V5, connect, persistent, publish, seconds,
};

/// A broker that publishes `$SYS` every ten seconds, and a client that watches all of it.
fn watched() -> (Bench, ConnectionId) {
    let mut bench = Bench::with(|config| config.sys_interval = Config::default().sys_interval);
    let watcher = bench.connect(&connect(V5, "watcher"));
    bench.subscribe(watcher, "$SYS/#", AtMostOnce);
    (bench, watcher)
}

fn value(messages: &[Message], name: &str) -> Option<String> {
    let topic = format!("$SYS/broker/{name}");
    let message = messages.iter().rfind(|message| message.topic == topic)?;
    Some(String::from_utf8(message.payload.clone()).unwrap())
}

#[test]
fn the_names_are_those_of_mosquitto() {
    let (mut bench, watcher) = watched();
    let messages = bench.messages(watcher);
    let names = [
        "version",
        "uptime",
        "clients/total",
        "clients/connected",
        "clients/disconnected",
        "clients/active",
        "clients/inactive",
        "clients/maximum",
        "clients/expired",
        "subscriptions/count",
        "shared_subscriptions/count",
        "retained messages/count",
        "messages/stored",
        "store/messages/count",
        "store/messages/bytes",
        "messages/received",
        "messages/sent",
        "publish/messages/received",
        "publish/messages/sent",
        "publish/messages/dropped",
        "publish/bytes/received",
        "publish/bytes/sent",
        "bytes/received",
        "bytes/sent",
        "load/messages/received/1min",
        "load/messages/sent/5min",
        "load/publish/dropped/15min",
        "load/publish/received/1min",
        "load/publish/sent/1min",
        "load/bytes/received/1min",
        "load/bytes/sent/1min",
        "load/sockets/1min",
        "load/connections/1min",
    ];
    for name in names {
        assert!(value(&messages, name).is_some(), "{name}");
    }
    assert!(messages.iter().all(|message| message.retain));
    assert!(value(&messages, "version").unwrap().starts_with("m2m version "));
}

#[test]
fn values_follow_what_happens_and_only_changes_are_published() {
    let (mut bench, watcher) = watched();
    bench.messages(watcher);
    let sleeper = bench.connect(&persistent(V3_1_1, "sleeper"));
    bench.subscribe(sleeper, "a", AtLeastOnce);
    bench.subscribe(sleeper, "$share/g/a", AtLeastOnce);
    bench.close(sleeper);
    let publisher = bench.connect(&connect(V5, "p"));
    bench.publish(publisher, &Publish { retain: true, ..publish("r", b"12345", AtLeastOnce, 1) });
    bench.publish(publisher, &publish("a", b"1234567890", AtLeastOnce, 2));
    bench.advance(seconds(10));
    let messages = bench.messages(watcher);
    for (name, expected) in [
        ("uptime", "10 seconds"),
        ("clients/total", "3"),
        ("clients/connected", "2"),
        ("clients/disconnected", "1"),
        ("clients/maximum", "3"),
        ("subscriptions/count", "3"),
        ("shared_subscriptions/count", "1"),
        ("publish/messages/received", "2"),
        ("publish/bytes/received", "15"),
    ] {
        assert_eq!(value(&messages, name).as_deref(), Some(expected), "{name}");
    }
    assert_eq!(value(&messages, "version"), None, "unchanged");
    assert!(messages.iter().all(|message| !message.retain), "an established subscription");
    let loads: f64 = value(&messages, "load/publish/received/1min").unwrap().parse().unwrap();
    assert!((1.8..1.9).contains(&loads), "2 in 10 s, over a minute: {loads}");
}

#[test]
fn leading_wildcards_do_not_see_it() {
    let (mut bench, _) = watched();
    let client = bench.connect(&connect(V5, "c"));
    for filter in ["#", "+/broker/#", "+/broker/uptime"] {
        bench.subscribe(client, filter, AtMostOnce);
    }
    bench.advance(seconds(30));
    assert!(bench.messages(client).is_empty());
}

#[test]
fn clients_cannot_publish_into_it() {
    let (mut bench, watcher) = watched();
    bench.messages(watcher);
    for (version, reason) in [(V5, ReasonCode::NOT_AUTHORIZED), (V3_1_1, ReasonCode::SUCCESS)] {
        let client = bench.connect(&connect(version, "c"));
        bench.publish(client, &publish("$SYS/broker/version", b"forged", AtLeastOnce, 1));
        assert_eq!(bench.got(client), [Got::PubAck(1, reason)]);
        bench.publish(client, &publish("$SYSTEM", b"not it", AtMostOnce, 0));
    }
    assert!(bench.messages(watcher).is_empty());
    assert_eq!(bench.broker.counters().dropped_publish_denied, 2);
}

#[test]
fn an_interval_of_zero_turns_it_off() {
    let mut bench = Bench::new();
    assert_eq!(bench.broker.next_deadline(), None);
    assert_eq!(bench.broker.gauges().retained, 0);
    let client = bench.connect(&connect(V5, "c"));
    bench.subscribe(client, "$SYS/#", AtMostOnce);
    assert!(bench.messages(client).is_empty());
}

#[test]
fn counters_tell_bytes_and_packets_of_both_directions() {
    let mut bench = Bench::new();
    let client = bench.connect(&connect(V3_1_1, "c"));
    bench.subscribe(client, "a", AtMostOnce);
    bench.publish(client, &publish("a", b"12345", AtMostOnce, 0));
    let counters = bench.broker.counters();
    // CONNECT 15, SUBSCRIBE 8, PUBLISH 10; CONNACK 4, SUBACK 5, PUBLISH 10.
    assert_eq!((counters.bytes_received, counters.bytes_sent), (15 + 8 + 10, 4 + 5 + 10));
    assert_eq!((counters.packets_received, counters.packets_sent), (3, 3));
    assert_eq!((counters.publish_received, counters.publish_sent), (1, 1));
    assert_eq!((counters.publish_bytes_received, counters.publish_bytes_sent), (5, 5));
    assert_eq!((counters.connections_opened, counters.connects_accepted), (1, 1));
    assert_eq!(counters.dropped(), 0);
}

#[test]
fn gauges_follow_clients_and_connections() {
    let mut bench = Bench::new();
    let gauges = |bench: &Bench| {
        let gauges = bench.broker.gauges();
        (gauges.connections, gauges.clients, gauges.sessions)
    };
    let open = bench.open();
    assert_eq!(gauges(&bench), (1, 0, 0));
    let client = bench.connect(&persistent(V5, "c"));
    assert_eq!(gauges(&bench), (2, 1, 1));
    bench.close(client);
    assert_eq!(gauges(&bench), (1, 0, 1));
    bench.close(open);
    assert_eq!(gauges(&bench), (0, 0, 1));
}
