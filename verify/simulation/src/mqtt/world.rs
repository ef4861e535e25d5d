//! Lets a scenario happen.

use std::time::Duration;

use machine::{Instant, Random};
use mqtt_codec::{ProtocolVersion, QoS};
use mqtt_core::Counters;

use super::application::Application;
use super::client::Client;
use super::guarantees;
use super::host::Host;
use super::ledger::Ledger;
use super::participant::Participant;
use super::scenario::{ClientSpec, Crash, Faults, Op, Scenario};
use crate::agenda::Agenda;
use crate::history::History;
use crate::net::{Event, LinkId, Network, Side, Weather};

/// When a run begins: not at the epoch, so that nothing can lean on it.
const START: Instant = Instant::from_micros(1_000_000_000);
/// A run that takes more steps than this is going in circles.
const MOST_STEPS: u32 = 200_000;

/// What became of a run.
#[derive(Debug)]
pub struct Outcome {
    /// What the clients did and saw.
    pub ledger: Ledger,
    /// What should not have happened.
    pub problems: Vec<String>,
    /// What happened, if the scenario asked for it.
    pub history: String,
    /// How many records the broker emitted before everything was ended.
    pub records: usize,
    /// How many records were not durable at each crash.
    pub lags: Vec<usize>,
    /// The broker's counters before the end (since its last start).
    pub counters: Counters,
}

/// Lets a scenario happen, and checks it.
pub fn run(scenario: &Scenario) -> Outcome {
    let mut world = World::new(scenario);
    world.run_until(START + scenario.calm_at);
    world.calm();
    world.run_until(START + scenario.calm_at + scenario.calm);
    let (counters, records) = (world.host.counters(), world.host.emitted);
    world.check(scenario, counters.dropped());
    world.clean_up(scenario);
    world.ledger.crashes.clone_from(&world.host.crashes);
    Outcome {
        problems: world.problems,
        history: world.history.text().to_owned(),
        records,
        lags: world.host.lags,
        counters,
        ledger: world.ledger,
    }
}

struct World {
    now: Instant,
    network: Network,
    host: Host,
    clients: Vec<Box<dyn Participant>>,
    agenda: Agenda<Due>,
    ledger: Ledger,
    history: History,
    problems: Vec<String>,
    steps: u32,
}

enum Due {
    Op(usize, Op),
    Dial(usize),
    Crash,
}

fn participant(spec: &ClientSpec, index: usize, faults: &Faults, random: Random) -> Box<dyn Participant> {
    match spec.application {
        Some(options) => Box::new(Application::new(spec.clone(), options, index, faults, random, START)),
        None => Box::new(Client::new(spec.clone(), index, random)),
    }
}

impl World {
    fn new(scenario: &Scenario) -> Self {
        let mut random = Random::from_u64(scenario.seed);
        let mut fork = || Random::from_u64(random.next_u64());
        let mut agenda = Agenda::default();
        for (at, client, op) in &scenario.ops {
            agenda.schedule(START + *at, Due::Op(*client, op.clone()));
        }
        if let Crash::At(times) = &scenario.faults.crash {
            for at in times {
                agenda.schedule(START + *at, Due::Crash);
            }
        }
        Self {
            now: START,
            network: Network::new(scenario.faults.weather, fork()),
            host: Host::new(scenario.config.clone(), scenario.faults.clone(), fork(), START),
            clients: (0..)
                .zip(&scenario.clients)
                .map(|(index, spec)| participant(spec, index, &scenario.faults, fork()))
                .collect(),
            agenda,
            ledger: Ledger::default(),
            history: History::new(scenario.trace),
            problems: Vec::new(),
            steps: 0,
        }
    }

    fn run_until(&mut self, end: Instant) {
        while self.steps < MOST_STEPS {
            let clients = self.clients.iter().filter_map(|client| client.next_deadline());
            let others =
                [self.network.next_deadline(), self.host.next_deadline(), self.agenda.next_deadline()];
            let Some(next) = clients.chain(others.into_iter().flatten()).min().filter(|next| *next <= end)
            else {
                self.now = end;
                return;
            };
            self.now = self.now.max(next);
            self.steps += 1;
            self.step();
        }
        self.problems.push(format!("{:?} going in circles", self.now));
    }

    /// All that is due now.
    fn step(&mut self) {
        let now = self.now;
        while let Some(event) = self.network.poll(now) {
            match event {
                Event::Opened(_)
                | Event::Readable(_, Side::Accepted)
                | Event::Writable(_, Side::Accepted)
                | Event::Closed(_, Side::Accepted) => {
                    self.host.on(event, &mut self.network, &mut self.history, now);
                }
                Event::Readable(link, Side::Dialled) => self.with_owner(link, Self::read),
                Event::Writable(link, Side::Dialled) => self.with_owner(link, Self::settle),
                Event::Closed(link, Side::Dialled) => self.with_owner(link, |world, client| {
                    world.history.note(now, format_args!("client {client}: connection lost"));
                    world.lost(client);
                }),
            }
        }
        self.host.wake(&mut self.network, &mut self.history, now);
        while let Some(due) = self.agenda.pop(now) {
            match due {
                Due::Op(client, op) => self.perform(client, &op),
                Due::Dial(client) => self.settle(client),
                Due::Crash => self.host.crash_by_chance(&mut self.network, &mut self.history, now),
            }
        }
        for index in 0..self.clients.len() {
            if self.clients[index].next_deadline().is_some_and(|at| at <= now) {
                let reads_again = self.clients[index].wake(now, &mut self.ledger);
                self.settle(index);
                if reads_again {
                    self.read(index);
                }
            }
        }
    }

