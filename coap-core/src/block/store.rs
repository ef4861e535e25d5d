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
    shelf: Shelf<P>,
    /// By the place on the shelf.
    values: Vec<Option<T>>,
}

/// What is there, of whatever kind.
#[derive(Clone, Debug)]
struct Shelf<P> {
    bounds: Bounds,
    entries: Slab<Entry<P>>,
    /// By peer and operation.
    by_operation: Tree,
    /// By their last use: the first is the first to go.
    by_use: List,
    links: Links,
    bytes: usize,
    dropped: u64,
}

#[derive(Clone, Debug)]
struct Entry<P> {
    peer: P,
    key: CacheKey,
    used: Instant,
    bytes: usize,
}

/// There is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

impl<P: Copy + Ord, T> Store<P, T> {
    pub(super) const fn new(bounds: Bounds, key: u64) -> Self {
        Self { shelf: Shelf::new(bounds, key), values: Vec::new() }
    }

    pub(super) fn find(&self, peer: P, key: &CacheKey) -> Option<usize> {
        self.shelf.find(peer, key)
    }

    pub(super) fn get(&self, id: usize) -> Option<&T> {
        self.values.get(id)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, id: usize) -> Option<&mut T> {
        self.values.get_mut(id)?.as_mut()
    }

    /// It is used: its lifetime begins anew.
    pub(super) fn touch(&mut self, id: usize, now: Instant) {
        self.shelf.touch(id, now);
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
        if let Some(surplus) = self.shelf.surplus(peer) {
            self.give_up(surplus);
        }
        let bytes = bytes.saturating_add(key.len()).saturating_add(OVERHEAD);
        self.make_room(bytes, None, now)?;
        let id = self.shelf.add(Entry { peer, key: key.clone(), used: now, bytes });
        match self.values.get_mut(id) {
            Some(place) => *place = Some(value),
            None => self.values.push(Some(value)),
        }
        Ok(())
    }

    /// An entry takes `more` bytes from now on.
    pub(super) fn grow(&mut self, id: usize, more: usize, now: Instant) -> Result<(), Full> {
        self.make_room(more, Some(id), now)?;
        self.shelf.grow(id, more);
        Ok(())
    }

    pub(super) fn remove(&mut self, id: usize) -> Option<T> {
        self.shelf.remove(id);
        self.values.get_mut(id)?.take()
    }

    /// Forgets what belongs to a peer.
    pub(super) fn forget(&mut self, peer: P) {
        while let Some(id) = { self.shelf.of(peer).next() } {
            self.give_up(id);
        }
    }

    /// Forgets what was not used for its lifetime.
    pub(super) fn expire(&mut self, now: Instant) {
        while let Some((id, _)) =
            self.shelf.oldest().filter(|(_, used)| *used + self.shelf.bounds.lifetime <= now)
        {
            self.give_up(id);
        }
    }

    /// When the next one is to be forgotten.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.shelf.oldest().map(|(_, used)| used + self.shelf.bounds.lifetime)
    }

    /// What all entries take.
    pub(super) const fn bytes(&self) -> usize {
        self.shelf.bytes
    }

    /// How many entries were dropped for lack of room or use since this was asked last.
    pub(super) const fn take_dropped(&mut self) -> u64 {
        core::mem::replace(&mut self.shelf.dropped, 0)
    }

    /// Others go, the least recently used first, until there is room for `bytes`; those in use stay.
    fn make_room(&mut self, bytes: usize, except: Option<usize>, now: Instant) -> Result<(), Full> {
        while let Some(id) = self.shelf.in_the_way(bytes, except, now)? {
            self.give_up(id);
        }
        Ok(())
    }

    /// Drops what would be of use yet.
    fn give_up(&mut self, id: usize) {
        self.remove(id);
        self.shelf.dropped += 1;
    }
}

impl<P: Copy + Ord> Shelf<P> {
    const fn new(bounds: Bounds, key: u64) -> Self {
        Self {
            bounds,
            entries: Slab::new(),
            by_operation: Tree::new(key),
            by_use: List::EMPTY,
            links: Links::EMPTY,
            bytes: 0,
            dropped: 0,
        }
    }

    fn find(&self, peer: P, key: &CacheKey) -> Option<usize> {
        self.by_operation.find(|id| self.entries[id as usize].cmp(peer, key)).map(|id| id as usize)
    }

    fn touch(&mut self, id: usize, now: Instant) {
        if let Some(entry) = self.entries.get_mut(id) {
            entry.used = now;
            self.by_use.remove(&mut self.links, id as u32);
            self.by_use.push(&mut self.links, id as u32);
        }
    }

    fn add(&mut self, entry: Entry<P>) -> usize {
        self.bytes += entry.bytes;
        let id = self.entries.insert(entry);
        let (entries, Entry { peer, key, .. }) = (&self.entries, &self.entries[id]);
        self.by_operation.insert(id as u32, &|other| entries[other as usize].cmp(*peer, key));
        self.by_use.push(&mut self.links, id as u32);
        id
    }

    fn grow(&mut self, id: usize, more: usize) {
        if let Some(entry) = self.entries.get_mut(id) {
            entry.bytes += more;
            self.bytes += more;
        }
    }

    fn remove(&mut self, id: usize) {
        let (entries, Some(Entry { peer, key, .. })) = (&self.entries, self.entries.get(id)) else { return };
        self.by_operation.remove(id as u32, &|other| entries[other as usize].cmp(*peer, key));
        self.by_use.remove(&mut self.links, id as u32);
        self.bytes -= self.entries.remove(id).bytes;
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

    /// A peer with as many as it may have loses the one that it used least recently (RFC 9175 §3.3).
    fn surplus(&self, peer: P) -> Option<usize> {
        let used = |id: &usize| self.entries.get(*id).map(|entry| (entry.used, *id));
        let is_full = self.of(peer).count() >= self.bounds.per_peer.max(1);
        if is_full { self.of(peer).min_by_key(used) } else { None }
    }

    /// What has to go before there is room for `bytes`.
    fn in_the_way(&self, bytes: usize, except: Option<usize>, now: Instant) -> Result<Option<usize>, Full> {
        let room = self.bounds.bytes.checked_sub(bytes).ok_or(Full)?;
        if self.bytes <= room {
            return Ok(None);
        }
        let (id, used) = self.oldest().ok_or(Full)?;
        let is_in_use = except == Some(id) || now.saturating_since(used) < self.bounds.patience;
        if is_in_use { Err(Full) } else { Ok(Some(id)) }
    }
}

impl<P: Copy + Ord> Entry<P> {
    fn cmp(&self, peer: P, key: &CacheKey) -> Ordering {
        self.peer.cmp(&peer).then_with(|| self.key.cmp(key))
    }
}
