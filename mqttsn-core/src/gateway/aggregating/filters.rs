//! Filters with how many clients want each, and where the subscription at the server stands.
//!
//! ```text
//!            wanted                    SUBACK
//!   new ───────────────▶ Subscribing ─────────▶ Subscribed ──nobody wants it──▶ Unsubscribing ──UNSUBACK──▶ gone
//!                            ▲     │ refused         │                               │
//!                            │     ▼                 │ higher QoS, or someone        │ wanted again
//!                            │   gone                │ waits for what is retained    │
//!                            └───────────────────────┴───────────────────────────────┘
//! ```

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;

use mqtt_codec::QoS;
use mqttsn_codec::MessageId;
use slab::Slab;

use crate::gateway::peer::PeerKey;

#[derive(Debug, Default)]
pub(in crate::gateway) struct Filters {
    all: Slab<Filter>,
    by_name: BTreeMap<Arc<str>, u32>,
    /// Filters that someone gets retained messages of now.
    joining: BTreeSet<u32>,
}

/// One filter.
#[derive(Debug)]
pub(super) struct Filter {
    pub(super) name: Arc<str>,
    /// How many clients want it with each QoS.
    pub(super) counts: [u32; 3],
    /// What the server granted, and what it was asked for.
    pub(super) granted: Option<QoS>,
    pub(super) asked: QoS,
    /// What the server has not answered.
    pub(super) request: Option<Request>,
    /// Clients that wait for SUBACK.
    pub(super) waiters: Vec<Waiter>,
    /// Clients that get the retained messages which come now.
    pub(super) joiners: Vec<PeerKey>,
    /// Clients that wait for the next time.
    pub(super) next_joiners: Vec<PeerKey>,
    /// Retained messages are expected.
    pub(super) open: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Subscribe,
    Unsubscribe,
}

/// A client that waits for SUBACK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiter {
    pub(super) peer: PeerKey,
    pub(super) id: MessageId,
    pub(super) qos: QoS,
}

/// What is to be asked of the server now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Nothing,
    Subscribe(QoS),
    Unsubscribe,
    /// There is nothing left of it.
    Forget,
}

impl Filter {
    /// The highest QoS that a client wants; `None` if no client wants it.
    pub(super) fn wanted(&self) -> Option<QoS> {
        [QoS::ExactlyOnce, QoS::AtLeastOnce, QoS::AtMostOnce]
            .into_iter()
            .find(|qos| self.counts.get(*qos as usize).is_some_and(|count| *count > 0))
    }

    pub(super) fn step(&self) -> Step {
        let subscribed = self.granted.map(|_| self.asked);
        step(self.wanted(), subscribed, self.request.is_some(), !self.next_joiners.is_empty(), self.open)
    }

    pub(super) fn count(&mut self, qos: QoS, change: i32) {
        if let Some(count) = self.counts.get_mut(qos as usize) {
            *count = count.saturating_add_signed(change);
        }
    }
}

/// The whole table. One request at a time; a subscription is raised, never lowered; who waits for retained messages waits
/// until those before have got theirs.
const fn step(
    wanted: Option<QoS>,
    subscribed: Option<QoS>,
    pending: bool,
    joiners: bool,
    open: bool,
) -> Step {
    match (wanted, subscribed) {
        _ if pending => Step::Nothing,
        (None, None) => Step::Forget,
        (None, Some(_)) => Step::Unsubscribe,
        (Some(wanted), None) => Step::Subscribe(wanted),
        (Some(wanted), Some(asked)) if wanted as u8 > asked as u8 => Step::Subscribe(wanted),
        (Some(_), Some(asked)) if joiners && !open => Step::Subscribe(asked),
        (Some(_), Some(_)) => Step::Nothing,
    }
}

