//! A whole broker as one state machine.
//!
//! The way of a PUBLISH: [`receive`] frames and decodes it, [`publish`] applies the rules for what clients send,
//! [`deliver`] asks [`routing`] who gets it and puts it into their outputs ([`encoder`], [`output`](crate::output)) or their queues
//! ([`queue`]); [`acknowledge`] hears what becomes of it. [`connect`], [`close`] and [`session`] are about who is there,
//! [`question`] about what the host decides, [`journal`](crate::journal) and [`restore`] about what survives.

mod acknowledge;
mod authenticate;
mod close;
mod connect;
mod connection;
mod deliver;
mod encoder;
mod phase;
mod publish;
mod question;
mod queue;
mod receive;
mod restore;
mod retained;
mod routing;
mod session;
mod shared_group;
mod subscribe;
mod subscriber;
mod sys;
mod time;
mod write;

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use machine::{Deadlines, Instant, Random};
use mqtt_codec::ReasonCode;
use slab::Slab;
use topic_match::{FilterLimits, TopicName};

use self::connection::Connection;
use self::encoder::Encoder;
use self::retained::Retained;
use self::routing::Routing;
use self::session::Sessions;
use self::subscriber::SessionKey;
use self::sys::Sys;
use self::time::Timer;
use crate::action::{Action, CloseReason};
use crate::budget::Budget;
use crate::config::Config;
use crate::counters::{Counters, Gauges};
use crate::error::Refused;
use crate::input::{ConnectionId, Input, Publication};
use crate::journal::Journal;
use crate::output::{Output, Pool};
use crate::records::{Change, Record};

/// An MQTT broker: connections, bytes and time in, [`Action`]s out. See the [crate documentation](crate).
#[derive(Debug)]
pub struct Broker {
    config: Config,
    filter_limits: FilterLimits,
    random: Random,
    connections: Slab<Connection>,
    next_generation: u32,
    sessions: Sessions,
    routing: Routing,
    retained: Retained,
    deadlines: Deadlines<Timer>,
    actions: VecDeque<Action>,
    /// What changes, and the connections whose output waits until that is durable.
    journal: Journal<Change, ConnectionId>,
    budget: Budget,
    counters: Counters,
    sys: Sys,
    encoder: Encoder,
    pool: Pool,
    property_buffer: Vec<u8>,
    /// Connections whose client takes no packet of the size that it must be sent.
    unsendable: Vec<usize>,
    shutting_down: bool,
}

/// The connection has come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ended;

impl Broker {
    /// A broker without connections or sessions. The seed must be unpredictable: it makes assigned client identifiers hard
    /// to guess, and tables that clients fill hard to attack.
    pub fn new(config: Config, seed: [u8; 32], now: Instant) -> Self {
        let mut random = Random::from_seed(seed);
        let mut broker = Self {
            filter_limits: filter_limits(&config),
            connections: Slab::new(),
            next_generation: 0,
            routing: Routing::new(&config, random.next_u64()),
            retained: Retained::new(&config, random.next_u64()),
            sessions: Sessions::new(&mut random),
            deadlines: Deadlines::new(),
            actions: VecDeque::new(),
            journal: Journal::new(config.durable),
            budget: Budget::new(config.max_memory),
            counters: Counters::default(),
            sys: Sys::new(now),
            encoder: Encoder::default(),
            pool: Pool::default(),
            property_buffer: Vec::new(),
            unsendable: Vec::new(),
            shutting_down: false,
            random,
            config,
        };
        broker.publish_sys(now);
        broker
    }

    /// Rebuilds sessions, subscriptions, queues, QoS states, retained messages and wills from the records of an earlier
    /// broker, in their order: all of them, or all up to any one of them.
    ///
    /// # Errors
    /// [`Refused::AlreadyRunning`] when connections were opened or sessions exist.
    pub fn restore(
        &mut self,
        records: impl IntoIterator<Item = Record>,
        now: Instant,
    ) -> Result<(), Refused> {
        if self.next_generation > 0 || self.sessions.len() > 0 {
            return Err(Refused::AlreadyRunning);
        }
        self.replay(records, now);
        Ok(())
    }

    /// A transport connection was accepted.
    ///
    /// # Errors
    /// [`Refused::Full`] at `max_connections`, [`Refused::ShuttingDown`].
    pub fn open(&mut self, now: Instant) -> Result<ConnectionId, Refused> {
        if self.shutting_down {
            return Err(Refused::ShuttingDown);
        }
        if self.connections.len() >= self.config.max_connections as usize {
            self.counters.connections_refused += 1;
            return Err(Refused::Full);
        }
        let entry = self.connections.vacant_entry();
        let index = entry.key();
        let id = ConnectionId { index: index as u32, generation: self.next_generation };
        self.next_generation = self.next_generation.wrapping_add(1);
        entry.insert(Connection::new(id, now));
        self.counters.connections_opened += 1;
        self.deadlines.set(Timer::Connection(index), now + self.config.connect_timeout);
        Ok(id)
    }

    /// Takes an input in; returns how many bytes of [`Input::Bytes`] it took, 0 for all else. An input about a connection
    /// that is gone is ignored, and its bytes are taken.
    pub fn handle(&mut self, input: Input<'_>, now: Instant) -> usize {
        let taken = match input {
            Input::Bytes { connection, bytes } => match self.find(connection) {
                Some(index) => self.receive(index, bytes, now),
                None => bytes.len(),
            },
            Input::Sent { connection, bytes } => {
                self.sent(connection, bytes, now);
                0
            }
            Input::Closed { connection } => {
                self.closed(connection, now);
                0
            }
            Input::Answer { question, answer } => {
                self.answered(question, answer, now);
                0
            }
            Input::Durable { up_to } => {
                self.durable(up_to);
                0
            }
            Input::Tick => {
                self.tick(now);
                0
            }
        };
        self.commit(now);
        taken
    }

