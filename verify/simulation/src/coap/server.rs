//! An application with resources.

use std::collections::BTreeMap;
use std::time::Duration;

use coap_codec::{Code, ContentFormat, OptionNumber};
use coap_core::{Endpoint, IncomingRequest, Refused, RequestId, Resource, ResourceId, Response, Trigger};
use machine::{Instant, Random};

use super::Address;
use super::body::{Content, Tag};
use super::ledger::{Handled, Ledger, State};
use super::scenario::{Path, ServerSpec};
use super::wire::numbered;
use crate::agenda::Agenda;

/// How long it waits when its answer cannot be sent now.
const AGAIN: Duration = Duration::from_secs(1);

/// The resources of a node, from its start to its crash.
#[derive(Debug)]
pub(crate) struct Server {
    spec: ServerSpec,
    node: usize,
    life: u32,
    random: Random,
    resources: BTreeMap<Path, Held>,
    /// Answers to be given.
    waiting: BTreeMap<RequestId, Later>,
    agenda: Agenda<RequestId>,
    /// Requests that it does not mean to answer.
    ignored: Vec<RequestId>,
    /// Nothing is left to chance any more.
    calm: bool,
}

#[derive(Debug)]
struct Held {
    /// `None` while it is withdrawn.
    id: Option<ResourceId>,
    version: u32,
    exists: bool,
}

/// An answer, or what it is to be made of when its time has come.
#[derive(Debug)]
enum Later {
    Answer(Response),
    State(Path, Trigger),
}

impl Server {
    pub(crate) fn new(
        spec: ServerSpec,
        node: usize,
        life: u32,
        random: Random,
        endpoint: &mut Endpoint<Address>,
        ledger: &mut Ledger,
        now: Instant,
    ) -> Self {
        let mut server = Self {
            spec,
            node,
            life,
            random,
            resources: BTreeMap::new(),
            waiting: BTreeMap::new(),
            agenda: Agenda::default(),
            ignored: Vec::new(),
            calm: false,
        };
        for path in Path::ALL {
            let id = offer(path, endpoint);
            server.resources.insert(path, Held { id, version: 1, exists: true });
            server.record(path, ledger, now);
        }
        server
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.agenda.next_deadline()
    }

    /// Gives the answers that are due.
    pub(crate) fn wake(&mut self, endpoint: &mut Endpoint<Address>, ledger: &mut Ledger, now: Instant) {
        while let Some(id) = self.agenda.pop(now) {
            if let Some(later) = self.waiting.remove(&id) {
                self.answer(id, later, endpoint, ledger, now);
            }
        }
    }

    /// A request has come.
    pub(crate) fn request(
        &mut self,
        request: &IncomingRequest<Address>,
        endpoint: &mut Endpoint<Address>,
        ledger: &mut Ledger,
        now: Instant,
    ) {
        let Some(path) = self.path_of(request.resource) else {
            return ledger.fault(now, format_args!("a request for a resource that is gone: {request:?}"));
        };
        let content = Content::of(&request.payload);
        let named = request.options.view().uri_query().find_map(numbered);
        let written = match content {
            Content::Whole(Tag::Request(number), _) => Some(number),
            _ => None,
        };
        let number = named.or(written);
        if written.is_some() && written != number {
            ledger.fault(now, format_args!("request {number:?} has the body of {written:?}"));
        }
        ledger.handled.push(Handled {
            node: self.node,
            life: self.life,
            number,
            method: request.method,
            trigger: request.trigger,
            at: now,
        });
        let later = self.carry_out(path, request, content, endpoint, ledger, now);
        // Who gives no state to its observers has none.
        let may_ignore = request.trigger == Trigger::Peer && !self.calm;
        if may_ignore && self.random.chance(self.spec.silent_per_mille, 1000) {
            self.ignored.push(request.id);
        } else if !self.calm && self.random.chance(self.spec.slow_per_mille, 1000) {
            let at = now + self.random.between(Duration::ZERO, self.spec.think);
            self.wait(request.id, later, at);
        } else {
            self.answer(request.id, later, endpoint, ledger, now);
        }
    }

    /// The peer needs no answer.
    pub(crate) fn cancelled(&mut self, id: RequestId) {
        self.waiting.remove(&id);
        self.ignored.retain(|ignored| *ignored != id);
    }

    /// The state of a resource changes.
    pub(crate) fn change(
        &mut self,
        path: Path,
        exists: bool,
        endpoint: &mut Endpoint<Address>,
        ledger: &mut Ledger,
        now: Instant,
    ) {
        let Some(held) = self.resources.get_mut(&path) else { return };
        held.version += 1;
        held.exists = exists;
        if let Some(id) = held.id {
            endpoint.changed(id, now);
        }
        self.record(path, ledger, now);
    }

    /// A resource goes.
    pub(crate) fn withdraw(
        &mut self,
        path: Path,
        endpoint: &mut Endpoint<Address>,
        ledger: &mut Ledger,
        now: Instant,
    ) {
        let Some(held) = self.resources.get_mut(&path) else { return };
        if let Some(id) = held.id.take() {
            endpoint.remove_resource(id, now);
            held.version += 1;
            held.exists = false;
            self.record(path, ledger, now);
        }
    }

    /// A resource that went comes back.
    pub(crate) fn restore(
        &mut self,
        path: Path,
        endpoint: &mut Endpoint<Address>,
        ledger: &mut Ledger,
        now: Instant,
    ) {
        let Some(held) = self.resources.get_mut(&path) else { return };
        if held.id.is_none() {
            held.id = offer(path, endpoint);
            self.change(path, true, endpoint, ledger, now);
        }
    }

