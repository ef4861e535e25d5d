//! What one more connection, subscription and retained topic cost a broker that has few or a million of them.

use machine::Instant;
use mqtt_codec::{
    Delivery, Packet, Properties, ProtocolVersion, Publish, QoS, Subscribe, SubscribeFilters,
    SubscriptionOptions,
};
use mqtt_core::{Action, Broker, Config, ConnectionId, Input};

use crate::corpus::mqtt::{encoded, identifier, plain_connect};
use crate::{Case, case};

/// The name of this theme.
pub const THEME: &str = "flat";
/// How many there are already.
pub const SIZES: [u32; 4] = [1000, 10_000, 100_000, 1_000_000];
/// What is there in such numbers.
pub const KINDS: [&str; 3] = ["connection", "subscription", "retained topic"];

const NOW: Instant = Instant::from_micros(1);
const VERSION: ProtocolVersion = ProtocolVersion::V3_1_1;
/// How many more are added to be measured.
const MORE: u32 = 500;
/// Subscriptions of one client.
const EACH: u32 = 1000;

/// Adding some more to each number of each kind.
pub fn cases() -> impl Iterator<Item = Case> {
    KINDS.into_iter().flat_map(|kind| SIZES.into_iter().map(move |size| adding(kind, size)))
}

/// One case of [`cases`].
fn adding(kind: &'static str, size: u32) -> Case {
    let mut crowd = Crowd::new();
    let mut number = size;
    let mut ready = false;
    case(THEME, format!("{kind}\t{size}"), "ours", move |times| {
        if !ready {
            crowd.grow(kind, 0..size);
            ready = true;
        }
        crowd.grow(kind, number..number + times as u32);
        number += times as u32;
    })
    .times(u64::from(MORE))
}

/// A broker with so many of a kind.
pub fn grown(kind: &str, size: u32) -> impl Sized + use<> {
    let mut crowd = Crowd::new();
    crowd.grow(kind, 0..size);
    crowd
}

struct Crowd {
    broker: Broker,
    /// Who subscribes or publishes; the newest is the last.
    clients: Vec<ConnectionId>,
}

impl Crowd {
    fn new() -> Self {
        let config = Config {
            max_connections: u32::MAX,
            max_sessions: u32::MAX,
            max_retained: u32::MAX,
            max_memory: usize::MAX,
            sys_interval: core::time::Duration::ZERO,
            ..Config::default()
        };
        Self { broker: Broker::new(config, [1; 32], NOW), clients: Vec::new() }
    }

    fn grow(&mut self, kind: &str, numbers: core::ops::Range<u32>) {
        for number in numbers {
            match kind {
                "connection" => _ = self.join(number),
                "subscription" => {
                    if number % EACH == 0 {
                        let client = self.join(number / EACH);
                        self.clients.push(client);
                    }
                    let client = *self.clients.last().expect("the first one joins");
                    let filter = format!("site/s{:04}/device/d{number:07}/+", number / 400);
                    self.send(client, &subscribe(&filter));
                }
                _ => {
                    if number == 0 {
                        let client = self.join(0);
                        self.clients.push(client);
                    }
                    let client = *self.clients.last().expect("the first one joins");
                    let topic =
                        format!("site/s{:04}/device/d{:07}/m{}", number / 400, number / 8, number % 8);
                    self.send(client, &retain(&topic));
                }
            }
        }
    }

    fn join(&mut self, number: u32) -> ConnectionId {
        let connection = self.broker.open(NOW).expect("room");
        self.send(connection, &plain_connect(&format!("device-{number:07}"), VERSION));
        connection
    }

    /// Bytes arrive; whatever the broker has to send is read at once.
    fn send(&mut self, connection: ConnectionId, bytes: &[u8]) {
        assert_eq!(self.broker.handle(Input::Bytes { connection, bytes }, NOW), bytes.len());
        while let Some(action) = self.broker.poll_action() {
            if let Action::Output(connection) = action {
                let bytes = self.broker.output(connection).map(<[u8]>::len).sum();
                self.broker.handle(Input::Sent { connection, bytes }, NOW);
            }
        }
    }
}

fn subscribe(filter: &str) -> Vec<u8> {
    let filters = [(filter, SubscriptionOptions::qos(QoS::AtMostOnce))];
    let subscribe = Subscribe {
        packet_id: identifier(1),
        properties: Properties::NONE,
        filters: SubscribeFilters::list(&filters),
    };
    encoded(&Packet::Subscribe(subscribe), VERSION)
}

fn retain(topic: &str) -> Vec<u8> {
    let publish = Publish {
        delivery: Delivery::AtMostOnce,
        retain: true,
        topic,
        properties: Properties::NONE,
        payload: b"21.5",
    };
    encoded(&Packet::Publish(publish), VERSION)
}
