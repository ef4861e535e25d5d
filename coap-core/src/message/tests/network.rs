//! Two layers over a network that loses, delays, reorders and duplicates; many seeds.

use alloc::collections::{BTreeMap, BTreeSet};

use super::*;

const CLIENT: u8 = 1;
const SERVER: u8 = 2;
const REQUESTS: u8 = 40;

struct World {
    random: Random,
    client: Node,
    server: Node,
    /// By the time of arrival; who it is for.
    under_way: BTreeMap<(Instant, u64), (u8, Vec<u8>)>,
    next: u64,
    loss_percent: u64,
    now: Instant,
    /// Requests, by their token.
    open: BTreeMap<u8, OutgoingId>,
    handled: BTreeMap<u8, u32>,
    responses: BTreeMap<u8, u32>,
    failed: BTreeSet<u8>,
    /// Requests to be answered with a message of its own, and when.
    separate: Vec<(Instant, u8)>,
}

impl World {
    fn new(seed: u64, loss_percent: u64) -> Self {
        Self {
            random: Random::from_u64(seed),
            client: Node::seeded(Transmission::default(), Limits::default(), seed),
            server: Node::seeded(Transmission::default(), Limits::default(), !seed),
            under_way: BTreeMap::new(),
            next: 0,
            loss_percent,
            now: Instant::EPOCH,
            open: BTreeMap::new(),
            handled: BTreeMap::new(),
            responses: BTreeMap::new(),
            failed: BTreeSet::new(),
            separate: Vec::new(),
        }
    }

    fn carry(&mut self) {
        let to_server = self.client.sent().into_iter().map(|(_, datagram)| (SERVER, datagram));
        let to_client = self.server.sent().into_iter().map(|(_, datagram)| (CLIENT, datagram));
        let sent: Vec<_> = to_server.chain(to_client).collect();
        for (to, datagram) in sent {
            let copies = if self.random.chance(1, 10) { 2 } else { 1 };
            for _ in 0..copies {
                if !self.random.chance(self.loss_percent, 100) {
                    let delay = self.random.between(seconds(0.01), seconds(4.0));
                    self.under_way.insert((self.now + delay, self.next), (to, datagram.clone()));
                    self.next += 1;
                }
            }
        }
    }

    fn server_takes(&mut self, datagram: &[u8]) {
        let Arrival::Request { incoming, confirmable } = self.server.receive(CLIENT, datagram) else {
            return;
        };
        let token = decode(datagram).token[0];
        *self.handled.entry(token).or_default() += 1;
        if confirmable && self.random.chance(1, 2) {
            self.server.layer.piggyback(incoming, body(Code::CHANGED, token, b"done")).unwrap();
            return;
        }
        self.server.layer.acknowledge(incoming, self.now);
        let delay = self.random.between(Duration::ZERO, seconds(20.0));
        self.separate.push((self.now + delay, token));
    }

    fn client_takes(&mut self, datagram: &[u8]) {
        let Arrival::Response { incoming, confirmable, .. } = self.client.receive(SERVER, datagram) else {
            return;
        };
        let token = decode(datagram).token[0];
        *self.responses.entry(token).or_default() += 1;
        if let Some(id) = self.open.get(&token) {
            self.client.layer.settle(*id, self.now);
        }
        if let Some(incoming) = incoming.filter(|_| confirmable) {
            self.client.layer.acknowledge(incoming, self.now);
        }
    }

    fn step(&mut self) -> bool {
        let deadlines = [self.client.layer.next_deadline(), self.server.layer.next_deadline()];
        let arrival = self.under_way.keys().next().map(|&(at, _)| at);
        let answer = self.separate.iter().map(|&(at, _)| at).min();
        let Some(at) = deadlines.into_iter().chain([arrival, answer]).flatten().min() else { return false };
        self.now = at.max(self.now);
        (self.client.now, self.server.now) = (self.now, self.now);
        while let Some(entry) = self.under_way.first_entry().filter(|entry| entry.key().0 <= self.now) {
            match entry.remove() {
                (SERVER, datagram) => self.server_takes(&datagram),
                (_, datagram) => self.client_takes(&datagram),
            }
        }
        let now = self.now;
        for (_, token) in self.separate.extract_if(.., |(at, _)| *at <= now) {
            let how = if self.random.chance(3, 4) { CON_RESPONSE } else { NON_RESPONSE };
            self.server.send(CLIENT, body(Code::CHANGED, token, b"done"), how).unwrap();
        }
        self.client.tick();
        self.server.tick();
        for event in self.client.events() {
            if let Event::TimedOut(id) | Event::Reset(id) | Event::Expired(id) = event {
                self.failed
                    .extend(self.open.iter().filter(|(_, open)| **open == id).map(|(token, _)| *token));
            }
        }
        self.server.events();
        self.carry();
        true
    }
}

#[test]
fn each_request_is_handled_at_most_once_and_each_exchange_ends() {
    let mut answered = [0; 7];
    for seed in 0..210 {
        let loss_percent = (seed % 7) * 10;
        let mut world = World::new(seed, loss_percent);
        for token in 0..REQUESTS {
            let how = if token % 4 == 3 { NON_REQUEST } else { CON_REQUEST };
            let id = world.client.send(SERVER, body(Code::POST, token, b"do"), how).unwrap();
            world.open.insert(token, id);
        }
        world.carry();
        let mut steps = 0;
        while world.step() {
            steps += 1;
            assert!(steps < 100_000, "seed {seed} does not come to an end");
        }
        assert!(world.handled.values().all(|&times| times == 1), "seed {seed}: {:?}", world.handled);
        for token in 0..REQUESTS {
            let responses = world.responses.get(&token).copied().unwrap_or(0);
            assert!(responses <= 1, "seed {seed}: {responses} responses to {token}");
            // What the server never got, and what was not acknowledged for all its repetitions, the client was told of.
            let known = responses == 1 || world.failed.contains(&token) || world.handled.contains_key(&token);
            assert!(known, "seed {seed}: nothing is known of {token}");
        }
        if loss_percent == 0 {
            assert_eq!(world.responses.len(), usize::from(REQUESTS), "seed {seed}");
        }
        answered[(loss_percent / 10) as usize] += world.responses.len();
        for node in [&world.client, &world.server] {
            assert_eq!((node.layer.remembered.len(), node.layer.messages.table.len()), (0, 0));
            assert_eq!(node.layer.peers.len(), 0);
        }
    }
    assert!(answered.is_sorted_by(|a, b| a >= b) && answered[6] > answered[0] / 2, "{answered:?}");
}
