//! AUTH, §3.15.

use super::acknowledge::{put_tail, reason_and_properties, tail_len};
use super::{Encode, Lengths};
use crate::header::put_header;
use crate::writer::Output;
use crate::{EncodeError, Malformed, PacketType, Properties, PropertyContext, ProtocolVersion, ReasonCode};

/// AUTH: a step of an authentication exchange, §3.15. From 5.0.
///
/// The authentication method is in the properties; only the form without any field (success) goes without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Auth<'a> {
    /// Success, continue authentication, or re-authenticate.
    pub reason: ReasonCode,
    /// Properties.
    pub properties: Properties<'a>,
}

impl<'a> Auth<'a> {
    pub(super) fn read(body: &'a [u8], version: ProtocolVersion) -> Result<Self, Malformed> {
        if version < ProtocolVersion::V5 {
            return Err(Malformed::ReservedPacketType);
        }
        if body.is_empty() {
            return Ok(Self::default());
        }
        let (reason, properties) = reason_and_properties(body, PacketType::Auth, PropertyContext::Auth)?;
        if properties.is_empty() {
            return Err(Malformed::AuthenticationMethodMissing);
        }
        Ok(Self { reason, properties })
    }
}

impl Encode for Auth<'_> {
    fn lengths(&self, version: ProtocolVersion) -> Result<Lengths, EncodeError> {
        if version < ProtocolVersion::V5 {
            return Err(EncodeError::NotInVersion);
        }
        let len =
            tail_len(self.reason, &self.properties, version, PacketType::Auth, PropertyContext::Auth.bit())?;
        if len > 0 && self.properties.authentication_method().is_none() {
            return Err(Malformed::AuthenticationMethodMissing.into());
        }
        Ok(Lengths { remaining: len, properties: 0 })
    }

    fn put(&self, _: ProtocolVersion, lengths: Lengths, out: &mut impl Output) {
        put_header(PacketType::Auth.first_byte(), lengths.remaining, out);
        put_tail(self.reason, &self.properties, lengths.remaining, out);
    }
}
