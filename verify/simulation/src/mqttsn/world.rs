//! Lets a scenario happen.

use std::collections::BTreeSet;
use std::time::Duration;

use machine::{Instant, Random};
use mqttsn_codec::QoS;
use mqttsn_core::client::State;
use mqttsn_core::gateway::Counters;

use super::client::Node;
use super::generate::{FILTERS, TOPICS};
use super::ledger::Ledger;
use super::scenario::{Op, Scenario};
use super::{Address, forwarder, gateway, guarantees, server};
use crate::agenda::Agenda;
use crate::history::History;
use crate::net;
use crate::net::datagram::{Arrival, Fates, Network, Weather};

/// When a run begins: not at the epoch, so that nothing can lean on it.
const START: Instant = Instant::from_micros(1_000_000_000);
/// A run that takes more steps than this is going in circles.
const MOST_STEPS: u32 = 200_000;
/// How long, in a calm, the last request takes at the most: several congested gateways, and as many back-offs.
const BOUND: Duration = Duration::from_secs(1200);
/// How long until a connection to the broker is there again, and all subscriptions are made.
const SETTLING: Duration = Duration::from_secs(150);
/// How long a message takes in a calm, at the most.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long until nobody is remembered.
const OBLIVION: Duration = Duration::from_secs(2 * 3600);

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
    /// The counters of all gateways, one for each time that one was started.
    pub counters: Vec<Counters>,
    /// What the guarantees said that had to be: pairs of messages and subscribers.
    pub obligations: guarantees::Obligations,
}

/// What all share.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) now: Instant,
    pub(crate) datagrams: Network<Address>,
    pub(crate) streams: net::Network,
    pub(crate) ledger: Ledger,
    pub(crate) history: History,
    /// How many clients there are.
    pub(crate) clients: usize,
    /// How many filters there are.
    pub(crate) filters: usize,
}

/// Lets a scenario happen, and checks it.
pub fn run(scenario: &Scenario) -> Outcome {
    let mut world = World::new(scenario);
    world.run_until(START + scenario.calm_at);
    world.calm();
    world.come_to_rest();
    world.run_for(SETTLING);
    // The first message may find that a client has forgotten a topic id: one with QoS 0 is lost then.
    world.probe();
    let probes = world.probe();
    let counters = world.counters();
    let (mut problems, obligations) =
        guarantees::check(&world.around.ledger, scenario, &counters, world.around.datagrams.fates());
    problems.extend(guarantees::check_probes(&world.around.ledger, &probes));
    world.end_everything();
    let counters = world.counters();
    let Surroundings { mut ledger, history, datagrams, .. } = world.around;
    problems.append(&mut ledger.faults);
    let fates = *datagrams.fates();
    Outcome { problems, history: history.text().to_owned(), fates, counters, obligations, ledger }
}

struct World {
    around: Surroundings,
    nodes: Vec<Node>,
    gateways: Vec<gateway::Host>,
    forwarder: forwarder::Host,
    server: server::Host,
    agenda: Agenda<Due>,
    steps: u32,
}

#[derive(Clone, Copy)]
enum Due {
    Op(Op),
    Start(usize),
    /// The broker can be reached again.
    Reach(usize),
    Mend(Address, Address),
}

impl World {
    fn new(scenario: &Scenario) -> Self {
        let mut random = Random::from_u64(scenario.seed);
        let mut fork = || Random::from_u64(random.next_u64());
        let connections = vec![Vec::new(); scenario.clients.len()];
        let asked = vec![BTreeSet::new(); scenario.clients.len()];
        let mut ledger = Ledger { connections, asked, ..Ledger::default() };
        let mut streams = net::Network::new(scenario.upstream, fork());
        let server = server::Host::new(fork(), &mut streams, &mut ledger, START);
        let mut datagrams = Network::new(scenario.weather, fork());
        datagrams.found(Address::GROUP);
        let mut around = Surroundings {
            now: START,
            datagrams,
            streams,
            ledger,
            history: History::new(scenario.trace),
            clients: scenario.clients.len(),
            filters: FILTERS.len(),
        };
        let mut gateways = Vec::new();
        for (index, spec) in scenario.gateways.iter().enumerate() {
            around.datagrams.join(Address::GROUP, Address::gateway(index));
            gateways.push(gateway::Host::new(spec.clone(), index, fork(), &mut around));
        }
        let mut nodes = Vec::new();
        for index in 0..scenario.clients.len() {
            nodes.push(Node::new(scenario, index, fork(), &mut around));
        }
        let mut agenda = Agenda::default();
        for (at, op) in &scenario.ops {
            agenda.schedule(START + *at, Due::Op(*op));
        }
        let forwarder = forwarder::Host::new(START);
        Self { around, nodes, gateways, forwarder, server, agenda, steps: 0 }
    }

