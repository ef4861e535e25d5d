//! What is around the broker: its side of the connections, its storage, the answers to its questions, and its crashes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use machine::{Instant, Random};
use mqtt_core::{
    Action, Admission, Answer, Broker, Config, ConnectionId, Counters, Gauges, Input, Question, QuestionId,
    Record, RecordNumber,
};

use super::scenario::{Crash, Faults};
use crate::agenda::Agenda;
use crate::contract;
use crate::history::History;
use crate::net::{Event, LinkId, Network, Side};

/// How long a connection that is to be closed may take to get its last output away.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Payloads of this size may be kept by an output alone.
const LARGE: usize = 1024;
/// The last packets that still fit into an output make it a little larger than its limit.
const MARGIN: usize = 4096;

#[derive(Debug)]
pub(crate) struct Host {
    /// `None` while it is down.
    broker: Option<Broker>,
    config: Config,
    faults: Faults,
    random: Random,
    connections: BTreeMap<LinkId, ConnectionId>,
    links: BTreeMap<ConnectionId, LinkId>,
    /// Connections that are to be closed once their output is away.
    closing: BTreeSet<LinkId>,
    agenda: Agenda<Due>,
    storage: Storage,
    /// Records emitted.
    pub(crate) emitted: usize,
    pub(crate) crashes: Vec<Instant>,
    /// How many records were not durable at each crash.
    pub(crate) lags: Vec<usize>,
    pub(crate) problems: Vec<String>,
}

#[derive(Debug)]
enum Due {
    Answer(QuestionId, Answer),
    Durable(usize),
    Close(LinkId),
    Restart,
}

/// What survives a crash.
#[derive(Debug, Default)]
struct Storage {
    records: Vec<Record>,
    /// How many of them are certain to survive.
    durable: usize,
    /// How many were there when the broker started.
    base: usize,
    busy_until: Option<Instant>,
}

impl Host {
    pub(crate) fn new(config: Config, faults: Faults, random: Random, now: Instant) -> Self {
        let mut host = Self {
            broker: None,
            config,
            faults,
            random,
            connections: BTreeMap::new(),
            links: BTreeMap::new(),
            closing: BTreeSet::new(),
            agenda: Agenda::default(),
            storage: Storage::default(),
            emitted: 0,
            crashes: Vec::new(),
            lags: Vec::new(),
            problems: Vec::new(),
        };
        host.start(now);
        host
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let broker = self.broker.as_ref().and_then(Broker::next_deadline).map(|at| at + self.faults.lateness);
        broker.into_iter().chain(self.agenda.next_deadline()).min()
    }

    /// Does what is due.
    pub(crate) fn wake(&mut self, network: &mut Network, history: &mut History, now: Instant) {
        let lateness = self.faults.lateness;
        let is_due = |broker: &&mut Broker| broker.next_deadline().is_some_and(|at| at + lateness <= now);
        if let Some(broker) = self.broker.as_mut().filter(is_due) {
            for action in contract::tick(broker, now) {
                self.act(action, network, history, now);
            }
            self.drain(network, history, now);
        }
        while let Some(due) = self.agenda.pop(now) {
            match due {
                Due::Answer(question, answer) => self.input(Input::Answer { question, answer }, now),
                Due::Durable(count) => {
                    self.storage.durable = count;
                    let up_to = RecordNumber((count - self.storage.base) as u64);
                    self.input(Input::Durable { up_to }, now);
                }
                Due::Close(link) => self.close(link, network, now),
                Due::Restart => self.start(now),
            }
            self.drain(network, history, now);
        }
    }

    /// Something happened to a connection.
    pub(crate) fn on(&mut self, event: Event, network: &mut Network, history: &mut History, now: Instant) {
        match event {
            Event::Opened(link) => match self.broker.as_mut().map(|broker| broker.open(now)) {
                Some(Ok(connection)) => {
                    self.connections.insert(link, connection);
                    self.links.insert(connection, link);
                }
                Some(Err(refused)) => self.problems.push(format!("{now:?} {refused}")),
                None => network.close(link, Side::Accepted, now),
            },
            Event::Readable(link, _) => self.read(link, network, now),
            Event::Writable(link, _) => self.write(link, network, now),
            Event::Closed(link, _) => self.closed(link, now),
        }
        self.drain(network, history, now);
    }

    /// Nothing but records survives; the broker is back after a while.
    pub(crate) fn crash(
        &mut self,
        survive: usize,
        network: &mut Network,
        history: &mut History,
        now: Instant,
    ) {
        if self.broker.take().is_none() {
            return;
        }
        let Storage { records, durable, .. } = &mut self.storage;
        self.lags.push(records.len() - *durable);
        records.truncate(*durable + survive);
        *durable = records.len();
        history.note(now, format_args!("broker: crash, {} records survive", records.len()));
        self.crashes.push(now);
        for link in std::mem::take(&mut self.connections).into_keys() {
            network.cut(link, now);
        }
        self.links.clear();
        self.closing.clear();
        self.agenda.clear();
        let downtime = self.random.between(Duration::ZERO, self.faults.downtime);
        self.agenda.schedule(now + downtime, Due::Restart);
    }

    /// As [`crash`](Self::crash); what survives is drawn.
    pub(crate) fn crash_by_chance(&mut self, network: &mut Network, history: &mut History, now: Instant) {
        let lag = self.storage.records.len() - self.storage.durable;
        let survive = self.random.below(lag as u64 + 1) as usize;
        self.crash(survive, network, history, now);
    }

    pub(crate) fn gauges(&self) -> Gauges {
        self.broker.as_ref().map(Broker::gauges).unwrap_or_default()
    }

