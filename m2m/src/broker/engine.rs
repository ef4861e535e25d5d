//! The owner of the broker state machine: everything that happens goes in through [`Engine::turn`].

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use core::cell::RefCell;
use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::os::fd::AsRawFd;

use machine::Instant;
use mio::net::TcpStream;
use mio::{Events, Poll, Registry, Token};
use mqtt_core::{Broker, ConnectionId, Input, Refused};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::Notify;
use tokio::task::{spawn_blocking, spawn_local};
use tokio::time::timeout_at;
use tracing::{debug, error, warn};

use super::access::AccessControl;
use super::actions::PendingLogin;
use super::connection::Connection;
use super::local::{Carrier, LocalClient, pair};
use super::metrics;
use crate::clock::Clock;

/// Sockets that one look at the operating system can find ready.
const EVENTS: usize = 1024;
/// What one read can bring; one buffer serves all connections.
const READ_BUFFER: usize = 64 << 10;

pub(crate) struct Engine {
    clock: Clock,
    state: RefCell<State>,
    /// Connections want a turn, or wait to be written to, though the operating system has nothing for them.
    again: Notify,
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
    /// Where sockets are watched.
    registry: Registry,
    /// Connections that want another turn.
    pub(super) again: Vec<ConnectionId>,
    /// Connections with output that nobody has tried to write yet.
    pub(super) dirty: Vec<ConnectionId>,
    /// Bytes taken in since the last flush.
    pub(super) unflushed: usize,
    pub(super) buffer: Box<[u8]>,
    /// Passwords to check after this turn.
    pub(super) logins: Vec<PendingLogin>,
    /// Passwords being checked.
    pub(super) checking: usize,
    /// Connections that are to be closed, until when they may take their output.
    pub(super) leaving: VecDeque<(Instant, ConnectionId)>,
    /// Cloned for each closed socket that waits for its client to close too.
    pub(super) lingering: Rc<()>,
    /// What the timer is set for.
    armed: Option<Instant>,
}

impl Engine {
    /// A broker without connections, and the tasks that serve it.
    pub(crate) fn start(
        config: mqtt_core::Config,
        access: AccessControl,
        seed: [u8; 32],
    ) -> io::Result<Rc<Self>> {
        let clock = Clock::start();
        let poll = Poll::new()?;
        let state = RefCell::new(State {
            broker: Broker::new(config, seed, clock.now()),
            access,
            registry: poll.registry().try_clone()?,
            connections: Vec::new(),
            open: 0,
            again: Vec::new(),
            dirty: Vec::new(),
            unflushed: 0,
            buffer: vec![0; READ_BUFFER].into(),
            logins: Vec::new(),
            checking: 0,
            leaving: VecDeque::new(),
            lingering: Rc::new(()),
            armed: None,
        });
        let engine =
            Rc::new(Self { clock, state, again: Notify::new(), timer: Notify::new(), idle: Notify::new() });
        spawn_local(Rc::clone(&engine).serve(readable(poll)?));
        spawn_local(Rc::clone(&engine).keep_time());
        Ok(engine)
    }

    /// Takes over a connection that was accepted.
    pub(crate) fn open(self: &Rc<Self>, stream: TcpStream, peer: SocketAddr) {
        self.turn(|state, now| match state.broker.open(now) {
            Ok(id) => {
                debug!(connection = id.index(), %peer, "opened");
                state.watch(id, stream, now);
            }
            Err(refused) => debug!(%peer, %refused, "connection refused"),
        });
    }

    /// A connection of a client in this process.
    ///
    /// # Errors
    /// When there are too many.
    pub(crate) fn open_local(self: &Rc<Self>) -> Result<LocalClient, Refused> {
        let mut result = Err(Refused::Full);
        self.turn(|state, now| {
            result = state.broker.open(now).map(|id| {
                debug!(connection = id.index(), "opened from inside");
                let (client, carrier) = pair(self, id);
                state.insert(id, carrier);
                client
            });
        });
        result
    }

    /// The client of a connection from inside has read or written, or is gone.
    pub(super) fn wake(self: &Rc<Self>, id: ConnectionId) {
        self.turn(|state, now| state.wake_local(id, now));
    }

