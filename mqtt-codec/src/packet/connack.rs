//! CONNACK, §3.2.

use super::{Encode, Lengths};
use crate::header::put_header_and_u16;
use crate::reader::{byte, end};
use crate::writer::Output;
use crate::{EncodeError, Malformed, PacketType, Properties, PropertyContext, ProtocolVersion, ReasonCode};

/// CONNACK: the server's answer to CONNECT, §3.2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnAck<'a> {
    /// Whether the server goes on with a session that it had. 3.1 cannot say so.
    pub session_present: bool,
    /// Success or why not. The return codes 1 to 5 of 3.x are 0x84, 0x85, 0x88, 0x86 and 0x87; any other
    /// error is encoded as return code 3.
    pub reason: ReasonCode,
    /// Properties, from 5.0.
    pub properties: Properties<'a>,
}

impl<'a> ConnAck<'a> {
    pub(super) fn read(input: &'a [u8], version: ProtocolVersion) -> Result<Self, Malformed> {
        let (input, flags) = byte(input)?;
        let (input, code) = byte(input)?;
        let reason = reason(code, version)?;
        let session_present = check_flags(flags, reason, version)?;
        let (input, properties) = Properties::read(input, version, PropertyContext::ConnAck)?;
        end(input)?;
        Ok(Self { session_present, reason, properties })
    }
}

fn reason(code: u8, version: ProtocolVersion) -> Result<ReasonCode, Malformed> {
    let reason = match version {
        ProtocolVersion::V5 => Some(ReasonCode::new(code)),
        ProtocolVersion::V3_1 | ProtocolVersion::V3_1_1 => ReasonCode::from_connect_return_code(code),
    };
    reason
        .filter(|reason| reason.allowed_in(PacketType::ConnAck))
        .ok_or(Malformed::UndefinedReasonCode(PacketType::ConnAck))
}

/// Session present, §3.2.2.1. In 3.1 the whole byte is reserved and means nothing.
fn check_flags(flags: u8, reason: ReasonCode, version: ProtocolVersion) -> Result<bool, Malformed> {
    match flags {
        _ if version == ProtocolVersion::V3_1 => Ok(false),
        0 => Ok(false),
        1 if reason == ReasonCode::SUCCESS => Ok(true),
        1 => Err(Malformed::SessionPresentWithError),
        _ => Err(Malformed::ReservedAcknowledgeFlags),
    }
}

impl Encode for ConnAck<'_> {
    fn lengths(&self, version: ProtocolVersion) -> Result<Lengths, EncodeError> {
        if self.session_present && self.reason != ReasonCode::SUCCESS {
            return Err(Malformed::SessionPresentWithError.into());
        }
        if !self.reason.allowed_in(PacketType::ConnAck) {
            return Err(Malformed::UndefinedReasonCode(PacketType::ConnAck).into());
        }
        let properties = self.properties.field_len(version, PropertyContext::ConnAck.bit())?;
        Ok(Lengths { remaining: 2 + properties, properties })
    }

    fn put(&self, version: ProtocolVersion, lengths: Lengths, out: &mut impl Output) {
        let flags = u8::from(self.session_present && version > ProtocolVersion::V3_1);
        let code = match version {
            ProtocolVersion::V5 => self.reason.get(),
            ProtocolVersion::V3_1 | ProtocolVersion::V3_1_1 => self.reason.to_connect_return_code(),
        };
        let flags_and_code = u16::from_be_bytes([flags, code]);
        put_header_and_u16(PacketType::ConnAck.first_byte(), lengths.remaining, flags_and_code, out);
        self.properties.put_field_of(lengths.properties, out);
    }
}
