//! The end of a gateway in order.

use alloc::vec::Vec;
use core::fmt::Debug;

use machine::Instant;
use mqttsn_codec::{Disconnect, Packet};

use super::state::State;
use super::{Gateway, Timer};

impl<P: Clone + Ord + Debug> Gateway<P> {
    /// Takes leave. Clients that listen get DISCONNECT and can look for another gateway; sleepers find out when they wake.
    /// The server gets DISCONNECT on every connection: no will goes out, and sessions stay as if the clients had been lost
    /// for a moment.
    ///
    /// What comes afterwards is of no use: the host closes the connections as it is told, and ends.
    pub fn shutdown(&mut self, now: Instant) {
        let goodbye = Packet::Disconnect(Disconnect { duration: None });
        for (_, peer) in &self.peers {
            if matches!(peer.state, State::Active | State::Awake) {
                self.out.send(&peer.address, &goodbye);
            }
        }
        self.deadlines.cancel(Timer::Advertise);
        let links: Vec<u32> = self.links.iter().map(|(index, _)| index as u32).collect();
        for index in links {
            self.part(index, false, now);
        }
        self.settle(now);
    }
}
