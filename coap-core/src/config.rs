//! What an endpoint may be told.

use core::time::Duration;

/// The configuration of an [`Endpoint`](crate::Endpoint).
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Times and rates of the message layer.
    pub transmission: Transmission,
    /// How large everything may grow.
    pub limits: Limits,
    /// The largest token that is accepted: 8, or more with RFC 8974. Default 8.
    pub max_token_len: usize,
    /// The largest block, as the exponent SZX: 0 is 16 bytes, 6 is 1024 (RFC 7959 §2.2). Default 6.
    pub block_size_exponent: u8,
    /// The largest datagram to send, in bytes. Bodies above one block are cut anyway. Default 1152 (RFC 7252 §4.6).
    pub max_datagram: usize,
    /// How long the application may take before a confirmable request gets its empty acknowledgement, and the response
    /// becomes a separate one (RFC 7252 §5.2.2). Default 500 ms.
    pub acknowledge_after: Duration,
    /// How long a request waits for its response once it is acknowledged, or was sent without wanting an acknowledgement.
    /// A request may have a time of its own. Default EXCHANGE_LIFETIME, 247 s.
    pub response_timeout: Duration,
    /// Toward peers of unverified address.
    pub echo: EchoPolicy,
    /// What a non-confirmable request with a critical option that is not understood gets. Default 4.02.
    pub non_bad_option: NonBadOption,
    /// Notifications to observers.
    pub notifications: NotificationPolicy,
    /// Whether a stale observation is registered anew, 5 to 15 s after Max-Age (RFC 7641 §3.3.1). Default true.
    pub reregister: bool,
}

/// Times and rates of the message layer (RFC 7252 §4.8), with the derived ones of §4.8.2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transmission {
    /// The least time before the first retransmission. Default 2 s.
    pub ack_timeout: Duration,
    /// ACK_RANDOM_FACTOR in thousandths. Default 1500.
    pub ack_random_factor: u32,
    /// How often a message is repeated. Default 4.
    pub max_retransmit: u32,
    /// Interactions that may be outstanding with one peer. Default 1.
    pub nstart: u32,
    /// DEFAULT_LEISURE: the time over which answers to a group are spread. Default 5 s.
    pub leisure: Duration,
    /// PROBING_RATE in bytes per second: how much a peer gets that does not answer. Default 1.
    pub probing_rate: u32,
    /// MAX_LATENCY: the longest that a datagram may be under way. Default 100 s.
    pub max_latency: Duration,
    /// PROCESSING_DELAY: the time for an acknowledgement. Default 2 s.
    pub processing_delay: Duration,
}

impl Transmission {
    /// MAX_TRANSMIT_SPAN: from the first transmission to the last. 45 s by default.
    pub fn max_transmit_span(&self) -> Duration {
        self.randomised(self.ack_timeout.saturating_mul(power_of_two(self.max_retransmit) - 1))
    }

    /// MAX_TRANSMIT_WAIT: from the first transmission until the sender gives up. 93 s by default.
    pub fn max_transmit_wait(&self) -> Duration {
        self.randomised(
            self.ack_timeout.saturating_mul(power_of_two(self.max_retransmit.saturating_add(1)) - 1),
        )
    }

    /// MAX_RTT: 202 s by default.
    pub fn max_rtt(&self) -> Duration {
        self.max_latency.saturating_mul(2).saturating_add(self.processing_delay)
    }

    /// EXCHANGE_LIFETIME: how long a confirmable message's id stays taken. 247 s by default.
    pub fn exchange_lifetime(&self) -> Duration {
        self.max_transmit_span().saturating_add(self.max_rtt())
    }

    /// NON_LIFETIME: how long a non-confirmable message's id stays taken. 145 s by default.
    pub fn non_lifetime(&self) -> Duration {
        self.max_transmit_span().saturating_add(self.max_latency)
    }

    /// The longest first time-out: ACK_TIMEOUT times ACK_RANDOM_FACTOR.
    pub fn longest_ack_timeout(&self) -> Duration {
        self.randomised(self.ack_timeout)
    }

    fn randomised(&self, span: Duration) -> Duration {
        span.saturating_mul(self.ack_random_factor.max(1000)) / 1000
    }
}

fn power_of_two(exponent: u32) -> u32 {
    1_u32.checked_shl(exponent).unwrap_or(u32::MAX)
}

