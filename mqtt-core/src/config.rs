//! What a broker may be told: every limit, with its default.

use alloc::boxed::Box;
use core::time::Duration;

use mqtt_codec::QoS;

/// The configuration of a [`Broker`](crate::Broker). Every field has a safe default; all limits hold before a peer has
/// authenticated.
///
/// With the `serde` feature it can be read from a file: unknown keys are refused, spans are seconds (fractions allowed).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(default, deny_unknown_fields))]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own")]
pub struct Config {
    /// Connections open at once, whether or not they have sent CONNECT. Default 100 000.
    pub max_connections: u32,
    /// Sessions kept, with or without a connection. Default 200 000.
    pub max_sessions: u32,
    /// How long a connection may take to send a whole CONNECT, and each step of enhanced authentication. Default 10 s.
    #[cfg_attr(feature = "serde", serde(with = "seconds"))]
    pub connect_timeout: Duration,
    /// The largest CONNECT accepted, in bytes; what a connection that has sent nothing valid can make the broker hold.
    /// Default 3072.
    pub max_connect_size: u32,
    /// The largest packet accepted, in bytes of the whole packet; told to MQTT 5 clients. Default 16 MiB.
    pub max_packet_size: u32,
    /// The longest client identifier accepted, in bytes. Default 1024. (MQTT 3.1's limit of 23 characters is not held
    /// against clients: few keep it.)
    pub max_client_id_size: u16,
    /// Whether a client may leave its client identifier empty and get one from the broker. Default true.
    pub assign_client_ids: bool,
    /// The longest keep alive in seconds: MQTT 5 clients that ask for more, or for none, are told this value; older ones are
    /// supervised with it all the same. Default 65 535, which also leaves a keep alive of 0 (none) alone.
    pub max_keep_alive: u16,
    /// The longest session expiry in seconds; 4 294 967 295 means never. Default never.
    pub max_session_expiry: u32,
    /// The session expiry, in seconds, of MQTT 3.1 and 3.1.1 clients with Clean Session 0. Default never.
    pub v3_session_expiry: u32,
    /// How many QoS 1 and 2 messages a client may have unacknowledged towards the broker. Default 1024.
    pub receive_maximum: u16,
    /// How many QoS 2 messages an MQTT 3.1 or 3.1.1 client may have unreleased: these cannot be told a receive maximum, and
    /// some send all they have at once. Default 10 000.
    pub v3_receive_maximum: u16,
    /// How many QoS 1 and 2 messages the broker sends unacknowledged to a client (less if the client's receive maximum
    /// says so). Default 1024.
    pub max_inflight: u16,
    /// Topic aliases a client may use, per connection; 0 for none. Default 32.
    pub topic_alias_maximum: u16,
    /// Topic aliases the broker uses towards a client that allows them, per connection; 0 for none. Default 32.
    pub max_outgoing_topic_aliases: u16,
    /// The highest QoS that clients may publish with. Default 2.
    #[cfg_attr(feature = "serde", serde(with = "qos"))]
    pub max_qos: QoS,
    /// Whether retained messages are accepted. Default true.
    pub retain_available: bool,
    /// Whether subscriptions with wildcards are accepted. Default true.
    pub wildcard_subscriptions: bool,
    /// Whether shared subscriptions are accepted. Default true.
    pub shared_subscriptions: bool,
    /// Whether subscription identifiers are accepted. Default true.
    pub subscription_identifiers: bool,
    /// What a client whose subscriptions overlap gets. Default one copy.
    pub overlapping_subscriptions: Overlapping,
    /// The most levels a topic name or filter may have. Default 128.
    pub max_topic_levels: u16,
    /// The most `+` a filter may have: bounds the work of a lookup. Default 8.
    pub max_filter_wildcards: u16,
    /// Subscriptions one client may hold. Default 10 000.
    pub max_subscriptions_per_client: u32,
    /// Subscriptions in all. Default 4 000 000.
    pub max_subscriptions: u32,
    /// Retained messages in all. Default 1 000 000.
    pub max_retained: u32,
    /// Bytes of all stored messages (queued, in flight, retained), of packets that have arrived in part, of subscriptions,
    /// topics of retained messages and topic aliases; a message that many clients wait for counts once, its place in each
    /// of their queues for 96 bytes, and 4 for each of several subscription identifiers. A session that reads retained
    /// messages has one such place even when all is used. What the broker holds is at most about twice as much (tables that
    /// grow are copied), and for each connection and session what their own limits say. Default 256 MiB.
    pub max_memory: usize,
    /// What a session's queue holds.
    pub queue: QueueConfig,
    /// Bytes that may wait in a connection's output before its messages wait in the session's queue instead. Default 64 KiB.
    pub output_high_water: usize,
    /// What to answer a client that requests response information (MQTT 5 §3.1.2.11.6): this prefix and the client
    /// identifier. Default none.
    pub response_topic_prefix: Option<Box<str>>,
    /// How often `$SYS/broker/…` is published. Default 10 s; zero turns it off.
    #[cfg_attr(feature = "serde", serde(with = "seconds"))]
    pub sys_interval: Duration,
    /// What the broker asks of its host.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub ask: Ask,
    /// Whether the state of durable sessions and retained messages leaves as [`Record`](crate::Record)s, and what was
    /// promised on its strength waits until the host says it is durable. The host's epoch must then survive restarts.
    /// Default false.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub durable: bool,
}

