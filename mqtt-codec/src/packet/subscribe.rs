//! SUBSCRIBE, §3.8.

use super::{Encode, Lengths, SubscribeFilters};
use crate::header::put_header_and_u16;
use crate::reader::packet_identifier;
use crate::writer::Output;
use crate::{
    EncodeError, Malformed, PacketIdentifier, PacketType, Properties, PropertyContext, ProtocolVersion, QoS,
};

/// SUBSCRIBE: a client asks for subscriptions, §3.8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscribe<'a> {
    /// Names the request until SUBACK.
    pub packet_id: PacketIdentifier,
    /// Properties, from 5.0.
    pub properties: Properties<'a>,
    /// Topic filters with options, at least one.
    pub filters: SubscribeFilters<'a>,
}

/// The options of a subscription, §3.8.3.1. 3.x has the quality of service alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SubscriptionOptions {
    /// The highest quality of service with which the server may deliver; in 3.x the requested one.
    pub maximum_qos: QoS,
    /// The client's own messages are not sent back to it.
    pub no_local: bool,
    /// Messages keep the RETAIN flag that they were published with.
    pub retain_as_published: bool,
    /// Whether retained messages are sent at once.
    pub retain_handling: RetainHandling,
}

/// Whether a subscription is answered with retained messages, §3.8.3.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RetainHandling {
    /// 0: they are sent.
    #[default]
    SendAtSubscribe = 0,
    /// 1: they are sent if there was no such subscription.
    SendIfNew = 1,
    /// 2: they are not sent.
    DoNotSend = 2,
}

const NO_LOCAL: u8 = 1 << 2;
const RETAIN_AS_PUBLISHED: u8 = 1 << 3;
const RETAIN_HANDLING_SHIFT: u8 = 4;

impl SubscriptionOptions {
    /// This quality of service and nothing else: all that 3.x can say.
    #[inline]
    pub const fn qos(maximum_qos: QoS) -> Self {
        Self {
            maximum_qos,
            no_local: false,
            retain_as_published: false,
            retain_handling: RetainHandling::SendAtSubscribe,
        }
    }

    /// The byte on the wire of 5.0. 3.x has its lowest two bits.
    #[inline]
    pub const fn to_byte(self) -> u8 {
        let no_local = if self.no_local { NO_LOCAL } else { 0 };
        let retain_as_published = if self.retain_as_published { RETAIN_AS_PUBLISHED } else { 0 };
        self.maximum_qos as u8
            | no_local
            | retain_as_published
            | (self.retain_handling as u8) << RETAIN_HANDLING_SHIFT
    }

    /// Reads the byte on the wire of this version.
    ///
    /// # Errors
    /// [`Malformed`] for reserved bits, QoS 3 and retain handling 3.
    #[inline]
    pub const fn from_byte(byte: u8, version: ProtocolVersion) -> Result<Self, Malformed> {
        let reserved = match version {
            ProtocolVersion::V5 => 0b1100_0000,
            ProtocolVersion::V3_1 | ProtocolVersion::V3_1_1 => 0b1111_1100,
        };
        if byte & reserved != 0 {
            return Err(Malformed::ReservedSubscriptionOptions);
        }
        let Some(maximum_qos) = QoS::new(byte & 0b11) else { return Err(Malformed::SubscriptionQoS3) };
        let retain_handling = match byte >> RETAIN_HANDLING_SHIFT {
            0 => RetainHandling::SendAtSubscribe,
            1 => RetainHandling::SendIfNew,
            2 => RetainHandling::DoNotSend,
            _ => return Err(Malformed::RetainHandling3),
        };
        Ok(Self {
            maximum_qos,
            no_local: byte & NO_LOCAL != 0,
            retain_as_published: byte & RETAIN_AS_PUBLISHED != 0,
            retain_handling,
        })
    }
}

impl<'a> Subscribe<'a> {
    pub(super) fn read(input: &'a [u8], version: ProtocolVersion) -> Result<Self, Malformed> {
        let (input, packet_id) = packet_identifier(input)?;
        let (input, properties) = Properties::read(input, version, PropertyContext::Subscribe)?;
        let filters = SubscribeFilters::read(input, version)?;
        Ok(Self { packet_id, properties, filters })
    }
}

impl Encode for Subscribe<'_> {
    fn lengths(&self, version: ProtocolVersion) -> Result<Lengths, EncodeError> {
        let properties = self.properties.field_len(version, PropertyContext::Subscribe.bit())?;
        Ok(Lengths { remaining: 2 + properties + self.filters.checked_len()?, properties })
    }

    fn put(&self, version: ProtocolVersion, lengths: Lengths, out: &mut impl Output) {
        put_header_and_u16(PacketType::Subscribe.first_byte(), lengths.remaining, self.packet_id.get(), out);
        self.properties.put_field_of(lengths.properties, out);
        self.filters.put(version, out);
    }
}
