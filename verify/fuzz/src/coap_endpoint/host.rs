//! A host that does what its endpoint says, and looks at all that it says.

use core::fmt::Debug;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use coap_core::{
    Action, Config, Counters, Endpoint, Gauges, Handle, IncomingRequest, Input, Request, RequestId,
    ResourceId, Trigger,
};
use machine::Instant;

use super::ledger::{Cause, Ledger};

pub(super) struct Host {
    pub(super) endpoint: Endpoint<u8>,
    pub(super) now: Instant,
    pub(super) open: BTreeMap<Handle, Course>,
    pub(super) ended: Vec<Handle>,
    pub(super) questions: Vec<IncomingRequest<u8>>,
    pub(super) old_questions: Vec<RequestId>,
    pub(super) resources: Vec<ResourceId>,
    pub(super) gone: BTreeSet<ResourceId>,
    /// What the endpoint has sent and nobody has taken.
    pub(super) sent: Vec<(u8, Vec<u8>)>,
    observers: BTreeMap<ResourceId, usize>,
    ledger: Ledger,
    datagrams: u64,
    before: Counters,
    /// How often it reported what.
    pub(super) reports: Reports,
    /// Everything that came out, for comparison with another run.
    history: DefaultHasher,
}

/// How often which action came, by name.
pub type Reports = BTreeMap<String, u64>;

/// What a request of this endpoint may report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    Single,
    /// Observations and requests to groups.
    Several,
    Ping,
}

impl Host {
    pub(super) fn new(config: Config, seed: u8, now: Instant) -> Self {
        Self {
            endpoint: Endpoint::new(config, [seed; 32]),
            now,
            open: BTreeMap::new(),
            ended: Vec::new(),
            questions: Vec::new(),
            old_questions: Vec::new(),
            resources: Vec::new(),
            gone: BTreeSet::new(),
            sent: Vec::new(),
            observers: BTreeMap::new(),
            ledger: Ledger::default(),
            datagrams: 0,
            before: Counters::default(),
            reports: Reports::default(),
            history: DefaultHasher::new(),
        }
    }

    /// A datagram arrives.
    pub(super) fn receive(&mut self, from: u8, bytes: &[u8], multicast: bool, verified: bool) {
        let cause = self.ledger.receives(from, bytes, multicast, verified, self.endpoint.config());
        self.datagrams += 1;
        self.endpoint.handle(Input::Datagram { from, bytes, multicast, verified }, self.now);
        self.settle(cause);
    }

    /// Time passes; after a tick nothing that is due is left.
    pub(super) fn tick(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.endpoint.handle(Input::Tick, self.now);
        self.settle(Cause::Other);
        let next = self.endpoint.next_deadline();
        assert!(next.is_none_or(|next| next > self.now), "a deadline is left behind");
    }

    pub(super) fn unreachable(&mut self, peer: u8) {
        self.endpoint.handle(Input::Unreachable { peer }, self.now);
        self.settle(Cause::Other);
    }

    /// A request of this endpoint, or a ping, with what came of it.
    pub(super) fn began(&mut self, handle: Handle, course: Course) {
        assert!(!self.ended.contains(&handle) && !self.open.contains_key(&handle), "{handle:?} again");
        self.open.insert(handle, course);
        self.settle(Cause::Other);
    }

    pub(super) fn request(&mut self, to: u8, request: Request, course: Course) {
        match self.endpoint.request(to, request, self.now) {
            Ok(handle) => self.began(handle, course),
            Err(_) => self.settle(Cause::Other),
        }
    }

    /// Takes everything that the endpoint says; then looks at the endpoint.
    pub(super) fn settle(&mut self, cause: Cause) {
        while let Some(action) = self.endpoint.poll_action() {
            self.note(&action);
            *self.reports.entry(name(&action)).or_default() += 1;
            self.take(action, cause);
        }
        self.check_numbers();
    }

    fn take(&mut self, action: Action<u8>, cause: Cause) {
        match action {
            Action::Send { to, datagram } => {
                self.ledger.sends(to, &datagram, cause, self.endpoint.config(), self.now);
                self.sent.push((to, datagram.to_vec()));
            }
            Action::Request(request) => {
                assert!(
                    self.resources.contains(&request.resource),
                    "{request:?} for a resource that is gone"
                );
                assert!(self.questions.iter().all(|open| open.id != request.id));
                assert!(!self.old_questions.contains(&request.id), "{request:?} again");
                assert!(!request.multicast || request.trigger == Trigger::Peer);
                self.questions.push(request);
            }
            Action::Cancelled { id } => self.settled(id),
            Action::Observers { resource, count } => {
                assert!(self.resources.contains(&resource) || self.gone.contains(&resource));
                self.observers.insert(resource, count);
            }
            Action::Acknowledged { handle } | Action::Progress { handle, .. } => _ = self.course(handle),
            Action::Response { handle, more: true, .. } => {
                assert_eq!(self.course(handle), Course::Several, "a single response says more");
            }
            Action::Response { handle, .. } => {
                assert_ne!(self.course(handle), Course::Ping);
                self.end(handle);
            }
            Action::Pong { handle } => {
                assert_eq!(self.course(handle), Course::Ping);
                self.end(handle);
            }
            Action::Failed { handle, .. } => self.end(handle),
        }
    }

