//! The subscriptions, and for each subscriber the ring of its own in the order in which they were added.

use core::ops::{Index, IndexMut};

use super::SubscriberId;
use super::hash::Key;
use super::place::Origin;
use super::slab::Slab;
use super::table::Table;

#[derive(Clone, Debug)]
pub(super) struct Entry<V> {
    pub(super) subscriber: SubscriberId,
    pub(super) origin: Origin,
    pub(super) value: V,
    before: u32,
    after: u32,
}

/// One subscriber's ring.
#[derive(Clone, Debug)]
struct Ring {
    subscriber: SubscriberId,
    first: u32,
    /// 0 of a ring that was removed.
    count: u32,
}

#[derive(Clone, Debug)]
pub(super) struct Entries<V> {
    slab: Slab<Entry<V>>,
    rings: Slab<Ring>,
    table: Table,
}

impl<V> Default for Entries<V> {
    fn default() -> Self {
        Self { slab: Slab::default(), rings: Slab::default(), table: Table::default() }
    }
}

impl<V: Copy> Entries<V> {
    /// Adds a subscription at the end of the subscriber's ring. The caller has asked `has_space`.
    pub(super) fn add(&mut self, key: &Key, subscriber: SubscriberId, origin: Origin, value: V) -> u32 {
        let number = self.slab.insert(Entry { subscriber, origin, value, before: 0, after: 0 });
        let Some(ring) = self.ring(key, subscriber) else {
            (self.slab[number].before, self.slab[number].after) = (number, number);
            let ring = self.rings.insert(Ring { subscriber, first: number, count: 1 });
            self.table.insert(key.pair(0, subscriber.0), ring);
            return number;
        };
        self.rings[ring].count += 1;
        let first = self.rings[ring].first;
        let last = self.slab[first].before;
        (self.slab[number].before, self.slab[number].after) = (last, first);
        self.slab[last].after = number;
        self.slab[first].before = number;
        number
    }

    pub(super) fn remove(&mut self, key: &Key, number: u32) -> V {
        let Entry { subscriber, value, before, after, .. } = self.slab[number];
        self.slab[before].after = after;
        self.slab[after].before = before;
        self.slab.remove(number);
        if let Some(position) = self.ring_position(key, subscriber) {
            let ring = self.table.index(position);
            let Ring { first, count, .. } = &mut self.rings[ring];
            *count -= 1;
            if *first == number {
                *first = after;
            }
            if *count == 0 {
                self.table.remove(position);
                self.rings.remove(ring);
            }
        }
        value
    }

    /// The first subscription of a subscriber.
    pub(super) fn first_of(&self, key: &Key, subscriber: SubscriberId) -> Option<u32> {
        self.ring(key, subscriber).map(|ring| self.rings[ring].first)
    }

    /// All subscriptions of a subscriber, in the order in which they were added.
    pub(super) fn of(&self, key: &Key, subscriber: SubscriberId) -> impl Iterator<Item = u32> {
        self.ring(key, subscriber).into_iter().flat_map(|ring| self.around(&self.rings[ring]))
    }

    pub(super) fn count_of(&self, key: &Key, subscriber: SubscriberId) -> u32 {
        self.ring(key, subscriber).map_or(0, |ring| self.rings[ring].count)
    }

    /// All subscriptions, subscriber by subscriber.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry<V>> {
        let rings = self.rings.iter().filter(|ring| ring.count > 0);
        rings.flat_map(|ring| self.around(ring)).map(|number| &self.slab[number])
    }

    pub(super) fn len(&self) -> usize {
        self.slab.len()
    }

    pub(super) fn has_space(&self) -> bool {
        self.slab.has_space(1)
    }

    pub(super) fn holes(&self) -> usize {
        self.slab.holes() + self.rings.holes()
    }

    fn around(&self, ring: &Ring) -> impl Iterator<Item = u32> {
        let next = |&number: &u32| Some(self.slab[number].after);
        core::iter::successors(Some(ring.first), next).take(ring.count as usize)
    }

    fn ring(&self, key: &Key, subscriber: SubscriberId) -> Option<u32> {
        self.ring_position(key, subscriber).map(|position| self.table.index(position))
    }

    fn ring_position(&self, key: &Key, subscriber: SubscriberId) -> Option<usize> {
        self.table.find(key.pair(0, subscriber.0), |ring| self.rings[ring].subscriber == subscriber)
    }
}

impl<V> Index<u32> for Entries<V> {
    type Output = Entry<V>;
    fn index(&self, number: u32) -> &Entry<V> {
        &self.slab[number]
    }
}

impl<V> IndexMut<u32> for Entries<V> {
    fn index_mut(&mut self, number: u32) -> &mut Entry<V> {
        &mut self.slab[number]
    }
}
