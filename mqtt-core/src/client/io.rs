//! What goes into a client and what comes out.

use alloc::boxed::Box;
use alloc::vec::Vec;

use machine::Instant;
use mqtt_codec::{EncodeError, Malformed, PacketIdentifier, Properties, QoS, ReasonCode};

use super::records::Change;
use crate::error::Violation;
use crate::input::RecordNumber;
use crate::message::copied_text;
use crate::property_buffer::PropertyBuffer;

/// Something the application asked for; followed to its completion, across reconnections. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(pub(crate) u64);

/// A message that the application is to acknowledge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId(pub(crate) u64);

/// What happened outside of the client.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// The transport connection that [`Action::Open`] asked for is open.
    Opened,
    /// Bytes arrived, in order. All are taken.
    Bytes(&'a [u8]),
    /// So many bytes of the output have left.
    Sent(usize),
    /// The transport connection has ended, or could not be opened.
    Closed,
    /// The host has data for the server, as [`Action::Authenticate`] asked for.
    Authentication(&'a [u8]),
    /// All records up to and with this one will survive a crash.
    Durable {
        /// The last of them.
        up_to: RecordNumber,
    },
    /// Time has passed.
    Tick,
}

/// What the host shall do, or what the application shall know. In order.
#[derive(Debug)]
pub enum Action {
    /// Open a transport connection, and say [`Input::Opened`] or [`Input::Closed`].
    Open {
        /// The server to connect to, if it is not the one the application configured: a server reference
        /// (MQTT 5 §4.11).
        server: Option<Box<str>>,
    },
    /// There is output: write [`Client::output`](super::Client::output) and say [`Input::Sent`]. Said once, and again only
    /// after all of it has left.
    Output,
    /// Write what output there is, close the transport connection, and say [`Input::Closed`].
    Close,
    /// The server let the client in.
    Connected {
        /// Whether it has the session of an earlier connection.
        session_present: bool,
        /// The properties of its CONNACK: limits, assigned client identifier, reason string, user properties.
        properties: PropertyBuffer,
    },
    /// The connection is over, or was not made.
    Disconnected {
        /// Why.
        reason: DisconnectReason,
        /// The properties of the packet that said so, if any.
        properties: PropertyBuffer,
        /// When the next attempt is made, if one is.
        retry_at: Option<Instant>,
    },
    /// A message arrived.
    Message(Message),
    /// Something the application asked for is done.
    Completed {
        /// What.
        handle: Handle,
        /// How it ended.
        outcome: Outcome,
    },
    /// Enhanced authentication: answer the server's data with [`Input::Authentication`].
    Authenticate {
        /// The server's data.
        data: Box<[u8]>,
    },
    /// The server accepted a re-authentication.
    Reauthenticated,
    /// Store this (only with [`Config::durable`](super::Config::durable)), and say when it is durable.
    Record {
        /// Its number; the numbers have no gaps.
        number: RecordNumber,
        /// What to store: all or nothing.
        changes: Vec<Change>,
    },
}

/// Why a connection is over, or was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisconnectReason {
    /// The application asked for it.
    Requested,
    /// The configuration makes a CONNECT that breaks a rule of form. It is not tried again.
    InvalidConfig(EncodeError),
    /// The transport connection ended or could not be opened.
    TransportClosed,
    /// The server did not let the client in.
    Refused(ReasonCode),
    /// The server sent DISCONNECT.
    Server(ReasonCode),
    /// Opening the connection, CONNACK or a step of authentication took too long.
    ConnectTimeout,
    /// PINGREQ was not answered.
    PingTimeout,
    /// The server sends and sends, but does not read what it is answered.
    Stalled,
    /// The server sent something that is no MQTT packet.
    Malformed(Malformed),
    /// The server broke a rule of the protocol.
    Violation(Violation),
}

/// How something the application asked for ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A message is with the server (QoS 0: on its way). A reason of 0x80 or above means that the server refused it.
    Published(ReasonCode),
    /// One reason code for each filter.
    Subscribed(Vec<ReasonCode>),
    /// One reason code for each filter; none before MQTT 5.
    Unsubscribed(Vec<ReasonCode>),
    /// It will not be done.
    Dropped(DropReason),
}

/// Why something will not be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// The server has lost the session while a QoS 2 message was under way: it may or may not have the message, and
    /// sending it again could deliver it twice.
    SessionLost,
    /// The message's expiry interval passed before it could be sent.
    Expired,
    /// The server takes no packet of this size.
    TooLarge,
    /// The server takes no message of this QoS.
    QoSNotSupported,
    /// The server keeps no retained messages.
    RetainNotSupported,
    /// The server has no subscriptions with wildcards, or no shared ones.
    SubscriptionNotSupported,
    /// A QoS 0 message met a closed connection, and does not wait for the next one.
    NotConnected,
}

/// A message from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Topic name, properties, payload.
    pub(super) data: Box<[u8]>,
    pub(super) topic_len: usize,
    pub(super) payload_start: usize,
    /// The QoS.
    pub qos: QoS,
    /// Whether it is a retained message (or, with retain as published, was published as one).
    pub retain: bool,
    /// Whether the server may have sent it before.
    pub dup: bool,
    /// The number that the server gave it; only with QoS 1 and 2.
    pub packet_id: Option<PacketIdentifier>,
    /// What to acknowledge it with; only with manual acknowledgement and QoS 1 and 2.
    pub delivery: Option<DeliveryId>,
}

impl Message {
    /// The topic name.
    pub fn topic(&self) -> &str {
        copied_text(&self.data[..self.topic_len])
    }

    /// Its properties, as they came.
    pub fn properties(&self) -> Properties<'_> {
        Properties::assume_valid(&self.data[self.topic_len..self.payload_start])
    }

    /// The payload.
    pub fn payload(&self) -> &[u8] {
        &self.data[self.payload_start..]
    }
}
