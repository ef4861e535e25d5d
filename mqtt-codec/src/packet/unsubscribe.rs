//! UNSUBSCRIBE, §3.10.

use super::{Encode, Lengths, UnsubscribeFilters};
use crate::header::put_header_and_u16;
use crate::reader::packet_identifier;
use crate::writer::Output;
use crate::{
    EncodeError, Malformed, PacketIdentifier, PacketType, Properties, PropertyContext, ProtocolVersion,
};

/// UNSUBSCRIBE: a client drops subscriptions, §3.10.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsubscribe<'a> {
    /// Names the request until UNSUBACK.
    pub packet_id: PacketIdentifier,
    /// Properties, from 5.0.
    pub properties: Properties<'a>,
    /// Topic filters, at least one.
    pub filters: UnsubscribeFilters<'a>,
}

impl<'a> Unsubscribe<'a> {
    pub(super) fn read(input: &'a [u8], version: ProtocolVersion) -> Result<Self, Malformed> {
        let (input, packet_id) = packet_identifier(input)?;
        let (input, properties) = Properties::read(input, version, PropertyContext::Unsubscribe)?;
        let filters = UnsubscribeFilters::read(input)?;
        Ok(Self { packet_id, properties, filters })
    }
}

impl Encode for Unsubscribe<'_> {
    fn lengths(&self, version: ProtocolVersion) -> Result<Lengths, EncodeError> {
        let properties = self.properties.field_len(version, PropertyContext::Unsubscribe.bit())?;
        Ok(Lengths { remaining: 2 + properties + self.filters.checked_len()?, properties })
    }

    fn put(&self, _: ProtocolVersion, lengths: Lengths, out: &mut impl Output) {
        put_header_and_u16(
            PacketType::Unsubscribe.first_byte(),
            lengths.remaining,
            self.packet_id.get(),
            out,
        );
        self.properties.put_field_of(lengths.properties, out);
        self.filters.put(out);
    }
}
