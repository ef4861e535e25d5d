//! `m2m forwarder`: the forwarder state machine on UDP sockets.
//!
//! A node is called by its IP address and its port, 6 or 18 octets: so its name is the same after a restart.

use alloc::rc::Rc;
use core::cell::RefCell;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::io;
use std::process::ExitCode;

use clap::{ArgAction, Args};
use mqttsn_core::Forwarder;
use mqttsn_core::client::AddressFormat;
use mqttsn_core::forwarder::{Action, Config, Input};
use thiserror::Error;
use tokio::runtime::{Builder, LocalOptions};
use tokio::task::spawn_local;
use tracing::{debug, error, info, warn};

use super::address::{Endpoint, group};
use super::gateway::{self, listen};
use super::group::Group;
use crate::clock::Clock;
use crate::coap::transport::{MAX_DATAGRAM, Received, Socket, Source};
use crate::signals::Signals;
use crate::{fail, log_to_stderr};

/// What `m2m forwarder` takes.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The gateway.
    #[arg(long, value_name = "udp://ADDRESS[:PORT]", value_parser = Endpoint::parse)]
    gateway: Endpoint,
    /// Where clients send to; may be given several times. Port 0 is any free one. Default: loopback, port 1885.
    #[arg(long, value_name = "udp://ADDRESS[:PORT]", value_parser = Endpoint::parse)]
    listen: Vec<Endpoint>,
    /// The group, or the broadcast address, in which clients look for gateways. Default port 1883.
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = group)]
    multicast: Option<SocketAddr>,
    /// Be a member of the group on this network interface only.
    #[arg(long, value_name = "NAME", requires = "multicast")]
    interface: Option<String>,
    /// Clients that are remembered; the one that was silent for the longest time gives way.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    max_nodes: u32,
    /// Say more: -v counters at the end, -vv everything; the variable `M2M_LOG` filters finer, as in `m2m=debug`.
    #[arg(short, long, action = ArgAction::Count)]
    verbose: u8,
}

#[derive(Debug, Error)]
enum Error {
    #[error(transparent)]
    Gateway(#[from] gateway::Error),
    #[error("{0} has no address")]
    NoAddress(Endpoint),
    #[error("cannot start: {0}")]
    Start(#[from] io::Error),
}

/// A client: where it is, and what an answer has to leave with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Node {
    address: SocketAddr,
    socket: usize,
    source: Source,
}

/// Forwards until a signal ends it.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    log_to_stderr(["info", "m2m=debug,info", "trace"][usize::from(arguments.verbose.min(2))]);
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
    let ended = runtime.map_err(Error::Start).and_then(|runtime| runtime.block_on(serve(arguments)));
    ended.map_or_else(|problem| fail(&problem, 1), |()| ExitCode::SUCCESS)
}

