//! DISCONNECT, §3.14.

use super::acknowledge::{put_tail, reason_and_properties, tail_len};
use super::{Encode, Lengths};
use crate::header::put_header;
use crate::writer::Output;
use crate::{
    Direction, EncodeError, Frame, Malformed, PacketType, Properties, PropertyContext, ProtocolVersion,
    ReasonCode,
};

/// DISCONNECT: the last packet of a connection, §3.14. 3.x has it from the client only and without any field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disconnect<'a> {
    /// Why the connection ends, from 5.0.
    pub reason: ReasonCode,
    /// Properties, from 5.0.
    pub properties: Properties<'a>,
}

impl<'a> Disconnect<'a> {
    /// Without properties.
    #[inline]
    pub const fn new(reason: ReasonCode) -> Self {
        Self { reason, properties: Properties::NONE }
    }

    pub(super) fn read(frame: &Frame<'a>, version: ProtocolVersion) -> Result<Self, Malformed> {
        let body = frame.body();
        if body.is_empty() {
            return Ok(Self::new(ReasonCode::NORMAL_DISCONNECTION));
        }
        if version < ProtocolVersion::V5 {
            return Err(Malformed::TrailingBytes);
        }
        let context = match frame.direction() {
            Direction::ClientToServer => PropertyContext::DisconnectToServer,
            Direction::ServerToClient => PropertyContext::DisconnectToClient,
        };
        let (reason, properties) = reason_and_properties(body, PacketType::Disconnect, context)?;
        Ok(Self { reason, properties })
    }
}

impl Encode for Disconnect<'_> {
    fn lengths(&self, version: ProtocolVersion) -> Result<Lengths, EncodeError> {
        const CONTEXTS: u16 =
            PropertyContext::DisconnectToServer.bit() | PropertyContext::DisconnectToClient.bit();
        let tail = tail_len(self.reason, &self.properties, version, PacketType::Disconnect, CONTEXTS)?;
        Ok(Lengths { remaining: tail, properties: 0 })
    }

    fn put(&self, _: ProtocolVersion, lengths: Lengths, out: &mut impl Output) {
        put_header(PacketType::Disconnect.first_byte(), lengths.remaining, out);
        put_tail(self.reason, &self.properties, lengths.remaining, out);
    }
}
