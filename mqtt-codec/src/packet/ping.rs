//! PINGREQ and PINGRESP, §3.12 and §3.13: a fixed header and nothing else.

use super::{put_small, small_to_slice};
use crate::writer::Output;
use crate::{EncodeError, PacketType, ProtocolVersion};

/// One of the two, with the verbs that the other packets have.
pub(super) struct Ping(pub(super) PacketType);

impl Ping {
    const fn bytes(&self) -> [u8; 2] {
        [self.0.first_byte(), 0]
    }

    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as the other packets have it")]
    pub(super) const fn encoded_len(&self, _: ProtocolVersion) -> Result<usize, EncodeError> {
        Ok(2)
    }

    #[inline]
    pub(super) fn encode(&self, _: ProtocolVersion, out: &mut impl Output) -> Result<(), EncodeError> {
        put_small(&self.bytes(), out)
    }

    #[inline]
    pub(super) fn encode_to_slice(
        &self,
        _: ProtocolVersion,
        buffer: &mut [u8],
    ) -> Result<usize, EncodeError> {
        small_to_slice(self.bytes(), buffer)
    }
}
