//! An application that asks.

use std::collections::{BTreeMap, BTreeSet};

use coap_codec::{Code, ContentFormat, OptionNumber};
use coap_core::{Action, Endpoint, Handle, Refused, Request, Response};
use machine::{Instant, Random};

use super::Address;
use super::body::{Content, Tag};
use super::ledger::{Asked, End, Ledger, Purpose, Seen};
use super::scenario::{Ask, Path, Target};

/// The requests of a node, from its start to its crash.
#[derive(Debug)]
pub(crate) struct Client {
    node: usize,
    random: Random,
    /// Requests by their handles, until they end.
    open: BTreeMap<Handle, usize>,
    /// The entity-tag of the newest that it has, by node and path.
    etags: BTreeMap<(usize, Path), Vec<u8>>,
    /// What had which entity-tag.
    tagged: BTreeMap<(usize, Path, Vec<u8>), Tag>,
}

impl Client {
    pub(crate) fn new(node: usize, random: Random) -> Self {
        Self { node, random, open: BTreeMap::new(), etags: BTreeMap::new(), tagged: BTreeMap::new() }
    }

    /// Its requests that have not ended.
    pub(crate) fn open(&self) -> impl Iterator<Item = (Handle, usize)> {
        self.open.iter().map(|(handle, number)| (*handle, *number))
    }

    pub(crate) fn ask(
        &mut self,
        ask: Ask,
        endpoint: &mut Endpoint<Address>,
        ledger: &mut Ledger,
        now: Instant,
    ) {
        let number = ledger.requests.len();
        let request = self.request(&ask, number);
        let handle = match ask.to {
            Target::Node(node) => endpoint.request(Address(node as u8), request, now),
            Target::Group => endpoint.request_group(Address::GROUP, request, now),
        };
        self.enter(Purpose::Ask(ask), handle, ledger, now);
    }

    pub(crate) fn ping(
        &mut self,
        node: usize,
        endpoint: &mut Endpoint<Address>,
        ledger: &mut Ledger,
        now: Instant,
    ) {
        let handle = endpoint.ping(Address(node as u8), now);
        self.enter(Purpose::Ping(node), handle, ledger, now);
    }

    /// Cancels one of the open requests.
    pub(crate) fn cancel_any(&mut self, endpoint: &mut Endpoint<Address>, ledger: &mut Ledger, now: Instant) {
        if let Some((handle, number)) = self.choose(|_| true) {
            cancel(handle, number, endpoint, ledger, now);
        }
    }

    /// Ends one of the observations.
    pub(crate) fn deregister_any(
        &mut self,
        endpoint: &mut Endpoint<Address>,
        ledger: &mut Ledger,
        now: Instant,
    ) {
        let observes = |number| {
            let request: &Asked = &ledger.requests[number];
            request.observes() && !request.deregistered
        };
        if let Some((handle, number)) = self.choose(observes) {
            deregister(handle, number, endpoint, ledger, now);
        }
    }

    /// The node crashes: what was open will hear of nothing.
    pub(crate) fn forget(&mut self, ledger: &mut Ledger) {
        for number in std::mem::take(&mut self.open).into_values() {
            ledger.requests[number].forgotten = true;
        }
    }

    /// Something about a request.
    pub(crate) fn on(&mut self, action: Action<Address>, ledger: &mut Ledger, now: Instant) {
        match action {
            Action::Response { handle, from, response, more } => {
                let Some(number) = self.known(handle, ledger, now) else { return };
                self.response(number, from, &response, ledger, now);
                if !more {
                    self.end(handle, End::Answered, ledger, now);
                }
            }
            Action::Pong { handle } => self.end(handle, End::Answered, ledger, now),
            Action::Failed { handle, failure } => self.end(handle, End::Failed(failure), ledger, now),
            Action::Acknowledged { handle } => _ = self.known(handle, ledger, now),
            Action::Progress { handle, bytes, total, .. } => {
                _ = self.known(handle, ledger, now);
                if total.is_some_and(|total| total < bytes) {
                    ledger.fault(now, format_args!("{bytes} bytes of {total:?} have come"));
                }
            }
            Action::Send { .. }
            | Action::Request(_)
            | Action::Cancelled { .. }
            | Action::Observers { .. } => {}
        }
    }