async fn serve(arguments: &Arguments) -> Result<(), Error> {
    let mut signals = Signals::new()?;
    let gateway =
        *arguments.gateway.addresses.first().ok_or_else(|| Error::NoAddress(arguments.gateway.clone()))?;
    let any =
        if gateway.is_ipv4() { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { IpAddr::V6(Ipv6Addr::UNSPECIFIED) };
    let uplink = Socket::bind(SocketAddr::new(any, 0))?;
    let sockets = listen(&arguments.listen)?;
    let group = match arguments.multicast {
        Some(address) => Some(gateway::join(address, arguments.interface.as_deref())?),
        None => None,
    };
    info!("forwarding to {}", arguments.gateway);
    let clock = Clock::start();
    let config = Config { max_nodes: arguments.max_nodes, ..Config::default() };
    let forwarder = RefCell::new(Forwarder::new(config, 0, clock.now()));
    let relay = Rc::new(Relay { clock, forwarder, gateway, uplink, sockets, group });
    for index in 0..relay.sockets.len() {
        spawn_local(Rc::clone(&relay).serve_nodes(index));
    }
    spawn_local(Rc::clone(&relay).serve_group());
    spawn_local(Rc::clone(&relay).serve_gateway());
    signals.next().await;
    debug!("{:?}", relay.forwarder.borrow().counters());
    info!("ended");
    Ok(())
}

struct Relay {
    clock: Clock,
    forwarder: RefCell<Forwarder<Node>>,
    gateway: SocketAddr,
    /// What the gateway sees of the forwarder.
    uplink: Socket,
    sockets: Vec<Socket>,
    group: Option<Group>,
}

impl Relay {
    async fn serve_nodes(self: Rc<Self>, index: usize) {
        let Some(socket) = self.sockets.get(index) else { return };
        let several = socket.local_addr().ip().is_unspecified();
        let mut buffer = vec![0; MAX_DATAGRAM];
        loop {
            match socket.receive(&mut buffer).await {
                Ok(Received::Datagram(arrival)) => {
                    let source = if several { arrival.source() } else { Source::default() };
                    let node = Node { address: arrival.from, socket: index, source };
                    self.forward(node, buffer.get(..arrival.len).unwrap_or_default()).await;
                }
                Ok(Received::Unreachable(_)) => {}
                Err(problem) => return error!("cannot receive on udp://{}: {problem}", socket.local_addr()),
            }
        }
    }

    /// What nodes send to all is for the gateway, too.
    async fn serve_group(self: Rc<Self>) {
        let Some(group) = &self.group else { return };
        let same = |socket: &Socket| socket.local_addr().is_ipv4() == group.address().is_ipv4();
        let socket = self.sockets.iter().position(same).unwrap_or(0);
        let mut buffer = vec![0; MAX_DATAGRAM];
        loop {
            match group.receive(&mut buffer).await {
                Ok((_, from)) if self.sockets.iter().any(|socket| group.is_echo(from, socket)) => {}
                Ok((len, address)) => {
                    let node = Node { address, socket, source: Source::default() };
                    self.forward(node, buffer.get(..len).unwrap_or_default()).await;
                }
                Err(problem) => return error!("cannot receive on {}: {problem}", group.address()),
            }
        }
    }

    async fn serve_gateway(self: Rc<Self>) {
        let mut buffer = vec![0; MAX_DATAGRAM];
        let mut missing = false;
        loop {
            match self.uplink.receive(&mut buffer).await {
                Ok(Received::Datagram(arrival)) if arrival.from == self.gateway => {
                    missing = false;
                    let bytes = buffer.get(..arrival.len).unwrap_or_default();
                    self.forwarder.borrow_mut().handle(Input::Gateway { bytes }, self.clock.now());
                    self.act().await;
                }
                Ok(Received::Datagram(arrival)) => debug!("{} is not the gateway", arrival.from),
                Ok(Received::Unreachable(_)) => {
                    if !core::mem::replace(&mut missing, true) {
                        warn!("no gateway at {}: nobody listens there", self.gateway);
                    }
                }
                Err(problem) => return error!("cannot receive from the gateway: {problem}"),
            }
        }
    }

    async fn forward(&self, node: Node, bytes: &[u8]) {
        let id = (AddressFormat::SOCKET.write)(&node.address);
        self.forwarder.borrow_mut().handle(Input::Node { from: node, id: &id, bytes }, self.clock.now());
        self.act().await;
    }

    async fn act(&self) {
        loop {
            let action = self.forwarder.borrow_mut().poll_action();
            let sent = match action {
                None => return,
                Some(Action::ToGateway(datagram)) => {
                    self.uplink.send(&datagram, self.gateway, Source::default()).await
                }
                Some(Action::ToNode { node, datagram }) => match self.sockets.get(node.socket) {
                    Some(socket) => socket.send(&datagram, node.address, node.source).await,
                    None => Ok(()),
                },
                Some(Action::Broadcast { datagram, .. }) => {
                    if let Some(group) = &self.group {
                        for socket in &self.sockets {
                            group.send(&datagram, socket).await;
                        }
                    }
                    Ok(())
                }
            };
            if let Err(problem) = sent {
                debug!("cannot send: {problem}");
            }
        }
    }
}
