//! What a gateway may be told: every limit, with its default.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use mqtt_codec::ProtocolVersion;
use mqtt_core::client::Backoff;
use topic_match::FilterLimits;

use super::predefined::Predefined;

/// The configuration of a [`Gateway`](super::Gateway). Every field has a safe default; all limits hold before a client is
/// known.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own")]
pub struct Config {
    /// One MQTT connection for each client, or one for all. Default transparent.
    pub mode: Mode,
    /// `GwId`, which tells this gateway from others of the network. Default 1.
    pub gateway_id: u8,
    /// The connections to the MQTT server.
    pub upstream: Upstream,
    /// Topic ids that clients need not register.
    pub predefined: Predefined,
    /// Whether and how often the gateway says that it is there. Default not.
    pub advertise: Option<Advertise>,
    /// Clients known, connected or not. A further one gets CONNACK "congestion". Default 100 000.
    pub max_clients: u32,
    /// Clients whose will is being asked for. A further one gets CONNACK "congestion". Default 1000.
    pub max_handshakes: u32,
    /// How long the questions for a will may take. Default 60 s.
    pub handshake_timeout: Duration,
    /// The longest client identifier, in octets. The specification says 23 characters, which few clients keep to.
    /// Default 128.
    pub max_client_id: u16,
    /// Whether a client may leave its identifier empty and be known by its address alone. Default false: CONNACK "not
    /// supported".
    pub assign_client_ids: bool,
    /// Whether a PINGREQ with a client identifier from an unknown address moves that client there. Anybody who knows an
    /// identifier can send one. Default false: the client is told to connect again.
    pub rebind_on_ping: bool,
    /// The longest silence of a client whose keep alive is 0. Default 24 h.
    pub idle_ceiling: Duration,
    /// How long the session of a client that is gone is kept, if that asked for it (`CleanSession` 0). Default 7 days.
    pub session_expiry: Duration,
    /// How long a client without a session is remembered, to answer what it repeats. Default 60 s.
    pub linger: Duration,
    /// A CONNECT that comes again within this time, a QoS 2 PUBLISH with the content of one that is done, or a SUBSCRIBE or
    /// UNSUBSCRIBE with the MsgId of one that another one has followed, is taken for a copy that the network made. Default 5 s.
    pub duplicate_window: Duration,
    /// `T_retry`: when a message is sent again that the client did not answer. Default 10 s.
    pub retry: Duration,
    /// `N_retry`: how often. Default 4. After that it waits for a sign of life.
    pub retries: u8,
    /// `T_WAIT`: how long a client that answers "congestion" is left alone. Default 5 min.
    pub wait: Duration,
    /// The largest message that the network carries to a client, in octets. What is larger is dropped in silence (§6.10).
    /// Default 1400.
    pub max_message_size: u16,
    /// Topic ids of one client. Ids that the gateway assigned for filters with wildcards give way to new ones. Default 256.
    pub max_topics: u16,
    /// Whether topic ids and message ids of each new session begin at a random number. A client that does not know that the gateway
    /// has forgotten its session may go on with those of the old one: they had better not mean something else. Default true.
    pub random_ids: bool,
    /// Limits of topic names and filters. Default 128 levels, 8 `+`, 1024 bytes.
    pub topic_limits: FilterLimits,
    /// Whether clients may publish to topics that begin with `$`, which servers keep for themselves. Default false.
    pub publish_to_dollar: bool,
    /// The largest will message, in octets. Default 1024.
    pub max_will_size: u16,
    /// QoS 1 and 2 messages of one client that are under way to the server; a client has one by the rules. Default 8.
    pub max_inbound: u8,
    /// SUBSCRIBE and UNSUBSCRIBE messages of one client that are not answered; a client has one by the rules. Default 4.
    pub max_requests: u8,
    /// What waits for one client, asleep or awake.
    pub queue: QueueConfig,
    /// Bytes that wait for all clients together. Default 64 MiB.
    pub max_buffered: usize,
    /// Who may publish with QoS -1. Default anyone.
    pub qos_minus_one: MinusOnePolicy,
    /// Whether RSMB's extension of QoS -1 is understood: a topic name in front of the data. Default false.
    pub rsmb_qos_minus_one: bool,
    /// How often addresses without a connection are answered or listened to.
    pub strangers: StrangerLimits,
    /// Forwarders that ADVERTISE is sent to. Default 256.
    pub max_forwarders: u16,
    /// How long SUBSCRIBEs of clients are collected before they go to the server (aggregating). Default 20 ms.
    pub subscribe_delay: Duration,
    /// How long after SUBACK retained messages are expected (aggregating). Default 2 s.
    pub retained_window: Duration,
}

/// How many MQTT connections there are (§4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One for each client, with its client identifier (§4.1).
    Transparent,
    /// One for all clients (§4.2).
    Aggregating,
}