    fn with_owner(&mut self, link: LinkId, act: impl FnOnce(&mut Self, usize)) {
        if let Some(index) = self.clients.iter().position(|client| client.link() == Some(link)) {
            act(self, index);
        }
    }

    fn read(&mut self, index: usize) {
        let client = &mut self.clients[index];
        let Some(link) = client.link().filter(|_| client.reads()) else { return };
        let bytes = self.network.peek(link, Side::Dialled).to_vec();
        if !bytes.is_empty() {
            self.history.note(self.now, format_args!("client {index} < {}", bytes.escape_ascii()));
            self.network.read(link, Side::Dialled, bytes.len(), self.now);
            client.receive(&bytes, self.now, &mut self.ledger);
        }
        self.settle(index);
    }

    fn perform(&mut self, index: usize, op: &Op) {
        self.history.note(self.now, format_args!("client {index}: {op:?}"));
        let client = &mut self.clients[index];
        let link = client.link();
        client.perform(op, self.now, &mut self.ledger);
        match (op, link) {
            (Op::Drop | Op::Crash, Some(link)) => {
                self.network.cut(link, self.now);
                client.lost(self.now, &mut self.ledger);
            }
            (Op::Clean | Op::Disconnect, Some(link)) => self.hang_up(index, link),
            _ => {}
        }
        self.settle(index);
    }

    /// Writes what a client has to say, closes its connection if it wants none, or makes one if it does.
    fn settle(&mut self, index: usize) {
        let (now, client) = (self.now, &mut self.clients[index]);
        match client.link() {
            None if client.wants_link() => {
                let link = self.network.dial(now);
                client.dialled(link, now, &mut self.ledger);
                self.settle(index);
            }
            None => {}
            Some(link) if client.is_leaving() => {
                self.hang_up(index, link);
                self.settle(index);
            }
            Some(link) => {
                self.flush(index, link);
            }
        }
    }

    fn flush(&mut self, index: usize, link: LinkId) {
        loop {
            let client = &mut self.clients[index];
            let output = client.output();
            if output.is_empty() {
                return;
            }
            let taken = self.network.write(link, Side::Dialled, [output.as_slice()], self.now);
            self.history.note(self.now, format_args!("client {index} > {}", output[..taken].escape_ascii()));
            client.sent(taken, self.now, &mut self.ledger);
            if taken < output.len() {
                return;
            }
        }
    }

    fn hang_up(&mut self, index: usize, link: LinkId) {
        self.flush(index, link);
        self.network.close(link, Side::Dialled, self.now);
        self.clients[index].lost(self.now, &mut self.ledger);
    }

    fn lost(&mut self, index: usize) {
        let client = &mut self.clients[index];
        client.lost(self.now, &mut self.ledger);
        if let Some(patience) = client.patience() {
            self.agenda.schedule(self.now + patience, Due::Dial(index));
        }
    }

    /// Nothing goes wrong any more, and everybody connects.
    fn calm(&mut self) {
        self.network.calm(Weather::FAIR);
        for index in 0..self.clients.len() {
            self.perform(index, &Op::Connect);
        }
    }

    fn check(&mut self, scenario: &Scenario, dropped: u64) {
        self.ledger.crashes.clone_from(&self.host.crashes);
        for (client, index) in self.clients.iter().zip(0..) {
            if !client.is_idle() {
                self.problems.push(format!("client {index} is not done: {client:?}"));
            }
        }
        self.problems.append(&mut self.ledger.faults);
        self.problems.extend(guarantees::check(&self.ledger, scenario, dropped, self.now));
    }

    /// Looks at the retained messages and clears them, ends all sessions: then nothing must be left.
    fn clean_up(&mut self, scenario: &Scenario) {
        let probe = self.clients.len();
        let spec = ClientSpec { expiry: 0, ..ClientSpec::persistent("probe", ProtocolVersion::V5) };
        self.clients.push(Box::new(Client::new(spec, probe, Random::from_u64(scenario.seed))));
        self.perform(probe, &Op::Connect);
        self.perform(probe, &Op::Subscribe("#".into(), QoS::ExactlyOnce));
        self.run_until(self.now + Duration::from_secs(2));
        self.problems.extend(guarantees::check_retained(&self.ledger, probe));

        for topic in guarantees::retained_topics(&self.ledger) {
            self.perform(probe, &Op::ClearRetained(topic));
        }
        for (client, spec) in scenario.clients.iter().enumerate() {
            if spec.application.is_some() {
                // The model ends its session in its place.
                self.perform(client, &Op::Disconnect);
                let random = Random::from_u64(scenario.seed);
                self.clients[client] = Box::new(Client::new(spec.clone(), client, random));
            }
        }
        for client in 0..=probe {
            self.run_until(self.now + Duration::from_secs(1));
            self.perform(client, &Op::Clean);
        }
        self.run_until(self.now + Duration::from_secs(5));
        self.host.forget_records();
        let gauges = self.host.gauges();
        if gauges != mqtt_core::Gauges::default() {
            self.problems.push(format!("in the end there is still {gauges:?}"));
        }
        self.problems.append(&mut self.ledger.faults);
        self.problems.append(&mut self.host.problems);
    }
}
