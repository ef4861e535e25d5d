//! The owner of the broker state machine: everything that happens goes in through [`Engine::turn`].

use alloc::rc::Rc;
use core::cell::RefCell;
use core::net::SocketAddr;

use machine::Instant;
use mqtt_core::{Broker, ConnectionId, Input};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::{spawn_blocking, spawn_local};
use tokio::time::timeout_at;
use tracing::debug;

use super::access::AccessControl;
use super::actions::PendingLogin;
use super::connection::{Connection, ConnectionTask};
use super::metrics;
use crate::clock::Clock;

/// What one read can bring; one buffer serves all connections.
const READ_BUFFER: usize = 64 << 10;

pub(crate) struct Engine {
    clock: Clock,
    state: RefCell<State>,
    /// There is output to write once the connections that are ready now have had their turn.
    flush: Notify,
    /// The next deadline is earlier than the timer is set for.
    timer: Notify,
    /// The last connection has ended.
    idle: Notify,
}

/// All that a turn may change.
pub(super) struct State {
    pub(super) broker: Broker,
    pub(super) access: AccessControl,
    /// By [`ConnectionId::index`].
    pub(super) connections: Vec<Option<Connection>>,
    pub(super) open: usize,
    /// Connections with output that nobody has tried to write yet.
    pub(super) dirty: Vec<ConnectionId>,
    /// Bytes taken in since the last flush.
    pub(super) unflushed: usize,
    pub(super) buffer: Box<[u8]>,
    /// Passwords to check after this turn.
    pub(super) logins: Vec<PendingLogin>,
    /// Passwords being checked.
    pub(super) checking: usize,
    /// Closed sockets that wait for their clients to close too.
    pub(super) lingering: usize,
    /// What the timer is set for.
    armed: Option<Instant>,
}

impl Engine {
    /// A broker without connections, and the tasks that serve it.
    pub(crate) fn start(config: mqtt_core::Config, access: AccessControl, seed: [u8; 32]) -> Rc<Self> {
        let clock = Clock::start();
        let state = RefCell::new(State {
            broker: Broker::new(config, seed, clock.now()),
            access,
            connections: Vec::new(),
            open: 0,
            dirty: Vec::new(),
            unflushed: 0,
            buffer: vec![0; READ_BUFFER].into(),
            logins: Vec::new(),
            checking: 0,
            lingering: 0,
            armed: None,
        });
        let engine =
            Rc::new(Self { clock, state, flush: Notify::new(), timer: Notify::new(), idle: Notify::new() });
        spawn_local(Rc::clone(&engine).write_output());
        spawn_local(Rc::clone(&engine).keep_time());
        engine.turn(|_, _| ());
        engine
    }

    /// Takes over a connection that was accepted.
    pub(crate) fn open(self: &Rc<Self>, stream: TcpStream, peer: SocketAddr) {
        let (reader, writer) = stream.into_split();
        match self.turn(|state, now| state.broker.open(now).map(|id| (id, state.insert(id, writer)))) {
            Ok((id, ())) => {
                debug!(connection = id.index(), %peer, "opened");
                spawn_local(ConnectionTask::new(Rc::clone(self), id, reader));
            }
            Err(refused) => debug!(%peer, %refused, "connection refused"),
        }
    }

    /// Puts other rules in force. Clients that would have been let in in another way must connect anew.
    pub(crate) fn reconfigure(self: &Rc<Self>, config: mqtt_core::Config, access: AccessControl) {
        self.turn(|state, now| {
            state.broker.reconfigure(config, now);
            state.access = AccessControl { reloaded: true, ..access };
            state.renew_clients(now);
        });
    }

    /// Takes leave of all clients; returns when they are gone.
    pub(crate) async fn shut_down(self: &Rc<Self>) {
        self.turn(|state, now| state.broker.shutdown(now));
        while self.state.borrow().open > 0 {
            self.idle.notified().await;
        }
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.borrow().open
    }

    pub(crate) fn metrics(&self) -> String {
        let state = self.state.borrow();
        metrics::render(state.broker.counters(), &state.broker.gauges())
    }

    /// One turn: lets `change` feed the broker, does what it then wants done, and sees to it that output and timer follow.
    pub(super) fn turn<R>(self: &Rc<Self>, change: impl FnOnce(&mut State, Instant) -> R) -> R {
        let now = self.clock.now();
        let mut state = self.state.borrow_mut();
        let result = change(&mut state, now);
        state.act(now);
        if !state.dirty.is_empty() {
            self.flush.notify_one();
        }
        if state.broker.next_deadline().is_some_and(|next| state.armed.is_none_or(|armed| next < armed)) {
            self.timer.notify_one();
        }
        if state.open == 0 {
            self.idle.notify_one();
        }
        for login in state.logins.drain(..) {
            spawn_local(Rc::clone(self).check(login));
        }
        result
    }

    /// Runs behind all connections that are ready at the same time (the runtime's queue is first in, first out), so that
    /// what they cause for one connection leaves in one write.
    async fn write_output(self: Rc<Self>) {
        loop {
            self.flush.notified().await;
            self.turn(State::flush);
        }
    }

    /// Ticks the broker at its deadlines. The timer is only set anew for an earlier deadline: when one has moved away
    /// in the meantime, nothing is due and the timer is set for the next one.
    async fn keep_time(self: Rc<Self>) {
        loop {
            let deadline = {
                let mut state = self.state.borrow_mut();
                state.armed = state.broker.next_deadline();
                state.armed
            };
            match deadline {
                Some(deadline) if deadline > self.clock.now() => {
                    _ = timeout_at(self.clock.timer(deadline), self.timer.notified()).await;
                }
                Some(_) => {
                    self.turn(|state, now| state.broker.handle(Input::Tick, now));
                    tokio::task::yield_now().await;
                }
                None => self.timer.notified().await,
            }
        }
    }

    async fn check(self: Rc<Self>, PendingLogin { question, connection, request, login }: PendingLogin) {
        let right = spawn_blocking(move || login.verify()).await.unwrap_or(false);
        self.turn(|state, now| {
            state.checking -= 1;
            let answer = if right { state.admit(connection, &request) } else { State::wrong_password() };
            state.broker.handle(Input::Answer { question, answer }, now);
        });
    }
}
