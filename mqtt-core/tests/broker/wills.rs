//! Wills: when they are published, and when not (MQTT 5 §3.1.2.5, §3.1.3.2.2, §3.14.4).

use mqtt_codec::{Connect, Disconnect, Packet, Properties, Property, ReasonCode, SubscriptionOptions, Will};

use crate::support::{
    AtLeastOnce, AtMostOnce, Bench, ExactlyOnce, MICROSECOND, V3_1, V3_1_1, V5, connect, persistent, seconds,
    will, with,
};
use mqtt_core::ConnectionId;

/// A broker with a client that watches `will/#`.
fn watched() -> (Bench, ConnectionId) {
    let mut bench = Bench::new();
    let watcher = bench.connect(&connect(V5, "watcher"));
    bench.subscribe(watcher, "will/#", ExactlyOnce);
    (bench, watcher)
}

/// A client with a will of that delay and a session of that expiry.
fn dying(bench: &mut Bench, delay: u32, expiry: u32) -> ConnectionId {
    let delay = [Property::WillDelayInterval(delay)];
    let will = Will { properties: Properties::list(&delay), ..will("will/c", b"gone") };
    let expiry = [Property::SessionExpiryInterval(expiry)];
    bench.connect(&Connect { will: Some(will), ..with(connect(V5, "c"), &expiry) })
}

#[test]
fn a_will_is_published_when_the_connection_is_lost() {
    // [MQTT-3.1.2-8]
    for version in [V3_1, V3_1_1, V5] {
        let (mut bench, watcher) = watched();
        let client = bench.connect(&Connect { will: Some(will("will/c", b"gone")), ..connect(version, "c") });
        assert!(bench.messages(watcher).is_empty());
        bench.close(client);
        assert_eq!(bench.payloads(watcher), ["gone"], "{version:?}");
        bench.advance(seconds(10));
        assert!(bench.messages(watcher).is_empty(), "[MQTT-3.1.2-10]: once");
        assert_eq!(bench.broker.counters().wills_published, 1);
    }
}

#[test]
fn without_a_will_nothing_is_published() {
    let (mut bench, watcher) = watched();
    let client = bench.connect(&connect(V3_1_1, "c"));
    bench.close(client);
    assert!(bench.messages(watcher).is_empty());
}

#[test]
fn a_normal_disconnect_drops_the_will() {
    // [MQTT-3.14.4-3]
    for version in [V3_1_1, V5] {
        let (mut bench, watcher) = watched();
        let client =
            bench.connect(&Connect { will: Some(will("will/c", b"gone")), ..persistent(version, "c") });
        bench.disconnect(client, ReasonCode::NORMAL_DISCONNECTION);
        bench.advance(seconds(100));
        assert!(bench.messages(watcher).is_empty());
    }
}

#[test]
fn disconnect_0x04_and_errors_keep_the_will() {
    for reason in [ReasonCode::DISCONNECT_WITH_WILL_MESSAGE, ReasonCode::UNSPECIFIED_ERROR] {
        let (mut bench, watcher) = watched();
        let client = dying(&mut bench, 0, 0);
        bench.disconnect(client, reason);
        assert_eq!(bench.payloads(watcher), ["gone"]);
    }
}

#[test]
fn a_violation_keeps_the_will() {
    let (mut bench, watcher) = watched();
    let client = dying(&mut bench, 0, 0);
    bench.send(client, &Packet::Connect(connect(V5, "c")));
    assert_eq!(bench.payloads(watcher), ["gone"]);
}

#[test]
fn silence_keeps_the_will() {
    let (mut bench, watcher) = watched();
    bench.connect(&Connect { will: Some(will("will/c", b"gone")), keep_alive: 10, ..connect(V3_1_1, "c") });
    bench.advance(seconds(16));
    assert_eq!(bench.payloads(watcher), ["gone"]);
}

#[test]
fn the_delay_runs_from_the_end_of_the_connection_to_the_microsecond() {
    let (mut bench, watcher) = watched();
    let client = dying(&mut bench, 10, 100);
    bench.advance(seconds(50));
    bench.close(client);
    bench.advance_short_of(seconds(10));
    assert!(bench.messages(watcher).is_empty());
    bench.advance(MICROSECOND);
    assert_eq!(bench.payloads(watcher), ["gone"]);
}

#[test]
fn the_delay_is_no_longer_than_the_session() {
    let (mut bench, watcher) = watched();
    let client = dying(&mut bench, 100, 10);
    bench.close(client);
    bench.advance(seconds(9));
    assert!(bench.messages(watcher).is_empty());
    bench.advance(seconds(1));
    assert_eq!(bench.payloads(watcher), ["gone"]);
    bench.advance(seconds(200));
    assert!(bench.messages(watcher).is_empty());
}

#[test]
fn the_will_of_a_session_that_ends_with_its_connection_has_no_delay() {
    let (mut bench, watcher) = watched();
    let client = dying(&mut bench, 100, 0);
    bench.close(client);
    assert_eq!(bench.payloads(watcher), ["gone"]);
}

