//! What waits for one client, bounded in messages and bytes.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use mqtt_codec::QoS;
use mqtt_core::client::{DeliveryId, Message};

use super::config::{DropPolicy, QueueConfig};

/// What a message costs beside its bytes.
const OVERHEAD: usize = 32;

/// A message for one client.
#[derive(Clone, Debug)]
pub(super) struct Queued {
    /// Shared with other clients that wait for it.
    pub(super) message: Arc<Message>,
    /// What it is delivered with.
    pub(super) qos: QoS,
    /// Whether the client is told that it is a retained message.
    pub(super) retain: bool,
    /// What the server is to be told when the client has it.
    pub(super) receipt: Option<DeliveryId>,
}

impl Queued {
    /// Bytes that count towards the limits.
    pub(super) fn size(&self) -> usize {
        self.message.topic().len() + self.message.payload().len() + OVERHEAD
    }
}

/// The queue of one client.
#[derive(Debug, Default)]
pub(super) struct Queue {
    entries: VecDeque<Queued>,
    bytes: usize,
}

impl Queue {
    /// Adds a message, and returns the messages that gave way: perhaps this one.
    pub(super) fn push(&mut self, new: Queued, limits: QueueConfig) -> Vec<Queued> {
        let mut dropped = Vec::new();
        let size = new.size();
        if size > limits.bytes as usize || limits.messages == 0 {
            dropped.push(new);
            return dropped;
        }
        while self.entries.len() >= usize::from(limits.messages) || self.bytes + size > limits.bytes as usize
        {
            let Some(victim) = self.victim(new.qos, limits.policy) else {
                dropped.push(new);
                return dropped;
            };
            dropped.extend(self.remove(victim));
        }
        self.bytes += size;
        self.entries.push_back(new);
        dropped
    }

    /// The next message.
    pub(super) fn pop(&mut self) -> Option<Queued> {
        self.remove(0)
    }

    /// Takes out the messages that `which` says.
    pub(super) fn take(&mut self, which: impl Fn(&Queued) -> bool) -> Vec<Queued> {
        let (taken, kept): (Vec<_>, Vec<_>) = core::mem::take(&mut self.entries).into_iter().partition(which);
        self.bytes -= taken.iter().map(Queued::size).sum::<usize>();
        self.entries = kept.into();
        taken
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Queued> {
        self.entries.iter_mut()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Bytes that count.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Which message gives way to a new one; none if that does itself.
    fn victim(&self, new: QoS, policy: DropPolicy) -> Option<usize> {
        match policy {
            DropPolicy::Newest => None,
            DropPolicy::Oldest => Some(0),
            DropPolicy::QoS0First => {
                let qos0 = self.entries.iter().position(|queued| queued.qos == QoS::AtMostOnce);
                qos0.or((new > QoS::AtMostOnce).then_some(0))
            }
        }
    }

    fn remove(&mut self, at: usize) -> Option<Queued> {
        let removed = self.entries.remove(at)?;
        self.bytes -= removed.size();
        if self.entries.is_empty() {
            // An idle client holds no buffer.
            self.entries = VecDeque::new();
        }
        Some(removed)
    }
}
