//! What an application has stored, and what of it survives.

use std::collections::BTreeMap;

use machine::Instant;
use mqtt_codec::PacketIdentifier;
use mqtt_core::RecordNumber;
use mqtt_core::client::Change;

use super::super::ledger::number;

#[derive(Debug, Default)]
pub(super) struct Notebook {
    records: Vec<Vec<Change>>,
    /// How many of them are certain to survive.
    pub(super) durable: usize,
    /// How many were there when the client started.
    base: usize,
    pub(super) busy_until: Option<Instant>,
    /// QoS 2 messages that were handed out and of which no record says so yet: their places in the ledger.
    pub(super) unrecorded: Vec<(PacketIdentifier, usize)>,
    /// The same with the number of records that say so.
    recorded: Vec<(usize, usize)>,
}

impl Notebook {
    /// Writes a record down; returns how many there are.
    pub(super) fn write(&mut self, changes: Vec<Change>) -> usize {
        let count = self.records.len() + 1;
        for change in &changes {
            if let Change::Received { packet_id } = change {
                let of_packet = |(id, _): &mut (PacketIdentifier, usize)| id == packet_id;
                self.recorded
                    .extend(self.unrecorded.extract_if(.., of_packet).map(|(_, place)| (count, place)));
            }
        }
        self.records.push(changes);
        count
    }

    /// The client's number of a record.
    pub(super) fn number(&self, count: usize) -> RecordNumber {
        RecordNumber(count.saturating_sub(self.base) as u64)
    }

    /// How many records there are.
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Records that may be lost.
    pub(super) fn lag(&self) -> usize {
        self.records.len() - self.durable
    }

    /// Whether a record that says that the session was lost is not among those that survive.
    pub(super) fn would_forget_lost_session(&self, survive: usize) -> bool {
        self.records[self.durable + survive..]
            .iter()
            .flatten()
            .any(|change| matches!(change, Change::SessionLost))
    }

    /// The durable records survive and so many others; returns the messages that are forgotten.
    pub(super) fn crash(&mut self, survive: usize) -> Vec<usize> {
        self.records.truncate(self.durable + survive);
        let count = self.records.len();
        (self.durable, self.base, self.busy_until) = (count, count, None);
        let unrecorded = self.unrecorded.drain(..).map(|(_, place)| place);
        let lost = self.recorded.drain(..).filter(|(record, _)| *record > count).map(|(_, place)| place);
        unrecorded.chain(lost).collect()
    }

    /// All that there is.
    pub(super) fn changes(&self) -> impl Iterator<Item = Change> {
        self.records.iter().flatten().cloned()
    }

    /// The numbers of the messages that are not done, in the order in which they were published.
    pub(super) fn unfinished(&self) -> Vec<usize> {
        let mut waiting = BTreeMap::new();
        let mut under_way = BTreeMap::new();
        for change in self.records.iter().flatten() {
            match change {
                Change::Queued { serial, message } => {
                    waiting.extend(number(message.payload()).map(|number| (*serial, number)));
                }
                Change::Dropped { serial } => _ = waiting.remove(serial),
                Change::Sent { serial, packet_id } => {
                    under_way.extend(waiting.remove(serial).map(|number| (*packet_id, number)));
                }
                Change::Done { packet_id } => _ = under_way.remove(packet_id),
                Change::SessionLost => under_way.clear(),
                _ => {}
            }
        }
        // They are numbered as they are published.
        let mut numbers: Vec<_> = waiting.into_values().chain(under_way.into_values()).collect();
        numbers.sort_unstable();
        numbers
    }
}
