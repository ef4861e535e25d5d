//! The client machine on its connection, and when to give up.

use core::future::pending;
use core::time::Duration;
use std::io::{self, ErrorKind};

use machine::Instant;
use mqtt_codec::{Properties, ReasonCode};
use mqtt_core::client::{Action, Client, Config, DeliveryId, DisconnectReason, Input, Message, Outcome};
use mqtt_core::{PropertyBuffer, Refused};
use tokio::time::sleep_until;
use tracing::debug;

use super::arguments::{Connection, random};
use super::failure::{Failure, is_temporary};
use super::link::{Link, Turn};
use super::report;
use super::url::Server;
use crate::clock::Clock;

/// How much is read at once.
const READ: usize = 64 << 10;
/// Connections in a row that end without any progress, until that is taken for a refusal.
const FRUITLESS: u32 = 5;

/// A client with its connection.
pub(crate) struct Session {
    client: Client,
    clock: Clock,
    /// Where the application wants to be connected, and where the last attempt went.
    configured: Server,
    server: Server,
    quiet: bool,
    /// For DISCONNECT.
    goodbye: PropertyBuffer,
    leaving: bool,
    link: Link,
    buffer: Box<[u8]>,
    /// What the operating system said of the connection that ended.
    problem: Option<io::Error>,
    welcome: Welcome,
    /// Connections in a row without any progress.
    fruitless: u32,
    outstanding: usize,
    sent: u64,
}

/// Whether the server lets the client in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Welcome {
    NotYet,
    Now,
    Earlier,
}

/// What the application hears.
pub(crate) enum Event {
    Message(Message),
    Completed(Outcome),
    /// The application has taken leave, and the connection is over.
    Ended,
}

impl Session {
    /// Connects.
    pub(crate) fn new(connection: Connection) -> Result<Self, Failure> {
        let Connection { server, config, properties, quiet, .. } = connection;
        let clock = Clock::start();
        let mut client = Client::new(config, random()?.next_u64(), clock.now());
        client.connect(clock.now());
        Ok(Self {
            client,
            clock,
            configured: server.clone(),
            server,
            quiet,
            goodbye: properties.disconnect,
            leaving: false,
            link: Link::Closed,
            buffer: vec![0; READ].into_boxed_slice(),
            problem: None,
            welcome: Welcome::NotYet,
            fruitless: 0,
            outstanding: 0,
            sent: 0,
        })
    }

