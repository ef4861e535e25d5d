//! Messages that wait: bounds, QoS 0, expiry, and that none overtakes (MQTT 5 §3.3.2.3.3, §4.6).

use core::num::NonZeroU16;
use core::time::Duration;

use mqtt_codec::{Packet, Properties, Property, QoS};
use mqtt_core::client::{Config, DropReason, Handle};
use mqtt_core::{Publication, Refused};

use crate::script::{
    AtLeastOnce, AtMostOnce, PUBLISHED, Script, V3_1_1, V5, ack, first, keeping, plain, seconds,
};

fn receive_maximum(maximum: u16) -> Property<'static> {
    Property::ReceiveMaximum(NonZeroU16::new(maximum).unwrap())
}

fn expiring(script: &mut Script, payload: &str, qos: QoS, expiry: u32) -> Handle {
    let properties = [Property::MessageExpiryInterval(expiry)];
    let publication = Publication {
        properties: Properties::list(&properties),
        ..crate::support::publication("t", payload.as_bytes(), qos)
    };
    let handle = script.client.publish(&publication, script.now).unwrap();
    script.drain();
    handle
}

#[test]
fn the_queue_is_bounded_by_messages_and_by_bytes() {
    // mosquitto #2455, aedes #1087.
    let mut script = Script::idle(Config { max_queued: 3, ..plain(V5) });
    for payload in ["1", "2", "3"] {
        script.publish(payload, AtMostOnce);
    }
    let publish = |script: &mut Script, payload: &[u8]| {
        script.client.publish(&crate::support::publication("t", payload, AtLeastOnce), script.now)
    };
    assert_eq!(publish(&mut script, b"4"), Err(Refused::Full));
    script.client.connect(script.now);
    script.drain();
    script.accept(false);
    script.expect(&[first("1", AtMostOnce, 0), first("2", AtMostOnce, 0), first("3", AtMostOnce, 0)]);
    assert!(publish(&mut script, b"4").is_ok());

    let mut script = Script::idle(Config { max_memory: 10_000, ..plain(V5) });
    let payload = [0; 4000];
    assert!(publish(&mut script, &payload).is_ok() && publish(&mut script, &payload).is_ok());
    assert_eq!(publish(&mut script, &payload), Err(Refused::Full));
    let filters = [("a", mqtt_codec::SubscriptionOptions::default())];
    let mut script = Script::idle(Config { max_queued: 1, ..plain(V5) });
    assert!(script.client.subscribe(&filters, Properties::NONE, script.now).is_ok());
    assert_eq!(script.client.unsubscribe(&["a"], Properties::NONE, script.now), Err(Refused::Full));
}

#[test]
fn qos0_waits_for_a_connection_or_is_dropped_as_configured() {
    let mut script = Script::idle(plain(V5));
    let handle = script.publish("0", AtMostOnce);
    script.client.connect(script.now);
    script.drain();
    script.accept(false);
    script.expect(&[first("0", AtMostOnce, 0)]);
    assert_eq!(script.outcome(handle), Some(PUBLISHED));

    let mut script = Script::idle(Config { queue_qos0: false, ..plain(V5) });
    let handle = script.publish("0", AtMostOnce);
    assert_eq!(script.dropped(handle), Some(DropReason::NotConnected));
    script.client.connect(script.now);
    script.drain();
    script.accept_with(false, &[receive_maximum(1)]);
    script.publish("1", AtLeastOnce);
    script.publish("1", AtLeastOnce);
    let behind = script.publish("0", AtMostOnce);
    assert_eq!(script.outcome(behind), None, "it waits its turn");
    script.cut();
    assert_eq!(script.dropped(behind), Some(DropReason::NotConnected));
}

#[test]
fn a_new_message_never_overtakes_what_waits() {
    let mut script = Script::new(plain(V5));
    script.publish("1", AtLeastOnce);
    script.accept_with(false, &[receive_maximum(1)]);
    script.publish("2", AtLeastOnce);
    script.publish("3", AtMostOnce);
    script.expect(&[first("1", AtLeastOnce, 1)]);
    script.send(&Packet::PubAck(ack(1)));
    script.expect(&[first("2", AtLeastOnce, 1), first("3", AtMostOnce, 0)]);
}

#[test]
fn a_slow_connection_makes_messages_wait_in_the_queue() {
    let mut script = Script::connected(Config { max_queued: 200, max_inflight: 10_000, ..plain(V5) });
    script.stalled = true;
    let payload = "x".repeat(2000);
    let publication = crate::support::publication("t", payload.as_bytes(), AtMostOnce);
    let taken = (0..1000).take_while(|_| script.client.publish(&publication, script.now).is_ok()).count();
    assert!((200..300).contains(&taken), "{taken}");
    script.drain();
    assert!(script.client.output().map(<[u8]>::len).sum::<usize>() < 70_000);
    script.stalled = false;
    script.take_output();
    script.drain();
    assert_eq!(script.types().len(), taken);
}

#[test]
fn a_message_expires_while_it_waits_and_carries_what_is_left() {
    let mut script = Script::idle(keeping(V5));
    let short = expiring(&mut script, "short", AtLeastOnce, 10);
    expiring(&mut script, "long", AtLeastOnce, 20);
    script.now += Duration::from_millis(12_500);
    script.client.connect(script.now);
    script.drain();
    script.accept(false);
    assert_eq!(script.dropped(short), Some(DropReason::Expired));
    let left = |packet: &Packet<'_>| match packet {
        Packet::Publish(publish) => (publish.delivery.dup(), publish.properties.message_expiry_interval()),
        other => panic!("{other:?}"),
    };
    assert_eq!(script.look(left), [(false, Some(8))]);
    // Once it has been sent, its handshake is finished whatever the time.
    script.cut();
    script.advance(seconds(60));
    script.accept(true);
    script.now += seconds(60);
    assert_eq!(script.look(|packet| left(packet).0), [true]);
    script.send(&Packet::PubAck(ack(1)));
    assert_eq!(script.client.unfinished(), 0);
}

#[test]
fn expired_messages_make_room_in_a_full_queue() {
    let mut script = Script::idle(Config { max_queued: 2, ..plain(V3_1_1) });
    let old = [1, 2].map(|_| expiring(&mut script, "old", AtLeastOnce, 10));
    script.now += seconds(10);
    script.publish("new", AtLeastOnce);
    assert_eq!(old.map(|handle| script.dropped(handle)), [Some(DropReason::Expired); 2]);
    assert_eq!(script.client.unfinished(), 1);
}

#[test]
fn the_properties_of_a_message_go_out_unchanged_and_in_order() {
    let properties = [
        Property::PayloadFormatIndicator(true),
        Property::UserProperty("b", "2"),
        Property::UserProperty("a", "1"),
        Property::ResponseTopic("r"),
        Property::CorrelationData(b"\0\xFF"),
        Property::ContentType("text"),
    ];
    let mut script = Script::connected(plain(V5));
    for qos in [AtMostOnce, AtLeastOnce] {
        let properties = Properties::list(&properties);
        let publication = Publication { properties, ..crate::support::publication("t", b"x", qos) };
        script.client.publish(&publication, script.now).unwrap();
        script.drain();
        script.expect(&[Packet::Publish(mqtt_codec::Publish {
            properties,
            ..crate::script::publish("x", qos, 1)
        })]);
    }
}
