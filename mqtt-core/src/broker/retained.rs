//! Retained messages: one for each topic (MQTT 5 §3.3.1.3).

use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use machine::Instant;
use topic_match::{Cursor, RetainedIndex, RetainedLimits, Step, TopicFilter, TopicName};

use crate::budget::{OutOfMemory, Reservation};
use crate::config::Config;
use crate::error::Refused;
use crate::message::Message;

/// What a topic costs in the index beside its text, and each of its first levels, should no other topic share it.
const TOPIC_OVERHEAD: usize = 64;
const LEVEL_OVERHEAD: usize = 48;
/// The index knows no more levels of a topic than these.
const INDEXED_LEVELS: usize = 32;

#[derive(Debug)]
pub(crate) struct Retained {
    index: RetainedIndex<Place>,
    /// Those that expire, in the order in which they do.
    expiring: BTreeMap<(Instant, u64), Arc<Message>>,
}

/// The message of a topic, and the room that the topic takes in the index.
#[derive(Debug)]
struct Place {
    message: Arc<Message>,
    _room: Reservation,
}

impl Retained {
    pub(crate) fn new(config: &Config, seed: u64) -> Self {
        let limits = RetainedLimits { topics: config.max_retained };
        Self { index: RetainedIndex::new(limits, seed), expiring: BTreeMap::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// Makes a message the retained message of its topic.
    pub(crate) fn set(&mut self, message: Arc<Message>) -> Result<(), Refused> {
        let name = TopicName::assume_valid(message.topic());
        if let Some(place) = self.index.get_mut(name) {
            let before = core::mem::replace(&mut place.message, Arc::clone(&message));
            self.forget_expiry(Some(&before));
        } else {
            let room = message.reserve(cost(name)).map_err(|OutOfMemory| Refused::Full)?;
            let place = Place { message: Arc::clone(&message), _room: room };
            self.index.insert(name, place).map_err(|_| Refused::Full)?;
        }
        if let Some(expires) = message.expires() {
            self.expiring.insert((expires, message.number()), message);
        }
        Ok(())
    }

    /// Removes the retained message of a topic; says whether there was one.
    pub(crate) fn remove(&mut self, topic: &str) -> bool {
        let before = self.index.remove(TopicName::assume_valid(topic));
        self.forget_expiry(before.as_ref().map(|place| &*place.message));
        before.is_some()
    }

    pub(crate) fn get(&self, topic: &str) -> Option<&Arc<Message>> {
        self.index.get(TopicName::assume_valid(topic)).map(|place| &place.message)
    }

    /// When the next one expires.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.expiring.first_key_value().map(|((expires, _), _)| *expires)
    }

    /// Takes out one that has expired.
    pub(crate) fn expire(&mut self, now: Instant) -> Option<Arc<Message>> {
        let entry = self.expiring.first_entry().filter(|entry| entry.key().0 <= now)?;
        let message = entry.remove();
        self.index.remove(TopicName::assume_valid(message.topic()));
        Some(message)
    }

    pub(crate) fn cursor(&self, filter: TopicFilter<'_>) -> Cursor {
        self.index.cursor(filter)
    }

    /// The next match, looking at no more than `budget` candidates; `Err` when the budget is used up.
    pub(crate) fn next(
        &self,
        cursor: &mut Cursor,
        budget: &mut u32,
    ) -> Result<Option<Arc<Message>>, OutOfBudget> {
        match self.index.next(cursor, budget) {
            Step::Found { value, .. } => Ok(Some(Arc::clone(&value.message))),
            Step::OutOfBudget => Err(OutOfBudget),
            Step::Done => Ok(None),
        }
    }

    fn forget_expiry(&mut self, before: Option<&Message>) {
        if let Some((message, expires)) = before.and_then(|message| Some((message, message.expires()?))) {
            self.expiring.remove(&(expires, message.number()));
        }
    }
}

/// The walk is not over, but has taken its share for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutOfBudget;

/// What a retained topic counts for under the memory limit, beside its message.
fn cost(name: TopicName<'_>) -> usize {
    let levels = name.levels().take(INDEXED_LEVELS).count();
    TOPIC_OVERHEAD + name.as_str().len() + levels * LEVEL_OVERHEAD
}
