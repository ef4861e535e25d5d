//! The QoS 1 and 2 flows of one session, in both directions (MQTT 5 §4.3).

pub(crate) mod incoming;
pub(crate) mod outgoing;
