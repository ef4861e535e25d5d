//! What comes out of a broker.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use mqtt_codec::{Malformed, ProtocolVersion, QoS, ReasonCode};

use crate::error::Violation;
use crate::input::{Authentication, ConnectionId, QuestionId, RecordNumber};
use crate::records::Record;

/// What the host shall do. Actions come in the order in which they must be done.
#[derive(Debug)]
pub enum Action {
    /// The connection has output: write [`Broker::output`](crate::Broker::output), and say how much of it left with
    /// [`Input::Sent`](crate::Input::Sent). Said once, and again only after all of it has left.
    Output(ConnectionId),
    /// The connection is at its end: write what output it has, close it, and say [`Input::Closed`](crate::Input::Closed). The
    /// broker takes nothing more from it.
    Close {
        /// The connection.
        connection: ConnectionId,
        /// Why, for a log.
        reason: CloseReason,
    },
    /// Offer the bytes that were not taken again, and read on.
    Resume(ConnectionId),
    /// Decide something and say it with [`Input::Answer`](crate::Input::Answer). The connection's later packets wait
    /// meanwhile (but for `Deliver`, where only its deliveries wait).
    Ask {
        /// The number to answer to.
        question: QuestionId,
        /// Whose doing it is about.
        connection: ConnectionId,
        /// What to decide.
        about: Question,
    },
    /// A client was let in: for logs and for the host's own tables.
    Connected {
        /// Its connection.
        connection: ConnectionId,
        /// Its client identifier, given or assigned.
        client_id: Arc<str>,
        /// The version it speaks.
        version: ProtocolVersion,
        /// Whether it resumed a session.
        session_present: bool,
    },
    /// Store this (only with [`Config::durable`](crate::Config::durable)), and say when it is durable with
    /// [`Input::Durable`](crate::Input::Durable).
    Record {
        /// Its number; the numbers have no gaps.
        number: RecordNumber,
        /// What to store.
        record: Record,
    },
}

/// Why a connection is at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The client sent DISCONNECT.
    Disconnected(ReasonCode),
    /// The client sent something that is no MQTT packet.
    Malformed(Malformed),
    /// The client broke a rule of the protocol.
    Violation(Violation),
    /// The client was not let in.
    Refused(ReasonCode),
    /// The client was silent for one and a half times its keep alive (MQTT 5 §3.1.2.10).
    KeepAliveTimeout,
    /// No CONNECT, or no answer to an authentication step, within the connect time-out.
    ConnectTimeout,
    /// Another connection took over the session.
    SessionTakenOver,
    /// The client's maximum packet size forbids a packet that it must be sent.
    ClientLimit,
    /// The host asked for it.
    Administrative(ReasonCode),
    /// Something the client sent cannot be kept within the memory limit, and its protocol version knows no way to say so.
    OutOfMemory,
}

/// What the host decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// May this client connect? Answers: `Admit`, `Continue` (only with `authentication`), `Deny`.
    Connect(Box<ConnectRequest>),
    /// The next step of enhanced authentication, at connect or later. Answers: `Admit`, `Continue`, `Deny`.
    Authenticate(Authentication),
    /// May the client publish this? Answers: `Allow`, `Deny`.
    Publish {
        /// The topic name.
        topic: String,
        /// The QoS.
        qos: QoS,
        /// The retain flag.
        retain: bool,
    },
    /// May the client subscribe to this? Answers: `Allow`, `Deny`.
    Subscribe {
        /// The topic filter; of a shared subscription, with its `$share/…/`.
        filter: String,
        /// The maximum QoS it asks for.
        qos: QoS,
    },
    /// May this message be delivered to the client? Answers: `Allow`, `Deny`.
    Deliver {
        /// The topic name.
        topic: String,
    },
}

/// Who wants to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectRequest {
    /// The client identifier, given or assigned.
    pub client_id: Arc<str>,
    /// The version it speaks.
    pub version: ProtocolVersion,
    /// The user name.
    pub username: Option<String>,
    /// The password.
    pub password: Option<Vec<u8>>,
    /// The topic of its will.
    pub will_topic: Option<String>,
    /// What it sent for enhanced authentication.
    pub authentication: Option<Authentication>,
}
