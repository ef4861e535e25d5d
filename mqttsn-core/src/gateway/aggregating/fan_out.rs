//! A message of the server finds its clients: each gets it once, with its own QoS.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::Debug;

use machine::Instant;
use mqtt_codec::SubscriptionIdentifier;
use mqtt_core::client::Message;
use topic_match::{Scratch, SubscriberId, SubscriptionIndex, TopicName};

use super::Route;
use crate::gateway::Gateway;
use crate::gateway::queue::Queued;

impl<P: Clone + Ord + Debug> Gateway<P> {
    /// Live messages are acknowledged to the server as they are handed out: each client's queue holds them by then.
    pub(in crate::gateway) fn fan_out(&mut self, message: Message, now: Instant) {
        if message.retain {
            return self.hand_out_retained(message, now);
        }
        let Some(aggregate) = &mut self.aggregate else { return };
        let Ok(name) = TopicName::new(message.topic()) else { return };
        let mut targets = Vec::new();
        find(&aggregate.index, name, &mut aggregate.scratch, &mut targets);
        // A server may send a copy for each filter, each with the identifier of its own: a client gets the copy of its best
        // filter. Where there are no identifiers, there is one copy.
        let copies: Vec<u32> =
            message.properties().subscription_identifiers().map(SubscriptionIdentifier::get).collect();
        if copies.is_empty() {
            keep_best(&mut targets);
        } else {
            let has_copy = |route: &Route| copies.contains(&(route.filter + 1));
            // A filter that the server has not heard of as yet takes no message from another one.
            targets.retain(|(_, route)| has_copy(route) || aggregate.filters.is_granted(route.filter));
            keep_best(&mut targets);
            targets.retain(|(_, route)| has_copy(route));
        }
        let message = Arc::new(message);
        for (index, route) in targets {
            let Some(key) = self.key(index) else { continue };
            let qos = message.qos.min(route.qos);
            let queued = Queued { message: Arc::clone(&message), qos, retain: false, receipt: None };
            self.deliver(key, queued, now);
        }
    }
}

/// All subscriptions that match.
fn find(
    index: &SubscriptionIndex<Route>,
    name: TopicName<'_>,
    scratch: &mut Scratch,
    targets: &mut Vec<(u32, Route)>,
) {
    let mut visit = |SubscriberId(client), route| targets.push((client, route));
    let mut outcome = index.visit(name, scratch, &mut visit);
    while let Err(incomplete) = outcome {
        outcome = incomplete.resume(&mut visit);
    }
}

/// One subscription for each client: the one with the highest QoS.
fn keep_best(targets: &mut Vec<(u32, Route)>) {
    targets.sort_unstable_by_key(|(client, route)| (*client, core::cmp::Reverse(route.qos), route.filter));
    targets.dedup_by_key(|(client, _)| *client);
}
