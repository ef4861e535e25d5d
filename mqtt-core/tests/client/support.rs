//! A client and a broker with a wire between them, in virtual time.
#![allow(dead_code, reason = "each theme uses its part")]

use core::time::Duration;

use machine::Instant;
use mqtt_codec::{Properties, QoS, SubscriptionOptions};
use mqtt_core::client::{self, Client, DisconnectReason, Handle, Message, Outcome};
use mqtt_core::{Broker, ConnectionId, Publication};

pub use QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};

/// One broker, and clients by their place in a list.
pub struct Net {
    pub broker: Broker,
    pub now: Instant,
    pub peers: Vec<Peer>,
}

/// A client, its connection, and what it told the application.
pub struct Peer {
    pub client: Client,
    pub connection: Option<ConnectionId>,
    pub messages: Vec<Message>,
    pub completed: Vec<(Handle, Outcome)>,
    pub connected: Vec<bool>,
    pub disconnected: Vec<DisconnectReason>,
    pub changes: Vec<Vec<client::Change>>,
    /// After so many records nothing the client wants is done any more.
    pub crash_after: Option<usize>,
    pub crashed: bool,
    /// Connections are refused, and everything that is sent is lost.
    pub unreachable: bool,
}

pub fn publication<'a>(topic: &'a str, payload: &'a [u8], qos: QoS) -> Publication<'a> {
    Publication { topic, qos, retain: false, properties: Properties::NONE, payload }
}

impl Net {
    pub fn new() -> Self {
        let now = Instant::from_micros(1);
        let config = mqtt_core::Config { sys_interval: Duration::ZERO, ..mqtt_core::Config::default() };
        Self { broker: Broker::new(config, [1; 32], now), now, peers: Vec::new() }
    }

    /// Adds a client that wants a connection; returns its place.
    pub fn join(&mut self, config: client::Config) -> usize {
        let mut client = Client::new(config, self.peers.len() as u64, self.now);
        client.connect(self.now);
        self.peers.push(Peer {
            client,
            connection: None,
            messages: Vec::new(),
            completed: Vec::new(),
            connected: Vec::new(),
            disconnected: Vec::new(),
            changes: Vec::new(),
            crash_after: None,
            crashed: false,
            unreachable: false,
        });
        self.settle();
        self.peers.len() - 1
    }

    pub fn publish(&mut self, peer: usize, topic: &str, payload: &[u8], qos: QoS) -> Handle {
        let handle = self.peers[peer].client.publish(&publication(topic, payload, qos), self.now).unwrap();
        self.settle();
        handle
    }

    /// A QoS 2 message reaches the broker, and its client hears and does nothing any more.
    pub fn publish_and_vanish(&mut self, peer: usize, topic: &str, payload: &[u8]) {
        let vanishing = &mut self.peers[peer];
        vanishing.client.publish(&publication(topic, payload, ExactlyOnce), self.now).unwrap();
        let bytes: Vec<u8> = vanishing.client.output().flatten().copied().collect();
        vanishing.crashed = true;
        let connection = vanishing.connection.take().unwrap();
        self.broker.handle(mqtt_core::Input::Bytes { connection, bytes: &bytes }, self.now);
        self.broker.handle(mqtt_core::Input::Closed { connection }, self.now);
        self.settle();
    }

    pub fn subscribe(&mut self, peer: usize, filter: &str, qos: QoS) -> Handle {
        let filters = [(filter, SubscriptionOptions::qos(qos))];
        let handle = self.peers[peer].client.subscribe(&filters, Properties::NONE, self.now).unwrap();
        self.settle();
        handle
    }

    /// The connection breaks: neither side has sent DISCONNECT.
    pub fn cut(&mut self, peer: usize) {
        if let Some(connection) = self.peers[peer].connection.take() {
            self.broker.handle(mqtt_core::Input::Closed { connection }, self.now);
        }
        self.peers[peer].client.handle(client::Input::Closed, self.now);
        self.settle();
    }

    /// A client that has crashed, or is to crash now, comes back with its records.
    pub fn restart(&mut self, peer: usize, config: client::Config) {
        if let Some(connection) = self.peers[peer].connection.take() {
            self.broker.handle(mqtt_core::Input::Closed { connection }, self.now);
        }
        let peer = &mut self.peers[peer];
        (peer.crashed, peer.crash_after) = (false, None);
        peer.client = Client::new(config, 99, self.now);
        peer.client.restore(peer.changes.concat(), self.now).unwrap();
        peer.client.connect(self.now);
        self.settle();
    }

