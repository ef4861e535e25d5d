//! Will messages (MQTT 5 §3.1.2.5).

use alloc::boxed::Box;
use alloc::vec::Vec;

use machine::Instant;
use mqtt_codec::{Property, QoS};

use crate::message::{Draft, expires_at};

/// The message that is published when a client is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Will {
    topic: Box<str>,
    /// Encoded: what is forwarded unchanged.
    properties: Box<[u8]>,
    payload: Box<[u8]>,
    qos: QoS,
    retain: bool,
    /// Seconds between the end of the connection and the will, unless the session ends before.
    delay: u32,
    /// Message expiry interval in seconds: it runs from the publication.
    expiry: Option<u32>,
}

impl Will {
    /// A copy of the will of a CONNECT.
    pub(crate) fn new(will: &mqtt_codec::Will<'_>) -> Self {
        let mut forwarded = Vec::new();
        for property in &will.properties {
            if !matches!(property, Property::WillDelayInterval(_) | Property::MessageExpiryInterval(_)) {
                // It was decoded, so it can be encoded.
                _ = property.encode(&mut forwarded);
            }
        }
        Self {
            topic: will.topic.into(),
            properties: forwarded.into_boxed_slice(),
            payload: will.payload.into(),
            qos: will.qos,
            retain: will.retain,
            delay: will.properties.will_delay_interval().unwrap_or(0),
            expiry: will.properties.message_expiry_interval(),
        }
    }

    /// The topic name.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// The will delay interval in seconds.
    pub fn delay(&self) -> u32 {
        self.delay
    }

    /// The message to publish.
    pub(crate) fn draft(&self, now: Instant) -> Draft<'_> {
        Draft {
            topic: &self.topic,
            properties: &self.properties,
            payload: &self.payload,
            qos: self.qos,
            retain: self.retain,
            expires: expires_at(self.expiry, now),
        }
    }
}
