//! How long sessions last, and what they keep (MQTT 5 §3.1.2.4, §3.1.2.11.2, §4.1; 3.1.1 §3.1.2.4).

use mqtt_codec::{Connect, Disconnect, Packet, Properties, Property, ReasonCode, Will};
use mqtt_core::{CloseReason, ConnectionId, Violation};

use crate::support::{
    AtLeastOnce, AtMostOnce, Bench, ExactlyOnce, Got, MICROSECOND, V3_1, V3_1_1, V5, connect, persistent,
    publish, seconds, will, with,
};

fn expiring(bench: &mut Bench, expiry: u32) -> ConnectionId {
    let expiry = [Property::SessionExpiryInterval(expiry)];
    bench.connect(&with(connect(V5, "c"), &expiry))
}

fn disconnect_with(bench: &mut Bench, client: ConnectionId, expiry: u32) {
    let expiry = [Property::SessionExpiryInterval(expiry)];
    let disconnect = Disconnect { reason: ReasonCode::SUCCESS, properties: Properties::list(&expiry) };
    bench.send(client, &Packet::Disconnect(disconnect));
}

#[test]
fn session_present_tells_whether_there_was_one() {
    // [MQTT-3.1.3-2, MQTT-3.1.4-4], 3.1.1 [MQTT-3.2.2-1]
    // [MQTT-3.2.2-2, MQTT-3.2.2-3, MQTT-3.1.2-5, MQTT-3.1.2-6]
    for version in [V3_1_1, V5] {
        let mut bench = Bench::new();
        assert!(!bench.session_present(&persistent(version, "c")));
        assert!(bench.session_present(&persistent(version, "c")));
        assert!(!bench.session_present(&Connect { clean_start: true, ..persistent(version, "c") }));
    }
}

#[test]
fn clean_start_throws_the_old_session_away() {
    // [MQTT-3.1.2-4]
    let mut bench = Bench::new();
    let client = bench.connect(&persistent(V5, "c"));
    bench.subscribe(client, "a", AtLeastOnce);
    bench.close(client);
    let client = bench.connect(&Connect { clean_start: true, ..persistent(V5, "c") });
    bench.publish(client, &publish("a", b"x", AtLeastOnce, 1));
    assert!(bench.messages(client).is_empty());
    assert_eq!(bench.broker.gauges().subscriptions, 0);
}

#[test]
fn a_clean_session_of_3_1_1_ends_with_its_connection() {
    // 3.1.1 [MQTT-3.1.2-6]
    for version in [V3_1, V3_1_1] {
        let mut bench = Bench::new();
        let client = bench.connect(&connect(version, "c"));
        bench.close(client);
        assert_eq!(bench.broker.gauges().sessions, 0);
        assert!(!bench.session_present(&persistent(version, "c")));
    }
}

#[test]
fn an_expiry_of_zero_ends_the_session_with_its_connection() {
    let mut bench = Bench::new();
    let client = bench.connect(&Connect { clean_start: false, ..connect(V5, "c") });
    bench.close(client);
    assert_eq!(bench.broker.gauges().sessions, 0);
}

#[test]
fn a_session_lasts_until_its_expiry_to_the_microsecond() {
    // [MQTT-3.1.2-23, MQTT-4.1.0-2]
    let mut bench = Bench::new();
    let client = expiring(&mut bench, 60);
    bench.advance(seconds(600));
    bench.close(client);
    bench.advance_short_of(seconds(60));
    assert_eq!(bench.broker.gauges().sessions, 1);
    bench.advance(MICROSECOND);
    assert_eq!((bench.broker.gauges().sessions, bench.broker.counters().sessions_expired), (0, 1));
}

#[test]
fn a_session_of_3_1_1_expires_when_the_configuration_says_so() {
    let mut bench = Bench::with(|config| config.v3_session_expiry = 60);
    let client = bench.connect(&persistent(V3_1_1, "c"));
    bench.close(client);
    bench.advance(seconds(59));
    assert_eq!(bench.broker.gauges().sessions, 1);
    bench.advance(seconds(1));
    assert_eq!(bench.broker.gauges().sessions, 0);
}

#[test]
fn a_session_for_ever_has_no_deadline() {
    let mut bench = Bench::new();
    let client = bench.connect(&persistent(V5, "c"));
    bench.close(client);
    assert_eq!(bench.broker.next_deadline(), None);
}

#[test]
fn coming_back_stops_the_clock() {
    let mut bench = Bench::new();
    let client = expiring(&mut bench, 60);
    bench.close(client);
    bench.advance(seconds(59));
    let expiry = [Property::SessionExpiryInterval(60)];
    assert!(bench.session_present(&Connect { clean_start: false, ..with(connect(V5, "c"), &expiry) }));
    bench.advance(seconds(600));
    assert_eq!(bench.broker.gauges().sessions, 1);
}

#[test]
fn disconnect_can_change_the_expiry_both_ways() {
    for (at_disconnect, expected) in [(0, 0), (10, 10), (1000, 1000)] {
        let mut bench = Bench::new();
        let client = expiring(&mut bench, 100);
        disconnect_with(&mut bench, client, at_disconnect);
        bench.advance_short_of(seconds(expected));
        assert_eq!(bench.broker.gauges().sessions, u64::from(expected > 0));
        bench.advance(MICROSECOND);
        assert_eq!(bench.broker.gauges().sessions, 0);
    }
}

