//! Connections without a socket: a client in this process writes into one buffer and reads from another.

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use core::cell::{Cell, RefCell};
use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};

use mio::net::TcpStream;
use mqtt_core::ConnectionId;
use tokio::io::Interest;
use tokio::sync::Notify;

use super::engine::Engine;

/// Bytes that one side may be ahead of the other.
const ROOM: usize = 64 << 10;

/// What carries the bytes of a connection.
pub(super) enum Carrier {
    Tcp(TcpStream),
    Local(Local),
}

/// The broker's end of a connection without a socket.
pub(super) struct Local(Rc<Pipe>);

/// The client's end.
pub(crate) struct LocalClient {
    pipe: Rc<Pipe>,
    engine: Rc<Engine>,
    id: ConnectionId,
}

#[derive(Default)]
struct Pipe {
    to_broker: Half,
    to_client: Half,
    /// Something has changed for the client.
    changed: Notify,
}

#[derive(Default)]
struct Half {
    bytes: RefCell<VecDeque<u8>>,
    /// Nothing more will come.
    closed: Cell<bool>,
}

impl Half {
    fn is_readable(&self) -> bool {
        self.closed.get() || !self.bytes.borrow().is_empty()
    }

    fn is_writable(&self) -> bool {
        self.bytes.borrow().len() < ROOM
    }

    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.is_readable() {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.bytes.borrow_mut().read(buffer)
    }

    fn write(&self, chunks: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut bytes = self.bytes.borrow_mut();
        let room = ROOM.saturating_sub(bytes.len());
        if room == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        let mut written = 0;
        for chunk in chunks {
            let (part, rest) = chunk.split_at(chunk.len().min(room - written));
            bytes.extend(part);
            written += part.len();
            if !rest.is_empty() {
                break;
            }
        }
        Ok(written)
    }
}

/// Both ends of a new connection that the broker knows by this number.
pub(super) fn pair(engine: &Rc<Engine>, id: ConnectionId) -> (LocalClient, Carrier) {
    let pipe = Rc::<Pipe>::default();
    let client = LocalClient { pipe: Rc::clone(&pipe), engine: Rc::clone(engine), id };
    (client, Carrier::Local(Local(pipe)))
}

impl Read for Carrier {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Local(Local(pipe)) => {
                let len = pipe.to_broker.read(buffer)?;
                pipe.changed.notify_one();
                Ok(len)
            }
        }
    }

    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        match buffers.first_mut() {
            Some(buffer) => self.read(buffer),
            None => Ok(0),
        }
    }
}

impl Write for Carrier {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, chunks: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write_vectored(chunks),
            Self::Local(Local(pipe)) => {
                let written = pipe.to_client.write(chunks)?;
                pipe.changed.notify_one();
                Ok(written)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.0.to_client.closed.set(true);
        self.0.changed.notify_one();
    }
}

impl LocalClient {
    /// Waits until something can be read, or written if that is asked for. May be dropped and asked for again.
    pub(crate) async fn ready(&self, interest: Interest) -> io::Result<()> {
        let is_ready = || {
            self.pipe.to_client.is_readable() || (interest.is_writable() && self.pipe.to_broker.is_writable())
        };
        while !is_ready() {
            self.pipe.changed.notified().await;
        }
        Ok(())
    }

    pub(crate) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let was_full = !self.pipe.to_client.is_writable();
        let len = self.pipe.to_client.read(buffer)?;
        if was_full {
            self.engine.wake(self.id);
        }
        Ok(len)
    }

    pub(crate) fn try_write_vectored(&self, chunks: &[IoSlice<'_>]) -> io::Result<usize> {
        if self.pipe.to_client.closed.get() {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let written = self.pipe.to_broker.write(chunks)?;
        self.engine.wake(self.id);
        Ok(written)
    }

    /// Nothing more will be written: waits until the broker has closed.
    pub(crate) async fn finish(&self) {
        self.close();
        while !self.pipe.to_client.closed.get() {
            self.pipe.changed.notified().await;
        }
    }

    fn close(&self) {
        if !self.pipe.to_broker.closed.replace(true) {
            self.engine.wake(self.id);
        }
    }
}

impl Drop for LocalClient {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_takes_so_much_and_no_more() {
        let half = Half::default();
        let mut buffer = vec![0; 2 * ROOM];
        assert_eq!(half.read(&mut buffer).unwrap_err().kind(), ErrorKind::WouldBlock);
        let large = vec![7; ROOM];
        assert_eq!(half.write(&[IoSlice::new(b"ab"), IoSlice::new(&large)]).unwrap(), ROOM);
        assert_eq!(half.write(&[IoSlice::new(b"c")]).unwrap_err().kind(), ErrorKind::WouldBlock);
        // A ring is read in two parts.
        let mut read = 0;
        while let Ok(len) = half.read(&mut buffer[read..]) {
            read += len;
        }
        assert_eq!((read, &buffer[..3]), (ROOM, &b"ab\x07"[..]));
        half.closed.set(true);
        assert_eq!(half.read(&mut buffer).unwrap(), 0, "the end");
    }
}
