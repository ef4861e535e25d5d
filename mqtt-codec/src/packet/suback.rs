//! SUBACK, §3.9, and the list of reason codes that UNSUBACK has as well.

use super::{Encode, Lengths};
use crate::header::put_header_and_u16;
use crate::reader::packet_identifier;
use crate::writer::Output;
use crate::{
    EncodeError, Malformed, PacketIdentifier, PacketType, Properties, PropertyContext, ProtocolVersion,
    ReasonCode,
};

/// SUBACK: the server's answer to SUBSCRIBE, §3.9.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubAck<'a> {
    /// The identifier of the SUBSCRIBE.
    pub packet_id: PacketIdentifier,
    /// Properties, from 5.0.
    pub properties: Properties<'a>,
    /// One code for each filter, in their order. 3.1.1 has 0x80 for every error. 3.1 has no error at all: it
    /// is encoded as granted QoS 0, and the client hears nothing.
    pub reasons: ReasonCodes<'a>,
}

impl<'a> SubAck<'a> {
    pub(super) fn read(input: &'a [u8], version: ProtocolVersion) -> Result<Self, Malformed> {
        let (input, packet_id) = packet_identifier(input)?;
        let (input, properties) = Properties::read(input, version, PropertyContext::Acknowledgement)?;
        let allowed = |code: u8| match version {
            ProtocolVersion::V5 => ReasonCode::new(code).allowed_in(PacketType::SubAck),
            ProtocolVersion::V3_1_1 => matches!(code, 0..=2 | 0x80),
            ProtocolVersion::V3_1 => code <= 2,
        };
        let reasons = ReasonCodes::read(input, PacketType::SubAck, allowed)?;
        Ok(Self { packet_id, properties, reasons })
    }
}

impl Encode for SubAck<'_> {
    fn lengths(&self, version: ProtocolVersion) -> Result<Lengths, EncodeError> {
        let properties = self.properties.field_len(version, PropertyContext::Acknowledgement.bit())?;
        let remaining = 2 + properties + self.reasons.checked_len(PacketType::SubAck)?;
        Ok(Lengths { remaining, properties })
    }

    fn put(&self, version: ProtocolVersion, lengths: Lengths, out: &mut impl Output) {
        put_header_and_u16(PacketType::SubAck.first_byte(), lengths.remaining, self.packet_id.get(), out);
        self.properties.put_field_of(lengths.properties, out);
        let error = match version {
            ProtocolVersion::V5 => return self.reasons.put(out),
            ProtocolVersion::V3_1_1 => ReasonCode::UNSPECIFIED_ERROR,
            ProtocolVersion::V3_1 => ReasonCode::GRANTED_QOS_0,
        };
        for reason in self.reasons.iter() {
            out.put(&[if reason.is_error() { error } else { reason }.get()]);
        }
    }
}

/// The reason codes of SUBACK or UNSUBACK, one for each filter. Two are equal if they give the same.
#[derive(Clone, Copy)]
pub struct ReasonCodes<'a>(Source<'a>);

#[derive(Clone, Copy)]
enum Source<'a> {
    Encoded(&'a [u8]),
    List(&'a [ReasonCode]),
}

impl<'a> ReasonCodes<'a> {
    /// No codes: what an UNSUBACK of 3.x has.
    pub const NONE: Self = Self(Source::Encoded(&[]));

    /// Codes to be encoded.
    #[inline]
    pub const fn list(list: &'a [ReasonCode]) -> Self {
        Self(Source::List(list))
    }

    /// Codes to be encoded, as bytes.
    #[inline]
    pub const fn bytes(codes: &'a [u8]) -> Self {
        Self(Source::Encoded(codes))
    }

    /// How many codes there are.
    #[inline]
    pub const fn len(&self) -> usize {
        match self.0 {
            Source::Encoded(codes) => codes.len(),
            Source::List(codes) => codes.len(),
        }
    }

    /// Whether there is no code.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The codes.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = ReasonCode> + Clone + use<'a> {
        let codes = *self;
        (0..self.len()).map(move |index| match codes.0 {
            Source::Encoded(codes) => ReasonCode::new(codes.get(index).copied().unwrap_or_default()),
            Source::List(codes) => codes.get(index).copied().unwrap_or_default(),
        })
    }

    pub(super) fn read(
        codes: &'a [u8],
        packet: PacketType,
        allowed: impl Fn(u8) -> bool,
    ) -> Result<Self, Malformed> {
        if codes.is_empty() {
            Err(Malformed::NoReasonCodes(packet))
        } else if codes.iter().all(|code| allowed(*code)) {
            Ok(Self(Source::Encoded(codes)))
        } else {
            Err(Malformed::UndefinedReasonCode(packet))
        }
    }

    pub(super) fn checked_len(&self, packet: PacketType) -> Result<usize, EncodeError> {
        if self.is_empty() {
            Err(Malformed::NoReasonCodes(packet).into())
        } else if self.iter().all(|code| code.allowed_in(packet)) {
            Ok(self.len())
        } else {
            Err(Malformed::UndefinedReasonCode(packet).into())
        }
    }

    pub(super) fn put(&self, out: &mut impl Output) {
        match self.0 {
            Source::Encoded(codes) => out.put(codes),
            Source::List(codes) => codes.iter().for_each(|code| out.put(&[code.get()])),
        }
    }
}

impl PartialEq for ReasonCodes<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for ReasonCodes<'_> {}

impl core::fmt::Debug for ReasonCodes<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