#[test]
fn disconnect_cannot_raise_an_expiry_of_zero() {
    // MQTT 5 §3.14.2.2.2
    let mut bench = Bench::new();
    let client = expiring(&mut bench, 0);
    disconnect_with(&mut bench, client, 10);
    let closed = CloseReason::Violation(Violation::SessionExpiryRaised);
    assert_eq!(bench.got(client), [Got::Disconnect(ReasonCode::PROTOCOL_ERROR), Got::Closed(closed)]);
    assert_eq!(bench.broker.gauges().sessions, 0);
}

#[test]
fn the_broker_has_a_longest_expiry_and_says_so() {
    let mut bench = Bench::with(|config| config.max_session_expiry = 30);
    let (client, announced) = bench.connack(&persistent(V5, "c"));
    assert!(announced.contains("SessionExpiryInterval(30)"), "{announced}");
    disconnect_with(&mut bench, client, 1000);
    bench.advance(seconds(29));
    assert_eq!(bench.broker.gauges().sessions, 1);
    bench.advance(seconds(1));
    assert_eq!(bench.broker.gauges().sessions, 0);
}

#[test]
fn a_broker_without_sessions_does_not_call_a_polite_disconnect_an_error() {
    // The client asked for more than 0 at CONNECT: that it got 0 does not make its DISCONNECT a protocol error.
    let mut bench = Bench::with(|config| config.max_session_expiry = 0);
    let (client, announced) = bench.connack(&persistent(V5, "c"));
    assert!(announced.contains("SessionExpiryInterval(0)"), "{announced}");
    disconnect_with(&mut bench, client, 10);
    assert_eq!(bench.got(client), [Got::Closed(CloseReason::Disconnected(ReasonCode::SUCCESS))]);
}

#[test]
fn an_offline_session_collects_qos_1_and_2_in_order() {
    // [MQTT-4.1.0-1]
    // 3.1.1 [MQTT-3.1.2-5], [MQTT-4.5.0-1]
    for version in [V3_1, V3_1_1, V5] {
        let mut bench = Bench::new();
        let client = bench.connect(&persistent(version, "c"));
        bench.subscribe(client, "a", ExactlyOnce);
        bench.close(client);
        let publisher = bench.connect(&connect(V5, "p"));
        for (qos, payload) in [(AtLeastOnce, b"1"), (AtMostOnce, b"0"), (ExactlyOnce, b"2")] {
            bench.publish(publisher, &publish("a", payload, qos, 1));
        }
        let client = bench.connect(&persistent(version, "c"));
        assert_eq!(bench.payloads(client), ["1", "2"]);
        assert_eq!(bench.broker.counters().dropped_offline_qos0, 1);
    }
}

#[test]
fn qos0_is_collected_when_the_configuration_says_so() {
    let mut bench = Bench::with(|config| config.queue.offline_qos0 = true);
    let client = bench.connect(&persistent(V5, "c"));
    bench.subscribe(client, "a", AtLeastOnce);
    bench.close(client);
    let publisher = bench.connect(&connect(V5, "p"));
    bench.publish(publisher, &publish("a", b"0", AtMostOnce, 0));
    bench.publish(publisher, &publish("a", b"1", AtLeastOnce, 1));
    let client = bench.connect(&persistent(V5, "c"));
    assert_eq!(bench.payloads(client), ["0", "1"]);
}

#[test]
fn a_session_can_go_on_in_another_version() {
    let mut bench = Bench::new();
    let client = bench.connect(&persistent(V5, "c"));
    bench.subscribe(client, "a", AtLeastOnce);
    bench.close(client);
    let publisher = bench.connect(&connect(V5, "p"));
    bench.publish(publisher, &publish("a", b"x", AtLeastOnce, 1));
    assert!(bench.session_present(&persistent(V3_1_1, "c")));
}

#[test]
fn messages_of_a_session_that_ends_are_counted_and_their_memory_is_given_back() {
    let mut bench = Bench::new();
    let client = expiring(&mut bench, 10);
    bench.subscribe(client, "a", ExactlyOnce);
    let publisher = bench.connect(&connect(V5, "p"));
    bench.publish(publisher, &publish("a", b"in flight", AtLeastOnce, 1));
    bench.publish(publisher, &publish("a", b"in flight", ExactlyOnce, 1));
    bench.close(client);
    bench.publish(publisher, &publish("a", b"queued", AtLeastOnce, 1));
    assert_eq!(bench.broker.gauges().messages, 3);
    bench.advance(seconds(10));
    let gauges = bench.broker.gauges();
    assert_eq!((gauges.messages, gauges.memory, gauges.subscriptions), (0, 0, 0));
    assert_eq!(bench.broker.counters().dropped_session_ended, 3);
}

#[test]
fn a_late_tick_revives_no_session_and_cancels_no_will() {
    for (span, present, wills) in [(4, true, 0), (5, true, 1), (60, false, 1)] {
        let mut bench = Bench::new();
        let watcher = bench.connect(&connect(V5, "watcher"));
        bench.subscribe(watcher, "w", AtMostOnce);
        let (expiry, delay) = ([Property::SessionExpiryInterval(60)], [Property::WillDelayInterval(5)]);
        let will = Will { properties: Properties::list(&delay), ..will("w", b"") };
        let connect = with(connect(V5, "c"), &expiry);
        let client = bench.connect(&Connect { will: Some(will), ..connect });
        bench.close(client);
        bench.now += seconds(span);
        assert_eq!(bench.session_present(&Connect { clean_start: false, ..connect }), present, "{span}");
        assert_eq!(bench.messages(watcher).len(), wills, "{span}");
    }
}
