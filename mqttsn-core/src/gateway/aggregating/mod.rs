//! The aggregating gateway (§4.2): one MQTT session for all clients, whose sessions are all here.
//!
//! `filters` counts who wants what and keeps the server's subscriptions in step; `subscribe` asks for them, collected for a
//! moment; `fan_out` finds the clients of a message; `retained` sees to it that a client that joins late gets what the server
//! has kept, and nobody else gets it again. Packet identifiers, reconnection and re-subscription are the MQTT client's.

mod fan_out;
pub(super) mod filters;
mod retained;
mod subscribe;

use alloc::collections::BTreeSet;

use mqtt_codec::QoS;
use topic_match::{IndexLimits, Scratch, SubscriptionIndex};

use self::filters::Filters;
use super::config::Config;

/// Who subscribes to what, at the gateway and at the server.
#[derive(Debug)]
pub(super) struct Aggregate {
    pub(super) filters: Filters,
    index: SubscriptionIndex<Route>,
    scratch: Scratch,
    /// Filters whose subscription at the server may have to change.
    batch: BTreeSet<u32>,
}

/// One subscription of one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Route {
    filter: u32,
    qos: QoS,
}

impl Aggregate {
    pub(super) fn new(config: &Config, seed: u64) -> Self {
        let limits = IndexLimits { filters: config.upstream.max_filters, ..IndexLimits::default() };
        Self {
            filters: Filters::default(),
            index: SubscriptionIndex::new(limits, seed),
            scratch: Scratch::default(),
            batch: BTreeSet::new(),
        }
    }
}
