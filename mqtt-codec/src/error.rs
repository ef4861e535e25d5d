//! What can be wrong with a packet: the rules of form, one variant each.

use crate::{PacketType, ProtocolVersion, ReasonCode};

/// A broken rule of form. Nothing of the packet can be used and the connection has to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    // fixed header
    /// Packet type 0, or AUTH before 5.0.
    #[error("the packet type is reserved")]
    ReservedPacketType,
    /// The packet type belongs to the other direction.
    #[error("the packet type does not travel in this direction")]
    WrongDirection(PacketType),
    /// A client's first packet is CONNECT.
    #[error("the first packet is not CONNECT")]
    FirstPacketNotConnect,
    /// A client sends CONNECT once.
    #[error("a second CONNECT")]
    SecondConnect,
    /// A server's first packet is CONNACK (or AUTH).
    #[error("the first packet is neither CONNACK nor AUTH")]
    FirstPacketNotConnAck,
    /// A server sends CONNACK once.
    #[error("a second CONNACK")]
    SecondConnAck,
    /// The flags of every type but PUBLISH are fixed.
    #[error("reserved flags of the fixed header are wrong")]
    FixedHeaderFlags(PacketType),
    /// PUBLISH with both QoS bits set.
    #[error("QoS 3")]
    PublishQoS3,
    /// DUP on a PUBLISH of QoS 0.
    #[error("DUP is set at QoS 0")]
    DupAtQoS0,
    /// The packet is larger than the reader allows.
    #[error("the packet is larger than the maximum packet size")]
    PacketTooLarge,

    // fields
    /// A field reaches beyond the end of the packet, or of the properties.
    #[error("a field reaches beyond the end of the packet")]
    Truncated,
    /// Bytes after the last field.
    #[error("bytes follow the last field")]
    TrailingBytes,
    /// A Variable Byte Integer (also the remaining length) of more than four bytes.
    #[error("a variable byte integer has more than four bytes")]
    VariableByteIntegerTooLong,
    /// A Variable Byte Integer with a needless last byte (5.0 only for the remaining length).
    #[error("a variable byte integer is not in its shortest form")]
    VariableByteIntegerNotShortest,
    /// A string is not well-formed UTF-8.
    #[error("a string is not well-formed UTF-8")]
    NotUtf8,
    /// U+0000 in a string.
    #[error("a string contains U+0000")]
    NullCharacter,
    /// Packet identifier 0.
    #[error("packet identifier 0")]
    PacketIdentifierZero,
    /// A reason code (3.x: return code) that this packet does not have.
    #[error("the reason code is not defined for this packet")]
    UndefinedReasonCode(PacketType),
    /// SUBACK, or UNSUBACK of 5.0, without a reason code.
    #[error("an acknowledgement of filters without a reason code")]
    NoReasonCodes(PacketType),

    // topics
    /// An empty topic name.
    #[error("an empty topic name")]
    EmptyTopicName,
    /// `+` or `#` in a topic name.
    #[error("a wildcard in a topic name")]
    WildcardInTopicName,
    /// PUBLISH of 5.0 with neither topic name nor topic alias.
    #[error("neither topic name nor topic alias")]
    NoTopic,
    /// An empty topic filter.
    #[error("an empty topic filter")]
    EmptyTopicFilter,
    /// SUBSCRIBE or UNSUBSCRIBE without a filter.
    #[error("no topic filter")]
    NoTopicFilters(PacketType),

    // CONNECT and CONNACK
    /// The protocol name is neither `MQTT` nor `MQIsdp`.
    #[error("unsupported protocol name")]
    UnsupportedProtocolName,
    /// A known protocol name with a level that is not its own. A server may answer CONNACK 0x01 or 0x84.
    #[error("unsupported protocol level {0}")]
    UnsupportedProtocolLevel(u8),
    /// Bit 0 of the connect flags.
    #[error("the reserved connect flag is set")]
    ReservedConnectFlag,
    /// Will QoS without the will flag.
    #[error("a will QoS without a will")]
    WillQoSWithoutWill,
    /// Will retain without the will flag.
    #[error("will retain without a will")]
    WillRetainWithoutWill,
    /// Will QoS 3.
    #[error("will QoS 3")]
    WillQoS3,
    /// A password without a user name (3.x only).
    #[error("a password without a user name")]
    PasswordWithoutUserName,
    /// An empty client identifier where 3.1 wants one, or 3.1.1 wants one because the session is to be kept.
    /// A server may answer CONNACK 0x02.
    #[error("an empty client identifier")]
    EmptyClientIdentifier,
    /// Bits 7 to 1 of the connect acknowledge flags.
    #[error("reserved connect acknowledge flags are set")]
    ReservedAcknowledgeFlags,
    /// Session present in a CONNACK that refuses.
    #[error("session present beside an error")]
    SessionPresentWithError,

    // SUBSCRIBE
    /// Reserved bits of the subscription options.
    #[error("reserved subscription options are set")]
    ReservedSubscriptionOptions,
    /// A subscription with QoS 3.
    #[error("a subscription with QoS 3")]
    SubscriptionQoS3,
    /// Retain handling 3.
    #[error("retain handling 3")]
    RetainHandling3,
    /// No Local on a shared subscription.
    #[error("no local on a shared subscription")]
    NoLocalOnSharedSubscription,

    // properties
    /// A property identifier that the standard does not define.
    #[error("unknown property {0:#04x}")]
    UnknownProperty(u8),
    /// A property in a packet that does not have it.
    #[error("property {0:#04x} does not belong into this packet")]
    MisplacedProperty(u8),
    /// A property twice that may appear once.
    #[error("property {0:#04x} appears twice")]
    DuplicateProperty(u8),
    /// A property of which only 0 and 1 are values.
    #[error("property {0:#04x} is neither 0 nor 1")]
    NeitherZeroNorOne(u8),
    /// Receive Maximum 0.
    #[error("receive maximum 0")]
    ReceiveMaximumZero,
    /// Maximum Packet Size 0.
    #[error("maximum packet size 0")]
    MaximumPacketSizeZero,
    /// Topic Alias 0.
    #[error("topic alias 0")]
    TopicAliasZero,
    /// Subscription Identifier 0.
    #[error("subscription identifier 0")]
    SubscriptionIdentifierZero,
    /// A wildcard in a Response Topic.
    #[error("a wildcard in a response topic")]
    WildcardInResponseTopic,
    /// A client's PUBLISH with a Subscription Identifier.
    #[error("a subscription identifier in a client's PUBLISH")]
    SubscriptionIdentifierFromClient,
    /// A server's DISCONNECT with a Session Expiry Interval.
    #[error("a session expiry interval in a server's DISCONNECT")]
    SessionExpiryFromServer,
    /// Authentication Data without Authentication Method.
    #[error("authentication data without authentication method")]
    AuthenticationDataWithoutMethod,
    /// AUTH without Authentication Method.
    #[error("AUTH without authentication method")]
    AuthenticationMethodMissing,
}

