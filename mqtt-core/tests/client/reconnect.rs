//! Time-outs, back-off with jitter, redirection, keep alive (MQTT 5 §3.1.2.10, §4.11).

use core::time::Duration;

use mqtt_codec::{Disconnect, Packet, PacketType, Properties, Property, ReasonCode};
use mqtt_core::PropertyBuffer;
use mqtt_core::client::{Backoff, Client, Config, DisconnectReason, Input, Will};

use crate::script::{AtLeastOnce, AtMostOnce, Script, V3_1_1, V5, keeping, plain, seconds};

fn waits(script: &mut Script, attempts: usize) -> Vec<Duration> {
    (0..attempts)
        .map(|_| {
            script.opening = None;
            script.cut();
            let since = script.now;
            script.advance(seconds(1000));
            script.now.saturating_since(since)
        })
        .collect()
}

#[test]
fn waits_double_up_to_the_longest_and_keep_within_half_and_whole() {
    let backoff = Backoff { min: seconds(2), max: seconds(20) };
    let mut script = Script::new(Config { reconnect: Some(backoff), ..plain(V5) });
    let spans = waits(&mut script, 9);
    for (span, whole) in spans.iter().zip([2, 4, 8, 16, 20, 20, 20, 20, 20]) {
        assert!(seconds(whole) / 2 <= *span && *span <= seconds(whole), "{span:?} of {whole} s");
    }
    let mut distinct = spans[4..].to_vec();
    distinct.dedup();
    assert_eq!(distinct.len(), 5, "no two clients come back together");
}

#[test]
fn connack_resets_the_waits_and_a_refusal_does_not() {
    let backoff = Backoff { min: seconds(2), max: seconds(200) };
    let mut script = Script::new(Config { reconnect: Some(backoff), ..plain(V5) });
    waits(&mut script, 4);
    script.open();
    script.refuse(ReasonCode::SERVER_BUSY, &[]);
    let since = script.now;
    script.advance(seconds(1000));
    assert!(script.now.saturating_since(since) >= seconds(16));
    script.types();
    script.accept(false);
    script.cut();
    let since = script.now;
    script.advance(seconds(1000));
    assert!(script.now.saturating_since(since) <= seconds(2));
}

#[test]
fn very_many_failures_overflow_nothing() {
    let mut script = Script::new(plain(V5));
    let spans = waits(&mut script, 100);
    assert!(spans[6..].iter().all(|span| (seconds(30)..=seconds(60)).contains(span)));
}

#[test]
fn without_reconnection_the_end_is_the_end() {
    let mut script = Script::new(Config { reconnect: None, ..plain(V5) });
    script.accept(false);
    script.cut();
    assert_eq!(script.disconnected[0].2, None);
    assert_eq!(script.client.next_deadline(), None);
    script.client.connect(script.now);
    script.drain();
    script.accept(true);
    assert!(script.client.is_connected());
}

#[test]
fn connecting_again_while_the_old_connection_closes_is_not_forgotten() {
    let mut client =
        Client::new(Config { reconnect: None, ..plain(V5) }, 1, machine::Instant::from_micros(1));
    let now = machine::Instant::from_micros(1);
    client.connect(now);
    client.handle(Input::Opened, now);
    client.disconnect(ReasonCode::NORMAL_DISCONNECTION, Properties::NONE, now);
    client.connect(now);
    while client.poll_action().is_some() {}
    client.handle(Input::Closed, now);
    let mut opened = false;
    while let Some(action) = client.poll_action() {
        opened |= matches!(action, mqtt_core::client::Action::Open { .. });
    }
    assert!(opened);
}

#[test]
fn opening_and_connack_have_one_timeout() {
    for version in [V3_1_1, V5] {
        let mut script = Script::new(Config { connect_timeout: seconds(5), ..plain(version) });
        script.advance(seconds(4));
        script.open();
        script.advance(Duration::from_millis(999));
        assert_eq!(script.reason(), None);
        script.advance(Duration::from_millis(1));
        assert_eq!(script.reason(), Some(DisconnectReason::ConnectTimeout));
        assert!(script.closed);
        script.types();

        script.advance(seconds(60));
        script.opening = None;
        script.advance(seconds(5));
        assert_eq!(script.disconnected.len(), 2, "a connection that never opens is given up as well");
    }
}

#[test]
fn a_refusal_names_another_server_for_once_and_for_good() {
    for (reason, after_failure) in [(ReasonCode::USE_ANOTHER_SERVER, ""), (ReasonCode::SERVER_MOVED, "b:1")] {
        let mut script = Script::new(plain(V5));
        script.open();
        script.refuse(reason, &[Property::ServerReference("b:1")]);
        script.advance(seconds(60));
        assert_eq!(script.opening, Some("b:1".into()));
        // It is not there.
        script.opening = None;
        script.cut();
        script.advance(seconds(60));
        assert_eq!(script.opening, Some(after_failure.to_owned()));
    }
}

