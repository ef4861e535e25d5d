//! The owner of the endpoint: what happens goes in through [`Engine::turn`], and what it wants sent leaves.

use alloc::collections::BTreeSet;
use alloc::rc::Rc;
use core::cell::RefCell;
use core::mem::take;
use core::time::Duration;
use std::io;

use coap_core::{Action, Datagram, Endpoint, IncomingRequest, Input};
use machine::Instant;
use tokio::sync::Notify;
use tokio::task::spawn_local;
use tokio::time::{sleep, timeout_at};
use tracing::{Level, debug, enabled, error, trace};

use super::super::dump::Dump;
use super::super::transport::{Arrival, Inbox, Outgoing, Socket, Source};
use super::Peer;
use super::demo::Demo;
use super::files::{Files, Noticed};
use super::network::Network;
use crate::clock::Clock;

/// How long a socket is left alone after an error that is not one of a datagram.
const RECOVERY: Duration = Duration::from_millis(100);
/// Addresses of this machine, for each socket, that are remembered as asked.
const SOURCES: usize = 256;

pub(super) struct Engine {
    clock: Clock,
    sockets: Vec<Socket>,
    trusted: Vec<Network>,
    state: RefCell<State>,
    /// The next deadline is earlier than the timer is set for.
    timer: Notify,
}

/// All that a turn may change.
struct State {
    endpoint: Endpoint<Peer>,
    demo: Option<Demo>,
    files: Option<Files>,
    /// What each socket is to send.
    outgoing: Vec<Vec<Outgoing<Datagram>>>,
    /// What peers have asked at, to know whom an ICMP error is about.
    sources: BTreeSet<(usize, Source)>,
    /// What the timer is set for.
    armed: Option<Instant>,
}

impl Engine {
    pub(super) fn new(
        clock: Clock,
        sockets: Vec<Socket>,
        trusted: Vec<Network>,
        endpoint: Endpoint<Peer>,
        demo: Option<Demo>,
        files: Option<Files>,
    ) -> Self {
        let outgoing = sockets.iter().map(|_| Vec::new()).collect();
        let state = State { endpoint, demo, files, outgoing, sources: BTreeSet::new(), armed: None };
        Self { clock, sockets, trusted, state: RefCell::new(state), timer: Notify::new() }
    }

    /// Starts the tasks that serve.
    pub(super) fn start(self: &Rc<Self>) {
        for index in 0..self.sockets.len() {
            spawn_local(Rc::clone(self).serve(index));
        }
        spawn_local(Rc::clone(self).keep_time());
        let noticed = self.state.borrow().files.as_ref().map(Files::noticed);
        if let Some(noticed) = noticed {
            spawn_local(Rc::clone(self).follow(noticed));
        }
    }

    /// Logs the counters of the endpoint.
    pub(super) fn report(&self) {
        debug!("{:?}", self.state.borrow().endpoint.counters());
    }

    /// Takes in what comes at a socket.
    async fn serve(self: Rc<Self>, index: usize) {
        let Some(socket) = self.sockets.get(index) else { return };
        let mut inbox = Inbox::new();
        loop {
            match socket.receive_many(&mut inbox).await {
                Ok(None) => self.turn(|state, now| {
                    for (arrival, bytes) in inbox.datagrams() {
                        self.datagram(state, index, arrival, bytes, now);
                        // What one changes, the next one sees.
                        state.act_all(now);
                    }
                }),
                Ok(Some(address)) => self.turn(|state, now| {
                    let sources: Vec<_> = state
                        .sources
                        .iter()
                        .filter(|(socket, _)| *socket == index)
                        .map(|(_, source)| *source)
                        .collect();
                    for source in sources {
                        let peer = Peer { address, socket: index, source };
                        state.endpoint.handle(Input::Unreachable { peer }, now);
                    }
                }),
                Err(problem) => {
                    error!("cannot receive on udp://{}: {problem}", socket.local_addr());
                    sleep(RECOVERY).await;
                }
            }
            self.flush().await;
        }
    }

    fn datagram(&self, state: &mut State, socket: usize, arrival: &Arrival, bytes: &[u8], now: Instant) {
        let (address, source) = (arrival.from, arrival.source());
        trace!("{}", Dump::received(address, bytes));
        let multicast = arrival.is_multicast();
        let verified =
            arrival.is_verified() || self.trusted.iter().any(|network| network.contains(address.ip()));
        if state.sources.len() < SOURCES {
            state.sources.insert((socket, source));
        }
        let from = Peer { address, socket, source };
        state.endpoint.handle(Input::Datagram { from, bytes, multicast, verified }, now);
    }