/// Limits of the queue that a session's messages wait in, on-line and off-line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct QueueConfig {
    /// Messages waiting. Default 1000.
    pub messages: u32,
    /// Bytes waiting: topic, properties and payload. Default 16 MiB.
    pub bytes: usize,
    /// What gives way when the queue is full. Default the new message.
    pub policy: DropPolicy,
    /// Whether QoS 0 messages are kept for clients that are off-line. Default false.
    pub offline_qos0: bool,
}

/// What gives way when a queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum DropPolicy {
    /// The message that has just come.
    Newest,
    /// The message that has waited longest.
    Oldest,
}

/// What a client gets of a message that several of its subscriptions match (MQTT 5 §3.3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Overlapping {
    /// One copy, with the highest QoS and the identifiers of all subscriptions.
    Once,
    /// One copy for each subscription.
    Each,
}

/// Which questions the broker asks of its host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// Ask whether a client may connect. If not, every client may, and its deeds fall under `checks`; enhanced
    /// authentication is then not offered.
    pub connect: bool,
    /// What to ask of clients that are admitted without a question.
    pub checks: Checks,
}

/// What the broker asks before it lets a client do something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checks {
    /// Ask before each publish.
    pub publish: bool,
    /// Ask before each subscription.
    pub subscribe: bool,
    /// Ask before each message is delivered, be it live, queued or retained.
    pub deliver: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_connections: 100_000,
            max_sessions: 200_000,
            connect_timeout: Duration::from_secs(10),
            max_connect_size: 3072,
            max_packet_size: 16 << 20,
            max_client_id_size: 1024,
            assign_client_ids: true,
            max_keep_alive: u16::MAX,
            max_session_expiry: u32::MAX,
            v3_session_expiry: u32::MAX,
            receive_maximum: 1024,
            v3_receive_maximum: 10_000,
            max_inflight: 1024,
            topic_alias_maximum: 32,
            max_outgoing_topic_aliases: 32,
            max_qos: QoS::ExactlyOnce,
            retain_available: true,
            wildcard_subscriptions: true,
            shared_subscriptions: true,
            subscription_identifiers: true,
            overlapping_subscriptions: Overlapping::Once,
            max_topic_levels: 128,
            max_filter_wildcards: 8,
            max_subscriptions_per_client: 10_000,
            max_subscriptions: 4_000_000,
            max_retained: 1_000_000,
            max_memory: 256 << 20,
            queue: QueueConfig::default(),
            output_high_water: 64 << 10,
            response_topic_prefix: None,
            sys_interval: Duration::from_secs(10),
            ask: Ask::default(),
            durable: false,
        }
    }
}

impl Default for QueueConfig {
    fn default() -> Self {
        Self { messages: 1000, bytes: 16 << 20, policy: DropPolicy::Newest, offline_qos0: false }
    }
}

#[cfg(feature = "serde")]
mod seconds {
    use core::time::Duration;

    use serde::{Deserialize, Deserializer, de::Error};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        Duration::try_from_secs_f64(seconds)
            .map_err(|_| D::Error::custom("expected a number of seconds, 0 or more"))
    }
}

#[cfg(feature = "serde")]
mod qos {
    use mqtt_codec::QoS;
    use serde::{Deserialize, Deserializer, de::Error};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<QoS, D::Error> {
        QoS::try_from(u8::deserialize(deserializer)?)
            .map_err(|_| D::Error::custom("expected a QoS: 0, 1 or 2"))
    }
}
