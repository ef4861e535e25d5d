//! An MQTT client as one state machine: connection, session, messages both ways, subscriptions, reconnection.
//!
//! The host opens and closes one transport connection at a time, as [`Action`]s tell it; the application publishes and
//! subscribes whether or not there is one, and follows each [`Handle`] to its [`Outcome`].
//!
//! [`connect`](self) makes connections and takes leave, `publish` and `acknowledge` send messages, `receive` takes what
//! comes, `subscribe` keeps the subscriptions, `restore` rebuilds a session.

mod acknowledge;
mod authenticate;
mod config;
mod connect;
mod io;
mod keep_alive;
mod phase;
mod publish;
mod receive;
mod records;
mod restore;
mod server;
mod subscribe;
mod subscriptions;
mod timers;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use machine::{Instant, Random};
use mqtt_codec::{Packet, PacketIdentifier};

use self::acknowledge::Unacknowledged;
use self::phase::Phase;
use self::server::Server;
use self::subscribe::Request;
use self::subscriptions::Subscriptions;
use self::timers::{Timer, Timers};
use crate::budget::Budget;
use crate::input::RecordNumber;
use crate::journal::Journal;
use crate::message;
use crate::output::{Outbox, Output, Pool, append};
use crate::property_buffer::PropertyBuffer;
use crate::qos::incoming::Incoming;
use crate::qos::outgoing::{Outgoing, Sent};
use crate::topic_alias::{IncomingAliases, OutgoingAliases};

pub use self::config::{Backoff, Config, Will};
pub use self::io::{Action, DeliveryId, DisconnectReason, DropReason, Handle, Input, Message, Outcome};
pub use self::records::Change;

/// An MQTT client: bytes, time and the application's wishes in, [`Action`]s out.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each holds on its own, whatever the phase")]
pub struct Client {
    config: Config,
    /// The client identifier that the server gave.
    assigned: Option<Box<str>>,
    seed: u64,
    phase: Phase,
    /// The application wants a connection.
    wanted: bool,
    /// Attempts that failed since the last CONNACK.
    failures: u32,
    /// CONNECTs since the last CONNACK.
    unanswered: u32,
    /// A server has named another one: for the next attempt, and for good.
    redirect: Option<Box<str>>,
    moved: Option<Box<str>>,
    /// Why the connection is being closed.
    ending: Option<(DisconnectReason, PropertyBuffer)>,
    /// The server may have a session of an earlier connection.
    established: bool,

    // Of one connection.
    server: Server,
    outbox: Outbox,
    pool: Pool,
    announced: bool,
    partial: Vec<u8>,
    incoming_aliases: IncomingAliases,
    outgoing_aliases: OutgoingAliases,
    reauthenticating: bool,
    last_sent: Instant,

    // Of the session.
    /// Messages that have not been sent.
    queue: VecDeque<Pending>,
    outgoing: Outgoing<Pending>,
    incoming: Incoming,
    /// Messages that the application has not acknowledged, in order of arrival.
    unacknowledged: VecDeque<Unacknowledged>,
    /// SUBSCRIBE and UNSUBSCRIBE packets that have not been sent.
    requests: VecDeque<Request>,
    /// Those that have been, in order.
    requested: Vec<(PacketIdentifier, Request)>,
    subscriptions: Subscriptions,
    next_subscription_identifier: u32,

    actions: VecDeque<Action>,
    timers: Timers,
    journal: Journal<Change, ()>,
    budget: Budget,
    next_handle: u64,
    next_serial: u64,
    next_delivery: u64,
}

/// A message that has not reached its end.
#[derive(Clone, Debug)]
struct Pending {
    handle: Handle,
    message: Arc<message::Message>,
    serial: u64,
}

impl Sent for Pending {
    type Released = Handle;

    fn released(&self) -> Handle {
        self.handle
    }
}

impl Client {
    /// A client without a connection. The seed decides when it reconnects, and which packet identifiers it uses in a
    /// session of which the server may remember more than it does.
    pub fn new(config: Config, seed: u64, now: Instant) -> Self {
        let mut client = Self {
            assigned: None,
            seed,
            phase: Phase::Idle,
            wanted: false,
            failures: 0,
            unanswered: 0,
            redirect: None,
            moved: None,
            ending: None,
            established: false,
            server: Server::default(),
            outbox: Outbox::default(),
            pool: Pool::default(),
            announced: false,
            partial: Vec::new(),
            incoming_aliases: IncomingAliases::default(),
            outgoing_aliases: OutgoingAliases::default(),
            reauthenticating: false,
            last_sent: now,
            queue: VecDeque::new(),
            outgoing: Outgoing::default(),
            incoming: Incoming::default(),
            unacknowledged: VecDeque::new(),
            requests: VecDeque::new(),
            requested: Vec::new(),
            subscriptions: Subscriptions::default(),
            next_subscription_identifier: 0,
            actions: VecDeque::new(),
            timers: Timers::default(),
            journal: Journal::new(config.durable),
            budget: Budget::new(config.max_memory),
            next_handle: 0,
            next_serial: 0,
            next_delivery: 0,
            config,
        };
        client.outgoing = Outgoing::starting_at(client.first_packet_id());
        client
    }

