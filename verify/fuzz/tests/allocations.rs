//! How often the broker allocates once everything that it works in is warm.
#![allow(clippy::print_stdout, reason = "what is measured is for reading, too")]

mod fleet;

use allocation_counter::measure;
use fleet::{Fleet, connect, delivery, id, publish, subscribe};
use mqtt_codec::{Acknowledge, Packet, ProtocolVersion, QoS};
use mqtt_core::{Config, ConnectionId};

const VERSION: ProtocolVersion = ProtocolVersion::V3_1_1;
const MESSAGES: u64 = 1000;

/// A publisher and its subscribers.
fn fleet(subscribers: usize, qos: QoS) -> (Fleet, ConnectionId, Vec<ConnectionId>) {
    let mut fleet = Fleet::new(Config::default());
    let publisher = fleet.connect(&connect("publisher", &[]));
    let subscriptions = subscribe(&["site/+/temperature"], qos, VERSION);
    let subscribers: Vec<_> = (0..subscribers)
        .map(|number| {
            let subscriber = fleet.connect(&connect(&format!("subscriber {number}"), &[]));
            fleet.send(subscriber, &subscriptions);
            subscriber
        })
        .collect();
    (fleet, publisher, subscribers)
}

/// Allocations per message, rounded up, when each is answered by whoever has to.
fn per_message(subscribers: usize, qos: QoS, payload: usize) -> u64 {
    let (mut fleet, publisher, subscribers) = fleet(subscribers, qos);
    let message = publish("site/7/temperature", &vec![b'x'; payload], delivery(qos, 1), false);
    let ack = |packet: fn(Acknowledge<'static>) -> Packet<'static>, number| {
        fleet::encoded(&packet(Acknowledge::success(id(number))), VERSION)
    };
    // Subscribers are given their packet identifiers in turn.
    let answers: Vec<_> = (1..=u16::MAX)
        .take(64)
        .map(|number| {
            (ack(Packet::PubAck, number), ack(Packet::PubRec, number), ack(Packet::PubComp, number))
        })
        .collect();
    let release = ack(Packet::PubRel, 1);
    let mut turn = 0;
    let mut one = || {
        fleet.send(publisher, &message);
        let (puback, pubrec, pubcomp) = &answers[turn % answers.len()];
        for subscriber in &subscribers {
            match qos {
                QoS::AtMostOnce => {}
                QoS::AtLeastOnce => _ = fleet.send(*subscriber, puback),
                QoS::ExactlyOnce => {
                    fleet.send(*subscriber, pubrec);
                    fleet.send(*subscriber, pubcomp);
                }
            }
        }
        if qos == QoS::ExactlyOnce {
            fleet.send(publisher, &release);
        }
        turn += 1;
    };
    (0..MESSAGES).for_each(|_| one());
    let info = measure(|| (0..MESSAGES).for_each(|_| one()));
    let sent = fleet.broker.counters().publish_sent;
    assert_eq!(sent, 2 * MESSAGES * subscribers.len() as u64, "every message was delivered");
    let each = info.count_total.div_ceil(MESSAGES);
    println!("{qos:?}, {} subscribers, {payload} bytes: {each} allocations per message", subscribers.len());
    each
}

/// A message that is done leaves its memory to the next one, and a payload above 1 KiB is shared by all outputs.
#[test]
fn no_message_allocates() {
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
        for (subscribers, payload) in [(1, 100), (100, 100), (1, 3000), (100, 3000)] {
            assert_eq!(per_message(subscribers, qos, payload), 0, "{qos:?}, {subscribers}, {payload} bytes");
        }
    }
}
