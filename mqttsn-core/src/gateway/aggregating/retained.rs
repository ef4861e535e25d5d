//! Retained messages for clients that join a filter which the server has been asked for already.
//!
//! A server sends them on each SUBSCRIBE, to the gateway; so the filter is asked for again, and what comes with the retain flag
//! is for those who have joined since the last time. Live messages have no such flag towards the gateway (MQTT 5 §3.3.1.3).

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::Debug;

use machine::Instant;
use mqtt_codec::SubscriptionIdentifier;
use mqtt_core::client::Message;
use topic_match::{SubscriberId, TopicFilter, TopicName};

use crate::gateway::Gateway;
use crate::gateway::peer::PeerKey;
use crate::gateway::queue::Queued;

impl<P: Clone + Ord + Debug> Gateway<P> {
    pub(super) fn hand_out_retained(&mut self, message: Message, now: Instant) {
        let Some(aggregate) = &self.aggregate else { return };
        let Ok(name) = TopicName::new(message.topic()) else { return };
        let copies: Vec<u32> =
            message.properties().subscription_identifiers().map(SubscriptionIdentifier::get).collect();
        let mut targets: Vec<(PeerKey, _)> = Vec::new();
        for (number, filter) in aggregate.filters.with_joiners() {
            let filter_name = TopicFilter::assume_valid(&filter.name);
            let asked = copies.is_empty() || copies.contains(&(number + 1));
            if !asked || !filter_name.matches(name) {
                continue;
            }
            for joiner in &filter.joiners {
                let route = aggregate.index.get(filter_name, SubscriberId(joiner.index));
                targets.extend(route.map(|route| (*joiner, route.qos)));
            }
        }
        targets.sort_unstable_by_key(|(key, qos)| (*key, core::cmp::Reverse(*qos)));
        targets.dedup_by_key(|(key, _)| *key);
        let message = Arc::new(message);
        for (key, qos) in targets {
            if self.key(key.index) == Some(key) {
                let qos = message.qos.min(qos);
                let queued = Queued { message: Arc::clone(&message), qos, retain: true, receipt: None };
                self.deliver(key, queued, now);
            }
        }
    }

    /// All that was retained has come; who has joined meanwhile is next.
    pub(in crate::gateway) fn retained_over(&mut self, number: u32, now: Instant) {
        let Some(aggregate) = &mut self.aggregate else { return };
        aggregate.filters.close(number);
        self.bring_in_step(number, now);
    }
}
