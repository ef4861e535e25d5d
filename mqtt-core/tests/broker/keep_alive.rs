//! Keep alive (MQTT 5 §3.1.2.10): one and a half times, to the microsecond.

use core::time::Duration;

use mqtt_codec::{Connect, Packet, ProtocolVersion, ReasonCode};
use mqtt_core::{Answer, CloseReason, ConnectionId};

use crate::support::{
    AtLeastOnce, AtMostOnce, Bench, Got, MICROSECOND, V3_1_1, V5, connect, publish, seconds,
};

fn client(bench: &mut Bench, version: ProtocolVersion, keep_alive: u16) -> ConnectionId {
    bench.connect(&Connect { keep_alive, ..connect(version, "c") })
}

fn is_closed(bench: &mut Bench, client: ConnectionId) -> bool {
    bench.got(client).last() == Some(&Got::Closed(CloseReason::KeepAliveTimeout))
}

#[test]
fn silence_ends_the_connection_after_one_and_a_half_times_and_not_before() {
    // [MQTT-3.1.2-22], 3.1.1 [MQTT-3.1.2-24]
    for (version, keep_alive, tolerated) in [(V3_1_1, 1, 1500), (V5, 3, 4500), (V5, u16::MAX, 98_302_500)] {
        let mut bench = Bench::new();
        let client = client(&mut bench, version, keep_alive);
        bench.advance_short_of(Duration::from_millis(tolerated));
        assert!(bench.got(client).is_empty());
        bench.advance(MICROSECOND);
        assert!(is_closed(&mut bench, client), "{keep_alive}");
        assert_eq!(bench.broker.counters().keep_alive_timeouts, 1);
    }
}

#[test]
fn a_client_of_mqtt_5_is_told_0x8d() {
    let mut bench = Bench::new();
    let client = client(&mut bench, V5, 10);
    bench.advance(seconds(15));
    let closed = Got::Closed(CloseReason::KeepAliveTimeout);
    assert_eq!(bench.got(client), [Got::Disconnect(ReasonCode::KEEP_ALIVE_TIMEOUT), closed]);
}

#[test]
fn each_packet_winds_the_clock_up_again() {
    let mut bench = Bench::new();
    let client = client(&mut bench, V3_1_1, 10);
    for packet in
        [Packet::PingReq, Packet::Publish(publish("a", b"", AtMostOnce, 0)), Packet::PingReq, Packet::PingReq]
    {
        bench.advance(seconds(14));
        bench.send(client, &packet);
    }
    bench.got(client);
    bench.advance_short_of(seconds(15));
    assert!(bench.got(client).is_empty());
    bench.advance(MICROSECOND);
    assert!(is_closed(&mut bench, client));
}

#[test]
fn ping_is_answered() {
    // [MQTT-3.12.4-1]
    let mut bench = Bench::new();
    let client = client(&mut bench, V5, 10);
    bench.send(client, &Packet::PingReq);
    assert_eq!(bench.got(client), [Got::PingResp]);
}

#[test]
fn what_the_broker_sends_does_not_wind_it_up() {
    let mut bench = Bench::new();
    let client = client(&mut bench, V3_1_1, 10);
    bench.subscribe(client, "a", AtMostOnce);
    let publisher = bench.connect(&connect(V5, "p"));
    for _ in 0..15 {
        bench.advance(seconds(1));
        bench.publish(publisher, &publish("a", b"x", AtMostOnce, 0));
    }
    assert!(is_closed(&mut bench, client));
}

#[test]
fn a_keep_alive_of_zero_is_no_keep_alive() {
    let mut bench = Bench::new();
    let client = client(&mut bench, V5, 0);
    assert_eq!(bench.broker.next_deadline(), None);
    bench.advance(seconds(1_000_000));
    assert!(bench.got(client).is_empty());
}

#[test]
fn the_broker_has_a_longest_keep_alive_and_says_so() {
    for (asked, told) in [(0, Some(60)), (61, Some(60)), (60, None), (5, None)] {
        let mut bench = Bench::with(|config| config.max_keep_alive = 60);
        let (client, announced) = bench.connack(&Connect { keep_alive: asked, ..connect(V5, "c") });
        match told {
            Some(told) => assert!(announced.contains(&format!("ServerKeepAlive({told})")), "{announced}"),
            None => assert!(!announced.contains("ServerKeepAlive"), "[MQTT-3.2.2-22] {announced}"),
        }
        let holds = told.unwrap_or(asked);
        bench.advance_short_of(Duration::from_millis(u64::from(holds) * 1500));
        assert!(bench.got(client).is_empty());
        bench.advance(MICROSECOND);
        assert!(is_closed(&mut bench, client));
    }
}

#[test]
fn the_longest_keep_alive_holds_for_old_clients_too() {
    let mut bench = Bench::with(|config| config.max_keep_alive = 60);
    let client = client(&mut bench, V3_1_1, 0);
    bench.advance(seconds(90));
    assert!(is_closed(&mut bench, client));
}

#[test]
fn a_late_tick_is_no_excuse_and_an_early_one_no_harm() {
    let mut bench = Bench::new();
    let client = client(&mut bench, V5, 10);
    for _ in 0..3 {
        bench.broker.handle(mqtt_core::Input::Tick, bench.now);
    }
    bench.drain();
    assert!(bench.got(client).is_empty());
    bench.now += seconds(1000);
    bench.broker.handle(mqtt_core::Input::Tick, bench.now);
    bench.drain();
    assert!(is_closed(&mut bench, client));
}

#[test]
fn waiting_for_the_host_is_not_silence() {
    let mut bench = Bench::with(|config| config.ask.checks.publish = true);
    let client = client(&mut bench, V5, 10);
    bench.publish(client, &publish("a", b"", AtLeastOnce, 1));
    bench.advance(seconds(14));
    bench.send(client, &Packet::PingReq);
    bench.advance(seconds(100));
    assert!(bench.got(client).is_empty());
    bench.answer(Answer::Allow);
    bench.send(client, &Packet::PingReq);
    assert_eq!(bench.got(client).len(), 2);
    bench.advance(seconds(15));
    assert!(is_closed(&mut bench, client));
}

#[test]
fn a_client_that_reads_nothing_and_is_not_read_from_is_silent() {
    // Else whoever floods the broker and reads nothing would stay for ever.
    let mut bench = Bench::with(|config| config.output_high_water = 100);
    let client = client(&mut bench, V5, 10);
    bench.stalled.push(client);
    let pings = b"\xc0\x00".repeat(1000);
    assert!(bench.send_bytes(client, &pings) < pings.len());
    bench.advance(seconds(30));
    assert!(is_closed(&mut bench, client));
}

#[test]
fn a_client_that_reads_slowly_what_it_caused_is_not_silent() {
    let mut bench = Bench::with(|config| config.output_high_water = 100);
    let client = client(&mut bench, V5, 10);
    bench.stalled.push(client);
    let pings = b"\xc0\x00".repeat(1000);
    bench.send_bytes(client, &pings);
    for _ in 0..5 {
        bench.advance(seconds(10));
        bench.broker.handle(mqtt_core::Input::Sent { connection: client, bytes: 1 }, bench.now);
        bench.drain();
        bench.send_bytes(client, &pings);
    }
    assert!(bench.got(client).is_empty());
}
