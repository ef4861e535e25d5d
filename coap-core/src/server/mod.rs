//! Requests of peers: from the message to the application, and from its answer to the message (RFC 7252 §5.2, §5.8).
//!
//! ```text
//!   options → resource and method → further blocks of a response → Block1 → Observe → the application
//!   the application's response → ETag → Block2 → Observe → amplification → the message
//! ```

mod admission;
pub(crate) mod asker;
mod notify;
mod observers;
mod open;
mod response;
mod sequence;

use alloc::collections::VecDeque;

use coap_codec::{Code, ContentFormat, Message, OptionNumber, Options};
use machine::{Instant, Random};

use self::admission::Ending;
use self::asker::Asker;
use self::observers::Observers;
pub(crate) use self::open::{Open, OpenRequests, Role};
use self::response::is_safe;
pub(crate) use self::response::{Sent, overhead};
use crate::action::{IncomingRequest, Trigger};
use crate::block::{self, Assemblies};
use crate::context::Context;
use crate::echo::Echo;
use crate::message::{IncomingId, Peer};
use crate::policy::Present;
use crate::resource::{ResourceId, Table, core_links};
use crate::timers::{Timers, earlier};
use crate::{Action, Config, Gauges, Refused, RequestId, Response, Token};

/// Max-Age of an answer that says "later" (RFC 7252 §5.9.3.4, RFC 8516 §4), in seconds.
const LATER: u64 = 2;

const BLOCK1: Present = Present::listed(&[OptionNumber::BLOCK1]);

const EXTENDED: Present = Present::listed(&[OptionNumber::ECHO, OptionNumber::NO_RESPONSE]);

/// The resources, the requests of peers that are not answered yet, and what is kept for further ones.
#[derive(Debug)]
pub(crate) struct Server<P> {
    pub(crate) resources: Table,
    assemblies: Assemblies<P>,
    pub(super) bodies: block::Bodies<P>,
    pub(crate) echo: Echo<P>,
    pub(crate) open: OpenRequests<P>,
    /// When empty acknowledgements are due; in the order of time, since all wait equally long.
    to_acknowledge: VecDeque<(Instant, RequestId)>,
    pub(crate) observers: Observers<P>,
    /// When notifications that wait may leave, by the observer's slot.
    pub(crate) notification_timers: Timers,
}

/// A request's message, as the message layer let it through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrived<'a, P> {
    pub(crate) from: P,
    pub(crate) message: Message<'a>,
    pub(crate) incoming: IncomingId,
    pub(crate) confirmable: bool,
    pub(crate) multicast: bool,
    pub(crate) verified: bool,
    /// Bytes of its datagram.
    pub(crate) len: usize,
}

impl<P: Peer> Server<P> {
    pub(crate) fn new(config: &Config, random: &mut Random, of_echo: Random) -> Self {
        let lifetime = config.transmission.exchange_lifetime();
        Self {
            resources: Table::new(),
            assemblies: Assemblies::new(
                &config.limits,
                lifetime,
                config.block_size_exponent,
                random.next_u64(),
            ),
            bodies: block::Bodies::new(&config.limits, lifetime, config.block_size_exponent, random),
            echo: Echo::new(config.echo, config.limits.peers, of_echo),
            open: OpenRequests::new(random.next_u64()),
            to_acknowledge: VecDeque::new(),
            observers: Observers::new(random.next_u64()),
            notification_timers: Timers::default(),
        }
    }

