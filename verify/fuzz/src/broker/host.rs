//! A host that does what the broker says, looks at all that it says, and is itself not always well-behaved.

use core::fmt::Debug;
use std::hash::{DefaultHasher, Hash, Hasher};

use machine::Instant;
use mqtt_core::{
    Action, Answer, Broker, Config, ConnectionId, Counters, Gauges, Input, Question, QuestionId, Record,
    RecordNumber,
};

use super::peer::{OpenQuestion, Peer};

pub(super) struct Host {
    pub(super) broker: Broker,
    pub(super) now: Instant,
    pub(super) peers: Vec<Peer>,
    /// Connections that are closed, and questions that are settled or not even asked here.
    pub(super) gone: Vec<ConnectionId>,
    pub(super) old_questions: Vec<QuestionId>,
    pub(super) records: Vec<Record>,
    /// The number of the last record of this broker.
    pub(super) recorded: u64,
    seed: u8,
    durable: bool,
    /// The largest memory limit that this broker has had.
    memory: usize,
    before: Counters,
    /// Everything that came out, for comparison with another run.
    history: DefaultHasher,
}

impl Host {
    pub(super) fn new(config: Config, seed: u8) -> Self {
        let now = Instant::from_micros(1_000_000);
        let (memory, durable) = (config.max_memory, config.durable);
        let mut host = Self {
            broker: Broker::new(config, [seed; 32], now),
            now,
            peers: Vec::new(),
            gone: Vec::new(),
            old_questions: Vec::new(),
            records: Vec::new(),
            recorded: 0,
            seed,
            durable,
            memory,
            before: Counters::default(),
            history: DefaultHasher::new(),
        };
        host.settle();
        host
    }

    /// The broker crashes; another one starts with all records, or with all up to any one.
    pub(super) fn restart(&mut self, records: usize) {
        self.records.truncate(records);
        self.broker = Broker::new(self.broker.config().clone(), [self.seed; 32], self.now);
        self.memory = self.broker.config().max_memory;
        // The new broker's numbers begin anew.
        self.peers.clear();
        self.gone.clear();
        self.old_questions.clear();
        self.recorded = 0;
        self.before = Counters::default();
        let restored = self.broker.restore(self.records.clone(), self.now);
        assert_eq!(restored, Ok(()));
        self.settle();
    }

    pub(super) fn reconfigure(&mut self, config: Config) {
        self.memory = self.memory.max(config.max_memory);
        self.broker.reconfigure(config, self.now);
        self.settle();
    }

    pub(super) fn open(&mut self) {
        let full = self.peers.len() >= self.broker.config().max_connections as usize;
        match self.broker.open(self.now) {
            Ok(id) => {
                assert!(!full && !self.gone.contains(&id) && self.peers.iter().all(|peer| peer.id != id));
                assert!(self.peers.iter().all(|peer| peer.id.index() != id.index()));
                self.peers.push(Peer::new(id));
            }
            Err(refused) => assert!(full, "{refused}"),
        }
        self.settle();
    }

    /// Bytes arrive; when earlier ones still wait, they do as well. `patient`: as the broker asks for.
    pub(super) fn receive(&mut self, peer: usize, bytes: &[u8], patient: bool) {
        let peer_state = &mut self.peers[peer];
        peer_state.sends(bytes);
        let waits = !peer_state.kept.is_empty();
        peer_state.kept.extend_from_slice(bytes);
        if !(waits && patient) {
            self.offer(peer);
        }
        self.settle();
    }

    fn offer(&mut self, peer: usize) {
        let peer = &mut self.peers[peer];
        let taken = self.broker.handle(Input::Bytes { connection: peer.id, bytes: &peer.kept }, self.now);
        assert!(taken <= peer.kept.len(), "took more than there was");
        peer.kept.drain(..taken);
    }

    /// Some of a connection's output leaves.
    pub(super) fn write(&mut self, peer: usize, most: usize) {
        let peer = &mut self.peers[peer];
        let mut bytes: Vec<u8> = self.broker.output(peer.id).flatten().copied().collect();
        peer.announced = bytes.len() > most;
        bytes.truncate(most);
        let input = Input::Sent { connection: peer.id, bytes: bytes.len() };
        assert_eq!(self.broker.handle(input, self.now), 0);
        bytes.hash(&mut self.history);
        peer.receives(&bytes);
        self.settle();
    }

    pub(super) fn close(&mut self, peer: usize) {
        let peer = self.peers.swap_remove(peer);
        self.handle(Input::Closed { connection: peer.id });
        assert_eq!(self.broker.output(peer.id).count(), 0);
        self.old_questions.extend(peer.questions.iter().map(|question| question.id));
        self.gone.push(peer.id);
    }

    pub(super) fn answer(&mut self, question: QuestionId, answer: Answer) {
        for peer in &mut self.peers {
            peer.questions.retain(|open| open.id != question);
        }
        self.old_questions.push(question);
        self.handle(Input::Answer { question, answer });
    }

