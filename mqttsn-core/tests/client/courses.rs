//! Random courses of events over a network that loses, delays, repeats and reorders, against the gateway of `model`.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use machine::{Instant, Random};
use mqttsn_codec::{QoS, SubscribeTopic};
use mqttsn_core::client::{Action, Client, Config, Handle, Input, Outcome, Publication, PublishTopic, State};

use crate::model::Gateway;
use crate::support::{AtLeastOnce, AtMostOnce, ExactlyOnce, GATEWAY, config, secs};

const NAMES: [&str; 3] = ["a", "b/c", "d/e/f"];

/// One client, one gateway, and what is between them.
struct World {
    client: Client<u8>,
    gateway: Gateway,
    random: Random,
    now: Instant,
    loss: u64,
    /// Datagrams on their way, by arrival: to the gateway or from it.
    wire: BTreeSet<(Instant, u64, bool, Vec<u8>)>,
    sent: u64,
    outcomes: BTreeMap<Handle, Vec<Outcome>>,
    /// The whole course, to compare.
    history: Vec<String>,
}

impl World {
    fn new(seed: u64, config: Config<u8>) -> Self {
        let mut random = Random::from_u64(seed);
        let now = Instant::from_micros(1);
        let loss = random.below(61);
        let (wire, gateway) = (BTreeSet::new(), Gateway::default());
        let client = Client::new(config, seed, now);
        let outcomes = BTreeMap::new();
        Self { client, gateway, random, now, loss, wire, sent: 0, outcomes, history: Vec::new() }
    }

    fn send(&mut self, to_gateway: bool, datagram: &[u8]) {
        let copies =
            u64::from(self.random.below(100) >= self.loss) * (1 + u64::from(self.random.chance(1, 10)));
        for _ in 0..copies {
            let delay = self.random.between(Duration::from_millis(1), secs(1));
            self.sent += 1;
            self.wire.insert((self.now + delay, self.sent, to_gateway, datagram.to_vec()));
        }
    }

    fn is_connecting(&self) -> bool {
        self.wire.iter().any(|(_, _, to_gateway, datagram)| *to_gateway && datagram[1] == 0x04)
    }

    fn drain(&mut self) {
        while let Some(action) = self.client.poll_action() {
            self.history.push(format!("{:?} {action:?}", self.now));
            match action {
                Action::Send { datagram, .. } => self.send(true, &datagram),
                Action::Completed { handle, outcome } => {
                    self.outcomes.entry(handle).or_default().push(outcome);
                }
                _ => {}
            }
        }
    }

    fn run(&mut self, span: Duration) {
        let end = self.now + span;
        loop {
            let arrival = self.wire.first().map(|datagram| datagram.0);
            let Some(next) = arrival.into_iter().chain(self.client.next_deadline()).min() else { break };
            if next > end {
                break;
            }
            self.now = self.now.max(next);
            if arrival == Some(next) {
                let Some((_, _, to_gateway, datagram)) = self.wire.pop_first() else { break };
                if to_gateway {
                    for answer in self.gateway.handle(&datagram) {
                        self.send(false, &answer);
                    }
                } else {
                    self.client.handle(Input::Datagram { from: GATEWAY, datagram: &datagram }, self.now);
                }
            } else {
                self.client.handle(Input::Tick, self.now);
                assert!(
                    self.client.next_deadline().is_none_or(|next| next > self.now),
                    "a deadline is left behind"
                );
            }
            self.drain();
        }
        self.now = end;
    }
}

/// Publishes, sleeps, restarts; then the network heals, and everything comes to its end.
fn course(seed: u64) -> World {
    let clean_session = seed.is_multiple_of(3);
    let mut world = World::new(seed, Config { clean_session, keep_alive: 30, ..config() });
    world.client.connect(world.now).unwrap();
    world.client.subscribe(SubscribeTopic::Name("news"), AtLeastOnce, world.now).unwrap();
    let mut published: Vec<(Handle, QoS, Vec<u8>)> = Vec::new();
    for number in 0..12 {
        let name = NAMES[world.random.below(3) as usize];
        let qos = [AtMostOnce, AtLeastOnce, ExactlyOnce][world.random.below(3) as usize];
        let data = format!("{name} {number}").into_bytes();
        let publication = Publication { topic: PublishTopic::Name(name), qos, retain: false, data: &data };
        let handle = world.client.publish(&publication, world.now).unwrap();
        published.push((handle, qos, data));
        match world.random.below(10) {
            // A CONNECT that is still on its way would begin a session that the client knows nothing of.
            0 if !world.is_connecting() => world.gateway.restart(),
            1 => _ = world.client.sleep(20, world.now),
            2 => _ = world.client.wake(world.now),
            3 => _ = world.client.update_will(None, world.now),
            _ => {}
        }
        world.drain();
        let span = world.random.between(Duration::ZERO, secs(40));
        world.run(span);
    }
    world.loss = 0;
    for _ in 0..40 {
        world.run(secs(60));
        if world.client.state() == State::Asleep {
            world.client.wake(world.now).unwrap();
        }
    }
    assert_eq!((world.client.state(), world.client.unfinished()), (State::Active, 0), "seed {seed}");
    for (handle, qos, data) in published {
        let arrived = world.gateway.arrived.get(&data).copied().unwrap_or_default();
        let ends = &world.outcomes[&handle];
        assert_eq!(ends.len(), 1, "seed {seed}: one end for {handle:?}");
        match (qos, ends[0]) {
            (AtMostOnce, Outcome::Published) => {}
            (AtLeastOnce, Outcome::Published) => assert!(arrived >= 1, "seed {seed}: lost"),
            (ExactlyOnce, Outcome::Published) => assert_eq!(arrived, 1, "seed {seed}: once"),
            (ExactlyOnce, Outcome::Interrupted) if clean_session => assert!(arrived <= 1, "seed {seed}"),
            (_, other) => panic!("seed {seed}: {other:?}"),
        }
    }
    world
}

#[test]
fn a_thousand_courses() {
    let mut interrupted = 0;
    for seed in 0..1000 {
        let world = course(seed);
        let ends = world.outcomes.values().flatten();
        interrupted += ends.filter(|outcome| **outcome == Outcome::Interrupted).count();
    }
    assert!(interrupted > 0, "the courses are not hard enough");
}

#[test]
fn the_same_seed_gives_the_same_course() {
    for seed in [1, 2, 3] {
        assert_eq!(course(seed).history, course(seed).history);
    }
}
