//! PUBACK, and what has a MsgId alone: PUBREC, PUBREL, PUBCOMP, UNSUBACK. §5.4.13, §5.4.14, §5.4.18.

use crate::reader::{be_u16, end, message_id, return_code};
use crate::{EncodeError, Malformed, MessageId, MessageType, Output, ReturnCode};

/// PUBACK: the answer to a PUBLISH of QoS 1, or its refusal at any QoS, §5.4.13.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PubAck {
    /// The TopicId field of the PUBLISH, as it stands there. RSMB always says 0.
    pub topic_id: u16,
    /// That of the PUBLISH, `None` (0x0000) where it had none.
    pub message_id: Option<MessageId>,
    /// Whether the message was taken.
    pub return_code: ReturnCode,
}

impl PubAck {
    #[inline]
    pub(super) fn read(input: &[u8]) -> Result<Self, Malformed> {
        let (input, topic_id) = be_u16(input)?;
        let (input, message_id) = be_u16(input)?;
        let (input, return_code) = return_code(input)?;
        end(input)?;
        let puback = Self { topic_id, message_id: MessageId::new(message_id), return_code };
        puback.check()?;
        Ok(puback)
    }

    /// An acknowledgement accepts a message that has a name.
    #[inline]
    const fn check(self) -> Result<(), Malformed> {
        if self.message_id.is_none() && self.return_code.is_accepted() {
            Err(Malformed::MessageIdZero(MessageType::PubAck))
        } else {
            Ok(())
        }
    }

    #[inline]
    pub(super) fn body_len(self) -> Result<usize, EncodeError> {
        self.check()?;
        Ok(5)
    }

    #[inline]
    pub(super) fn put(self, out: &mut impl Output) {
        let [id_high, id_low] = self.topic_id.to_be_bytes();
        let [high, low] = self.message_id.map_or(0, MessageId::get).to_be_bytes();
        out.put(&[id_high, id_low, high, low, self.return_code.get()]);
    }
}

#[inline]
pub(super) fn only_message_id(input: &[u8], message: MessageType) -> Result<MessageId, Malformed> {
    let (input, id) = message_id(input, message)?;
    end(input)?;
    Ok(id)
}

#[inline]
pub(super) fn only_return_code(input: &[u8]) -> Result<ReturnCode, Malformed> {
    let (input, code) = return_code(input)?;
    end(input)?;
    Ok(code)
}
