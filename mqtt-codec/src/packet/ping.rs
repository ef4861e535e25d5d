//! PINGREQ and PINGRESP, §3.12 and §3.13: a fixed header and nothing else.

use super::Encode;
use crate::writer::Output;
use crate::{EncodeError, PacketType, ProtocolVersion};

/// One of the two.
pub(super) struct Ping(pub(super) PacketType);

impl Encode for Ping {
    #[inline]
    fn remaining_len(&self, _: ProtocolVersion) -> Result<usize, EncodeError> {
        Ok(0)
    }

    #[inline]
    fn put(&self, _: ProtocolVersion, _: usize, out: &mut impl Output) {
        out.put(&[self.0.first_byte(), 0]);
    }
}
