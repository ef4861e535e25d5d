//! A forwarder between some clients and the first gateway.

use machine::Instant;
use mqttsn_core::Forwarder;
use mqttsn_core::forwarder::{Action, Config, Input};

use super::Address;
use crate::net::datagram::{Arrival, Network};

/// More nodes than there are: none is ever forgotten to make room.
const MAX_NODES: u32 = 64;

#[derive(Debug)]
pub(crate) struct Host {
    forwarder: Forwarder<Address>,
}

impl Host {
    pub(crate) fn new(now: Instant) -> Self {
        Self { forwarder: Forwarder::new(Config { max_nodes: MAX_NODES, ..Config::default() }, 0, now) }
    }

    /// A node's id is what its address is, so that it is the same after a restart.
    pub(crate) fn receive(
        &mut self,
        arrival: &Arrival<Address>,
        network: &mut Network<Address>,
        now: Instant,
    ) {
        let (from, bytes) = (arrival.from, &arrival.bytes);
        let id = from.0.to_be_bytes();
        let input = match from.as_gateway() {
            Some(_) => Input::Gateway { bytes },
            None => Input::Node { from, id: &id, bytes },
        };
        self.forwarder.handle(input, now);
        self.forwarder.handle(Input::Tick, now);
        while let Some(action) = self.forwarder.poll_action() {
            match action {
                Action::ToGateway(datagram) => {
                    network.send(Address::FORWARDER, Address::gateway(0), &datagram, now);
                }
                Action::ToNode { node, datagram } => network.send(Address::FORWARDER, node, &datagram, now),
                // Those behind the forwarder do not look for gateways.
                Action::Broadcast { .. } => {}
            }
        }
    }

    pub(crate) fn nodes(&self) -> usize {
        self.forwarder.nodes()
    }
}