    /// From now on everything is answered, and at once.
    pub(crate) fn calm(&mut self, endpoint: &mut Endpoint<Address>, ledger: &mut Ledger, now: Instant) {
        self.calm = true;
        for path in Path::ALL {
            self.restore(path, endpoint, ledger, now);
        }
    }

    /// Answers what it did not mean to.
    pub(crate) fn repent(&mut self, endpoint: &mut Endpoint<Address>, ledger: &mut Ledger, now: Instant) {
        for id in std::mem::take(&mut self.ignored) {
            let sorry = Later::Answer(Response::new(Code::SERVICE_UNAVAILABLE));
            self.answer(id, sorry, endpoint, ledger, now);
        }
    }

    /// Does what a request asks for; says what the answer is, or will be.
    fn carry_out(
        &mut self,
        path: Path,
        request: &IncomingRequest<Address>,
        content: Content,
        endpoint: &mut Endpoint<Address>,
        ledger: &mut Ledger,
        now: Instant,
    ) -> Later {
        let code = match (request.method, content) {
            (Code::GET, Content::Empty) | (Code::FETCH, Content::Whole(Tag::Request(_), _)) => {
                return Later::State(path, request.trigger);
            }
            (Code::PUT, Content::Whole(Tag::Request(_), _)) => {
                let existed = self.resources.get(&path).is_some_and(|held| held.exists);
                self.change(path, true, endpoint, ledger, now);
                if existed { Code::CHANGED } else { Code::CREATED }
            }
            (Code::DELETE, _) => {
                self.change(path, false, endpoint, ledger, now);
                Code::DELETED
            }
            (Code::POST, Content::Whole(Tag::Request(number), _)) => {
                let wanted = request.options.view().uri_query().find_map(|argument| {
                    std::str::from_utf8(argument.strip_prefix(b"s=")?).ok()?.parse().ok()
                });
                let body = Tag::Answer(number).body(wanted.unwrap_or(0));
                return Later::Answer(Response::new(Code::CHANGED).payload(body));
            }
            (_, content) => {
                ledger.fault(now, format_args!("a body arrived broken: {content:?}"));
                Code::BAD_REQUEST
            }
        };
        Later::Answer(Response::new(code))
    }

    fn answer(
        &mut self,
        id: RequestId,
        later: Later,
        endpoint: &mut Endpoint<Address>,
        ledger: &mut Ledger,
        now: Instant,
    ) {
        let response = match &later {
            Later::Answer(response) => response.clone(),
            Later::State(path, trigger) => self.representation(*path, *trigger),
        };
        match endpoint.respond(id, response, now) {
            // Nobody waits for it any more.
            Ok(()) | Err(Refused::Unknown) => {}
            Err(Refused::Full | Refused::NoMessageId) => {
                ledger.refused_answers += 1;
                self.wait(id, later, now + AGAIN);
            }
            Err(refused) => ledger.fault(now, format_args!("an answer is refused: {refused}")),
        }
    }

    fn wait(&mut self, id: RequestId, later: Later, at: Instant) {
        self.waiting.insert(id, later);
        self.agenda.schedule(at, id);
    }

    /// A resource as it is now.
    fn representation(&self, path: Path, trigger: Trigger) -> Response {
        let Some(held) = self.resources.get(&path).filter(|held| held.exists) else {
            return Response::new(Code::NOT_FOUND);
        };
        let len = match path {
            Path::Page if held.version % 3 > 0 => self.spec.page,
            _ => 0,
        };
        let tag =
            Tag::State { node: self.node, life: self.life, resource: path.index(), version: held.version };
        let mut response = Response::new(Code::CONTENT)
            .with_uint(OptionNumber::CONTENT_FORMAT, ContentFormat::TEXT_PLAIN.get().into())
            .payload(tag.body(len));
        if self.spec.etags {
            response.options.add(OptionNumber::ETAG, &etag(self.life, held.version));
        }
        if let Some(max_age) = self.spec.max_age {
            response.options.add_uint(OptionNumber::MAX_AGE, max_age.into());
        }
        if trigger == Trigger::Change {
            response.reliability = self.spec.notifications;
        }
        response
    }

    fn path_of(&self, id: ResourceId) -> Option<Path> {
        self.resources.iter().find(|(_, held)| held.id == Some(id)).map(|(path, _)| *path)
    }

    fn record(&self, path: Path, ledger: &mut Ledger, now: Instant) {
        let Some(Held { version, exists, .. }) = self.resources.get(&path) else { return };
        let state = State { at: now, life: self.life, version: *version, exists: *exists };
        ledger.states.entry((self.node, path.index())).or_default().push(state);
    }
}

/// The entity-tag of a state.
fn etag(life: u32, version: u32) -> [u8; 7] {
    let mut etag = [b'v'; 7];
    etag[1..3].copy_from_slice(&(life as u16).to_be_bytes());
    etag[3..].copy_from_slice(&version.to_be_bytes());
    etag
}

fn offer(path: Path, endpoint: &mut Endpoint<Address>) -> Option<ResourceId> {
    let resource = Resource::new(path.as_str());
    let resource = match path {
        Path::Value | Path::Page => {
            resource.methods(&[Code::GET, Code::PUT, Code::FETCH, Code::DELETE]).observable()
        }
        Path::Echo => resource.methods(&[Code::POST]),
    };
    endpoint.add_resource(resource).ok()
}
