//! What every protocol state machine has in common, and the laws that hold for all of them.

use std::fmt::Debug;

use machine::Instant;

/// A protocol state machine without I/O: the four verbs of the contract.
pub trait Machine {
    /// What goes in.
    type Input<'a>;
    /// What comes out.
    type Action: Debug;

    /// The input that says that time has passed.
    fn tick() -> Self::Input<'static>;
    /// Takes an input in; of a byte stream it returns how many bytes it took.
    fn handle(&mut self, input: Self::Input<'_>, now: Instant) -> usize;
    /// The next thing to do, until `None`.
    fn poll_action(&mut self) -> Option<Self::Action>;
    /// When the next tick is due.
    fn next_deadline(&self) -> Option<Instant>;
}

/// Ticks, and returns all actions.
///
/// # Panics
/// When a law is broken: after a tick and a full drain no deadline is left behind, and a second tick does nothing.
pub fn tick<M: Machine>(machine: &mut M, now: Instant) -> Vec<M::Action> {
    machine.handle(M::tick(), now);
    let actions: Vec<_> = std::iter::from_fn(|| machine.poll_action()).collect();
    let next = machine.next_deadline();
    assert!(next.is_none_or(|next| next > now), "at {now:?} a tick left the deadline {next:?} behind");

    machine.handle(M::tick(), now);
    let again = machine.poll_action();
    assert!(again.is_none(), "at {now:?} a second tick asked for {again:?}");
    assert_eq!(machine.next_deadline(), next, "at {now:?} a second tick moved the deadline");
    actions
}

impl Machine for mqtt_core::Broker {
    type Input<'a> = mqtt_core::Input<'a>;
    type Action = mqtt_core::Action;

    fn tick() -> Self::Input<'static> {
        mqtt_core::Input::Tick
    }

    fn handle(&mut self, input: Self::Input<'_>, now: Instant) -> usize {
        Self::handle(self, input, now)
    }

    fn poll_action(&mut self) -> Option<Self::Action> {
        Self::poll_action(self)
    }

    fn next_deadline(&self) -> Option<Instant> {
        Self::next_deadline(self)
    }
}

impl Machine for mqtt_core::client::Client {
    type Input<'a> = mqtt_core::client::Input<'a>;
    type Action = mqtt_core::client::Action;

    fn tick() -> Self::Input<'static> {
        mqtt_core::client::Input::Tick
    }

    fn handle(&mut self, input: Self::Input<'_>, now: Instant) -> usize {
        Self::handle(self, input, now)
    }

    fn poll_action(&mut self) -> Option<Self::Action> {
        Self::poll_action(self)
    }

    fn next_deadline(&self) -> Option<Instant> {
        Self::next_deadline(self)
    }
}

impl<P: coap_core::Peer> Machine for coap_core::Endpoint<P> {
    type Input<'a> = coap_core::Input<'a, P>;
    type Action = coap_core::Action<P>;

    fn tick() -> Self::Input<'static> {
        coap_core::Input::Tick
    }

    /// Datagrams are always taken whole.
    fn handle(&mut self, input: Self::Input<'_>, now: Instant) -> usize {
        let len = if let coap_core::Input::Datagram { bytes, .. } = input { bytes.len() } else { 0 };
        Self::handle(self, input, now);
        len
    }

    fn poll_action(&mut self) -> Option<Self::Action> {
        Self::poll_action(self)
    }

    fn next_deadline(&self) -> Option<Instant> {
        Self::next_deadline(self)
    }
}

impl<P: Clone + Ord + Debug> Machine for mqttsn_core::client::Client<P> {
    type Input<'a> = mqttsn_core::client::Input<'a, P>;
    type Action = mqttsn_core::client::Action<P>;

    fn tick() -> Self::Input<'static> {
        mqttsn_core::client::Input::Tick
    }

    /// Datagrams are always taken whole.
    fn handle(&mut self, input: Self::Input<'_>, now: Instant) -> usize {
        let len = if let mqttsn_core::client::Input::Datagram { datagram, .. } = &input {
            datagram.len()
        } else {
            0
        };
        Self::handle(self, input, now);
        len
    }

    fn poll_action(&mut self) -> Option<Self::Action> {
        Self::poll_action(self)
    }

    fn next_deadline(&self) -> Option<Instant> {
        Self::next_deadline(self)
    }
}

impl<P: Clone + Ord + Debug> Machine for mqttsn_core::Gateway<P> {
    type Input<'a> = mqttsn_core::gateway::Input<'a, P>;
    type Action = mqttsn_core::gateway::Action<P>;

    fn tick() -> Self::Input<'static> {
        mqttsn_core::gateway::Input::Tick
    }

    /// Datagrams and bytes are always taken whole.
    fn handle(&mut self, input: Self::Input<'_>, now: Instant) -> usize {
        use mqttsn_core::gateway::Input::{Bytes, Datagram};
        let len = if let Datagram { bytes, .. } | Bytes { bytes, .. } = &input { bytes.len() } else { 0 };
        Self::handle(self, input, now);
        len
    }

    fn poll_action(&mut self) -> Option<Self::Action> {
        Self::poll_action(self)
    }

    fn next_deadline(&self) -> Option<Instant> {
        Self::next_deadline(self)
    }
}