    fn response(
        &mut self,
        number: usize,
        from: Address,
        response: &Response,
        ledger: &mut Ledger,
        now: Instant,
    ) {
        let from = usize::from(from.0);
        let request = &mut ledger.requests[number];
        let mut content = Content::of(&response.payload);
        if let (Some(ask), Some(etag)) = (request.ask(), response.options.view().etag()) {
            let name = (from, ask.path, etag.to_vec());
            match (response.code, &content) {
                (Code::CONTENT, Content::Whole(tag, _)) => {
                    self.etags.insert((from, ask.path), etag.to_vec());
                    self.tagged.insert(name, *tag);
                }
                // It is what the client has.
                (Code::VALID, Content::Empty) => {
                    content = self.tagged.get(&name).map_or(content, |tag| Content::Whole(*tag, 0));
                }
                _ => {}
            }
        }
        request.seen.push(Seen { at: now, from, code: response.code, content });
    }

    fn request(&self, ask: &Ask, number: usize) -> Request {
        let mut request = Request::new(ask.method).path(ask.path.as_str());
        let has_body = matches!(ask.method, Code::PUT | Code::POST | Code::FETCH);
        if has_body {
            let format = ContentFormat::TEXT_PLAIN.get().into();
            request = request
                .with_uint(OptionNumber::CONTENT_FORMAT, format)
                .payload(Tag::Request(number).body(ask.size));
        }
        if !ask.anonymous {
            request = request.with(OptionNumber::URI_QUERY, format!("n={number}").as_bytes());
        }
        if ask.method == Code::POST {
            request = request.with(OptionNumber::URI_QUERY, format!("s={}", ask.answer).as_bytes());
        }
        if ask.observe {
            request = request.observe();
        }
        if let (true, Target::Node(node)) = (ask.validate, ask.to)
            && let Some(etag) = self.etags.get(&(node, ask.path))
        {
            request = request.with(OptionNumber::ETAG, etag);
        }
        if let Some(unwanted) = ask.no_response {
            request = request.with_uint(OptionNumber::NO_RESPONSE, unwanted.into());
        }
        Request {
            reliability: ask.reliability,
            block_size_exponent: ask.exponent,
            timeout: ask.timeout,
            ..request
        }
    }

    fn enter(
        &mut self,
        purpose: Purpose,
        handle: Result<Handle, Refused>,
        ledger: &mut Ledger,
        now: Instant,
    ) {
        match handle {
            Ok(handle) => {
                let number = ledger.requests.len();
                ledger.requests.push(Asked {
                    node: self.node,
                    purpose,
                    at: now,
                    messages: BTreeSet::new(),
                    registered: Vec::new(),
                    cancelled: false,
                    deregistered: false,
                    seen: Vec::new(),
                    end: None,
                    forgotten: false,
                });
                if self.open.insert(handle, number).is_some() {
                    ledger.fault(now, format_args!("{handle:?} was given twice"));
                }
            }
            Err(Refused::Full | Refused::NoMessageId | Refused::TooLarge) => ledger.refused += 1,
            Err(refused) => ledger.fault(now, format_args!("{purpose:?} is refused: {refused}")),
        }
    }

    fn known(&self, handle: Handle, ledger: &mut Ledger, now: Instant) -> Option<usize> {
        let number = self.open.get(&handle).copied();
        if number.is_none() {
            ledger.fault(now, format_args!("{handle:?} has ended, and hears of something"));
        }
        number
    }

    fn end(&mut self, handle: Handle, end: End, ledger: &mut Ledger, now: Instant) {
        if let Some(number) = self.known(handle, ledger, now) {
            ledger.requests[number].end = Some((now, end));
            self.open.remove(&handle);
        }
    }

    fn choose(&mut self, fit: impl Fn(usize) -> bool) -> Option<(Handle, usize)> {
        let fitting: Vec<_> = self.open().filter(|(_, number)| fit(*number)).collect();
        let at = self.random.below(fitting.len() as u64) as usize;
        fitting.get(at).copied()
    }
}

/// Cancels a request.
pub(crate) fn cancel(
    handle: Handle,
    number: usize,
    endpoint: &mut Endpoint<Address>,
    ledger: &mut Ledger,
    now: Instant,
) {
    ledger.requests[number].cancelled = true;
    endpoint.cancel(handle, now);
}

/// Ends an observation.
pub(crate) fn deregister(
    handle: Handle,
    number: usize,
    endpoint: &mut Endpoint<Address>,
    ledger: &mut Ledger,
    now: Instant,
) {
    ledger.requests[number].deregistered = true;
    if let Err(refused) = endpoint.deregister(handle, now) {
        ledger.fault(now, format_args!("request {number} cannot be ended: {refused}"));
    }
}
