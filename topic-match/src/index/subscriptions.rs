use alloc::string::String;

use super::entries::Entries;
use super::exact::Exact;
use super::hash::Key;
use super::lists::Lists;
use super::place::{Origin, Source, Subscribers};
use super::trie::Trie;
use super::walk::{Frontier, Walk};
use super::{Full, IndexLimits, SubscriberId};
use crate::{TopicFilter, TopicName};

/// Who subscribes to what: filter and subscriber to a small value, such as the subscription's options.
///
/// Filters without wildcards are in one table, the others in a tree of their levels. A lookup costs one
/// probe of the table and a visit to each node of the tree whose path matches a beginning of the name.
#[derive(Clone, Debug)]
pub struct SubscriptionIndex<V> {
    exact: Exact,
    trie: Trie,
    entries: Entries<V>,
    lists: Lists,
    /// Different filters with wildcards.
    wildcard_filters: usize,
    key: Key,
    seed: u64,
    limits: IndexLimits,
}

/// What a lookup works in; keep one and lend it to every lookup, so that none allocates. It grows to the
/// largest number of nodes that are visited at one level of a name, 8 bytes each.
#[derive(Clone, Default, Debug)]
pub struct Scratch(Frontier);

/// A lookup that visited as many nodes as [`IndexLimits::visited_nodes`] allows and is not at its end:
/// what matched so far has been visited, [`resume`](Self::resume) goes on.
#[must_use = "matches are missing until the lookup is resumed"]
#[derive(Debug)]
pub struct Incomplete<'a, V> {
    index: &'a SubscriptionIndex<V>,
    walk: Walk<'a>,
    scratch: &'a mut Scratch,
}

impl<V: Copy> Incomplete<'_, V> {
    /// Goes on with the lookup, within the same limit for this call.
    ///
    /// # Errors
    /// Still not at its end.
    pub fn resume(mut self, mut visit: impl FnMut(SubscriberId, V)) -> Result<(), Self> {
        let Self { index, walk, scratch } = &mut self;
        let found = |subscribers| index.visit_subscribers(subscribers, &mut visit);
        let budget = index.limits.visited_nodes.max(1);
        if walk.go_on(&index.trie, &index.key, &mut scratch.0, budget, found) { Ok(()) } else { Err(self) }
    }
}

impl<V: Copy> SubscriptionIndex<V> {
    /// An empty index. The seed keys its hash tables: it should be unknown to peers.
    pub fn new(limits: IndexLimits, seed: u64) -> Self {
        Self {
            exact: Exact::default(),
            trie: Trie::new(),
            entries: Entries::default(),
            lists: Lists::default(),
            wildcard_filters: 0,
            key: Key::new(seed),
            seed,
            limits,
        }
    }

    /// Adds a subscription, or replaces its value and returns the old one. The work does not depend on how
    /// many subscribers the filter has.
    ///
    /// # Errors
    /// The limit in the way; a replacement always succeeds.
    pub fn insert(
        &mut self,
        filter: TopicFilter<'_>,
        subscriber: SubscriberId,
        value: V,
    ) -> Result<Option<V>, Full> {
        let place = self.find(filter);
        let subscribers = place.map_or(Subscribers::NOBODY, |place| self.subscribers(place));
        if let Some(entry) = self.lists.find(&self.key, &self.entries, subscribers, subscriber) {
            return Ok(Some(core::mem::replace(&mut self.entries[entry].value, value)));
        }
        self.check_limits(subscriber, subscribers)?;
        match place {
            Some(place) => self.join(place, subscribers, subscriber, value),
            None => self.insert_filter(filter, subscriber, value)?,
        }
        Ok(None)
    }

    /// The value of one subscription.
    pub fn get(&self, filter: TopicFilter<'_>, subscriber: SubscriberId) -> Option<V> {
        self.entry(filter, subscriber).map(|entry| self.entries[entry].value)
    }

    /// Removes one subscription and returns its value.
    pub fn remove(&mut self, filter: TopicFilter<'_>, subscriber: SubscriberId) -> Option<V> {
        let entry = self.entry(filter, subscriber)?;
        let value = self.remove_entry(entry);
        self.compact();
        Some(value)
    }

