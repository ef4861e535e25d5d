//! What happened, as the applications saw it: nothing in here is what an endpoint says of itself.

use std::collections::{BTreeMap, BTreeSet};

use coap_codec::Code;
use coap_core::{Failure, Trigger};
use machine::Instant;

use super::body::Content;
use super::scenario::{Ask, Path};

/// Everything that the applications of a run did and saw.
#[derive(Debug, Default)]
pub struct Ledger {
    /// All requests; a request's number is its place.
    pub requests: Vec<Asked>,
    /// All requests that reached an application.
    pub handled: Vec<Handled>,
    /// The states of the resources, by node and resource, in the order of time.
    pub states: BTreeMap<(usize, usize), Vec<State>>,
    /// When nodes came back after a crash.
    pub restarts: Vec<(usize, Instant)>,
    /// Requests that the endpoint refused to send.
    pub refused: usize,
    /// Answers that the endpoint refused to send, for a while.
    pub refused_answers: usize,
    /// How often the network said that a node cannot be reached.
    pub unreachable: usize,
    /// Rules broken in sight of an application.
    pub faults: Vec<String>,
}

/// What a handle stands for.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    /// A request.
    Ask(Ask),
    /// A ping.
    Ping(usize),
}

/// A request, from the call to its end.
#[derive(Debug)]
pub struct Asked {
    /// Who asked.
    pub node: usize,
    /// What for.
    pub purpose: Purpose,
    /// When.
    pub at: Instant,
    /// The ids of the messages that were sent for it, where these say what they are for.
    pub messages: BTreeSet<u16>,
    /// When it registered.
    pub registered: Vec<Instant>,
    /// The application did not want it any more.
    pub cancelled: bool,
    /// The application ended its observation.
    pub deregistered: bool,
    /// All responses.
    pub seen: Vec<Seen>,
    /// How it ended.
    pub end: Option<(Instant, End)>,
    /// The node crashed before that.
    pub forgotten: bool,
}

/// A response.
#[derive(Clone, Debug)]
pub struct Seen {
    /// When.
    pub at: Instant,
    /// From which node.
    pub from: usize,
    /// The response code.
    pub code: Code,
    /// The body; for 2.03, the one that has the entity-tag.
    pub content: Content,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With a response, or a pong.
    Answered,
    /// Without.
    Failed(Failure),
}

/// A request that reached an application.
#[derive(Clone, Debug)]
pub struct Handled {
    /// Whose.
    pub node: usize,
    /// How often that node had been started.
    pub life: u32,
    /// Which request, if it says so.
    pub number: Option<usize>,
    /// The method.
    pub method: Code,
    /// Why.
    pub trigger: Trigger,
    /// When.
    pub at: Instant,
}

/// A state of a resource, from this time on.
#[derive(Clone, Copy, Debug)]
pub struct State {
    /// From when on.
    pub at: Instant,
    /// How often the node had been started.
    pub life: u32,
    /// How often the state had changed.
    pub version: u32,
    /// Whether the resource is there.
    pub exists: bool,
}

impl Ledger {
    /// Somebody saw a rule broken.
    pub fn fault(&mut self, now: Instant, what: impl std::fmt::Display) {
        self.faults.push(format!("{now:?} {what}"));
    }

    /// The states of a resource that it had at some time in a span.
    pub fn states_within(
        &self,
        node: usize,
        resource: usize,
        from: Instant,
        to: Instant,
    ) -> impl Iterator<Item = &State> {
        let states = self.states.get(&(node, resource)).map_or(&[][..], Vec::as_slice);
        let ends = states.iter().skip(1).map(|next| next.at).chain([Instant::MAX]);
        states
            .iter()
            .zip(ends)
            .filter(move |(state, end)| state.at <= to && *end >= from)
            .map(|(state, _)| state)
    }
}

impl State {
    /// What tells it from all others of the resource; the newer one is the larger.
    pub fn name(&self) -> (u32, u32) {
        (self.life, self.version)
    }
}

impl Asked {
    /// The request, unless it is a ping.
    pub fn ask(&self) -> Option<&Ask> {
        match &self.purpose {
            Purpose::Ask(ask) => Some(ask),
            Purpose::Ping(_) => None,
        }
    }

    /// Whether its messages do not say that they are its own.
    pub fn anonymous(&self) -> bool {
        self.ask().is_none_or(|ask| ask.anonymous)
    }

    /// Whether it observes.
    pub fn observes(&self) -> bool {
        self.ask().is_some_and(|ask| ask.observe)
    }

    /// Whether it has neither ended nor was forgotten.
    pub fn is_open(&self) -> bool {
        self.end.is_none() && !self.forgotten
    }
}

impl Path {
    /// Its place among the resources of a node.
    pub const fn index(self) -> usize {
        self as usize
    }
}
