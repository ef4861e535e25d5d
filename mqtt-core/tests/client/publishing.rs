//! Messages to the server: QoS flows, window, packet identifiers (MQTT 5 §4.3, §4.4, §4.9).

use core::num::NonZeroU16;

use mqtt_codec::{Packet, PacketIdentifier, PacketType, Property, ReasonCode};
use mqtt_core::client::{Config, DropReason, Outcome};

use crate::script::{
    AtLeastOnce, AtMostOnce, ExactlyOnce, PUBLISHED, Script, V3_1_1, V5, VERSIONS, ack, ack_with, again,
    first, keeping, plain, seconds,
};

fn receive_maximum(maximum: u16) -> Property<'static> {
    Property::ReceiveMaximum(NonZeroU16::new(maximum).unwrap())
}

fn identifiers(script: &mut Script) -> Vec<u16> {
    script.look(|packet| match packet {
        Packet::Publish(publish) => publish.delivery.packet_id().map_or(0, PacketIdentifier::get),
        Packet::Subscribe(subscribe) => subscribe.packet_id.get(),
        Packet::Unsubscribe(unsubscribe) => unsubscribe.packet_id.get(),
        other => panic!("{other:?}"),
    })
}

#[test]
fn each_qos_on_the_wire() {
    for version in VERSIONS {
        let mut script = Script::connected(plain(version));
        let zero = script.publish("0", AtMostOnce);
        script.expect(&[first("0", AtMostOnce, 1)]);
        assert_eq!(script.outcome(zero), Some(PUBLISHED));

        let one = script.publish("1", AtLeastOnce);
        script.expect(&[first("1", AtLeastOnce, 1)]);
        assert_eq!(script.outcome(one), None);
        script.send(&Packet::PubAck(ack(1)));
        assert_eq!(script.outcome(one), Some(PUBLISHED));

        let two = script.publish("2", ExactlyOnce);
        script.expect(&[first("2", ExactlyOnce, 1)]);
        script.send(&Packet::PubRec(ack(1)));
        script.expect(&[Packet::PubRel(ack(1))]);
        assert_eq!(script.outcome(two), None);
        script.send(&Packet::PubComp(ack(1)));
        assert_eq!(script.outcome(two), Some(PUBLISHED));
        script.expect(&[]);
        assert_eq!(script.client.unfinished(), 0);
    }
}

#[test]
fn a_negative_acknowledgement_is_an_outcome_and_ends_the_message() {
    let mut script = Script::connected(keeping(V5));
    let (one, two) = (script.publish("1", AtLeastOnce), script.publish("2", ExactlyOnce));
    script.send(&Packet::PubAck(ack_with(1, ReasonCode::NOT_AUTHORIZED)));
    script.send(&Packet::PubRec(ack_with(2, ReasonCode::QUOTA_EXCEEDED)));
    assert_eq!(script.outcome(one), Some(Outcome::Published(ReasonCode::NOT_AUTHORIZED)));
    assert_eq!(script.outcome(two), Some(Outcome::Published(ReasonCode::QUOTA_EXCEEDED)));
    script.reconnect(true);
    script.expect(&[]);
}

#[test]
fn unacknowledged_messages_are_sent_again_in_order_with_dup_and_only_on_a_new_connection() {
    // MQTT.js #450: the original order, and new messages behind.
    for version in VERSIONS {
        let mut script = Script::connected(keeping(version));
        for (payload, qos) in [("1", AtLeastOnce), ("2", ExactlyOnce), ("3", AtLeastOnce), ("4", ExactlyOnce)]
        {
            script.publish(payload, qos);
        }
        script.send(&Packet::PubAck(ack(1)));
        script.types();
        script.advance(seconds(100_000));
        script.expect(&[]);
        script.cut();
        script.publish("5", AtLeastOnce);
        script.advance(seconds(60));
        script.accept(version != crate::script::V3_1);
        script.expect(&[
            again("2", ExactlyOnce, 2),
            again("3", AtLeastOnce, 3),
            again("4", ExactlyOnce, 4),
            first("5", AtLeastOnce, 1),
        ]);
    }
}

