//! A UDP socket with what CoAP needs of one: to which address a datagram was sent, sending from that address, groups, and
//! ICMP errors.

mod errors;
mod groups;
mod many;

use core::cell::RefCell;
use core::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::net::UdpSocket as StdSocket;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::libc::{in_addr, in_pktinfo, in6_addr, in6_pktinfo};
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, SockaddrStorage, bind,
    recvmsg, sendmsg, setsockopt, socket, sockopt,
};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use self::errors::Sent;
pub(crate) use self::groups::Interface;
pub(crate) use self::many::{Inbox, Outgoing};

/// The port of `coap` (RFC 7252 §6.1).
pub(crate) const PORT: u16 = 5683;
/// Room for any datagram.
pub(crate) const MAX_DATAGRAM: usize = 65_535;

/// Speaks IPv4 or IPv6, never both: mapped addresses are left to nobody.
pub(crate) struct Socket {
    udp: UdpSocket,
    local: SocketAddr,
    /// It is bound to a single address: nothing need be asked of where a datagram was sent to, or said of where one leaves.
    has_one_address: bool,
    sent: RefCell<Sent>,
}

/// What [`Socket::receive`] has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// It is in the first bytes of the buffer.
    Datagram(Arrival),
    /// A router or the peer's machine says that what was sent to this peer cannot get there (RFC 7252 §4.2); vetted.
    Unreachable(SocketAddr),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// The length of the datagram.
    pub(crate) len: usize,
    pub(crate) from: SocketAddr,
    /// The address that it was sent to: one of this machine, or of a group. `None`: the only one that the socket has.
    pub(crate) to: Option<IpAddr>,
    /// The index of the network interface that it came in at, 0 if unknown.
    pub(crate) interface: u32,
}

/// Where a datagram leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Source {
    /// One of this machine's addresses. `None`: as the route says.
    pub(crate) address: Option<IpAddr>,
    /// The index of a network interface; 0: as the route says.
    pub(crate) interface: u32,
}

impl Arrival {
    pub(crate) fn is_multicast(&self) -> bool {
        self.to.is_some_and(|to| to.is_multicast())
    }

    /// Whether nobody else can have sent it: it comes from this machine.
    pub(crate) fn is_verified(&self) -> bool {
        self.from.ip().is_loopback()
    }

    /// What an answer has to leave with, so that it comes from the address that was asked.
    pub(crate) fn source(&self) -> Source {
        let address = self.to.filter(|to| !to.is_multicast());
        let link_local = matches!(address, Some(IpAddr::V6(to)) if to.is_unicast_link_local());
        Source { address, interface: if link_local { self.interface } else { 0 } }
    }
}

impl Socket {
    /// Binds to this address; port 0 is any free one. Must be called within a tokio runtime.
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Self> {
        let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let descriptor = socket(family, SockType::Datagram, flags, None)?;
        let has_one_address = !address.ip().is_unspecified() && !address.ip().is_multicast();
        prepare(&descriptor, address, has_one_address)?;
        bind(descriptor.as_raw_fd(), &SockaddrStorage::from(address))?;
        let udp = UdpSocket::from_std(StdSocket::from(descriptor))?;
        let local = udp.local_addr()?;
        Ok(Self { udp, local, has_one_address, sent: RefCell::default() })
    }

