//! The messages.

mod acknowledge;
mod connect;
mod disconnect;
mod discovery;
mod ping;
mod publish;
mod register;
mod subscribe;
mod will;

pub use acknowledge::PubAck;
pub use connect::Connect;
pub use disconnect::Disconnect;
pub use discovery::{Advertise, GwInfo, SearchGw};
pub use ping::PingReq;
pub use publish::{Delivery, MinusOneTopic, Publish, PublishMinusOne};
pub use register::{RegAck, Register};
pub use subscribe::{SubAck, Subscribe, Unsubscribe};
pub use will::WillTopic;

use crate::header::{self, MAX_MESSAGE_SIZE, message_len, split};
use crate::reader::end;
use crate::writer::Output;
use crate::{Datagram, EncodeError, Malformed, MessageId, MessageType, ReturnCode, Rules};
use acknowledge::{only_message_id, only_return_code};

/// A message, borrowed from the datagram it was decoded from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Packet<'a> {
    /// ADVERTISE, §5.4.1.
    Advertise(Advertise),
    /// SEARCHGW, §5.4.2.
    SearchGw(SearchGw),
    /// GWINFO, §5.4.3.
    GwInfo(GwInfo<'a>),
    /// CONNECT, §5.4.4.
    Connect(Connect<'a>),
    /// CONNACK, §5.4.5.
    ConnAck(ReturnCode),
    /// WILLTOPICREQ, §5.4.6.
    WillTopicReq,
    /// WILLTOPIC, §5.4.7; `None` deletes the will.
    WillTopic(Option<WillTopic<'a>>),
    /// WILLMSGREQ, §5.4.8.
    WillMsgReq,
    /// WILLMSG with the will message, §5.4.9.
    WillMsg(&'a [u8]),
    /// REGISTER, §5.4.10.
    Register(Register<'a>),
    /// REGACK, §5.4.11.
    RegAck(RegAck),
    /// PUBLISH of QoS 0, 1 or 2, §5.4.12.
    Publish(Publish<'a>),
    /// PUBLISH of QoS -1, §5.4.12 and §6.8: the same MsgType, but it belongs to no connection.
    PublishMinusOne(PublishMinusOne<'a>),
    /// PUBACK, §5.4.13.
    PubAck(PubAck),
    /// PUBCOMP, §5.4.14.
    PubComp(MessageId),
    /// PUBREC, §5.4.14.
    PubRec(MessageId),
    /// PUBREL, §5.4.14.
    PubRel(MessageId),
    /// SUBSCRIBE, §5.4.15.
    Subscribe(Subscribe<'a>),
    /// SUBACK, §5.4.16.
    SubAck(SubAck),
    /// UNSUBSCRIBE, §5.4.17.
    Unsubscribe(Unsubscribe<'a>),
    /// UNSUBACK, §5.4.18.
    UnsubAck(MessageId),
    /// PINGREQ, §5.4.19.
    PingReq(PingReq<'a>),
    /// PINGRESP, §5.4.20.
    PingResp,
    /// DISCONNECT, §5.4.21.
    Disconnect(Disconnect),
    /// WILLTOPICUPD, §5.4.22; `None` deletes topic and message of the will.
    WillTopicUpd(Option<WillTopic<'a>>),
    /// WILLTOPICRESP, §5.4.24.
    WillTopicResp(ReturnCode),
    /// WILLMSGUPD with the will message, §5.4.23.
    WillMsgUpd(&'a [u8]),
    /// WILLMSGRESP, §5.4.25.
    WillMsgResp(ReturnCode),
}

impl<'a> Packet<'a> {
    /// Decodes the message that the datagram is, under the default [`Rules`].
    ///
    /// # Errors
    /// The first [`Malformed`] rule that the message breaks; [`Malformed::Encapsulated`] for one in an
    /// encapsulation, see [`decode_any`](Self::decode_any).
    #[inline]
    pub fn decode(datagram: &'a [u8]) -> Result<Self, Malformed> {
        Self::decode_with(datagram, &Rules::default())
    }

    /// Decodes a message, or an encapsulated one as far as its header, under the default [`Rules`].
    ///
    /// # Errors
    /// The first [`Malformed`] rule that the datagram breaks.
    #[inline]
    pub fn decode_any(datagram: &'a [u8]) -> Result<Datagram<'a>, Malformed> {
        Datagram::decode(datagram, &Rules::default())
    }

    /// Decodes the message that the datagram is.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    #[inline]
    pub fn decode_with(datagram: &'a [u8], rules: &Rules) -> Result<Self, Malformed> {
        let (number, body) = split(datagram)?;
        let message = MessageType::new(number).ok_or(Malformed::ReservedMessageType(number))?;
        match message {
            MessageType::Advertise => Advertise::read(body).map(Self::Advertise),
            MessageType::SearchGw => SearchGw::read(body).map(Self::SearchGw),
            MessageType::GwInfo => GwInfo::read(body).map(Self::GwInfo),
            MessageType::Connect => Connect::read(body, rules),
            MessageType::ConnAck => only_return_code(body).map(Self::ConnAck),
            MessageType::WillTopicReq => end(body).map(|()| Self::WillTopicReq),
            MessageType::WillTopic => will::read(body, Self::WillTopic),
            MessageType::WillMsgReq => end(body).map(|()| Self::WillMsgReq),
            MessageType::WillMsg => Ok(Self::WillMsg(body)),
            MessageType::Register => Register::read(body),
            MessageType::RegAck => RegAck::read(body).map(Self::RegAck),
            MessageType::Publish => publish::read(body, rules),
            MessageType::PubAck => PubAck::read(body).map(Self::PubAck),
            MessageType::PubComp => only_message_id(body, message).map(Self::PubComp),
            MessageType::PubRec => only_message_id(body, message).map(Self::PubRec),
            MessageType::PubRel => only_message_id(body, message).map(Self::PubRel),
            MessageType::Subscribe => Subscribe::read(body),
            MessageType::SubAck => SubAck::read(body).map(Self::SubAck),
            MessageType::Unsubscribe => Unsubscribe::read(body),
            MessageType::UnsubAck => only_message_id(body, message).map(Self::UnsubAck),
            MessageType::PingReq => PingReq::read(body, rules),
            MessageType::PingResp => end(body).map(|()| Self::PingResp),
            MessageType::Disconnect => Disconnect::read(body).map(Self::Disconnect),
            MessageType::WillTopicUpd => will::read(body, Self::WillTopicUpd),
            MessageType::WillTopicResp => will::response(body).map(Self::WillTopicResp),
            MessageType::WillMsgUpd => Ok(Self::WillMsgUpd(body)),
            MessageType::WillMsgResp => will::response(body).map(Self::WillMsgResp),
        }
    }

    /// Octets of the encoded message: Length has the shorter form wherever it can.
    ///
    /// # Errors
    /// As [`encode`](Self::encode), but for the room.
    #[inline]
    pub fn encoded_len(&self) -> Result<usize, EncodeError> {
        self.body_len().and_then(bounded).map(message_len)
    }

    /// Appends the encoded message to `out`, whole or not at all.
    ///
    /// # Errors
    /// Any [`EncodeError`]. What strings contain is not looked at: a topic name with U+0000, or a client id of more
    /// than [`MAX_CLIENT_ID`](crate::MAX_CLIENT_ID) characters, is the caller's.
    #[inline]
    pub fn encode(&self, out: &mut impl Output) -> Result<(), EncodeError> {
        self.put(out)
    }

    /// Writes the encoded message to the start of `buffer` and returns its length.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    #[inline]
    pub fn encode_to_slice(&self, buffer: &mut [u8]) -> Result<usize, EncodeError> {
        let mut out = buffer;
        let room = out.len();
        self.put(&mut out)?;
        Ok(room - out.len())
    }

    /// The type of the message.
    pub const fn message_type(&self) -> MessageType {
        match self {
            Self::Advertise(_) => MessageType::Advertise,
            Self::SearchGw(_) => MessageType::SearchGw,
            Self::GwInfo(_) => MessageType::GwInfo,
            Self::Connect(_) => MessageType::Connect,
            Self::ConnAck(_) => MessageType::ConnAck,
            Self::WillTopicReq => MessageType::WillTopicReq,
            Self::WillTopic(_) => MessageType::WillTopic,
            Self::WillMsgReq => MessageType::WillMsgReq,
            Self::WillMsg(_) => MessageType::WillMsg,
            Self::Register(_) => MessageType::Register,
            Self::RegAck(_) => MessageType::RegAck,
            Self::Publish(_) | Self::PublishMinusOne(_) => MessageType::Publish,
            Self::PubAck(_) => MessageType::PubAck,
            Self::PubComp(_) => MessageType::PubComp,
            Self::PubRec(_) => MessageType::PubRec,
            Self::PubRel(_) => MessageType::PubRel,
            Self::Subscribe(_) => MessageType::Subscribe,
            Self::SubAck(_) => MessageType::SubAck,
            Self::Unsubscribe(_) => MessageType::Unsubscribe,
            Self::UnsubAck(_) => MessageType::UnsubAck,
            Self::PingReq(_) => MessageType::PingReq,
            Self::PingResp => MessageType::PingResp,
            Self::Disconnect(_) => MessageType::Disconnect,
            Self::WillTopicUpd(_) => MessageType::WillTopicUpd,
            Self::WillTopicResp(_) => MessageType::WillTopicResp,
            Self::WillMsgUpd(_) => MessageType::WillMsgUpd,
            Self::WillMsgResp(_) => MessageType::WillMsgResp,
        }
    }

    /// Checks what the types leave open and returns the octets of the variable part.
    #[inline]
    fn body_len(&self) -> Result<usize, EncodeError> {
        Ok(match self {
            Self::WillTopicReq | Self::WillMsgReq | Self::PingResp => 0,
            Self::ConnAck(_) | Self::WillTopicResp(_) | Self::WillMsgResp(_) => 1,
            Self::PubComp(_) | Self::PubRec(_) | Self::PubRel(_) | Self::UnsubAck(_) => 2,
            Self::Advertise(_) => Advertise::LEN,
            Self::SearchGw(_) => SearchGw::LEN,
            Self::GwInfo(message) => message.body_len()?,
            Self::Connect(message) => message.body_len(),
            Self::WillTopic(will) | Self::WillTopicUpd(will) => will::body_len(will.as_ref())?,
            Self::WillMsg(message) | Self::WillMsgUpd(message) => message.len(),
            Self::Register(message) => message.body_len(),
            Self::RegAck(_) => RegAck::LEN,
            Self::Publish(message) => message.body_len(),
            Self::PublishMinusOne(message) => message.body_len()?,
            Self::PubAck(message) => message.body_len()?,
            Self::Subscribe(message) => message.body_len(),
            Self::SubAck(_) => SubAck::LEN,
            Self::Unsubscribe(message) => message.body_len(),
            Self::PingReq(message) => message.body_len()?,
            Self::Disconnect(message) => message.body_len(),
        })
    }

    /// In its callers, so that a slice is kept in registers, and one jump finds what a message has to do.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as a call it costs more than what it does for most messages")]
    fn put(&self, out: &mut impl Output) -> Result<(), EncodeError> {
        let msg_type = self.message_type();
        match self {
            Self::WillTopicReq | Self::WillMsgReq | Self::PingResp => put_small(&[2, msg_type as u8], out),
            Self::ConnAck(code) | Self::WillTopicResp(code) | Self::WillMsgResp(code) => {
                put_small(&[3, msg_type as u8, code.get()], out)
            }
            Self::PubComp(id) | Self::PubRec(id) | Self::PubRel(id) | Self::UnsubAck(id) => {
                let [high, low] = id.get().to_be_bytes();
                put_small(&[4, msg_type as u8, high, low], out)
            }
            Self::Advertise(message) => put_message(msg_type, Advertise::LEN, out, |out| message.put(out)),
            Self::SearchGw(message) => put_message(msg_type, SearchGw::LEN, out, |out| message.put(out)),
            Self::GwInfo(message) => put_message(msg_type, message.body_len()?, out, |out| message.put(out)),
            Self::Connect(message) => put_message(msg_type, message.body_len(), out, |out| message.put(out)),
            Self::WillTopic(will) | Self::WillTopicUpd(will) => {
                let will = will.as_ref();
                put_message(msg_type, will::body_len(will)?, out, |out| will::put(will, out))
            }
            Self::WillMsg(message) | Self::WillMsgUpd(message) => {
                put_message(msg_type, message.len(), out, |out| out.put(message))
            }
            Self::Register(message) => put_message(msg_type, message.body_len(), out, |out| message.put(out)),
            Self::RegAck(message) => put_message(msg_type, RegAck::LEN, out, |out| message.put(out)),
            Self::Publish(message) => put_message(msg_type, message.body_len(), out, |out| message.put(out)),
            Self::PublishMinusOne(message) => {
                put_message(msg_type, message.body_len()?, out, |out| message.put(out))
            }
            Self::PubAck(message) => put_message(msg_type, message.body_len()?, out, |out| message.put(out)),
            Self::Subscribe(message) => {
                put_message(msg_type, message.body_len(), out, |out| message.put(out))
            }
            Self::SubAck(message) => put_message(msg_type, SubAck::LEN, out, |out| message.put(out)),
            Self::Unsubscribe(message) => {
                put_message(msg_type, message.body_len(), out, |out| message.put(out))
            }
            Self::PingReq(message) => put_message(msg_type, message.body_len()?, out, |out| message.put(out)),
            Self::Disconnect(message) => {
                put_message(msg_type, message.body_len(), out, |out| message.put(out))
            }
        }
    }
}

/// Writes a whole message with this many octets in its variable part.
#[inline]
fn put_message<O: Output>(
    msg_type: MessageType,
    body: usize,
    out: &mut O,
    put_body: impl FnOnce(&mut O),
) -> Result<(), EncodeError> {
    if message_len(bounded(body)?) > out.room() {
        return Err(EncodeError::NoRoom);
    }
    header::put(msg_type, body, out);
    put_body(out);
    Ok(())
}

/// Writes a whole message of a few octets.
#[inline]
fn put_small(message: &[u8], out: &mut impl Output) -> Result<(), EncodeError> {
    if message.len() > out.room() {
        return Err(EncodeError::NoRoom);
    }
    out.put(message);
    Ok(())
}

/// The octets of the variable part, if there can be such a message.
#[inline]
const fn bounded(body: usize) -> Result<usize, EncodeError> {
    if body > MAX_MESSAGE_SIZE - 4 { Err(EncodeError::TooLong) } else { Ok(body) }
}