    /// Lets time pass, ticking at every deadline on the way.
    pub fn advance(&mut self, span: Duration) {
        let end = self.now + span;
        loop {
            let clients = self.peers.iter().filter_map(|peer| peer.client.next_deadline());
            let next = clients.chain(self.broker.next_deadline()).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            assert!(next > self.now, "after a tick no deadline is left behind");
            self.now = next;
            self.broker.handle(mqtt_core::Input::Tick, self.now);
            for peer in &mut self.peers {
                peer.client.handle(client::Input::Tick, self.now);
            }
            self.settle();
        }
        self.now = end;
    }

    pub fn payloads(&mut self, peer: usize) -> Vec<String> {
        let messages = core::mem::take(&mut self.peers[peer].messages);
        messages.iter().map(|message| String::from_utf8(message.payload().to_vec()).unwrap()).collect()
    }

    pub fn outcome(&self, peer: usize, handle: Handle) -> Option<&Outcome> {
        let mut outcomes = self.peers[peer].completed.iter().filter(|(done, _)| *done == handle);
        let outcome = outcomes.next().map(|(_, outcome)| outcome);
        assert!(outcomes.next().is_none(), "{handle:?} completed twice");
        outcome
    }

    /// Does everything that anybody wants done, until nobody wants anything.
    pub fn settle(&mut self) {
        loop {
            let mut idle = self.drain_broker();
            for index in 0..self.peers.len() {
                idle &= self.drain_client(index);
            }
            if idle {
                break;
            }
        }
    }

    fn drain_broker(&mut self) -> bool {
        let mut idle = true;
        while let Some(action) = self.broker.poll_action() {
            idle = false;
            let owner =
                |peers: &[Peer], connection| peers.iter().position(|p| p.connection == Some(connection));
            match action {
                mqtt_core::Action::Output(connection) => {
                    let bytes: Vec<u8> = self.broker.output(connection).flatten().copied().collect();
                    self.broker.handle(mqtt_core::Input::Sent { connection, bytes: bytes.len() }, self.now);
                    if let Some(index) = owner(&self.peers, connection)
                        && !self.peers[index].unreachable
                    {
                        self.peers[index].client.handle(client::Input::Bytes(&bytes), self.now);
                    }
                }
                mqtt_core::Action::Close { connection, .. } => {
                    let index = owner(&self.peers, connection);
                    self.broker.handle(mqtt_core::Input::Closed { connection }, self.now);
                    if let Some(index) = index {
                        self.peers[index].connection = None;
                        self.peers[index].client.handle(client::Input::Closed, self.now);
                    }
                }
                _ => {}
            }
        }
        idle
    }

    fn drain_client(&mut self, index: usize) -> bool {
        let mut idle = true;
        while let Some(action) = self.peers[index].client.poll_action() {
            idle = false;
            let peer = &mut self.peers[index];
            peer.crashed |= peer.crash_after == Some(peer.changes.len());
            match action {
                _ if peer.crashed => {}
                client::Action::Open { .. } if peer.unreachable => {
                    peer.client.handle(client::Input::Closed, self.now);
                }
                client::Action::Open { .. } => {
                    peer.connection = Some(self.broker.open(self.now).unwrap());
                    peer.client.handle(client::Input::Opened, self.now);
                }
                client::Action::Output => {
                    let bytes: Vec<u8> = peer.client.output().flatten().copied().collect();
                    peer.client.handle(client::Input::Sent(bytes.len()), self.now);
                    if let Some(connection) = peer.connection.filter(|_| !peer.unreachable) {
                        self.broker.handle(mqtt_core::Input::Bytes { connection, bytes: &bytes }, self.now);
                    }
                }
                client::Action::Close => {
                    if let Some(connection) = peer.connection.take() {
                        self.broker.handle(mqtt_core::Input::Closed { connection }, self.now);
                    }
                    peer.client.handle(client::Input::Closed, self.now);
                }
                client::Action::Connected { session_present, .. } => peer.connected.push(session_present),
                client::Action::Disconnected { reason, .. } => peer.disconnected.push(reason),
                client::Action::Message(message) => peer.messages.push(message),
                client::Action::Completed { handle, outcome } => peer.completed.push((handle, outcome)),
                client::Action::Record { number, changes } => {
                    peer.changes.push(changes);
                    peer.client.handle(client::Input::Durable { up_to: number }, self.now);
                }
                client::Action::Authenticate { .. } | client::Action::Reauthenticated => {}
            }
        }
        idle
    }
}

impl Peer {
    pub fn publish_unless_crashed(&mut self, topic: &str, payload: &str, qos: QoS, now: Instant) {
        if !self.crashed {
            self.client.publish(&publication(topic, payload.as_bytes(), qos), now).unwrap();
        }
    }

    /// The topics of all messages that the records hold.
    pub fn stored_topics(&self) -> Vec<String> {
        let changes = self.changes.iter().flatten();
        let topics = changes.filter_map(|change| match change {
            client::Change::Queued { message, .. } => Some(message.topic().to_owned()),
            _ => None,
        });
        topics.collect()
    }
}
