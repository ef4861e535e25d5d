//! How much goes to a peer that does not answer, RFC 7252 §4.7.

use core::time::Duration;

use machine::Instant;

/// `PROBING_RATE`: after a message to a silent peer the next waits until the average is back at the rate.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Brake(Option<Instant>);

impl Brake {
    /// When the next message may go, unless it may now.
    pub(super) fn opens_at(self, now: Instant) -> Option<Instant> {
        self.0.filter(|&at| at > now)
    }

    /// A message of this many bytes has gone, as the brake was open.
    pub(super) fn charge(&mut self, bytes: usize, bytes_per_second: u32, now: Instant) {
        let micros = (bytes as u64).saturating_mul(1_000_000).checked_div(u64::from(bytes_per_second));
        let paid_off = Duration::from_micros(micros.unwrap_or(u64::MAX));
        self.0 = Some(now + paid_off);
    }

    /// The peer has been heard from.
    pub(super) fn release(&mut self) {
        self.0 = None;
    }
}

/// How many rejections go out per second, so that unsound datagrams from forged addresses cannot make much of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rejections {
    per_second: u32,
    second: Option<Instant>,
    sent: u32,
}

impl Rejections {
    pub(super) const fn new(per_second: u32) -> Self {
        Self { per_second, second: None, sent: 0 }
    }

    /// Whether one more may go, which counts then.
    pub(super) fn allow(&mut self, now: Instant) -> bool {
        if self.second.is_none_or(|start| now - start >= Duration::from_secs(1)) {
            self.second = Some(now);
            self.sent = 0;
        }
        let allowed = self.sent < self.per_second;
        self.sent += u32::from(allowed);
        allowed
    }
}