    pub(crate) fn counters(&self) -> Counters {
        self.broker.as_ref().map(|broker| *broker.counters()).unwrap_or_default()
    }

    /// Stored messages are shared with the broker: without them it has what it holds itself.
    pub(crate) fn forget_records(&mut self) {
        self.storage.records.clear();
    }

    fn start(&mut self, now: Instant) {
        let mut seed = [0; 32];
        self.random.fill(&mut seed);
        let mut broker = Broker::new(self.config.clone(), seed, now);
        self.storage.base = self.storage.records.len();
        if let Err(refused) = broker.restore(self.storage.records.iter().cloned(), now) {
            self.problems.push(format!("{now:?} restore: {refused}"));
        }
        self.broker = Some(broker);
    }

    fn input(&mut self, input: Input<'_>, now: Instant) {
        if let Some(broker) = &mut self.broker {
            broker.handle(input, now);
        }
    }

    fn read(&mut self, link: LinkId, network: &mut Network, now: Instant) {
        let (Some(broker), Some(&connection)) = (&mut self.broker, self.connections.get(&link)) else {
            return;
        };
        let bytes = network.peek(link, Side::Accepted);
        if !bytes.is_empty() {
            let taken = broker.handle(Input::Bytes { connection, bytes }, now);
            network.read(link, Side::Accepted, taken, now);
        }
    }

    fn write(&mut self, link: LinkId, network: &mut Network, now: Instant) {
        let (Some(broker), Some(&connection)) = (&mut self.broker, self.connections.get(&link)) else {
            return;
        };
        loop {
            let bytes = network.write(link, Side::Accepted, broker.output(connection), now);
            if bytes == 0 {
                break;
            }
            broker.handle(Input::Sent { connection, bytes }, now);
        }
        let waiting: usize = broker.output(connection).map(<[u8]>::len).sum();
        if waiting > 3 * self.config.output_high_water + MARGIN {
            self.problems.push(format!("{now:?} {waiting} bytes of output wait"));
        }
        if waiting == 0 && self.closing.contains(&link) {
            self.close(link, network, now);
        }
    }

    fn close(&mut self, link: LinkId, network: &mut Network, now: Instant) {
        if self.closing.contains(&link) {
            network.close(link, Side::Accepted, now);
            self.closed(link, now);
        }
    }

    fn closed(&mut self, link: LinkId, now: Instant) {
        self.closing.remove(&link);
        if let Some(connection) = self.connections.remove(&link) {
            self.links.remove(&connection);
            self.input(Input::Closed { connection }, now);
        }
    }

    fn drain(&mut self, network: &mut Network, history: &mut History, now: Instant) {
        while let Some(action) = self.broker.as_mut().and_then(Broker::poll_action) {
            self.act(action, network, history, now);
        }
        self.check_bounds(now);
    }

    /// What is stored stays within the limits, whoever reads nothing or stays away.
    fn check_bounds(&mut self, now: Instant) {
        let Some(broker) = &self.broker else { return };
        let (config, gauges) = (&self.config, broker.gauges());
        if gauges.memory > config.max_memory as u64 {
            self.problems.push(format!("{now:?} {} bytes in use", gauges.memory));
        }
        let of_session = u64::from(config.queue.messages) + u64::from(config.max_inflight);
        let of_output = (config.output_high_water / LARGE + 1) as u64;
        let most = gauges.sessions * of_session + gauges.retained + gauges.connections * (1 + of_output);
        // With records, what they mention is still in memory here.
        if gauges.messages > most && !config.durable {
            self.problems.push(format!("{now:?} {} messages stored, {most} are allowed", gauges.messages));
        }
    }

    fn act(&mut self, action: Action, network: &mut Network, history: &mut History, now: Instant) {
        history.note(now, format_args!("broker: {action:?}"));
        match action {
            Action::Output(connection) => {
                if let Some(&link) = self.links.get(&connection) {
                    self.write(link, network, now);
                }
            }
            Action::Close { connection, .. } => {
                if let Some(&link) = self.links.get(&connection) {
                    self.closing.insert(link);
                    self.agenda.schedule(now + LAST_WORDS, Due::Close(link));
                    self.write(link, network, now);
                }
            }
            Action::Resume(connection) => {
                if let Some(&link) = self.links.get(&connection) {
                    self.read(link, network, now);
                }
            }
            Action::Ask { question, about, .. } => {
                let answer = match about {
                    Question::Connect(_) => {
                        Answer::Admit(Admission { checks: self.config.ask.checks, authentication_data: None })
                    }
                    _ => Answer::Allow,
                };
                let at = now + self.random.between(Duration::ZERO, self.faults.answers);
                self.agenda.schedule(at, Due::Answer(question, answer));
            }
            Action::Record { number, record } => self.store(number, record, network, history, now),
            Action::Connected { .. } => {}
        }
    }

    fn store(
        &mut self,
        number: RecordNumber,
        record: Record,
        network: &mut Network,
        history: &mut History,
        now: Instant,
    ) {
        if self.broker.is_none() {
            return;
        }
        self.emitted += 1;
        let storage = &mut self.storage;
        storage.records.push(record);
        let count = storage.records.len();
        if number.0 != (count - storage.base) as u64 {
            self.problems.push(format!("{now:?} record {number:?} is not the next"));
        }
        if let Crash::AtRecord { record, survive } = self.faults.crash
            && record == self.emitted
        {
            return self.crash(survive, network, history, now);
        }
        let done = now + self.random.between(Duration::ZERO, self.faults.storage);
        let done = storage.busy_until.map_or(done, |busy| busy.max(done));
        storage.busy_until = Some(done);
        self.agenda.schedule(done, Due::Durable(count));
    }
}
