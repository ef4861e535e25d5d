//! PUBLISH, §5.4.12, at the QoS levels that belong to a connection and at QoS -1, which needs none (§6.8).

use crate::flags::{
    DUP, NORMAL, PREDEFINED, QOS_MINUS_ONE, RETAIN, SHORT, is_set, of_qos, qos, topic_id_type, when,
};
use crate::reader::{Parsed, array, refuse};
use crate::text::string;
use crate::{
    EncodeError, Malformed, MessageId, MessageType, Output, Packet, QoS, Rules, ShortTopic, Topic, TopicId,
};

/// PUBLISH of QoS 0, 1 or 2: a message of a connection, §5.4.12.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Publish<'a> {
    /// Quality of service with what belongs to it.
    pub delivery: Delivery,
    /// Whether the message is to be kept, or was kept, for later subscribers.
    pub retain: bool,
    /// What it is about.
    pub topic: Topic,
    /// The message.
    pub data: &'a [u8],
}

/// A quality of service with the MsgId and the DUP flag that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// QoS 0. MsgId and DUP are written as 0 and not looked at: clients in use count on at QoS 0.
    AtMostOnce,
    /// QoS 1.
    AtLeastOnce {
        /// Names the message until PUBACK.
        message_id: MessageId,
        /// Whether it may have been sent before.
        dup: bool,
    },
    /// QoS 2.
    ExactlyOnce {
        /// Names the message until PUBCOMP.
        message_id: MessageId,
        /// Whether it may have been sent before.
        dup: bool,
    },
}

impl Delivery {
    /// The quality of service.
    #[inline]
    pub const fn qos(self) -> QoS {
        match self {
            Self::AtMostOnce => QoS::AtMostOnce,
            Self::AtLeastOnce { .. } => QoS::AtLeastOnce,
            Self::ExactlyOnce { .. } => QoS::ExactlyOnce,
        }
    }

    /// The MsgId, `None` at QoS 0.
    #[inline]
    pub const fn message_id(self) -> Option<MessageId> {
        match self {
            Self::AtMostOnce => None,
            Self::AtLeastOnce { message_id, .. } | Self::ExactlyOnce { message_id, .. } => Some(message_id),
        }
    }

    /// The DUP flag, false at QoS 0.
    #[inline]
    pub const fn dup(self) -> bool {
        match self {
            Self::AtMostOnce => false,
            Self::AtLeastOnce { dup, .. } | Self::ExactlyOnce { dup, .. } => dup,
        }
    }

    #[inline]
    fn new(qos: QoS, message_id: u16, dup: bool) -> Result<Self, Malformed> {
        const ZERO: Malformed = Malformed::MessageIdZero(MessageType::Publish);
        let message_id = MessageId::new(message_id);
        match qos {
            QoS::AtMostOnce => Ok(Self::AtMostOnce),
            QoS::AtLeastOnce => Ok(Self::AtLeastOnce { message_id: message_id.ok_or(ZERO)?, dup }),
            QoS::ExactlyOnce => Ok(Self::ExactlyOnce { message_id: message_id.ok_or(ZERO)?, dup }),
        }
    }
}

/// PUBLISH of QoS -1: a message without a connection, §6.8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PublishMinusOne<'a> {
    /// Whether the message is to be kept for later subscribers.
    pub retain: bool,
    /// What it is about.
    pub topic: MinusOneTopic<'a>,
    /// The message.
    pub data: &'a [u8],
}

/// The topic of a PUBLISH of QoS -1, §6.8: what can be understood without a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MinusOneTopic<'a> {
    /// A predefined topic id.
    Predefined(TopicId),
    /// A short topic name.
    Short(ShortTopic),
    /// A topic name, at least one octet: RSMB's extension, see
    /// [`Rules::rsmb_qos_minus_one`].
    Name(&'a str),
}

/// Octets before the data: Flags, TopicId, MsgId.
const HEAD: usize = 5;

#[inline]
pub(super) fn read<'a>(input: &'a [u8], rules: &Rules) -> Result<Packet<'a>, Malformed> {
    let (data, [flags, id_high, id_low, high, low]) = array::<HEAD>(input)?;
    let field = [id_high, id_low];
    match qos(flags) {
        Some(qos) => {
            Publish::read(flags, qos, field, u16::from_be_bytes([high, low]), data).map(Packet::Publish)
        }
        None => PublishMinusOne::read(flags, field, data, rules),
    }
}

