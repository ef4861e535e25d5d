//! Requests on their way out: a place, a token, a message, and the next one.

use super::exchange::{Exchange, Kind, upload_of};
use super::phase::Event;
use super::tokens::fresh_token;
use super::{Client, Peer};
use crate::context::Context;
use crate::message::{Interaction, Send};
use crate::outbound::Owner;
use crate::{Failure, Handle, Refused, Reliability, Request};

impl<P: Peer> Client<P> {
    /// Sends a new request.
    pub(super) fn begin(
        &mut self,
        to: P,
        request: Request,
        kind: Kind,
        cx: &mut Context<'_, P>,
    ) -> Result<Handle, Refused> {
        if !request.method.is_request() {
            return Err(Refused::WrongCode);
        }
        if request.options.is_too_long() {
            return Err(Refused::OptionTooLong);
        }
        let upload = upload_of(&request, cx.config)?;
        let key = self.open(to, request, kind, cx)?;
        let exchange = &mut self.exchanges[key];
        exchange.upload = upload;
        let handle = exchange.handle;
        self.tell_apart(key, cx);
        match self.send(key, cx) {
            Ok(()) => Ok(handle),
            Err(refused) => {
                self.remove(key);
                Err(refused)
            }
        }
    }

    /// A place for an exchange.
    pub(super) fn open(
        &mut self,
        to: P,
        request: Request,
        kind: Kind,
        cx: &mut Context<'_, P>,
    ) -> Result<usize, Refused> {
        if self.exchanges.len() >= cx.config.limits.requests {
            return Err(Refused::Full);
        }
        let key = self.exchanges.vacant_key();
        let token = match &request.token {
            Some(token) => token.clone(),
            None => fresh_token(key, cx.random),
        };
        let peer = (kind != Kind::Group).then_some(to);
        if kind != Kind::Ping && self.with_token(&token, peer).is_some() {
            return Err(Refused::TokenInUse);
        }
        self.next_serial = self.next_serial.wrapping_add(1);
        let handle = Handle::new(self.next_serial, key);
        self.exchanges.insert(Exchange::new(handle, kind, to, token, request));
        self.enter_token(key);
        Ok(key)
    }

    /// Sends the message that is next.
    pub(super) fn send(&mut self, key: usize, cx: &mut Context<'_, P>) -> Result<(), Refused> {
        let exchange = &mut self.exchanges[key];
        let datagram = exchange.datagram(cx.outbound, cx.config)?;
        let group = exchange.kind == Kind::Group;
        let how = Send {
            confirmable: exchange.request.reliability == Reliability::Confirmable,
            interaction: if group { Interaction::Group } else { Interaction::Request },
            not_before: None,
        };
        if let Some(old) = exchange.outgoing.take() {
            cx.outbound.cancel(old, cx.now);
        }
        // Nothing can become of a message to a group.
        let owner = (!group).then_some(Owner::Exchange(key));
        exchange.outgoing = Some(cx.outbound.send(exchange.to, datagram, how, owner, cx.now)?);
        if group {
            // Responses are spread over the leisure, and each may be as late as any (§8.2, §5.3.1).
            let transmission = &cx.config.transmission;
            let span = exchange.request.timeout.unwrap_or(transmission.non_lifetime() + transmission.leisure);
            self.timers.set(key as u32, cx.now + span);
        }
        Ok(())
    }

    /// A body that is about to go in blocks, while another one does toward the same peer, must be told apart from it (RFC 9175
    /// §3.5.2). Otherwise it goes without Request-Tag, as messages are to be compact (§3.4).
    pub(super) fn tell_apart(&mut self, key: usize, cx: &mut Context<'_, P>) {
        let Exchange { to, upload, request_tag, .. } = &self.exchanges[key];
        if upload.is_none() || request_tag.is_some() {
            return;
        }
        let meets = |(other, exchange): (usize, &Exchange<P>)| {
            other != key && exchange.to == *to && exchange.upload.is_some()
        };
        if self.exchanges.iter().any(meets) {
            let exchange = &mut self.exchanges[key];
            exchange.request_tag = Some(cx.random.next_u32().to_be_bytes());
            exchange.tag_is_new = true;
        }
    }

    /// Registers anew, with the same token (RFC 7641 §3.3.1).
    pub(super) fn register(&mut self, key: usize, cx: &mut Context<'_, P>) {
        self.exchanges[key].begin_again(cx.config);
        self.tell_apart(key, cx);
        self.next_message(key, cx);
    }

    /// Sends the exchange's next message, or ends it.
    pub(super) fn next_message(&mut self, key: usize, cx: &mut Context<'_, P>) {
        self.happen(key, Event::NextMessage, cx);
        if let Err(refused) = self.send(key, cx) {
            self.end(key, Failure::Refused(refused), cx);
        }
    }
}
