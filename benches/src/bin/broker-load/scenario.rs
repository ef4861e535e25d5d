//! What the brokers are asked to do.

use mqtt_codec::QoS;

/// Messages of 64 bytes from some publishers to some subscribers, each to all of them or, with `filters`, to the one
/// whose wildcard filter matches.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) publishers: usize,
    pub(crate) subscribers: usize,
    pub(crate) qos: QoS,
    /// Messages under way at once, from all publishers together: what is published but not delivered, or not yet
    /// acknowledged. Below every broker's limits, so that none has a reason to drop.
    pub(crate) window: usize,
    /// Wildcard filters, spread over subscribers so few that finding the one that matches is most of the work; 0: every
    /// subscriber has one filter without wildcard.
    pub(crate) filters: usize,
}

pub(crate) const PAYLOAD: [u8; 64] = [b'x'; 64];

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario { name: "1→1, QoS 0", qos: QoS::AtMostOnce, window: 1000, ..ONE_TO_ONE },
    Scenario { name: "1→1, QoS 1", qos: QoS::AtLeastOnce, window: 100, ..ONE_TO_ONE },
    Scenario { name: "1→1, QoS 2", qos: QoS::ExactlyOnce, window: 100, ..ONE_TO_ONE },
    Scenario { name: "1→500, QoS 0", subscribers: 500, window: 20, ..ONE_TO_ONE },
    Scenario { name: "100→1, QoS 1", publishers: 100, qos: QoS::AtLeastOnce, window: 500, ..ONE_TO_ONE },
    Scenario {
        name: "100 000 wildcard filters, QoS 0",
        subscribers: 10,
        filters: 100_000,
        window: 1000,
        ..ONE_TO_ONE
    },
    Scenario { name: "one in flight, QoS 0", ..ONE_TO_ONE },
    Scenario { name: "one in flight, QoS 1", qos: QoS::AtLeastOnce, ..ONE_TO_ONE },
];

const ONE_TO_ONE: Scenario =
    Scenario { name: "", publishers: 1, subscribers: 1, qos: QoS::AtMostOnce, window: 1, filters: 0 };

impl Scenario {
    /// Deliveries that one message comes to.
    pub(crate) fn fan_out(&self) -> usize {
        if self.filters == 0 { self.subscribers } else { 1 }
    }

    /// Whether the time from publishing to delivery is what counts.
    pub(crate) fn measures_latency(&self) -> bool {
        self.window == 1
    }

    pub(crate) fn filters_of(&self, subscriber: usize) -> Vec<String> {
        if self.filters == 0 {
            return vec![self.topic(0)];
        }
        (subscriber..self.filters)
            .step_by(self.subscribers)
            .map(|site| format!("site/{site}/+/value"))
            .collect()
    }

    /// The topic of a message, by its number. A stride that is prime to the number of filters visits them all, none
    /// near the one before.
    pub(crate) fn topic(&self, message: u64) -> String {
        if self.filters == 0 {
            return "site/0/temperature/value".to_owned();
        }
        let site = message.wrapping_mul(7919) % self.filters as u64;
        format!("site/{site}/temperature/value")
    }
}
