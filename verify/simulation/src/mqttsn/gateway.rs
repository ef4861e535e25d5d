//! A gateway's host: datagrams on one side, connections to the broker on the other, and its crashes.

use std::collections::BTreeMap;
use std::time::Duration;

use machine::{Instant, Random};
use mqttsn_core::Gateway;
use mqttsn_core::gateway::{Action, Counters, Gauges, Input, Mode, UpstreamId};

use super::scenario::GatewaySpec;
use super::world::Surroundings;
use super::{Address, wire};
use crate::agenda::Agenda;
use crate::contract;
use crate::net::datagram::Arrival;
use crate::net::{Event, LinkId, Side};

/// How long it takes to find out that the broker cannot be reached.
const REFUSAL: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(crate) struct Host {
    index: usize,
    spec: GatewaySpec,
    random: Random,
    /// `None` while it is down.
    gateway: Option<Gateway<Address>>,
    links: BTreeMap<UpstreamId, LinkId>,
    upstreams: BTreeMap<LinkId, UpstreamId>,
    /// The broker cannot be reached.
    pub(crate) outage: bool,
    /// Connections that could not be opened.
    refused: Agenda<UpstreamId>,
    /// The gateway's deadline, and when the host will tick for it.
    tick: Option<(Instant, Instant)>,
    past: Vec<Counters>,
}

impl Host {
    pub(crate) fn new(spec: GatewaySpec, index: usize, random: Random, around: &mut Surroundings) -> Self {
        let mut host = Self {
            index,
            spec,
            random,
            gateway: None,
            links: BTreeMap::new(),
            upstreams: BTreeMap::new(),
            outage: false,
            refused: Agenda::default(),
            tick: None,
            past: Vec::new(),
        };
        host.start(around);
        host
    }

    pub(crate) fn is_up(&self) -> bool {
        self.gateway.is_some()
    }

    /// Begins without any memory.
    pub(crate) fn start(&mut self, around: &mut Surroundings) {
        let seed = self.random.next_u64();
        self.gateway = Some(Gateway::new(self.spec.config.clone(), seed, around.now));
        self.drain(around);
    }

    /// Ends. In order: it takes leave of everybody.
    pub(crate) fn stop(&mut self, in_order: bool, around: &mut Surroundings) {
        if in_order {
            if let Some(gateway) = &mut self.gateway {
                gateway.shutdown(around.now);
            }
            self.drain(around);
        }
        self.past.extend(self.gateway.take().map(|gateway| *gateway.counters()));
        for link in std::mem::take(&mut self.upstreams).into_keys() {
            around.streams.cut(link, around.now);
        }
        self.links.clear();
        self.refused.clear();
        self.tick = None;
    }

    /// All connections to the broker break.
    pub(crate) fn cut(&mut self, around: &mut Surroundings) {
        for link in self.upstreams.keys() {
            around.streams.cut(*link, around.now);
        }
    }

    pub(crate) fn has(&self, link: LinkId) -> bool {
        self.upstreams.contains_key(&link)
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.refused.next_deadline().into_iter().chain(self.tick.map(|(_, at)| at)).min()
    }

    pub(crate) fn gauges(&self) -> Gauges {
        self.gateway.as_ref().map(Gateway::gauges).unwrap_or_default()
    }

    /// The counters of all its lives.
    pub(crate) fn counters(&self) -> impl Iterator<Item = Counters> {
        self.past.iter().copied().chain(self.gateway.iter().map(|gateway| *gateway.counters()))
    }

    /// A datagram has come.
    pub(crate) fn receive(&mut self, arrival: &Arrival<Address>, around: &mut Surroundings) {
        let Some(gateway) = &mut self.gateway else { return };
        let input =
            Input::Datagram { from: arrival.from, bytes: &arrival.bytes, broadcast: arrival.is_multicast() };
        gateway.handle(input, around.now);
        self.drain(around);
    }

