//! What must survive a crash, as the broker tells it and takes it back.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use machine::Instant;
use mqtt_codec::{PacketIdentifier, ProtocolVersion, QoS, SubscriptionOptions};

use crate::message::Message;
use crate::will::Will;

/// What one event changed: all of it survives, or none.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The changes, in order.
    pub changes: Vec<Change>,
}

/// One change of the state that outlives connections and restarts. Sessions that end with their connection leave none.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A session began, or continues with a new connection or without one.
    Session {
        /// Its client identifier.
        client_id: Arc<str>,
        /// The version its client speaks.
        version: ProtocolVersion,
        /// Session expiry interval in seconds; 4 294 967 295 means never.
        expiry: u32,
        /// When it lost its connection; `None` while it has one.
        disconnected: Option<Instant>,
    },
    /// A session ended, and with it all that was stored under its client identifier.
    SessionEnded {
        /// Its client identifier.
        client_id: Arc<str>,
    },
    /// A session has this will, in place of any other.
    Will {
        /// The session's client identifier.
        client_id: Arc<str>,
        /// The will; `None` when it is gone.
        will: Option<Box<Will>>,
    },
    /// A subscription was made or replaced.
    Subscribed {
        /// The session's client identifier.
        client_id: Arc<str>,
        /// The topic filter; of a shared subscription, with its `$share/…/`.
        filter: Box<str>,
        /// Its options.
        options: SubscriptionOptions,
        /// Its subscription identifier; 0 for none.
        identifier: u32,
    },
    /// A subscription was taken back.
    Unsubscribed {
        /// The session's client identifier.
        client_id: Arc<str>,
        /// Its topic filter.
        filter: Box<str>,
    },
    /// A message became the retained message of its topic.
    Retained {
        /// The message.
        message: Arc<Message>,
    },
    /// A topic has no retained message any more.
    RetainedRemoved {
        /// The topic name.
        topic: Box<str>,
    },
    /// A message waits for a session.
    Queued {
        /// The session's client identifier.
        client_id: Arc<str>,
        /// Tells it from everything else that ever waited for this session; grows.
        serial: u64,
        /// The message.
        message: Arc<Message>,
        /// The QoS of this delivery.
        qos: QoS,
        /// The retain flag of this delivery.
        retain: bool,
        /// The subscription identifiers of this delivery.
        identifiers: Vec<u32>,
        /// The shared subscription that it came through, `$share/…/` and all.
        shared: Option<Arc<str>>,
    },
    /// A waiting message will not be sent after all.
    Dropped {
        /// The session's client identifier.
        client_id: Arc<str>,
        /// The message's serial.
        serial: u64,
    },
    /// A waiting message was given a packet identifier and goes out.
    Sent {
        /// The session's client identifier.
        client_id: Arc<str>,
        /// The message's serial.
        serial: u64,
        /// Its packet identifier.
        packet_id: PacketIdentifier,
    },
    /// The client has a QoS 2 message: from now on only PUBREL is sent for it.
    Released {
        /// The session's client identifier.
        client_id: Arc<str>,
        /// The packet identifier.
        packet_id: PacketIdentifier,
    },
    /// A message that was sent is done.
    Done {
        /// The session's client identifier.
        client_id: Arc<str>,
        /// The packet identifier.
        packet_id: PacketIdentifier,
    },
    /// A QoS 2 message of the client was accepted.
    Received {
        /// The session's client identifier.
        client_id: Arc<str>,
        /// The packet identifier.
        packet_id: PacketIdentifier,
    },
    /// The client released a QoS 2 message.
    Completed {
        /// The session's client identifier.
        client_id: Arc<str>,
        /// The packet identifier.
        packet_id: PacketIdentifier,
    },
}
