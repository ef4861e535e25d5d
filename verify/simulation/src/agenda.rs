//! What is going to happen, in order of time.

use std::collections::BTreeMap;

use machine::Instant;

/// Events to come. Those that are due at the same instant come in the order in which they were scheduled.
#[derive(Debug)]
pub struct Agenda<E> {
    events: BTreeMap<(Instant, u64), E>,
    scheduled: u64,
}

impl<E> Agenda<E> {
    /// Adds an event.
    pub fn schedule(&mut self, at: Instant, event: E) {
        self.events.insert((at, self.scheduled), event);
        self.scheduled += 1;
    }

    /// When the next event is due.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.events.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes out the next event that is due.
    pub fn pop(&mut self, now: Instant) -> Option<E> {
        let entry = self.events.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(entry.remove())
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.events.clear();
    }
}

impl<E> Default for Agenda<E> {
    fn default() -> Self {
        Self { events: BTreeMap::new(), scheduled: 0 }
    }
}
