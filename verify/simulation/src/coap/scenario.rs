//! What shall happen in a run.

use std::time::Duration;

use coap_codec::Code;
use coap_core::{Config, Reliability};

use crate::net::datagram::Weather;

/// A run: who takes part, what they do and when, and what goes wrong.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Everything that is left to chance comes from this.
    pub seed: u64,
    /// Who takes part.
    pub nodes: Vec<NodeSpec>,
    /// What they do: when, which node, what.
    pub ops: Vec<(Duration, usize, Op)>,
    /// The network until the calm.
    pub weather: Weather,
    /// Directions that have weather of their own until then.
    pub directions: Vec<(usize, usize, Weather)>,
    /// Whether the network says so when a node is down.
    pub reports_unreachable: bool,
    /// Nothing goes wrong, and no limit is small: then every request succeeds.
    pub fair: bool,
    /// When nothing goes wrong any more and nobody asks for anything new.
    pub calm_at: Duration,
    /// Whether the history is written.
    pub trace: bool,
}

/// A node.
#[derive(Clone, Debug)]
pub struct NodeSpec {
    /// Of its endpoint.
    pub config: Config,
    /// If it has resources.
    pub serves: Option<ServerSpec>,
    /// How late it ticks, at most.
    pub lateness: Duration,
    /// Whether it takes the addresses of others for true.
    pub trusts: bool,
}

/// How a node serves.
#[derive(Clone, Copy, Debug)]
pub struct ServerSpec {
    /// How long an answer takes, at most.
    pub think: Duration,
    /// Of a thousand requests, so many take that time; the others are answered at once.
    pub slow_per_mille: u64,
    /// Of a thousand requests, so many are never answered.
    pub silent_per_mille: u64,
    /// Whether representations have entity-tags of the application.
    pub etags: bool,
    /// Max-Age of representations, in seconds.
    pub max_age: Option<u32>,
    /// Bytes of a page.
    pub page: usize,
    /// How its notifications go, if it says so.
    pub notifications: Option<Reliability>,
    /// Whether it listens to the group.
    pub in_group: bool,
}

/// The resources that a serving node has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Path {
    /// A few bytes: GET, PUT, FETCH, DELETE, observable.
    Value,
    /// Several blocks: GET, PUT, FETCH, DELETE, observable.
    Page,
    /// POST: answers with a body of the length that is asked for.
    Echo,
}

impl Path {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Value, Self::Page, Self::Echo];

    /// As a URI has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Page => "page",
            Self::Echo => "echo",
        }
    }
}

/// Whom a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// One node.
    Node(usize),
    /// All that listen to the group.
    Group,
}

/// A request.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// Whom it is for.
    pub to: Target,
    /// What for.
    pub path: Path,
    /// The method.
    pub method: Code,
    /// Bytes of its body, for methods that have one.
    pub size: usize,
    /// Bytes of the answer, for POST.
    pub answer: usize,
    /// CON or NON.
    pub reliability: Reliability,
    /// Whether it registers.
    pub observe: bool,
    /// Whether it names the representation that the client has.
    pub validate: bool,
    /// Whether nothing in it tells it from others of its kind, so that their blocks may be mixed up.
    pub anonymous: bool,
    /// The No-Response option.
    pub no_response: Option<u8>,
    /// The block size that it wants, as an exponent.
    pub exponent: Option<u8>,
    /// How long it waits for the response.
    pub timeout: Option<Duration>,
}

/// What a node does.
#[derive(Clone, Debug)]
pub enum Op {
    /// Requests.
    Ask(Ask),
    /// Pings another node.
    Ping(usize),
    /// Cancels one of its open requests.
    Cancel,
    /// Ends one of its observations.
    Deregister,
    /// The state of one of its resources changes by itself.
    Change(Path),
    /// One of its resources goes, and comes back after so long.
    Withdraw(Path, Duration),
    /// It crashes, is down for so long, and comes back without any memory.
    Restart(Duration),
    /// Nothing passes between it and another for so long, in one direction or both.
    Part(usize, Duration, bool),
}

impl Default for ServerSpec {
    fn default() -> Self {
        Self {
            think: Duration::ZERO,
            slow_per_mille: 0,
            silent_per_mille: 0,
            etags: false,
            max_age: None,
            page: 2500,
            notifications: None,
            in_group: true,
        }
    }
}
