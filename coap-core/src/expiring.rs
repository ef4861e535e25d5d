//! What is kept of peers for some time each.

use alloc::collections::BTreeMap;

use machine::Instant;
use slab::Slab;

use crate::timers::Timers;

/// At most one `T` for each peer, each until its time is over.
#[derive(Debug)]
pub(crate) struct Expiring<P, T> {
    by_peer: BTreeMap<P, u32>,
    entries: Slab<(P, T)>,
    timers: Timers,
}

impl<P: Copy + Ord, T> Expiring<P, T> {
    pub(crate) fn new() -> Self {
        Self { by_peer: BTreeMap::new(), entries: Slab::new(), timers: Timers::default() }
    }

    pub(crate) fn get(&self, peer: P) -> Option<&T> {
        self.entries.get(*self.by_peer.get(&peer)? as usize).map(|(_, value)| value)
    }

    /// Keeps a value, in place of one that is there. Of more than `limit` the one goes whose time would be over first.
    pub(crate) fn keep(&mut self, peer: P, value: T, until: Instant, limit: usize) {
        let there = self.by_peer.get(&peer).copied();
        if there.is_none() && self.entries.len() >= limit.max(1) {
            self.expire(Instant::MAX);
        }
        let slot = there.unwrap_or_else(|| self.entries.vacant_key() as u32);
        if let Some((_, old)) = self.entries.get_mut(slot as usize) {
            *old = value;
        } else {
            self.entries.insert((peer, value));
            self.by_peer.insert(peer, slot);
        }
        self.timers.set(slot, until);
    }

    /// Forgets one whose time is over at `now`, if there is one.
    pub(crate) fn expire(&mut self, now: Instant) -> bool {
        let Some(slot) = self.timers.expire(now) else { return false };
        if let Some((peer, _)) = self.entries.try_remove(slot as usize) {
            self.by_peer.remove(&peer);
        }
        true
    }

    /// When the next one is to be forgotten.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        assert_eq!(self.by_peer.len(), self.entries.len());
        self.entries.len()
    }
}
