//! The client machine on a TCP connection.

use core::future::{Future, pending};
use core::pin::Pin;
use core::time::Duration;
use std::io::{self, ErrorKind, IoSlice, Write};

use machine::Instant;
use mqtt_codec::{Properties, ProtocolVersion, ReasonCode};
use mqtt_core::client::{Action, Client, Config, DisconnectReason, Input, Message, Outcome};
use mqtt_core::{PropertyBuffer, Refused};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::TcpStream;
use tokio::time::{sleep_until, timeout};
use tracing::debug;

use super::arguments::{Connection, random};
use super::failure::{Failure, is_temporary};
use super::url::Server;
use crate::clock::Clock;

/// How much is read at once.
const READ: usize = 64 << 10;
/// Chunks of one vectored write.
const CHUNKS: usize = 64;
/// How long what is left to say may take at the end of a connection, and the server's own end.
const FAREWELL: Duration = Duration::from_secs(5);
/// Connections in a row that end without any progress, until that is taken for a refusal.
const FRUITLESS: u32 = 5;

/// A client with its connection, and the rules by which it gives up.
pub(crate) struct Session {
    client: Client,
    clock: Clock,
    server: Server,
    quiet: bool,
    /// For DISCONNECT.
    goodbye: PropertyBuffer,
    link: Link,
    buffer: Box<[u8]>,
    /// What the operating system said of the connection that ended.
    problem: Option<io::Error>,
    /// The server has let the client in, once.
    welcome: bool,
    /// Connections in a row without any progress.
    fruitless: u32,
    outstanding: usize,
    sent: u64,
}

/// The transport connection.
enum Link {
    Closed,
    Opening(Pin<Box<dyn Future<Output = io::Result<TcpStream>>>>),
    Open(TcpStream),
    Closing(Pin<Box<dyn Future<Output = ()>>>),
}

/// What the application hears.
pub(crate) enum Event {
    Connected,
    Message(Message),
    Completed(Outcome),
    /// The connection that was to end has ended.
    Ended,
}

impl Session {
    pub(crate) fn new(connection: Connection) -> Result<Self, Failure> {
        let Connection { server, config, properties, quiet, .. } = connection;
        let clock = Clock::start();
        let mut client = Client::new(config, random()?.next_u64(), clock.now());
        client.connect(clock.now());
        Ok(Self {
            client,
            clock,
            server,
            quiet,
            goodbye: properties.disconnect,
            link: Link::Closed,
            buffer: vec![0; READ].into_boxed_slice(),
            problem: None,
            welcome: false,
            fruitless: 0,
            outstanding: 0,
            sent: 0,
        })
    }

    pub(crate) fn config(&self) -> &Config {
        self.client.config()
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Whether the server has let the client in, now or earlier.
    pub(crate) fn was_welcome(&self) -> bool {
        self.welcome
    }

    /// What was asked for and is not completed.
    pub(crate) fn outstanding(&self) -> usize {
        self.outstanding
    }

    /// Bytes that have left, on all connections.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// Whether nothing waits to be sent.
    pub(crate) fn is_flushed(&self) -> bool {
        self.client.output().next().is_none()
    }

    /// Asks something of the client that has a completion.
    pub(crate) fn ask<T>(
        &mut self,
        what: impl FnOnce(&mut Client, Instant) -> Result<T, Refused>,
    ) -> Result<(), Refused> {
        what(&mut self.client, self.clock.now())?;
        self.outstanding += 1;
        Ok(())
    }

    /// Acknowledges a message; one whose connection is gone comes again.
    pub(crate) fn acknowledge(&mut self, message: mqtt_core::client::DeliveryId) {
        _ = self.client.acknowledge(message, self.clock.now());
    }

    /// Takes leave; [`Event::Ended`] follows.
    pub(crate) fn disconnect(&mut self) {
        let was_waiting = matches!(self.link, Link::Closed);
        self.client.disconnect(ReasonCode::NORMAL_DISCONNECTION, self.goodbye.get(), self.clock.now());
        if was_waiting {
            self.client.handle(Input::Closed, self.clock.now());
        }
    }

    /// The next thing that happened, until `None`.
    ///
    /// # Errors
    /// When the connection has ended and trying again would not help.
    pub(crate) fn poll(&mut self) -> Result<Option<Event>, Failure> {
        while let Some(action) = self.client.poll_action() {
            match action {
                Action::Open { server } => self.open(server.as_deref()),
                Action::Close => self.close(),
                Action::Connected { session_present, properties } => {
                    let id = self.client.client_id();
                    debug!("connected as {id:?}, session present: {session_present}, {properties:?}");
                    self.welcome = true;
                    return Ok(Some(Event::Connected));
                }
                Action::Disconnected { reason: DisconnectReason::Requested, .. } => {
                    debug!("disconnected");
                    return Ok(Some(Event::Ended));
                }
                Action::Disconnected { reason, properties, retry_at } => {
                    self.judge(reason, &properties.get())?;
                    self.note_loss(reason, retry_at);
                }
                Action::Message(message) => {
                    debug!("message on {}, {} bytes, {:?}", message.topic(), message.payload().len(), message.qos);
                    self.fruitless = 0;
                    return Ok(Some(Event::Message(message)));
                }
                Action::Completed { handle, outcome } => {
                    debug!("{handle:?}: {outcome:?}");
                    self.fruitless = 0;
                    self.outstanding -= 1;
                    return Ok(Some(Event::Completed(outcome)));
                }
                // No data to answer with: the server gives up on a method of more than one step.
                Action::Authenticate { .. } => self.client.handle_nothing(),
                Action::Output | Action::Reauthenticated | Action::Record { .. } => {}
            }
        }
        Ok(None)
    }

    /// Reads, writes, opens, closes, or lets time pass, whatever comes first. May be dropped and asked for again.
    pub(crate) async fn wait(&mut self) {
        let deadline = self.client.next_deadline().map(|at| self.clock.timer(at));
        let turn = tokio::select! {
            turn = turn(&mut self.link, &self.client, &mut self.buffer) => turn,
            () = until(deadline) => Turn::Tick,
        };
        let now = self.clock.now();
        match turn {
            Turn::Opened(stream) => {
                debug!("connected to {}", address(&stream));
                _ = stream.set_nodelay(true);
                self.link = Link::Open(stream);
                self.client.handle(Input::Opened, now);
            }
            Turn::Moved { written, read } => {
                self.sent += written as u64;
                if written > 0 {
                    self.client.handle(Input::Sent(written), now);
                }
                if read > 0 {
                    self.client.handle(Input::Bytes(&self.buffer[..read]), now);
                }
            }
            Turn::Ended(problem) => {
                self.problem = problem;
                self.link = Link::Closed;
                self.client.handle(Input::Closed, now);
            }
            Turn::Tick => _ = self.client.handle(Input::Tick, now),
        }
    }
}
