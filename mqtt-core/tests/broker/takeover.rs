//! A second connection with the same client identifier (MQTT 5 §3.1.4, MQTT-3.1.4-3; 3.1.1 MQTT-3.1.4-2), and what
//! becomes of the will of the first.

use mqtt_codec::{Connect, Packet, Property, ReasonCode};
use mqtt_core::CloseReason;

use crate::support::{
    AtLeastOnce, AtMostOnce, Bench, Got, Message, V3_1_1, V5, connect, persistent, publish, seconds, will,
    with,
};

const EXPIRY: Property<'static> = Property::SessionExpiryInterval(100);

fn told_and_closed(bench: &mut Bench, old: mqtt_core::ConnectionId) -> bool {
    let closed = Got::Closed(CloseReason::SessionTakenOver);
    bench.got(old) == [Got::Disconnect(ReasonCode::SESSION_TAKEN_OVER), closed]
}

/// Connects a client with a will on `will` twice, as given; says how many wills a watcher gets at once and after an hour.
fn wills(version: mqtt_codec::ProtocolVersion, delay: u32, expiry: u32, clean_start: bool) -> (usize, usize) {
    let mut bench = Bench::new();
    let watcher = bench.connect(&connect(V5, "watcher"));
    bench.subscribe(watcher, "will", AtLeastOnce);
    let delays = [Property::WillDelayInterval(delay)];
    let mut dying = will("will", b"gone");
    let expiries = [Property::SessionExpiryInterval(expiry)];
    let mut client = Connect { clean_start: version == V3_1_1 && expiry == 0, ..connect(version, "c") };
    if version == V5 {
        dying.properties = mqtt_codec::Properties::list(&delays);
        client = with(client, &expiries);
    }
    bench.connect(&Connect { will: Some(dying), ..client });
    bench.connect(&Connect { clean_start, ..client });
    let at_once = bench.messages(watcher).len();
    bench.advance(seconds(3600));
    (at_once, bench.messages(watcher).len())
}

#[test]
fn the_old_connection_is_told_0x8e_and_closed() {
    let mut bench = Bench::new();
    let old = bench.connect(&connect(V5, "c"));
    bench.connect(&connect(V5, "c"));
    assert!(told_and_closed(&mut bench, old));
}

#[test]
fn an_old_connection_of_3_1_1_is_closed_without_a_word() {
    let mut bench = Bench::new();
    let old = bench.connect(&connect(V3_1_1, "c"));
    bench.connect(&connect(V5, "c"));
    assert_eq!(bench.got(old), [Got::Closed(CloseReason::SessionTakenOver)]);
}

#[test]
fn a_late_close_of_the_old_connection_does_not_touch_the_new_one() {
    let mut bench = Bench::new();
    let old = bench.connect(&persistent(V5, "c"));
    bench.subscribe(old, "a", AtLeastOnce);
    let new = bench.connect(&persistent(V5, "c"));
    bench.close(old);
    bench.close(old);
    let publisher = bench.connect(&connect(V5, "p"));
    bench.publish(publisher, &publish("a", b"x", AtMostOnce, 0));
    assert_eq!(bench.payloads(new), ["x"]);
}

#[test]
fn what_the_old_connection_still_sends_is_taken_and_ignored() {
    let mut bench = Bench::new();
    let watcher = bench.connect(&connect(V5, "w"));
    bench.subscribe(watcher, "a", AtMostOnce);
    let old = bench.connect(&connect(V5, "c"));
    bench.connect(&connect(V5, "c"));
    bench.got(old);
    bench.publish(old, &publish("a", b"late", AtMostOnce, 0));
    bench.send(old, &Packet::PingReq);
    assert_eq!((bench.got(old), bench.got(watcher)), (vec![], vec![]));
}

#[test]
fn a_place_in_the_table_that_is_used_again_is_another_connection() {
    let mut bench = Bench::new();
    let old = bench.connect(&connect(V5, "a"));
    bench.close(old);
    let new = bench.connect(&connect(V5, "b"));
    assert_eq!(old.index(), new.index());
    assert_ne!(old, new);
    bench.close(old);
    bench.send(new, &Packet::PingReq);
    assert_eq!(bench.got(new), [Got::PingResp]);
}

#[test]
fn the_session_and_its_unacknowledged_messages_move_to_the_new_connection() {
    let mut bench = Bench::new();
    let old = bench.connect(&persistent(V5, "c"));
    bench.subscribe(old, "a", AtLeastOnce);
    let publisher = bench.connect(&connect(V5, "p"));
    bench.publish(publisher, &publish("a", b"x", AtLeastOnce, 1));
    let sent = bench.messages(old).remove(0);
    let new = bench.connect(&persistent(V5, "c"));
    assert_eq!(bench.messages(new), [Message { dup: true, ..sent }]);
}

#[test]
fn will_without_delay_is_published_at_takeover() {
    for clean_start in [false, true] {
        assert_eq!(wills(V5, 0, 100, clean_start), (1, 0));
        assert_eq!(wills(V5, 0, 0, clean_start), (1, 0));
    }
}

#[test]
fn will_of_3_1_1_is_always_published_at_takeover() {
    for clean_session in [false, true] {
        for kept in [0, 1] {
            assert_eq!(wills(V3_1_1, 0, kept, clean_session), (1, 0), "kept: {kept}");
        }
    }
}

#[test]
fn delayed_will_is_cancelled_when_the_session_is_taken_over_and_goes_on() {
    // [MQTT-3.1.3-9]
    assert_eq!(wills(V5, 10, 100, false), (0, 0));
}

#[test]
fn delayed_will_is_published_when_takeover_ends_the_session() {
    assert_eq!(wills(V5, 10, 100, true), (1, 0), "Clean Start");
    assert_eq!(wills(V5, 10, 0, false), (1, 0), "session expiry 0");
}

#[test]
fn the_will_of_the_new_connection_stands() {
    let mut bench = Bench::new();
    let watcher = bench.connect(&connect(V5, "watcher"));
    bench.subscribe(watcher, "will", AtLeastOnce);
    let client = with(Connect { clean_start: false, ..connect(V5, "c") }, std::slice::from_ref(&EXPIRY));
    bench.connect(&Connect { will: Some(will("will", b"old")), ..client });
    let new = bench.connect(&Connect { will: Some(will("will", b"new")), ..client });
    assert_eq!(bench.payloads(watcher), ["old"]);
    bench.close(new);
    assert_eq!(bench.payloads(watcher), ["new"]);
}