impl Default for Transmission {
    fn default() -> Self {
        Self {
            ack_timeout: Duration::from_secs(2),
            ack_random_factor: 1500,
            max_retransmit: 4,
            nstart: 1,
            leisure: Duration::from_secs(5),
            probing_rate: 1,
            max_latency: Duration::from_secs(100),
            processing_delay: Duration::from_secs(2),
        }
    }
}

/// How large everything may grow. What a peer can make grow has a limit for that peer and one for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Peers of which something is remembered. Default 10 000.
    pub peers: usize,
    /// Messages that wait behind NSTART or PROBING_RATE, for one peer. Default 64.
    pub queued_per_peer: usize,
    /// Messages that wait or are being retransmitted, in all. Default 10 000.
    pub outgoing: usize,
    /// Messages remembered so that repetitions are recognised, in all. Default 100 000.
    pub remembered: usize,
    /// The same for one peer. Default 16 384.
    pub remembered_per_peer: usize,
    /// Bytes of answers kept for repetitions, in all. Default 16 MiB.
    pub remembered_bytes: usize,
    /// Requests of this endpoint that may be open. Default 10 000.
    pub requests: usize,
    /// Requests of peers that the application has not answered yet, in all. Default 10 000.
    pub unanswered: usize,
    /// The same for one peer. Default 64.
    pub unanswered_per_peer: usize,
    /// The largest body that is put together or cut, in bytes. Default 1 MiB.
    pub body: usize,
    /// Bytes of bodies being put together or cut for peers, in all: half of it for bodies of requests that come in blocks, half for
    /// bodies of responses that go in blocks, so that neither direction can starve the other. Default 16 MiB.
    pub bodies: usize,
    /// Bodies being put together or cut for one peer. Default 8.
    pub bodies_per_peer: usize,
    /// Observers of resources here, in all. Default 10 000.
    pub observers: usize,
    /// The same for one peer. Default 64.
    pub observers_per_peer: usize,
    /// Resets and other answers to unsound datagrams, per second and in all. Default 100.
    pub rejections_per_second: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            peers: 10_000,
            queued_per_peer: 64,
            outgoing: 10_000,
            remembered: 100_000,
            remembered_per_peer: 16_384,
            remembered_bytes: 16 << 20,
            requests: 10_000,
            unanswered: 10_000,
            unanswered_per_peer: 64,
            body: 1 << 20,
            bodies: 16 << 20,
            bodies_per_peer: 8,
            observers: 10_000,
            observers_per_peer: 64,
            rejections_per_second: 100,
        }
    }
}

/// How a server treats peers whose address may be forged (RFC 9175 §2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EchoPolicy {
    /// The most bytes of an answer for each byte of the request, until the peer has shown that it receives; `None` for no
    /// limit. A larger answer becomes 4.01 with an Echo option. Default 3.
    pub amplification: Option<u32>,
    /// How long an Echo value is accepted, and a verified peer stays verified without traffic. Default 60 s.
    pub lifetime: Duration,
}

impl Default for EchoPolicy {
    fn default() -> Self {
        Self { amplification: Some(3), lifetime: Duration::from_secs(60) }
    }
}

/// What a non-confirmable request gets whose critical options are not understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NonBadOption {
    /// 4.02 (Bad Option), as the appendix of draft-ietf-core-uri-path-abbrev asks, updating RFC 7252 §5.4.1.
    #[default]
    BadOption,
    /// Silence, as RFC 7252 §5.4.1 had it.
    Silence,
}

/// How observers are notified (RFC 7641 §4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotificationPolicy {
    /// Whether notifications are confirmable unless the response says otherwise. Default false.
    pub confirmable: bool,
    /// The longest time between two confirmable notifications to an observer; at most 24 h. Default 24 h.
    pub confirm_after: Duration,
    /// The least time between two non-confirmable notifications to an observer, which stands for the round-trip time. Default 3 s
    /// would be RFC 7641's for a peer of unknown round-trip time; a measured one is used where there is one.
    pub spacing: Duration,
}

impl Default for NotificationPolicy {
    fn default() -> Self {
        Self {
            confirmable: false,
            confirm_after: Duration::from_secs(24 * 60 * 60),
            spacing: Duration::from_secs(3),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        let transmission = Transmission::default();
        Self {
            transmission,
            limits: Limits::default(),
            max_token_len: 8,
            block_size_exponent: 6,
            max_datagram: 1152,
            acknowledge_after: Duration::from_millis(500),
            response_timeout: transmission.exchange_lifetime(),
            echo: EchoPolicy::default(),
            non_bad_option: NonBadOption::default(),
            notifications: NotificationPolicy::default(),
            reregister: true,
        }
    }
}
