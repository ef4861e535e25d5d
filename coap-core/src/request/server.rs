//! Requests of peers: from the message to the application, and from its answer to the message (RFC 7252 §5.2, §5.8).
//!
//! ```text
//!   options → resource and method → further blocks of a response → Block1 → Observe → the application
//!   the application's response → ETag → Block2 → Observe → amplification → the message
//! ```

use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::vec::Vec;

use bytes::Bytes;
use coap_codec::{Block, Code, ContentFormat, Message, OptionNumber};
use machine::{Deadlines, Instant};
use slab::Slab;

use super::answer::Asker;
use super::{Bodies, Reliability, RequestId, Response};
use crate::action::{IncomingRequest, Trigger};
use crate::block::{self, Assembled, Assemblies, BlockOptions, Piece, blocks_of};
use crate::cache_key::operation_key;
use crate::context::Context;
use crate::echo::Echo;
use crate::message::{IncomingId, OutgoingId, Peer};
use crate::observe::subject::{ObserverId, Observers};
use crate::outbound::{Owner, encode};
use crate::policy::{self, Rejection};
use crate::resource::{ResourceId, Table, core_links, is_well_known_core};
use crate::{Action, Config, NonBadOption, OptionList, Refused, Token};

/// Max-Age of an answer that says "later" (RFC 7252 §5.9.3.4, RFC 8516 §4), in seconds.
const LATER: u64 = 2;

/// The resources, the requests of peers that are not answered yet, and what is kept for further ones.
#[derive(Debug)]
pub(crate) struct Server<P> {
    pub(crate) resources: Table,
    assemblies: Assemblies<P>,
    pub(super) bodies: block::Bodies<P>,
    pub(crate) echo: Echo<P>,
    open: Slab<Place<P>>,
    open_per_peer: BTreeMap<P, usize>,
    /// When empty acknowledgements are due; in the order of time, since all wait equally long.
    to_acknowledge: VecDeque<(Instant, RequestId)>,
    pub(crate) observers: Observers<P>,
    /// When notifications that wait may leave.
    pub(crate) notification_timers: Deadlines<ObserverId>,
    next_serial: u32,
}

/// A request that is to be answered.
#[derive(Debug)]
pub(crate) struct Open<P> {
    pub(crate) role: Role<P>,
    /// `None` for the list of resources, which the endpoint answers itself.
    pub(crate) resource: Option<ResourceId>,
    pub(crate) method: Code,
    pub(crate) options: OptionList,
    pub(crate) payload: Bytes,
    pub(crate) blocks: BlockOptions,
    /// Block1 of the answer, when the request's body came in blocks.
    pub(crate) block1: Option<Block>,
    pub(crate) bodies: Bodies,
}

#[derive(Debug)]
struct Place<P> {
    id: RequestId,
    /// `None` while its answer is being made.
    open: Option<Open<P>>,
}