    /// Something happened to a connection to the broker.
    pub(crate) fn on(&mut self, event: Event, around: &mut Surroundings) {
        let now = around.now;
        match event {
            Event::Opened(_) => {}
            Event::Readable(link, side) => {
                let Some(&upstream) = self.upstreams.get(&link) else { return };
                let bytes = around.streams.peek(link, side).to_vec();
                around.streams.read(link, side, bytes.len(), now);
                self.input(Input::Bytes { upstream, bytes: &bytes }, now);
            }
            Event::Writable(link, _) => {
                let Some(&upstream) = self.upstreams.get(&link) else { return };
                self.write(upstream, around);
            }
            Event::Closed(link, _) => {
                let Some(upstream) = self.upstreams.remove(&link) else { return };
                self.links.remove(&upstream);
                self.input(Input::Closed(upstream), now);
            }
        }
        self.drain(around);
    }

    /// Does what is due.
    pub(crate) fn wake(&mut self, around: &mut Surroundings) {
        let now = around.now;
        while let Some(upstream) = self.refused.pop(now) {
            self.input(Input::Closed(upstream), now);
        }
        self.drain(around);
        if self.tick.is_some_and(|(_, at)| at <= now) {
            self.tick = None;
            let Some(gateway) = &mut self.gateway else { return };
            for action in contract::tick(gateway, now) {
                self.act(action, around);
            }
            self.drain(around);
        }
    }

    fn input(&mut self, input: Input<'_, Address>, now: Instant) {
        if let Some(gateway) = &mut self.gateway {
            gateway.handle(input, now);
        }
    }

    fn drain(&mut self, around: &mut Surroundings) {
        while let Some(action) = self.gateway.as_mut().and_then(Gateway::poll_action) {
            self.act(action, around);
        }
        self.check_bounds(around);
        let next = self.gateway.as_ref().and_then(Gateway::next_deadline);
        if self.tick.map(|(deadline, _)| deadline) != next {
            let late = self.random.between(Duration::ZERO, self.spec.lateness);
            self.tick = next.map(|next| (next, next.max(around.now) + late));
        }
    }

    fn act(&mut self, action: Action<Address>, around: &mut Surroundings) {
        let (now, from) = (around.now, Address::gateway(self.index));
        match action {
            Action::Send { to, datagram } => {
                around.history.note(now, format_args!("{from:?} > {to:?}: {}", wire::line(&datagram)));
                around.datagrams.send(from, to, &datagram, now);
            }
            Action::Broadcast { datagram, .. } => {
                around.history.note(now, format_args!("{from:?} > all: {}", wire::line(&datagram)));
                around.datagrams.send(from, Address::GROUP, &datagram, now);
            }
            Action::Open { upstream, .. } if self.outage => self.refused.schedule(now + REFUSAL, upstream),
            Action::Open { upstream, .. } => {
                let link = around.streams.dial(now);
                self.links.insert(upstream, link);
                self.upstreams.insert(link, upstream);
                self.input(Input::Opened(upstream), now);
            }
            Action::Output(upstream) => self.write(upstream, around),
            Action::Close(upstream) => {
                self.write(upstream, around);
                match self.links.remove(&upstream) {
                    Some(link) => {
                        self.upstreams.remove(&link);
                        around.streams.close(link, Side::Dialled, now);
                    }
                    None => return,
                }
                self.input(Input::Closed(upstream), now);
            }
            Action::Event(event) => around.history.note(now, format_args!("{from:?}: {event:?}")),
        }
    }

    fn write(&mut self, upstream: UpstreamId, around: &mut Surroundings) {
        let (Some(gateway), Some(&link)) = (&mut self.gateway, self.links.get(&upstream)) else { return };
        loop {
            let bytes = around.streams.write(link, Side::Dialled, gateway.output(upstream), around.now);
            if bytes == 0 {
                return;
            }
            gateway.handle(Input::Sent { upstream, bytes }, around.now);
        }
    }

    /// What is stored stays within the limits.
    fn check_bounds(&mut self, around: &mut Surroundings) {
        let (gauges, config) = (self.gauges(), &self.spec.config);
        let clients = around.clients as u64;
        let queues = clients * u64::from(config.queue.bytes);
        let upstreams = if config.mode == Mode::Aggregating { 1 } else { clients + 1 };
        let excess = [
            (gauges.clients, clients, "clients"),
            (gauges.buffered, queues.min(config.max_buffered as u64), "bytes"),
            (gauges.upstreams, upstreams, "connections"),
            (gauges.filters, around.filters as u64, "filters"),
        ];
        for (is, most, what) in excess {
            if is > most {
                around.ledger.fault(around.now, format_args!("gateway {}: {is} {what}", self.index));
            }
        }
    }
}
