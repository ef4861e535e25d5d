use alloc::collections::{BTreeMap, BTreeSet};

use crate::Instant;

/// A set of deadlines, at most one for each key.
///
/// Setting, cancelling and expiring cost O(log n); asking for the next one is cheap. Keys that are due at the same
/// instant expire in the order of the keys, so that a run can be repeated exactly.
///
/// A deadline that moves with every packet (a keep-alive, an idle time-out) need not be set with every packet: keep the
/// time of the last packet beside it and, when the deadline expires, set it anew if that time has moved on.
///
/// ```
/// use core::time::Duration;
/// use machine::{Deadlines, Instant};
///
/// let now = Instant::EPOCH;
/// let mut deadlines = Deadlines::new();
/// deadlines.set("ping", now + Duration::from_secs(2));
/// deadlines.set("idle", now + Duration::from_secs(1));
/// deadlines.set("idle", now + Duration::from_secs(3)); // replaces
///
/// assert_eq!(deadlines.next(), Some(now + Duration::from_secs(2)));
/// assert_eq!(deadlines.expire(now + Duration::from_secs(2)), Some("ping"));
/// assert_eq!(deadlines.expire(now + Duration::from_secs(2)), None);
/// ```
#[derive(Clone, Debug)]
pub struct Deadlines<K> {
    by_time: BTreeSet<(Instant, K)>,
    by_key: BTreeMap<K, Instant>,
}

impl<K: Ord + Copy> Deadlines<K> {
    /// No deadlines.
    pub const fn new() -> Self {
        Self { by_time: BTreeSet::new(), by_key: BTreeMap::new() }
    }

    /// Sets the deadline of `key`, in place of an earlier one.
    pub fn set(&mut self, key: K, at: Instant) {
        match self.by_key.insert(key, at) {
            Some(old) if old == at => return,
            Some(old) => _ = self.by_time.remove(&(old, key)),
            None => {}
        }
        self.by_time.insert((at, key));
    }

    /// Forgets the deadline of `key` and returns it.
    pub fn cancel(&mut self, key: K) -> Option<Instant> {
        let at = self.by_key.remove(&key)?;
        self.by_time.remove(&(at, key));
        Some(at)
    }

    /// The deadline of `key`.
    pub fn get(&self, key: K) -> Option<Instant> {
        self.by_key.get(&key).copied()
    }

    /// The earliest deadline of all.
    pub fn next(&self) -> Option<Instant> {
        self.by_time.first().map(|&(at, _)| at)
    }

    /// Takes out one key whose deadline is at or before `now`, the earliest first.
    pub fn expire(&mut self, now: Instant) -> Option<K> {
        let &(at, key) = self.by_time.first().filter(|(at, _)| *at <= now)?;
        self.by_time.remove(&(at, key));
        self.by_key.remove(&key);
        Some(key)
    }

    /// How many deadlines are set.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether no deadline is set.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }
}

impl<K: Ord + Copy> Default for Deadlines<K> {
    fn default() -> Self {
        Self::new()
    }
}
