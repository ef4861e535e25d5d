//! What can be wrong with a message: the rules of form, one variant each.

use crate::{MessageId, MessageType, Packet, PubAck, QoS, RegAck, ReturnCode, SubAck};

/// A broken rule of form. Nothing of the datagram can be used; it is dropped, or answered with
/// [`answer`](Self::answer) by a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    // header
    /// The datagram ends before Length and MsgType do.
    #[error("the datagram ends within the header")]
    TruncatedHeader,
    /// Length is smaller than the header it stands in.
    #[error("Length is smaller than the header")]
    LengthTooSmall,
    /// Length says more than the datagram has.
    #[error("Length reaches beyond the datagram")]
    LengthBeyondDatagram,
    /// Octets follow the message: also a second message.
    #[error("octets follow the message")]
    TrailingOctets,
    /// A MsgType that table 3 reserves.
    #[error("message type {0:#04x} is reserved")]
    ReservedMessageType(u8),

    // fields
    /// A field reaches beyond the end of the message.
    #[error("a field reaches beyond the end of the message")]
    Truncated,
    /// Octets follow the last field of a message whose fields are of fixed size.
    #[error("octets follow the last field")]
    OctetsAfterLastField,
    /// A string is not well-formed UTF-8.
    #[error("a string is not well-formed UTF-8")]
    NotUtf8,
    /// U+0000 in a string.
    #[error("a string contains U+0000")]
    NullCharacter,
    /// MsgId 0 where an acknowledgement has to name the message.
    #[error("{0} with MsgId 0")]
    MessageIdZero(MessageType),
    /// TopicIdType 0b11.
    #[error("{message} with the reserved topic id type")]
    ReservedTopicIdType {
        /// PUBLISH, SUBSCRIBE or UNSUBSCRIBE.
        message: MessageType,
        /// The TopicId field of PUBLISH, 0 otherwise.
        topic_id: u16,
        /// The MsgId field.
        message_id: u16,
    },
    /// A topic id of 0x0000 or 0xFFFF where one is used.
    #[error("{message} with the reserved topic id {topic_id:#06x}")]
    ReservedTopicId {
        /// PUBLISH, SUBSCRIBE, UNSUBSCRIBE or REGISTER.
        message: MessageType,
        /// The TopicId field.
        topic_id: u16,
        /// The MsgId field.
        message_id: u16,
    },
    /// A predefined topic id or short topic name that is not of two octets.
    #[error("a predefined topic id or short topic name is not of two octets")]
    TopicNotTwoOctets,

    // discovery
    /// The first octet of GwAdd is not the length of what follows, or that is empty.
    #[error("the gateway address has another length than it says")]
    GatewayAddressLength,

    // CONNECT and will
    /// A ProtocolId other than 0x01.
    #[error("unsupported protocol id {0:#04x}")]
    UnsupportedProtocolId(u8),
    /// A ClientId longer than [`Rules::max_client_id`](crate::Rules::max_client_id).
    #[error("{0} with a client id that is too long")]
    ClientIdTooLong(MessageType),
    /// An empty ClientId where it was to be written. One that is read is the gateway's business.
    #[error("an empty client id")]
    EmptyClientId,
    /// A will of QoS -1.
    #[error("a will of QoS -1")]
    WillQoSMinusOne,
    /// Flags of a will without a topic: neither the empty message nor a whole one.
    #[error("the flags of a will without a topic")]
    NoWillTopic,

    // PUBLISH, SUBSCRIBE, SUBACK
    /// A PUBLISH of QoS -1 with neither a predefined topic id nor a short topic name.
    #[error("QoS -1 with a topic id that only a connection could explain")]
    QoSMinusOneTopicIdType,
    /// A PUBLISH of QoS -1 with the predefined topic id 0x0000 or 0xFFFF.
    #[error("QoS -1 with a reserved topic id")]
    QoSMinusOneTopicId,
    /// RSMB's PUBLISH of QoS -1 with a topic name of no octets, or of more than there are.
    #[error("QoS -1 with a topic name that is empty or longer than the data")]
    QoSMinusOneTopicName,
    /// A subscription of QoS -1.
    #[error("a subscription of QoS -1")]
    SubscribeQoSMinusOne,
    /// A SUBACK that accepts with QoS -1.
    #[error("QoS -1 is granted")]
    GrantedQoSMinusOne,

    // encapsulation
    /// An encapsulated message where only a message is asked for.
    #[error("an encapsulated message")]
    Encapsulated,
    /// A message where an encapsulated one is asked for.
    #[error("not an encapsulated message")]
    NotEncapsulated,
    /// An encapsulation with a Length of three octets.
    #[error("an encapsulation with a length of three octets")]
    LongEncapsulation,
    /// An encapsulation in an encapsulation.
    #[error("an encapsulation within an encapsulation")]
    NestedEncapsulation,
}

