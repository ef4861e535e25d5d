//! CONNECT, §5.4.4.

use crate::flags::{CLEAN_SESSION, WILL, is_set, when};
use crate::reader::{be_u16, octet};
use crate::rules::PROTOCOL_ID;
use crate::text::string;
use crate::{Malformed, MessageType, Output, Packet, Rules};

/// CONNECT: a client sets up a connection, §5.4.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Connect<'a> {
    /// Whether the gateway is to ask for a will, §6.3.
    pub will: bool,
    /// Whether subscriptions and will are forgotten first, §6.3.
    pub clean_session: bool,
    /// The Keep Alive timer in seconds.
    pub duration: u16,
    /// The client id: up to [`Rules::max_client_id`] octets when read, perhaps none. A gateway refuses an empty one
    /// unless it knows better.
    pub client_id: &'a str,
}

impl<'a> Connect<'a> {
    #[inline(never)]
    pub(super) fn read(input: &'a [u8], rules: &Rules) -> Result<Packet<'a>, Malformed> {
        let (input, flags) = octet(input)?;
        let (input, protocol_id) = octet(input)?;
        let (input, duration) = be_u16(input)?;
        if protocol_id != PROTOCOL_ID {
            return Err(Malformed::UnsupportedProtocolId(protocol_id));
        }
        Ok(Packet::Connect(Self {
            will: is_set(flags, WILL),
            clean_session: is_set(flags, CLEAN_SESSION),
            duration,
            client_id: client_id(input, MessageType::Connect, rules)?,
        }))
    }

    #[inline]
    pub(super) const fn body_len(&self) -> usize {
        4 + self.client_id.len()
    }

    #[inline]
    pub(super) fn put(&self, out: &mut impl Output) {
        let [high, low] = self.duration.to_be_bytes();
        let flags = when(self.will, WILL) | when(self.clean_session, CLEAN_SESSION);
        out.put(&[flags, PROTOCOL_ID, high, low]);
        out.put(self.client_id.as_bytes());
    }
}

/// A client id to the end of the message.
#[inline]
pub(super) fn client_id<'a>(
    input: &'a [u8],
    message: MessageType,
    rules: &Rules,
) -> Result<&'a str, Malformed> {
    if input.len() > rules.max_client_id {
        return Err(Malformed::ClientIdTooLong(message));
    }
    string(input)
}