    /// What there is on this side.
    pub(crate) fn gauges(&self) -> Gauges {
        Gauges {
            unanswered: self.open.len(),
            observers: self.observers.len(),
            bodies: self.assemblies.bytes() + self.bodies.bytes(),
            ..Gauges::default()
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let acknowledgement = self.to_acknowledge.front().map(|(at, _)| *at);
        let bodies = earlier(self.assemblies.next_deadline(), self.bodies.next_deadline());
        let answers = earlier(acknowledgement, self.notification_timers.next());
        earlier(earlier(bodies, answers), self.echo.next_deadline())
    }

    /// Time has passed.
    pub(crate) fn tick(&mut self, cx: &mut Context<'_, P>) {
        while let Some(&(_, id)) = self.to_acknowledge.front().filter(|(at, _)| *at <= cx.now) {
            self.to_acknowledge.pop_front();
            if let Some(Role::Answer(asker) | Role::Registration(asker)) =
                self.open.get(id).map(|open| &open.role)
            {
                cx.outbound.layer.acknowledge(asker.incoming, cx.now);
            }
        }
        self.assemblies.tick(cx.counters, cx.now);
        self.bodies.tick(cx.now);
        self.echo.tick(cx.now);
        self.send_waiting(cx);
    }

    /// Takes a peer's request in.
    pub(crate) fn request(&mut self, arrived: &Arrived<'_, P>, cx: &mut Context<'_, P>) {
        let options = arrived.message.options;
        let present = Present::of(options);
        let extended = if present.meets(EXTENDED) { options } else { Options::EMPTY };
        let verified = extended.echo().is_some_and(|value| self.echo.verify(arrived.from, value, cx.now));
        let asker = Asker {
            from: arrived.from,
            token: Token::new(arrived.message.token),
            incoming: arrived.incoming,
            confirmable: arrived.confirmable,
            multicast: arrived.multicast,
            no_response: extended.no_response(),
            request_len: arrived.len,
            verified: arrived.verified || verified,
            may_be_challenged: is_safe(arrived.message.code)
                && !(present.meets(BLOCK1) && options.contains(OptionNumber::BLOCK1)),
        };
        match self.admit(&asker, &arrived.message, present, cx) {
            Ok(open) => self.ask(open, cx),
            Err(Ending::Answer(piece)) => self.leave_with(&asker, &piece, cx),
            Err(Ending::Silence) => asker.leave(cx),
        }
    }

    /// The application answers.
    pub(crate) fn respond(
        &mut self,
        id: RequestId,
        response: Response,
        cx: &mut Context<'_, P>,
    ) -> Result<(), Refused> {
        if !response.code.is_response() {
            return Err(Refused::WrongCode);
        }
        if response.options.is_too_long() {
            return Err(Refused::OptionTooLong);
        }
        let open = self.open.lend(id).ok_or(Refused::Unknown)?;
        let sent = match &open.role {
            Role::Answer(asker) | Role::Registration(asker) => self.answer(asker, &open, response, cx),
            Role::Notification(observer, _) => self.notify(*observer, &open, response, cx),
        };
        match sent {
            Ok(()) => self.open.close(id, &open),
            Err(_) => self.open.give_back(id, open),
        }
        sent
    }

    /// The peer cannot be reached: nothing of it need be answered.
    pub(crate) fn unreachable(&mut self, peer: P, cx: &mut Context<'_, P>) {
        let asked_by = |open: &Open<P>| matches!(&open.role, Role::Answer(asker) | Role::Registration(asker) if asker.from == peer);
        for id in self.open.which(asked_by) {
            self.open.forget(id);
            cx.actions.push_back(Action::Cancelled { id });
        }
        while let Some(observer) = { self.observers.of_peer(peer).next() } {
            self.end_observation(observer, cx);
        }
        self.assemblies.forget(peer, cx.counters);
        self.bodies.forget(peer);
    }

    /// A resource is gone: its observers are told 4.04, and what was asked about it is answered so, too.
    pub(crate) fn remove_resource(&mut self, id: ResourceId, cx: &mut Context<'_, P>) {
        if self.resources.remove(id).is_none() {
            return;
        }
        while let Some(observer) = { self.observers.of_resource(id).next() } {
            if self.notify_last(observer, &Response::new(Code::NOT_FOUND), cx).is_err() {
                self.end_observation(observer, cx);
            }
        }
        let of_resource = |open: &Open<P>| open.resource == Some(id);
        for open in self.open.which(of_resource) {
            cx.actions.push_back(Action::Cancelled { id: open });
            if self.respond(open, Response::new(Code::NOT_FOUND), cx).is_err() {
                self.open.forget(open);
            }
        }
    }

    /// Asks the application, unless there is no room for one more question.
    fn ask(&mut self, open: Open<P>, cx: &mut Context<'_, P>) {
        let (Role::Answer(asker) | Role::Registration(asker)) = &open.role else { return };
        let Some(resource) = open.resource else {
            let links = core_links(&self.resources, open.options.view());
            let response = Response::new(Code::CONTENT)
                .with_uint(OptionNumber::CONTENT_FORMAT, ContentFormat::LINK_FORMAT.get().into())
                .payload(links);
            let sent = self.answer(asker, &open, response, cx);
            return Self::count_refused(sent, cx);
        };
        if let Some(code) = self.open.refuses(asker.from, &cx.config.limits) {
            let response = Response::new(code).with_uint(OptionNumber::MAX_AGE, LATER);
            let sent = self.answer(asker, &open, response, cx);
            return Self::count_refused(sent, cx);
        }
        let id = self.open.next_id();
        if asker.confirmable && !asker.multicast {
            self.to_acknowledge.push_back((cx.now + cx.config.acknowledge_after, id));
        }
        let registers = matches!(open.role, Role::Registration(_));
        cx.actions.push_back(Action::Request(IncomingRequest {
            id,
            from: asker.from,
            resource,
            method: open.method,
            options: open.options.clone(),
            payload: open.payload.clone(),
            multicast: asker.multicast,
            trigger: if registers { Trigger::Registration } else { Trigger::Peer },
        }));
        self.open.put(open);
    }
}
