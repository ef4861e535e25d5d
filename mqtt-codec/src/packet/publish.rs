//! PUBLISH, §3.3.

use super::{Encode, Lengths, bounded};
use crate::header::{header_len, put_header_and_u16};
use crate::reader::{Parsed, packet_identifier};
use crate::text::topic_name_or_empty;
use crate::writer::{Output, binary_len, put_u16};
use crate::{
    Direction, EncodeError, Frame, Malformed, Packet, PacketIdentifier, PacketType, Properties,
    PropertyContext, ProtocolVersion, QoS,
};

/// PUBLISH: a message, §3.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publish<'a> {
    /// Quality of service with what belongs to it.
    pub delivery: Delivery,
    /// Whether the message is to be kept, or was kept, for later subscribers.
    pub retain: bool,
    /// The topic name: no wildcard; empty only in 5.0 and beside a topic alias.
    pub topic: &'a str,
    /// Properties, from 5.0.
    pub properties: Properties<'a>,
    /// The message.
    pub payload: &'a [u8],
}

/// A quality of service with the packet identifier and the DUP flag that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// QoS 0.
    AtMostOnce,
    /// QoS 1.
    AtLeastOnce {
        /// Names the message until PUBACK.
        packet_id: PacketIdentifier,
        /// Whether it may have been sent before.
        dup: bool,
    },
    /// QoS 2.
    ExactlyOnce {
        /// Names the message until PUBCOMP.
        packet_id: PacketIdentifier,
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

    /// The packet identifier, `None` at QoS 0.
    #[inline]
    pub const fn packet_id(self) -> Option<PacketIdentifier> {
        match self {
            Self::AtMostOnce => None,
            Self::AtLeastOnce { packet_id, .. } | Self::ExactlyOnce { packet_id, .. } => Some(packet_id),
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

    /// Its bits of the fixed header.
    #[inline]
    const fn flags(self) -> u8 {
        let dup = if self.dup() { DUP } else { 0 };
        (self.qos() as u8) << QOS_SHIFT | dup
    }

    #[inline]
    fn parse(input: &[u8], flags: u8) -> Parsed<'_, Self> {
        if flags & (0b11 << QOS_SHIFT) == 0 {
            return Ok((input, Self::AtMostOnce));
        }
        let (input, packet_id) = packet_identifier(input)?;
        let dup = flags & DUP != 0;
        let delivery = if flags & (0b10 << QOS_SHIFT) == 0 {
            Self::AtLeastOnce { packet_id, dup }
        } else {
            Self::ExactlyOnce { packet_id, dup }
        };
        Ok((input, delivery))
    }
}

const RETAIN: u8 = 1;
const QOS_SHIFT: u8 = 1;
const DUP: u8 = 1 << 3;

impl<'a> Publish<'a> {
    /// Appends everything but the payload, whose length the fixed header nevertheless contains: for a caller
    /// who hands the payload on without copying it.
    ///
    /// # Errors
    /// As [`encode`](Self::encode); room is only needed for what is written.
    #[inline]
    pub fn encode_head(&self, version: ProtocolVersion, out: &mut impl Output) -> Result<(), EncodeError> {
        let lengths = self.lengths(version)?;
        let remaining = bounded(lengths.remaining)?;
        if header_len(remaining) + remaining - self.payload.len() > out.room() {
            return Err(EncodeError::NoRoom);
        }
        self.put_head(lengths, out);
        Ok(())
    }

    /// Appends everything but the encoded block of properties, which comes last of them, and the payload: for a
    /// caller who has both in one piece and hands that on without copying it. Before 5.0 there is no block, and
    /// this is [`encode_head`](Self::encode_head).
    ///
    /// # Errors
    /// As [`encode`](Self::encode); room is only needed for what is written.
    #[inline]
    pub fn encode_start(&self, version: ProtocolVersion, out: &mut impl Output) -> Result<(), EncodeError> {
        let Lengths { remaining, properties } = self.lengths(version)?;
        let remaining = bounded(remaining)?;
        let block = if properties > 0 { self.properties.encoded().len() } else { 0 };
        if header_len(remaining) + remaining - self.payload.len() - block > out.room() {
            return Err(EncodeError::NoRoom);
        }
        self.put_before_properties(remaining, out);
        self.properties.put_field_start(properties, out);
        Ok(())
    }

    #[inline]
    pub(super) fn read(frame: &Frame<'a>, version: ProtocolVersion) -> Result<Packet<'a>, Malformed> {
        let context = match frame.direction() {
            Direction::ClientToServer => PropertyContext::PublishToServer,
            Direction::ServerToClient => PropertyContext::PublishToClient,
        };
        let flags = frame.flags();
        let (input, topic) = topic_name_or_empty(frame.body())?;
        let (input, delivery) = Delivery::parse(input, flags)?;
        let (payload, properties) = Properties::read(input, version, context)?;
        if topic.is_empty() {
            check_empty_topic(&properties, version)?;
        }
        let retain = flags & RETAIN != 0;
        Ok(Packet::Publish(Self { delivery, retain, topic, properties, payload }))
    }

    #[inline]
    const fn identifier_len(&self) -> usize {
        match self.delivery {
            Delivery::AtMostOnce => 0,
            Delivery::AtLeastOnce { .. } | Delivery::ExactlyOnce { .. } => 2,
        }
    }

    #[inline]
    fn put_head(&self, lengths: Lengths, out: &mut impl Output) {
        self.put_before_properties(lengths.remaining, out);
        self.properties.put_field_of(lengths.properties, out);
    }

    #[inline]
    fn put_before_properties(&self, remaining: usize, out: &mut impl Output) {
        let retain = if self.retain { RETAIN } else { 0 };
        let flags = self.delivery.flags() | retain;
        put_header_and_u16(PacketType::Publish.first_byte() | flags, remaining, self.topic.len() as u16, out);
        out.put(self.topic.as_bytes());
        if let Some(packet_id) = self.delivery.packet_id() {
            put_u16(packet_id.get(), out);
        }
    }
}

#[cold]
fn check_empty_topic(properties: &Properties<'_>, version: ProtocolVersion) -> Result<(), Malformed> {
    if version < ProtocolVersion::V5 {
        Err(Malformed::EmptyTopicName)
    } else if properties.topic_alias().is_none() {
        Err(Malformed::NoTopic)
    } else {
        Ok(())
    }
}

impl Encode for Publish<'_> {
    #[inline]
    fn lengths(&self, version: ProtocolVersion) -> Result<Lengths, EncodeError> {
        const CONTEXTS: u16 = PropertyContext::PublishToServer.bit() | PropertyContext::PublishToClient.bit();
        if self.topic.is_empty() {
            check_empty_topic(&self.properties, version)?;
        }
        let properties = self.properties.field_len(version, CONTEXTS)?;
        let others = binary_len(self.topic.as_bytes())? + self.identifier_len() + self.payload.len();
        Ok(Lengths { remaining: others + properties, properties })
    }

    #[inline]
    fn put(&self, _: ProtocolVersion, lengths: Lengths, out: &mut impl Output) {
        self.put_head(lengths, out);
        out.put(self.payload);
    }
}