    /// Takes an input in; returns how many bytes of [`Input::Bytes`] it took (all of them), 0 for all else.
    pub fn handle(&mut self, input: Input<'_>, now: Instant) -> usize {
        let taken = match input {
            Input::Bytes(bytes) => {
                self.receive(bytes, now);
                bytes.len()
            }
            Input::Opened => {
                self.opened(now);
                0
            }
            Input::Sent(bytes) => {
                let budget = &mut self.budget;
                self.outbox.advance(bytes, &mut self.pool, |message| budget.recycle(message));
                self.announced = self.outbox.has_available();
                self.pump(now);
                0
            }
            Input::Closed => {
                self.closed(now);
                0
            }
            Input::Authentication(data) => {
                self.continue_authentication(data, now);
                0
            }
            Input::Durable { up_to } => {
                self.journal.advance(up_to);
                self.outbox.open_gates(self.journal.durable());
                self.announce();
                0
            }
            Input::Tick => {
                self.tick(now);
                0
            }
        };
        self.commit();
        taken
    }

    /// The next thing to do or to know, until `None`.
    #[inline]
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When [`Input::Tick`] is due.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// What may leave now.
    #[inline]
    pub fn output(&self) -> Output<'_> {
        self.outbox.chunks()
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The client identifier: the configured one, or what the server gave.
    pub fn client_id(&self) -> &str {
        self.assigned.as_deref().unwrap_or(&self.config.client_id)
    }

    /// Whether the server has let the client in.
    pub fn is_connected(&self) -> bool {
        self.phase == Phase::Connected
    }

    /// Messages that have not reached their end: waiting, or sent and not acknowledged.
    pub fn unfinished(&self) -> usize {
        self.queue.len() + self.outgoing.len()
    }

    /// The last record, durable or not: once it is, all that the application asked for until now is safe.
    pub fn last_record(&self) -> RecordNumber {
        self.journal.last()
    }

    /// Gives back memory that the last messages needed: for a host of very many clients that mostly say nothing.
    pub fn shrink_to_fit(&mut self) {
        self.pool = Pool::default();
        self.budget.shrink_to_fit();
        self.partial.shrink_to_fit();
        self.actions.shrink_to_fit();
        self.queue.shrink_to_fit();
        self.unacknowledged.shrink_to_fit();
        self.requests.shrink_to_fit();
    }

    fn tick(&mut self, now: Instant) {
        while let Some(timer) = self.timers.expire(now) {
            match timer {
                Timer::Connect => self.end(DisconnectReason::ConnectTimeout),
                Timer::Reconnect => self.open(now),
                Timer::Ping => self.ping(now),
                Timer::PingTimeout => self.end(DisconnectReason::PingTimeout),
            }
        }
    }

    /// What an event changed becomes one record.
    #[inline]
    fn commit(&mut self) {
        if self.journal.has_changes() {
            self.commit_changes();
        }
    }

    fn commit_changes(&mut self) {
        if let Some((number, changes)) = self.journal.commit() {
            self.actions.push_back(Action::Record { number, changes });
        }
    }

    fn random(&mut self) -> Random {
        let mut random = Random::from_u64(self.seed);
        self.seed = random.next_u64();
        random
    }

    fn first_packet_id(&mut self) -> PacketIdentifier {
        let may_be_remembered = !self.config.clean_start && !self.config.durable;
        let below = if may_be_remembered { self.random().below(u64::from(u16::MAX)) as u16 } else { 0 };
        self.config.first_packet_id.or(PacketIdentifier::new(below + 1)).unwrap_or(PacketIdentifier::MIN)
    }

    fn complete(&mut self, handle: Handle, outcome: Outcome) {
        self.actions.push_back(Action::Completed { handle, outcome });
    }

    fn take_handle(&mut self) -> Handle {
        self.next_handle += 1;
        Handle(self.next_handle)
    }

    /// Writes a packet other than PUBLISH; `false` when it is larger than the server takes, or cannot be encoded.
    fn write(&mut self, packet: &Packet<'_>, now: Instant) -> bool {
        if let Packet::ConnAck(_)
        | Packet::SubAck(_)
        | Packet::UnsubAck(_)
        | Packet::PingResp
        | Packet::Publish(_)
        | Packet::Connect(_) = packet
        {
            // Never asked for; said so that a firmware does without what encodes a server's packets.
            return false;
        }
        let buffer = self.outbox.buffer(&mut self.pool);
        if !append(packet, self.config.version, self.server.max_packet_size, buffer) {
            self.outbox.reclaim(&mut self.pool);
            return false;
        }
        self.last_sent = now;
        self.announce();
        true
    }

    /// Says once that there is output.
    #[inline]
    fn announce(&mut self) {
        if !self.announced && self.outbox.has_available() {
            self.announced = true;
            self.actions.push_back(Action::Output);
        }
    }

    /// Holds back what is written from now on until all that has happened is durable.
    #[inline]
    fn gate(&mut self) {
        if let Some(record) = self.journal.gate() {
            self.outbox.gate(record);
        }
    }
}
