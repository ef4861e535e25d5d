//! What there is of each peer.

use alloc::vec::Vec;

use machine::Instant;
use slab::Slab;

use crate::timers::Timers;
use crate::tree::Tree;

/// A slot for each peer.
#[derive(Debug)]
struct Slots<P> {
    by_peer: Tree,
    peers: Slab<P>,
}

impl<P: Copy + Ord> Slots<P> {
    const fn new(key: u64) -> Self {
        Self { by_peer: Tree::new(key), peers: Slab::new() }
    }

    fn find(&self, peer: P) -> Option<u32> {
        self.by_peer.find(|slot| self.peers[slot as usize].cmp(&peer))
    }

    fn add(&mut self, peer: P) -> u32 {
        let slot = self.peers.insert(peer) as u32;
        self.by_peer.insert(slot, &|other| self.peers[other as usize].cmp(&peer));
        slot
    }

    fn remove(&mut self, slot: u32) {
        if let Some(peer) = self.peers.get(slot as usize) {
            self.by_peer.remove(slot, &|other| self.peers[other as usize].cmp(peer));
            self.peers.remove(slot as usize);
        }
    }
}

/// At most one `T` for each peer.
#[derive(Debug)]
pub(crate) struct PeerMap<P, T> {
    slots: Slots<P>,
    /// By slot; what was in a slot stays until the next peer gets that.
    values: Vec<T>,
}

impl<P: Copy + Ord, T: Copy> PeerMap<P, T> {
    pub(crate) const fn new(key: u64) -> Self {
        Self { slots: Slots::new(key), values: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.peers.len()
    }

    pub(crate) fn find(&self, peer: P) -> Option<u32> {
        self.slots.find(peer)
    }

    pub(crate) fn get(&self, peer: P) -> Option<&T> {
        self.values.get(self.find(peer)? as usize)
    }

    /// The value in an occupied slot.
    pub(crate) fn at_mut(&mut self, slot: u32) -> &mut T {
        &mut self.values[slot as usize]
    }

    /// Adds a value for a peer that has none, and returns its slot.
    pub(crate) fn insert(&mut self, peer: P, value: T) -> u32 {
        let slot = self.slots.add(peer);
        match self.values.get_mut(slot as usize) {
            Some(place) => *place = value,
            None => self.values.push(value),
        }
        slot
    }

    /// Takes out what is in a slot.
    pub(crate) fn remove_at(&mut self, slot: u32) {
        self.slots.remove(slot);
    }
}

/// At most one `T` for each peer, each until its time is over.
#[derive(Debug)]
pub(crate) struct Expiring<P, T> {
    values: PeerMap<P, T>,
    timers: Timers,
}

impl<P: Copy + Ord, T: Copy> Expiring<P, T> {
    pub(crate) fn new(key: u64) -> Self {
        Self { values: PeerMap::new(key), timers: Timers::default() }
    }

    pub(crate) fn get(&self, peer: P) -> Option<&T> {
        self.values.get(peer)
    }

    /// Keeps a value, in place of one that is there. Of more than `limit` the one goes whose time would be over first.
    pub(crate) fn keep(&mut self, peer: P, value: T, until: Instant, limit: usize) {
        let there = self.values.find(peer);
        if there.is_none() && self.values.len() >= limit.max(1) {
            self.expire(Instant::MAX);
        }
        let slot = match there {
            Some(slot) => {
                *self.values.at_mut(slot) = value;
                slot
            }
            None => self.values.insert(peer, value),
        };
        self.timers.set(slot, until);
    }

    /// Forgets one whose time is over at `now`, if there is one.
    pub(crate) fn expire(&mut self, now: Instant) -> bool {
        let due = self.timers.expire(now);
        if let Some(slot) = due {
            self.values.remove_at(slot);
        }
        due.is_some()
    }

    /// When the next one is to be forgotten.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }
}
