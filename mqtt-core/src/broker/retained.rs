//! Retained messages: one for each topic (MQTT 5 §3.3.1.3).

use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use machine::Instant;
use topic_match::{Cursor, Full, RetainedIndex, RetainedLimits, Step, TopicFilter, TopicName};

use crate::config::Config;
use crate::message::Message;

#[derive(Debug)]
pub(crate) struct Retained {
    index: RetainedIndex<Arc<Message>>,
    /// Those that expire, in the order in which they do.
    expiring: BTreeMap<(Instant, u64), Arc<Message>>,
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
    pub(crate) fn set(&mut self, message: Arc<Message>) -> Result<(), Full> {
        let before = self.index.insert(TopicName::assume_valid(message.topic()), Arc::clone(&message))?;
        self.forget_expiry(before.as_deref());
        if let Some(expires) = message.expires() {
            self.expiring.insert((expires, message.number()), message);
        }
        Ok(())
    }

    /// Removes the retained message of a topic; says whether there was one.
    pub(crate) fn remove(&mut self, topic: &str) -> bool {
        let before = self.index.remove(TopicName::assume_valid(topic));
        self.forget_expiry(before.as_deref());
        before.is_some()
    }

    pub(crate) fn get(&self, topic: &str) -> Option<&Arc<Message>> {
        self.index.get(TopicName::assume_valid(topic))
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
            Step::Found { value, .. } => Ok(Some(Arc::clone(value))),
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
