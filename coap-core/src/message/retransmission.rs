//! When a Confirmable message is repeated, RFC 7252 §4.2.
//!
//! The schedule is fixed by the first transmission and the first time-out T: repetitions at T, 3T, 7T, 15T, the end at 31T.
//! Who comes late sends once, whatever was missed, and the schedule stays.

use core::time::Duration;

use machine::Instant;

use super::timing::Timing;

/// The retransmission counter and time-out of one message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retransmission {
    first_sent: Instant,
    last_sent: Instant,
    timeout: Duration,
    /// Time-outs that have passed, used or missed.
    passed: u32,
    repeated: bool,
}

/// What a time-out calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing: it has not come yet, or the chance was missed.
    Wait,
    Repeat,
    GiveUp,
}

impl Retransmission {
    /// The first transmission is now; `timeout` lies between `ACK_TIMEOUT` and `ACK_TIMEOUT` · `ACK_RANDOM_FACTOR`.
    pub(super) const fn start(timeout: Duration, now: Instant) -> Self {
        Self { first_sent: now, last_sent: now, timeout, passed: 0, repeated: false }
    }

    /// When [`step`](Self::step) is to be asked next. Two transmissions are `ACK_TIMEOUT` apart at least.
    pub(super) fn due(&self, timing: &Timing) -> Instant {
        self.scheduled().max(self.last_sent + timing.ack_timeout)
    }

    /// The time has come. All transmissions stay within `MAX_TRANSMIT_SPAN` of the first.
    pub(super) fn step(&mut self, timing: &Timing, now: Instant) -> Step {
        let before = self.passed;
        while self.passed <= timing.max_retransmit && self.scheduled() <= now {
            self.passed += 1;
        }
        if self.passed > timing.max_retransmit {
            return Step::GiveUp;
        }
        let in_span = now <= self.first_sent + timing.max_transmit_span;
        if self.passed == before || !in_span || now < self.last_sent + timing.ack_timeout {
            return Step::Wait;
        }
        self.last_sent = now;
        self.repeated = true;
        Step::Repeat
    }

    pub(super) const fn first_sent(&self) -> Instant {
        self.first_sent
    }

    /// The time since the transmission that an answer belongs to; `None` when it could be one of several (Karn).
    pub(super) fn round_trip(&self, now: Instant) -> Option<Duration> {
        (!self.repeated).then(|| now - self.first_sent)
    }

    fn scheduled(&self) -> Instant {
        // Most messages need no more, and the product is dear.
        if self.passed == 0 {
            return self.first_sent + self.timeout;
        }
        let intervals = (1_u64 << (self.passed + 1).min(32)) - 1;
        self.first_sent + self.timeout.saturating_mul(intervals as u32)
    }
}
