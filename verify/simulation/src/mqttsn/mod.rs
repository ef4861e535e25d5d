//! MQTT-SN: clients, gateways in front of a broker, a forwarder between, and what applications at both ends may expect.
//!
//! A [`Scenario`] says who does what and when; [`run`] lets it happen and holds what the applications did and saw against
//! the guarantees in `guarantees`.

mod client;
mod forwarder;
mod gateway;
mod generate;
mod guarantees;
mod ledger;
mod scenario;
mod server;
mod wire;
mod world;

pub use guarantees::Obligations;
pub use ledger::{Connection, Ledger, Message, Sender, Subscription};
pub use scenario::{ClientSpec, GatewaySpec, Op, Scenario, Topic};
pub use world::{Outcome, run};

use std::fmt;

/// Where somebody is in the network for datagrams.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address(pub u16);

impl Address {
    /// The forwarder.
    pub const FORWARDER: Self = Self(99);
    /// All gateways and clients.
    pub const GROUP: Self = Self(u16::MAX);

    /// A gateway.
    pub const fn gateway(index: usize) -> Self {
        Self(index as u16)
    }

    /// One of the addresses that a client has, one after the other.
    pub const fn client(index: usize, moves: u16) -> Self {
        Self(100 + 100 * index as u16 + moves)
    }

    /// Which gateway it is.
    pub const fn as_gateway(self) -> Option<usize> {
        if self.0 < Self::FORWARDER.0 { Some(self.0 as usize) } else { None }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::GROUP => f.write_str("group"),
            Self::FORWARDER => f.write_str("forwarder"),
            Self(number) if number < 100 => write!(f, "gateway {number}"),
            Self(number) => write!(f, "client {}/{}", (number - 100) / 100, number % 100),
        }
    }
}
