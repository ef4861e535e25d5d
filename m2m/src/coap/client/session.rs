//! An endpoint on a socket, toward one server or group.

use alloc::collections::VecDeque;
use core::future::pending;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::time::Duration;
use std::io::{self, Write};

use coap_core::{Action, Config, Endpoint, Handle, Input, Request, Response};
use machine::Instant;
use tokio::time::sleep_until;

use super::super::dump::Dump;
use super::super::transport::{MAX_DATAGRAM, Received, Socket, Source};
use super::arguments::LinkArguments;
use super::failure::Failure;
use super::progress::Progress;
use super::target::Target;
use crate::clock::Clock;

pub(super) struct Session {
    clock: Clock,
    socket: Socket,
    endpoint: Endpoint<SocketAddr>,
    events: VecDeque<Event>,
    to: SocketAddr,
    source: Source,
    verbose: bool,
    progress: Progress,
    buffer: Box<[u8]>,
    /// When [`Event::TimedOut`] comes.
    give_up: Option<Instant>,
}

/// What is of interest to a command.
#[derive(Debug)]
pub(super) enum Event {
    Response {
        from: SocketAddr,
        response: Response,
        /// Whether more may follow.
        more: bool,
    },
    Pong,
    Failed(coap_core::Failure),
    /// The time of [`Session::give_up_after`] is over.
    TimedOut,
}

impl Session {
    pub(super) fn open(
        to: SocketAddr,
        target: &Target,
        link: &LinkArguments,
        config: Config,
    ) -> Result<Self, Failure> {
        let any =
            if to.is_ipv4() { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { IpAddr::V6(Ipv6Addr::UNSPECIFIED) };
        let local = SocketAddr::new(link.address.unwrap_or(any), link.port);
        let socket = Socket::bind(local)
            .map_err(|error| Failure::Other(format!("cannot open a socket at {local}: {error}")))?;
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| Failure::Other(format!("no randomness: {error}")))?;
        let clock = Clock::start();
        Ok(Self {
            clock,
            socket,
            endpoint: Endpoint::new(config, seed),
            events: VecDeque::new(),
            to,
            source: Source { address: link.address, interface: target.interface },
            verbose: link.verbose,
            progress: Progress::new(link.verbose),
            buffer: vec![0; MAX_DATAGRAM].into(),
            give_up: None,
        })
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    pub(super) fn to(&self) -> SocketAddr {
        self.to
    }

    /// `None`: not at all.
    pub(super) fn give_up_after(&mut self, span: Option<Duration>) {
        self.give_up = span.map(|span| self.clock.now() + span);
    }

    pub(super) fn request(&mut self, request: Request) -> Result<Handle, Failure> {
        let (to, now) = (self.to, self.clock.now());
        let sent = if to.ip().is_multicast() {
            self.endpoint.request_group(to, request, now)
        } else {
            self.endpoint.request(to, request, now)
        };
        sent.map_err(Failure::refused)
    }

    pub(super) fn ping(&mut self) -> Result<Handle, Failure> {
        self.endpoint.ping(self.to, self.clock.now()).map_err(Failure::refused)
    }

    pub(super) fn deregister(&mut self, observation: Handle) {
        // It is refused when it has ended already; then there is an event that says so.
        _ = self.endpoint.deregister(observation, self.clock.now());
    }

    /// Does what the endpoint wants done until something happens. May be dropped and asked for again.
    pub(super) async fn next(&mut self) -> Result<Event, Failure> {
        loop {
            // All of it, before anybody hears: an acknowledgement comes after the answer that it is for.
            while let Some(action) = self.endpoint.poll_action() {
                self.act(action).await?;
            }
            if let Some(event) = self.events.pop_front() {
                self.progress.clear();
                return Ok(event);
            }
            if !self.wait().await? {
                self.events.push_back(Event::TimedOut);
            }
        }
    }

    async fn act(&mut self, action: Action<SocketAddr>) -> Result<(), Failure> {
        match action {
            Action::Send { to, datagram } => self.send(to, &datagram).await?,
            Action::Progress { bytes, total, upload, .. } => self.progress.show(bytes, total, upload),
            Action::Response { from, response, more, .. } => {
                self.events.push_back(Event::Response { from, response, more });
            }
            Action::Pong { .. } => self.events.push_back(Event::Pong),
            Action::Failed { failure, .. } => self.events.push_back(Event::Failed(failure)),
            // There are no resources here.
            Action::Request(_)
            | Action::Cancelled { .. }
            | Action::Observers { .. }
            | Action::Acknowledged { .. } => {}
        }
        Ok(())
    }

    /// Waits until the endpoint has heard of something; false when the time to give up has come.
    async fn wait(&mut self) -> Result<bool, Failure> {
        let deadline = self.endpoint.next_deadline();
        let received = tokio::select! {
            received = self.socket.receive(&mut self.buffer) => received.map_err(broken)?,
            () = at(deadline, self.clock) => {
                self.endpoint.handle(Input::Tick, self.clock.now());
                return Ok(true);
            }
            () = at(self.give_up, self.clock) => return Ok(false),
        };
        let input = match received {
            Received::Unreachable(peer) => Input::Unreachable { peer },
            Received::Datagram(arrival) => {
                let bytes = self.buffer.get(..arrival.len).unwrap_or_default();
                if self.verbose {
                    _ = writeln!(io::stderr(), "{}", Dump::received(arrival.from, bytes));
                }
                let (multicast, verified) = (arrival.is_multicast(), arrival.is_verified());
                Input::Datagram { from: arrival.from, bytes, multicast, verified }
            }
        };
        self.endpoint.handle(input, self.clock.now());
        Ok(true)
    }

    async fn send(&mut self, to: SocketAddr, datagram: &[u8]) -> Result<(), Failure> {
        if self.verbose {
            _ = writeln!(io::stderr(), "{}", Dump::sent(to, datagram));
        }
        let sent = self.socket.send(datagram, to, self.source).await;
        sent.map_err(|error| Failure::NoAnswer(format!("cannot send to {to}: {error}{}", hint(&error, to))))
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
fn broken(error: io::Error) -> Failure {
    Failure::Other(format!("the socket does not work any more: {error}"))
}

fn hint(error: &io::Error, to: SocketAddr) -> &'static str {
    match error.kind() {
        io::ErrorKind::NetworkUnreachable if to.ip().is_multicast() => " (try --interface)",
        io::ErrorKind::InvalidInput if to.is_ipv6() => {
            " (a link-local address needs its interface: [fe80::1%25eth0])"
        }
        _ => "",
    }
}
