//! How a response leaves: on the acknowledgement, by itself, later, or not at all (RFC 7252 §5.2, §8.2; RFC 7967).

use alloc::vec::Vec;
use core::time::Duration;

use coap_codec::{Code, NoResponse};

use crate::context::Context;
use crate::message::{IncomingId, Interaction, OutgoingId, Peer, Send};
use crate::outbound::Owner;
use crate::{Refused, Reliability, Token};

/// Who is to be answered, and how.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is true or not of a message by itself")]
pub(crate) struct Asker<P> {
    pub(crate) from: P,
    pub(crate) token: Token,
    pub(crate) incoming: IncomingId,
    pub(crate) confirmable: bool,
    pub(crate) multicast: bool,
    pub(crate) no_response: Option<NoResponse>,
    /// Bytes of the request's datagram.
    pub(crate) request_len: usize,
    /// The address is known not to be forged.
    pub(crate) verified: bool,
    /// Nothing is lost when it has to ask again: nothing was changed, and no body has come in blocks.
    pub(crate) may_be_challenged: bool,
}

impl<P: Peer> Asker<P> {
    /// Whether such a response is of no use to the asker: it said so (RFC 7967), or it asked a group, which has nothing to say but
    /// successes with a body (RFC 7252 §8.2).
    pub(crate) fn does_without(&self, code: Code, empty: bool) -> bool {
        match self.no_response {
            Some(no_response) => no_response.suppresses(code),
            None => self.multicast && (!code.is_success() || empty),
        }
    }

    /// Ends the exchange of messages without a response.
    pub(crate) fn leave(&self, cx: &mut Context<'_, P>) {
        cx.counters.suppressed += 1;
        if self.confirmable && !self.multicast {
            cx.outbound.layer.acknowledge(self.incoming, cx.now);
        } else {
            cx.outbound.layer.ignore(self.incoming);
        }
    }

    /// Sends a response: on the acknowledgement where that has not gone yet, or as a message of its own, of which the owner hears.
    pub(crate) fn send(
        &self,
        mut datagram: Vec<u8>,
        reliability: Option<Reliability>,
        owner: Option<Owner>,
        cx: &mut Context<'_, P>,
    ) -> Result<Option<OutgoingId>, Refused> {
        if !self.multicast {
            match cx.outbound.layer.piggyback(self.incoming, datagram) {
                Ok(()) => return Ok(None),
                Err(unsent) => datagram = unsent,
            }
        }
        let as_asked = if self.confirmable { Reliability::Confirmable } else { Reliability::NonConfirmable };
        let confirmable = !self.multicast && reliability.unwrap_or(as_asked) == Reliability::Confirmable;
        let leisure = if self.multicast { cx.config.transmission.leisure } else { Duration::ZERO };
        let not_before = self.multicast.then(|| cx.now + cx.random.between(Duration::ZERO, leisure));
        // The first notification can be rejected as all others can (RFC 7641 §3.6).
        let interaction = if owner.is_some() { Interaction::Notification } else { Interaction::Response };
        let how = Send { confirmable, interaction, not_before };
        cx.outbound.send(self.from, datagram, how, owner, cx.now).map(Some)
    }
}
