//! Numbers the records, and knows what must wait for them.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::input::RecordNumber;

/// The changes (`C`) of the event in progress, and what waits (`W`) for records that are not durable yet.
#[derive(Debug)]
pub(crate) struct Journal<C, W> {
    enabled: bool,
    changes: Vec<C>,
    last: RecordNumber,
    durable: RecordNumber,
    /// Whose output waits for a record, in the order of the records.
    waiting: VecDeque<(RecordNumber, W)>,
}

impl<C, W: Copy + PartialEq> Journal<C, W> {
    pub(crate) fn new(enabled: bool) -> Self {
        Self {
            enabled,
            changes: Vec::new(),
            last: RecordNumber(0),
            durable: RecordNumber(0),
            waiting: VecDeque::new(),
        }
    }

    /// Notes a change, if `durable` and records are wanted at all.
    #[inline]
    pub(crate) fn note(&mut self, durable: bool, change: impl FnOnce() -> C) {
        if self.enabled && durable {
            self.changes.push(change());
        }
    }

    /// Whether the event in progress has changed anything so far.
    #[inline]
    pub(crate) fn has_changes(&self) -> bool {
        !self.changes.is_empty()
    }

    /// The event is over: what it changed, if anything, and the number of its record.
    pub(crate) fn commit(&mut self) -> Option<(RecordNumber, Vec<C>)> {
        if self.changes.is_empty() {
            return None;
        }
        self.last.0 += 1;
        Some((self.last, core::mem::take(&mut self.changes)))
    }

    /// The record that must be durable before anything that follows from the state as it is now may leave; `None` when
    /// all is durable.
    #[inline]
    pub(crate) fn gate(&self) -> Option<RecordNumber> {
        let current = RecordNumber(self.last.0 + u64::from(!self.changes.is_empty()));
        (current > self.durable).then_some(current)
    }

    /// The output of `whom` waits for `record`.
    pub(crate) fn wait(&mut self, record: RecordNumber, whom: W) {
        if self.waiting.back() != Some(&(record, whom)) {
            self.waiting.push_back((record, whom));
        }
    }

    /// All records up to `up_to` are durable.
    pub(crate) fn advance(&mut self, up_to: RecordNumber) {
        self.durable = self.durable.max(up_to.min(self.last));
    }

    pub(crate) fn last(&self) -> RecordNumber {
        self.last
    }

    pub(crate) fn durable(&self) -> RecordNumber {
        self.durable
    }

    /// The next one that need not wait any longer.
    pub(crate) fn next_released(&mut self) -> Option<W> {
        let &(record, whom) = self.waiting.front()?;
        if record > self.durable {
            return None;
        }
        self.waiting.pop_front();
        Some(whom)
    }
}
