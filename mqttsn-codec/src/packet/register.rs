//! REGISTER and REGACK, §5.4.10 and §5.4.11.

use crate::reader::{be_u16, end, message_id, return_code};
use crate::text::string;
use crate::{Malformed, MessageId, MessageType, Output, Packet, ReturnCode, TopicId};

/// REGISTER: a topic name gets a topic id, §5.4.10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Register<'a> {
    /// The topic id that the gateway assigned; `None` (0x0000) from a client.
    pub topic_id: Option<TopicId>,
    /// Names the message until REGACK.
    pub message_id: MessageId,
    /// The topic name: UTF-8 without U+0000. Whether it is empty or has wildcards is for the receiver, who answers.
    pub topic_name: &'a str,
}

impl<'a> Register<'a> {
    #[inline(never)]
    pub(super) fn read(input: &'a [u8]) -> Result<Packet<'a>, Malformed> {
        let (input, topic_id) = be_u16(input)?;
        let (input, message_id) = message_id(input, MessageType::Register)?;
        let topic_name = string(input)?;
        if topic_id == 0xFFFF {
            let message = MessageType::Register;
            return Err(Malformed::ReservedTopicId { message, topic_id, message_id: message_id.get() });
        }
        Ok(Packet::Register(Self { topic_id: TopicId::new(topic_id), message_id, topic_name }))
    }

    #[inline]
    pub(super) const fn body_len(&self) -> usize {
        4 + self.topic_name.len()
    }

    #[inline]
    pub(super) fn put(&self, out: &mut impl Output) {
        let [id_high, id_low] = self.topic_id.map_or(0, TopicId::get).to_be_bytes();
        let [high, low] = self.message_id.get().to_be_bytes();
        out.put(&[id_high, id_low, high, low]);
        out.put(self.topic_name.as_bytes());
    }
}

/// REGACK: the answer to REGISTER, §5.4.11.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RegAck {
    /// The topic id, as it stands there: only one that was accepted has to be one.
    pub topic_id: u16,
    /// That of the REGISTER.
    pub message_id: MessageId,
    /// Whether the topic id can be used.
    pub return_code: ReturnCode,
}

impl RegAck {
    pub(super) const LEN: usize = 5;

    #[inline]
    pub(super) fn read(input: &[u8]) -> Result<Self, Malformed> {
        let (input, topic_id) = be_u16(input)?;
        let (input, message_id) = message_id(input, MessageType::RegAck)?;
        let (input, return_code) = return_code(input)?;
        end(input)?;
        Ok(Self { topic_id, message_id, return_code })
    }

    #[inline]
    pub(super) fn put(self, out: &mut impl Output) {
        let [id_high, id_low] = self.topic_id.to_be_bytes();
        let [high, low] = self.message_id.get().to_be_bytes();
        out.put(&[id_high, id_low, high, low, self.return_code.get()]);
    }
}