impl Malformed {
    /// The section of the MQTT-SN 1.2 specification that has the rule.
    pub const fn section(self) -> &'static str {
        match self {
            Self::TruncatedHeader
            | Self::LengthTooSmall
            | Self::LengthBeyondDatagram
            | Self::TrailingOctets => "5.2.1",
            Self::ReservedMessageType(_) => "5.2.2",
            Self::Truncated | Self::OctetsAfterLastField => "5.4",
            Self::NotUtf8 | Self::NullCharacter => "5.3.12",
            Self::MessageIdZero(_) => "5.3.7",
            Self::ReservedTopicIdType { .. } | Self::SubscribeQoSMinusOne | Self::GrantedQoSMinusOne => {
                "5.3.4"
            }
            Self::ReservedTopicId { .. } | Self::QoSMinusOneTopicId => "5.3.11",
            Self::TopicNotTwoOctets => "5.4.15",
            Self::GatewayAddressLength => "5.3.5",
            Self::UnsupportedProtocolId(_) => "5.3.8",
            Self::ClientIdTooLong(_) | Self::EmptyClientId => "5.3.1",
            Self::WillQoSMinusOne | Self::NoWillTopic => "5.4.7",
            Self::QoSMinusOneTopicIdType | Self::QoSMinusOneTopicName => "6.8",
            Self::Encapsulated
            | Self::NotEncapsulated
            | Self::LongEncapsulation
            | Self::NestedEncapsulation => "5.5",
        }
    }

    /// What a gateway may answer a client whose message broke the rule, where a refusal helps and can be told.
    /// Everything else is dropped in silence.
    pub const fn answer(self) -> Option<Packet<'static>> {
        match self {
            Self::UnsupportedProtocolId(_) | Self::ClientIdTooLong(MessageType::Connect) => {
                Some(Packet::ConnAck(ReturnCode::NOT_SUPPORTED))
            }
            Self::ReservedTopicIdType { message, topic_id, message_id } if message_id != 0 => {
                refusal(message, topic_id, message_id, ReturnCode::NOT_SUPPORTED)
            }
            Self::ReservedTopicId { message, topic_id, message_id } => {
                refusal(message, topic_id, message_id, ReturnCode::INVALID_TOPIC_ID)
            }
            _ => None,
        }
    }
}

const fn refusal(
    message: MessageType,
    topic_id: u16,
    message_id: u16,
    return_code: ReturnCode,
) -> Option<Packet<'static>> {
    match (message, MessageId::new(message_id)) {
        (MessageType::Publish, message_id) => {
            Some(Packet::PubAck(PubAck { topic_id, message_id, return_code }))
        }
        (MessageType::Register, Some(message_id)) => {
            Some(Packet::RegAck(RegAck { topic_id, message_id, return_code }))
        }
        (MessageType::Subscribe, Some(message_id)) => {
            Some(Packet::SubAck(SubAck { qos: QoS::AtMostOnce, topic_id, message_id, return_code }))
        }
        _ => None,
    }
}

/// Why a message was not written. Nothing of it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A message above 65 535 octets, a wireless node id above 252, a gateway address above 255.
    #[error("a field or the message is too long for the protocol")]
    TooLong,
    /// The output has no room for the whole message.
    #[error("the output has no room for the message")]
    NoRoom,
    /// A broadcast radius above 3 in an encapsulation.
    #[error("the radius of an encapsulation is 0 to 3")]
    Radius,
    /// The message would break a rule of form.
    #[error("the message would be malformed: {0}")]
    Malformed(#[from] Malformed),
}
