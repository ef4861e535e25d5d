//! What a client may be told.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use mqtt_codec::{PacketIdentifier, ProtocolVersion, QoS};

use crate::input::Authentication;
use crate::property_buffer::PropertyBuffer;

/// The configuration of a [`Client`](super::Client).
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct Config {
    /// The version to speak. Default MQTT 5.
    pub version: ProtocolVersion,
    /// The client identifier; empty to get one from the server. Default empty.
    pub client_id: String,
    /// Whether the first connection begins a new session. Later ones resume it, unless the server has lost it or (before
    /// MQTT 5) this is set: Clean Session then also ends the session with each connection. Default true.
    pub clean_start: bool,
    /// How long the server shall keep the session without a connection, in seconds; 4 294 967 295 means for ever. MQTT 5
    /// only. Default 0.
    pub session_expiry: u32,
    /// The longest silence in seconds; 0 for no limit. The server may set another. Default 60.
    pub keep_alive: u16,
    /// The user name.
    pub username: Option<String>,
    /// The password.
    pub password: Option<Vec<u8>>,
    /// What the server publishes when this client is gone.
    pub will: Option<Box<Will>>,
    /// Enhanced authentication: the method, and the data for CONNECT. MQTT 5 only.
    pub authentication: Option<Box<Authentication>>,
    /// User properties (and whatever else the application wants) of CONNECT. MQTT 5 only. What this configuration has a
    /// field for is taken from there.
    pub connect_properties: PropertyBuffer,
    /// Unacknowledged QoS 1 and 2 messages that the server may send. Default 1024.
    pub receive_maximum: u16,
    /// Unacknowledged QoS 1 and 2 messages to the server (less if the server says so). Default 1024.
    pub max_inflight: u16,
    /// Where packet identifiers begin. By default 1; without [`durable`](Self::durable) and [`clean_start`](Self::clean_start)
    /// somewhere at random: the server may still hold the identifiers of QoS 2 messages that an earlier run sent, and would
    /// take a new message for one of these.
    pub first_packet_id: Option<PacketIdentifier>,
    /// The largest packet to accept, in bytes. Default 16 MiB.
    pub max_packet_size: u32,
    /// Topic aliases that the server may use. Default 32.
    pub topic_alias_maximum: u16,
    /// Topic aliases to use towards a server that allows them. Default 32.
    pub max_outgoing_topic_aliases: u16,
    /// How long opening a connection and CONNACK may take together, and each step of enhanced authentication. Default 10 s.
    pub connect_timeout: Duration,
    /// How long the answer to PINGREQ may take. Default 10 s.
    pub ping_timeout: Duration,
    /// How to reconnect; `None` for not at all.
    pub reconnect: Option<Backoff>,
    /// Whether to connect to the server that a server names (reason codes 0x9C and 0x9D). Default true.
    pub follow_redirects: bool,
    /// Whether to make all subscriptions again when the server has lost the session. Default true.
    pub resubscribe: bool,
    /// Whether each SUBSCRIBE carries a subscription identifier, so that [`Client::subscribers`](super::Client::subscribers)
    /// is exact; one that the application gives goes before. MQTT 5 only. Default true.
    pub subscription_identifiers: bool,
    /// Whether QoS 1 and 2 messages are acknowledged when they are handed out, or when the application says so.
    pub manual_acknowledgement: bool,
    /// Whether QoS 0 messages wait for a connection. Default true.
    pub queue_qos0: bool,
    /// Messages that may wait to be sent or acknowledged. Default 1000.
    pub max_queued: u32,
    /// Bytes that they may take. Answers that the server does not read may take as much again; an eighth more, 1 MiB at
    /// most, is kept of messages that are done until [`Client::shrink_to_fit`](super::Client::shrink_to_fit). Default 16 MiB.
    pub max_memory: usize,
    /// Whether the session leaves as [`Change`](super::Change)s, and what relies on them waits until they are durable.
    /// The host's epoch must then survive restarts. Default false.
    pub durable: bool,
}

/// A will message.
#[derive(Clone, Debug, PartialEq)]
pub struct Will {
    /// The topic name.
    pub topic: String,
    /// The payload.
    pub payload: Vec<u8>,
    /// The QoS.
    pub qos: QoS,
    /// Whether it becomes a retained message.
    pub retain: bool,
    /// Its properties, the will delay interval among them. MQTT 5 only.
    pub properties: PropertyBuffer,
}

/// Waiting between attempts to connect: a random span between half of and the whole of a time that doubles with each
/// failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The first time. Default 1 s.
    pub min: Duration,
    /// The longest. Default 60 s.
    pub max: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { min: Duration::from_secs(1), max: Duration::from_secs(60) }
    }
}

impl Backoff {
    /// The time after so many failures in a row.
    pub(super) fn after(self, failures: u32) -> Duration {
        let doubled = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        self.min.saturating_mul(doubled).min(self.max)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            version: ProtocolVersion::V5,
            client_id: String::new(),
            clean_start: true,
            session_expiry: 0,
            keep_alive: 60,
            username: None,
            password: None,
            will: None,
            authentication: None,
            connect_properties: PropertyBuffer::default(),
            receive_maximum: 1024,
            max_inflight: 1024,
            first_packet_id: None,
            max_packet_size: 16 << 20,
            topic_alias_maximum: 32,
            max_outgoing_topic_aliases: 32,
            connect_timeout: Duration::from_secs(10),
            ping_timeout: Duration::from_secs(10),
            reconnect: Some(Backoff::default()),
            follow_redirects: true,
            resubscribe: true,
            subscription_identifiers: true,
            manual_acknowledgement: false,
            queue_qos0: true,
            max_queued: 1000,
            max_memory: 16 << 20,
            durable: false,
        }
    }
}
