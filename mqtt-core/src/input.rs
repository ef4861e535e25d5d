//! What goes into a broker.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use machine::Instant;
use mqtt_codec::{Properties, PropertyContext, QoS, ReasonCode};
use topic_match::TopicName;

use crate::config::Checks;
use crate::error::Refused;
use crate::message::{Draft, expires_at, is_forwarded};

/// A connection of the broker; never reused for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

impl ConnectionId {
    /// A small number that no other open connection has: an index for the host's own table.
    pub const fn index(self) -> usize {
        self.index as usize
    }
}

/// A question of the broker; never reused for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuestionId {
    pub(crate) connection: ConnectionId,
    pub(crate) serial: u32,
}

/// The number of a [`Record`](crate::Record): one more than that of the record before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordNumber(pub u64);

/// What happened outside of the broker.
#[derive(Debug)]
pub enum Input<'a> {
    /// Bytes arrived on a connection, in order. [`Broker::handle`](crate::Broker::handle) returns how many it took: the
    /// host offers the rest again after [`Action::Resume`](crate::Action::Resume), and reads no more until then.
    Bytes {
        /// The connection.
        connection: ConnectionId,
        /// What arrived, of any length.
        bytes: &'a [u8],
    },
    /// So many bytes of a connection's output have left, counted from its beginning.
    Sent {
        /// The connection.
        connection: ConnectionId,
        /// How many bytes, over all chunks.
        bytes: usize,
    },
    /// The connection has ended, whoever ended it. Every connection that was opened ends with this.
    Closed {
        /// The connection.
        connection: ConnectionId,
    },
    /// The host answers a question. An answer to a question that is no longer open is ignored.
    Answer {
        /// The question.
        question: QuestionId,
        /// What the host decided.
        answer: Answer,
    },
    /// All records up to and with this one will survive a crash.
    Durable {
        /// The last of them.
        up_to: RecordNumber,
    },
    /// Time has passed: to be called when [`Broker::next_deadline`](crate::Broker::next_deadline) has come.
    Tick,
}

/// An answer to a [`Question`](crate::Question). One that does not fit its question counts as
/// `Deny(ReasonCode::NOT_AUTHORIZED)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To `Connect` and `Authenticate`: let the client in.
    Admit(Admission),
    /// To `Connect` and `Authenticate`: enhanced authentication goes on with this data for the client.
    Continue(Box<[u8]>),
    /// To `Publish`, `Subscribe` and `Deliver`: let it be done.
    Allow,
    /// To any question: no, and this is what an MQTT 5 client is told (older ones get the nearest return code).
    Deny(ReasonCode),
}

/// How a client is let in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admission {
    /// What to ask before this client's deeds.
    pub checks: Checks,
    /// The last authentication data for the client, where it asked for enhanced authentication.
    pub authentication_data: Option<Box<[u8]>>,
}

/// A message that does not come from a connection: from the host, a bridge, another protocol.
#[derive(Clone, Copy, Debug)]
pub struct Publication<'a> {
    /// The topic name.
    pub topic: &'a str,
    /// The QoS it is sent with, at the most.
    pub qos: QoS,
    /// Whether it becomes the topic's retained message (or, with an empty payload, removes it).
    pub retain: bool,
    /// Properties of a PUBLISH; a topic alias or subscription identifiers among them are left out.
    pub properties: Properties<'a>,
    /// The application message.
    pub payload: &'a [u8],
}

impl<'a> Publication<'a> {
    /// The message, with what is forwarded of its properties encoded into `properties`.
    pub(crate) fn draft<'b>(&self, properties: &'b mut Vec<u8>, now: Instant) -> Result<Draft<'b>, Refused>
    where
        'a: 'b,
    {
        TopicName::new(self.topic).map_err(|_| Refused::InvalidTopic)?;
        for property in self.properties.iter().filter(is_forwarded) {
            property.encode(properties).map_err(|_| Refused::InvalidProperties)?;
        }
        if !properties.is_empty() {
            Properties::validate(properties, PropertyContext::PublishToServer)
                .map_err(|_| Refused::InvalidProperties)?;
        }
        Ok(Draft {
            topic: self.topic,
            properties,
            payload: self.payload,
            qos: self.qos,
            retain: self.retain,
            expires: expires_at(self.properties.message_expiry_interval(), now),
        })
    }
}

/// An owned copy of the authentication method and data of a CONNECT or AUTH packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authentication {
    /// The method, the same through the whole exchange.
    pub method: String,
    /// The data, if the packet had any.
    pub data: Option<Vec<u8>>,
}
