use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use core::ops::Bound;

use super::{Full, RetainedLimits};
use crate::{TopicFilter, TopicName};

/// One value per topic name, found by name or by filter.
#[derive(Clone, Debug)]
pub struct RetainedIndex<V> {
    topics: BTreeMap<String, (u64, V)>,
    born: u64,
    limits: RetainedLimits,
}

/// A walk over the topics that match a filter: see [`RetainedIndex::next`].
#[derive(Clone, Debug)]
pub struct Cursor {
    filter: String,
    last: Option<String>,
    born: u64,
}

/// What one step of a walk comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step<'a, V> {
    /// A topic that matches.
    Found {
        /// Its name.
        name: TopicName<'a>,
        /// Its value.
        value: &'a V,
    },
    /// The budget is used up; call again with a new one.
    OutOfBudget,
    /// The walk is at its end.
    Done,
}

impl<V> RetainedIndex<V> {
    /// An empty index. The seed keys its hash tables: it should be unknown to peers.
    pub fn new(limits: RetainedLimits, _seed: u64) -> Self {
        Self { topics: BTreeMap::new(), born: 0, limits }
    }

    /// Sets the value of a topic and returns the old one.
    ///
    /// # Errors
    /// The limit in the way; a replacement always succeeds.
    pub fn insert(&mut self, name: TopicName<'_>, value: V) -> Result<Option<V>, Full> {
        if let Some((_, old)) = self.topics.get_mut(name.as_str()) {
            return Ok(Some(core::mem::replace(old, value)));
        }
        if self.topics.len() >= self.limits.topics as usize {
            return Err(Full::Topics);
        }
        self.topics.insert(name.as_str().to_owned(), (self.born, value));
        self.born += 1;
        Ok(None)
    }

    /// The value of a topic.
    pub fn get(&self, name: TopicName<'_>) -> Option<&V> {
        self.topics.get(name.as_str()).map(|(_, value)| value)
    }

    /// The value of a topic, to change it.
    pub fn get_mut(&mut self, name: TopicName<'_>) -> Option<&mut V> {
        self.topics.get_mut(name.as_str()).map(|(_, value)| value)
    }

    /// Removes a topic and returns its value.
    pub fn remove(&mut self, name: TopicName<'_>) -> Option<V> {
        self.topics.remove(name.as_str()).map(|(_, value)| value)
    }

    /// How many topics there are.
    pub fn len(&self) -> usize {
        self.topics.len()
    }

    /// Whether there is no topic.
    pub fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }

    /// Begins a walk over the topics that match the filter.
    pub fn cursor(&self, filter: TopicFilter<'_>) -> Cursor {
        Cursor { filter: filter.as_str().to_owned(), last: None, born: self.born }
    }

    /// Goes on with a walk until a topic matches, the budget of examined topics is used up, or nothing is
    /// left. The index may change between two steps: every topic that is there from the beginning of the
    /// walk to its end is found exactly once, every other at most once.
    pub fn next(&self, cursor: &mut Cursor, budget: &mut u32) -> Step<'_, V> {
        let mut last = cursor.last.clone();
        let start = cursor.last.clone();
        let from = start.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let text = cursor.filter.clone();
        let filter = TopicFilter::assume_valid(&text);
        for (name, (born, value)) in self.topics.range::<str, _>((from, Bound::Unbounded)) {
            let Some(left) = budget.checked_sub(1) else {
                cursor.last = last;
                return Step::OutOfBudget;
            };
            *budget = left;
            last = Some(name.clone());
            let name = TopicName::assume_valid(name);
            if *born < cursor.born && filter.matches(name) {
                cursor.last = last;
                return Step::Found { name, value };
            }
        }
        Step::Done
    }
}
