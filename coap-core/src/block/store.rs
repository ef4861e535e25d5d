//! What a server keeps for block-wise operations: bounded in number per peer and in bytes for all, and forgotten when it is not
//! used for some time (RFC 7959 §7.1).

use alloc::vec::Vec;
use core::cmp::Ordering;
use core::time::Duration;

use machine::Instant;
use slab::Slab;

use crate::cache_key::CacheKey;
use crate::list::{Links, List};
use crate::tree::Tree;

/// What an entry takes in the tables, beside its key and what it counts itself.
const OVERHEAD: usize = 256;

/// How much may be kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Bytes in all.
    pub(super) bytes: usize,
    /// Entries of one peer.
    pub(super) per_peer: usize,
    /// How long without use.
    pub(super) lifetime: Duration,
    /// How long without use before another's entry may take the place.
    pub(super) patience: Duration,
}

/// One `T` for each peer and operation.
#[derive(Clone, Debug)]
pub(super) struct Store<P, T> {
    bounds: Bounds,
    entries: Slab<Entry<P, T>>,
    /// By peer and operation.
    by_operation: Tree,
    /// By their last use: the first is the first to go.
    by_use: List,
    links: Links,
    bytes: usize,
    dropped: u64,
}

#[derive(Clone, Debug)]
struct Entry<P, T> {
    peer: P,
    key: CacheKey,
    used: Instant,
    bytes: usize,
    value: T,
}

impl<P: Copy + Ord, T> Entry<P, T> {
    fn cmp(&self, peer: P, key: &CacheKey) -> Ordering {
        self.peer.cmp(&peer).then_with(|| self.key.cmp(key))
    }
}

/// There is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

impl<P: Copy + Ord, T> Store<P, T> {
    pub(super) fn new(bounds: Bounds, key: u64) -> Self {
        Self {
            bounds,
            entries: Slab::new(),
            by_operation: Tree::new(key),
            by_use: List::EMPTY,
            links: Links::default(),
            bytes: 0,
            dropped: 0,
        }
    }

    pub(super) fn find(&self, peer: P, key: &CacheKey) -> Option<usize> {
        self.by_operation.find(|id| self.entries[id as usize].cmp(peer, key)).map(|id| id as usize)
    }

    pub(super) fn get(&self, id: usize) -> Option<&T> {
        self.entries.get(id).map(|entry| &entry.value)
    }

    pub(super) fn get_mut(&mut self, id: usize) -> Option<&mut T> {
        self.entries.get_mut(id).map(|entry| &mut entry.value)
    }

    /// It is used: its lifetime begins anew.
    pub(super) fn touch(&mut self, id: usize, now: Instant) {
        if let Some(entry) = self.entries.get_mut(id) {
            entry.used = now;
            self.by_use.remove(&mut self.links, id as u32);
            self.by_use.push(&mut self.links, id as u32);
        }
    }

    /// Keeps something that takes `bytes`, in place of what is there.
    pub(super) fn insert(
        &mut self,
        peer: P,
        key: &CacheKey,
        value: T,
        bytes: usize,
        now: Instant,
    ) -> Result<(), Full> {
        if let Some(old) = self.find(peer, key) {
            self.remove(old);
        }
        self.leave_room_for_one(peer);
        let bytes = bytes.saturating_add(key.len()).saturating_add(OVERHEAD);
        self.make_room(bytes, None, now)?;
        let id = self.entries.insert(Entry { peer, key: key.clone(), used: now, bytes, value });
        let entries = &self.entries;
        self.by_operation.insert(id as u32, &|other| entries[other as usize].cmp(peer, key));
        self.by_use.push(&mut self.links, id as u32);
        self.bytes += bytes;
        Ok(())
    }

    /// An entry takes `more` bytes from now on.
    pub(super) fn grow(&mut self, id: usize, more: usize, now: Instant) -> Result<(), Full> {
        self.make_room(more, Some(id), now)?;
        if let Some(entry) = self.entries.get_mut(id) {
            entry.bytes += more;
            self.bytes += more;
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, id: usize) -> Option<T> {
        let (entries, Entry { peer, key, .. }) = (&self.entries, self.entries.get(id)?);
        self.by_operation.remove(id as u32, &|other| entries[other as usize].cmp(*peer, key));
        let entry = self.entries.try_remove(id)?;
        self.by_use.remove(&mut self.links, id as u32);
        self.bytes -= entry.bytes;
        Some(entry.value)
    }

    /// Forgets what belongs to a peer.
    pub(super) fn forget(&mut self, peer: P) {
        let all: Vec<_> = self.of(peer).collect();
        for id in all {
            self.drop_entry(id);
        }
    }

    /// Forgets what was not used for its lifetime.
    pub(super) fn expire(&mut self, now: Instant) {
        while let Some((id, _)) = self.oldest().filter(|(_, used)| *used + self.bounds.lifetime <= now) {
            self.drop_entry(id);
        }
    }

    /// When the next one is to be forgotten.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.oldest().map(|(_, used)| used + self.bounds.lifetime)
    }

    /// What all entries take.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many entries were dropped for lack of room or use since this was asked last.
    pub(super) const fn take_dropped(&mut self) -> u64 {
        core::mem::replace(&mut self.dropped, 0)
    }

    fn of(&self, peer: P) -> impl Iterator<Item = usize> {
        let mut next =
            self.by_operation.first_from(|id| self.entries[id as usize].cmp(peer, &CacheKey::LEAST));
        core::iter::from_fn(move || {
            let id = next?;
            let entry = self.entries.get(id as usize).filter(|entry| entry.peer == peer)?;
            next = self.by_operation.first_from(|other| {
                // The next but for this one.
                if other == id { Ordering::Less } else { self.entries[other as usize].cmp(peer, &entry.key) }
            });
            Some(id as usize)
        })
    }

    /// The one whose last use is longest ago, and when that was.
    fn oldest(&self) -> Option<(usize, Instant)> {
        let id = self.by_use.first()? as usize;
        self.entries.get(id).map(|entry| (id, entry.used))
    }

    fn drop_entry(&mut self, id: usize) {
        self.remove(id);
        self.dropped += 1;
    }

    /// A peer with as many as it may have loses the one that it used least recently (RFC 9175 §3.3).
    fn leave_room_for_one(&mut self, peer: P) {
        if self.of(peer).count() >= self.bounds.per_peer.max(1) {
            let used = |id: &usize| self.entries.get(*id).map(|entry| (entry.used, *id));
            if let Some(oldest) = self.of(peer).min_by_key(used) {
                self.drop_entry(oldest);
            }
        }
    }

    /// Others go, the least recently used first, until there is room for `bytes`; those in use stay.
    fn make_room(&mut self, bytes: usize, except: Option<usize>, now: Instant) -> Result<(), Full> {
        let room = self.bounds.bytes.checked_sub(bytes).ok_or(Full)?;
        while self.bytes > room {
            let (id, used) = self.oldest().ok_or(Full)?;
            if except == Some(id) || now.saturating_since(used) < self.bounds.patience {
                return Err(Full);
            }
            self.drop_entry(id);
        }
        Ok(())
    }
}
