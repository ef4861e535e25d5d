//! What goes into an [`Endpoint`](crate::Endpoint).

/// What has happened.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a, P> {
    /// A datagram has arrived.
    Datagram {
        /// Who sent it. An address that a response can be sent to, with whatever else tells two peers apart.
        from: P,
        /// The datagram.
        bytes: &'a [u8],
        /// Whether it was sent to a multicast address: then errors and empty answers are suppressed and the rest waits a
        /// random time (RFC 7252 §8).
        multicast: bool,
        /// Whether the host knows that the address is not forged (a session of DTLS, a loopback interface). An answer to another
        /// peer is held small until the peer has shown that it receives ([`EchoPolicy`](crate::EchoPolicy)).
        verified: bool,
    },
    /// The network says that the peer cannot be reached (an ICMP error that the host has checked, RFC 7252 §4.2). All that
    /// waits for the peer ends.
    Unreachable {
        /// The peer.
        peer: P,
    },
    /// Time has passed.
    Tick,
}
