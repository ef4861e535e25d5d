//! A virtual network. What it does to what is sent is drawn from a seed: the same seed, the same weather.
//!
//! [`stream`] has connections for byte streams, [`datagram`] has datagrams between any number of ends and groups.

pub mod datagram;
mod pipe;
pub mod stream;

use std::time::Duration;

pub use stream::{Event, LinkId, Network, Side};

/// What a network does to what is sent.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// The shortest and longest time that bytes travel.
    pub latency: (Duration, Duration),
    /// Bytes that a direction of a connection holds, in flight and unread: who writes more has to wait.
    pub buffer: usize,
    /// Of a thousand connections, so many are cut at some byte.
    pub cut_per_mille: u64,
    /// A connection that is cut lives for less than so many bytes in the direction that decides.
    pub cut_within: u64,
    /// How long it may take until a side hears that its connection was cut.
    pub notice: Duration,
    /// Of a thousand writes, so many arrive in pieces.
    pub pieces_per_mille: u64,
}

impl Weather {
    /// Nothing goes wrong.
    pub const FAIR: Self = Self {
        latency: (Duration::from_millis(1), Duration::from_millis(1)),
        buffer: 1 << 20,
        cut_per_mille: 0,
        cut_within: 1,
        notice: Duration::ZERO,
        pieces_per_mille: 0,
    };
}
