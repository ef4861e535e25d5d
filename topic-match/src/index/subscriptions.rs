use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;

use super::{Full, IndexLimits, SubscriberId};
use crate::{TopicFilter, TopicName};

/// Who subscribes to what: filter and subscriber to a small value, such as the subscription's options.
#[derive(Clone, Debug)]
pub struct SubscriptionIndex<V> {
    filters: BTreeMap<String, BTreeMap<SubscriberId, V>>,
    subscriptions: usize,
    limits: IndexLimits,
}

/// What a lookup works in; keep one and lend it to every lookup, so that none allocates.
#[derive(Clone, Default, Debug)]
pub struct Scratch {}

/// A lookup that visited as many nodes as [`IndexLimits::visited_nodes`] allows and is not at its end:
/// what matched so far has been visited, [`resume`](Self::resume) goes on.
#[must_use = "matches are missing until the lookup is resumed"]
#[derive(Debug)]
pub struct Incomplete<'a, V> {
    index: &'a SubscriptionIndex<V>,
    name: TopicName<'a>,
    scratch: &'a mut Scratch,
}

impl<V: Copy> Incomplete<'_, V> {
    /// Goes on with the lookup, within the same limit for this call.
    ///
    /// # Errors
    /// Still not at its end.
    pub fn resume(self, visit: impl FnMut(SubscriberId, V)) -> Result<(), Self> {
        let _ = (self.index, self.name, self.scratch, visit);
        Ok(())
    }
}

impl<V: Copy> SubscriptionIndex<V> {
    /// An empty index. The seed keys its hash tables: it should be unknown to peers.
    pub fn new(limits: IndexLimits, _seed: u64) -> Self {
        Self { filters: BTreeMap::new(), subscriptions: 0, limits }
    }

    /// Adds a subscription, or replaces its value and returns the old one.
    ///
    /// # Errors
    /// The limit in the way; a replacement always succeeds.
    pub fn insert(
        &mut self,
        filter: TopicFilter<'_>,
        subscriber: SubscriberId,
        value: V,
    ) -> Result<Option<V>, Full> {
        if let Some(old) =
            self.filters.get_mut(filter.as_str()).and_then(|subscribers| subscribers.get_mut(&subscriber))
        {
            return Ok(Some(core::mem::replace(old, value)));
        }
        if self.subscriptions >= self.limits.subscriptions as usize {
            return Err(Full::Subscriptions);
        }
        self.filters.entry(filter.as_str().to_owned()).or_default().insert(subscriber, value);
        self.subscriptions += 1;
        Ok(None)
    }

    /// The value of one subscription.
    pub fn get(&self, filter: TopicFilter<'_>, subscriber: SubscriberId) -> Option<V> {
        self.filters.get(filter.as_str())?.get(&subscriber).copied()
    }

    /// Removes one subscription and returns its value.
    pub fn remove(&mut self, filter: TopicFilter<'_>, subscriber: SubscriberId) -> Option<V> {
        let subscribers = self.filters.get_mut(filter.as_str())?;
        let old = subscribers.remove(&subscriber)?;
        if subscribers.is_empty() {
            self.filters.remove(filter.as_str());
        }
        self.subscriptions -= 1;
        Some(old)
    }

    /// Removes all subscriptions of a subscriber and returns how many there were, with work in proportion.
    pub fn remove_subscriber(&mut self, subscriber: SubscriberId) -> usize {
        let before = self.subscriptions;
        self.filters.retain(|_, subscribers| {
            self.subscriptions -= usize::from(subscribers.remove(&subscriber).is_some());
            !subscribers.is_empty()
        });
        before - self.subscriptions
    }

    /// Visits the subscriptions of a subscriber in the order in which they were added.
    pub fn subscriptions_of(&self, subscriber: SubscriberId, mut visit: impl FnMut(&str, V)) {
        for (filter, subscribers) in &self.filters {
            if let Some(&value) = subscribers.get(&subscriber) {
                visit(filter, value);
            }
        }
    }

    /// Visits every subscription whose filter matches the name, in an order that is the same for the same
    /// history of the index.
    ///
    /// # Errors
    /// The lookup reached [`IndexLimits::visited_nodes`]: resume it.
    pub fn visit<'a>(
        &'a self,
        name: TopicName<'a>,
        _scratch: &'a mut Scratch,
        mut visit: impl FnMut(SubscriberId, V),
    ) -> Result<(), Incomplete<'a, V>> {
        for (filter, subscribers) in &self.filters {
            if TopicFilter::assume_valid(filter).matches(name) {
                for (&subscriber, &value) in subscribers {
                    visit(subscriber, value);
                }
            }
        }
        Ok(())
    }

    /// How many subscriptions there are.
    pub fn len(&self) -> usize {
        self.subscriptions
    }

    /// Whether there is no subscription.
    pub fn is_empty(&self) -> bool {
        self.subscriptions == 0
    }

    /// How many different filters there are.
    pub fn filters(&self) -> usize {
        self.filters.len()
    }

    /// How many subscriptions a subscriber has.
    pub fn count_of(&self, subscriber: SubscriberId) -> usize {
        self.filters.values().filter(|subscribers| subscribers.contains_key(&subscriber)).count()
    }
}
