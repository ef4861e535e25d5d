//! SUBSCRIBE, SUBACK, UNSUBSCRIBE: §5.4.15 to §5.4.17.

use crate::flags::{DUP, NORMAL, PREDEFINED, SHORT, is_set, of_qos, qos, topic_id_type, when};
use crate::reader::{be_u16, end, message_id, octet, return_code};
use crate::text::string;
use crate::{
    Malformed, MessageId, MessageType, Output, Packet, QoS, ReturnCode, ShortTopic, SubscribeTopic, TopicId,
};

/// SUBSCRIBE, §5.4.15.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subscribe<'a> {
    /// Whether it may have been sent before.
    pub dup: bool,
    /// The most that messages are to come with.
    pub qos: QoS,
    /// Names the message until SUBACK.
    pub message_id: MessageId,
    /// What to subscribe to.
    pub topic: SubscribeTopic<'a>,
}

impl<'a> Subscribe<'a> {
    #[inline(never)]
    pub(super) fn read(input: &'a [u8]) -> Result<Packet<'a>, Malformed> {
        let (flags, message_id, topic) = fields(input, MessageType::Subscribe)?;
        let qos = qos(flags).ok_or(Malformed::SubscribeQoSMinusOne)?;
        Ok(Packet::Subscribe(Self { dup: is_set(flags, DUP), qos, message_id, topic }))
    }

    #[inline]
    pub(super) const fn body_len(&self) -> usize {
        3 + self.topic.len()
    }

    #[inline]
    pub(super) fn put(&self, out: &mut impl Output) {
        put(when(self.dup, DUP) | of_qos(self.qos), self.message_id, &self.topic, out);
    }
}

/// SUBACK, §5.4.16. Flags beside the QoS are not looked at: RSMB leaves them dirty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SubAck {
    /// The granted QoS. Not relevant in a refusal, which is read as QoS 0 when it says -1.
    pub qos: QoS,
    /// The topic id of the messages to come, as it stands there: 0 for a filter with wildcards, not relevant for a
    /// short topic name and in a refusal.
    pub topic_id: u16,
    /// That of the SUBSCRIBE.
    pub message_id: MessageId,
    /// Whether the subscription was accepted.
    pub return_code: ReturnCode,
}

impl SubAck {
    pub(super) const LEN: usize = 6;

    #[inline]
    pub(super) fn read(input: &[u8]) -> Result<Self, Malformed> {
        let (input, flags) = octet(input)?;
        let (input, topic_id) = be_u16(input)?;
        let (input, message_id) = message_id(input, MessageType::SubAck)?;
        let (input, return_code) = return_code(input)?;
        end(input)?;
        let qos = match qos(flags) {
            Some(qos) => qos,
            None if return_code.is_accepted() => return Err(Malformed::GrantedQoSMinusOne),
            None => QoS::AtMostOnce,
        };
        Ok(Self { qos, topic_id, message_id, return_code })
    }

    #[inline]
    pub(super) fn put(self, out: &mut impl Output) {
        let [id_high, id_low] = self.topic_id.to_be_bytes();
        let [high, low] = self.message_id.get().to_be_bytes();
        out.put(&[of_qos(self.qos), id_high, id_low, high, low, self.return_code.get()]);
    }
}

/// UNSUBSCRIBE, §5.4.17.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Unsubscribe<'a> {
    /// Names the message until UNSUBACK.
    pub message_id: MessageId,
    /// What to unsubscribe from.
    pub topic: SubscribeTopic<'a>,
}

impl<'a> Unsubscribe<'a> {
    #[inline(never)]
    pub(super) fn read(input: &'a [u8]) -> Result<Packet<'a>, Malformed> {
        let (_, message_id, topic) = fields(input, MessageType::Unsubscribe)?;
        Ok(Packet::Unsubscribe(Self { message_id, topic }))
    }

    #[inline]
    pub(super) const fn body_len(&self) -> usize {
        3 + self.topic.len()
    }

    #[inline]
    pub(super) fn put(&self, out: &mut impl Output) {
        put(0, self.message_id, &self.topic, out);
    }
}

#[inline]
fn fields(input: &[u8], message: MessageType) -> Result<(u8, MessageId, SubscribeTopic<'_>), Malformed> {
    let (input, flags) = octet(input)?;
    let (input, message_id) = message_id(input, message)?;
    let topic = match topic_id_type(flags) {
        NORMAL => SubscribeTopic::Name(string(input)?),
        PREDEFINED => SubscribeTopic::Predefined(predefined(input, message, message_id)?),
        SHORT => SubscribeTopic::Short(ShortTopic(two_octets(input)?)),
        _ => {
            let message_id = message_id.get();
            return Err(Malformed::ReservedTopicIdType { message, topic_id: 0, message_id });
        }
    };
    Ok((flags, message_id, topic))
}

fn predefined(input: &[u8], message: MessageType, message_id: MessageId) -> Result<TopicId, Malformed> {
    let topic_id = u16::from_be_bytes(two_octets(input)?);
    TopicId::new(topic_id).ok_or(Malformed::ReservedTopicId {
        message,
        topic_id,
        message_id: message_id.get(),
    })
}

fn two_octets(input: &[u8]) -> Result<[u8; 2], Malformed> {
    input.try_into().map_err(|_| Malformed::TopicNotTwoOctets)
}

#[inline]
fn put(flags: u8, message_id: MessageId, topic: &SubscribeTopic<'_>, out: &mut impl Output) {
    let [high, low] = message_id.get().to_be_bytes();
    out.put(&[flags | topic.flags(), high, low]);
    topic.put(out);
}