    /// An input that is no bytes.
    pub(super) fn handle(&mut self, input: Input<'_>) {
        assert_eq!(self.broker.handle(input, self.now), 0);
        self.settle();
    }

    /// Time passes; after a tick nothing that is due is left.
    pub(super) fn tick(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.handle(Input::Tick);
        assert!(self.broker.next_deadline().is_none_or(|next| next > self.now), "a deadline is left behind");
    }

    /// Does what the broker says, until it says nothing; then looks at the broker.
    pub(super) fn settle(&mut self) {
        while let Some(action) = self.broker.poll_action() {
            self.note(&action);
            self.obey(action);
        }
        self.check_connections();
        self.check_numbers();
    }

    fn obey(&mut self, action: Action) {
        match action {
            Action::Output(id) => {
                let peer = self.known(id);
                assert!(!peer.announced, "output is announced again before all of it has left");
                peer.announced = true;
                assert!(self.broker.output(id).next().is_some(), "no output after all");
            }
            Action::Close { connection, .. } => {
                let peer = self.known(connection);
                assert!(!peer.closing, "closed twice");
                peer.closing = true;
                let settled = core::mem::take(&mut peer.questions);
                self.old_questions.extend(settled.iter().map(|question| question.id));
            }
            Action::Resume(id) => {
                assert!(!self.known(id).kept.is_empty(), "there is nothing to offer again");
                let peer = self.peers.iter().position(|peer| peer.id == id).expect("known");
                self.offer(peer);
            }
            Action::Ask { question: id, connection, about } => {
                let old = self.old_questions.contains(&id);
                let peer = self.known(connection);
                assert!(!old && !peer.closing && peer.questions.iter().all(|open| open.id != id));
                let about_delivery = matches!(about, Question::Deliver { .. });
                let one_by_one = about_delivery || peer.questions.iter().all(|open| open.about_delivery);
                assert!(one_by_one, "a packet is looked at while the one before waits: {about:?}");
                let about_connection = matches!(about, Question::Connect(_) | Question::Authenticate(_));
                peer.questions.push(OpenQuestion { id, about_delivery, about_connection });
            }
            Action::Connected { connection, .. } => {
                let peer = self.known(connection);
                assert!(!peer.closing && !peer.connected);
                peer.connected = true;
            }
            Action::Record { number, record } => {
                assert!(self.durable, "a record that nobody wants");
                self.recorded += 1;
                assert_eq!(number, RecordNumber(self.recorded), "the numbers have no gaps");
                assert!(!record.changes.is_empty());
                self.records.push(record);
            }
        }
    }

    fn known(&mut self, id: ConnectionId) -> &mut Peer {
        let peer = self.peers.iter_mut().find(|peer| peer.id == id);
        peer.expect("an action about a connection that is gone")
    }

    fn check_connections(&self) {
        for peer in &self.peers {
            let has_output = self.broker.output(peer.id).next().is_some();
            assert_eq!(has_output, peer.announced, "output is announced, and nothing else is");
            let may_wait = !peer.questions.is_empty() || has_output || self.durable;
            assert!(peer.kept.is_empty() || may_wait, "nobody will ever ask for what was not taken");
        }
        let gone = self.gone.iter().all(|id| self.broker.output(*id).next().is_none());
        assert!(gone, "output for nobody");
    }

    fn check_numbers(&mut self) {
        let (config, gauges, counters) = (self.broker.config(), self.broker.gauges(), self.broker.counters());
        // A session that reads retained messages has one place beyond the limit.
        let limit = self.memory as u64 + 96 * gauges.sessions;
        assert!(gauges.memory <= limit, "{gauges:?} with a limit of {}", self.memory);
        assert!(
            gauges.message_bytes <= gauges.memory && (gauges.messages == 0) == (gauges.message_bytes == 0)
        );
        assert_eq!(gauges.connections, self.peers.len() as u64);
        let connected = self.peers.iter().filter(|peer| peer.connected && !peer.closing).count();
        assert_eq!(gauges.clients, connected as u64);
        assert!(gauges.clients <= gauges.sessions);
        assert!(gauges.shared_subscriptions <= gauges.subscriptions && gauges.retained <= gauges.messages);
        assert_eq!(config.durable, self.durable);

        for ((name, before), (_, now)) in self.before.rows().into_iter().zip(counters.rows()) {
            assert!(now >= before, "{name} went from {before} to {now}");
        }
        assert!(counters.dropped() < 1 << 40);
        self.before = *counters;
        self.note(&gauges);
    }

    /// For comparison with another run.
    fn note(&mut self, what: &dyn Debug) {
        format!("{what:?}").hash(&mut self.history);
    }

    pub(super) fn history(&self) -> u64 {
        self.history.finish()
    }

    pub(super) fn gauges(&self) -> Gauges {
        self.broker.gauges()
    }
}
