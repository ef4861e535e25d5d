//! Lets a scenario happen.

use std::time::Duration;

use coap_core::{Counters, Gauges};
use machine::{Instant, Random};

use super::ledger::{Asked, Ledger};
use super::node::{Life, Node, Surroundings};
use super::scenario::{Op, Path, Scenario};
use super::wire::Line;
use super::{Address, client, guarantees};
use crate::agenda::Agenda;
use crate::history::History;
use crate::net::datagram::{Fates, Network, Weather};

/// When a run begins: not at the epoch, so that nothing can lean on it.
const START: Instant = Instant::from_micros(1_000_000_000);
/// A run that takes more steps than this is going in circles.
const MOST_STEPS: u32 = 200_000;
/// How long, in a calm, the last request takes at the most. `PROBING_RATE` lets a peer that says nothing have so little.
const BOUND: Duration = Duration::from_secs(40_000);
/// How long a registration waits for its response.
const PATIENCE: Duration = Duration::from_secs(260);
/// How long until an observer has registered anew: a minute of Max-Age at the most, and 15 s.
const FRESHNESS: Duration = Duration::from_secs(120);
/// How long until nothing is remembered of anything: more than twice EXCHANGE_LIFETIME.
const OBLIVION: Duration = Duration::from_secs(600);

/// What became of a run.
#[derive(Debug)]
pub struct Outcome {
    /// What the applications did and saw.
    pub ledger: Ledger,
    /// What should not have happened.
    pub problems: Vec<String>,
    /// What happened, if the scenario asked for it.
    pub history: String,
    /// What became of all datagrams.
    pub fates: Fates,
    /// The counters of all endpoints, one for each time that a node was started.
    pub counters: Vec<Counters>,
    /// Observations that were open when everything had come to rest.
    pub observations: usize,
}

/// Lets a scenario happen, and checks it.
pub fn run(scenario: &Scenario) -> Outcome {
    let mut world = World::new(scenario);
    world.run_until(START + scenario.calm_at);
    world.calm();
    world.run_for(PATIENCE);
    world.come_to_rest();
    world.change_everything(true);
    world.run_for(FRESHNESS);
    let observations = world.around.ledger.requests.iter().filter(|asked| asked.is_open()).count();
    let counters: Vec<_> = world.nodes.iter().flat_map(Node::counters).copied().collect();
    let mut problems = guarantees::check(&world.around.ledger, scenario, &counters);
    problems.extend(guarantees::check_observers(&world.around.ledger, scenario));
    world.end_everything();
    world.run_for(OBLIVION);
    problems.extend(guarantees::check_ends(&world.around.ledger));
    world.check_rest();
    let Surroundings { mut ledger, history, network, .. } = world.around;
    problems.append(&mut ledger.faults);
    Outcome {
        problems,
        history: history.text().to_owned(),
        fates: *network.fates(),
        counters: world.nodes.iter().flat_map(Node::counters).copied().collect(),
        observations,
        ledger,
    }
}

struct World {
    around: Surroundings,
    nodes: Vec<Node>,
    agenda: Agenda<Due>,
    reports_unreachable: bool,
    steps: u32,
}

enum Due {
    Op(usize, Op),
    Start(usize),
    Restore(usize, Path),
    Mend(Address, Address),
    /// This node hears that the other one cannot be reached.
    Unreachable(usize, Address),
}

impl World {
    fn new(scenario: &Scenario) -> Self {
        let mut random = Random::from_u64(scenario.seed);
        let mut fork = || Random::from_u64(random.next_u64());
        let mut network = Network::new(scenario.weather, fork());
        network.found(Address::GROUP);
        for (from, to, weather) in &scenario.directions {
            network.set_weather(Address(*from as u8), Address(*to as u8), *weather);
        }
        let history = History::new(scenario.trace);
        let mut around = Surroundings { now: START, network, ledger: Ledger::default(), history };
        let mut nodes = Vec::new();
        for (index, spec) in scenario.nodes.iter().enumerate() {
            if spec.serves.is_some_and(|serves| serves.in_group) {
                around.network.join(Address::GROUP, Address(index as u8));
            }
            nodes.push(Node::new(spec.clone(), index, fork(), &mut around));
        }
        let mut agenda = Agenda::default();
        for (at, node, op) in &scenario.ops {
            agenda.schedule(START + *at, Due::Op(*node, op.clone()));
        }
        Self { around, nodes, agenda, reports_unreachable: scenario.reports_unreachable, steps: 0 }
    }