#[test]
fn disconnect_with_another_expiry_changes_when_the_will_is_due() {
    let (mut bench, watcher) = watched();
    let client = dying(&mut bench, 100, 1000);
    let expiry = [Property::SessionExpiryInterval(5)];
    let reason = ReasonCode::DISCONNECT_WITH_WILL_MESSAGE;
    bench.send(client, &Packet::Disconnect(Disconnect { reason, properties: Properties::list(&expiry) }));
    bench.advance(seconds(4));
    assert!(bench.messages(watcher).is_empty());
    bench.advance(seconds(1));
    assert_eq!(bench.payloads(watcher), ["gone"]);
}

#[test]
fn coming_back_before_the_delay_is_over_cancels_the_will() {
    // [MQTT-3.1.3-9]
    let (mut bench, watcher) = watched();
    let client = dying(&mut bench, 10, 100);
    bench.close(client);
    bench.advance(seconds(9));
    let expiry = [Property::SessionExpiryInterval(100)];
    bench.connect(&Connect { clean_start: false, ..with(connect(V5, "c"), &expiry) });
    bench.advance(seconds(100));
    assert!(bench.messages(watcher).is_empty());
}

#[test]
fn coming_back_with_clean_start_ends_the_session_and_publishes_the_will() {
    let (mut bench, watcher) = watched();
    let client = dying(&mut bench, 10, 100);
    bench.close(client);
    bench.connect(&connect(V5, "c"));
    assert_eq!(bench.payloads(watcher), ["gone"]);
}

#[test]
fn coming_back_at_once_is_too_late_for_a_will_without_delay() {
    let (mut bench, watcher) = watched();
    let client = dying(&mut bench, 0, 100);
    bench.close(client);
    bench.connect(&persistent(V5, "c"));
    assert_eq!(bench.payloads(watcher), ["gone"]);
}

#[test]
fn will_retain_decides_whether_it_is_retained() {
    // 3.1.1 [MQTT-3.1.2-16, MQTT-3.1.2-17]
    // [MQTT-3.1.2-14, MQTT-3.1.2-15]
    for retain in [false, true] {
        let (mut bench, watcher) = watched();
        let will = Will { retain, ..will("will/c", b"gone") };
        let client = bench.connect(&Connect { will: Some(will), ..connect(V3_1_1, "c") });
        bench.close(client);
        assert!(!bench.messages(watcher)[0].retain);
        let late = bench.connect(&connect(V3_1_1, "late"));
        bench.subscribe(late, "will/#", AtMostOnce);
        assert_eq!(bench.messages(late).len(), usize::from(retain));
    }
}

#[test]
fn a_will_has_the_lesser_of_its_and_the_granted_qos() {
    for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
        let (mut bench, watcher) = watched();
        let will = Will { qos, ..will("will/c", b"gone") };
        let client = bench.connect(&Connect { will: Some(will), ..connect(V3_1_1, "c") });
        bench.close(client);
        assert_eq!(bench.messages(watcher)[0].qos, qos);
    }
}

#[test]
fn will_properties_are_published_in_order_and_expiry_runs_from_publication() {
    // [MQTT-3.1.3-10]
    let (mut bench, watcher) = watched();
    let properties = [
        Property::WillDelayInterval(5),
        Property::MessageExpiryInterval(60),
        Property::ContentType("text"),
        Property::UserProperty("k", "1"),
        Property::UserProperty("k", "2"),
    ];
    let will = Will { properties: Properties::list(&properties), ..will("will/c", b"gone") };
    let client = bench.connect(&Connect { will: Some(will), ..persistent(V5, "c") });
    bench.close(client);
    bench.advance(seconds(5));
    let got = &bench.messages(watcher)[0].properties;
    assert_eq!(*got, properties[1..].iter().map(|property| format!("{property:?}")).collect::<Vec<_>>());
}

#[test]
fn a_will_does_not_come_back_to_a_subscription_with_no_local() {
    // [MQTT-3.8.3-3]: the same client identifier.
    let (mut bench, watcher) = watched();
    let client = bench.connect(&Connect { will: Some(will("will/c", b"gone")), ..persistent(V5, "c") });
    let options = SubscriptionOptions { no_local: true, ..SubscriptionOptions::qos(AtLeastOnce) };
    bench.subscribe_with(client, "will/c", options, &[]);
    bench.close(client);
    assert_eq!(bench.messages(watcher).len(), 1);
    let client = bench.connect(&persistent(V5, "c"));
    assert!(bench.messages(client).is_empty());
}

#[test]
fn closing_by_the_host_and_shutdown_keep_the_will() {
    let (mut bench, watcher) = watched();
    let client = dying(&mut bench, 0, 0);
    let now = bench.now;
    bench.broker.disconnect(client, ReasonCode::ADMINISTRATIVE_ACTION, now).unwrap();
    bench.drain();
    assert_eq!(bench.payloads(watcher), ["gone"]);
}