impl<'a> Publish<'a> {
    #[inline]
    fn read(flags: u8, qos: QoS, field: [u8; 2], message_id: u16, data: &'a [u8]) -> Result<Self, Malformed> {
        let delivery = Delivery::new(qos, message_id, is_set(flags, DUP))?;
        let topic_id = u16::from_be_bytes(field);
        let message = MessageType::Publish;
        let message_id = delivery.message_id().map_or(0, MessageId::get);
        let id =
            || TopicId::new(topic_id).ok_or(Malformed::ReservedTopicId { message, topic_id, message_id });
        let topic = match topic_id_type(flags) {
            NORMAL => Topic::Id(id()?),
            PREDEFINED => Topic::Predefined(id()?),
            SHORT => Topic::Short(ShortTopic(field)),
            _ => return Err(Malformed::ReservedTopicIdType { message, topic_id, message_id }),
        };
        Ok(Self { delivery, retain: is_set(flags, RETAIN), topic, data })
    }

    #[inline]
    pub(super) const fn body_len(&self) -> usize {
        HEAD + self.data.len()
    }

    #[inline]
    pub(super) fn put(&self, out: &mut impl Output) {
        let flags = when(self.delivery.dup(), DUP)
            | of_qos(self.delivery.qos())
            | when(self.retain, RETAIN)
            | self.topic.flags();
        let message_id = self.delivery.message_id().map_or(0, MessageId::get);
        put_head(flags, self.topic.field(), message_id, out);
        out.put(self.data);
    }
}

impl<'a> PublishMinusOne<'a> {
    #[inline(never)]
    fn read(flags: u8, field: [u8; 2], data: &'a [u8], rules: &Rules) -> Result<Packet<'a>, Malformed> {
        let topic_id = u16::from_be_bytes(field);
        let (data, topic) = match topic_id_type(flags) {
            PREDEFINED => {
                let id = TopicId::new(topic_id).ok_or(Malformed::QoSMinusOneTopicId)?;
                (data, MinusOneTopic::Predefined(id))
            }
            SHORT => (data, MinusOneTopic::Short(ShortTopic(field))),
            NORMAL if rules.rsmb_qos_minus_one => name(data, topic_id)?,
            _ => return Err(Malformed::QoSMinusOneTopicIdType),
        };
        Ok(Packet::PublishMinusOne(Self { retain: is_set(flags, RETAIN), topic, data }))
    }

    #[inline]
    pub(super) fn body_len(&self) -> Result<usize, EncodeError> {
        let name = match self.topic {
            MinusOneTopic::Name("") => return Err(Malformed::QoSMinusOneTopicName.into()),
            MinusOneTopic::Name(name) => name.len(),
            MinusOneTopic::Predefined(_) | MinusOneTopic::Short(_) => 0,
        };
        Ok(HEAD + name + self.data.len())
    }

    #[inline]
    pub(super) fn put(&self, out: &mut impl Output) {
        let (topic_id_type, field, name) = match self.topic {
            MinusOneTopic::Predefined(id) => (PREDEFINED, id.get(), ""),
            MinusOneTopic::Short(name) => (SHORT, name.field(), ""),
            MinusOneTopic::Name(name) => (NORMAL, name.len() as u16, name),
        };
        put_head(QOS_MINUS_ONE | when(self.retain, RETAIN) | topic_id_type, field, 0, out);
        out.put(name.as_bytes());
        out.put(self.data);
    }
}

/// RSMB's topic name at the start of the data.
fn name(data: &[u8], len: u16) -> Parsed<'_, MinusOneTopic<'_>> {
    match data.split_at_checked(usize::from(len)) {
        Some((name, data)) if len > 0 => Ok((data, MinusOneTopic::Name(string(name).map_err(refuse)?))),
        _ => Err(refuse(Malformed::QoSMinusOneTopicName)),
    }
}

#[inline]
fn put_head(flags: u8, field: u16, message_id: u16, out: &mut impl Output) {
    let [id_high, id_low] = field.to_be_bytes();
    let [high, low] = message_id.to_be_bytes();
    out.put(&[flags, id_high, id_low, high, low]);
}
