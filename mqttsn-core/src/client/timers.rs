//! The few deadlines of a client: an array instead of a map, for a firmware's sake.

use machine::Instant;

use super::transaction::Slot;

/// What a client waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// `T_retry` of a transaction.
    Retry(Slot),
    /// `T_WAIT` of something that was congested.
    Hold(Hold),
    KeepAlive,
    /// The end of a nap.
    Wake,
    /// The next attempt to connect.
    Wait,
    /// `T_SEARCHGW`, and what follows it.
    Search,
    /// `T_GWINFO`.
    Answer,
    /// A gateway has not advertised itself.
    Gateways,
}

/// What waits for congestion to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    Publish,
    Register,
    Request,
}

impl Hold {
    pub(super) const ALL: [Self; 3] = [Self::Publish, Self::Register, Self::Request];
}

const SLOTS: usize = Slot::ALL.len();
const HOLDS: usize = Hold::ALL.len();
const OTHERS: [Timer; 6] =
    [Timer::KeepAlive, Timer::Wake, Timer::Wait, Timer::Search, Timer::Answer, Timer::Gateways];

impl Timer {
    const fn place(self) -> usize {
        match self {
            Self::Retry(slot) => slot as usize,
            Self::Hold(hold) => SLOTS + hold as usize,
            Self::KeepAlive => SLOTS + HOLDS,
            Self::Wake => SLOTS + HOLDS + 1,
            Self::Wait => SLOTS + HOLDS + 2,
            Self::Search => SLOTS + HOLDS + 3,
            Self::Answer => SLOTS + HOLDS + 4,
            Self::Gateways => SLOTS + HOLDS + 5,
        }
    }

    fn all() -> impl Iterator<Item = Self> {
        let retries = Slot::ALL.into_iter().map(Self::Retry);
        retries.chain(Hold::ALL.into_iter().map(Self::Hold)).chain(OTHERS)
    }
}

/// At most one deadline for each timer.
#[derive(Clone, Debug, Default)]
pub(super) struct Timers([Option<Instant>; SLOTS + HOLDS + OTHERS.len()]);

impl Timers {
    pub(super) fn set(&mut self, timer: Timer, at: Instant) {
        self.0[timer.place()] = Some(at);
    }

    pub(super) fn cancel(&mut self, timer: Timer) {
        self.0[timer.place()] = None;
    }

    pub(super) fn is_set(&self, timer: Timer) -> bool {
        self.0[timer.place()].is_some()
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.0.iter().flatten().min().copied()
    }

    /// Takes out one timer whose deadline is at or before `now`, the earliest first.
    pub(super) fn expire(&mut self, now: Instant) -> Option<Timer> {
        let earliest = self.next().filter(|at| *at <= now);
        let timer = Timer::all().find(|timer| earliest.is_some() && self.0[timer.place()] == earliest)?;
        self.cancel(timer);
        Some(timer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_timer_has_a_place_of_its_own() {
        let places: alloc::vec::Vec<_> = Timer::all().map(Timer::place).collect();
        assert_eq!(places, (0..Timers::default().0.len()).collect::<alloc::vec::Vec<_>>());
    }

    #[test]
    fn the_earliest_first_and_each_once() {
        let at = Instant::from_micros;
        let mut timers = Timers::default();
        timers.set(Timer::Wake, at(3));
        timers.set(Timer::Retry(Slot::Ping), at(5));
        timers.set(Timer::Gateways, at(3));
        timers.set(Timer::Wait, at(1));
        timers.cancel(Timer::Wait);
        assert_eq!(timers.next(), Some(at(3)));
        assert_eq!(timers.expire(at(2)), None);
        let expired: alloc::vec::Vec<_> = core::iter::from_fn(|| timers.expire(at(5))).collect();
        assert_eq!(expired, [Timer::Wake, Timer::Gateways, Timer::Retry(Slot::Ping)]);
        assert_eq!(timers.next(), None);
    }
}
