//! UNSUBACK, §3.11.

use super::{Encode, Lengths, ReasonCodes};
use crate::header::put_header_and_u16;
use crate::reader::{end, packet_identifier};
use crate::writer::Output;
use crate::{
    EncodeError, Malformed, PacketIdentifier, PacketType, Properties, PropertyContext, ProtocolVersion,
    ReasonCode,
};

/// UNSUBACK: the server's answer to UNSUBSCRIBE, §3.11.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnsubAck<'a> {
    /// The identifier of the UNSUBSCRIBE.
    pub packet_id: PacketIdentifier,
    /// Properties, from 5.0.
    pub properties: Properties<'a>,
    /// One code for each filter, in their order, from 5.0. 3.x has none and encodes none.
    pub reasons: ReasonCodes<'a>,
}

impl<'a> UnsubAck<'a> {
    pub(super) fn read(input: &'a [u8], version: ProtocolVersion) -> Result<Self, Malformed> {
        let (input, packet_id) = packet_identifier(input)?;
        if version < ProtocolVersion::V5 {
            end(input)?;
            return Ok(Self { packet_id, properties: Properties::NONE, reasons: ReasonCodes::NONE });
        }
        let (input, properties) = Properties::read(input, version, PropertyContext::Acknowledgement)?;
        let allowed = |code| ReasonCode::new(code).allowed_in(PacketType::UnsubAck);
        let reasons = ReasonCodes::read(input, PacketType::UnsubAck, allowed)?;
        Ok(Self { packet_id, properties, reasons })
    }
}

impl Encode for UnsubAck<'_> {
    fn lengths(&self, version: ProtocolVersion) -> Result<Lengths, EncodeError> {
        if version < ProtocolVersion::V5 {
            return Ok(Lengths { remaining: 2, properties: 0 });
        }
        let properties = self.properties.field_len(version, PropertyContext::Acknowledgement.bit())?;
        let remaining = 2 + properties + self.reasons.checked_len(PacketType::UnsubAck)?;
        Ok(Lengths { remaining, properties })
    }

    fn put(&self, version: ProtocolVersion, lengths: Lengths, out: &mut impl Output) {
        put_header_and_u16(PacketType::UnsubAck.first_byte(), lengths.remaining, self.packet_id.get(), out);
        if version == ProtocolVersion::V5 {
            self.properties.put_field_of(lengths.properties, out);
            self.reasons.put(out);
        }
    }
}