    /// Puts other rules in force. Clients that would have been let in in another way must connect anew.
    pub(crate) fn reconfigure(self: &Rc<Self>, config: mqtt_core::Config, access: AccessControl) {
        self.turn(|state, now| {
            state.broker.reconfigure(config, now);
            let reloaded = state.access.reloaded || state.access.acl != access.acl;
            state.access = AccessControl { reloaded, ..access };
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

    /// One turn: lets `change` feed the broker, does what it then wants done, writes what it wants sent, and sees to it
    /// that the timer follows. What a turn produces for a connection leaves in one write.
    fn turn(self: &Rc<Self>, change: impl FnOnce(&mut State, Instant)) {
        let now = self.clock.now();
        let mut state = self.state.borrow_mut();
        change(&mut state, now);
        state.act(now);
        state.flush(now);
        state.act(now);
        if !(state.dirty.is_empty() && state.again.is_empty()) {
            self.again.notify_one();
        }
        if state.next_deadline().is_some_and(|next| state.armed.is_none_or(|armed| next < armed)) {
            self.timer.notify_one();
        }
        if state.open == 0 {
            self.idle.notify_one();
        }
        for login in state.logins.drain(..) {
            spawn_local(Rc::clone(self).check(login));
        }
    }

    /// Gives all connections that are ready their turn, then writes what came of it.
    ///
    /// Sockets are watched apart from tokio, which knows only the descriptor that tells of them all: what tokio keeps of
    /// a socket is larger than all that we keep of a connection.
    async fn serve(self: Rc<Self>, mut poll: AsyncFd<Poll>) {
        let mut events = Events::with_capacity(EVENTS);
        let mut again = Vec::new();
        loop {
            let looked = tokio::select! {
                ready = poll.readable_mut() => ready.and_then(|mut ready| {
                    ready.get_inner_mut().poll(&mut events, Some(Duration::ZERO))?;
                    if events.iter().count() < EVENTS {
                        ready.clear_ready();
                    }
                    Ok(())
                }),
                () = self.again.notified() => {
                    events.clear();
                    // A notification alone never lets tokio look at the sockets, timers and signals.
                    tokio::task::yield_now().await;
                    Ok(())
                }
            };
            if let Err(error) = looked {
                error!(%error, "cannot watch the sockets");
            }
            self.turn(|state, now| {
                events.iter().for_each(|event| state.wake(event, now));
                core::mem::swap(&mut state.again, &mut again);
                again.drain(..).for_each(|id| state.serve(id, now));
            });
        }
    }

    /// Ticks the broker at its deadlines. The timer is only set anew for an earlier deadline: when one has moved away
    /// in the meantime, nothing is due and the timer is set for the next one.
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

impl State {
    /// Begins to read a connection that the broker has let in.
    fn watch(&mut self, id: ConnectionId, mut stream: TcpStream, now: Instant) {
        let interests = mio::Interest::READABLE | mio::Interest::WRITABLE;
        match self.registry.register(&mut stream, Token(id.index()), interests) {
            Ok(()) => self.insert(id, Carrier::Tcp(stream)),
            Err(error) => {
                warn!(%error, "cannot watch a socket");
                self.broker.handle(Input::Closed { connection: id }, now);
            }
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        let leaving = self.leaving.front().map(|(deadline, _)| *deadline);
        self.broker.next_deadline().into_iter().chain(leaving).min()
    }

    fn tick(&mut self, now: Instant) {
        self.broker.handle(Input::Tick, now);
        while let Some((_, id)) = self.leaving.front().copied().filter(|(deadline, _)| *deadline <= now) {
            self.leaving.pop_front();
            self.end(id, now);
        }
    }
}

/// Lets tokio tell when there is something to read.
#[expect(
    deprecated,
    reason = "what replaces it is unsafe, for types that lie about their descriptor; mio's do not"
)]
pub(super) fn readable<T: AsRawFd>(source: T) -> io::Result<AsyncFd<T>> {
    AsyncFd::with_interest(source, Interest::READABLE)
}
