//! What shall happen in a run.

use std::time::Duration;

use mqtt_codec::{ProtocolVersion, QoS};
use mqtt_core::Config;

use crate::net::Weather;

/// Session expiry: never.
pub const NEVER: u32 = u32::MAX;

/// A run: who takes part, what they do and when, and what goes wrong.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Everything that is left to chance comes from this.
    pub seed: u64,
    /// The broker's configuration.
    pub config: Config,
    /// The clients.
    pub clients: Vec<ClientSpec>,
    /// What they do: when, which client, what.
    pub ops: Vec<(Duration, usize, Op)>,
    /// What goes wrong.
    pub faults: Faults,
    /// When nothing goes wrong any more: from here on the weather is fair and every client stays connected.
    pub calm_at: Duration,
    /// How long the calm lasts before the guarantees are checked.
    pub calm: Duration,
    /// Whether the broker may drop messages because its limits are small: then those that got lost are only counted.
    pub lossy: bool,
    /// Whether the history is written.
    pub trace: bool,
}

/// What goes wrong.
#[derive(Clone, Debug)]
pub struct Faults {
    /// The network until the calm.
    pub weather: Weather,
    /// How long it takes to make a record durable, at most.
    pub storage: Duration,
    /// How long the host thinks about a question, at most.
    pub answers: Duration,
    /// How late the host ticks.
    pub lateness: Duration,
    /// The broker's crashes.
    pub crash: Crash,
    /// How long the broker or a client is down after a crash, at most.
    pub downtime: Duration,
}

/// When the broker crashes. Only records survive: all that are durable, and perhaps some of those after.
#[derive(Clone, Debug)]
pub enum Crash {
    /// Never.
    Never,
    /// At these times; what survives of the records that are not durable is drawn.
    At(Vec<Duration>),
    /// Once, at the moment the broker emits the record of this number, counted from 1; so many of the records that are not
    /// durable survive.
    AtRecord {
        /// The record.
        record: usize,
        /// How many records after the last durable one survive, at most.
        survive: usize,
    },
}

/// A client.
#[derive(Clone, Debug)]
pub struct ClientSpec {
    /// Client identifier.
    pub id: String,
    /// The version it speaks.
    pub version: ProtocolVersion,
    /// Session expiry in seconds; MQTT 3.x knows 0 and [`NEVER`] only.
    pub expiry: u32,
    /// Keep alive in seconds; it pings three times as often.
    pub keep_alive: u16,
    /// Receive maximum of MQTT 5, 0 for not said.
    pub receive_maximum: u16,
    /// Topic alias maximum of MQTT 5.
    pub alias_maximum: u16,
    /// How long it takes to acknowledge, at most.
    pub ack_delay: Duration,
    /// How long it waits before it connects again, at most.
    pub patience: Duration,
    /// Its will.
    pub will: Option<WillSpec>,
    /// An application on [`mqtt_core::client::Client`] instead of the model of a client. It has no will.
    pub application: Option<ApplicationSpec>,
}

/// How an application uses its client.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct ApplicationSpec {
    /// Whether its first connection begins a new session (MQTT 5; else the session expiry decides).
    pub clean_start: bool,
    /// Whether the session is stored: else it must not crash.
    pub durable: bool,
    /// Whether it acknowledges messages itself, after the time of [`ClientSpec::ack_delay`].
    pub manual_acknowledgement: bool,
    /// Whether the client, and not the application, subscribes again when the session was lost.
    pub resubscribe: bool,
    /// QoS 1 and 2 messages under way.
    pub max_inflight: u16,
}

/// A will: its payload is made anew for each connection.
#[derive(Clone, Debug)]
pub struct WillSpec {
    /// Topic name.
    pub topic: String,
    /// QoS.
    pub qos: QoS,
    /// Will delay interval of MQTT 5 in seconds.
    pub delay: u32,
}

/// What a client does.
#[derive(Clone, Debug)]
pub enum Op {
    /// Connects, and does so again whenever it loses its connection.
    Connect,
    /// Publishes. Without a connection QoS 1 and 2 wait, QoS 0 is forgotten.
    Publish {
        /// Topic name.
        topic: String,
        /// QoS.
        qos: QoS,
        /// Retain flag.
        retain: bool,
        /// Bytes of payload, at the least.
        size: usize,
        /// Message expiry interval of MQTT 5 in seconds.
        expiry: Option<u32>,
    },
    /// Publishes an empty retained message.
    ClearRetained(String),
    /// Subscribes; without a connection, as soon as there is one.
    Subscribe(String, QoS),
    /// Takes a subscription back; without a connection, as soon as there is one.
    Unsubscribe(String),
    /// Disconnects in good order and stays away.
    Disconnect,
    /// Drops its connection and stays away.
    Drop,
    /// Crashes; comes back after a while, with nothing but its records. Only applications do.
    Crash,
    /// Reads nothing for so long.
    Stall(Duration),
    /// Ends its session: connects with a clean start and no session expiry, and disconnects. Only models do.
    Clean,
}

impl ClientSpec {
    /// A client that is quick and keeps its session for ever.
    pub fn persistent(id: &str, version: ProtocolVersion) -> Self {
        Self {
            id: id.into(),
            version,
            expiry: NEVER,
            keep_alive: 30,
            receive_maximum: 0,
            alias_maximum: 0,
            ack_delay: Duration::ZERO,
            patience: Duration::from_millis(10),
            will: None,
            application: None,
        }
    }
}