    /// Removes all subscriptions of a subscriber and returns how many there were, with work in proportion.
    pub fn remove_subscriber(&mut self, subscriber: SubscriberId) -> usize {
        let mut removed = 0;
        while let Some(entry) = self.entries.first_of(&self.key, subscriber) {
            self.remove_entry(entry);
            removed += 1;
        }
        self.compact();
        removed
    }

    /// Visits the subscriptions of a subscriber in the order in which they were added.
    pub fn subscriptions_of(&self, subscriber: SubscriberId, mut visit: impl FnMut(&str, V)) {
        let mut filter = String::new();
        for entry in self.entries.of(&self.key, subscriber) {
            let entry = &self.entries[entry];
            filter.clear();
            self.write_filter(entry.origin, &mut filter);
            visit(&filter, entry.value);
        }
    }

    /// Visits every subscription whose filter matches the name, in an order that is the same for the same
    /// history of the index and the same seed.
    ///
    /// # Errors
    /// The lookup reached [`IndexLimits::visited_nodes`]: resume it.
    pub fn visit<'a>(
        &'a self,
        name: TopicName<'a>,
        scratch: &'a mut Scratch,
        mut visit: impl FnMut(SubscriberId, V),
    ) -> Result<(), Incomplete<'a, V>> {
        if let Some(position) = self.exact.find(&self.key, name.as_str(), &self.entries, &self.lists) {
            self.visit_subscribers(self.exact.subscribers(position), &mut visit);
        }
        if self.wildcard_filters == 0 {
            return Ok(()); // the tree has those alone
        }
        let walk = Walk::new(name, &mut scratch.0);
        Incomplete { index: self, walk, scratch }.resume(visit)
    }

    /// How many subscriptions there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no subscription.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many different filters there are.
    pub fn filters(&self) -> usize {
        self.exact.len() + self.wildcard_filters
    }

    /// How many subscriptions a subscriber has.
    pub fn count_of(&self, subscriber: SubscriberId) -> usize {
        self.entries.count_of(&self.key, subscriber) as usize
    }
}

/// An index with fewer unused places is not worth being built again.
const WORTHWHILE: usize = 1024;

/// Where the subscribers of a filter are.
#[derive(Clone, Copy)]
enum Place {
    Exact(usize),
    Node { node: u32, multi: bool },
}

impl<V: Copy> SubscriptionIndex<V> {
    fn find(&self, filter: TopicFilter<'_>) -> Option<Place> {
        if filter.has_wildcard() {
            let (node, multi) = self.trie.find(&self.key, filter.as_str())?;
            Some(Place::Node { node, multi })
        } else {
            self.exact.find(&self.key, filter.as_str(), &self.entries, &self.lists).map(Place::Exact)
        }
    }

    fn entry(&self, filter: TopicFilter<'_>, subscriber: SubscriberId) -> Option<u32> {
        let subscribers = self.subscribers(self.find(filter)?);
        self.lists.find(&self.key, &self.entries, subscribers, subscriber)
    }

    fn subscribers(&self, place: Place) -> Subscribers {
        match place {
            Place::Exact(position) => self.exact.subscribers(position),
            Place::Node { node, multi } => self.trie.subscribers(node, multi),
        }
    }

    fn set_subscribers(&mut self, place: Place, subscribers: Subscribers) {
        match place {
            Place::Exact(position) => self.exact.set_subscribers(position, subscribers),
            Place::Node { node, multi } => self.trie.set_subscribers(node, multi, subscribers),
        }
    }

    fn visit_subscribers(&self, subscribers: Subscribers, visit: &mut impl FnMut(SubscriberId, V)) {
        for &entry in self.lists.members(subscribers, &mut 0) {
            let entry = &self.entries[entry];
            visit(entry.subscriber, entry.value);
        }
    }

