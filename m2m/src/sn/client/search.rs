//! `m2m sn search`.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::time::Duration;
use std::io::{self, Write};

use clap::{ArgAction, Args};
use mqttsn_codec::{Packet, SearchGw};
use mqttsn_core::client::AddressFormat;
use tokio::time::{sleep_until, timeout_at};
use tracing::{debug, trace};

use super::arguments::addresses;
use super::failure::Failure;
use super::session::{broken, join};
use crate::client::seconds;
use crate::clock::Clock;
use crate::coap::transport::{Arrival, MAX_DATAGRAM, Received, Socket, Source};
use crate::sn::address::{GROUP_PORT, PORT, group};
use crate::sn::group::Group;

/// What `m2m sn search` takes.
#[derive(Args, Debug)]
pub(crate) struct SearchArguments {
    /// Look in this group, or by the broadcast address [default: 225.1.1.1, port 1883].
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = group)]
    multicast: Option<SocketAddr>,
    /// Look on this network interface only.
    #[arg(long, value_name = "NAME")]
    interface: Option<String>,
    /// Ask this machine, not a group.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["multicast", "interface"])]
    host: Option<String>,
    /// Its UDP port.
    #[arg(short, long, default_value_t = PORT)]
    port: u16,
    /// The broadcast radius, in hops; 0 for the whole network.
    #[arg(long, value_name = "HOPS", default_value_t = 0)]
    radius: u8,
    /// Wait for answers for so many seconds; the question is asked twice in this time.
    #[arg(short = 'W', long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    timeout: Duration,
    /// End after so many gateways.
    #[arg(short = 'C', long, value_name = "GATEWAYS", value_parser = clap::value_parser!(u32).range(1..))]
    count: Option<u32>,
    /// Say on standard error what happens; twice: every datagram.
    #[arg(short, long, action = ArgAction::Count)]
    debug: u8,
}

impl SearchArguments {
    pub(super) fn debug(&self) -> u8 {
        self.debug
    }
}

/// Asks, and prints who answers.
pub(super) async fn run(arguments: SearchArguments) -> Result<(), Failure> {
    let default = SocketAddr::from(([225, 1, 1, 1], GROUP_PORT));
    let (group, hosts) = if let Some(host) = &arguments.host {
        (None, addresses(host, arguments.port)?)
    } else {
        let address = arguments.multicast.unwrap_or(default);
        (Some(join(address, arguments.interface.as_deref())?), Vec::new())
    };
    let v4 = group.as_ref().map(Group::address).or(hosts.first().copied()).is_none_or(|to| to.is_ipv4());
    let any = if v4 { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { IpAddr::V6(Ipv6Addr::UNSPECIFIED) };
    let socket = Socket::bind(SocketAddr::new(any, 0))
        .map_err(|error| Failure::Other(format!("cannot open a socket: {error}")))?;
    let found = Vec::new();
    let mut search = Search { socket, group, hosts, found, left: arguments.count };
    let clock = Clock::start();
    let (now, half) = (clock.now(), arguments.timeout / 2);
    for until in [now + half, now + arguments.timeout] {
        search.ask(arguments.radius).await?;
        let listened = timeout_at(clock.timer(until), search.listen()).await;
        if let Ok(ended) = listened {
            ended?;
            return Ok(());
        }
    }
    sleep_until(clock.timer(now + arguments.timeout)).await;
    if search.found.is_empty() { Err(Failure::NoAnswer(search.hosts.first().copied())) } else { Ok(()) }
}

struct Search {
    socket: Socket,
    group: Option<Group>,
    hosts: Vec<SocketAddr>,
    found: Vec<(u8, SocketAddr)>,
    left: Option<u32>,
}

impl Search {
    async fn ask(&self, radius: u8) -> Result<(), Failure> {
        let mut datagram = Vec::new();
        let packet = Packet::SearchGw(SearchGw { radius });
        packet.encode(&mut datagram).map_err(|error| Failure::Other(error.to_string()))?;
        if let Some(group) = &self.group {
            debug!("looking for gateways by {}", group.address());
            group.send(&datagram, &self.socket).await;
        }
        for host in &self.hosts {
            debug!("asking {host}");
            let sent = self.socket.send(&datagram, *host, Source::default()).await;
            sent.map_err(|error| Failure::Other(format!("cannot send to {host}: {error}")))?;
        }
        Ok(())
    }

    /// Until there are enough gateways, or nobody can answer.
    async fn listen(&mut self) -> Result<(), Failure> {
        let (mut own, mut shared) = (vec![0; MAX_DATAGRAM], vec![0; MAX_DATAGRAM]);
        while self.left != Some(0) {
            let heard = async {
                match &self.group {
                    Some(group) => group.receive(&mut shared).await,
                    None => core::future::pending().await,
                }
            };
            let (from, datagram) = tokio::select! {
                received = self.socket.receive(&mut own) => match received.map_err(broken)? {
                    Received::Datagram(Arrival { len, from, .. }) => (from, own.get(..len)),
                    Received::Unreachable(_) => continue,
                },
                received = heard => {
                    let (len, from) = received.map_err(broken)?;
                    (from, shared.get(..len))
                }
            };
            let datagram = datagram.unwrap_or_default().to_vec();
            trace!("received from {from}: {datagram:02x?}");
            self.take(from, &datagram)?;
        }
        Ok(())
    }

    fn take(&mut self, from: SocketAddr, datagram: &[u8]) -> Result<(), Failure> {
        let gateway = match Packet::decode(datagram) {
            Ok(Packet::Advertise(advertise)) => (advertise.gateway_id, from),
            Ok(Packet::GwInfo(info)) => {
                // Another client says where one is.
                let address = match info.address {
                    Some(octets) => (AddressFormat::SOCKET.read)(octets),
                    None => Some(from),
                };
                let Some(address) = address else { return Ok(()) };
                (info.gateway_id, address)
            }
            _ => return Ok(()),
        };
        if !self.found.contains(&gateway) {
            self.found.push(gateway);
            self.left = self.left.map(|left| left.saturating_sub(1));
            writeln!(io::stdout(), "{} {}", gateway.0, gateway.1).map_err(Failure::output)?;
        }
        Ok(())
    }
}
