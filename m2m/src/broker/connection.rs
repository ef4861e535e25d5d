//! One connection: what is kept of it, and how it is read and ended. With `output`, the files that know what carries the
//! bytes.

use alloc::rc::Rc;
use core::time::Duration;
use std::io::{ErrorKind, Read};

use machine::Instant;
use mio::event::Event;
use mqtt_core::{ConnectionId, Input};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::spawn_local;
use tokio::time::timeout;

use super::access::Client;
use super::engine::State;
use super::local::Carrier;

/// How long a client may take to read what was sent before its connection is closed.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a closed socket stays open for a client that is still sending, see [`linger`].
const LINGER: Duration = Duration::from_secs(1);
const MAX_LINGERING: usize = 256;
/// Output is written at the latest when so many bytes have come in: what they cause must find room in the outputs.
const FLUSH_AFTER: usize = 16 << 10;
/// The longest read before a client is let in: what it sends too early has to be kept while its password is checked.
const FIRST_READ: usize = 4 << 10;

/// What is kept of an open connection. There are many of them, most of them idle.
#[expect(clippy::struct_excessive_bools, reason = "independent facts, a byte each")]
pub(super) struct Connection {
    pub(super) id: ConnectionId,
    pub(super) stream: Carrier,
    /// Who is on it, if that matters to anything it may do.
    pub(super) client: Option<Box<Client>>,
    /// What was read but not taken by the broker; nothing more is read until it is.
    unread: Option<Box<[u8]>>,
    /// The broker takes `unread` now.
    pub(super) resumed: bool,
    /// It stands among those with output that nobody has tried to write yet.
    pub(super) dirty: bool,
    /// The socket has no room.
    pub(super) blocked: bool,
    /// The client sends no more, or the connection broke: reading will tell.
    ended: bool,
    /// The client was let in.
    pub(super) connected: bool,
    /// To be closed once its output has left.
    pub(super) closing: bool,
    /// Its time to take the output is being measured.
    pub(super) leaving: bool,
    /// The client does not know yet that it is over.
    pub(super) linger: bool,
    /// The socket takes no more.
    pub(super) broken: bool,
}

/// What to do with a connection next.
enum Step {
    Wait,
    /// There may be more to read.
    Again,
    End,
}

impl Connection {
    pub(super) fn new(id: ConnectionId, stream: Carrier) -> Self {
        Self {
            id,
            stream,
            client: None,
            unread: None,
            resumed: false,
            dirty: false,
            blocked: false,
            ended: false,
            connected: false,
            closing: false,
            leaving: false,
            linger: false,
            broken: false,
        }
    }
}

impl State {
    /// The operating system has something for a connection. It says so once: what is not read now is read in a later
    /// turn that we ask for ourselves.
    pub(super) fn wake(&mut self, event: &Event, now: Instant) {
        let Some(Some(connection)) = self.connections.get_mut(event.token().0) else { return };
        let id = connection.id;
        connection.ended |= event.is_read_closed() || event.is_error();
        if connection.blocked && event.is_writable() {
            connection.blocked = false;
            self.write_soon(id);
        }
        if event.is_readable() || event.is_read_closed() || event.is_error() {
            self.serve(id, now);
        }
    }

    /// The other end of a connection without a socket has read or written, or is closed.
    pub(super) fn wake_local(&mut self, id: ConnectionId, now: Instant) {
        let Some(connection) = self.connection(id) else { return };
        if core::mem::take(&mut connection.blocked) {
            self.write_soon(id);
        }
        self.serve(id, now);
    }

    /// A connection's turn: reads once.
    pub(super) fn serve(&mut self, id: ConnectionId, now: Instant) {
        match self.step(id, now) {
            Step::Wait => {}
            Step::Again => self.again.push(id),
            Step::End => self.end(id, now),
        }
    }

    fn step(&mut self, id: ConnectionId, now: Instant) -> Step {
        let Some(connection) = self.connection(id) else { return Step::Wait };
        if connection.broken {
            Step::End
        } else if connection.closing {
            Step::Wait
        } else if connection.unread.is_none() {
            self.read(id, now)
        } else if core::mem::take(&mut connection.resumed) {
            let bytes = connection.unread.take().unwrap_or_default();
            self.offer(id, &bytes, now);
            Step::Again
        } else {
            Step::Wait
        }
    }

    fn read(&mut self, id: ConnectionId, now: Instant) -> Step {
        let mut buffer = core::mem::take(&mut self.buffer);
        let step = match self.connection(id) {
            None => Step::Wait,
            Some(connection) => {
                let room = if connection.connected { buffer.len() } else { FIRST_READ };
                let ended = connection.ended;
                match connection.stream.read(&mut buffer[..room]) {
                    Ok(0) => Step::End,
                    Ok(count) => {
                        self.offer(id, &buffer[..count], now);
                        // A short read has emptied the socket: it costs no second system call.
                        if count < room && !ended { Step::Wait } else { Step::Again }
                    }
                    Err(error) => match error.kind() {
                        ErrorKind::WouldBlock => Step::Wait,
                        ErrorKind::Interrupted => Step::Again,
                        _ => Step::End,
                    },
                }
            }
        };
        self.buffer = buffer;
        step
    }

    /// Gives the broker what has come, and keeps what it does not take.
    fn offer(&mut self, id: ConnectionId, mut bytes: &[u8], now: Instant) {
        while !bytes.is_empty() {
            let Some(connection) = self.connection(id).filter(|connection| !connection.closing) else {
                return;
            };
            connection.resumed = false;
            let (part, _) = bytes.split_at(bytes.len().min(FLUSH_AFTER));
            let taken = self.broker.handle(Input::Bytes { connection: id, bytes: part }, now);
            bytes = &bytes[taken..];
            self.act(now);
            self.unflushed += taken;
            if self.unflushed >= FLUSH_AFTER {
                self.flush(now);
            }
            match self.connection(id) {
                Some(connection) if taken < part.len() && !connection.resumed => {
                    connection.unread = Some(bytes.into());
                    return;
                }
                _ => {}
            }
        }
    }

    /// Gives a connection that is to be closed its time to take the rest of its output.
    pub(super) fn leave(&mut self, id: ConnectionId, now: Instant) {
        if let Some(connection) = self.connection(id).filter(|connection| !connection.leaving) {
            connection.leaving = true;
            self.leaving.push_back((now + PATIENCE, id));
        }
    }

    /// The connection is over, on whichever side it ended.
    pub(super) fn end(&mut self, id: ConnectionId, now: Instant) {
        if self.connection(id).is_none() {
            return;
        }
        self.broker.handle(Input::Closed { connection: id }, now);
        self.open -= 1;
        let connection =
            self.connections[id.index()].take().filter(|connection| connection.linger && !connection.broken);
        if let Some(connection) = connection
            && let Carrier::Tcp(stream) = connection.stream
            && Rc::strong_count(&self.lingering) <= MAX_LINGERING
        {
            spawn_local(linger(stream, Rc::clone(&self.lingering)));
        }
    }
}

/// Reads and forgets what a client that was just told to go is still sending: closing the socket with bytes unread would
/// reset the connection, and the client might never see why.
async fn linger(stream: mio::net::TcpStream, _count: Rc<()>) {
    let drain = async {
        let mut stream = tokio::net::TcpStream::from_std(stream.into())?;
        stream.shutdown().await?;
        let mut scrap = [0; 512];
        while stream.read(&mut scrap).await? > 0 {}
        std::io::Result::Ok(())
    };
    _ = timeout(LINGER, drain).await;
}