impl Malformed {
    /// The statement of MQTT 5.0 that was broken, `"MQTT-3.3.1-4"` for example. A rule that the standard does
    /// not number has an id of the form `"X-<section>"`.
    pub const fn statement(self) -> &'static str {
        self.facts().0
    }

    /// As [`statement`](Self::statement), in the numbering of the given version. 3.1 has no numbers of its
    /// own: it gets those of 3.1.1.
    pub const fn statement_in(self, version: ProtocolVersion) -> &'static str {
        match version {
            ProtocolVersion::V5 => self.facts().0,
            ProtocolVersion::V3_1 | ProtocolVersion::V3_1_1 => self.facts().1,
        }
    }

    /// The reason code with which a peer of 5.0 is told.
    pub const fn reason_code(self) -> ReasonCode {
        self.facts().2
    }

    /// Statement of 5.0, statement of 3.1.1, reason code. `X-5.0` marks what 3.x does not have.
    const fn facts(self) -> (&'static str, &'static str, ReasonCode) {
        use ReasonCode as R;
        let malformed = R::MALFORMED_PACKET;
        let protocol = R::PROTOCOL_ERROR;
        match self {
            Self::ReservedPacketType => ("X-2.1.2", "X-2.2.1", malformed),
            Self::WrongDirection(_) => ("X-2.1.2", "X-2.2.1", protocol),
            Self::FirstPacketNotConnect => ("MQTT-3.1.0-1", "MQTT-3.1.0-1", protocol),
            Self::SecondConnect => ("MQTT-3.1.0-2", "MQTT-3.1.0-2", protocol),
            Self::FirstPacketNotConnAck => ("MQTT-3.2.0-1", "MQTT-3.2.0-1", protocol),
            Self::SecondConnAck => ("MQTT-3.2.0-2", "X-3.2", protocol),
            Self::FixedHeaderFlags(packet) => {
                let (five, three) = flags_statement(packet);
                (five, three, malformed)
            }
            Self::PublishQoS3 => ("MQTT-3.3.1-4", "MQTT-3.3.1-4", malformed),
            Self::DupAtQoS0 => ("MQTT-3.3.1-2", "MQTT-3.3.1-2", malformed),
            Self::PacketTooLarge => ("X-3.1.2.11.4", "X-2.2.3", R::PACKET_TOO_LARGE),
            Self::Truncated | Self::TrailingBytes => ("X-2.1.4", "X-2.2.3", malformed),
            Self::VariableByteIntegerTooLong => ("X-1.5.5", "X-2.2.3", malformed),
            Self::VariableByteIntegerNotShortest => ("MQTT-1.5.5-1", "X-5.0", malformed),
            Self::NotUtf8 => ("MQTT-1.5.4-1", "MQTT-1.5.3-1", malformed),
            Self::NullCharacter => ("MQTT-1.5.4-2", "MQTT-1.5.3-2", malformed),
            Self::PacketIdentifierZero => ("MQTT-2.2.1-3", "MQTT-2.3.1-1", malformed),
            Self::UndefinedReasonCode(packet) => {
                let (five, three) = reason_statement(packet);
                (five, three, malformed)
            }
            Self::NoReasonCodes(PacketType::UnsubAck) => ("X-3.11.3", "X-5.0", protocol),
            Self::NoReasonCodes(_) => ("MQTT-3.8.4-6", "MQTT-3.8.4-5", protocol),
            Self::EmptyTopicName | Self::EmptyTopicFilter => ("MQTT-4.7.3-1", "MQTT-4.7.3-1", malformed),
            Self::WildcardInTopicName => ("MQTT-3.3.2-2", "MQTT-3.3.2-2", malformed),
            Self::NoTopic => ("X-3.3.2.1", "X-5.0", protocol),
            Self::NoTopicFilters(PacketType::Unsubscribe) => ("MQTT-3.10.3-2", "MQTT-3.10.3-2", protocol),
            Self::NoTopicFilters(_) => ("MQTT-3.8.3-2", "MQTT-3.8.3-3", protocol),
            Self::UnsupportedProtocolName => {
                ("MQTT-3.1.2-1", "MQTT-3.1.2-1", R::UNSUPPORTED_PROTOCOL_VERSION)
            }
            Self::UnsupportedProtocolLevel(_) => {
                ("MQTT-3.1.2-2", "MQTT-3.1.2-2", R::UNSUPPORTED_PROTOCOL_VERSION)
            }
            Self::ReservedConnectFlag => ("MQTT-3.1.2-3", "MQTT-3.1.2-3", malformed),
            Self::WillQoSWithoutWill => ("MQTT-3.1.2-11", "MQTT-3.1.2-13", malformed),
            Self::WillRetainWithoutWill => ("MQTT-3.1.2-13", "MQTT-3.1.2-15", malformed),
            Self::WillQoS3 => ("MQTT-3.1.2-12", "MQTT-3.1.2-14", malformed),
            Self::PasswordWithoutUserName => ("X-3.1.1", "MQTT-3.1.2-22", malformed),
            Self::EmptyClientIdentifier => ("X-3.1.1", "MQTT-3.1.3-8", R::CLIENT_IDENTIFIER_NOT_VALID),
            Self::ReservedAcknowledgeFlags => ("MQTT-3.2.2-1", "X-3.2.2.1", malformed),
            Self::SessionPresentWithError => ("MQTT-3.2.2-6", "MQTT-3.2.2-4", protocol),
            Self::ReservedSubscriptionOptions => ("MQTT-3.8.3-5", "MQTT-3.8.3-4", malformed),
            Self::SubscriptionQoS3 => ("X-3.8.3.1", "MQTT-3.8.3-4", protocol),
            Self::RetainHandling3 => ("X-3.8.3.1", "X-5.0", protocol),
            Self::NoLocalOnSharedSubscription => ("MQTT-3.8.3-4", "X-5.0", protocol),
            Self::UnknownProperty(_) | Self::MisplacedProperty(_) => ("X-2.2.2.2", "X-5.0", malformed),
            Self::DuplicateProperty(_) | Self::NeitherZeroNorOne(_) => ("X-2.2.2.2", "X-5.0", protocol),
            Self::ReceiveMaximumZero => ("X-3.1.2.11.3", "X-5.0", protocol),
            Self::MaximumPacketSizeZero => ("X-3.1.2.11.4", "X-5.0", protocol),
            Self::TopicAliasZero => ("MQTT-3.3.2-8", "X-5.0", R::TOPIC_ALIAS_INVALID),
            Self::SubscriptionIdentifierZero => ("X-3.8.2.1.2", "X-5.0", protocol),
            Self::WildcardInResponseTopic => ("MQTT-3.3.2-14", "X-5.0", malformed),
            Self::SubscriptionIdentifierFromClient => ("MQTT-3.3.4-6", "X-5.0", protocol),
            Self::SessionExpiryFromServer => ("MQTT-3.14.2-2", "X-5.0", protocol),
            Self::AuthenticationDataWithoutMethod => ("X-3.1.2.11.10", "X-5.0", protocol),
            Self::AuthenticationMethodMissing => ("X-3.15.2.2.2", "X-5.0", protocol),
        }
    }
}

