//! Clients that want the broker to run out of memory: what they make it hold, while tables grow and are copied, is at most
//! three times `max_memory`, beside what connections and sessions have limits of their own for.
#![allow(clippy::print_stdout, reason = "what is measured is for reading, too")]

mod fleet;

use allocation_counter::measure;
use core::num::NonZeroU16;
use fleet::{Fleet, connect, delivery, encoded, id, publish, subscribe};
use fuzz::codec::with_length;
use mqtt_codec::{
    Connect, Delivery, Packet, Properties, Property, ProtocolVersion, Publish, QoS, RetainHandling,
    Subscribe, SubscribeFilters, SubscriptionOptions, Will,
};
use mqtt_core::{Config, ConnectionId, Input};

const V3: ProtocolVersion = ProtocolVersion::V3_1_1;
const V5: ProtocolVersion = ProtocolVersion::V5;
const MEMORY: usize = 4 << 20;

/// Lets clients do their worst and prints what it came to.
fn worst(what: &str, config: Config, attack: impl FnOnce(&mut Fleet)) -> usize {
    let mut fleet = Fleet::new(Config { max_memory: MEMORY, ..config });
    let info = measure(|| attack(&mut fleet));
    let memory = fleet.broker.gauges().memory;
    println!(
        "{what}: at most {} bytes, {} in the end, of which {memory} count",
        info.bytes_max, info.bytes_current
    );
    assert!(memory <= MEMORY as u64);
    info.bytes_max as usize
}