    pub(crate) fn config(&self) -> &Config {
        self.client.config()
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    /// Whether the server has let the client in, now or earlier.
    pub(crate) fn was_welcome(&self) -> bool {
        self.welcome != Welcome::NotYet
    }

    /// How much of what was asked is not completed.
    pub(crate) fn outstanding(&self) -> usize {
        self.outstanding
    }

    /// Bytes that have left, over all connections.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// Whether nothing waits to leave.
    pub(crate) fn is_flushed(&self) -> bool {
        self.client.output().next().is_none()
    }

    /// Asks for something that has a completion.
    pub(crate) fn ask<T>(
        &mut self,
        what: impl FnOnce(&mut Client, Instant) -> Result<T, Refused>,
    ) -> Result<(), Refused> {
        what(&mut self.client, self.clock.now())?;
        self.outstanding += 1;
        Ok(())
    }

    /// Acknowledges a message; one whose connection is gone comes again.
    pub(crate) fn acknowledge(&mut self, message: DeliveryId) {
        _ = self.client.acknowledge(message, self.clock.now());
    }

    /// Takes leave; [`Event::Ended`] follows.
    pub(crate) fn disconnect(&mut self) {
        self.leaving = true;
        self.client.disconnect(ReasonCode::NORMAL_DISCONNECTION, self.goodbye.get(), self.clock.now());
    }

    /// The next thing that happened, until `None`.
    ///
    /// # Errors
    /// When the connection is over and another one would not help.
    pub(crate) fn poll(&mut self) -> Result<Option<Event>, Failure> {
        while let Some(action) = self.client.poll_action() {
            match action {
                Action::Open { server } => self.open(server.as_deref()),
                Action::Close => self.link.close(self.client.output()),
                Action::Connected { session_present, properties } => {
                    let id = self.client.client_id();
                    debug!("connected as {id:?}, session present: {session_present}, {properties:?}");
                    self.welcome = Welcome::Now;
                }
                Action::Disconnected { reason, properties, retry_at } => {
                    debug!("disconnected: {reason:?}, {properties:?}");
                    if !self.leaving {
                        self.judge(reason, &properties.get())?;
                        self.tell_of_retry(reason, retry_at);
                    }
                }
                Action::Message(message) => {
                    let (topic, length, qos) = (message.topic(), message.payload().len(), message.qos);
                    debug!("message on {topic}, {length} bytes, {qos:?}");
                    self.fruitless = 0;
                    return Ok(Some(Event::Message(message)));
                }
                Action::Completed { handle, outcome } => {
                    debug!("{handle:?}: {outcome:?}");
                    self.fruitless = 0;
                    self.outstanding = self.outstanding.saturating_sub(1);
                    return Ok(Some(Event::Completed(outcome)));
                }
                // There is no data for a further step of authentication: the time for it runs out.
                Action::Authenticate { .. } => debug!("the server asks for another step of authentication"),
                // What is to be sent is looked for on every turn.
                Action::Output | Action::Reauthenticated | Action::Record { .. } => {}
            }
        }
        Ok(if self.leaving && matches!(self.link, Link::Closed) { Some(Event::Ended) } else { None })
    }

    /// Reads, writes, opens, closes, or lets time pass, whatever comes first. May be dropped and asked for again.
    pub(crate) async fn wait(&mut self) {
        let deadline = self.client.next_deadline().map(|at| self.clock.timer(at));
        let turn = tokio::select! {
            turn = self.link.turn(self.client.output(), &mut self.buffer) => Some(turn),
            () = until(deadline) => None,
        };
        let now = self.clock.now();
        match turn {
            None => _ = self.client.handle(Input::Tick, now),
            Some(Turn::Opened) => _ = self.client.handle(Input::Opened, now),
            Some(Turn::Moved { written, read }) => {
                self.sent += written as u64;
                if written > 0 {
                    self.client.handle(Input::Sent(written), now);
                }
                self.client.handle(Input::Bytes(&self.buffer[..read]), now);
            }
            Some(Turn::Ended(problem)) => {
                self.problem = problem;
                self.client.handle(Input::Closed, now);
            }
        }
    }

    fn open(&mut self, redirected: Option<&str>) {
        // A server reference may be a list; the first one is taken, and the old server where it cannot be understood.
        let other = redirected.and_then(|list| Server::parse(list.split(' ').next()?).ok());
        self.server = other.unwrap_or_else(|| self.configured.clone());
        debug!("connecting to {}", self.server);
        self.link = Link::open(&self.server);
    }

    /// Whether to go on after the end of a connection.
    fn judge(&mut self, reason: DisconnectReason, properties: &Properties<'_>) -> Result<(), Failure> {
        let server = self.server.clone();
        let text = properties.reason_string().map(ToOwned::to_owned);
        let redirected = properties.server_reference().is_some();
        let welcome = self.welcome;
        if welcome == Welcome::Now {
            self.welcome = Welcome::Earlier;
        }
        let returning = welcome != Welcome::NotYet;
        match reason {
            DisconnectReason::TransportClosed if welcome == Welcome::NotYet => {
                let problem = self.problem.take().unwrap_or_else(|| ErrorKind::UnexpectedEof.into());
                return Err(Failure::Unreachable { server, problem });
            }
            DisconnectReason::ConnectTimeout if welcome == Welcome::NotYet => {
                return Err(Failure::Unreachable { server, problem: ErrorKind::TimedOut.into() });
            }
            DisconnectReason::Refused(reason) if !(redirected || returning && is_temporary(reason)) => {
                return Err(Failure::Refused { server, reason, version: self.config().version, text });
            }
            DisconnectReason::Server(reason) if !redirected && !is_temporary(reason) => {
                return Err(Failure::Dismissed { server, reason, text });
            }
            DisconnectReason::InvalidConfig(problem) => return Err(Failure::usage(problem)),
            DisconnectReason::Malformed(problem) => {
                return Err(Failure::NoBroker { server, problem: problem.to_string() });
            }
            DisconnectReason::Violation(problem) => {
                return Err(Failure::NoBroker { server, problem: problem.to_string() });
            }
            _ => {}
        }
        if welcome == Welcome::Now && self.outstanding > 0 {
            self.fruitless += 1;
        }
        if self.fruitless == FRUITLESS {
            return Err(Failure::NoProgress { server, connections: FRUITLESS });
        }
        Ok(())
    }

    fn tell_of_retry(&mut self, reason: DisconnectReason, retry_at: Option<Instant>) {
        let Some(retry_at) = retry_at.filter(|_| !self.quiet) else { return };
        let why = match (reason, self.problem.take()) {
            (DisconnectReason::TransportClosed, Some(problem)) => problem.to_string(),
            (DisconnectReason::TransportClosed, None) => "the server closed it".to_owned(),
            (DisconnectReason::Refused(reason) | DisconnectReason::Server(reason), _) => reason.to_string(),
            (DisconnectReason::ConnectTimeout, _) => "no answer".to_owned(),
            (DisconnectReason::PingTimeout, _) => "the server is silent".to_owned(),
            (DisconnectReason::Stalled, _) => "the server takes nothing".to_owned(),
            (other, _) => format!("{other:?}"),
        };
        let wait = (retry_at - self.clock.now()).max(Duration::from_millis(100));
        report(&format_args!("no connection to {}: {why}; trying again in {wait:.1?}", self.server));
    }
}

async fn until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => pending().await,
    }
}
