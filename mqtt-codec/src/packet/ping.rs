//! PINGREQ and PINGRESP, §3.12 and §3.13: a fixed header and nothing else.

use crate::writer::Output;
use crate::{Malformed, PacketType};

#[inline]
pub(super) fn read(body: &[u8]) -> Result<(), Malformed> {
    if body.is_empty() { Ok(()) } else { Err(Malformed::TrailingBytes) }
}

#[inline]
pub(super) fn put(packet_type: PacketType, out: &mut impl Output) {
    out.put(&[packet_type.first_byte(), 0]);
}