fn clients(fleet: &mut Fleet, count: usize, properties: &[Property<'_>]) -> Vec<ConnectionId> {
    (0..count).map(|number| fleet.connect(&connect(&format!("client {number}"), properties))).collect()
}

/// Packets of which only the beginning comes.
#[test]
fn partial_packets() {
    let start = with_length(0x30, &vec![0; 1 << 20]);
    let most = worst("partial packets", Config::default(), |fleet| {
        for client in clients(fleet, 100, &[]) {
            for piece in start[..start.len() - 1].chunks(10_000) {
                fleet.send(client, piece);
            }
        }
    });
    assert!(most <= 3 * MEMORY, "{most}");
}

/// Messages that are retained, of which each is small; or whose topic or properties are all that they have.
#[test]
fn retained_messages() {
    let most = worst("small retained messages", Config::default(), |fleet| {
        let client = clients(fleet, 1, &[])[0];
        for number in 0..20_000 {
            fleet.send(client, &publish(&format!("{number}"), b"x", Delivery::AtMostOnce, true));
        }
    });
    assert!(most <= 3 * MEMORY, "{most}");
    let most = worst("retained messages with long topics", Config::default(), |fleet| {
        let client = clients(fleet, 1, &[])[0];
        for number in 0..200 {
            let topic = format!("{number}{}", "x".repeat(60_000));
            fleet.send(client, &publish(&topic, b"x", Delivery::AtMostOnce, true));
        }
    });
    assert!(most <= 3 * MEMORY, "{most}");
    let most = worst("retained messages with many levels", Config::default(), |fleet| {
        let client = clients(fleet, 1, &[])[0];
        for number in 0..4000 {
            let levels: Vec<_> = (0..32).map(|level| format!("{}", number * 32 + level)).collect();
            fleet.send(client, &publish(&levels.join("/"), b"x", Delivery::AtMostOnce, true));
        }
    });
    assert!(most <= 3 * MEMORY, "{most}");
    let most = worst("retained messages with many properties", Config::default(), |fleet| {
        let client = clients(fleet, 1, &[Property::RequestProblemInformation(false)])[0];
        let flood = vec![Property::UserProperty("", ""); 20_000];
        for number in 0..200 {
            let publish = Publish {
                delivery: Delivery::AtMostOnce,
                retain: true,
                topic: &format!("{number}"),
                properties: Properties::list(&flood),
                payload: b"x",
            };
            fleet.send(client, &encoded(&Packet::Publish(publish), V5));
        }
    });
    assert!(most <= 3 * MEMORY, "{most}");
}

/// As many subscriptions as there can be, short and long, and topics as deep as they can be.
#[test]
fn subscriptions() {
    let most = worst("short subscriptions", Config::default(), |fleet| {
        for client in clients(fleet, 10, &[]) {
            for number in 0..4000 {
                fleet.send(client, &subscribe(&[&format!("{number}/+")], QoS::AtMostOnce, V3));
            }
        }
    });
    assert!(most <= 3 * MEMORY, "{most}");
    let most = worst("long subscriptions", Config::default(), |fleet| {
        for client in clients(fleet, 10, &[]) {
            for number in 0..200 {
                let filter = format!("{number}/{}", "x".repeat(60_000));
                fleet.send(client, &subscribe(&[&filter], QoS::AtMostOnce, V3));
                fleet.send(client, &subscribe(&[&format!("$share/g/{filter}")], QoS::AtMostOnce, V3));
            }
        }
    });
    assert!(most <= 3 * MEMORY, "{most}");
    let most = worst("deep subscriptions", Config::default(), |fleet| {
        for client in clients(fleet, 10, &[]) {
            for number in 0..500 {
                let filter = format!("{number}{}/+", "/".repeat(126));
                fleet.send(client, &subscribe(&[&filter], QoS::AtMostOnce, V3));
            }
        }
    });
    assert!(most <= 3 * MEMORY, "{most}");
}

/// Subscriptions made again and again while what they ask for has to wait.
#[test]
fn repeated_subscriptions() {
    let most = worst("repeated subscriptions", Config::default(), |fleet| {
        let client = clients(fleet, 1, &[Property::ReceiveMaximum(NonZeroU16::MIN)])[0];
        let other = clients(fleet, 1, &[])[0];
        for number in 0..3 {
            fleet.send(other, &publish(&format!("t/{number}"), b"x", delivery(QoS::AtLeastOnce, 1), true));
        }
        let options = SubscriptionOptions {
            retain_handling: RetainHandling::SendAtSubscribe,
            ..SubscriptionOptions::qos(QoS::AtLeastOnce)
        };
        let padding = "x".repeat(30_000);
        for number in 0..2000 {
            let filter = format!("{}/{padding}", number % 50);
            let filters = [("t/+", options), (&*filter, options)];
            let subscribe = Subscribe {
                packet_id: id(1),
                properties: Properties::NONE,
                filters: SubscribeFilters::list(&filters),
            };
            fleet.send(client, &encoded(&Packet::Subscribe(subscribe), V5));
        }
    });
    assert!(most <= 3 * MEMORY, "{most}");
}

/// A name for every alias, on many connections, in both directions.
#[test]
fn topic_aliases() {
    let most = worst("topic aliases", Config::default(), |fleet| {
        for client in clients(fleet, 20, &[Property::TopicAliasMaximum(u16::MAX)]) {
            fleet.send(client, &subscribe(&["#"], QoS::AtMostOnce, V5));
            for number in 1..=32 {
                let alias = [Property::TopicAlias(NonZeroU16::new(number).expect("not 0"))];
                let publish = Publish {
                    delivery: Delivery::AtMostOnce,
                    retain: false,
                    topic: &format!("{number}{}", "x".repeat(60_000)),
                    properties: Properties::list(&alias),
                    payload: b"x",
                };
                fleet.send(client, &encoded(&Packet::Publish(publish), V5));
            }
        }
    });
    assert!(most <= 3 * MEMORY, "{most}");
}

/// Requests whose answers nobody reads, and messages that nobody reads or acknowledges.
#[test]
fn silent_readers() {
    let config = Config::default();
    let per_connection = 4 * config.output_high_water;
    let most = worst("answers that nobody reads", config, |fleet| {
        let clients = clients(fleet, 10, &[]);
        fleet.reading = false;
        for client in clients {
            for _ in 0..100 {
                fleet.send(client, &[0xC0, 0x00].repeat(10_000));
            }
        }
    });
    assert!(most <= MEMORY + 10 * per_connection, "{most}");
    for (what, reading) in
        [("messages that nobody acknowledges", true), ("messages that nobody reads", false)]
    {
        let most = worst(what, Config::default(), |fleet| {
            let clients = clients(fleet, 10, &[]);
            for client in &clients[1..] {
                fleet.send(*client, &subscribe(&["#"], QoS::ExactlyOnce, V3));
            }
            fleet.reading = reading;
            for number in 0..20_000 {
                let delivery = delivery(QoS::ExactlyOnce, number % 9000 + 1);
                fleet.send(clients[0], &publish("t", &[b'x'; 500], delivery, false));
            }
        });
        assert!(most <= 2 * MEMORY + 10 * per_connection, "{what}: {most}");
    }
}

/// Sessions that stay, each with the largest will and client identifier.
#[test]
fn sessions() {
    let most = worst("sessions", Config { max_sessions: 1000, ..Config::default() }, |fleet| {
        for number in 0..2000 {
            let will = Will {
                qos: QoS::AtLeastOnce,
                retain: true,
                properties: Properties::NONE,
                topic: "will",
                payload: &[7; 1900],
            };
            let client_id = format!("{number:01000}");
            let connect = Connect {
                version: V3,
                clean_start: false,
                keep_alive: 0,
                properties: Properties::NONE,
                client_id: &client_id,
                will: Some(will),
                username: None,
                password: None,
            };
            let connection = fleet.open();
            fleet.send(connection, &encoded(&Packet::Connect(connect), V3));
        }
    });
    assert!(most <= 1000 * 5000, "{most}");
}

/// One message that many sessions wait for counts once, but each session has a place for it in its queue.
#[test]
fn queues() {
    const SESSIONS: usize = 100;
    let most = worst("queues", Config::default(), |fleet| {
        let publisher = clients(fleet, 1, &[])[0];
        for number in 0..SESSIONS {
            let expiry = [Property::SessionExpiryInterval(1000)];
            let connection = fleet.connect(&connect(&format!("session {number}"), &expiry));
            fleet.send(connection, &subscribe(&["t"], QoS::AtLeastOnce, V5));
            fleet.broker.handle(Input::Closed { connection }, fleet::NOW);
        }
        for _ in 0..2000 {
            fleet.send(publisher, &publish("t", b"x", delivery(QoS::AtLeastOnce, 1), false));
        }
    });
    assert!(most <= 3 * MEMORY, "{most}");
}
