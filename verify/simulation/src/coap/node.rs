//! A node: an endpoint, the applications on it, and the host that does what both ask for.

use std::fmt;
use std::time::Duration;

use coap_core::{Action, Counters, Endpoint, Gauges, Input, Limits};
use machine::{Instant, Random};

use super::Address;
use super::client::Client;
use super::ledger::Ledger;
use super::scenario::NodeSpec;
use super::server::Server;
use super::wire::{Line, Witness};
use crate::contract;
use crate::history::History;
use crate::net::datagram::{Arrival, Network};

/// What all nodes share.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) now: Instant,
    pub(crate) network: Network<Address>,
    pub(crate) ledger: Ledger,
    pub(crate) history: History,
}

/// A node; without a life while it is down.
#[derive(Debug)]
pub(crate) struct Node {
    spec: NodeSpec,
    index: usize,
    random: Random,
    lives: u32,
    life: Option<Life>,
    /// Of all lives before.
    past: Vec<Counters>,
}

/// A node from its start to its crash.
#[derive(Debug)]
pub(crate) struct Life {
    pub(crate) endpoint: Endpoint<Address>,
    pub(crate) client: Client,
    pub(crate) server: Option<Server>,
    witness: Witness,
    counters: Counters,
    /// The endpoint's deadline, and when the host will tick for it.
    tick: Option<(Instant, Instant)>,
}

impl Node {
    pub(crate) fn new(spec: NodeSpec, index: usize, random: Random, around: &mut Surroundings) -> Self {
        let mut node = Self { spec, index, random, lives: 0, life: None, past: Vec::new() };
        node.start(around);
        node
    }

    /// Comes to life, without any memory.
    pub(crate) fn start(&mut self, around: &mut Surroundings) {
        if self.life.is_some() {
            return;
        }
        self.lives += 1;
        let mut seed = [0; 32];
        self.random.fill(&mut seed);
        let mut endpoint = Endpoint::new(self.spec.config.clone(), seed);
        let mut fork = || Random::from_u64(self.random.next_u64());
        let client = Client::new(self.index, fork());
        let Surroundings { ledger, now, .. } = around;
        let serve = |spec| Server::new(spec, self.index, self.lives, fork(), &mut endpoint, ledger, *now);
        let server = self.spec.serves.map(serve);
        let witness = Witness::new(&self.spec.config);
        self.life =
            Some(Life { endpoint, client, server, witness, counters: Counters::default(), tick: None });
    }

    /// Loses everything.
    pub(crate) fn crash(&mut self, around: &mut Surroundings) {
        if let Some(mut life) = self.life.take() {
            life.client.forget(&mut around.ledger);
            self.past.push(*life.endpoint.counters());
        }
    }

    pub(crate) fn life(&self) -> Option<&Life> {
        self.life.as_ref()
    }

    /// The counters of each of its lives.
    pub(crate) fn counters(&self) -> impl Iterator<Item = &Counters> {
        self.past.iter().chain(self.life.iter().map(|life| life.endpoint.counters()))
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let life = self.life.as_ref()?;
        let server = life.server.as_ref().and_then(Server::next_deadline);
        [server, life.tick.map(|(_, at)| at)].into_iter().flatten().min()
    }

    /// A datagram has come.
    pub(crate) fn receive(&mut self, arrival: &Arrival<Address>, around: &mut Surroundings) {
        let verified = self.spec.trusts;
        self.act(around, |life, around| {
            let input = Input::Datagram {
                from: arrival.from,
                bytes: &arrival.bytes,
                multicast: arrival.is_multicast(),
                verified,
            };
            life.endpoint.handle(input, around.now);
        });
    }

    /// Does what is due.
    pub(crate) fn wake(&mut self, around: &mut Surroundings) {
        let index = self.index;
        self.act(around, |life, around| {
            let now = around.now;
            if life.tick.is_some_and(|(_, at)| at <= now) {
                life.tick = None;
                for action in contract::tick(&mut life.endpoint, now) {
                    life.carry_out(index, action, around);
                }
            }
            if let Some(server) = &mut life.server {
                server.wake(&mut life.endpoint, &mut around.ledger, now);
            }
        });
    }

