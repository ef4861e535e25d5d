//! Three kinds of error with three owners: [`Malformed`](mqtt_codec::Malformed) (the codec: no packet),
//! [`Violation`] (the peer: a packet against the rules), [`Refused`] (our caller).

use mqtt_codec::ReasonCode;
use thiserror::Error;

/// A rule of the protocol that a well-formed packet broke. Ends the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Violation {
    /// The first packet was not CONNECT, or AUTH came without enhanced authentication.
    #[error("a {0:?} packet is not allowed now [MQTT-3.1.0-1, MQTT-4.12.0-6]")]
    UnexpectedPacket(mqtt_codec::PacketType),
    /// A second CONNECT.
    #[error("a second CONNECT [MQTT-3.1.0-2]")]
    SecondConnect,
    /// More unacknowledged QoS 1 and 2 messages than the broker's receive maximum.
    #[error("receive maximum exceeded [MQTT-3.3.4-9]")]
    ReceiveMaximumExceeded,
    /// A topic alias of 0 or above the broker's maximum, or one that stands for nothing yet.
    #[error("invalid topic alias [MQTT-3.3.2-8, MQTT-3.3.2-9]")]
    TopicAliasInvalid,
    /// A QoS above the broker's maximum.
    #[error("QoS not supported [MQTT-3.2.2-11]")]
    QoSNotSupported,
    /// A retained message, though the broker said it takes none.
    #[error("retain not supported [MQTT-3.2.2-14]")]
    RetainNotSupported,
    /// A topic name with more levels than the broker allows.
    #[error("topic name has too many levels")]
    TopicNameInvalid,
    /// A topic filter that breaks the syntax of filters.
    #[error("malformed topic filter [MQTT-4.7.1-1, MQTT-4.7.1-2, MQTT-4.8.2-1]")]
    TopicFilterMalformed,
    /// More topic filters in a SUBSCRIBE or UNSUBSCRIBE than the client may hold subscriptions.
    #[error("too many topic filters in one packet")]
    TooManyFilters,
    /// A shared subscription with No Local.
    #[error("No Local on a shared subscription [MQTT-3.8.3-4]")]
    NoLocalOnShared,
    /// A subscription identifier, though the broker said it takes none.
    #[error("subscription identifiers not supported")]
    SubscriptionIdentifiersNotSupported,
    /// A subscription identifier in a PUBLISH from a client.
    #[error("subscription identifier in a PUBLISH from a client [MQTT-3.3.4-6]")]
    SubscriptionIdentifierFromClient,
    /// DISCONNECT with a session expiry above 0 after CONNECT with 0.
    #[error("session expiry raised from zero at DISCONNECT (MQTT 5 §3.14.2.2.2)")]
    SessionExpiryRaised,
    /// An authentication method other than that of CONNECT.
    #[error("authentication method changed [MQTT-4.12.1-1]")]
    AuthenticationMethodChanged,
    /// CONNACK with Session Present, though the client knows of no session.
    #[error("session present, but none was asked for [MQTT-3.2.2-4]")]
    SessionNotAskedFor,
    /// A packet that acknowledges a message in a state that it does not fit.
    #[error("acknowledgement does not fit the state of the message [MQTT-4.3.3-1]")]
    AcknowledgementOutOfPlace,
}

impl Violation {
    /// What DISCONNECT tells an MQTT 5 client.
    pub const fn reason_code(self) -> ReasonCode {
        match self {
            Self::UnexpectedPacket(_)
            | Self::SecondConnect
            | Self::NoLocalOnShared
            | Self::SubscriptionIdentifierFromClient
            | Self::SessionExpiryRaised
            | Self::AuthenticationMethodChanged
            | Self::SessionNotAskedFor
            | Self::AcknowledgementOutOfPlace => ReasonCode::PROTOCOL_ERROR,
            Self::ReceiveMaximumExceeded => ReasonCode::RECEIVE_MAXIMUM_EXCEEDED,
            Self::TopicAliasInvalid => ReasonCode::TOPIC_ALIAS_INVALID,
            Self::QoSNotSupported => ReasonCode::QOS_NOT_SUPPORTED,
            Self::RetainNotSupported => ReasonCode::RETAIN_NOT_SUPPORTED,
            Self::TopicNameInvalid => ReasonCode::TOPIC_NAME_INVALID,
            Self::TooManyFilters => ReasonCode::QUOTA_EXCEEDED,
            Self::TopicFilterMalformed => ReasonCode::MALFORMED_PACKET,
            Self::SubscriptionIdentifiersNotSupported => ReasonCode::SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED,
        }
    }
}

/// The caller asked for something that cannot be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// A limit of the configuration is reached.
    #[error("a limit of the configuration is reached")]
    Full,
    /// The connection is closed, or was never open.
    #[error("no such connection")]
    NoConnection,
    /// The topic name is empty, too long, too deep, or holds a wildcard or U+0000.
    #[error("invalid topic name")]
    InvalidTopic,
    /// A property that does not belong there, is there too often, or has an invalid value.
    #[error("invalid properties")]
    InvalidProperties,
    /// The broker is shutting down.
    #[error("shutting down")]
    ShuttingDown,
    /// Restoring is only possible before anything else.
    #[error("it has run already")]
    AlreadyRunning,
}
