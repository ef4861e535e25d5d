//! What addresses without a connection can make the gateway do: so much per second, each and all together.

use alloc::collections::BTreeMap;
use core::time::Duration;

use machine::Instant;

use super::config::StrangerLimits;

const WINDOW: Duration = Duration::from_secs(1);

/// Counts of the second that runs.
#[derive(Debug)]
pub(super) struct Strangers<A> {
    limits: StrangerLimits,
    since: Instant,
    total: Count,
    each: BTreeMap<A, Count>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    answers: u32,
    messages: u32,
}

/// What is to be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Something is sent to an address that nobody has connected from.
    Answer,
    /// A message of QoS -1 is taken.
    Message,
}

impl<A: Ord + Clone> Strangers<A> {
    pub(super) fn new(limits: StrangerLimits, now: Instant) -> Self {
        Self { limits, since: now, total: Count::default(), each: BTreeMap::new() }
    }

    /// Whether it may be done now, for this address; it is counted if so.
    pub(super) fn allow(&mut self, address: &A, deed: Deed, now: Instant) -> bool {
        if now - self.since >= WINDOW {
            self.since = now;
            self.total = Count::default();
            self.each.clear();
        }
        let limits = &self.limits;
        if !self.each.contains_key(address) && self.each.len() >= limits.addresses as usize {
            return false;
        }
        let each = self.each.entry(address.clone()).or_default();
        let (total, each, limit, limit_each) = match deed {
            Deed::Answer => (&mut self.total.answers, &mut each.answers, limits.answers, limits.answers_each),
            Deed::Message => {
                (&mut self.total.messages, &mut each.messages, limits.messages, limits.messages_each)
            }
        };
        if *total >= limit || *each >= limit_each {
            return false;
        }
        *total += 1;
        *each += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_and_all_together_have_a_limit_per_second() {
        let limits =
            StrangerLimits { answers: 5, answers_each: 3, messages: 1, messages_each: 1, addresses: 3 };
        let now = Instant::from_micros(9);
        let mut strangers = Strangers::new(limits, now);
        let mut allowed =
            |address: u8, now| (0..10).take_while(|_| strangers.allow(&address, Deed::Answer, now)).count();
        assert_eq!(allowed(1, now), 3);
        assert_eq!(allowed(2, now), 2, "all together");
        assert_eq!(allowed(3, now), 0);
        let later = now + WINDOW;
        assert_eq!(allowed(2, later), 3);
        assert!(strangers.allow(&2, Deed::Message, later));
        assert!(!strangers.allow(&1, Deed::Message, later));
    }

    #[test]
    fn no_more_addresses_are_kept_than_the_limit_says() {
        let limits = StrangerLimits { addresses: 2, ..StrangerLimits::default() };
        let mut strangers = Strangers::new(limits, Instant::EPOCH);
        let allowed: Vec<_> =
            (0..4).map(|address| strangers.allow(&address, Deed::Answer, Instant::EPOCH)).collect();
        assert_eq!(allowed, [true, true, false, false]);
    }

    use alloc::vec::Vec;
}
