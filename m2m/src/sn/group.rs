//! The group, or the broadcast address, by which gateways and clients find each other (§6.1).

use core::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::io;
use std::net::UdpSocket as StdSocket;
use std::os::fd::AsRawFd;

use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrStorage, bind, setsockopt, socket, sockopt,
};
use tokio::net::UdpSocket;
use tracing::debug;

use crate::coap::transport::{Interface, Socket, Source};

/// A member of a group. What it sends leaves from a socket of its own, so that everybody learns the address of that; it
/// goes to the machines of the link (a TTL of 1), whatever radius a message asks for.
pub(crate) struct Group {
    address: SocketAddr,
    udp: UdpSocket,
    interfaces: Vec<Interface>,
}

impl Group {
    /// Joins, on this network interface or on all. Must be called within a tokio runtime.
    pub(crate) fn open(address: SocketAddr, interface: Option<&str>) -> io::Result<Self> {
        let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let descriptor = socket(family, SockType::Datagram, flags, None)?;
        // Several programs of a machine may be members.
        setsockopt(&descriptor, sockopt::ReuseAddr, &true)?;
        if address.is_ipv6() {
            setsockopt(&descriptor, sockopt::Ipv6V6Only, &true)?;
        }
        bind(descriptor.as_raw_fd(), &SockaddrStorage::from(local(address)))?;
        let udp = UdpSocket::from_std(StdSocket::from(descriptor))?;
        let mut interfaces = Interface::all()?;
        interfaces.retain(|found| {
            found.address.is_ipv4() == address.is_ipv4() && interface.is_none_or(|name| name == found.name)
        });
        if address.ip().is_multicast() {
            interfaces.retain(|found| join(&udp, address.ip(), found));
        }
        if interfaces.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::AddrNotAvailable,
                "no network interface can be a member",
            ));
        }
        Ok(Self { address, udp, interfaces })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for a datagram that was sent to all. May be dropped and asked for again.
    pub(crate) async fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.udp.recv_from(buffer).await
    }

    /// Whether the datagram was sent by this socket, and came back.
    pub(crate) fn is_echo(&self, from: SocketAddr, socket: &Socket) -> bool {
        from.port() == socket.local_addr().port()
            && (from.ip() == socket.local_addr().ip()
                || self.interfaces.iter().any(|interface| interface.address == from.ip()))
    }

    /// Sends to all, from this socket, on every interface that it can leave at.
    pub(crate) async fn send(&self, datagram: &[u8], socket: &Socket) {
        for source in self.sources(socket.local_addr().ip()) {
            if let Err(problem) = socket.send(datagram, self.address, source).await {
                debug!("cannot send to {} on interface {}: {problem}", self.address, source.interface);
            }
        }
    }

    fn sources(&self, local: IpAddr) -> Vec<Source> {
        if local.is_ipv4() != self.address.is_ipv4() {
            return Vec::new();
        }
        let can_leave = |interface: &&Interface| local.is_unspecified() || interface.address == local;
        let mut interfaces: Vec<&Interface> = self.interfaces.iter().filter(can_leave).collect();
        interfaces.sort_by_key(|interface| interface.index);
        interfaces.dedup_by_key(|interface| interface.index);
        let source = |interface: &Interface| Source {
            // Else the system may prefer an address of another interface.
            address: interface.address.is_ipv4().then_some(interface.address),
            interface: interface.index,
        };
        interfaces.into_iter().map(source).collect()
    }
}

/// What to bind to: the group, so that nothing else comes in, as far as the system takes that for an address.
fn local(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(group) if group.ip().is_multicast() => address,
        SocketAddr::V4(_) => SocketAddr::from(([0; 4], address.port())),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, address.port())),
    }
}

fn join(udp: &UdpSocket, group: IpAddr, interface: &Interface) -> bool {
    match (group, interface.address) {
        (IpAddr::V4(group), IpAddr::V4(address)) => is_member(udp.join_multicast_v4(group, address)),
        (IpAddr::V6(group), IpAddr::V6(_)) => is_member(udp.join_multicast_v6(&group, interface.index)),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

/// An interface with several addresses is a member after the first.
fn is_member(joined: io::Result<()>) -> bool {
    joined.map_or_else(|error| error.kind() == io::ErrorKind::AddrInUse, |()| true)
}
