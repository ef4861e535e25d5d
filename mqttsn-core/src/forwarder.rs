//! A forwarder (§5.5): clients of another network reach a gateway through it.
//!
//! It wraps what comes from a node and unwraps what comes for one. What a node is called between forwarder and gateway is the
//! host's choice, best something of its address, so that it is the same after a restart.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::Debug;

use bytes::Bytes;
use machine::Instant;
use mqttsn_codec::{Encapsulated, Malformed, MessageType, Packet};

/// The configuration of a [`Forwarder`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Nodes that are remembered; the one that was silent for the longest time gives way. Default 10 000.
    pub max_nodes: u32,
    /// The longest wireless node id, in octets; never more than 252. Default 64.
    pub max_node_id: u8,
}

impl Default for Config {
    fn default() -> Self {
        Self { max_nodes: 10_000, max_node_id: 64 }
    }
}

/// What happened outside of the forwarder.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a, P> {
    /// A datagram of a node arrived.
    Node {
        /// From whom.
        from: P,
        /// What the node is called towards the gateway: not empty.
        id: &'a [u8],
        /// What.
        bytes: &'a [u8],
    },
    /// A datagram of the gateway arrived.
    Gateway {
        /// What.
        bytes: &'a [u8],
    },
    /// Time has passed: nothing waits for it.
    Tick,
}

/// What the host shall do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action<P> {
    /// Send a datagram to the gateway.
    ToGateway(Bytes),
    /// Send a datagram to a node.
    ToNode {
        /// To whom.
        node: P,
        /// What.
        datagram: Bytes,
    },
    /// Send a datagram to all nodes, as far as the radius says.
    Broadcast {
        /// The broadcast radius, in hops; 0 for the whole network.
        radius: u8,
        /// What.
        datagram: Bytes,
    },
}

/// Counts since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Datagrams passed on to the gateway.
    pub to_gateway: u64,
    /// Datagrams passed on to nodes, broadcasts among them.
    pub to_nodes: u64,
    /// Datagrams dropped because they are no MQTT-SN message, or no encapsulated one.
    pub malformed: u64,
    /// Datagrams dropped because they are encapsulated twice.
    pub nested: u64,
    /// Datagrams dropped because their node is not known.
    pub unknown_node: u64,
    /// Datagrams dropped because the node's id is empty or too long.
    pub invalid_node_id: u64,
}

/// A forwarder. `P` is what the host calls a node.
#[derive(Debug)]
pub struct Forwarder<P> {
    config: Config,
    nodes: BTreeMap<Arc<[u8]>, Node<P>>,
    by_use: BTreeMap<u64, Arc<[u8]>>,
    clock: u64,
    actions: VecDeque<Action<P>>,
    counters: Counters,
}

#[derive(Debug)]
struct Node<P> {
    peer: P,
    used: u64,
}

impl<P: Clone + PartialEq + Debug> Forwarder<P> {
    /// A forwarder that knows no node. It has no use for randomness or time; the arguments are those of every machine.
    pub fn new(config: Config, _seed: u64, _now: Instant) -> Self {
        Self {
            config,
            nodes: BTreeMap::new(),
            by_use: BTreeMap::new(),
            clock: 0,
            actions: VecDeque::new(),
            counters: Counters::default(),
        }
    }

    /// Takes an input in.
    pub fn handle(&mut self, input: Input<'_, P>, _now: Instant) {
        match input {
            Input::Node { from, id, bytes } => self.wrap(from, id, bytes),
            Input::Gateway { bytes } => self.unwrap(bytes),
            Input::Tick => {}
        }
    }

    /// The next thing to do, until `None`.
    pub fn poll_action(&mut self) -> Option<Action<P>> {
        self.actions.pop_front()
    }

    /// Never: a forwarder does not wait for anything.
    pub const fn next_deadline(&self) -> Option<Instant> {
        None
    }

    /// What happened so far.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Nodes that are remembered.
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    fn wrap(&mut self, from: P, id: &[u8], bytes: &[u8]) {
        if id.is_empty() || id.len() > usize::from(self.config.max_node_id) {
            self.counters.invalid_node_id += 1;
            return;
        }
        let whole = Encapsulated { radius: 0, wireless_node_id: id, message: bytes };
        let Ok(len) = whole.encoded_len() else {
            let counter = match Encapsulated::decode(bytes) {
                Ok(_) | Err(Malformed::LongEncapsulation | Malformed::NestedEncapsulation) => {
                    &mut self.counters.nested
                }
                Err(_) => &mut self.counters.malformed,
            };
            *counter += 1;
            return;
        };
        let mut datagram = Vec::with_capacity(len);
        if whole.encode(&mut datagram).is_ok() {
            self.remember(id, from);
            self.counters.to_gateway += 1;
            self.actions.push_back(Action::ToGateway(Bytes::from(datagram)));
        }
    }

    fn unwrap(&mut self, bytes: &[u8]) {
        let (radius, node, message) = match Encapsulated::decode(bytes) {
            Ok(whole) => (whole.radius, whole.wireless_node_id, whole.message),
            // What a gateway says to all is for those behind the forwarder, too.
            Err(Malformed::NotEncapsulated) => (0, &[][..], bytes),
            Err(malformed) => {
                let nested = malformed == Malformed::NestedEncapsulation;
                self.counters.nested += u64::from(nested);
                self.counters.malformed += u64::from(!nested);
                return;
            }
        };
        let for_all = Packet::decode(message).is_ok_and(|packet| {
            matches!(packet.message_type(), MessageType::Advertise | MessageType::GwInfo)
        });
        let datagram = Bytes::copy_from_slice(message);
        let action = if for_all {
            Action::Broadcast { radius, datagram }
        } else if let Some(node) = self.use_node(node) {
            Action::ToNode { node, datagram }
        } else {
            self.counters.unknown_node += 1;
            return;
        };
        self.counters.to_nodes += 1;
        self.actions.push_back(action);
    }

    fn remember(&mut self, id: &[u8], peer: P) {
        self.clock += 1;
        if let Some(node) = self.nodes.get_mut(id) {
            node.peer = peer;
        } else {
            if self.nodes.len() >= self.config.max_nodes.max(1) as usize
                && let Some((_, oldest)) = self.by_use.pop_first()
            {
                self.nodes.remove(&oldest);
            }
            self.nodes.insert(id.into(), Node { peer, used: 0 });
        }
        self.use_node(id);
    }

    fn use_node(&mut self, id: &[u8]) -> Option<P> {
        self.clock += 1;
        let (id, _) = self.nodes.get_key_value(id)?;
        let id = Arc::clone(id);
        let node = self.nodes.get_mut(&id)?;
        self.by_use.remove(&node.used);
        node.used = self.clock;
        self.by_use.insert(self.clock, id);
        Some(node.peer.clone())
    }
}
