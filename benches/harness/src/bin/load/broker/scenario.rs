//! What the brokers are asked to do.

use mqtt_codec::{ProtocolVersion, QoS};

pub(crate) enum Scenario {
    Messages(Messages),
    /// So many connections that say nothing, then pings.
    Idle(usize),
    /// So many clients connect and take leave, one after the other.
    ComeAndGo(usize),
}

/// Messages from some publishers to some subscribers, each to all of them or, with `filters`, to the one whose wildcard
/// filter matches.
pub(crate) struct Messages {
    pub(crate) version: ProtocolVersion,
    pub(crate) publishers: usize,
    pub(crate) subscribers: usize,
    pub(crate) qos: QoS,
    /// Length of a payload.
    pub(crate) payload: usize,
    /// Messages under way at once, from all publishers together: what is published but not delivered, or not yet
    /// acknowledged. Below every broker's limits, so that none has a reason to drop.
    pub(crate) window: usize,
    /// Wildcard filters, spread over subscribers so few that finding the one that matches is most of the work; 0: every
    /// subscriber has one filter without wildcard.
    pub(crate) filters: usize,
}

const ONE_TO_ONE: Messages = Messages {
    version: ProtocolVersion::V3_1_1,
    publishers: 1,
    subscribers: 1,
    qos: QoS::AtMostOnce,
    payload: 64,
    window: 1,
    filters: 0,
};
const QOS_0: Messages = Messages { window: 1000, ..ONE_TO_ONE };
const QOS_1: Messages = Messages { qos: QoS::AtLeastOnce, window: 100, ..ONE_TO_ONE };
const QOS_2: Messages = Messages { qos: QoS::ExactlyOnce, window: 100, ..ONE_TO_ONE };
const LARGE: Messages = Messages { payload: 64 << 10, window: 16, ..ONE_TO_ONE };
const V5: ProtocolVersion = ProtocolVersion::V5;

pub(crate) const SCENARIOS: &[(&str, Scenario)] = &[
    ("1→1, QoS 0", Scenario::Messages(QOS_0)),
    ("1→1, QoS 1", Scenario::Messages(QOS_1)),
    ("1→1, QoS 2", Scenario::Messages(QOS_2)),
    ("MQTT 5, 1→1, QoS 0", Scenario::Messages(Messages { version: V5, ..QOS_0 })),
    ("MQTT 5, 1→1, QoS 1", Scenario::Messages(Messages { version: V5, ..QOS_1 })),
    ("MQTT 5, 1→1, QoS 2", Scenario::Messages(Messages { version: V5, ..QOS_2 })),
    ("64 KiB, 1→1, QoS 0", Scenario::Messages(LARGE)),
    ("64 KiB, 1→1, QoS 1", Scenario::Messages(Messages { qos: QoS::AtLeastOnce, ..LARGE })),
    ("1→500, QoS 0", Scenario::Messages(Messages { subscribers: 500, window: 20, ..ONE_TO_ONE })),
    ("100→1, QoS 1", Scenario::Messages(Messages { publishers: 100, window: 500, ..QOS_1 })),
    (
        "100 000 wildcard filters, QoS 0",
        Scenario::Messages(Messages { subscribers: 10, filters: 100_000, ..QOS_0 }),
    ),
    ("one in flight, QoS 0", Scenario::Messages(ONE_TO_ONE)),
    ("one in flight, QoS 1", Scenario::Messages(Messages { window: 1, ..QOS_1 })),
    ("5 000 idle connections", Scenario::Idle(5000)),
    ("connect and disconnect", Scenario::ComeAndGo(5000)),
];

impl Messages {
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
