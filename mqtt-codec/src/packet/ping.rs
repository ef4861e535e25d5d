//! PINGREQ and PINGRESP, §3.12 and §3.13: a fixed header and nothing else.

use super::put_small;
use crate::writer::Output;
use crate::{EncodeError, PacketType};

#[inline]
pub(super) fn encode(packet: PacketType, out: &mut impl Output) -> Result<(), EncodeError> {
    put_small(&[packet.first_byte(), 0], out)
}
