//! What was dropped, and other counts of an endpoint.

/// Counts since the endpoint was made. Each drop of a datagram counts in one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Datagrams that came.
    pub received: u64,
    /// Datagrams that were handed out.
    pub sent: u64,
    /// Of those sent: repeated for lack of an answer.
    pub retransmitted: u64,
    /// Datagrams that cannot be parsed; answered with a Reset or dropped.
    pub malformed: u64,
    /// Messages that had come before; answered as before, or ignored.
    pub duplicates: u64,
    /// Of the duplicates: those with another token than the first, from a peer that uses message ids again too early.
    pub message_ids_reused: u64,
    /// Acknowledgements, Resets and responses that belong to nothing here.
    pub unmatched: u64,
    /// Messages rejected: a response to nothing that is open, critical options of a response not understood.
    pub rejected: u64,
    /// Datagrams dropped because a table was full; the peer may repeat them.
    pub dropped_full: u64,
    /// Remembered exchanges forgotten before their time to make room for new ones; idempotent requests only.
    pub forgotten_early: u64,
    /// Requests answered 4.01 with Echo, because the answer was too large for a peer of unknown address.
    pub challenged: u64,
    /// Answers to groups that were suppressed (RFC 7252 §8.2, RFC 7967).
    pub suppressed: u64,
    /// Notifications that gave way to newer ones before they were sent.
    pub superseded: u64,
    /// Notifications that came after newer ones (RFC 7641 §3.4).
    pub outdated: u64,
    /// Resets and other answers to unsound datagrams that were not sent, to keep their rate low.
    pub rate_limited: u64,
    /// Bodies in blocks that were given up half-way.
    pub bodies_abandoned: u64,
}

/// The fields, of which none is forgotten, each with its name.
macro_rules! rows {
    ($counters:expr, $($field:ident)*) => {{
        let Counters { $($field),* } = $counters;
        [$((stringify!($field), *$field)),*]
    }};
}

impl Counters {
    /// Each count with its name, for metrics.
    pub const fn rows(&self) -> [(&'static str, u64); 16] {
        rows!(
            self,
            received sent retransmitted malformed duplicates message_ids_reused unmatched rejected dropped_full
            forgotten_early challenged suppressed superseded outdated rate_limited bodies_abandoned
        )
    }
}
