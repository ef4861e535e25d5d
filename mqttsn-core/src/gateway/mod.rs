//! An MQTT-SN gateway as one state machine: datagrams of clients on one side, MQTT connections on the other.
//!
//! Small machines with tables of their own: `state` (a client), `handshake` (the questions for a will), `inbound` and
//! `outbound` (QoS flows), `topics`, `queue`, `strangers`, `filters`. Around them, one file for each thing that clients do:
//! `connect`, `register`, `publish`, `subscribe`, `deliver`, `sleep`, `will`, `advertise`; and `link`, `transparent`,
//! `aggregating` for the MQTT side.

mod advertise;
mod aggregating;
mod config;
mod connect;
mod counters;
mod deliver;
mod handshake;
mod inbound;
mod io;
mod link;
mod outbound;
mod oversize;
mod peer;
mod predefined;
mod publish;
mod queue;
mod receive;
mod register;
mod sender;
mod session;
mod shutdown;
mod sleep;
mod state;
mod strangers;
mod subscribe;
mod topics;
mod transparent;
mod will;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::sync::Arc;
use core::fmt::Debug;

use machine::{Deadlines, Instant, Random};
use mqtt_codec::ProtocolVersion;
use mqtt_core::Output;
use mqttsn_codec::Rules;
use slab::Slab;

use self::aggregating::Aggregate;
use self::handshake::Handshake;
use self::link::Link;
use self::peer::{Peer, PeerKey};
use self::sender::Sender;
use self::strangers::Strangers;

pub use self::config::{
    Advertise, Config, DropPolicy, MinusOnePolicy, Mode, QueueConfig, StrangerLimits, Upstream,
};
pub use self::counters::{Counters, Gauges};
pub use self::io::{Action, Address, Event, Input, UpstreamId};
pub use self::predefined::Predefined;
pub use self::state::State;

/// A gateway. `P` is what the host calls a peer of its datagram transport: an address, or whatever finds it again.
#[derive(Debug)]
pub struct Gateway<P> {
    config: Config,
    rules: Rules,
    random: Random,
    /// The protocol version that the server is known to speak.
    version: ProtocolVersion,

    peers: Slab<Peer<P>>,
    by_address: BTreeMap<Address<P>, u32>,
    by_id: BTreeMap<Arc<str>, u32>,
    next_serial: u32,
    handshakes: Slab<Handshake<P>>,
    handshake_at: BTreeMap<Address<P>, u32>,
    forwarders: BTreeMap<P, Instant>,
    strangers: Strangers<Address<P>>,
    /// Bytes in all queues together.
    buffered: usize,

    links: Slab<Link>,
    /// The gateway's own connection: for all clients (aggregating), or for QoS -1 (transparent).
    hub: Option<u32>,
    /// Its client identifier.
    hub_id: Box<str>,
    next_generation: u32,
    /// Links whose clients may have said something.
    dirty: VecDeque<u32>,
    aggregate: Option<Aggregate>,

    deadlines: Deadlines<Timer>,
    out: Sender<P>,
}

/// What has a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Peer(u32),
    Handshake(u32),
    Link(u32),
    /// ADVERTISE is due.
    Advertise,
    /// Collected SUBSCRIBEs are due.
    Batch,
    /// No more retained messages are expected for a filter.
    Filter(u32),
}

impl<P: Clone + Ord + Debug> Gateway<P> {
    /// A gateway without clients, which asks for its own connection to the server at once, if it needs one. The seed decides
    /// when it reconnects, and keys its tables.
    pub fn new(config: Config, seed: u64, now: Instant) -> Self {
        let mut random = Random::from_u64(seed);
        let rules = Rules {
            max_client_id: config.max_client_id.into(),
            rsmb_qos_minus_one: config.rsmb_qos_minus_one,
        };
        let aggregating = config.mode == Mode::Aggregating;
        let mut gateway = Self {
            rules,
            version: config.upstream.version,
            peers: Slab::new(),
            by_address: BTreeMap::new(),
            by_id: BTreeMap::new(),
            next_serial: 0,
            handshakes: Slab::new(),
            handshake_at: BTreeMap::new(),
            forwarders: BTreeMap::new(),
            strangers: Strangers::new(config.strangers, now),
            buffered: 0,
            links: Slab::new(),
            hub: None,
            hub_id: hub_id(&config, &mut random),
            next_generation: 0,
            dirty: VecDeque::new(),
            aggregate: aggregating.then(|| Aggregate::new(&config, random.next_u64())),
            deadlines: Deadlines::new(),
            out: Sender::default(),
            random,
            config,
        };
        gateway.open_hub(now);
        gateway.settle(now);
        gateway
    }