    /// Binds to this address; `[::]` is all addresses of this machine, also those of IPv4 if it has any.
    pub(crate) fn listen(address: SocketAddr) -> io::Result<Vec<Self>> {
        let first = Self::bind(address)?;
        if address.ip() != IpAddr::V6(Ipv6Addr::UNSPECIFIED) {
            return Ok(vec![first]);
        }
        match Self::bind(SocketAddr::from(([0; 4], first.local.port()))) {
            Ok(second) => Ok(vec![first, second]),
            Err(error) if error.raw_os_error() == Some(nix::libc::EAFNOSUPPORT) => Ok(vec![first]),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Waits for a datagram or for news of one that was sent. May be dropped and asked for again.
    pub(crate) async fn receive(&self, buffer: &mut [u8]) -> io::Result<Received> {
        loop {
            let ready = self.udp.ready(Interest::READABLE | Interest::ERROR).await?;
            if ready.is_error()
                && let Some(peer) = self.unreachable(buffer)?
            {
                return Ok(Received::Unreachable(peer));
            }
            match self.udp.try_io(Interest::READABLE, || self.next_datagram(buffer)) {
                Ok(arrival) => return Ok(Received::Datagram(arrival)),
                // The operating system tells an ICMP error here, too; the queue of errors says whom it is about.
                Err(error) if error.kind() == ErrorKind::WouldBlock || is_of_a_datagram(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The peer that the errors in the queue say cannot be reached, if they do.
    fn unreachable(&self, buffer: &mut [u8]) -> io::Result<Option<SocketAddr>> {
        loop {
            match self.udp.try_io(Interest::ERROR, || self.next_error(buffer)) {
                Ok(Some(peer)) => return Ok(Some(peer)),
                Ok(None) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends a datagram, from where `source` says.
    pub(crate) async fn send(&self, datagram: &[u8], to: SocketAddr, source: Source) -> io::Result<()> {
        self.sent.borrow_mut().note(to, datagram);
        let mut pending_errors = 2;
        loop {
            match self.udp.async_io(Interest::WRITABLE, || self.send_now(datagram, to, source)).await {
                // It speaks of a datagram that was sent before, not of this one.
                Err(error) if is_of_a_datagram(&error) && pending_errors > 0 => pending_errors -= 1,
                result => return result,
            }
        }
    }

    fn next_datagram(&self, buffer: &mut [u8]) -> io::Result<Arrival> {
        let mut control = nix::cmsg_space!(in_pktinfo, in6_pktinfo);
        let mut parts = [IoSliceMut::new(buffer)];
        let descriptor = self.udp.as_raw_fd();
        let message =
            recvmsg::<SockaddrStorage>(descriptor, &mut parts, Some(&mut control), MsgFlags::empty())?;
        let from = message.address.as_ref().and_then(address).ok_or(ErrorKind::InvalidData)?;
        let mut arrival = Arrival { len: message.bytes, from, to: None, interface: 0 };
        for part in message.cmsgs()? {
            match part {
                ControlMessageOwned::Ipv4PacketInfo(info) => {
                    arrival.to = Some(IpAddr::from(info.ipi_addr.s_addr.to_ne_bytes()));
                    arrival.interface = u32::try_from(info.ipi_ifindex).unwrap_or(0);
                }
                ControlMessageOwned::Ipv6PacketInfo(info) => {
                    arrival.to = Some(IpAddr::from(info.ipi6_addr.s6_addr));
                    arrival.interface = info.ipi6_ifindex;
                }
                _ => {}
            }
        }
        Ok(arrival)
    }

    fn send_now(&self, datagram: &[u8], to: SocketAddr, source: Source) -> io::Result<()> {
        let (info4, info6);
        let control = match (to, source) {
            (_, Source { address: None, interface: 0 }) => None,
            (SocketAddr::V4(_), _) => {
                info4 = packet_info4(source);
                Some(ControlMessage::Ipv4PacketInfo(&info4))
            }
            (SocketAddr::V6(_), _) => {
                info6 = packet_info6(source);
                Some(ControlMessage::Ipv6PacketInfo(&info6))
            }
        };
        let to = SockaddrStorage::from(to);
        let parts = [IoSlice::new(datagram)];
        sendmsg(self.udp.as_raw_fd(), &parts, control.as_slice(), MsgFlags::empty(), Some(&to))?;
        Ok(())
    }
}

fn prepare(descriptor: &OwnedFd, address: SocketAddr, has_one_address: bool) -> io::Result<()> {
    if address.is_ipv6() {
        setsockopt(descriptor, sockopt::Ipv6V6Only, &true)?;
    }
    match (has_one_address, address) {
        (true, _) => {}
        (false, SocketAddr::V4(_)) => setsockopt(descriptor, sockopt::Ipv4PacketInfo, &true)?,
        (false, SocketAddr::V6(_)) => setsockopt(descriptor, sockopt::Ipv6RecvPacketInfo, &true)?,
    }
    errors::ask_for(descriptor, address)?;
    Ok(())
}

fn packet_info4(source: Source) -> in_pktinfo {
    let address = match source.address {
        Some(IpAddr::V4(address)) => u32::from_ne_bytes(address.octets()),
        _ => 0,
    };
    in_pktinfo {
        ipi_ifindex: source.interface.try_into().unwrap_or(0),
        ipi_spec_dst: in_addr { s_addr: address },
        ipi_addr: in_addr { s_addr: 0 },
    }
}

fn packet_info6(source: Source) -> in6_pktinfo {
    let address = match source.address {
        Some(IpAddr::V6(address)) => address.octets(),
        _ => [0; 16],
    };
    in6_pktinfo { ipi6_addr: in6_addr { s6_addr: address }, ipi6_ifindex: source.interface }
}

/// Without the flow label, which says nothing of who it is.
fn address(storage: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = storage.as_sockaddr_in().map(|&address| SocketAddr::from(address));
    let mut address = v4.or_else(|| storage.as_sockaddr_in6().map(|&address| SocketAddr::from(address)))?;
    if let SocketAddr::V6(address) = &mut address {
        address.set_flowinfo(0);
    }
    Some(address)
}

/// What an ICMP error becomes.
fn is_of_a_datagram(error: &io::Error) -> bool {
    use ErrorKind::{ConnectionRefused, ConnectionReset, HostUnreachable, Interrupted, PermissionDenied};
    matches!(
        error.kind(),
        ConnectionRefused | ConnectionReset | HostUnreachable | Interrupted | PermissionDenied
    ) || matches!(error.raw_os_error(), Some(nix::libc::EPROTO | nix::libc::ENOPROTOOPT))
}

#[cfg(test)]
mod tests;