    /// Ticks at the deadlines. The timer is only set anew for an earlier deadline: when one has moved away in the meantime,
    /// nothing is due and the timer is set for the next one.
    async fn keep_time(self: Rc<Self>) {
        loop {
            let deadline = {
                let mut state = self.state.borrow_mut();
                state.armed = state.next_deadline();
                state.armed
            };
            match deadline {
                Some(deadline) if deadline > self.clock.now() => {
                    _ = timeout_at(self.clock.timer(deadline), self.timer.notified()).await;
                }
                Some(_) => {
                    self.turn(State::tick);
                    self.flush().await;
                    // A deadline that is always due must not keep the others from their turn.
                    tokio::task::yield_now().await;
                }
                None => self.timer.notified().await,
            }
        }
    }

    /// Follows what changes in the folder.
    async fn follow(self: Rc<Self>, noticed: alloc::sync::Arc<Noticed>) {
        loop {
            noticed.wait().await;
            self.turn(|state, now| {
                if let Some(files) = &mut state.files {
                    files.look(&mut state.endpoint, now);
                }
            });
            self.flush().await;
        }
    }

    /// One turn: lets `change` feed the endpoint, and does what it then wants done.
    fn turn(&self, change: impl FnOnce(&mut State, Instant)) {
        let now = self.clock.now();
        let mut state = self.state.borrow_mut();
        change(&mut state, now);
        state.act_all(now);
        if state.next_deadline().is_some_and(|next| state.armed.is_none_or(|armed| next < armed)) {
            self.timer.notify_one();
        }
    }

    /// Sends what is to be sent.
    async fn flush(&self) {
        for (index, socket) in self.sockets.iter().enumerate() {
            let mut batch = self.state.borrow_mut().outgoing.get_mut(index).map(take).unwrap_or_default();
            if batch.is_empty() {
                continue;
            }
            for (to, _, datagram) in &batch {
                trace!("{}", Dump::sent(*to, datagram));
            }
            let failed = |to, problem: &io::Error| debug!(peer = %to, "cannot send: {problem}");
            socket.send_many(&batch, failed).await;
            // Its memory is used again.
            batch.clear();
            if let Some(next) = self.state.borrow_mut().outgoing.get_mut(index).filter(|next| next.is_empty())
            {
                *next = batch;
            }
        }
    }
}

impl State {
    /// Does what the endpoint wants done until it wants nothing more.
    fn act_all(&mut self, now: Instant) {
        while let Some(action) = self.endpoint.poll_action() {
            self.act(action, now);
        }
    }

    fn act(&mut self, action: Action<Peer>, now: Instant) {
        let action = match action {
            Action::Send { to, datagram } => {
                if let Some(outgoing) = self.outgoing.get_mut(to.socket) {
                    outgoing.push((to.address, to.source, datagram));
                }
                return;
            }
            other => other,
        };
        if let Action::Request(request) = &action
            && enabled!(Level::DEBUG)
        {
            debug!(peer = %request.from, "{}", Asked(request));
        }
        let left = match &mut self.demo {
            Some(demo) => demo.take(action, &mut self.endpoint, now),
            None => Some(action),
        };
        if let (Some(action), Some(files)) = (left, &mut self.files) {
            files.take(action, &mut self.endpoint, now);
        }
    }

    fn tick(&mut self, now: Instant) {
        if let Some(demo) = &mut self.demo {
            demo.tick(&mut self.endpoint, now);
        }
        if let Some(files) = &mut self.files {
            files.tick(&mut self.endpoint, now);
        }
        self.endpoint.handle(Input::Tick, now);
    }

    fn next_deadline(&self) -> Option<Instant> {
        let demo = self.demo.as_ref().and_then(Demo::next_deadline);
        let files = self.files.as_ref().and_then(Files::next_deadline);
        [self.endpoint.next_deadline(), demo, files].into_iter().flatten().min()
    }
}

/// A request, for the log.
struct Asked<'a>(&'a IncomingRequest<Peer>);

impl core::fmt::Display for Asked<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self(request) = self;
        let options = request.options.view();
        write!(f, "{} ", request.method.name().unwrap_or("unknown method"))?;
        options.uri_path().try_for_each(|segment| write!(f, "/{}", segment.escape_ascii()))?;
        let mut mark = '?';
        for argument in options.uri_query() {
            write!(f, "{mark}{}", argument.escape_ascii())?;
            mark = '&';
        }
        write!(f, " ({:?}, {} bytes)", request.trigger, request.payload.len())
    }
}
