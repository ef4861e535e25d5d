//! Requests of this endpoint: from the call to the response (RFC 7252 §5.2, §5.3).

mod blocks;
mod exchange;
pub(crate) mod observation;
mod phase;
mod sending;
mod tokens;

use bytes::Bytes;
use coap_codec::{Code, Message, OptionNumber};
use machine::Instant;
use slab::Slab;

use self::exchange::{Exchange, Kind, upload_of};
use self::observation::Observation;
use self::phase::{Effect, Event, Phase};
use crate::block::UploadStep;
use crate::context::Context;
use crate::message::{self, OutgoingId, Peer};
use crate::outbound::Owner;
use crate::timers::Timers;
use crate::tree::Tree;
use crate::{Action, Failure, Handle, Refused, Reliability, Request, Response, Token, policy};

/// How often a request is repeated with a new Echo value (RFC 9175 §2.3).
const ECHO_ATTEMPTS: u8 = 2;

/// The open requests.
#[derive(Debug)]
pub(crate) struct Client<P> {
    exchanges: Slab<Exchange<P>>,
    /// Which exchange a response belongs to, where its token does not say so.
    by_token: Tree,
    timers: Timers,
    next_serial: u32,
}

/// How a response was taken; the endpoint answers its message accordingly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It belongs to a request here.
    Accepted,
    /// It belongs to nothing.
    Unknown,
    /// It must be rejected (RFC 7252 §5.4.1).
    Rejected,
}

