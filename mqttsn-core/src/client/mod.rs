//! An MQTT-SN client as one state machine: discovery of gateways, connection with its will, topic ids, messages both ways,
//! subscriptions, keep-alive and sleep.
//!
//! The host sends datagrams as [`Action`]s tell it; the application publishes and subscribes whether or not there is a
//! connection, and follows each [`Handle`] to its [`Outcome`].
//!
//! [`connection`](self) makes connections and takes leave, `discovery` finds gateways, `registration` agrees upon topic
//! ids, `publish` sends messages, `receive` takes what comes, `subscribe` keeps subscriptions, `sleep` and `will` do
//! what they say; `transaction` sends again what was not answered.

mod config;
mod connection;
mod discovery;
mod flow;
mod gateways;
mod incoming;
mod io;
mod phase;
mod publish;
mod receive;
mod registration;
mod search;
mod sleep;
mod subscribe;
mod timers;
mod topics;
mod transaction;
mod will;

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use machine::{Instant, Random};
use mqttsn_codec::{MessageId, Packet, ReturnCode};

use self::gateways::Gateways;
use self::incoming::Incoming;
use self::phase::Phase;
use self::publish::{Flight, Pending};
use self::registration::Registration;
use self::search::{Search, SearchEvent};
use self::subscribe::{Request, Subject, Subscription};
use self::timers::{Hold, Timer, Timers};
use self::topics::Topics;
use self::transaction::Transactions;

pub use self::config::{AddressFormat, Config, Will};
pub use self::io::{
    Action, Counters, DisconnectReason, Handle, Input, Message, MessageTopic, Outcome, Publication,
    PublishTopic, Refused, State,
};

/// An MQTT-SN client: datagrams, time and the application's wishes in, [`Action`]s out. `P` is the address of a gateway.
#[derive(Debug)]
pub struct Client<P> {
    config: Config<P>,
    random: Random,
    phase: Phase,
    /// The application wants a connection.
    wanted: bool,
    counters: Counters,

    gateways: Gateways<P>,
    search: Search,
    /// The radius with which another client is told of a gateway.
    answer: Option<u8>,
    /// The gateway that is spoken to.
    gateway: Option<P>,
    /// The gateway that let the client in last.
    session: Option<P>,
    /// CONNECT wakes: the gateway keeps everything.
    resume: bool,
    /// Why the last connection was refused.
    refusal: ReturnCode,
    /// Connections that were lost or not made, since a gateway answered anything else.
    failures: u32,
    last_sent: Instant,
    last_heard: Instant,
    open: Transactions,
    next_message_id: MessageId,

    sleep_seconds: u16,
    /// Checks without an answer in a row.
    failed_checks: u32,

    /// The gateway does not have the will that it should have.
    will_changed: bool,
    will_waiting: Vec<Handle>,
    will_told: Vec<Handle>,
    will_refused: Option<ReturnCode>,
    will_postponed: u32,

    topics: Topics,
    registrations: Vec<Registration>,
    registering: Option<(Registration, MessageId)>,
    queue: Vec<Pending>,
    queued_octets: usize,
    flight: Option<Flight>,
    requests: Vec<Request>,
    request: Option<(Request, MessageId)>,
    subscriptions: Vec<Subscription>,
    incoming: Incoming,

    actions: VecDeque<Action<P>>,
    deadlines: Timers,
    next_handle: u64,
}

impl<P: Clone + Ord> Client<P> {
    /// A client without a connection. The seed decides on random delays.
    pub fn new(config: Config<P>, seed: u64, now: Instant) -> Self {
        // A time of nothing would pass for ever at one instant.
        let least = |span: Duration| span.max(Duration::from_millis(1));
        let config = Config {
            search_delay: least(config.search_delay),
            max_search_interval: least(config.max_search_interval),
            retry_interval: least(config.retry_interval),
            congestion_wait: least(config.congestion_wait),
            ..config
        };
        Self {
            random: Random::from_u64(seed),
            phase: Phase::Idle,
            wanted: false,
            counters: Counters::default(),
            gateways: Gateways::new(&config.gateways, config.max_gateways),
            search: Search::Quiet,
            answer: None,
            gateway: None,
            session: None,
            resume: false,
            refusal: ReturnCode::ACCEPTED,
            failures: 0,
            last_sent: now,
            last_heard: now,
            open: Transactions::default(),
            next_message_id: MessageId::MIN,
            sleep_seconds: 1,
            failed_checks: 0,
            will_changed: false,
            will_waiting: Vec::new(),
            will_told: Vec::new(),
            will_refused: None,
            will_postponed: 0,
            topics: Topics::default(),
            registrations: Vec::new(),
            registering: None,
            queue: Vec::new(),
            queued_octets: 0,
            flight: None,
            requests: Vec::new(),
            request: None,
            subscriptions: Vec::new(),
            incoming: Incoming::default(),
            actions: VecDeque::new(),
            deadlines: Timers::default(),
            next_handle: 0,
            config,
        }
    }

    /// Takes an input in.
    pub fn handle(&mut self, input: Input<'_, P>, now: Instant) {
        match input {
            Input::Datagram { from, datagram } => self.receive(&from, datagram, now),
            Input::Tick => self.tick(now),
        }
    }

    /// The next thing to do or to know, until `None`.
    pub fn poll_action(&mut self) -> Option<Action<P>> {
        self.actions.pop_front()
    }

    /// When [`Input::Tick`] is due.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// The configuration.
    pub fn config(&self) -> &Config<P> {
        &self.config
    }

    /// What the client is about.
    pub fn state(&self) -> State {
        self.phase.state()
    }

    /// The gateway that the client is connected to, or connecting.
    pub fn gateway(&self) -> Option<&P> {
        self.gateway.as_ref()
    }

    /// Counts since the start.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    fn tick(&mut self, now: Instant) {
        while let Some(timer) = self.deadlines.expire(now) {
            match timer {
                Timer::Retry(slot) => self.retry(slot, now),
                Timer::KeepAlive => self.keep_alive(now),
                Timer::Wake => _ = self.step(phase::Event::Check, now),
                Timer::Wait => _ = self.step(phase::Event::WaitOver, now),
                Timer::Hold(_) => self.pump(now),
                Timer::Search => self.search_step(SearchEvent::Time, now),
                Timer::Answer => self.answer_search(),
                Timer::Gateways => self.forget_gateways(now),
            }
        }
    }

    /// Sends what can be sent.
    fn pump(&mut self, now: Instant) {
        if self.phase == Phase::Active {
            self.pump_will(now);
            self.pump_requests(now);
            self.pump_messages(now);
            self.pump_registrations(now);
        }
    }

    fn complete(&mut self, handle: Handle, outcome: Outcome) {
        self.actions.push_back(Action::Completed { handle, outcome });
    }

    fn take_handle(&mut self) -> Handle {
        self.next_handle += 1;
        Handle(self.next_handle)
    }

    fn check_size(&self, packet: &Packet<'_>) -> Result<(), Refused> {
        let fits = packet.encoded_len().is_ok_and(|len| len <= self.config.max_message_size);
        if fits { Ok(()) } else { Err(Refused::TooLong) }
    }
}