    fn run_for(&mut self, span: Duration) {
        self.run_until(self.around.now + span);
    }

    fn run_until(&mut self, end: Instant) {
        while self.steps < MOST_STEPS {
            let Some(next) = self.next_deadline().filter(|next| *next <= end) else {
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

    fn next_deadline(&self) -> Option<Instant> {
        let nodes = self.nodes.iter().filter_map(Node::next_deadline);
        let gateways = self.gateways.iter().filter_map(gateway::Host::next_deadline);
        let others = [
            self.around.datagrams.next_deadline(),
            self.around.streams.next_deadline(),
            self.agenda.next_deadline(),
            self.server.next_deadline(),
        ];
        nodes.chain(gateways).chain(others.into_iter().flatten()).min()
    }

    /// All that is due now.
    fn step(&mut self) {
        let now = self.around.now;
        while let Some(arrival) = self.around.datagrams.poll(now) {
            self.arrive(&arrival);
        }
        while let Some(event) = self.around.streams.poll(now) {
            self.on_stream(event);
        }
        while let Some(due) = self.agenda.pop(now) {
            self.happen(due);
        }
        for node in &mut self.nodes {
            node.wake(&mut self.around);
        }
        for gateway in &mut self.gateways {
            if gateway.next_deadline().is_some_and(|at| at <= now) {
                gateway.wake(&mut self.around);
            }
        }
        if self.server.next_deadline().is_some_and(|at| at <= now) {
            let Surroundings { streams, ledger, .. } = &mut self.around;
            self.server.wake(streams, ledger, now);
        }
    }

    fn arrive(&mut self, arrival: &Arrival<Address>) {
        let around = &mut self.around;
        if arrival.receiver == Address::FORWARDER {
            self.forwarder.receive(arrival, &mut around.datagrams, around.now);
            if self.forwarder.nodes() > around.clients + around.ledger.moves {
                around.ledger.fault(around.now, "the forwarder knows too many nodes");
            }
        } else if let Some(index) = arrival.receiver.as_gateway() {
            self.gateways[index].receive(arrival, around);
        } else if let Some(node) = self.nodes.iter_mut().find(|node| node.address() == arrival.receiver) {
            node.receive(arrival, around);
        }
    }

    fn on_stream(&mut self, event: net::Event) {
        let now = self.around.now;
        match event {
            net::Event::Readable(link, net::Side::Dialled)
            | net::Event::Writable(link, net::Side::Dialled)
            | net::Event::Closed(link, net::Side::Dialled) => {
                if let Some(gateway) = self.gateways.iter_mut().find(|gateway| gateway.has(link)) {
                    gateway.on(event, &mut self.around);
                }
            }
            _ => {
                let Surroundings { streams, ledger, .. } = &mut self.around;
                self.server.on(event, streams, ledger, now);
            }
        }
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Op(op) => self.perform(op),
            Due::Start(gateway) => self.start(gateway),
            Due::Reach(gateway) => self.gateways[gateway].outage = false,
            Due::Mend(from, to) => self.around.datagrams.mend(from, to),
        }
    }

    fn perform(&mut self, op: Op) {
        let now = self.around.now;
        self.around.history.note(now, format_args!("{op:?}"));
        let around = &mut self.around;
        match op {
            Op::Publish(client, topic, qos) => self.nodes[client].publish(topic, qos, around),
            Op::PublishMinusOne(client, topic, to) => {
                self.nodes[client].publish_minus_one(topic, to, around);
            }
            Op::PublishAtBroker(topic, qos) => _ = self.publish(topic, qos),
            Op::Subscribe(client, topic, qos) => self.nodes[client].subscribe(topic, qos, around),
            Op::Unsubscribe(client, topic) => self.nodes[client].unsubscribe(topic, around),
            Op::Sleep(client, seconds) => self.nodes[client].sleep(seconds, around),
            Op::Check(client) => self.nodes[client].check(around),
            Op::Connect(client) => self.nodes[client].connect(around),
            Op::Disconnect(client) => self.nodes[client].disconnect(around),
            Op::Move(client) => self.nodes[client].change_address(around),
            Op::Restart(gateway, downtime, in_order) => {
                self.gateways[gateway].stop(in_order, around);
                self.agenda.schedule(now + downtime, Due::Start(gateway));
            }
            Op::RestartForwarder => self.forwarder = forwarder::Host::new(now),
            Op::CutUpstream(gateway) => self.gateways[gateway].cut(around),
            Op::Outage(gateway, span) => {
                self.gateways[gateway].outage = true;
                self.gateways[gateway].cut(around);
                self.agenda.schedule(now + span, Due::Reach(gateway));
            }
            Op::Part(client, gateway, span, both) => {
                let (here, there) = (self.nodes[client].address(), Address::gateway(gateway));
                let directions = [(here, there), (there, here)];
                for (from, to) in directions.into_iter().take(if both { 2 } else { 1 }) {
                    around.datagrams.cut(from, to);
                    self.agenda.schedule(now + span, Due::Mend(from, to));
                }
            }
        }
    }

    fn publish(&mut self, topic: &'static str, qos: QoS) -> usize {
        let Surroundings { streams, ledger, now, .. } = &mut self.around;
        self.server.publish(topic, qos, streams, ledger, *now)
    }

    fn start(&mut self, index: usize) {
        if !self.gateways[index].is_up() {
            let now = self.around.now;
            self.around.history.note(now, format_args!("gateway {index} begins anew"));
            self.around.ledger.restarts.push((index, now));
            self.gateways[index].start(&mut self.around);
        }
    }

    /// Nothing goes wrong any more, and everybody is to be connected.
    fn calm(&mut self) {
        self.around.history.note(self.around.now, format_args!("calm"));
        self.agenda.clear();
        // Not so fair that much would happen while something from before is still on its way.
        let latency = (Duration::from_millis(20), Duration::from_millis(20));
        self.around.datagrams.calm(Weather { latency, ..Weather::FAIR });
        self.around.streams.calm(net::Weather::FAIR);
        for index in 0..self.gateways.len() {
            self.gateways[index].outage = false;
            self.start(index);
        }
        for node in &mut self.nodes {
            node.connect(&mut self.around);
        }
    }

    /// Until nobody waits for anything; for so long at the most.
    fn come_to_rest(&mut self) {
        let end = self.around.now + BOUND;
        let is_busy = |world: &Self| {
            let node = |node: &Node| node.state() != State::Active || node.waits_for() > 0;
            world.nodes.iter().any(node)
                || (world.gateways.len() == 1 && world.gateways[0].gauges().buffered > 0)
        };
        while is_busy(self) && self.around.now < end {
            self.run_for(Duration::from_secs(20));
        }
        if is_busy(self) {
            let nodes: Vec<_> = self.nodes.iter().map(|node| (node.state(), node.waits_for())).collect();
            let gateways: Vec<_> = self.gateways.iter().map(|host| host.gauges().buffered).collect();
            let what = format!("clients wait: {nodes:?}; bytes wait at gateways: {gateways:?}");
            self.around.ledger.fault(self.around.now, what);
        }
    }

    /// A message about every topic, one after the other: the smallest queue has room for one.
    fn probe(&mut self) -> Vec<usize> {
        let mut probes = Vec::new();
        for topic in TOPICS {
            probes.push(self.publish(topic.name(), QoS::AtLeastOnce));
            self.run_for(PATIENCE);
        }
        probes
    }

    /// Everybody takes back what he asked for, and goes: after a while nothing is left of anybody.
    fn end_everything(&mut self) {
        self.around.history.note(self.around.now, format_args!("the end"));
        for node in &mut self.nodes {
            for filter in FILTERS {
                node.unsubscribe(filter, &mut self.around);
            }
        }
        self.run_for(PATIENCE);
        for number in self.probe() {
            let received = &self.around.ledger.messages[number].received;
            if !received.is_empty() {
                let what = format!("{number} comes without a subscription: {received:?}");
                self.around.ledger.fault(self.around.now, what);
            }
        }
        for node in &mut self.nodes {
            node.disconnect(&mut self.around);
        }
        self.run_for(OBLIVION);
        for host in &self.gateways {
            let gauges = host.gauges();
            let rest = [gauges.clients, gauges.active, gauges.asleep, gauges.buffered, gauges.filters];
            if rest != [0; 5] {
                self.around.ledger.fault(self.around.now, format_args!("in the end there is {gauges:?}"));
            }
        }
        let gauges = self.server.gauges();
        let sessions = 1 + self.gateways.len() as u64;
        if gauges.sessions > sessions || gauges.messages > 0 {
            self.around.ledger.fault(self.around.now, format_args!("in the end the broker has {gauges:?}"));
        }
    }

    fn counters(&self) -> Vec<Counters> {
        self.gateways.iter().flat_map(gateway::Host::counters).collect()
    }
}
