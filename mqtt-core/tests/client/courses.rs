//! Random courses of events: what the server, the network, the application and the time may do, in any order.

use std::collections::BTreeSet;

use machine::{Instant, Random};
use mqtt_codec::{
    Packet, PacketIdentifier, PacketType, Properties, Property, ReasonCode, SubscriptionOptions,
};
use mqtt_core::client::{Config, Handle, Input};
use mqtt_core::{Authentication, PropertyBuffer};

use crate::script::{
    AtLeastOnce, AtMostOnce, ExactlyOnce, Script, V3_1, V3_1_1, V5, ack, ack_with, again, first, seconds,
};

const MAX_QUEUED: usize = 12;

fn config(random: &mut Random) -> Config {
    let coin = |random: &mut Random| random.chance(1, 2);
    Config {
        version: [V3_1, V3_1_1, V5, V5][random.below(4) as usize],
        client_id: "c".into(),
        clean_start: coin(random),
        session_expiry: if coin(random) { 100 } else { 0 },
        keep_alive: if coin(random) { 7 } else { 0 },
        authentication: coin(random).then(|| Box::new(Authentication { method: "m".into(), data: None })),
        connect_properties: PropertyBuffer::default(),
        receive_maximum: 3,
        max_inflight: 3,
        max_queued: MAX_QUEUED as u32,
        topic_alias_maximum: 2,
        manual_acknowledgement: coin(random),
        queue_qos0: coin(random),
        durable: coin(random),
        ..Config::default()
    }
}

/// A packet that a server may send, or should not.
fn server_packet(random: &mut Random, script: &mut Script) {
    let number = 1 + random.below(4) as u16;
    let reason = if random.chance(1, 5) { ReasonCode::UNSPECIFIED_ERROR } else { ReasonCode::SUCCESS };
    let properties = [Property::AuthenticationMethod("m")];
    match random.below(12) {
        0 => script.send(&Packet::PubAck(ack_with(number, reason))),
        1 => script.send(&Packet::PubRec(ack_with(number, reason))),
        2 => script.send(&Packet::PubRel(ack(number))),
        3 => script.send(&Packet::PubComp(ack(number))),
        4 => script.send(&first("m", AtMostOnce, 0)),
        5 => script.send(&first("m", AtLeastOnce, number)),
        6 => script.send(&again("m", ExactlyOnce, number)),
        7 => script.suback(number, &[ReasonCode::GRANTED_QOS_0]),
        8 => script.unsuback(number, &[ReasonCode::SUCCESS]),
        9 => script.send(&Packet::PingResp),
        10 if script.client.config().version == V5 => {
            let reason = ReasonCode::CONTINUE_AUTHENTICATION;
            script
                .send(&Packet::Auth(mqtt_codec::Auth { reason, properties: Properties::list(&properties) }));
        }
        _ => {
            let bytes: Vec<u8> = (0..random.below(6)).map(|_| random.next_u32() as u8).collect();
            script.input(Input::Bytes(&bytes));
        }
    }
}

fn application(random: &mut Random, script: &mut Script, handles: &mut Vec<Handle>) {
    let now = script.now;
    let publication = |qos| crate::support::publication("t", b"x", qos);
    let handle = match random.below(8) {
        0 => script.client.publish(&publication(AtMostOnce), now).ok(),
        1 | 2 => script.client.publish(&publication(AtLeastOnce), now).ok(),
        3 | 4 => script.client.publish(&publication(ExactlyOnce), now).ok(),
        5 => script.client.subscribe(&[("t", SubscriptionOptions::default())], Properties::NONE, now).ok(),
        6 => script.client.unsubscribe(&["t"], Properties::NONE, now).ok(),
        _ => {
            let deliveries: Vec<_> =
                script.messages.drain(..).filter_map(|message| message.delivery).collect();
            for delivery in deliveries.into_iter().rev() {
                // It may have gone with its connection.
                _ = script.client.acknowledge(delivery, now);
            }
            None
        }
    };
    handles.extend(handle);
    script.drain();
}

