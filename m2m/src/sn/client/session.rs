//! The client machine on its sockets, and when to give up.

use alloc::collections::VecDeque;
use core::future::pending;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::time::Duration;
use std::io;

use machine::Instant;
use mqttsn_codec::Encapsulated;
use mqttsn_core::client::{Action, Client, DisconnectReason, Handle, Input, Message, Outcome, Refused};
use tokio::time::sleep_until;
use tracing::{debug, trace};

use super::arguments::Connection;
use super::failure::Failure;
use super::report;
use crate::clock::Clock;
use crate::coap::transport::{MAX_DATAGRAM, Received, Socket, Source};
use crate::sn::group::Group;

/// A client with its sockets.
pub(super) struct Session {
    client: Client<SocketAddr>,
    clock: Clock,
    socket: Socket,
    group: Option<Group>,
    /// The wireless node id of a forwarder's node.
    node: Option<Vec<u8>>,
    events: VecDeque<Event>,
    /// A gateway has let the client in, now or earlier.
    welcome: bool,
    leaving: bool,
    buffer: Box<[u8]>,
    group_buffer: Box<[u8]>,
}

/// What is of interest to a command.
#[derive(Debug)]
pub(super) enum Event {
    Connected,
    Message(Message),
    Completed(Handle, Outcome),
    Asleep,
    Awake,
    /// The application has taken leave, and the gateway has answered.
    Ended,
}

