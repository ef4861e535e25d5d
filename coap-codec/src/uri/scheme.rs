//! The schemes of CoAP.

use core::fmt;

/// A URI scheme: the transport and whether it is secured. RFC 7252 §6.1, §6.2, RFC 8323 §8.1 to §8.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// `coap`: UDP.
    Coap,
    /// `coaps`: DTLS over UDP.
    Coaps,
    /// `coap+tcp`: TCP.
    CoapTcp,
    /// `coaps+tcp`: TLS over TCP.
    CoapsTcp,
    /// `coap+ws`: WebSockets.
    CoapWs,
    /// `coaps+ws`: WebSockets over TLS.
    CoapsWs,
}

impl Scheme {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Coap, Self::Coaps, Self::CoapTcp, Self::CoapsTcp, Self::CoapWs, Self::CoapsWs];

    /// The scheme of that name, in any case: also the value of Proxy-Scheme. RFC 7252 §5.10.2.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.name().eq_ignore_ascii_case(name))
    }

    /// The name in lowercase, without the colon.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Coap => "coap",
            Self::Coaps => "coaps",
            Self::CoapTcp => "coap+tcp",
            Self::CoapsTcp => "coaps+tcp",
            Self::CoapWs => "coap+ws",
            Self::CoapsWs => "coaps+ws",
        }
    }

    /// The port when a URI names none.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Coap | Self::CoapTcp => 5683,
            Self::Coaps | Self::CoapsTcp => 5684,
            Self::CoapWs => 80,
            Self::CoapsWs => 443,
        }
    }

    /// Whether DTLS or TLS is required.
    pub const fn is_secure(self) -> bool {
        matches!(self, Self::Coaps | Self::CoapsTcp | Self::CoapsWs)
    }

    /// Whether messages travel as datagrams, with types and message ids (RFC 7252), not on a connection (RFC 8323).
    pub const fn is_datagram(self) -> bool {
        matches!(self, Self::Coap | Self::Coaps)
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
