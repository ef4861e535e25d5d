//! PUBACK, PUBREC, PUBREL and PUBCOMP, §3.4 to §3.7: the same packet with four names.

use super::{Encode, Lengths, encode, encode_to_slice, encoded_len, put_small, small_to_slice};
use crate::header::put_header_and_u16;
use crate::reader::{byte, end, packet_identifier};
use crate::writer::Output;
use crate::{
    EncodeError, Malformed, PacketIdentifier, PacketType, Properties, PropertyContext, ProtocolVersion,
    ReasonCode,
};

/// A step of the acknowledgement of a PUBLISH, §3.4 to §3.7. Which one, [`Packet`](crate::Packet) says.
///
/// 3.x has the identifier alone. 5.0 leaves out reason and properties where it can, and so is it encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledge<'a> {
    /// The identifier of the PUBLISH.
    pub packet_id: PacketIdentifier,
    /// Success or why not, from 5.0.
    pub reason: ReasonCode,
    /// Properties, from 5.0.
    pub properties: Properties<'a>,
}

impl<'a> Acknowledge<'a> {
    /// Success, without properties.
    #[inline]
    pub const fn success(packet_id: PacketIdentifier) -> Self {
        Self { packet_id, reason: ReasonCode::SUCCESS, properties: Properties::NONE }
    }

    #[inline]
    pub(super) fn read(
        body: &'a [u8],
        version: ProtocolVersion,
        packet: PacketType,
    ) -> Result<Self, Malformed> {
        let (input, packet_id) = packet_identifier(body)?;
        if input.is_empty() {
            return Ok(Self::success(packet_id));
        }
        if version < ProtocolVersion::V5 {
            return Err(Malformed::TrailingBytes);
        }
        let (reason, properties) = reason_and_properties(input, packet, PropertyContext::Acknowledgement)?;
        Ok(Self { packet_id, reason, properties })
    }

    #[inline]
    pub(super) const fn of_type(&self, packet: PacketType) -> Typed<'_> {
        Typed { packet, acknowledge: self }
    }
}

/// A reason code and, if anything is left, properties: the tail of several packets of 5.0.
pub(super) fn reason_and_properties(
    input: &[u8],
    packet: PacketType,
    context: PropertyContext,
) -> Result<(ReasonCode, Properties<'_>), Malformed> {
    let (input, code) = byte(input)?;
    let reason = ReasonCode::new(code);
    if !reason.allowed_in(packet) {
        return Err(Malformed::UndefinedReasonCode(packet));
    }
    if input.is_empty() {
        return Ok((reason, Properties::NONE));
    }
    let (input, properties) = Properties::read(input, ProtocolVersion::V5, context)?;
    end(input)?;
    Ok((reason, properties))
}

/// Whether there is anything that the shortest form cannot say.
#[inline]
fn has_tail(reason: ReasonCode, properties: &Properties<'_>, version: ProtocolVersion) -> bool {
    version == ProtocolVersion::V5 && (reason != ReasonCode::SUCCESS || !properties.is_empty())
}

/// Bytes of that tail in its shortest form: none, the reason, or both.
pub(super) fn tail_len(
    reason: ReasonCode,
    properties: &Properties<'_>,
    version: ProtocolVersion,
    packet: PacketType,
    contexts: u16,
) -> Result<usize, EncodeError> {
    if !has_tail(reason, properties, version) {
        Ok(0)
    } else if !reason.allowed_in(packet) {
        Err(Malformed::UndefinedReasonCode(packet).into())
    } else if properties.is_empty() {
        Ok(1)
    } else {
        Ok(1 + properties.field_len(version, contexts)?)
    }
}

/// Writes a tail of this length.
#[inline]
pub(super) fn put_tail(reason: ReasonCode, properties: &Properties<'_>, len: usize, out: &mut impl Output) {
    if len > 0 {
        out.put(&[reason.get()]);
        properties.put_field_of(len - 1, out);
    }
}

/// An acknowledgement with its name.
pub(super) struct Typed<'a> {
    packet: PacketType,
    acknowledge: &'a Acknowledge<'a>,
}

impl Typed<'_> {
    pub(super) fn encoded_len(&self, version: ProtocolVersion) -> Result<usize, EncodeError> {
        encoded_len(self, version)
    }

    #[inline]
    pub(super) fn encode(&self, version: ProtocolVersion, out: &mut impl Output) -> Result<(), EncodeError> {
        match self.shortest(version) {
            Some(bytes) => put_small(&bytes, out),
            None => encode(self, version, out),
        }
    }

    #[inline]
    pub(super) fn encode_to_slice(
        &self,
        version: ProtocolVersion,
        buffer: &mut [u8],
    ) -> Result<usize, EncodeError> {
        match self.shortest(version) {
            Some(bytes) => small_to_slice(bytes, buffer),
            None => encode_to_slice(self, version, buffer),
        }
    }

    /// The packet, if the identifier says all that it has to say.
    #[inline]
    fn shortest(&self, version: ProtocolVersion) -> Option<[u8; 4]> {
        let Acknowledge { packet_id, reason, properties } = self.acknowledge;
        let [high, low] = packet_id.get().to_be_bytes();
        if has_tail(*reason, properties, version) {
            None
        } else {
            Some([self.packet.first_byte(), 2, high, low])
        }
    }
}

impl Encode for Typed<'_> {
    fn lengths(&self, version: ProtocolVersion) -> Result<Lengths, EncodeError> {
        let Acknowledge { reason, properties, .. } = self.acknowledge;
        let tail =
            tail_len(*reason, properties, version, self.packet, PropertyContext::Acknowledgement.bit())?;
        Ok(Lengths { remaining: 2 + tail, properties: 0 })
    }

    fn put(&self, _: ProtocolVersion, lengths: Lengths, out: &mut impl Output) {
        let Acknowledge { packet_id, reason, properties } = self.acknowledge;
        put_header_and_u16(self.packet.first_byte(), lengths.remaining, packet_id.get(), out);
        put_tail(*reason, properties, lengths.remaining - 2, out);
    }
}
