//! Random courses: clients of this crate, a network that loses, doubles, delays and moves, a server link that breaks. When all
//! is over, every promise must have been kept.

use std::collections::{BTreeMap, BTreeSet};

use machine::{Instant, Random};
use mqttsn_codec::{QoS, SubscribeTopic};
use mqttsn_core::client::{self, Client, Handle, Outcome, Publication, PublishTopic};
use mqttsn_core::gateway::{Config, Mode};

use crate::support::{Bench, Peer, seconds};

const GATEWAY: Peer = 0;
const CLIENTS: u16 = 3;
const MESSAGES: u32 = 12;

struct Node {
    client: Client<Peer>,
    address: Peer,
    published: BTreeMap<Handle, (String, QoS)>,
    done: BTreeSet<String>,
    subscribed: bool,
    got: Vec<(String, QoS)>,
    sleeping: bool,
}

/// A datagram on its way: to the gateway from an address, or from the gateway to one.
struct Datagram {
    at: Instant,
    up: bool,
    address: Peer,
    bytes: Vec<u8>,
}

struct World {
    bench: Bench,
    nodes: Vec<Node>,
    net: Vec<Datagram>,
    random: Random,
    loss: u64,
    duplicates: u64,
    delay: u64,
    next_address: Peer,
    /// The gateway may be restarted: its clients' sessions are the server's.
    restarts: bool,
}

impl World {
    fn new(seed: u64, mode: Mode, loss: u64) -> Self {
        let change = |config: &mut Config| {
            config.mode = mode;
            config.rebind_on_ping = seed.is_multiple_of(2);
            config.queue.messages = 200;
            config.random_ids = true;
        };
        let bench = Bench::with(change);
        let nodes = (1..=CLIENTS).map(|number| {
            let config = client::Config {
                client_id: format!("c{number}"),
                clean_session: false,
                gateways: vec![GATEWAY],
                discovery: false,
                resubscribe: false,
                congestion_wait: seconds(20),
                max_postponements: 1000,
                ..client::Config::default()
            };
            Node {
                client: Client::new(config, seed + u64::from(number), bench.now),
                address: number,
                published: BTreeMap::new(),
                done: BTreeSet::new(),
                subscribed: false,
                got: Vec::new(),
                sleeping: false,
            }
        });
        Self {
            nodes: nodes.collect(),
            net: Vec::new(),
            random: Random::from_u64(seed),
            loss,
            duplicates: 10,
            delay: 3000,
            next_address: 100,
            restarts: false,
            bench,
        }
    }

    fn transmit(&mut self, up: bool, address: Peer, bytes: &[u8]) {
        if self.random.chance(self.loss, 100) {
            return;
        }
        let copies = 1 + u64::from(self.random.chance(self.duplicates, 100));
        for _ in 0..copies {
            let delay = core::time::Duration::from_millis(5 + self.random.below(self.delay.max(1)));
            self.net.push(Datagram { at: self.bench.now + delay, up, address, bytes: bytes.to_vec() });
        }
    }

    /// Takes what everybody has to say, until nobody says anything.
    fn drain(&mut self) {
        for index in 0..self.nodes.len() {
            while let Some(action) = self.nodes[index].client.poll_action() {
                self.on_action(index, action);
            }
        }
        for address in 1..self.next_address.max(100) {
            for bytes in self.bench.take(address) {
                self.transmit(false, address, &bytes);
            }
        }
    }

    fn on_action(&mut self, index: usize, action: client::Action<Peer>) {
        let node = &mut self.nodes[index];
        match action {
            client::Action::Send { datagram, .. } => {
                let address = node.address;
                self.transmit(true, address, &datagram);
            }
            client::Action::Message(message) => {
                node.got.push((String::from_utf8(message.data.to_vec()).unwrap(), message.qos));
            }
            client::Action::Completed { handle, outcome } => match outcome {
                Outcome::Published => {
                    if let Some((payload, _)) = node.published.get(&handle) {
                        node.done.insert(payload.clone());
                    }
                }
                Outcome::Subscribed { .. } => node.subscribed = true,
                _ => {}
            },
            _ => {}
        }
    }

    /// Lets time pass until then.
    fn run(&mut self, end: Instant) {
        loop {
            self.drain();
            let clients = self.nodes.iter().filter_map(|node| node.client.next_deadline());
            let arrivals = self.net.iter().map(|datagram| datagram.at);
            let next = clients.chain(arrivals).chain(self.bench.next_deadline()).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            let next = next.max(self.bench.now);
            self.bench.advance(next - self.bench.now);
            let now = self.bench.now;
            for node in &mut self.nodes {
                node.client.handle(client::Input::Tick, now);
            }
            let (due, later) = core::mem::take(&mut self.net).into_iter().partition(|d| d.at <= now);
            self.net = later;
            self.deliver(due);
        }
        self.bench.advance(end - self.bench.now);
    }

    fn deliver(&mut self, due: Vec<Datagram>) {
        for Datagram { up, address, bytes, .. } in due {
            if up {
                self.bench.send_raw(address, &bytes);
            } else if let Some(node) = self.nodes.iter_mut().find(|node| node.address == address) {
                let input = client::Input::Datagram { from: GATEWAY, datagram: &bytes };
                node.client.handle(input, self.bench.now);
            }
        }
    }