impl Filters {
    /// The filter's number, a new one if it is not there yet.
    pub(super) fn open(&mut self, name: &str) -> u32 {
        if let Some(number) = self.find(name) {
            return number;
        }
        let name: Arc<str> = name.into();
        let filter = Filter {
            name: Arc::clone(&name),
            counts: [0; 3],
            granted: None,
            asked: QoS::AtMostOnce,
            request: None,
            waiters: Vec::new(),
            joiners: Vec::new(),
            next_joiners: Vec::new(),
            open: false,
        };
        let number = self.all.insert(filter) as u32;
        self.by_name.insert(name, number);
        number
    }

    pub(super) fn find(&self, name: &str) -> Option<u32> {
        self.by_name.get(name).copied()
    }

    pub(super) fn get(&self, number: u32) -> Option<&Filter> {
        self.all.get(number as usize)
    }

    /// Whether the server has it.
    pub(super) fn is_granted(&self, number: u32) -> bool {
        self.get(number).is_some_and(|filter| filter.granted.is_some())
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut Filter> {
        self.all.get_mut(number as usize)
    }

    pub(super) fn remove(&mut self, number: u32) {
        if let Some(filter) = self.all.try_remove(number as usize) {
            self.by_name.remove(&filter.name);
            self.joining.remove(&number);
        }
    }

    /// The server is being asked: who waits for retained messages gets those that come now.
    pub(super) fn let_in(&mut self, number: u32) {
        let Some(filter) = self.all.get_mut(number as usize) else { return };
        let next = core::mem::take(&mut filter.next_joiners);
        filter.joiners.extend(next);
        self.joining.insert(number);
    }

    /// All retained messages have come.
    pub(super) fn close(&mut self, number: u32) {
        let Some(filter) = self.all.get_mut(number as usize) else { return };
        filter.open = false;
        filter.joiners = Vec::new();
        self.joining.remove(&number);
    }

    /// Filters that someone gets retained messages of now, in the order of their numbers.
    pub(super) fn with_joiners(&self) -> impl Iterator<Item = (u32, &Filter)> {
        self.joining.iter().filter_map(|number| Some((*number, self.all.get(*number as usize)?)))
    }

    /// The server knows none of them any more; returns them all.
    pub(super) fn forget_server(&mut self) -> Vec<u32> {
        for (_, filter) in &mut self.all {
            (filter.granted, filter.request) = (None, None);
        }
        self.all.iter().map(|(number, _)| number as u32).collect()
    }

    pub(in crate::gateway) fn len(&self) -> usize {
        self.all.len()
    }
}

#[cfg(test)]
mod tests {
    use QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};

    use super::*;

    /// What clients want × what the server has.
    #[test]
    fn state_event_table() {
        let subscribed = [None, Some(AtMostOnce), Some(AtLeastOnce)];
        let table = [
            (None, [Step::Forget, Step::Unsubscribe, Step::Unsubscribe]),
            (Some(AtMostOnce), [Step::Subscribe(AtMostOnce), Step::Nothing, Step::Nothing]),
            (Some(AtLeastOnce), [Step::Subscribe(AtLeastOnce), Step::Subscribe(AtLeastOnce), Step::Nothing]),
            (
                Some(ExactlyOnce),
                [Step::Subscribe(ExactlyOnce), Step::Subscribe(ExactlyOnce), Step::Subscribe(ExactlyOnce)],
            ),
        ];
        for (wanted, row) in table {
            for (subscribed, expected) in subscribed.into_iter().zip(row) {
                assert_eq!(
                    step(wanted, subscribed, false, false, false),
                    expected,
                    "{wanted:?} {subscribed:?}"
                );
                assert_eq!(step(wanted, subscribed, true, true, false), Step::Nothing, "one at a time");
                let asked_again = match (expected, subscribed) {
                    (Step::Nothing, Some(asked)) => Step::Subscribe(asked),
                    (expected, _) => expected,
                };
                assert_eq!(step(wanted, subscribed, false, true, false), asked_again, "for who joins");
                assert_eq!(
                    step(wanted, subscribed, false, true, true),
                    expected,
                    "not before the others have"
                );
            }
        }
    }
}
