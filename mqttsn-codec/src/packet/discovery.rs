//! ADVERTISE, SEARCHGW, GWINFO: §5.4.1 to §5.4.3.

use crate::reader::{be_u16, end, octet};
use crate::{EncodeError, Malformed, Output};

/// ADVERTISE: a gateway is there, §5.4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Advertise {
    /// Names the gateway in its network.
    pub gateway_id: u8,
    /// Seconds until the next one.
    pub duration: u16,
}

impl Advertise {
    pub(super) const LEN: usize = 3;

    #[inline]
    pub(super) fn read(input: &[u8]) -> Result<Self, Malformed> {
        let (input, gateway_id) = octet(input)?;
        let (input, duration) = be_u16(input)?;
        end(input)?;
        Ok(Self { gateway_id, duration })
    }

    #[inline]
    pub(super) fn put(self, out: &mut impl Output) {
        let [high, low] = self.duration.to_be_bytes();
        out.put(&[self.gateway_id, high, low]);
    }
}

/// SEARCHGW: a client looks for a gateway, §5.4.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SearchGw {
    /// How far it is broadcast, 0 for the whole network.
    pub radius: u8,
}

impl SearchGw {
    pub(super) const LEN: usize = 1;

    #[inline]
    pub(super) fn read(input: &[u8]) -> Result<Self, Malformed> {
        let (input, radius) = octet(input)?;
        end(input)?;
        Ok(Self { radius })
    }

    #[inline]
    pub(super) fn put(self, out: &mut impl Output) {
        out.put(&[self.radius]);
    }
}

/// GWINFO: where a gateway is, §5.4.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GwInfo<'a> {
    /// Names the gateway in its network.
    pub gateway_id: u8,
    /// Its address in that network, without the octet of its length; `None` from the gateway itself, whose
    /// datagram tells it. Never empty.
    pub address: Option<&'a [u8]>,
}

impl<'a> GwInfo<'a> {
    #[inline]
    pub(super) fn read(input: &'a [u8]) -> Result<Self, Malformed> {
        let (input, gateway_id) = octet(input)?;
        let address = match input {
            [] => None,
            [len, address @ ..] if *len > 0 && usize::from(*len) == address.len() => Some(address),
            _ => return Err(Malformed::GatewayAddressLength),
        };
        Ok(Self { gateway_id, address })
    }

    #[inline]
    pub(super) const fn body_len(&self) -> Result<usize, EncodeError> {
        match self.address {
            None => Ok(1),
            Some([]) => Err(EncodeError::Malformed(Malformed::GatewayAddressLength)),
            Some(address) if address.len() > 255 => Err(EncodeError::TooLong),
            Some(address) => Ok(2 + address.len()),
        }
    }

    #[inline]
    pub(super) fn put(&self, out: &mut impl Output) {
        out.put(&[self.gateway_id]);
        if let Some(address) = self.address {
            out.put(&[address.len() as u8]);
            out.put(address);
        }
    }
}