    fn step(&mut self, number: u32, down: &mut Vec<(String, u8)>) {
        let now = self.bench.now;
        let index = self.random.below(u64::from(CLIENTS)) as usize;
        if self.restarts && self.random.chance(1, 10) {
            self.bench.restart_gateway();
        }
        let node = &mut self.nodes[index];
        match self.random.below(14) {
            0..=3 => {
                let qos = if self.random.chance(1, 2) { QoS::AtLeastOnce } else { QoS::ExactlyOnce };
                let name = format!("up/{}", self.random.below(4));
                let payload = format!("{index}-{number}-{name}");
                let topic = PublishTopic::Name(&name);
                let publication = Publication { topic, qos, retain: false, data: payload.as_bytes() };
                if let Ok(handle) = node.client.publish(&publication, now) {
                    node.published.insert(handle, (payload, qos));
                }
            }
            4..=7 => {
                let qos = 1 + self.random.below(2) as u8;
                let payload = format!("down-{number}");
                let topic = format!("down/{}", self.random.below(4));
                self.bench.publish_at_broker(&topic, &payload, qos);
                down.push((payload, qos));
            }
            8 => {
                let node = &mut self.nodes[index];
                node.address = self.next_address;
                self.next_address += 1;
            }
            9 => self.bench.break_connections(),
            // Away for a while, in order or not.
            10 => node.client.disconnect(now),
            11 => {
                self.bench.cut();
                let outage = self.random.below(60);
                self.run(now + seconds(outage));
                self.bench.down = false;
            }
            12 => node.sleeping = node.client.sleep(40, now).is_ok() || node.sleeping,
            _ => {
                let _ = node.client.wake(now);
                let _ = node.client.connect(now);
                node.sleeping = false;
            }
        }
    }
}

fn course(seed: u64, mode: Mode, loss: u64, restarts: bool) {
    let mut world = World::new(seed, mode, loss);
    world.restarts = restarts;
    for node in &mut world.nodes {
        node.client.connect(world.bench.now).unwrap();
        let topic = SubscribeTopic::Name("down/#");
        node.client.subscribe(topic, QoS::ExactlyOnce, world.bench.now).unwrap();
    }
    let mut limit = 0;
    while !world.nodes.iter().all(|node| node.subscribed) {
        world.run(world.bench.now + seconds(60));
        limit += 1;
        assert!(limit < 500, "seed {seed}: no client gets through");
    }
    let mut down = Vec::new();
    for number in 0..MESSAGES * u32::from(CLIENTS) {
        world.step(number, &mut down);
        let pause = world.random.below(20);
        world.run(world.bench.now + seconds(pause));
    }
    // All is well again; and everybody is given time.
    (world.loss, world.duplicates, world.delay) = (0, 0, 10);
    for _ in 0..40 {
        for node in &mut world.nodes {
            let _ = node.client.wake(world.bench.now);
            let _ = node.client.connect(world.bench.now);
        }
        world.run(world.bench.now + seconds(60));
    }
    let observed = world.bench.seen();
    let context = format!("seed {seed}, {mode:?}, loss {loss} %");
    for (index, node) in world.nodes.iter().enumerate() {
        for (payload, qos) in node.published.values() {
            let times = observed.iter().filter(|(_, observed, ..)| observed == payload).count();
            let done = node.done.contains(payload);
            assert!(!done || times >= 1, "{context}: {payload} was acknowledged and never came");
            assert!(
                restarts || *qos == QoS::AtLeastOnce || times <= 1,
                "{context}: {payload} came {times} times"
            );
        }
        for (payload, qos) in &down {
            let times = node.got.iter().filter(|(got, _)| got == payload).count();
            assert!(times >= 1, "{context}: client {index} never got {payload}");
            assert!(
                restarts || *qos == 1 || times == 1,
                "{context}: client {index} got {payload} {times} times"
            );
        }
    }
    // What reached the server under another topic would be worse than lost.
    for (topic, payload, ..) in observed.iter().filter(|(topic, ..)| topic.starts_with("up/")) {
        assert!(payload.ends_with(topic), "{context}: {payload} to {topic}");
    }
    let counters = world.bench.gateway.counters();
    assert_eq!(counters.dropped(), 0, "{context}");
    assert_eq!(world.bench.gateway.gauges().buffered, 0, "{context}");
}

fn courses(mode: Mode, restarts: bool) {
    let base: u64 = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    let runs: u64 = std::env::var("RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(40);
    for seed in base..base + runs {
        for loss in [0, 20, 40, 60] {
            course(seed, mode, loss, restarts);
        }
    }
}

#[test]
fn transparent_courses() {
    courses(Mode::Transparent, false);
}

#[test]
fn aggregating_courses() {
    courses(Mode::Aggregating, false);
}

/// At least once, both ways; QoS 2 loses what the gateway knew of it.
#[test]
fn transparent_courses_with_restarts() {
    courses(Mode::Transparent, true);
}
