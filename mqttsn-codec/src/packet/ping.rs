//! PINGREQ, §5.4.19.

use super::connect::client_id;
use crate::{EncodeError, Malformed, MessageType, Output, Packet, Rules};

/// PINGREQ: is the peer there, or what has been kept for a sleeping client, §5.4.19.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PingReq<'a> {
    /// The client id of a sleeping client that wakes, §6.14. Never empty.
    pub client_id: Option<&'a str>,
}

impl<'a> PingReq<'a> {
    #[inline(never)]
    pub(super) fn read(input: &'a [u8], rules: &Rules) -> Result<Packet<'a>, Malformed> {
        let client_id = client_id(input, MessageType::PingReq, rules)?;
        Ok(Packet::PingReq(Self { client_id: if client_id.is_empty() { None } else { Some(client_id) } }))
    }

    #[inline]
    pub(super) fn body_len(&self) -> Result<usize, EncodeError> {
        match self.client_id {
            None => Ok(0),
            Some("") => Err(EncodeError::Malformed(Malformed::EmptyClientId)),
            Some(client_id) => Ok(client_id.len()),
        }
    }

    #[inline]
    pub(super) fn put(&self, out: &mut impl Output) {
        out.put(self.client_id.unwrap_or_default().as_bytes());
    }
}
