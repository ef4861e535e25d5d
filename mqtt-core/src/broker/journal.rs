//! Numbers the records, and knows what must wait for them.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::input::{ConnectionId, RecordNumber};
use crate::records::{Change, Record};

/// The changes of the event in progress, and the records that are not durable yet.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    enabled: bool,
    changes: Vec<Change>,
    last: RecordNumber,
    durable: RecordNumber,
    /// Connections whose output waits for a record, in the order of the records.
    waiting: VecDeque<(RecordNumber, ConnectionId)>,
}

impl Journal {
    pub(crate) fn new(enabled: bool) -> Self {
        Self { enabled, ..Self::default() }
    }

    /// Notes a change, if `durable` and records are wanted at all.
    #[inline]
    pub(crate) fn note(&mut self, durable: bool, change: impl FnOnce() -> Change) {
        if self.enabled && durable {
            self.changes.push(change());
        }
    }

    /// The event is over: its record, if it changed anything.
    pub(crate) fn commit(&mut self) -> Option<(RecordNumber, Record)> {
        if self.changes.is_empty() {
            return None;
        }
        self.last.0 += 1;
        Some((self.last, Record { changes: core::mem::take(&mut self.changes) }))
    }

    /// The record that must be durable before anything that follows from the state as it is now may leave; `None` when
    /// all is durable.
    #[inline]
    pub(crate) fn gate(&self) -> Option<RecordNumber> {
        let current = RecordNumber(self.last.0 + u64::from(!self.changes.is_empty()));
        (current > self.durable).then_some(current)
    }

    /// A connection's output waits for `record`.
    pub(crate) fn wait(&mut self, record: RecordNumber, connection: ConnectionId) {
        if self.waiting.back() != Some(&(record, connection)) {
            self.waiting.push_back((record, connection));
        }
    }

    /// All records up to `up_to` are durable.
    pub(crate) fn advance(&mut self, up_to: RecordNumber) {
        self.durable = self.durable.max(up_to.min(self.last));
    }

    pub(crate) fn durable(&self) -> RecordNumber {
        self.durable
    }

    /// The next connection that need not wait any longer.
    pub(crate) fn next_released(&mut self) -> Option<ConnectionId> {
        let &(record, connection) = self.waiting.front()?;
        if record > self.durable {
            return None;
        }
        self.waiting.pop_front();
        Some(connection)
    }
}