impl Session {
    /// Opens the sockets.
    pub(super) fn open(connection: Connection) -> Result<Self, Failure> {
        let Connection { config, multicast, interface, cport, node } = connection;
        let v4 = multicast.or(config.gateways.first().copied()).is_none_or(|address| address.is_ipv4());
        let any = if v4 { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { IpAddr::V6(Ipv6Addr::UNSPECIFIED) };
        let local = SocketAddr::new(any, cport);
        let socket = Socket::bind(local)
            .map_err(|error| Failure::Other(format!("cannot open a socket at {local}: {error}")))?;
        let group = multicast.map(|address| join(address, interface.as_deref())).transpose()?;
        let mut seed = [0; 8];
        getrandom::fill(&mut seed).map_err(|error| Failure::Other(format!("no randomness: {error}")))?;
        let clock = Clock::start();
        Ok(Self {
            client: Client::new(config, u64::from_le_bytes(seed), clock.now()),
            clock,
            socket,
            group,
            node,
            events: VecDeque::new(),
            welcome: false,
            leaving: false,
            buffer: vec![0; MAX_DATAGRAM].into(),
            group_buffer: vec![0; MAX_DATAGRAM].into(),
        })
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    pub(super) fn connect(&mut self) -> Result<(), Failure> {
        let connected = self.client.connect(self.clock.now());
        connected.map_err(|refused| Failure::refused("cannot connect", refused))
    }

    /// Asks the client for something.
    pub(super) fn ask<T>(
        &mut self,
        what: impl FnOnce(&mut Client<SocketAddr>, Instant) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        what(&mut self.client, self.clock.now())
    }

    /// Whether a gateway has let the client in, now or earlier.
    pub(super) fn was_welcome(&self) -> bool {
        self.welcome
    }

    /// Takes leave; [`Event::Ended`] follows.
    pub(super) fn disconnect(&mut self) {
        self.leaving = true;
        self.client.disconnect(self.clock.now());
    }

    /// Does what the client wants done until something happens. May be dropped and asked for again.
    ///
    /// # Errors
    /// When there is no connection, and another attempt would not help.
    pub(super) async fn next(&mut self) -> Result<Event, Failure> {
        loop {
            self.act().await?;
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            self.wait().await?;
        }
    }

    /// Sends what is to be sent; for messages that nobody answers.
    pub(super) async fn act(&mut self) -> Result<(), Failure> {
        while let Some(action) = self.client.poll_action() {
            match action {
                Action::Send { to, datagram } => self.send(to, &datagram).await?,
                Action::Broadcast { datagram, .. } => {
                    if let Some(group) = &self.group {
                        debug!("looking for a gateway by {}", group.address());
                        group.send(&datagram, &self.socket).await;
                    }
                }
                Action::GatewayFound { gateway_id, address } => debug!("gateway {gateway_id} at {address}"),
                Action::GatewayLost { address, .. } => debug!("no sign of the gateway at {address} any more"),
                Action::Connected { gateway, resumed } => {
                    debug!("connected to {gateway}, session kept: {resumed}");
                    self.welcome = true;
                    self.events.push_back(Event::Connected);
                }
                Action::Disconnected { reason, retry_at } => self.judge(reason, retry_at)?,
                Action::Asleep => self.events.push_back(Event::Asleep),
                Action::Awake => self.events.push_back(Event::Awake),
                Action::Message(message) => {
                    debug!(
                        "message on {:?}, {} octets, {:?}",
                        message.topic,
                        message.data.len(),
                        message.qos
                    );
                    self.events.push_back(Event::Message(message));
                }
                Action::Completed { handle, outcome } => {
                    debug!("{handle:?}: {outcome:?}");
                    self.events.push_back(Event::Completed(handle, outcome));
                }
            }
        }
        Ok(())
    }

    /// Whether to go on after the end of a connection.
    fn judge(&mut self, reason: DisconnectReason, retry_at: Option<Instant>) -> Result<(), Failure> {
        debug!("disconnected: {reason:?}");
        if self.leaving {
            self.events.push_back(Event::Ended);
            return Ok(());
        }
        let why = match reason {
            DisconnectReason::Refused(code) if !self.welcome => return Err(Failure::Refused { code }),
            DisconnectReason::ByGateway if !self.welcome => return Err(Failure::Dismissed),
            DisconnectReason::GatewayLost if !self.welcome => {
                return Err(Failure::NoAnswer(self.client.config().gateways.first().copied()));
            }
            DisconnectReason::Refused(code) => code.to_string(),
            DisconnectReason::ByGateway => "the gateway ended it".to_owned(),
            DisconnectReason::GatewayLost => "the gateway does not answer".to_owned(),
            DisconnectReason::Requested => return Ok(()),
        };
        let wait = retry_at.map(|at| at - self.clock.now()).unwrap_or_default();
        if wait.is_zero() {
            debug!("no connection: {why}; trying again");
        } else {
            let wait = wait.max(Duration::from_millis(100));
            report(&format_args!("no connection: {why}; trying again in {wait:.1?}"));
        }
        Ok(())
    }

    /// Waits until the client has heard of something.
    async fn wait(&mut self) -> Result<(), Failure> {
        let (deadline, clock) = (self.client.next_deadline(), self.clock);
        let (from, bytes) = tokio::select! {
            received = self.socket.receive(&mut self.buffer) => match received.map_err(broken)? {
                // The gateway may come back, but one that was never there is a wrong address.
                Received::Unreachable(peer) if !self.welcome && self.group.is_none() => return Err(Failure::Nobody(peer)),
                Received::Unreachable(_) => return Ok(()),
                Received::Datagram(arrival) => {
                    (arrival.from, self.buffer.get(..arrival.len).unwrap_or_default())
                }
            },
            received = heard(self.group.as_ref(), &mut self.group_buffer) => {
                let (len, from) = received.map_err(broken)?;
                if self.group.as_ref().is_some_and(|group| group.is_echo(from, &self.socket)) {
                    return Ok(());
                }
                (from, self.group_buffer.get(..len).unwrap_or_default())
            }
            () = at(deadline, clock) => {
                self.client.handle(Input::Tick, clock.now());
                return Ok(());
            }
        };
        trace!("received from {from}: {bytes:02x?}");
        let datagram = match (&self.node, Encapsulated::decode(bytes)) {
            (Some(_), Ok(whole)) => whole.message,
            _ => bytes,
        };
        self.client.handle(Input::Datagram { from, datagram }, clock.now());
        Ok(())
    }

    async fn send(&self, to: SocketAddr, datagram: &[u8]) -> Result<(), Failure> {
        let mut wrapped = Vec::new();
        let datagram = match &self.node {
            Some(node) => {
                let whole = Encapsulated { radius: 0, wireless_node_id: node, message: datagram };
                let encoded = whole.encode(&mut wrapped);
                encoded.map_err(|error| Failure::Other(format!("cannot wrap a message: {error}")))?;
                wrapped.as_slice()
            }
            None => datagram,
        };
        trace!("sent to {to}: {datagram:02x?}");
        let sent = self.socket.send(datagram, to, Source::default()).await;
        sent.map_err(|error| Failure::Other(format!("cannot send to {to}: {error}")))
    }
}

/// Becomes a member of the group.
pub(super) fn join(address: SocketAddr, interface: Option<&str>) -> Result<Group, Failure> {
    Group::open(address, interface)
        .map_err(|error| Failure::Other(format!("cannot be a member of {address}: {error}")))
}

/// What is sent to the group; nothing, without one.
async fn heard(group: Option<&Group>, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    match group {
        Some(group) => group.receive(buffer).await,
        None => pending().await,
    }
}

/// Never, if there is none.
pub(super) async fn at(instant: Option<Instant>, clock: Clock) {
    match instant {
        Some(instant) => sleep_until(clock.timer(instant)).await,
        None => pending().await,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(super) fn broken(error: io::Error) -> Failure {
    Failure::Other(format!("the socket does not work any more: {error}"))
}
