//! The owner of the gateway: what happens goes in through [`Engine::turn`], and what it wants sent leaves.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::rc::Rc;
use core::cell::RefCell;
use core::time::Duration;
use std::io;

use bytes::Bytes;
use machine::Instant;
use mqttsn_core::Gateway;
use mqttsn_core::gateway::{Action, Config, Input, UpstreamId};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::{sleep, timeout_at};
use tracing::{debug, error, trace};

use super::stream::Broker;
use super::upstream::Upstream;
use super::{Peer, metrics};
use crate::clock::Clock;
use crate::coap::transport::{Arrival, MAX_DATAGRAM, Received, Socket, Source};
use crate::sn::group::Group;

/// What one read of a connection can bring; one buffer serves all.
const READ_BUFFER: usize = 64 << 10;

pub(crate) struct Engine {
    pub(super) clock: Clock,
    pub(super) broker: Broker,
    sockets: Vec<Socket>,
    group: Option<Group>,
    pub(super) state: RefCell<State>,
    pub(super) buffer: RefCell<Box<[u8]>>,
    /// The next deadline is earlier than the timer is set for.
    timer: Notify,
    /// The last connection to the server has ended.
    idle: Notify,
}

/// All that a turn may change.
pub(super) struct State {
    pub(super) gateway: Gateway<Peer>,
    upstreams: BTreeMap<UpstreamId, Rc<Upstream>>,
    outgoing: VecDeque<Outgoing>,
    /// Connections to open after this turn.
    opening: Vec<(UpstreamId, Option<Box<str>>)>,
    /// What the operating system said of the connection that has just ended.
    pub(super) problem: Option<io::Error>,
    /// What the timer is set for.
    armed: Option<Instant>,
}

enum Outgoing {
    To(Peer, Bytes),
    All(Bytes),
}

impl Engine {
    pub(crate) fn new(
        config: Config,
        broker: Broker,
        sockets: Vec<Socket>,
        group: Option<Group>,
        seed: u64,
    ) -> Rc<Self> {
        let clock = Clock::start();
        let state = RefCell::new(State {
            gateway: Gateway::new(config, seed, clock.now()),
            upstreams: BTreeMap::new(),
            outgoing: VecDeque::new(),
            opening: Vec::new(),
            problem: None,
            armed: None,
        });
        let buffer = RefCell::new(vec![0; READ_BUFFER].into());
        let (timer, idle) = (Notify::new(), Notify::new());
        Rc::new(Self { clock, broker, sockets, group, state, buffer, timer, idle })
    }

    /// Starts the tasks that serve clients; they end when they are aborted.
    pub(crate) fn start(self: &Rc<Self>) -> Vec<JoinHandle<()>> {
        spawn_local(Rc::clone(self).keep_time());
        self.turn(|_, _| ());
        let mut tasks = Vec::new();
        for index in 0..self.sockets.len() {
            tasks.push(spawn_local(Rc::clone(self).serve(index)));
        }
        if self.group.is_some() {
            tasks.push(spawn_local(Rc::clone(self).serve_group()));
        }
        tasks
    }

    /// Takes leave of clients and server; returns when all connections to the server are closed.
    pub(crate) async fn shut_down(self: &Rc<Self>) {
        self.turn(|state, now| state.gateway.shutdown(now));
        self.flush().await;
        while !self.state.borrow().upstreams.is_empty() {
            self.idle.notified().await;
        }
    }

    /// The gateway's part of the page of metrics.
    pub(crate) fn metrics(&self) -> String {
        let state = self.state.borrow();
        metrics::render(state.gateway.counters(), &state.gateway.gauges())
    }

    /// Logs the counters of the gateway.
    pub(crate) fn report(&self) {
        let state = self.state.borrow();
        debug!("{:?}", state.gateway.gauges());
        debug!("{:?}", state.gateway.counters());
    }

    /// Takes in what comes at a socket.
    async fn serve(self: Rc<Self>, index: usize) {
        let Some(socket) = self.sockets.get(index) else { return };
        let mut buffer = vec![0; MAX_DATAGRAM];
        loop {
            match socket.receive(&mut buffer).await {
                Ok(Received::Datagram(arrival)) => {
                    let bytes = buffer.get(..arrival.len).unwrap_or_default();
                    let from = self.peer(index, &arrival);
                    self.datagram(from, bytes, arrival.is_multicast()).await;
                }
                // Clients come and go; the gateway has time-outs for those that are gone.
                Ok(Received::Unreachable(address)) => trace!(%address, "unreachable"),
                Err(problem) => pause(&socket.local_addr(), &problem).await,
            }
        }
    }

    /// Takes in what is sent to all.
    async fn serve_group(self: Rc<Self>) {
        let Some(group) = &self.group else { return };
        let same = |socket: &Socket| socket.local_addr().is_ipv4() == group.address().is_ipv4();
        let socket = self.sockets.iter().position(same).unwrap_or(0);
        let mut buffer = vec![0; MAX_DATAGRAM];
        loop {
            match group.receive(&mut buffer).await {
                Ok((_, from)) if self.sockets.iter().any(|socket| group.is_echo(from, socket)) => {}
                Ok((len, address)) => {
                    let from = Peer { address, socket, source: Source::default() };
                    self.datagram(from, buffer.get(..len).unwrap_or_default(), true).await;
                }
                Err(problem) => pause(&group.address(), &problem).await,
            }
        }
    }