#[test]
fn a_disconnect_names_another_server() {
    let properties = [Property::ServerReference("b:1")];
    let disconnect =
        Disconnect { reason: ReasonCode::USE_ANOTHER_SERVER, properties: Properties::list(&properties) };
    let mut script = Script::connected(plain(V5));
    script.send(&Packet::Disconnect(disconnect));
    assert_eq!(script.reason(), Some(DisconnectReason::Server(ReasonCode::USE_ANOTHER_SERVER)));
    assert_eq!(script.disconnected[0].1.get().server_reference(), Some("b:1"));
    script.advance(seconds(60));
    assert_eq!(script.opening, Some("b:1".into()));
    script.types();
    script.accept(false);
    script.cut();
    script.advance(seconds(60));
    assert_eq!(script.opening, Some(String::new()), "back home the next time");
}

#[test]
fn another_server_is_not_followed_when_it_shall_not_be() {
    let mut script = Script::new(Config { follow_redirects: false, ..plain(V5) });
    script.open();
    script.refuse(ReasonCode::SERVER_MOVED, &[Property::ServerReference("b:1")]);
    script.advance(seconds(60));
    assert_eq!(script.opening, Some(String::new()));
}

#[test]
fn a_silent_client_pings_within_the_keep_alive_of_its_last_packet() {
    for version in [V3_1_1, V5] {
        let mut script = Script::new(Config { keep_alive: 10, ..plain(version) });
        script.open();
        script.advance(seconds(4));
        script.connack(false, &[]);
        script.types();
        script.advance(seconds(5));
        script.expect(&[]);
        script.advance(seconds(1));
        script.expect(&[Packet::PingReq]);
        script.send(&Packet::PingResp);
        script.advance(seconds(9));
        script.publish("x", AtMostOnce);
        assert_eq!(script.types(), [PacketType::Publish]);
        script.advance(seconds(9));
        script.expect(&[]);
        script.advance(seconds(1));
        script.expect(&[Packet::PingReq]);
    }
}

#[test]
fn what_arrives_is_no_reason_not_to_ping() {
    let mut script = Script::new(Config { keep_alive: 10, ..plain(V5) });
    script.accept(false);
    for _ in 0..9 {
        script.advance(seconds(1));
        script.send(&crate::script::first("m", AtMostOnce, 1));
    }
    script.advance(seconds(1));
    script.expect(&[Packet::PingReq]);
}

#[test]
fn the_servers_keep_alive_counts() {
    let mut script = Script::new(Config { keep_alive: 10, ..plain(V5) });
    script.accept_with(false, &[Property::ServerKeepAlive(3)]);
    script.advance(seconds(3));
    script.expect(&[Packet::PingReq]);
    script.send(&Packet::PingResp);
    script.reconnect(true);
    script.advance(seconds(9));
    script.expect(&[]);
    script.cut();
    script.advance(seconds(60));
    script.accept_with(true, &[Property::ServerKeepAlive(0)]);
    script.advance(seconds(100_000));
    script.expect(&[]);
    assert_eq!(script.client.next_deadline(), None);
}

#[test]
fn a_ping_without_an_answer_ends_the_connection() {
    for version in [V3_1_1, V5] {
        let mut script = Script::new(Config { keep_alive: 10, ping_timeout: seconds(4), ..plain(version) });
        script.accept(false);
        script.advance(Duration::from_millis(13_999));
        assert_eq!(script.reason(), None);
        script.advance(Duration::from_millis(1));
        assert_eq!(script.reason(), Some(DisconnectReason::PingTimeout));
        assert!(script.closed);
    }
}

#[test]
fn a_keep_alive_of_zero_pings_never() {
    let mut script = Script::connected(plain(V5));
    assert_eq!(script.client.next_deadline(), None);
    script.advance(seconds(1_000_000));
    script.expect(&[]);
}

#[test]
fn early_late_and_repeated_ticks_are_harmless() {
    let mut script = Script::new(Config { keep_alive: 10, ..keeping(V5) });
    script.accept(false);
    for _ in 0..5 {
        script.input(Input::Tick);
    }
    script.expect(&[]);
    script.now += seconds(500);
    script.input(Input::Tick);
    script.expect(&[Packet::PingReq]);
    script.input(Input::Tick);
    script.expect(&[]);
    script.publish("x", AtLeastOnce);
    script.input(Input::Tick);
    script.expect(&[crate::script::first("x", AtLeastOnce, 1)]);
}

#[test]
fn another_will_goes_out_with_the_next_connect() {
    let mut script = Script::connected(plain(V5));
    script.types();
    script.client.set_will(Some(Will {
        topic: "gone".into(),
        payload: b"later".to_vec(),
        qos: AtLeastOnce,
        retain: true,
        properties: PropertyBuffer::default(),
    }));
    assert_eq!(script.types(), [], "nothing on this connection");
    for will in [Some("gone"), None] {
        script.cut();
        script.advance(seconds(100));
        script.open();
        let topics = script.look(|packet| match packet {
            Packet::Connect(connect) => connect.will.map(|will| will.topic.to_owned()),
            other => panic!("{other:?}"),
        });
        assert_eq!(topics, [will.map(str::to_owned)]);
        script.client.set_will(None);
    }
}