#[test]
fn after_pubrec_only_pubrel_is_ever_sent_in_the_order_of_the_pubrecs() {
    // paho.mqtt.golang #788, vernemq #496.
    let mut script = Script::connected(keeping(V5));
    for payload in ["1", "2", "3"] {
        script.publish(payload, ExactlyOnce);
    }
    script.send(&Packet::PubRec(ack(3)));
    script.send(&Packet::PubRec(ack(1)));
    script.types();
    for _ in 0..3 {
        script.reconnect(true);
        script.expect(&[again("2", ExactlyOnce, 2), Packet::PubRel(ack(3)), Packet::PubRel(ack(1))]);
    }
    script.send(&Packet::PubRec(ack(3)));
    script.expect(&[Packet::PubRel(ack(3))]);
}

#[test]
fn a_pubrec_for_nothing_is_answered_and_a_stray_puback_or_pubcomp_ignored() {
    for version in VERSIONS {
        let mut script = Script::connected(plain(version));
        script.send(&Packet::PubRec(ack(9)));
        script.send(&Packet::PubAck(ack(9)));
        script.send(&Packet::PubComp(ack(9)));
        script.expect(&[Packet::PubRel(ack_with(9, ReasonCode::PACKET_IDENTIFIER_NOT_FOUND))]);
        assert_eq!(script.reason(), None);
    }
}

#[test]
fn requests_and_messages_share_identifiers_and_none_is_used_twice() {
    // rumqtt #1057.
    for version in [V3_1_1, V5] {
        let mut script = Script::connected(keeping(version));
        script.subscribe("a");
        script.publish("1", AtLeastOnce);
        script.unsubscribe("b");
        script.publish("2", ExactlyOnce);
        assert_eq!(identifiers(&mut script), [1, 2, 3, 4]);
        script.send(&Packet::PubAck(ack(2)));
        script.subscribe("c");
        script.publish("3", AtLeastOnce);
        assert_eq!(identifiers(&mut script), [2, 5]);
        // What is in flight keeps its identifier over a connection, and new requests stay clear of it.
        script.reconnect(true);
        let again = identifiers(&mut script);
        let mut distinct = again.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!((again.len(), distinct.len()), (5, 5), "{again:?}");
    }
}

#[test]
fn when_all_identifiers_are_taken_requests_and_messages_wait() {
    let limits = Config { max_inflight: u16::MAX, max_queued: 100_000, ..plain(V5) };
    let mut script = Script::connected(limits);
    for _ in 0..u16::MAX {
        script.publish("", AtLeastOnce);
    }
    let mut seen = identifiers(&mut script);
    seen.sort_unstable();
    assert!(seen.iter().copied().eq(1..=u16::MAX));
    script.subscribe("a");
    script.publish("", ExactlyOnce);
    script.expect(&[]);
    script.send(&Packet::PubAck(ack(700)));
    script.send(&Packet::PubAck(ack(300)));
    assert_eq!(identifiers(&mut script), [700, 300]);
}

#[test]
fn the_servers_receive_maximum_is_the_window_until_puback_or_pubcomp() {
    let mut script = Script::new(plain(V5));
    script.accept_with(false, &[receive_maximum(2)]);
    for payload in ["1", "2", "3", "4"] {
        script.publish(payload, ExactlyOnce);
    }
    script.expect(&[first("1", ExactlyOnce, 1), first("2", ExactlyOnce, 2)]);
    script.send(&Packet::PubRec(ack(1)));
    script.expect(&[Packet::PubRel(ack(1))]);
    script.send(&Packet::PubComp(ack(1)));
    script.expect(&[first("3", ExactlyOnce, 1)]);
    script.send(&Packet::PubRec(ack_with(2, ReasonCode::UNSPECIFIED_ERROR)));
    script.expect(&[first("4", ExactlyOnce, 2)]);
}