const fn flags_statement(packet: PacketType) -> (&'static str, &'static str) {
    match packet {
        PacketType::PubRel => ("MQTT-3.6.1-1", "MQTT-3.6.1-1"),
        PacketType::Subscribe => ("MQTT-3.8.1-1", "MQTT-3.8.1-1"),
        PacketType::Unsubscribe => ("MQTT-3.10.1-1", "MQTT-3.10.1-1"),
        PacketType::Disconnect => ("MQTT-3.14.1-1", "MQTT-3.14.1-1"),
        PacketType::Auth => ("MQTT-3.15.1-1", "X-5.0"),
        _ => ("MQTT-2.1.3-1", "MQTT-2.2.2-1"),
    }
}

const fn reason_statement(packet: PacketType) -> (&'static str, &'static str) {
    match packet {
        PacketType::ConnAck => ("MQTT-3.2.2-8", "X-3.2.2.3"),
        PacketType::PubAck => ("MQTT-3.4.2-1", "X-5.0"),
        PacketType::PubRec => ("MQTT-3.5.2-1", "X-5.0"),
        PacketType::PubRel => ("MQTT-3.6.2-1", "X-5.0"),
        PacketType::PubComp => ("MQTT-3.7.2-1", "X-5.0"),
        PacketType::SubAck => ("MQTT-3.9.3-2", "MQTT-3.9.3-2"),
        PacketType::UnsubAck => ("MQTT-3.11.3-2", "X-5.0"),
        PacketType::Auth => ("MQTT-3.15.2-1", "X-5.0"),
        _ => ("MQTT-3.14.2-1", "X-5.0"),
    }
}

/// Why a packet was not written. Nothing of it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A string or binary field above 65 535 bytes, or a packet with a remaining length above 268 435 455.
    #[error("a field or the packet is too long for the protocol")]
    TooLong,
    /// The output has no room for the whole packet.
    #[error("the output has no room for the packet")]
    NoRoom,
    /// The version does not have this packet (AUTH before 5.0).
    #[error("the protocol version does not have this packet")]
    NotInVersion,
    /// The packet would break a rule of form.
    #[error("the packet would be malformed: {0}")]
    Malformed(#[from] Malformed),
}