fn event(random: &mut Random, script: &mut Script, handles: &mut Vec<Handle>) {
    match random.below(20) {
        0 => script.cut(),
        1 => script.disconnect(ReasonCode::NORMAL_DISCONNECTION),
        2 => script.input(Input::Authentication(b"data")),
        3 => {
            // Refused unless there is a method and a connection.
            _ = script.client.reauthenticate(None, script.now);
            script.drain();
        }
        4 | 5 => script.advance(seconds(random.below(30))),
        6..=9 => {
            script.client.connect(script.now);
            script.drain();
            if script.opening.is_some() {
                script.open();
                let session_present = random.chance(1, 2);
                script.connack(session_present && script.client.config().version > V3_1, &[]);
            }
        }
        10..=14 => server_packet(random, script),
        _ => application(random, script, handles),
    }
}

/// What goes out is well-formed, limits hold, and a tick leaves no deadline behind.
fn check(script: &mut Script) {
    script.types();
    assert!(script.client.unfinished() <= MAX_QUEUED);
    let (now, before) = (script.now, script.client.next_deadline());
    if before.is_some_and(|deadline| deadline <= now) {
        script.input(Input::Tick);
        script.types();
    }
    let after: Option<Instant> = script.client.next_deadline();
    assert!(after.is_none_or(|deadline| deadline > now));
}

/// A server that does all it should.
fn finish(script: &mut Script) {
    script.disconnect(ReasonCode::NORMAL_DISCONNECTION);
    script.cut();
    script.types();
    script.client.connect(script.now);
    script.drain();
    script.accept(false);
    loop {
        let asked = script.look(|packet| {
            let id = match packet {
                Packet::Publish(publish) => publish.delivery.packet_id(),
                Packet::Subscribe(subscribe) => Some(subscribe.packet_id),
                Packet::Unsubscribe(unsubscribe) => Some(unsubscribe.packet_id),
                Packet::PubRel(pubrel) => Some(pubrel.packet_id),
                _ => None,
            };
            let exactly_once =
                matches!(packet, Packet::Publish(publish) if publish.delivery.qos() == ExactlyOnce);
            (packet.packet_type(), id.map(PacketIdentifier::get), exactly_once)
        });
        if asked.is_empty() {
            return;
        }
        for (what, id, exactly_once) in asked {
            let Some(id) = id else { continue };
            match what {
                PacketType::Publish if exactly_once => script.send(&Packet::PubRec(ack(id))),
                PacketType::Publish => script.send(&Packet::PubAck(ack(id))),
                PacketType::PubRel => script.send(&Packet::PubComp(ack(id))),
                PacketType::Subscribe => script.suback(id, &[ReasonCode::GRANTED_QOS_0]),
                _ => script.unsuback(id, &[ReasonCode::SUCCESS]),
            }
        }
    }
}

#[test]
fn whatever_happens_every_handle_is_completed_once_and_nothing_is_left() {
    let mut completed = 0;
    for seed in 0..1500 {
        let mut random = Random::from_u64(seed);
        let mut script = Script::idle(config(&mut random));
        let mut handles = Vec::new();
        for _ in 0..120 {
            event(&mut random, &mut script, &mut handles);
            check(&mut script);
        }
        finish(&mut script);
        let done: Vec<_> = script.completed.iter().map(|(handle, _)| *handle).collect();
        let distinct: BTreeSet<_> = done.iter().copied().collect();
        assert_eq!(done.len(), distinct.len(), "seed {seed}: a handle was completed twice");
        assert_eq!(distinct, handles.into_iter().collect(), "seed {seed}");
        assert_eq!(script.client.unfinished(), 0, "seed {seed}");
        completed += done.len();
    }
    assert!(completed > 10_000, "{completed}");
}
