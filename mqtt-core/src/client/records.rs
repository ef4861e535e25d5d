//! What of a client's session must survive a crash.

use alloc::boxed::Box;
use alloc::sync::Arc;

use mqtt_codec::{PacketIdentifier, SubscriptionOptions};

use crate::message::Message;

/// One change of the client's session.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The server gave the client its identifier.
    ClientId(Box<str>),
    /// A message waits to be sent.
    Queued {
        /// Tells it from every other; grows.
        serial: u64,
        /// The message.
        message: Arc<Message>,
    },
    /// A waiting message will not be sent.
    Dropped {
        /// Its serial.
        serial: u64,
    },
    /// A waiting message was given a packet identifier and goes out.
    Sent {
        /// Its serial.
        serial: u64,
        /// Its packet identifier.
        packet_id: PacketIdentifier,
    },
    /// The server has a QoS 2 message: from now on only PUBREL is sent for it.
    Released {
        /// The packet identifier.
        packet_id: PacketIdentifier,
    },
    /// A message that was sent is done.
    Done {
        /// The packet identifier.
        packet_id: PacketIdentifier,
    },
    /// A QoS 2 message of the server was handed out.
    Received {
        /// The packet identifier.
        packet_id: PacketIdentifier,
    },
    /// The server released a QoS 2 message.
    Completed {
        /// The packet identifier.
        packet_id: PacketIdentifier,
    },
    /// The server granted a subscription.
    Subscribed {
        /// The topic filter.
        filter: Box<str>,
        /// Its options.
        options: SubscriptionOptions,
        /// Its subscription identifier; 0 for none.
        identifier: u32,
    },
    /// A subscription was taken back.
    Unsubscribed {
        /// The topic filter.
        filter: Box<str>,
    },
    /// The server has no session any more: nothing is in flight.
    SessionLost,
}