/// What the answer is for.
#[derive(Clone, Debug)]
pub(crate) enum Role<P> {
    /// The peer that asked.
    Answer(Asker<P>),
    /// The peer that asked, and observes if the answer is a success.
    Registration(Asker<P>),
    /// An observer.
    Notification(ObserverId, P),
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

/// What was sent in answer.
pub(crate) enum Sent {
    /// The response, in a message of its own where that has a name.
    Whole(Option<OutgoingId>),
    /// A challenge, or nothing, in its place.
    Challenge,
}

/// How a request ends that the application does not see.
enum Ending {
    Answer(Piece),
    Silence,
}

impl From<Response> for Ending {
    fn from(response: Response) -> Self {
        let Response { code, options, payload, .. } = response;
        Self::Answer(Piece { code, options, payload })
    }
}

impl<P: Peer> Server<P> {
    pub(crate) fn new(config: &Config, random: &mut machine::Random) -> Self {
        let lifetime = config.transmission.exchange_lifetime();
        Self {
            resources: Table::new(),
            assemblies: Assemblies::new(&config.limits, lifetime, config.block_size_exponent),
            bodies: block::Bodies::new(&config.limits, lifetime, config.block_size_exponent, random),
            echo: Echo::new(config.echo, config.limits.peers, random.clone()),
            open: Slab::new(),
            open_per_peer: BTreeMap::new(),
            to_acknowledge: VecDeque::new(),
            observers: Observers::new(),
            notification_timers: Deadlines::new(),
            next_serial: 0,
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let acknowledgement = self.to_acknowledge.front().map(|(at, _)| *at);
        let kept = [self.assemblies.next_deadline(), self.bodies.next_deadline(), self.echo.next_deadline()];
        kept.into_iter().chain([acknowledgement, self.notification_timers.next()]).flatten().min()
    }

    /// Time has passed.
    pub(crate) fn tick(&mut self, cx: &mut Context<'_, P>) {
        while let Some((_, id)) = self.to_acknowledge.pop_front_if(|(at, _)| *at <= cx.now) {
            if let Some(Role::Answer(asker) | Role::Registration(asker)) = self.get(id).map(|open| &open.role)
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
        let verified = options.echo().is_some_and(|value| self.echo.verify(arrived.from, value, cx.now));
        let asker = Asker {
            from: arrived.from,
            token: Token::new(arrived.message.token),
            incoming: arrived.incoming,
            confirmable: arrived.confirmable,
            multicast: arrived.multicast,
            no_response: options.no_response(),
            request_len: arrived.len,
            verified: arrived.verified || verified,
        };
        match self.admit(&asker, &arrived.message, cx) {
            Ok(open) => self.ask(open, cx),
            Err(Ending::Answer(piece)) => self.leave_with(&asker, arrived.message.code, &piece, cx),
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
        let open = self.lend(id).ok_or(Refused::Unknown)?;
        let sent = match &open.role {
            Role::Answer(asker) | Role::Registration(asker) => self.answer(asker, &open, response, cx),
            Role::Notification(observer, _) => self.notify(*observer, &open, response, cx),
        };
        match sent {
            Ok(()) => self.take(id, open.peer()),
            Err(_) => self.give_back(id, open),
        }
        sent
    }

    /// The peer cannot be reached: nothing of it need be answered.
    pub(crate) fn unreachable(&mut self, peer: P, cx: &mut Context<'_, P>) {
        self.cancel(|open| matches!(&open.role, Role::Answer(asker) | Role::Registration(asker) if asker.from == peer), cx);
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
            self.notify_last(observer, Response::new(Code::NOT_FOUND), cx);
        }
        let of_resource = |open: &Open<P>| open.resource == Some(id);
        for open in self.open_ids(of_resource) {
            cx.actions.push_back(Action::Cancelled { id: open });
            if self.respond(open, Response::new(Code::NOT_FOUND), cx).is_err() {
                self.forget(open);
            }
        }
    }

    /// Everything that can be decided without the application.
    fn admit(
        &mut self,
        asker: &Asker<P>,
        message: &Message<'_>,
        cx: &mut Context<'_, P>,
    ) -> Result<Open<P>, Ending> {
        let options = message.options;
        let found = self.resources.find(options.uri_path());
        let resource = found.and_then(|id| self.resources.get(id));
        policy::check_request(options, |number| resource.is_some_and(|resource| resource.knows(number)))
            .map_err(|rejection| rejected(rejection, asker, cx))?;
        let blocks = blocks_of(options, message.payload)
            .map_err(|why| Response::new(Code::BAD_REQUEST).payload(why))?;

        let well_known = found.is_none() && is_well_known_core(options.uri_path());
        if resource.is_none() && !well_known {
            return Err(Response::new(Code::NOT_FOUND).into());
        }
        if !resource.map_or(message.code == Code::GET, |resource| resource.allows(message.code)) {
            return Err(Response::new(Code::METHOD_NOT_ALLOWED).into());
        }
        let bodies = resource.map_or(Bodies::Whole, crate::Resource::takes);
        let observable = resource.is_some_and(crate::Resource::is_observable);
        if let (Bodies::Whole, Some(block)) = (bodies, blocks.block2.filter(|block| block.num() > 0)) {
            self.further_block(asker, message, &blocks, block, cx)?;
        }
        let mut open = Open {
            role: Role::Answer(asker.clone()),
            resource: found,
            method: message.code,
            options: OptionList::from(options),
            payload: Bytes::new(),
            blocks,
            block1: None,
            bodies,
        };
        if bodies == Bodies::Whole {
            self.assemble(asker, message, &mut open, cx)?;
            open.options.remove(OptionNumber::BLOCK1).remove(OptionNumber::BLOCK2);
        } else {
            open.payload = Bytes::copy_from_slice(message.payload);
        }
        open.options.remove(OptionNumber::ECHO);
        self.registration(asker, &mut open, observable, cx);
        Ok(open)
    }

    /// A further block of a response. Where the response is not kept, GET and FETCH are carried out again (RFC 7959 §2.4: a server
    /// need not keep state); all else is not.
    fn further_block(
        &mut self,
        asker: &Asker<P>,
        message: &Message<'_>,
        blocks: &BlockOptions,
        block: Block,
        cx: &mut Context<'_, P>,
    ) -> Result<(), Ending> {
        let key = operation_key(message.code, message.options);
        let room = self.room(asker, message.code, cx);
        if let Some(piece) = self.bodies.further(asker.from, &key, blocks, room, cx.now) {
            return Err(Ending::Answer(piece));
        }
        if is_safe(message.code) || blocks.block1.is_some() {
            return Ok(());
        }
        let mut response =
            Response::new(Code::REQUEST_ENTITY_INCOMPLETE).payload("the response is not kept any more");
        response.options.set(OptionNumber::BLOCK2, &block.value());
        Err(response.into())
    }

    /// The request's body, once it is whole (RFC 7959 §2.5, §2.9).
    fn assemble(
        &mut self,
        asker: &Asker<P>,
        message: &Message<'_>,
        open: &mut Open<P>,
        cx: &mut Context<'_, P>,
    ) -> Result<(), Ending> {
        let Some(block1) = open.blocks.block1 else {
            if let Some(size1) = self.assemblies.refuses(message.payload) {
                let response = Response::new(Code::REQUEST_ENTITY_TOO_LARGE);
                return Err(response.with_uint(OptionNumber::SIZE1, size1.into()).into());
            }
            open.payload = Bytes::copy_from_slice(message.payload);
            return Ok(());
        };
        let key = operation_key(message.code, message.options);
        let assembled = self.assemblies.receive(
            asker.from,
            &key,
            block1,
            message.options,
            message.payload,
            cx.counters,
            cx.now,
        );
        let with_block =
            |code: Code, block: Block| Response::new(code).with(OptionNumber::BLOCK1, &block.value());
        match assembled {
            Assembled::Whole { body, block, if_none_match } => {
                if if_none_match {
                    open.options.set(OptionNumber::IF_NONE_MATCH, &[]);
                }
                open.options.remove(OptionNumber::SIZE1);
                open.payload = body.into();
                open.block1 = Some(block);
                Ok(())
            }
            Assembled::Continue(block) => Err(with_block(Code::CONTINUE, block).into()),
            Assembled::Incomplete(block) => Err(with_block(Code::REQUEST_ENTITY_INCOMPLETE, block).into()),
            Assembled::TooLarge { block, size1 } => {
                let response = with_block(Code::REQUEST_ENTITY_TOO_LARGE, block);
                Err(response.with_uint(OptionNumber::SIZE1, size1.into()).into())
            }
            Assembled::Busy { block, max_age } => {
                let response = with_block(Code::SERVICE_UNAVAILABLE, block);
                Err(response.with_uint(OptionNumber::MAX_AGE, max_age.into()).into())
            }
            Assembled::Bad(why) => Err(Response::new(Code::BAD_REQUEST).payload(why).into()),
        }
    }

    /// What Observe asks for (RFC 7641 §2): 0 registers, 1 deregisters, all else is as if absent. So is Observe with a method or a
    /// resource that cannot be observed, in a request for a further block, and where there is no room for one more observer.
    fn registration(
        &mut self,
        asker: &Asker<P>,
        open: &mut Open<P>,
        observable: bool,
        cx: &mut Context<'_, P>,
    ) {
        let observe = open.options.view().observe();
        open.options.remove(OptionNumber::OBSERVE);
        let of_first = open.blocks.block2.is_none_or(|block| block.num() == 0);
        if !is_safe(open.method) || !of_first || asker.multicast {
            return;
        }
        let known = self.observers.find(asker.from, &asker.token);
        match (observe, known) {
            (Some(1), Some(observer)) => self.end_observation(observer, cx),
            (Some(0), _) if observable => {
                if known.is_some() || self.observers.has_room(asker.from, &cx.config.limits) {
                    open.role = Role::Registration(asker.clone());
                }
            }
            _ => {}
        }
    }

    /// Asks the application, unless there is no room for one more question.
    fn ask(&mut self, open: Open<P>, cx: &mut Context<'_, P>) {
        let (Role::Answer(asker) | Role::Registration(asker)) = &open.role else { return };
        let asker = asker.clone();
        let Some(resource) = open.resource else {
            let links = core_links(&self.resources, open.options.view());
            let response = Response::new(Code::CONTENT)
                .with_uint(OptionNumber::CONTENT_FORMAT, ContentFormat::LINK_FORMAT.get().into())
                .payload(links);
            let sent = self.answer(&asker, &open, response, cx);
            return self.count_refused(sent, cx);
        };
        let limits = &cx.config.limits;
        let of_peer = self.open_per_peer.get(&asker.from).copied().unwrap_or(0);
        let later = if of_peer >= limits.unanswered_per_peer {
            Some(Code::TOO_MANY_REQUESTS)
        } else {
            (self.open.len() >= limits.unanswered).then_some(Code::SERVICE_UNAVAILABLE)
        };
        if let Some(code) = later {
            let response = Response::new(code).with_uint(OptionNumber::MAX_AGE, LATER);
            let sent = self.answer(&asker, &open, response, cx);
            return self.count_refused(sent, cx);
        }
        let trigger =
            if matches!(open.role, Role::Registration(_)) { Trigger::Registration } else { Trigger::Peer };
        let incoming = IncomingRequest {
            id: RequestId(0),
            from: asker.from,
            resource,
            method: open.method,
            options: open.options.clone(),
            payload: open.payload.clone(),
            multicast: asker.multicast,
            trigger,
        };
        let id = self.put(open);
        if asker.confirmable && !asker.multicast {
            self.to_acknowledge.push_back((cx.now + cx.config.acknowledge_after, id));
        }
        cx.actions.push_back(Action::Request(IncomingRequest { id, ..incoming }));
    }

    /// Sends the response to a request that is whole.
    fn answer(
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
        let room = self.room(asker, open.method, cx);
        let piece = self.piece(asker.from, open, response, room, cx);
        if matches!(open.role, Role::Registration(_)) && piece.code.is_success() {
            self.register(asker, open, piece, reliability, cx)
        } else {
            self.send_piece(asker, open.method, &piece, reliability, None, cx).map(drop)
        }
    }

    /// Sends a piece of a response, or a challenge if the peer may not get so much yet. What is no GET or FETCH has been carried out
    /// and is not to be carried out again: its response is only cut smaller, which [`room`](Self::room) sees to.
    pub(crate) fn send_piece(
        &mut self,
        asker: &Asker<P>,
        method: Code,
        piece: &Piece,
        reliability: Option<Reliability>,
        owner: Option<Owner>,
        cx: &mut Context<'_, P>,
    ) -> Result<Sent, Refused> {
        let datagram = encode(piece.code, asker.token.as_bytes(), piece.options.view(), &piece.payload)?;
        if datagram.len() > cx.config.max_datagram {
            return Err(Refused::TooLarge);
        }
        let allowed = asker.verified || self.echo.allow(asker.from, asker.request_len, datagram.len(), cx.now);
        if allowed || !is_safe(method) {
            return asker.send(datagram, reliability, owner, cx).map(Sent::Whole);
        }
        if asker.multicast {
            asker.leave(cx);
            return Ok(Sent::Challenge);
        }
        cx.counters.challenged += 1;
        let mut challenge = OptionList::new();
        challenge.add(OptionNumber::ECHO, &self.echo.challenge(asker.from, cx.now));
        let datagram = encode(Code::UNAUTHORIZED, asker.token.as_bytes(), challenge.view(), &[])?;
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
    fn room(&mut self, asker: &Asker<P>, method: Code, cx: &Context<'_, P>) -> usize {
        /// What header, token and options commonly take.
        const OVERHEAD: usize = 64;
        let allowed = if asker.verified || is_safe(method) && !asker.multicast {
            usize::MAX
        } else {
            self.echo.room(asker.from, asker.request_len, cx.now)
        };
        allowed.min(cx.config.max_datagram).saturating_sub(OVERHEAD)
    }

    /// Sends an answer that the application has no part in.
    fn leave_with(&mut self, asker: &Asker<P>, method: Code, piece: &Piece, cx: &mut Context<'_, P>) {
        if asker.does_without(piece.code, piece.payload.is_empty()) {
            return asker.leave(cx);
        }
        let sent = self.send_piece(asker, method, piece, None, None, cx);
        self.count_refused(sent.map(drop), cx);
    }

    /// An answer that could not be sent: the peer will ask again.
    fn count_refused(&self, sent: Result<(), Refused>, cx: &mut Context<'_, P>) {
        cx.counters.dropped_full += u64::from(sent.is_err());
    }

    /// Ends the open requests that meet a condition.
    pub(crate) fn cancel(&mut self, condition: impl Fn(&Open<P>) -> bool, cx: &mut Context<'_, P>) {
        for id in self.open_ids(condition) {
            self.forget(id);
            cx.actions.push_back(Action::Cancelled { id });
        }
    }

    fn open_ids(&self, condition: impl Fn(&Open<P>) -> bool) -> Vec<RequestId> {
        let meets = |(_, place): (usize, &Place<P>)| {
            place.open.as_ref().filter(|open| condition(open)).map(|_| place.id)
        };
        self.open.iter().filter_map(meets).collect()
    }

    /// Gives a question to the application a name.
    pub(crate) fn put(&mut self, open: Open<P>) -> RequestId {
        self.next_serial = self.next_serial.wrapping_add(1);
        let id = RequestId::new(self.next_serial, self.open.vacant_key());
        *self.open_per_peer.entry(open.peer()).or_default() += 1;
        self.open.insert(Place { id, open: Some(open) });
        id
    }

    fn get(&self, id: RequestId) -> Option<&Open<P>> {
        self.open.get(id.key()).filter(|place| place.id == id)?.open.as_ref()
    }

    /// Takes a question out of its place, which stays its own.
    fn lend(&mut self, id: RequestId) -> Option<Open<P>> {
        self.open.get_mut(id.key()).filter(|place| place.id == id)?.open.take()
    }

    fn give_back(&mut self, id: RequestId, open: Open<P>) {
        if let Some(place) = self.open.get_mut(id.key()) {
            place.open = Some(open);
        }
    }

    fn take(&mut self, id: RequestId, peer: P) {
        self.open.try_remove(id.key());
        if let Some(count) = self.open_per_peer.get_mut(&peer) {
            *count -= 1;
            if *count == 0 {
                self.open_per_peer.remove(&peer);
            }
        }
    }

    pub(crate) fn forget(&mut self, id: RequestId) {
        if let Some(open) = self.lend(id) {
            self.take(id, open.peer());
        }
    }
}

impl<P: Copy> Open<P> {
    fn peer(&self) -> P {
        match &self.role {
            Role::Answer(asker) | Role::Registration(asker) => asker.from,
            Role::Notification(_, peer) => *peer,
        }
    }
}

impl RequestId {
    const fn new(serial: u32, key: usize) -> Self {
        Self((serial as u64) << 32 | key as u64)
    }

    /// Its place among the open requests.
    const fn key(self) -> usize {
        self.0 as u32 as usize
    }
}

/// Methods that change nothing (RFC 7252 §5.1, RFC 8132 §1).
const fn is_safe(method: Code) -> bool {
    matches!(method, Code::GET | Code::FETCH)
}

/// A critical option that is not understood in a non-confirmable request may be met with silence.
fn rejected<P: Peer>(rejection: Rejection, asker: &Asker<P>, cx: &mut Context<'_, P>) -> Ending {
    let about_option = matches!(rejection, Rejection::Option(_) | Rejection::ReservedLocation(_));
    if about_option && !asker.confirmable && cx.config.non_bad_option == NonBadOption::Silence {
        cx.counters.rejected += 1;
        return Ending::Silence;
    }
    Response::new(rejection.code()).payload(format!("{rejection}")).into()
}
