//! Responses on their way out: validated, cut, held small, sent.

use bytes::Bytes;
use coap_codec::{Code, OptionNumber, Options};

use super::asker::Asker;
use super::{Open, Role, Server};
use crate::block::{self, Piece};
use crate::cache_key::operation_key;
use crate::context::Context;
use crate::message::{OutgoingId, Peer};
use crate::outbound::Owner;
use crate::{Bodies, OptionList, Refused, Reliability, Response, Token, policy};

/// What was sent in answer.
pub(crate) enum Sent {
    /// The response, in a message of its own where that has a name.
    Whole(Option<OutgoingId>),
    /// A challenge, or nothing, in its place.
    Challenge,
}

impl<P: Peer> Server<P> {
    /// Sends the response to a request that is whole.
    pub(super) fn answer(
        &mut self,
        asker: &Asker<P>,
        open: &Open<P>,
        response: Response,
        cx: &mut Context<'_, P>,
    ) -> Result<(), Refused> {
        if asker.does_without(response.code, response.payload.is_empty()) {
            asker.leave(cx);
            return Ok(());
        }
        let reliability = response.reliability;
        let room = self.room(asker, response.options.view(), cx);
        let piece = self.piece(asker.from, open, response, room, cx);
        // It may have become an error.
        if asker.does_without(piece.code, piece.payload.is_empty()) {
            asker.leave(cx);
            return Ok(());
        }
        // Others may have registered since it was asked.
        let registers = matches!(open.role, Role::Registration(_)) && piece.code.is_success();
        if registers && self.observers.admits(asker.from, &asker.token, &cx.config.limits) {
            self.register(asker, open, piece, reliability, cx)
        } else {
            self.send_piece(asker, &piece, reliability, None, cx).map(drop)
        }
    }

    /// Sends a piece of a response, or a challenge if the peer may not get so much yet. What cannot well be asked again is not
    /// challenged: its response is only cut smaller, which [`room`](Self::room) sees to.
    pub(crate) fn send_piece(
        &mut self,
        asker: &Asker<P>,
        piece: &Piece,
        reliability: Option<Reliability>,
        owner: Option<Owner>,
        cx: &mut Context<'_, P>,
    ) -> Result<Sent, Refused> {
        let datagram = cx.encode(piece.code, asker.token.as_bytes(), piece.options.view(), &piece.payload)?;
        let allowed =
            asker.verified || self.echo.allow(asker.from, asker.request_len, datagram.len(), cx.now);
        if allowed || !asker.may_be_challenged {
            return asker.send(datagram, reliability, owner, cx).map(Sent::Whole);
        }
        if asker.multicast {
            asker.leave(cx);
            return Ok(Sent::Challenge);
        }
        cx.counters.challenged += 1;
        let mut challenge = OptionList::new();
        challenge.add(OptionNumber::ECHO, &self.echo.challenge(asker.from, cx.now));
        let datagram =
            cx.outbound.encode(Code::UNAUTHORIZED, asker.token.as_bytes(), challenge.view(), &[])?;
        // Never in a message that is repeated (RFC 9175 §2.4).
        asker.send(datagram, Some(Reliability::NonConfirmable), None, cx).map(|_| Sent::Challenge)
    }

    /// The part of a response that goes into one message.
    pub(crate) fn piece(
        &mut self,
        peer: P,
        open: &Open<P>,
        response: Response,
        room: usize,
        cx: &Context<'_, P>,
    ) -> Piece {
        let Response { code, options, payload, .. } = response;
        let mut piece = Piece { code, options, payload };
        if open.options.view().contains(OptionNumber::ETAG) {
            self.bodies.tag(&mut piece);
        }
        if policy::is_validated(open.method, open.options.view(), code, piece.options.view()) {
            piece.code = Code::VALID;
            piece.payload = Bytes::new();
            piece.options.remove(OptionNumber::CONTENT_FORMAT);
        }
        let small = room.min(block::size_of(cx.config.block_size_exponent));
        if open.bodies == Bodies::Whole && (open.blocks.block2.is_some() || piece.payload.len() > small) {
            let key = operation_key(open.method, open.options.view());
            piece = self.bodies.answer(peer, &key, piece, &open.blocks, room, cx.now);
        }
        if let Some(block) = open.block1 {
            piece.options.set(OptionNumber::BLOCK1, &block.value());
        }
        piece
    }

    /// Bytes that the payload of a response may have: what the datagram leaves, and where a challenge would have the request carried
    /// out twice, what the peer may get without one (RFC 9175 §2.4).
    pub(super) fn room(&mut self, asker: &Asker<P>, options: Options<'_>, cx: &Context<'_, P>) -> usize {
        let allowed = if asker.verified || asker.may_be_challenged && !asker.multicast {
            usize::MAX
        } else {
            self.echo.room(asker.from, asker.request_len, cx.now)
        };
        allowed.min(cx.config.max_datagram).saturating_sub(overhead(&asker.token, options))
    }

    /// Sends an answer that the application has no part in.
    pub(super) fn leave_with(&mut self, asker: &Asker<P>, piece: &Piece, cx: &mut Context<'_, P>) {
        if asker.does_without(piece.code, piece.payload.is_empty()) {
            return asker.leave(cx);
        }
        let sent = self.send_piece(asker, piece, None, None, cx);
        Self::count_refused(sent.map(drop), cx);
    }

    /// An answer that could not be sent: the peer will ask again.
    pub(super) fn count_refused(sent: Result<(), Refused>, cx: &mut Context<'_, P>) {
        cx.counters.dropped_full += u64::from(sent.is_err());
    }
}

/// Methods that change nothing (RFC 7252 §5.1, RFC 8132 §1).
pub(super) const fn is_safe(method: Code) -> bool {
    matches!(method, Code::GET | Code::FETCH)
}

/// Bytes of a response that are not payload, but for rare cases: header, token, its options, and those of blocks.
pub(crate) fn overhead(token: &Token, options: Options<'_>) -> usize {
    const COMMON: usize = 64;
    const HEADER: usize = 4 + 1;
    /// Block1, Block2, Size2 and an ETag.
    const BLOCKS: usize = 5 + 5 + 6 + 9;
    COMMON.max(HEADER + token.as_bytes().len() + options.encoded().len() + BLOCKS)
}
