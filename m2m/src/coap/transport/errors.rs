//! ICMP errors, vetted as RFC 7252 §4.2 asks.

use alloc::collections::VecDeque;
use core::net::SocketAddr;
use std::io;
use std::os::fd::OwnedFd;

use super::Socket;

/// Datagrams that are remembered: an error about an older one says nothing.
const REMEMBERED: usize = 128;
/// What is remembered of each: header and token.
const HEAD: usize = 12;

/// The heads of what was sent last. An error that cannot show one of them is forged, or about something else.
#[derive(Debug, Default)]
pub(super) struct Sent(VecDeque<(SocketAddr, [u8; HEAD])>);

impl Sent {
    pub(super) fn note(&mut self, to: SocketAddr, datagram: &[u8]) {
        self.0.truncate(REMEMBERED - 1);
        self.0.push_front((to, head(datagram)));
    }

    pub(super) fn contains(&self, to: SocketAddr, datagram: &[u8]) -> bool {
        datagram.len() >= 4 && self.0.contains(&(to, head(datagram)))
    }
}

fn head(datagram: &[u8]) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head.iter_mut().zip(datagram).for_each(|(place, byte)| *place = *byte);
    head
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod queue {
    use std::io::IoSliceMut;
    use std::os::fd::AsRawFd;

    use nix::libc::{self, sock_extended_err, sockaddr_in6};
    use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt};

    use super::super::address;
    use super::{OwnedFd, Socket, SocketAddr, io};

    pub(in super::super) fn ask_for(descriptor: &OwnedFd, local: SocketAddr) -> io::Result<()> {
        if local.is_ipv4() {
            setsockopt(descriptor, sockopt::Ipv4RecvErr, &true)?;
        } else {
            setsockopt(descriptor, sockopt::Ipv6RecvErr, &true)?;
        }
        Ok(())
    }

    impl Socket {
        /// The peer that the next error in the queue is about, `None` if the error says nothing or cannot be vetted.
        pub(in super::super) fn next_error(&self, buffer: &mut [u8]) -> io::Result<Option<SocketAddr>> {
            let mut control = nix::cmsg_space!([sock_extended_err; 2], [sockaddr_in6; 2]);
            let mut parts = [IoSliceMut::new(buffer)];
            let descriptor = self.udp.as_raw_fd();
            let message = recvmsg::<SockaddrStorage>(
                descriptor,
                &mut parts,
                Some(&mut control),
                MsgFlags::MSG_ERRQUEUE,
            )?;
            let mut final_one = false;
            for part in message.cmsgs()? {
                final_one |= match part {
                    ControlMessageOwned::Ipv4RecvErr(error, _)
                    | ControlMessageOwned::Ipv6RecvErr(error, _) => is_final(&error),
                    _ => false,
                };
            }
            let (peer, len) = (message.address.as_ref().and_then(address), message.bytes);
            let original = buffer.get(..len).unwrap_or_default();
            Ok(peer.filter(|&peer| final_one && self.sent.borrow().contains(peer, original)))
        }
    }

    /// Host, network, port or protocol unreachable, and parameter problem (RFC 7252 §4.2); "packet too big" is none of them.
    fn is_final(error: &sock_extended_err) -> bool {
        const FRAGMENTATION_NEEDED: u8 = 4;
        match (error.ee_origin, error.ee_type) {
            (libc::SO_EE_ORIGIN_ICMP, 3) => error.ee_code != FRAGMENTATION_NEEDED,
            (libc::SO_EE_ORIGIN_ICMP, 12) | (libc::SO_EE_ORIGIN_ICMP6, 1 | 4) => true,
            _ => false,
        }
    }
}

/// Systems without a queue of errors cannot say which datagram an error is about: there, errors are ignored.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod queue {
    use super::{OwnedFd, Socket, SocketAddr, io};

    pub(in super::super) fn ask_for(_: &OwnedFd, _: SocketAddr) -> io::Result<()> {
        Ok(())
    }

    impl Socket {
        pub(in super::super) fn next_error(&self, _: &mut [u8]) -> io::Result<Option<SocketAddr>> {
            Err(io::ErrorKind::WouldBlock.into())
        }
    }
}

pub(super) use queue::ask_for;
