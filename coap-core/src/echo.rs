//! Who has shown that datagrams reach it at its address, so that answers to forged requests do no harm (RFC 9175 §2.4, §2.6).

use machine::{Instant, Random};

use crate::EchoPolicy;
use crate::peer_map::Expiring;
use crate::timers::earlier;

#[cfg(test)]
mod tests;

/// Bytes of the Ethernet, IPv6 and UDP headers that a datagram comes with, as RFC 9175 §2.4 counts them.
const LOWER_HEADERS: usize = 14 + 40 + 8;

/// Bytes of an Echo value.
pub(crate) const VALUE_LEN: usize = 8;

/// Which peers are at the address that they claim. The values are random, and kept until they are too old (RFC 9175 appendix A,
/// method 1).
///
/// No value goes along with an answer that may be sent as it is, though §2.3 allows that: it would need an entry here for each
/// forged address that asks for something small.
#[derive(Debug)]
pub(crate) struct Echo<P> {
    policy: EchoPolicy,
    /// The most peers in each of the two tables.
    limit: usize,
    random: Random,
    challenged: Expiring<P, Challenge>,
    /// Until when peers count as verified.
    verified: Expiring<P, Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Challenge {
    value: [u8; VALUE_LEN],
    since: Instant,
}

impl<P: Copy + Ord> Echo<P> {
    /// Remembers at most `limit` challenged and as many verified peers.
    pub(crate) fn new(policy: EchoPolicy, limit: usize, mut random: Random) -> Self {
        let (challenged, verified) = (Expiring::new(random.next_u64()), Expiring::new(random.next_u64()));
        Self { policy, limit, random, challenged, verified }
    }

    /// The largest answer, as a CoAP message, to a request of this many bytes. What lies below counts on both sides, so that
    /// any request can be answered with 136 bytes (RFC 9175 §2.4). A larger body can be cut into smaller blocks (RFC 7959
    /// §7.2), or the peer challenged.
    ///
    /// A verified peer is one for longer when it is heard from.
    pub(crate) fn room(&mut self, peer: P, request_len: usize, now: Instant) -> usize {
        let Some(factor) = self.policy.amplification else {
            return usize::MAX;
        };
        if self.is_verified(peer, now) {
            self.confirm(peer, now);
            return usize::MAX;
        }
        let with_headers = request_len.saturating_add(LOWER_HEADERS);
        with_headers.saturating_mul(factor as usize).saturating_sub(LOWER_HEADERS)
    }

    /// Whether an answer of this size may be sent.
    pub(crate) fn allow(&mut self, peer: P, request_len: usize, response_len: usize, now: Instant) -> bool {
        response_len <= self.room(peer, request_len, now)
    }

    /// The Echo value for a 4.01 to this peer, which is to go in the acknowledgement or non-confirmable, never in a message that
    /// is repeated (RFC 9175 §2.4). It is the same for some time: a flood of requests leaves one entry.
    pub(crate) fn challenge(&mut self, peer: P, now: Instant) -> [u8; VALUE_LEN] {
        let half = self.policy.lifetime / 2;
        if let Some(challenge) = self.challenged.get(peer)
            && now.saturating_since(challenge.since) < half
        {
            return challenge.value;
        }
        let mut value = [0; VALUE_LEN];
        self.random.fill(&mut value);
        let challenge = Challenge { value, since: now };
        self.challenged.keep(peer, challenge, now + self.policy.lifetime, self.limit);
        value
    }

    /// Looks at the Echo option of a request; whether the peer is verified now.
    pub(crate) fn verify(&mut self, peer: P, value: &[u8], now: Instant) -> bool {
        let right = self.challenged.get(peer).is_some_and(|challenge| {
            challenge.value == value && now.saturating_since(challenge.since) < self.policy.lifetime
        });
        if right {
            self.confirm(peer, now);
        }
        right
    }

    /// The peer has shown in another way that it receives what is sent to it: it acknowledged a message, or there is a session of
    /// DTLS.
    pub(crate) fn confirm(&mut self, peer: P, now: Instant) {
        if self.policy.amplification.is_none() {
            return;
        }
        let until = now + self.policy.lifetime;
        self.verified.keep(peer, until, until, self.limit);
    }

    /// Whether the peer has shown that it receives what is sent to it.
    pub(crate) fn is_verified(&self, peer: P, now: Instant) -> bool {
        self.verified.get(peer).is_some_and(|until| *until > now)
    }

    /// Forgets what is too old.
    pub(crate) fn tick(&mut self, now: Instant) {
        while self.challenged.expire(now) || self.verified.expire(now) {}
    }

    /// When the next one is to be forgotten.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        earlier(self.challenged.next_deadline(), self.verified.next_deadline())
    }
}