impl<P: Peer> Client<P> {
    pub(crate) fn new(key: u64) -> Self {
        Self { exchanges: Slab::new(), by_token: Tree::new(key), timers: Timers::default(), next_serial: 0 }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.exchanges.len()
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Sends a request to one peer.
    pub(crate) fn request(
        &mut self,
        to: P,
        request: Request,
        cx: &mut Context<'_, P>,
    ) -> Result<Handle, Refused> {
        let observes =
            request.options.view().observe() == Some(0) && matches!(request.method, Code::GET | Code::FETCH);
        let kind = if observes { Kind::Observation(Observation::default()) } else { Kind::Single };
        self.begin(to, request, kind, cx)
    }

    /// Sends a request to a group (RFC 7252 §8).
    pub(crate) fn request_group(
        &mut self,
        group: P,
        mut request: Request,
        cx: &mut Context<'_, P>,
    ) -> Result<Handle, Refused> {
        request.reliability = Reliability::NonConfirmable;
        // §8.2.1: a cache key of one ETag means nothing to a group.
        if upload_of(&request, cx.config)?.is_some() || request.options.view().contains(OptionNumber::ETAG) {
            return Err(Refused::NotForGroups);
        }
        self.begin(group, request, Kind::Group, cx)
    }

    /// An empty confirmable message, which the peer answers with a Reset (RFC 7252 §4.3).
    pub(crate) fn ping(&mut self, to: P, cx: &mut Context<'_, P>) -> Result<Handle, Refused> {
        let key = self.open(
            to,
            Request { token: Some(Token::EMPTY), ..Request::new(Code::EMPTY) },
            Kind::Ping,
            cx,
        )?;
        match cx.outbound.ping(to, Owner::Exchange(key), cx.now) {
            Ok(id) => {
                let exchange = &mut self.exchanges[key];
                exchange.outgoing = Some(id);
                Ok(exchange.handle)
            }
            Err(refused) => {
                self.remove(key);
                Err(refused)
            }
        }
    }

    /// Forgets a request. A later notification is answered with a Reset (RFC 7641 §3.6).
    pub(crate) fn cancel(&mut self, handle: Handle, cx: &mut Context<'_, P>) {
        if let Some(key) = self.find(handle) {
            self.happen(key, Event::Cancelled, cx);
        }
    }

    /// Asks the peer to end an observation (RFC 7641 §3.6); its response ends the request.
    pub(crate) fn deregister(&mut self, handle: Handle, cx: &mut Context<'_, P>) -> Result<(), Refused> {
        let key = self.find(handle).ok_or(Refused::Unknown)?;
        let exchange = &mut self.exchanges[key];
        if !matches!(exchange.kind, Kind::Observation(_)) {
            return Err(Refused::Unknown);
        }
        // The server has not registered it; its only response is on the way, in blocks.
        if exchange.download.is_some() {
            return Ok(());
        }
        exchange.kind = Kind::Deregistration;
        exchange.request.options.set_uint(OptionNumber::OBSERVE, 1);
        exchange.begin_again(cx.config);
        self.tell_apart(key, cx);
        self.end_transfer(key, cx);
        self.next_message(key, cx);
        Ok(())
    }

    /// Takes a response in. `acknowledges` is the message of ours that it rode on the acknowledgement of.
    pub(crate) fn response(
        &mut self,
        from: P,
        message: &Message<'_>,
        acknowledges: Option<OutgoingId>,
        cx: &mut Context<'_, P>,
    ) -> Taken {
        let Some(key) = self.whose(from, message) else { return Taken::Unknown };
        let exchange = &mut self.exchanges[key];
        // §5.3.2: on an acknowledgement, token and message id must both be the request's.
        if acknowledges.is_some() && acknowledges != exchange.outgoing {
            return Taken::Unknown;
        }
        // A notification that crosses the deregistration is not the answer to it: that one has no Observe.
        if exchange.kind == Kind::Deregistration
            && acknowledges.is_none()
            && message.options.observe().is_some()
        {
            return Taken::Accepted;
        }
        if acknowledges.is_none() && exchange.is_astray(message) {
            return Taken::Accepted;
        }
        if exchange.is_outdated(message, acknowledges.is_some(), cx.now) {
            cx.counters.outdated += 1;
            return Taken::Accepted;
        }
        if let (true, Some(id)) = (exchange.kind != Kind::Group, exchange.outgoing) {
            exchange.outgoing = None;
            cx.outbound.settle(id, cx.now);
        }
        if policy::check_response(message.options).is_err() {
            cx.counters.rejected += 1;
            if exchange.kind != Kind::Group {
                self.end(key, Failure::BadOption, cx);
            }
            return Taken::Rejected;
        }
        if acknowledges.is_none() {
            exchange.give_up_registration(message);
        }
        self.accept(key, from, message, cx);
        Taken::Accepted
    }

    /// Something has become of a message of an exchange.
    pub(crate) fn message_event(
        &mut self,
        key: usize,
        id: OutgoingId,
        event: message::Event,
        cx: &mut Context<'_, P>,
    ) {
        let Some(exchange) = self.exchanges.get_mut(key).filter(|exchange| exchange.outgoing == Some(id))
        else {
            return;
        };
        let event = match event {
            message::Event::Sent(_) => Event::Sent,
            message::Event::Acknowledged(_) => {
                if exchange.is_own() {
                    cx.actions.push_back(Action::Acknowledged { handle: exchange.handle });
                }
                Event::Acknowledged
            }
            message::Event::Reset(_) if exchange.kind == Kind::Ping => return self.pong(key, cx),
            message::Event::Reset(_) => Event::Reset,
            message::Event::TimedOut(_) => Event::NotAcknowledged,
            message::Event::Unreachable(_) => Event::Unreachable,
            // No Reset can come for it any more; a response still can.
            message::Event::Expired(_) => {
                exchange.outgoing = None;
                return;
            }
        };
        if event != Event::Sent {
            exchange.outgoing = None;
        }
        self.happen(key, event, cx);
    }

    /// The peer cannot be reached: what waits for it without a message under way ends, too.
    pub(crate) fn unreachable(&mut self, peer: P, cx: &mut Context<'_, P>) {
        let keys = |(key, exchange): (usize, &Exchange<P>)| {
            (exchange.to == peer && exchange.kind != Kind::Group).then_some(key)
        };
        let keys: alloc::vec::Vec<usize> = self.exchanges.iter().filter_map(keys).collect();
        for key in keys {
            self.happen(key, Event::Unreachable, cx);
        }
    }

    /// Time has passed.
    pub(crate) fn tick(&mut self, cx: &mut Context<'_, P>) {
        while let Some(key) = self.timers.expire(cx.now) {
            let key = key as usize;
            if self.exchanges.get(key).is_some_and(|exchange| exchange.kind == Kind::Group) {
                self.end(key, Failure::GroupClosed, cx);
            } else {
                self.happen(key, Event::Expired, cx);
            }
        }
    }

    /// The exchange that the application knows by this handle.
    fn find(&self, handle: Handle) -> Option<usize> {
        self.at(handle).filter(|&key| self.exchanges[key].is_own())
    }

    /// The exchange of this handle, if it has not ended.
    fn at(&self, handle: Handle) -> Option<usize> {
        let key = handle.key();
        self.exchanges.get(key).filter(|exchange| exchange.handle == handle).map(|_| key)
    }

    /// A response that belongs to the exchange and is sound.
    fn accept(&mut self, key: usize, from: P, message: &Message<'_>, cx: &mut Context<'_, P>) {
        let exchange = &mut self.exchanges[key];
        if exchange.kind == Kind::Group {
            return self.accept_of_group(key, from, message, cx);
        }
        if let (Code::UNAUTHORIZED, Some(echo)) = (message.code, message.options.echo())
            && exchange.echoes < ECHO_ATTEMPTS
        {
            exchange.echoes += 1;
            exchange.echo = Some(Bytes::copy_from_slice(echo));
            return self.next_message(key, cx);
        }
        exchange.echoes = 0;
        match exchange.continue_upload(message, cx.config) {
            Some(UploadStep::Continue) => {
                self.report_upload(key, cx);
                return self.next_message(key, cx);
            }
            Some(UploadStep::Restart) => {
                self.tell_apart(key, cx);
                self.report_upload(key, cx);
                return self.next_message(key, cx);
            }
            Some(UploadStep::Failed(failure)) => return self.end(key, failure, cx),
            Some(UploadStep::Done) | None => {}
        }
        if exchange.download.is_some() {
            return self.continue_download(key, message, cx);
        }
        match (&mut exchange.kind, message.options.observe()) {
            (Kind::Observation(observation), Some(sequence)) if message.code.is_success() => {
                observation.note(sequence, cx.now);
                self.notified(key, message, cx);
            }
            _ => self.respond_whole(key, message, cx),
        }
    }

    /// A notification, or the first response to a registration.
    fn notified(&mut self, key: usize, message: &Message<'_>, cx: &mut Context<'_, P>) {
        let freshness = Observation::stale_after(message.options.max_age(), cx.random);
        self.happen(key, Event::Registered, cx);
        if cx.config.reregister {
            self.timers.set(key as u32, cx.now + freshness);
        }
        let exchange = &self.exchanges[key];
        let (handle, to) = (exchange.handle, exchange.to);
        // What was being fetched of an older one is of no use any more.
        self.end_transfer(key, cx);
        if !self.transfer_rest(key, to, message, cx) {
            let response = self.exchanges[key].response(message);
            cx.actions.push_back(Action::Response { handle, from: to, response, more: true });
        }
    }

    /// A response of a member of the group.
    fn accept_of_group(&mut self, key: usize, from: P, message: &Message<'_>, cx: &mut Context<'_, P>) {
        if !self.transfer_rest(key, from, message, cx) {
            let exchange = &self.exchanges[key];
            let response = exchange.response(message);
            cx.actions.push_back(Action::Response { handle: exchange.handle, from, response, more: true });
        }
    }

    fn pong(&mut self, key: usize, cx: &mut Context<'_, P>) {
        let handle = self.exchanges[key].handle;
        self.remove(key);
        cx.actions.push_back(Action::Pong { handle });
    }

    /// The exchange's last response.
    fn finish(&mut self, key: usize, response: Response, cx: &mut Context<'_, P>) {
        let exchange = &self.exchanges[key];
        let (from, handle, more) = (exchange.to, exchange.reported_as(), !exchange.is_own());
        let alive = exchange.is_own() || self.find(handle).is_some();
        if alive {
            cx.actions.push_back(Action::Response { handle, from, response, more });
        }
        self.happen(key, Event::LastResponse, cx);
    }

    /// Something has happened to an exchange: the table of its states says what follows.
    fn happen(&mut self, key: usize, event: Event, cx: &mut Context<'_, P>) {
        let Some(exchange) = self.exchanges.get_mut(key) else { return };
        let (phase, effect) = exchange.phase.after(event);
        exchange.phase = phase;
        match effect {
            Effect::Nothing => {
                if phase == Phase::Sending {
                    self.timers.cancel(key as u32);
                }
            }
            Effect::AwaitResponse => {
                let span = exchange.request.timeout.unwrap_or(cx.config.response_timeout);
                if exchange.kind != Kind::Group {
                    self.timers.set(key as u32, cx.now + span);
                }
            }
            Effect::AwaitNotification => self.timers.cancel(key as u32),
            Effect::Register => self.register(key, cx),
            Effect::End => self.close(key, cx),
            Effect::Fail(failure) => self.end(key, failure, cx),
        }
    }

    /// Ends an exchange without a response.
    fn end(&mut self, key: usize, failure: Failure, cx: &mut Context<'_, P>) {
        let exchange = &self.exchanges[key];
        let kind = exchange.kind;
        if exchange.is_own() {
            cx.actions.push_back(Action::Failed { handle: exchange.handle, failure });
        } else {
            cx.counters.bodies_abandoned += 1;
        }
        self.close(key, cx);
        if let Kind::Transfer { parent } = kind {
            self.transfer_failed(parent, failure, cx);
        }
    }

    fn close(&mut self, key: usize, cx: &mut Context<'_, P>) {
        let exchange = &mut self.exchanges[key];
        if let Some(id) = exchange.outgoing.take() {
            cx.outbound.cancel(id, cx.now);
        }
        let (handle, kind) = (exchange.handle, exchange.kind);
        self.end_transfer(key, cx);
        self.remove(key);
        if kind == Kind::Group {
            self.end_transfers_of(handle, cx);
        }
    }

    fn remove(&mut self, key: usize) {
        self.forget_token(key);
        self.exchanges.remove(key);
        self.timers.cancel(key as u32);
    }
}
