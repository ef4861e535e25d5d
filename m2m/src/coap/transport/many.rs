//! Many datagrams at a time: a server that is busy pays for one look at the clock, at its files and at the operating system
//! for all that wait.

use core::net::SocketAddr;
use core::ops::Deref;
use std::io::{self, ErrorKind};

use tokio::io::Interest;

use super::{Arrival, MAX_DATAGRAM, Socket, Source, is_of_a_datagram};

/// Datagrams that are taken or sent at a time.
const MANY: usize = 32;

/// A datagram that is to be sent, and where it leaves.
pub(crate) type Outgoing<B> = (SocketAddr, Source, B);

/// What has come at a socket, see [`Socket::receive_many`].
pub(crate) struct Inbox {
    /// Room for [`MANY`] datagrams of any size; the operating system gives memory only to what is used.
    bytes: Vec<u8>,
    arrivals: Vec<Arrival>,
    headers: system::Headers,
}

impl Inbox {
    pub(crate) fn new() -> Self {
        Self {
            bytes: vec![0; MANY * MAX_DATAGRAM],
            arrivals: Vec::with_capacity(MANY),
            headers: system::Headers::new(),
        }
    }

    /// What came, in order.
    pub(crate) fn datagrams(&self) -> impl Iterator<Item = (&Arrival, &[u8])> {
        let rooms = self.bytes.chunks(MAX_DATAGRAM);
        self.arrivals
            .iter()
            .zip(rooms)
            .map(|(arrival, room)| (arrival, room.get(..arrival.len).unwrap_or(room)))
    }
}

impl Socket {
    /// As [`receive`](Self::receive), but takes all datagrams that are there, as far as there is room. Returns the peer that
    /// cannot be reached, if that is what there was.
    pub(crate) async fn receive_many(&self, inbox: &mut Inbox) -> io::Result<Option<SocketAddr>> {
        inbox.arrivals.clear();
        loop {
            let ready = self.udp.ready(Interest::READABLE | Interest::ERROR).await?;
            if ready.is_error()
                && let Some(peer) = self.unreachable(&mut inbox.bytes)?
            {
                return Ok(Some(peer));
            }
            let taken = self.udp.try_io(Interest::READABLE, || {
                self.take_many(inbox)?;
                // There are no more: that is what this error says, and the next look waits.
                if inbox.arrivals.len() < MANY { Err(ErrorKind::WouldBlock.into()) } else { Ok(()) }
            });
            match taken {
                _ if !inbox.arrivals.is_empty() => return Ok(None),
                Err(error) if error.kind() != ErrorKind::WouldBlock && !is_of_a_datagram(&error) => {
                    return Err(error);
                }
                _ => {}
            }
        }
    }

    /// Fills the inbox until it is full or nothing is left.
    fn take_many(&self, inbox: &mut Inbox) -> io::Result<()> {
        if self.has_one_address && system::CAN_DO_MANY {
            return system::receive(self, inbox);
        }
        for room in inbox.bytes.chunks_mut(MAX_DATAGRAM) {
            match self.next_datagram(room) {
                Ok(arrival) => inbox.arrivals.push(arrival),
                Err(error) if inbox.arrivals.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(())
    }

    /// Sends datagrams, in order. What cannot be sent is left out, and `failed` told why.
    pub(crate) async fn send_many<B: Deref<Target = [u8]>>(
        &self,
        mut datagrams: &[Outgoing<B>],
        failed: impl Fn(SocketAddr, &io::Error),
    ) {
        while let Some((to, source, first)) = datagrams.first() {
            let mut sent = self.send_alike(datagrams).await;
            if sent == 0 {
                if let Err(problem) = self.send(first, *to, *source).await {
                    failed(*to, &problem);
                }
                sent = 1;
            }
            datagrams = datagrams.get(sent..).unwrap_or_default();
        }
    }

    /// Sends the first of these, as far as the operating system can do it at once; returns how many these are.
    async fn send_alike<B: Deref<Target = [u8]>>(&self, datagrams: &[Outgoing<B>]) -> usize {
        let alike = datagrams.iter().take_while(|(_, source, _)| *source == Source::default());
        let (together, _) = datagrams.split_at(alike.take(MANY).count());
        if together.len() < 2 || !system::CAN_DO_MANY {
            return 0;
        }
        for (to, _, datagram) in together {
            self.sent.borrow_mut().note(*to, datagram);
        }
        self.udp.async_io(Interest::WRITABLE, || system::send(self, together)).await.unwrap_or(0)
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd", target_os = "netbsd"))]
mod system {
    use core::ops::Deref;
    use std::io::{self, IoSlice, IoSliceMut};
    use std::os::fd::AsRawFd;

    use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, sendmmsg};

    use super::super::address;
    use super::{Arrival, Inbox, MANY, MAX_DATAGRAM, Outgoing, Socket};

    pub(super) const CAN_DO_MANY: bool = true;

    /// Where the operating system writes who has sent a datagram.
    pub(super) struct Headers(MultiHeaders<SockaddrStorage>);

    impl Headers {
        pub(super) fn new() -> Self {
            Self(MultiHeaders::preallocate(MANY, None))
        }
    }

    pub(super) fn receive(socket: &Socket, inbox: &mut Inbox) -> io::Result<()> {
        let Inbox { bytes, arrivals, headers } = inbox;
        let mut rooms: Vec<_> = bytes.chunks_mut(MAX_DATAGRAM).map(|room| [IoSliceMut::new(room)]).collect();
        let descriptor = socket.udp.as_raw_fd();
        let came = recvmmsg(descriptor, &mut headers.0, rooms.iter_mut(), MsgFlags::empty(), None)?;
        arrivals.extend(came.map(|message| {
            let from = message.address.as_ref().and_then(address);
            // A sender that nothing can be sent to is no sender: what it says is nothing.
            let len = if from.is_some() { message.bytes } else { 0 };
            Arrival { len, from: from.unwrap_or(socket.local), to: None, interface: 0 }
        }));
        Ok(())
    }

    /// How many have been sent; an error is one of the first.
    pub(super) fn send<B: Deref<Target = [u8]>>(
        socket: &Socket,
        datagrams: &[Outgoing<B>],
    ) -> io::Result<usize> {
        let parts: Vec<_> = datagrams.iter().map(|(_, _, datagram)| [IoSlice::new(datagram)]).collect();
        let to: Vec<_> = datagrams.iter().map(|(to, _, _)| Some(SockaddrStorage::from(*to))).collect();
        let mut headers = MultiHeaders::preallocate(datagrams.len(), None);
        let descriptor = socket.udp.as_raw_fd();
        let sent = sendmmsg(descriptor, &mut headers, &parts, &to, [], MsgFlags::empty())?;
        Ok(sent.count())
    }
}

/// Systems that do one datagram at a time.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd", target_os = "netbsd")))]
mod system {
    use std::io;

    use super::{Inbox, Outgoing, Socket};

    pub(super) const CAN_DO_MANY: bool = false;

    pub(super) struct Headers;

    impl Headers {
        pub(super) fn new() -> Self {
            Self
        }
    }

    pub(super) fn receive(_: &Socket, _: &mut Inbox) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn send<B>(_: &Socket, _: &[Outgoing<B>]) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