    /// Who has sent it. Answers leave from the address that was asked, where there are several.
    fn peer(&self, socket: usize, arrival: &Arrival) -> Peer {
        let several =
            self.sockets.get(socket).is_some_and(|socket| socket.local_addr().ip().is_unspecified());
        let source = if several { arrival.source() } else { Source::default() };
        Peer { address: arrival.from, socket, source }
    }

    async fn datagram(self: &Rc<Self>, from: Peer, bytes: &[u8], broadcast: bool) {
        trace!(%from, broadcast, "received {}", Hex(bytes));
        self.input(Input::Datagram { from, bytes, broadcast }).await;
    }

    pub(super) async fn input(self: &Rc<Self>, input: Input<'_, Peer>) {
        self.turn(|state, now| state.handle(input, now));
        self.flush().await;
    }

    /// Ticks at the deadlines. The timer is only set anew for an earlier deadline: when one has moved away in the meantime,
    /// nothing is due and the timer is set for the next one.
    async fn keep_time(self: Rc<Self>) {
        loop {
            let deadline = {
                let mut state = self.state.borrow_mut();
                state.armed = state.gateway.next_deadline();
                state.armed
            };
            match deadline {
                Some(deadline) if deadline > self.clock.now() => {
                    _ = timeout_at(self.clock.timer(deadline), self.timer.notified()).await;
                }
                Some(_) => {
                    self.input(Input::Tick).await;
                    // A deadline that is always due must not keep the others from their turn.
                    tokio::task::yield_now().await;
                }
                None => self.timer.notified().await,
            }
        }
    }

    /// One turn: lets `change` feed the gateway, and does what it then wants done.
    pub(super) fn turn(self: &Rc<Self>, change: impl FnOnce(&mut State, Instant)) {
        let now = self.clock.now();
        let mut state = self.state.borrow_mut();
        change(&mut state, now);
        while let Some(action) = state.gateway.poll_action() {
            state.act(action, &self.broker, now);
        }
        for (id, server) in core::mem::take(&mut state.opening) {
            let upstream = Rc::new(Upstream::default());
            state.upstreams.insert(id, Rc::clone(&upstream));
            spawn_local(Rc::clone(self).connect(id, server, upstream));
        }
        if state.gateway.next_deadline().is_some_and(|next| state.armed.is_none_or(|armed| next < armed)) {
            self.timer.notify_one();
        }
        if state.upstreams.is_empty() {
            self.idle.notify_one();
        }
    }

    /// Sends what is to be sent.
    pub(super) async fn flush(&self) {
        loop {
            let next = self.state.borrow_mut().outgoing.pop_front();
            match next {
                None => return,
                Some(Outgoing::To(peer, datagram)) => {
                    let Some(socket) = self.sockets.get(peer.socket) else { continue };
                    trace!(%peer, "sent {}", Hex(&datagram));
                    if let Err(problem) = socket.send(&datagram, peer.address, peer.source).await {
                        debug!(%peer, "cannot send: {problem}");
                    }
                }
                Some(Outgoing::All(datagram)) => {
                    let Some(group) = &self.group else { continue };
                    trace!("sent to all: {}", Hex(&datagram));
                    for socket in &self.sockets {
                        group.send(&datagram, socket).await;
                    }
                }
            }
        }
    }
}

impl State {
    pub(super) fn handle(&mut self, input: Input<'_, Peer>, now: Instant) {
        self.gateway.handle(input, now);
    }

    pub(super) fn closed(&mut self, id: UpstreamId, problem: Option<io::Error>, now: Instant) {
        self.upstreams.remove(&id);
        self.problem = problem;
        self.gateway.handle(Input::Closed(id), now);
    }

    fn act(&mut self, action: Action<Peer>, broker: &Broker, now: Instant) {
        match action {
            Action::Send { to, datagram } => self.outgoing.push_back(Outgoing::To(to, datagram)),
            // Without a group the radius means nothing either: datagrams go to the machines of the link.
            Action::Broadcast { datagram, .. } => self.outgoing.push_back(Outgoing::All(datagram)),
            Action::Open { upstream, server } => self.opening.push((upstream, server)),
            Action::Output(id) => {
                if let Some(upstream) = self.upstreams.get(&id) {
                    upstream.write();
                }
            }
            Action::Close(id) => {
                if let Some(upstream) = self.upstreams.get(&id) {
                    upstream.close();
                }
            }
            Action::Event(event) => self.log(event, broker, now),
        }
    }
}

/// A socket that cannot be read may be readable later.
async fn pause(address: &core::net::SocketAddr, problem: &io::Error) {
    error!("cannot receive on udp://{address} at the moment: {problem}");
    sleep(Duration::from_millis(100)).await;
}

/// A datagram, for the log.
struct Hex<'a>(&'a [u8]);

impl core::fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let name = mqttsn_codec::Packet::decode(self.0).map(|packet| packet.message_type());
        if let Ok(name) = name {
            write!(f, "{name:?} ")?;
        }
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