    fn check_limits(&self, subscriber: SubscriberId, subscribers: Subscribers) -> Result<(), Full> {
        let IndexLimits { filters, subscriptions, per_subscriber, .. } = self.limits;
        if self.len() >= subscriptions as usize {
            Err(Full::Subscriptions)
        } else if self.count_of(subscriber) >= per_subscriber as usize {
            Err(Full::PerSubscriber)
        } else if subscribers == Subscribers::NOBODY && self.filters() >= filters as usize {
            Err(Full::Filters)
        } else if !self.entries.has_space() {
            Err(Full::Space)
        } else {
            Ok(())
        }
    }

    /// Adds a subscriber to a filter that has some, or to a node that has none.
    fn join(&mut self, place: Place, subscribers: Subscribers, subscriber: SubscriberId, value: V) {
        let origin = match place {
            Place::Node { node, multi } => Origin::new(Source::Node { node, multi }),
            // Replaced by the list's: an exact filter is there only while it has subscribers.
            Place::Exact(_) => Origin::new(Source::List(0)),
        };
        self.wildcard_filters += usize::from(subscribers == Subscribers::NOBODY);
        let entry = self.entries.add(&self.key, subscriber, origin, value);
        let subscribers = self.lists.add(&self.key, &mut self.entries, subscribers, entry);
        self.set_subscribers(place, subscribers);
    }

    /// Adds a filter with its first subscriber.
    fn insert_filter(
        &mut self,
        filter: TopicFilter<'_>,
        subscriber: SubscriberId,
        value: V,
    ) -> Result<(), Full> {
        if filter.has_wildcard() {
            let (node, multi) = self.trie.find_or_insert(&self.key, filter.as_str()).ok_or(Full::Space)?;
            self.join(Place::Node { node, multi }, Subscribers::NOBODY, subscriber, value);
        } else if self.exact.has_space() {
            let origin = self.exact.keep(filter.as_str());
            let entry = self.entries.add(&self.key, subscriber, origin, value);
            self.exact.insert(&self.key, filter.as_str(), Subscribers::one(entry));
        } else {
            return Err(Full::Space);
        }
        Ok(())
    }

    fn remove_entry(&mut self, entry: u32) -> V {
        let mut subscribers = Subscribers::one(entry);
        let mut origin = self.entries[entry].origin;
        if let Source::List(list) = origin.source() {
            (subscribers, origin) = (Subscribers::many(list), self.lists.origin(list));
        }
        let left = self.lists.remove(&self.key, &mut self.entries, subscribers, entry);
        match origin.source() {
            Source::Exact(text) => match self.exact.position(&self.key, text, subscribers) {
                Some(position) if left == Subscribers::NOBODY => self.exact.remove(position, text),
                Some(position) => self.exact.set_subscribers(position, left),
                None => {}
            },
            Source::Node { node, multi } => {
                self.trie.set_subscribers(node, multi, left);
                if left == Subscribers::NOBODY {
                    self.wildcard_filters -= 1;
                    self.trie.prune(&self.key, node);
                }
            }
            Source::List(_) => {}
        }
        self.entries.remove(&self.key, entry)
    }

    /// Gives memory back after removals. The work is in proportion to what was removed since the last time.
    fn compact(&mut self) {
        self.exact.compact(&mut self.entries, &mut self.lists);
        let used = self.entries.len() + self.trie.len();
        let holes = self.entries.holes() + self.lists.holes() + self.trie.holes();
        if holes >= WORTHWHILE && holes > 3 * used {
            let mut fresh = Self::new(self.limits, self.seed);
            let mut filter = String::new();
            for entry in self.entries.iter() {
                filter.clear();
                self.write_filter(entry.origin, &mut filter);
                // There is room for what was there before.
                let _ = fresh.insert(TopicFilter::assume_valid(&filter), entry.subscriber, entry.value);
            }
            *self = fresh;
        }
    }

    fn write_filter(&self, origin: Origin, filter: &mut String) {
        match origin.source() {
            Source::Exact(text) => filter.push_str(self.exact.text(text)),
            Source::Node { node, multi } => self.trie.write_filter(node, multi, filter),
            Source::List(list) => self.write_filter(self.lists.origin(list), filter),
        }
    }
}