#[test]
fn a_full_window_holds_up_only_publish() {
    let mut script = Script::new(Config { keep_alive: 10, ..plain(V5) });
    script.accept_with(false, &[receive_maximum(1)]);
    script.publish("1", AtLeastOnce);
    script.publish("2", AtLeastOnce);
    script.types();
    script.subscribe("a");
    script.unsubscribe("b");
    script.send(&first("m", AtLeastOnce, 1));
    script.send(&first("n", ExactlyOnce, 2));
    script.send(&Packet::PubRel(ack(2)));
    script.advance(seconds(10));
    assert_eq!(
        script.types(),
        [
            PacketType::Subscribe,
            PacketType::Unsubscribe,
            PacketType::PubAck,
            PacketType::PubRec,
            PacketType::PubComp,
            PacketType::PingReq
        ]
    );
}

#[test]
fn the_window_is_made_anew_with_each_connection_and_what_is_sent_again_counts() {
    // paho.mqtt.python #24.
    let mut script = Script::new(keeping(V5));
    script.accept_with(false, &[receive_maximum(3)]);
    let handles = ["1", "2", "3"].map(|payload| script.publish(payload, ExactlyOnce));
    script.send(&Packet::PubRec(ack(3)));
    script.cut();
    script.types();
    script.publish("4", AtLeastOnce);
    script.advance(seconds(60));
    script.accept_with(true, &[receive_maximum(2)]);
    // A release is no PUBLISH, but counts until it is done.
    script.expect(&[again("1", ExactlyOnce, 1), again("2", ExactlyOnce, 2), Packet::PubRel(ack(3))]);
    script.send(&Packet::PubRec(ack_with(1, ReasonCode::UNSPECIFIED_ERROR)));
    script.expect(&[]);
    script.send(&Packet::PubComp(ack(3)));
    script.expect(&[first("4", AtLeastOnce, 1)]);
    assert_eq!(script.outcome(handles[2]), Some(PUBLISHED));
    // Nothing stalls and nothing floods, connection after connection.
    for _ in 0..20 {
        script.reconnect(true);
        script.expect(&[again("2", ExactlyOnce, 2), again("4", AtLeastOnce, 1)]);
    }
}

#[test]
fn a_lost_session_leaves_no_trace_in_the_window() {
    // rumqtt #1056.
    let mut script = Script::new(Config { max_inflight: 1, ..plain(V5) });
    script.accept(false);
    for round in 0..5 {
        let two = script.publish("2", ExactlyOnce);
        let one = script.publish("1", AtLeastOnce);
        script.types();
        script.reconnect(false);
        assert_eq!(script.dropped(two), Some(DropReason::SessionLost), "{round}");
        script.expect(&[first("1", AtLeastOnce, 1)]);
        script.send(&Packet::PubAck(ack(1)));
        assert_eq!(script.outcome(one), Some(PUBLISHED));
        assert_eq!(script.client.unfinished(), 0);
    }
}

#[test]
fn a_lost_session_sends_qos1_anew_in_order_before_the_queue() {
    let mut script = Script::new(Config { max_inflight: 3, ..plain(V5) });
    script.accept(false);
    for payload in ["1", "2", "3", "4", "5"] {
        script.publish(payload, AtLeastOnce);
    }
    script.types();
    script.reconnect(false);
    script.expect(&[first("1", AtLeastOnce, 1), first("2", AtLeastOnce, 2), first("3", AtLeastOnce, 3)]);
}

#[test]
fn a_released_message_is_with_the_server_even_if_the_session_is_lost() {
    let mut script = Script::connected(plain(V5));
    let handle = script.publish("2", ExactlyOnce);
    script.send(&Packet::PubRec(ack(1)));
    script.reconnect(false);
    script.expect(&[]);
    assert_eq!(script.outcome(handle), Some(PUBLISHED));
}
