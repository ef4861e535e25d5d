//! What the server of a connection said of itself in CONNACK (MQTT 5 §3.2.2.3).

use core::num::{NonZeroU16, NonZeroU32};

use mqtt_codec::{ConnAck, MAX_PACKET_SIZE, QoS};

use super::DropReason;

/// The server's limits; before CONNACK, what every server takes.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own")]
pub(super) struct Server {
    pub(super) receive_maximum: u16,
    pub(super) max_packet_size: u32,
    pub(super) max_qos: QoS,
    pub(super) retain_available: bool,
    pub(super) topic_alias_maximum: u16,
    pub(super) wildcard_subscriptions: bool,
    pub(super) shared_subscriptions: bool,
    pub(super) subscription_identifiers: bool,
    /// Instead of the configured one, in seconds.
    pub(super) keep_alive: Option<u16>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            receive_maximum: u16::MAX,
            max_packet_size: MAX_PACKET_SIZE,
            max_qos: QoS::ExactlyOnce,
            retain_available: true,
            topic_alias_maximum: 0,
            wildcard_subscriptions: true,
            shared_subscriptions: true,
            subscription_identifiers: true,
            keep_alive: None,
        }
    }
}

impl Server {
    pub(super) fn of(connack: &ConnAck<'_>) -> Self {
        let properties = &connack.properties;
        Self {
            receive_maximum: properties.receive_maximum().map_or(u16::MAX, NonZeroU16::get),
            max_packet_size: properties.maximum_packet_size().map_or(MAX_PACKET_SIZE, NonZeroU32::get),
            max_qos: properties.maximum_qos().unwrap_or(QoS::ExactlyOnce),
            retain_available: properties.retain_available().unwrap_or(true),
            topic_alias_maximum: properties.topic_alias_maximum().unwrap_or(0),
            wildcard_subscriptions: properties.wildcard_subscription_available().unwrap_or(true),
            shared_subscriptions: properties.shared_subscription_available().unwrap_or(true),
            subscription_identifiers: properties.subscription_identifiers_available().unwrap_or(true),
            keep_alive: properties.server_keep_alive(),
        }
    }
    /// Whether it has subscriptions like this one.
    pub(super) fn has_subscription(&self, filter: &str) -> bool {
        (self.shared_subscriptions || !filter.starts_with("$share/"))
            && (self.wildcard_subscriptions || !filter.bytes().any(|byte| matches!(byte, b'+' | b'#')))
    }

    /// What is to be said against sending it such a message.
    pub(super) fn check(&self, qos: QoS, retain: bool) -> Result<(), DropReason> {
        if qos > self.max_qos {
            Err(DropReason::QoSNotSupported)
        } else if retain && !self.retain_available {
            Err(DropReason::RetainNotSupported)
        } else {
            Ok(())
        }
    }
}