    /// Lets the node do something, if it is up, and all that follows.
    pub(crate) fn act(&mut self, around: &mut Surroundings, act: impl FnOnce(&mut Life, &mut Surroundings)) {
        let Some(life) = &mut self.life else { return };
        act(life, around);
        while let Some(action) = life.endpoint.poll_action() {
            life.carry_out(self.index, action, around);
        }
        life.check(&self.spec.config.limits, around);
        let next = life.endpoint.next_deadline();
        if life.tick.map(|(deadline, _)| deadline) != next {
            let late = self.random.between(Duration::ZERO, self.spec.lateness);
            life.tick = next.map(|next| (next, next.max(around.now) + late));
        }
    }
}

impl Life {
    fn carry_out(&mut self, index: usize, action: Action<Address>, around: &mut Surroundings) {
        let Surroundings { now, network, ledger, history } = around;
        let (server, endpoint) = (self.server.as_mut(), &mut self.endpoint);
        match action {
            Action::Send { to, datagram } => {
                history.note(*now, format_args!("{index} > {to:?}: {}", Line(&datagram)));
                self.witness.look(to, &datagram, ledger, *now);
                network.send(Address(index as u8), to, &datagram, *now);
            }
            Action::Request(request) => {
                history.note(*now, format_args!("{index}: {request:?}"));
                match server {
                    Some(server) => server.request(&request, endpoint, ledger, *now),
                    None => ledger.fault(*now, format_args!("node {index} serves nothing: {request:?}")),
                }
            }
            Action::Cancelled { id } => server.into_iter().for_each(|server| server.cancelled(id)),
            other => {
                history.note(*now, format_args!("{index}: {}", Short(&other)));
                self.client.on(other, ledger, *now);
            }
        }
    }

    /// Counters grow, and gauges stay within their limits.
    fn check(&mut self, limits: &Limits, around: &mut Surroundings) {
        let counters = *self.endpoint.counters();
        for ((name, before), (_, after)) in self.counters.rows().into_iter().zip(counters.rows()) {
            if after < before {
                around.ledger.fault(around.now, format_args!("{name} went from {before} to {after}"));
            }
        }
        self.counters = counters;
        let gauges = self.endpoint.gauges();
        if let Some(what) = excess(&gauges, limits) {
            around.ledger.fault(around.now, format_args!("{what} beyond the limit: {gauges:?}"));
        }
    }
}

/// An action without its body.
struct Short<'a>(&'a Action<Address>);

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Action::Response { handle, from, response, more } = self.0 else {
            return write!(f, "{:?}", self.0);
        };
        let (code, len) = (response.code, response.payload.len());
        write!(f, "{handle:?} from {from:?}: {code} {:?} {len} bytes", response.options)?;
        f.write_str(if *more { ", more" } else { "" })
    }
}

fn excess(gauges: &Gauges, limits: &Limits) -> Option<&'static str> {
    [
        (gauges.peers, limits.peers, "peers"),
        (gauges.requests, limits.requests, "requests"),
        (gauges.outgoing, limits.outgoing, "outgoing messages"),
        (gauges.rejectable, limits.outgoing, "messages that may be rejected"),
        (gauges.remembered, limits.remembered, "remembered messages"),
        (gauges.remembered_bytes, limits.remembered_bytes, "remembered bytes"),
        // Each observer may be asked about while requests wait.
        (gauges.unanswered, limits.unanswered + limits.observers, "unanswered requests"),
        (gauges.observers, limits.observers, "observers"),
        (gauges.bodies, limits.bodies, "bytes of bodies"),
    ]
    .into_iter()
    .find_map(|(is, limit, what)| (is > limit).then_some(what))
}
