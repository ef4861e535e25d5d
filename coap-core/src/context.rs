//! What the parts of an endpoint share while they handle one event.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use coap_codec::{Code, Options};
use machine::{Instant, Random};

use crate::message::Peer;
use crate::outbound::Outbound;
use crate::{Action, Config, Counters, Refused};

/// What client and server work with.
pub(crate) struct Context<'a, P> {
    pub(crate) outbound: &'a mut Outbound<P>,
    pub(crate) actions: &'a mut VecDeque<Action<P>>,
    pub(crate) counters: &'a mut Counters,
    pub(crate) config: &'a Config,
    pub(crate) random: &'a mut Random,
    pub(crate) now: Instant,
}

impl<P: Peer> Context<'_, P> {
    /// A whole message that a datagram has room for; the message layer puts type and message id in.
    pub(crate) fn encode(
        &mut self,
        code: Code,
        token: &[u8],
        options: Options<'_>,
        payload: &[u8],
    ) -> Result<Vec<u8>, Refused> {
        let datagram = self.outbound.encode(code, token, options, payload)?;
        if datagram.len() > self.config.max_datagram { Err(Refused::TooLarge) } else { Ok(datagram) }
    }
}
