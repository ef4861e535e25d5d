//! What goes into a client and what comes out.

use alloc::sync::Arc;

use bytes::Bytes;
use machine::Instant;
use mqttsn_codec::{QoS, ReturnCode, ShortTopic, TopicId};
use thiserror::Error;

use crate::rows::rows;

/// Something the application asked for; followed to its completion, across connections. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(pub(super) u64);

/// What happened outside of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input<'a, P> {
    /// A datagram arrived, for this client or for all.
    Datagram {
        /// Who sent it.
        from: P,
        /// The datagram.
        datagram: &'a [u8],
    },
    /// Time has passed: to be called when [`Client::next_deadline`](super::Client::next_deadline) has come.
    Tick,
}

/// What the host shall do, or what the application shall know. In order: a message comes before its acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action<P> {
    /// Send a datagram to a gateway.
    Send {
        /// The gateway.
        to: P,
        /// One message.
        datagram: Bytes,
    },
    /// Send a datagram to all nodes within a radius: on UDP, to the multicast group.
    Broadcast {
        /// How far, 0 for the whole network.
        radius: u8,
        /// One message.
        datagram: Bytes,
    },
    /// A gateway is there.
    GatewayFound {
        /// Its name in the network.
        gateway_id: u8,
        /// Where it is.
        address: P,
    },
    /// A gateway has not advertised itself for too long and is forgotten.
    GatewayLost {
        /// Its name in the network.
        gateway_id: Option<u8>,
        /// Where it was.
        address: P,
    },
    /// The gateway let the client in, or back in after sleep.
    Connected {
        /// The gateway.
        gateway: P,
        /// Whether it was asked to keep what it has of this client: subscriptions, topic ids and will.
        resumed: bool,
    },
    /// The connection is over, or was not made.
    Disconnected {
        /// Why.
        reason: DisconnectReason,
        /// When the next attempt is made, if one is.
        retry_at: Option<Instant>,
    },
    /// The client sleeps. It wakes by itself before the gateway misses it; the radio may be off until
    /// [`Client::next_deadline`](super::Client::next_deadline).
    Asleep,
    /// The client asks for what was kept for it. Messages follow, and then [`Action::Asleep`].
    Awake,
    /// A message arrived.
    Message(Message),
    /// Something the application asked for is done.
    Completed {
        /// What.
        handle: Handle,
        /// How it ended.
        outcome: Outcome,
    },
}

/// A message from the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it is about.
    pub topic: MessageTopic,
    /// The QoS it came with.
    pub qos: QoS,
    /// Whether it was retained.
    pub retain: bool,
    /// Whether it may have come before.
    pub dup: bool,
    /// The message.
    pub data: Bytes,
}

/// The topic of a message, as far as the client knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageTopic {
    /// A topic name.
    Name(Arc<str>),
    /// A predefined topic id: the application knows what it means.
    Predefined(TopicId),
    /// A short topic name.
    Short(ShortTopic),
}

impl MessageTopic {
    /// The topic name; `None` for a predefined id, or two octets that are no text.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Predefined(_) => None,
            Self::Short(name) => name.as_str(),
        }
    }
}

/// A message to publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publication<'a> {
    /// What it is about. A name is registered with the gateway first, if it is not yet.
    pub topic: PublishTopic<'a>,
    /// The QoS.
    pub qos: QoS,
    /// Whether it becomes the topic's retained message.
    pub retain: bool,
    /// The message.
    pub data: &'a [u8],
}

/// The topic of a message to publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishTopic<'a> {
    /// A topic name.
    Name(&'a str),
    /// A topic id that application and gateway agreed upon beforehand.
    Predefined(TopicId),
    /// A short topic name.
    Short(ShortTopic),
}

/// How something ended that the application asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The message reached the end of its QoS: it was sent (QoS 0), or acknowledged.
    Published,
    /// The subscription stands.
    Subscribed {
        /// The QoS with which messages come, at the most.
        qos: QoS,
        /// The topic id that they come with; `None` for short topic names and filters with wildcards.
        topic_id: Option<TopicId>,
    },
    /// The subscription is gone.
    Unsubscribed,
    /// The topic name has a topic id.
    Registered(TopicId),
    /// The gateway has the new will, or will have it with the next connection.
    WillUpdated,
    /// The gateway refused; congestion, if it lasted too long.
    Rejected(ReturnCode),
    /// The gateway never answered, through several connections, though it answered other things.
    Unanswered,
    /// A QoS 2 message was under way when the session ended: it may have arrived, and sending it again might make two.
    Interrupted,
    /// A QoS 0 message found no connection and was not to wait for one.
    NotConnected,
}

/// Why a connection ended, or was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisconnectReason {
    /// The application asked for it.
    Requested,
    /// The gateway did not answer any more.
    GatewayLost,
    /// The gateway sent DISCONNECT.
    ByGateway,
    /// The gateway refused the connection.
    Refused(ReturnCode),
}

/// What a client is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No connection is wanted.
    Disconnected,
    /// A gateway is being looked for, or the next attempt comes later.
    Searching,
    /// A gateway has been asked for a connection.
    Connecting,
    /// Connected.
    Active,
    /// The gateway keeps messages until the client wakes.
    Asleep,
    /// The gateway sends what it kept.
    Awake,
    /// The gateway has been told good-bye.
    Disconnecting,
}

/// The caller asked for something that cannot be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// A limit of the configuration is reached.
    #[error("a limit of the configuration is reached")]
    Full,
    /// The message would be larger than [`Config::max_message_size`](super::Config::max_message_size).
    #[error("the message is larger than the network carries")]
    TooLong,
    /// The topic name or filter breaks the syntax of MQTT.
    #[error("invalid topic name or filter")]
    InvalidTopic,
    /// The client id is empty, or contains U+0000.
    #[error("invalid client id")]
    InvalidClientId,
    /// No gateway is configured, and none is to be looked for.
    #[error("no gateway is known, and none is looked for")]
    NoGateway,
    /// There is no connection that could be put to sleep, or woken.
    #[error("not connected")]
    NotConnected,
}

/// Counts since the start. Everything the client drops is counted here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Datagrams that are no message.
    pub malformed: u64,
    /// Messages from others than the gateway, or of a kind that only a client sends.
    pub foreign: u64,
    /// Messages that do not fit the state: late answers, mostly.
    pub out_of_place: u64,
    /// Messages with a topic id that the client does not know; the gateway was told.
    pub unknown_topic: u64,
    /// REGISTERs that the client refused.
    pub refused_registrations: u64,
    /// QoS 2 messages that came again.
    pub duplicates: u64,
    /// QoS 2 messages whose MsgId was forgotten before PUBREL came, to make room.
    pub forgotten_incoming: u64,
    /// Gateways that were not kept because there are too many.
    pub dropped_gateways: u64,
    /// Topic ids that were forgotten to make room.
    pub evicted_topics: u64,
    /// Messages sent again.
    pub retransmissions: u64,
    /// Gateways given up because they did not answer.
    pub gateways_given_up: u64,
    /// Times that a sleeping client asked and got no answer.
    pub failed_checks: u64,
    /// Times that a gateway was congested.
    pub congestions: u64,
}

impl Counters {
    /// Each count with its name, for metrics.
    pub const fn rows(&self) -> [(&'static str, u64); 13] {
        rows!(
            self,
            malformed foreign out_of_place unknown_topic refused_registrations duplicates forgotten_incoming
            dropped_gateways evicted_topics retransmissions gateways_given_up failed_checks congestions
        )
    }
}