    /// The next thing to do, until `None`.
    #[inline]
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When [`Input::Tick`] is due.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.next().into_iter().chain(self.retained.next_expiry()).min()
    }

    /// What of a connection's output may leave now.
    #[inline]
    pub fn output(&self, connection: ConnectionId) -> Output<'_> {
        self.find(connection).map_or(Output::NONE, |index| self.connections[index].outbox.chunks())
    }

    /// Publishes a message that comes from elsewhere than a connection.
    ///
    /// # Errors
    /// [`Refused::InvalidTopic`]; [`Refused::InvalidProperties`]; [`Refused::Full`] when the memory limit is reached:
    /// nobody got the message then.
    pub fn publish(&mut self, publication: &Publication<'_>, now: Instant) -> Result<(), Refused> {
        let mut properties = Vec::new();
        let draft = publication.draft(&mut properties, now)?;
        TopicName::assume_valid(draft.topic).check(&self.filter_limits).map_err(|_| Refused::InvalidTopic)?;
        let routed = self.route(&draft, None, None, now);
        self.commit(now);
        routed.map(drop).map_err(|_| {
            self.counters.dropped_memory += 1;
            Refused::Full
        })
    }

    /// Ends a connection; its will stands.
    ///
    /// # Errors
    /// [`Refused::NoConnection`].
    pub fn disconnect(
        &mut self,
        connection: ConnectionId,
        reason: ReasonCode,
        now: Instant,
    ) -> Result<(), Refused> {
        let index = self.find(connection).ok_or(Refused::NoConnection)?;
        self.end_with_error(index, reason, None, CloseReason::Administrative(reason), now);
        self.commit(now);
        Ok(())
    }

    /// Ends all connections and accepts no more. Sessions stay as they are.
    pub fn shutdown(&mut self, now: Instant) {
        self.shutting_down = true;
        let reason = ReasonCode::SERVER_SHUTTING_DOWN;
        let open: Vec<_> = self.connections.iter().map(|(index, _)| index).collect();
        for index in open {
            self.end_with_error(index, reason, None, CloseReason::Administrative(reason), now);
        }
        self.commit(now);
    }

    /// Changes the configuration. Limits hold for what comes from now on; what was accepted or announced before stays.
    /// `durable` and the limits of the tables of subscriptions and retained messages stay as they were.
    pub fn reconfigure(&mut self, config: Config, now: Instant) {
        self.filter_limits = filter_limits(&config);
        self.budget.set_limit(config.max_memory);
        self.config = Config {
            durable: self.config.durable,
            max_subscriptions: self.config.max_subscriptions,
            max_subscriptions_per_client: self.config.max_subscriptions_per_client,
            max_retained: self.config.max_retained,
            ..config
        };
        self.deadlines.cancel(Timer::Sys);
        self.publish_sys(now);
        self.commit(now);
    }

    /// The configuration in force.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What happened so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What there is right now.
    pub fn gauges(&self) -> Gauges {
        let clients = self.connections.iter().filter(|(_, connection)| connection.session.is_some()).count();
        let (groups, members) = (self.routing.groups.len(), self.routing.groups.members());
        Gauges {
            connections: self.connections.len() as u64,
            clients: clients as u64,
            sessions: self.sessions.len() as u64,
            subscriptions: (self.routing.index.len() - groups + members) as u64,
            shared_subscriptions: members as u64,
            retained: self.retained.len() as u64,
            messages: self.budget.messages() as u64,
            message_bytes: self.budget.message_bytes() as u64,
            memory: self.budget.used() as u64,
        }
    }

    #[inline]
    fn find(&self, id: ConnectionId) -> Option<usize> {
        let index = id.index as usize;
        self.connections.get(index).filter(|connection| connection.id == id).map(|_| index)
    }

    fn closed(&mut self, id: ConnectionId, now: Instant) {
        let Some(index) = self.find(id) else { return };
        self.retire(index);
        let mut connection = self.connections.remove(index);
        connection.outbox.clear(&mut self.pool);
        if let Some(key) = connection.session {
            self.detach(key, true, now);
        }
    }

    /// What an event changed becomes one record; and clients that take no packet of a necessary size are given up.
    #[inline]
    fn commit(&mut self, now: Instant) {
        if !self.unsendable.is_empty() || self.journal.has_changes() {
            self.commit_changes(now);
        }
    }

    fn commit_changes(&mut self, now: Instant) {
        while let Some(index) = self.unsendable.pop() {
            self.finish(index, CloseReason::ClientLimit, true, now);
        }
        if let Some((number, changes)) = self.journal.commit() {
            self.actions.push_back(Action::Record { number, record: Record { changes } });
        }
    }

    fn note_session(&mut self, key: SessionKey, disconnected: Option<Instant>) {
        let session = &mut self.sessions[key];
        session.recorded |= session.expiry > 0;
        self.journal.note(session.recorded, || Change::Session {
            client_id: Arc::clone(&session.client_id),
            version: session.version,
            expiry: session.expiry,
            disconnected,
        });
    }
}

fn filter_limits(config: &Config) -> FilterLimits {
    FilterLimits {
        levels: config.max_topic_levels,
        single_level_wildcards: config.max_filter_wildcards,
        ..FilterLimits::default()
    }
}
