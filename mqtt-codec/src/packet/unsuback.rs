//! UNSUBACK, §3.11.

use super::{Encode, ReasonCodes};
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
    fn remaining_len(&self, version: ProtocolVersion) -> Result<usize, EncodeError> {
        if version < ProtocolVersion::V5 {
            return Ok(2);
        }
        let properties = self.properties.field_len(version, PropertyContext::Acknowledgement.bit())?;
        Ok(2 + properties + self.reasons.checked_len(PacketType::UnsubAck)?)
    }

    fn put(&self, version: ProtocolVersion, remaining: usize, out: &mut impl Output) {
        put_header_and_u16(PacketType::UnsubAck.first_byte(), remaining, self.packet_id.get(), out);
        if version == ProtocolVersion::V5 {
            self.properties.put_field(version, out);
            self.reasons.put(out);
        }
    }
}
