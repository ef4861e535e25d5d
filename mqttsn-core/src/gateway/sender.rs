//! What leaves: actions in order, datagrams among them, and the counters of it all.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use bytes::Bytes;
use mqttsn_codec::{Encapsulated, Packet};

use super::counters::Counters;
use super::io::{Action, Address, Event};

#[derive(Debug)]
pub(super) struct Sender<P> {
    pub(super) actions: VecDeque<Action<P>>,
    pub(super) counters: Counters,
}

impl<P> Default for Sender<P> {
    fn default() -> Self {
        Self { actions: VecDeque::new(), counters: Counters::default() }
    }
}

impl<P: Clone> Sender<P> {
    /// A message to a client, in an encapsulation if it is behind a forwarder.
    pub(super) fn send(&mut self, to: &Address<P>, packet: &Packet<'_>) {
        self.send_around(to, 0, packet);
    }

    /// As [`send`](Self::send), with a radius for the forwarder.
    pub(super) fn send_around(&mut self, to: &Address<P>, radius: u8, packet: &Packet<'_>) {
        let Some(mut datagram) = encode(packet) else { return };
        if let Some(node) = &to.node {
            let whole = Encapsulated { radius, wireless_node_id: node, message: &datagram };
            let mut outer = Vec::with_capacity(3 + node.len() + datagram.len());
            if whole.encode(&mut outer).is_err() {
                return;
            }
            datagram = outer;
        }
        self.counters.sent += 1;
        self.actions.push_back(Action::Send { to: to.peer.clone(), datagram: Bytes::from(datagram) });
    }

    /// A message to all.
    pub(super) fn broadcast(&mut self, radius: u8, packet: &Packet<'_>) {
        let Some(datagram) = encode(packet) else { return };
        self.counters.sent += 1;
        self.actions.push_back(Action::Broadcast { radius, datagram: Bytes::from(datagram) });
    }

    pub(super) fn event(&mut self, event: Event<P>) {
        self.actions.push_back(Action::Event(event));
    }
}

/// The message; none that the gateway makes breaks a rule of form.
fn encode(packet: &Packet<'_>) -> Option<Vec<u8>> {
    let mut datagram = Vec::with_capacity(packet.encoded_len().ok()?);
    packet.encode(&mut datagram).ok()?;
    Some(datagram)
}
