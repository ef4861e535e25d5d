//! The few deadlines of a client: an array instead of a map.

use machine::Instant;

/// What has a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// Opening, CONNACK, a step of authentication.
    Connect,
    /// The next attempt.
    Reconnect,
    /// PINGREQ is due, unless something was sent since.
    Ping,
    /// PINGRESP is overdue.
    PingTimeout,
}

impl Timer {
    const ALL: [Self; 4] = [Self::Connect, Self::Reconnect, Self::Ping, Self::PingTimeout];
}

/// At most one deadline for each timer.
#[derive(Clone, Debug, Default)]
pub(super) struct Timers([Option<Instant>; Timer::ALL.len()]);

impl Timers {
    pub(super) fn set(&mut self, timer: Timer, at: Instant) {
        self.0[timer as usize] = Some(at);
    }

    pub(super) fn cancel(&mut self, timer: Timer) {
        self.0[timer as usize] = None;
    }

    pub(super) fn is_set(&self, timer: Timer) -> bool {
        self.0[timer as usize].is_some()
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.0.iter().flatten().min().copied()
    }

    /// Takes out one timer whose deadline is at or before `now`, the earliest first.
    pub(super) fn expire(&mut self, now: Instant) -> Option<Timer> {
        let earliest = self.next().filter(|at| *at <= now)?;
        let timer = Timer::ALL.into_iter().find(|timer| self.0[*timer as usize] == Some(earliest))?;
        self.cancel(timer);
        Some(timer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_first_and_each_once() {
        let at = Instant::from_micros;
        let mut timers = Timers::default();
        timers.set(Timer::Ping, at(3));
        timers.set(Timer::PingTimeout, at(5));
        timers.set(Timer::Connect, at(3));
        timers.set(Timer::Reconnect, at(1));
        timers.cancel(Timer::Reconnect);
        assert_eq!(timers.next(), Some(at(3)));
        assert_eq!(timers.expire(at(2)), None);
        let expired: alloc::vec::Vec<_> = core::iter::from_fn(|| timers.expire(at(5))).collect();
        assert_eq!(expired, [Timer::Connect, Timer::Ping, Timer::PingTimeout]);
        assert_eq!(timers.next(), None);
    }
}