    /// Takes an input in.
    pub fn handle(&mut self, input: Input<'_, P>, now: Instant) {
        match input {
            Input::Datagram { from, bytes, broadcast } => self.on_datagram(from, bytes, broadcast, now),
            Input::Opened(upstream) => self.feed(upstream, mqtt_core::client::Input::Opened, now),
            Input::Bytes { upstream, bytes } => {
                self.feed(upstream, mqtt_core::client::Input::Bytes(bytes), now);
            }
            Input::Sent { upstream, bytes } => {
                self.feed(upstream, mqtt_core::client::Input::Sent(bytes), now);
            }
            Input::Closed(upstream) => self.feed(upstream, mqtt_core::client::Input::Closed, now),
            Input::Tick => self.tick(now),
        }
        self.settle(now);
    }

    /// The next thing to do or to know, until `None`.
    pub fn poll_action(&mut self) -> Option<Action<P>> {
        self.out.actions.pop_front()
    }

    /// When [`Input::Tick`] is due.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// What may leave on a connection to the server now.
    pub fn output(&self, upstream: UpstreamId) -> Output<'_> {
        match self.links.get(upstream.index as usize) {
            Some(link) if link.upstream == Some(upstream) => link.client.output(),
            _ => Output::NONE,
        }
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What happened so far.
    pub fn counters(&self) -> &Counters {
        &self.out.counters
    }

    /// What there is right now.
    pub fn gauges(&self) -> Gauges {
        let count =
            |states: &[State]| self.peers.iter().filter(|(_, peer)| states.contains(&peer.state)).count();
        Gauges {
            clients: self.peers.len() as u64,
            active: count(&[State::Active]) as u64,
            asleep: count(&[State::Asleep, State::Awake]) as u64,
            buffered: self.buffered as u64,
            upstreams: self.links.iter().filter(|(_, link)| link.upstream.is_some()).count() as u64,
            filters: self.aggregate.as_ref().map_or(0, |aggregate| aggregate.filters.len() as u64),
        }
    }

    /// Where a client stands.
    pub fn state(&self, client_id: &str) -> Option<State> {
        let index = *self.by_id.get(client_id)?;
        self.peers.get(index as usize).map(|peer| peer.state)
    }

    /// Where a client is.
    pub fn address(&self, client_id: &str) -> Option<&Address<P>> {
        let index = *self.by_id.get(client_id)?;
        self.peers.get(index as usize).map(|peer| &peer.address)
    }

    /// Whether the gateway's own connection to the server is up; always, if it has none.
    pub fn is_upstream_connected(&self) -> bool {
        self.hub.is_none_or(|hub| self.links.get(hub as usize).is_some_and(Link::is_connected))
    }

    fn tick(&mut self, now: Instant) {
        while let Some(timer) = self.deadlines.expire(now) {
            match timer {
                Timer::Peer(index) => self.peer_due(index, now),
                Timer::Handshake(index) => self.forget_handshake(index),
                Timer::Link(index) => self.link_due(index, now),
                Timer::Advertise => self.advertise(now),
                Timer::Batch => self.send_batch(now),
                Timer::Filter(index) => self.retained_over(index, now),
            }
            self.settle(now);
        }
    }

    /// The client at this place, if it is the one that is meant.
    fn peer(&mut self, key: PeerKey) -> Option<&mut Peer<P>> {
        self.peers.get_mut(key.index as usize).filter(|peer| peer.serial == key.serial)
    }

    fn key(&self, index: u32) -> Option<PeerKey> {
        self.peers.get(index as usize).map(|peer| PeerKey { index, serial: peer.serial })
    }

    fn take_serial(&mut self) -> u32 {
        self.next_serial = self.next_serial.wrapping_add(1);
        self.next_serial
    }

    /// Sees to it that a tick comes when it must. A deadline that moved on is set anew when it expires.
    fn schedule(&mut self, index: u32) {
        let Some(peer) = self.peers.get(index as usize) else { return };
        let due = peer.next_deadline(&self.config);
        if self.deadlines.get(Timer::Peer(index)).is_none_or(|set| set > due) {
            self.deadlines.set(Timer::Peer(index), due);
        }
    }
}

/// The configured client identifier, or a random one.
fn hub_id(config: &Config, random: &mut Random) -> Box<str> {
    match &*config.upstream.client_id {
        "" => format!("mqttsn-gateway-{:08x}", random.next_u32()).into(),
        client_id => client_id.into(),
    }
}