/// The MQTT side.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// The protocol version; where the server knows no MQTT 5, the gateway falls back to 3.1.1. Default 5.
    pub version: ProtocolVersion,
    /// The client identifier of the gateway's own connection: no two gateways of a server may have the same. Default empty: a
    /// random one. With MQTT 3.1.1 the session then ends with each connection.
    pub client_id: String,
    /// What goes before the identifiers of clients (transparent). Default nothing.
    pub client_id_prefix: String,
    /// The user name.
    pub username: Option<String>,
    /// The password.
    pub password: Option<Vec<u8>>,
    /// The keep alive of each connection, in seconds: it has nothing to do with that of the clients. Default 60.
    pub keep_alive: u16,
    /// How long the server keeps a session after its connection was lost, in seconds, though the client asked for a clean
    /// one: what a short loss of the link may take. MQTT 5 only. Default 60.
    pub link_grace: u32,
    /// Time-out of opening a connection, CONNACK included. Default 10 s.
    pub connect_timeout: Duration,
    /// Waiting between attempts. Default 1 s to 60 s.
    pub backoff: Backoff,
    /// Messages of one client that wait for the server (transparent). Default 16.
    pub max_queued: u32,
    /// Messages of all clients that wait for the server (aggregating, and QoS -1). Default 10 000.
    pub max_shared_queued: u32,
    /// Their bytes. Default 16 MiB.
    pub max_memory: usize,
    /// Different filters (aggregating). Default 100 000.
    pub max_filters: u32,
    /// The largest packet accepted from the server, in bytes. A server of MQTT 3.1.1 cannot be told: from there 128 KiB are taken at
    /// least, and a larger message loses its end and is dropped, since none of MQTT-SN is so large. Default 1 MiB.
    pub max_packet_size: u32,
}

/// ADVERTISE (§6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advertise {
    /// `T_ADV`, in seconds: more than 15 minutes where bandwidth is dear. Default 900.
    pub interval: u16,
    /// The broadcast radius; 0 for the whole network. Default 0.
    pub radius: u8,
}

impl Default for Advertise {
    fn default() -> Self {
        Self { interval: 900, radius: 0 }
    }
}

/// Limits of the queue of one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueConfig {
    /// Messages. Default 100.
    pub messages: u16,
    /// Bytes of topics and payloads, 32 more for each message. Default 64 KiB.
    pub bytes: u32,
    /// What gives way. Default the oldest.
    pub policy: DropPolicy,
    /// Whether QoS 0 messages are kept for a client that is asleep. Default true.
    pub qos0_asleep: bool,
}

impl Default for QueueConfig {
    fn default() -> Self {
        Self { messages: 100, bytes: 64 << 10, policy: DropPolicy::Oldest, qos0_asleep: true }
    }
}

/// What gives way when a queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropPolicy {
    /// The message that has waited longest.
    Oldest,
    /// The message that has just come.
    Newest,
    /// The oldest message of QoS 0; the oldest of all, if there is none.
    QoS0First,
}

/// Who may publish with QoS -1 (§6.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MinusOnePolicy {
    /// Nobody.
    Off,
    /// Clients that are connected as well.
    Connected,
    /// Any address, as the specification means it.
    Anyone,
}

/// How much addresses without a connection can make the gateway do. An answer is never larger than what it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StrangerLimits {
    /// Answers per second, in all. Default 200.
    pub answers: u32,
    /// Answers per second to one address. Default 5.
    pub answers_each: u32,
    /// QoS -1 messages per second, in all. Default 5000.
    pub messages: u32,
    /// QoS -1 messages per second from one address. Default 100.
    pub messages_each: u32,
    /// Addresses that are told apart within one second; further ones get nothing. Default 4096.
    pub addresses: u32,
}

impl Default for StrangerLimits {
    fn default() -> Self {
        Self { answers: 200, answers_each: 5, messages: 5000, messages_each: 100, addresses: 4096 }
    }
}

impl Default for Upstream {
    fn default() -> Self {
        Self {
            version: ProtocolVersion::V5,
            client_id: String::new(),
            client_id_prefix: String::new(),
            username: None,
            password: None,
            keep_alive: 60,
            link_grace: 60,
            connect_timeout: Duration::from_secs(10),
            backoff: Backoff::default(),
            max_queued: 16,
            max_shared_queued: 10_000,
            max_memory: 16 << 20,
            max_filters: 100_000,
            max_packet_size: 1 << 20,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            mode: Mode::Transparent,
            gateway_id: 1,
            upstream: Upstream::default(),
            predefined: Predefined::default(),
            advertise: None,
            max_clients: 100_000,
            max_handshakes: 1000,
            handshake_timeout: Duration::from_secs(60),
            max_client_id: 128,
            assign_client_ids: false,
            rebind_on_ping: false,
            idle_ceiling: Duration::from_secs(24 * 3600),
            session_expiry: Duration::from_secs(7 * 24 * 3600),
            linger: Duration::from_secs(60),
            duplicate_window: Duration::from_secs(5),
            retry: Duration::from_secs(10),
            retries: 4,
            wait: Duration::from_secs(300),
            max_message_size: 1400,
            max_topics: 256,
            random_ids: true,
            topic_limits: FilterLimits { bytes: 1024, ..FilterLimits::default() },
            publish_to_dollar: false,
            max_will_size: 1024,
            max_inbound: 8,
            max_requests: 4,
            queue: QueueConfig::default(),
            max_buffered: 64 << 20,
            qos_minus_one: MinusOnePolicy::Anyone,
            rsmb_qos_minus_one: false,
            strangers: StrangerLimits::default(),
            max_forwarders: 256,
            subscribe_delay: Duration::from_millis(20),
            retained_window: Duration::from_secs(2),
        }
    }
}
