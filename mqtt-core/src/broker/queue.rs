//! Messages that wait for one session: off-line, or because its connection or its receive maximum allows no more.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use mqtt_codec::QoS;

use crate::budget::Place;
use crate::config::{DropPolicy, QueueConfig};
use crate::qos::outgoing::Sent;

/// An empty queue keeps room for so many messages, so that a client at its window's edge causes no allocations.
const KEPT_CAPACITY: usize = 16;

/// A message for one session, with what its subscription asks for.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) message: Place,
    /// The lesser of the message's and the subscription's.
    pub(crate) qos: QoS,
    /// The retain flag to send.
    pub(crate) retain: bool,
    pub(crate) identifiers: Identifiers,
    /// The shared subscription that this session was chosen for.
    pub(crate) group: Option<Arc<str>>,
    /// Tells it from all others of its session, for records.
    pub(crate) serial: u64,
}

impl Sent for Delivery {
    type Released = ();

    fn released(&self) {}
}

/// The subscription identifiers of the subscriptions that a message matched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Identifiers {
    #[default]
    None,
    One(u32),
    Many(Vec<u32>),
}

impl Identifiers {
    /// These and one more; 0 is none.
    #[inline]
    pub(crate) fn with(self, identifier: u32) -> Self {
        match (self, identifier) {
            (before, 0) => before,
            (Self::None, one) => Self::One(one),
            (Self::One(before), one) => Self::Many(vec![before, one]),
            (Self::Many(mut many), one) => {
                many.push(one);
                Self::Many(many)
            }
        }
    }

    /// Bytes that they take beside the place of a message.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::None | Self::One(_) => 0,
            Self::Many(many) => size_of_val(many.as_slice()),
        }
    }

    pub(crate) fn as_slice(&self) -> &[u32] {
        match self {
            Self::None => &[],
            Self::One(one) => core::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// A bounded queue in order of arrival.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    deliveries: VecDeque<Delivery>,
    bytes: usize,
}

impl Queue {
    pub(crate) fn is_empty(&self) -> bool {
        self.deliveries.is_empty()
    }

    pub(crate) fn front(&self) -> Option<&Delivery> {
        self.deliveries.front()
    }

    pub(crate) fn pop(&mut self) -> Option<Delivery> {
        let delivery = self.deliveries.pop_front()?;
        self.bytes -= delivery.message.size();
        if self.deliveries.is_empty() && self.deliveries.capacity() > KEPT_CAPACITY {
            self.deliveries = VecDeque::new();
        }
        Some(delivery)
    }

    /// Appends, and makes room first as the policy says; `dropped` gets what does not fit.
    pub(crate) fn push(
        &mut self,
        delivery: Delivery,
        limits: &QueueConfig,
        mut dropped: impl FnMut(Delivery),
    ) {
        let size = delivery.message.size();
        if limits.policy == DropPolicy::Oldest && size <= limits.bytes && limits.messages > 0 {
            while !self.has_room(size, limits) {
                let Some(oldest) = self.pop() else { break };
                dropped(oldest);
            }
        }
        if self.has_room(size, limits) {
            self.bytes += size;
            self.deliveries.push_back(delivery);
        } else {
            dropped(delivery);
        }
    }

    /// Takes out what `wanted` picks, the rest stays in order.
    pub(crate) fn extract(&mut self, mut wanted: impl FnMut(&Delivery) -> bool) -> VecDeque<Delivery> {
        let (out, rest): (VecDeque<_>, VecDeque<_>) =
            core::mem::take(&mut self.deliveries).into_iter().partition(|delivery| wanted(delivery));
        self.deliveries = rest;
        self.bytes -= out.iter().map(|delivery| delivery.message.size()).sum::<usize>();
        out
    }

    fn has_room(&self, size: usize, limits: &QueueConfig) -> bool {
        self.deliveries.len() < limits.messages as usize && self.bytes + size <= limits.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;
    use crate::message::Draft;

    fn delivery(serial: u64, payload: &[u8]) -> Delivery {
        let draft = Draft {
            topic: "t",
            properties: &[],
            payload,
            qos: QoS::AtLeastOnce,
            retain: false,
            expires: None,
        };
        Delivery {
            message: Place::take(Budget::new(1 << 20).store(&draft).unwrap(), 0).unwrap(),
            qos: QoS::AtLeastOnce,
            retain: false,
            identifiers: Identifiers::None,
            group: None,
            serial,
        }
    }

    fn fill(policy: DropPolicy, sizes: &[usize]) -> (Vec<u64>, Vec<u64>) {
        let limits = QueueConfig { messages: 3, bytes: 100, policy, ..QueueConfig::default() };
        let (mut queue, mut dropped) = (Queue::default(), Vec::new());
        for (serial, size) in (0..).zip(sizes) {
            let delivery = delivery(serial, &alloc::vec![0; size - 1]);
            queue.push(delivery, &limits, |delivery| dropped.push(delivery.serial));
        }
        let kept = core::iter::from_fn(|| queue.pop()).map(|delivery| delivery.serial).collect();
        assert_eq!(queue.bytes, 0);
        (kept, dropped)
    }

    #[test]
    fn newest_gives_way_in_count_and_bytes() {
        assert_eq!(fill(DropPolicy::Newest, &[1, 1, 1, 1]), ([0, 1, 2].into(), [3].into()));
        assert_eq!(fill(DropPolicy::Newest, &[60, 60, 40]), ([0, 2].into(), [1].into()));
    }

    #[test]
    fn oldest_gives_way_in_count_and_bytes() {
        assert_eq!(fill(DropPolicy::Oldest, &[1, 1, 1, 1]), ([1, 2, 3].into(), [0].into()));
        assert_eq!(fill(DropPolicy::Oldest, &[60, 30, 60]), ([1, 2].into(), [0].into()));
    }

    #[test]
    fn what_can_never_fit_drives_nothing_out() {
        assert_eq!(fill(DropPolicy::Oldest, &[60, 101]), ([0].into(), [1].into()));
    }
}