    fn run_for(&mut self, span: Duration) {
        self.run_until(self.around.now + span);
    }

    fn run_until(&mut self, end: Instant) {
        while self.steps < MOST_STEPS {
            let nodes = self.nodes.iter().filter_map(Node::next_deadline);
            let others = [self.around.network.next_deadline(), self.agenda.next_deadline()];
            let next = nodes.chain(others.into_iter().flatten()).min();
            let Some(next) = next.filter(|next| *next <= end) else {
                self.around.now = end;
                return;
            };
            self.around.now = self.around.now.max(next);
            self.steps += 1;
            self.step();
        }
        if self.steps == MOST_STEPS {
            self.steps += 1;
            self.around.ledger.fault(self.around.now, "going in circles");
        }
    }

    /// All that is due now.
    fn step(&mut self) {
        let now = self.around.now;
        while let Some(arrival) = self.around.network.poll(now) {
            let receiver = usize::from(arrival.receiver.0);
            let node = &mut self.nodes[receiver];
            if node.life().is_some() {
                self.around
                    .history
                    .note(now, format_args!("{receiver} < {:?}: {}", arrival.from, Line(&arrival.bytes)));
                node.receive(&arrival, &mut self.around);
            } else if self.reports_unreachable && !arrival.is_multicast() {
                let due = Due::Unreachable(usize::from(arrival.from.0), arrival.receiver);
                self.agenda.schedule(now + Duration::from_millis(1), due);
            }
        }
        while let Some(due) = self.agenda.pop(now) {
            self.happen(due);
        }
        for node in &mut self.nodes {
            if node.next_deadline().is_some_and(|at| at <= now) {
                node.wake(&mut self.around);
            }
        }
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Op(node, op) => self.perform(node, &op),
            Due::Start(node) => self.start(node),
            Due::Restore(node, path) => self.nodes[node].act(&mut self.around, |life, around| {
                if let Some(server) = &mut life.server {
                    server.restore(path, &mut life.endpoint, &mut around.ledger, around.now);
                }
            }),
            Due::Mend(from, to) => self.around.network.mend(from, to),
            Due::Unreachable(node, peer) => {
                self.around.ledger.unreachable += 1;
                self.around.history.note(self.around.now, format_args!("{node}: {peer:?} is unreachable"));
                self.nodes[node].act(&mut self.around, |life, around| {
                    life.endpoint.handle(coap_core::Input::Unreachable { peer }, around.now);
                });
            }
        }
    }

    fn perform(&mut self, index: usize, op: &Op) {
        let now = self.around.now;
        self.around.history.note(now, format_args!("{index}: {op:?}"));
        let (node, around) = (&mut self.nodes[index], &mut self.around);
        match *op {
            Op::Restart(downtime) => {
                node.crash(around);
                self.agenda.schedule(now + downtime, Due::Start(index));
            }
            Op::Part(other, span, both) => {
                let (here, there) = (Address(index as u8), Address(other as u8));
                let directions = [(here, there), (there, here)];
                for (from, to) in directions.into_iter().take(if both { 2 } else { 1 }) {
                    around.network.cut(from, to);
                    self.agenda.schedule(now + span, Due::Mend(from, to));
                }
            }
            Op::Withdraw(path, span) => {
                node.act(around, |life, around| {
                    if let Some(server) = &mut life.server {
                        server.withdraw(path, &mut life.endpoint, &mut around.ledger, now);
                    }
                });
                self.agenda.schedule(now + span, Due::Restore(index, path));
            }
            Op::Ask(_) | Op::Ping(_) | Op::Cancel | Op::Deregister | Op::Change(_) => {
                node.act(around, |life, around| use_endpoint(life, op, around));
            }
        }
    }

    fn start(&mut self, index: usize) {
        if self.nodes[index].life().is_none() {
            let now = self.around.now;
            self.around.ledger.restarts.push((index, now));
            self.nodes[index].start(&mut self.around);
        }
    }

    /// Nothing goes wrong any more.
    fn calm(&mut self) {
        self.around.history.note(self.around.now, format_args!("calm"));
        self.agenda.clear();
        self.around.network.calm(Weather::FAIR);
        for index in 0..self.nodes.len() {
            self.start(index);
        }
        for node in &mut self.nodes {
            node.act(&mut self.around, |life, around| {
                if let Some(server) = &mut life.server {
                    server.calm(&mut life.endpoint, &mut around.ledger, around.now);
                }
            });
        }
    }

    /// Until nothing is open but observations; for so long at the most.
    fn come_to_rest(&mut self) {
        let end = self.around.now + BOUND;
        let busy = |world: &Self| {
            // Who does not want to hear of errors may never know what became of a body.
            let silent = |asked: &Asked| asked.ask().is_some_and(|ask| ask.no_response.is_some());
            let open = |asked: &Asked| {
                let waits = asked.seen.is_empty() && !silent(asked);
                asked.is_open() && (!asked.observes() || waits || asked.deregistered)
            };
            world.around.ledger.requests.iter().any(open)
        };
        while busy(self) && self.around.now < end {
            self.run_for(Duration::from_secs(60));
        }
        if busy(self) {
            self.around.ledger.fault(self.around.now, "requests do not end");
        }
    }

    fn change_everything(&mut self, exists: bool) {
        for node in &mut self.nodes {
            node.act(&mut self.around, |life, around| {
                if let Some(server) = &mut life.server {
                    for path in [Path::Value, Path::Page] {
                        server.change(path, exists, &mut life.endpoint, &mut around.ledger, around.now);
                    }
                }
            });
        }
    }

    /// Observations end, every second one without a word, and what was not answered is.
    fn end_everything(&mut self) {
        self.around.history.note(self.around.now, format_args!("the end"));
        for node in &mut self.nodes {
            node.act(&mut self.around, |life, around| {
                let open: Vec<_> = life.client.open().collect();
                let Life { endpoint, server, .. } = life;
                for (handle, number) in open {
                    if number % 2 == 0 {
                        client::cancel(handle, number, endpoint, &mut around.ledger, around.now);
                    } else {
                        client::deregister(handle, number, endpoint, &mut around.ledger, around.now);
                    }
                }
                if let Some(server) = server {
                    server.repent(endpoint, &mut around.ledger, around.now);
                }
            });
        }
        self.run_for(Duration::from_secs(60));
        // Who is told of a change and has forgotten what it observes says so.
        self.change_everything(true);
    }

    /// Nothing is remembered of anybody.
    fn check_rest(&mut self) {
        for (index, node) in self.nodes.iter().enumerate() {
            let gauges = node.life().map(|life| life.endpoint.gauges()).unwrap_or_default();
            if gauges != Gauges::default() {
                let now = self.around.now;
                self.around.ledger.fault(now, format_args!("in the end node {index} still holds {gauges:?}"));
            }
        }
    }
}

/// What a node does with its endpoint.
fn use_endpoint(life: &mut Life, op: &Op, around: &mut Surroundings) {
    let Surroundings { ledger, now, .. } = around;
    let Life { endpoint, client, server, .. } = life;
    match op {
        Op::Ask(ask) => client.ask(*ask, endpoint, ledger, *now),
        Op::Ping(node) => client.ping(*node, endpoint, ledger, *now),
        Op::Cancel => client.cancel_any(endpoint, ledger, *now),
        Op::Deregister => client.deregister_any(endpoint, ledger, *now),
        Op::Change(path) => {
            if let Some(server) = server {
                server.change(*path, true, endpoint, ledger, *now);
            }
        }
        Op::Withdraw(..) | Op::Restart(_) | Op::Part(..) => {}
    }
}