    fn course(&self, handle: Handle) -> Course {
        *self.open.get(&handle).expect("a report about a request that is not open")
    }

    fn end(&mut self, handle: Handle) {
        assert!(self.open.remove(&handle).is_some(), "{handle:?} ends twice");
        self.ended.push(handle);
    }

    /// A peer's request is answered, or needs no answer.
    pub(super) fn settled(&mut self, id: RequestId) {
        let place = self.questions.iter().position(|question| question.id == id);
        self.questions.swap_remove(place.expect("a request that is open"));
        self.old_questions.push(id);
    }

    fn check_numbers(&mut self) {
        let (limits, gauges) = (self.endpoint.config().limits, self.endpoint.gauges());
        assert!(gauges.peers <= limits.peers, "{gauges:?}");
        assert!(gauges.requests <= limits.requests && gauges.requests >= self.open.len(), "{gauges:?}");
        assert!(gauges.outgoing <= limits.outgoing && gauges.rejectable <= limits.outgoing, "{gauges:?}");
        assert!(gauges.awaited <= gauges.outgoing + gauges.rejectable, "{gauges:?}");
        assert!(gauges.remembered <= limits.remembered, "{gauges:?}");
        assert!(gauges.remembered_bytes <= limits.remembered_bytes, "{gauges:?}");
        assert!(gauges.bodies <= limits.bodies, "{gauges:?}");
        assert!(gauges.observers <= limits.observers, "{gauges:?}");
        assert_eq!(gauges.observers, self.observers.values().sum::<usize>(), "who observes is told");
        assert_eq!(gauges.unanswered, self.questions.len(), "what is open is told");
        let by_peers = self.questions.iter().filter(|question| question.trigger != Trigger::Change);
        assert!(by_peers.count() <= limits.unanswered, "{gauges:?}");

        let counters = *self.endpoint.counters();
        for ((name, before), (_, now)) in self.before.rows().into_iter().zip(counters.rows()) {
            assert!(now >= before, "{name} went from {before} to {now}");
        }
        assert_eq!(counters.received, self.datagrams);
        self.before = counters;
        self.note(&gauges);
    }

    /// For comparison with another run.
    fn note(&mut self, what: &dyn Debug) {
        format!("{what:?}").hash(&mut self.history);
    }

    pub(super) fn history(&self) -> u64 {
        self.history.finish()
    }

    /// All requests are cancelled, all resources taken out, and all that remains is let expire: then nothing is left.
    pub(super) fn wind_up(&mut self) {
        for handle in self.open.keys().copied().collect::<Vec<_>>() {
            self.endpoint.cancel(handle, self.now);
        }
        self.settle(Cause::Other);
        assert!(self.open.is_empty(), "cancelled, and still there: {:?}", self.open);
        for resource in core::mem::take(&mut self.resources) {
            self.gone.insert(resource);
            self.endpoint.remove_resource(resource, self.now);
        }
        self.settle(Cause::Other);
        let mut ticks = 0;
        while let Some(next) = self.endpoint.next_deadline() {
            self.tick(next);
            ticks += 1;
            assert!(ticks < 100_000, "it never comes to rest");
        }
        assert_eq!(self.endpoint.gauges(), Gauges::default(), "something is kept for ever");
    }
}

fn name(action: &Action<u8>) -> String {
    match action {
        Action::Send { .. } => "send".into(),
        Action::Request(request) => format!("{:?}", request.trigger),
        Action::Cancelled { .. } => "cancelled".into(),
        Action::Observers { .. } => "observers".into(),
        Action::Acknowledged { .. } => "acknowledged".into(),
        Action::Progress { upload, .. } => if *upload { "upload" } else { "download" }.into(),
        Action::Response { more, .. } => if *more { "one of several" } else { "response" }.into(),
        Action::Pong { .. } => "pong".into(),
        Action::Failed { failure, .. } => format!("{failure:?}"),
    }
}
