//! Connections to the MQTT server: one task for each.

use alloc::rc::Rc;
use core::cell::Cell;
use core::time::Duration;
use std::io::{self, ErrorKind, IoSlice};

use mqttsn_core::gateway::{Input, UpstreamId};
use tokio::io::Interest;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::engine::Engine;
use super::stream::Stream;

/// Chunks of one vectored write.
const CHUNKS: usize = 64;
/// How long the last bytes may take to leave, and the server to end its side.
const FAREWELL: Duration = Duration::from_secs(5);

/// What the engine tells the task of a connection.
#[derive(Debug, Default)]
pub(super) struct Upstream {
    wake: Notify,
    closing: Cell<bool>,
}

impl Upstream {
    /// There is output.
    pub(super) fn write(&self) {
        self.wake.notify_one();
    }

    /// The connection is to be closed after its output.
    pub(super) fn close(&self) {
        self.closing.set(true);
        self.wake.notify_one();
    }

    async fn closed(&self) {
        while !self.closing.get() {
            self.wake.notified().await;
        }
    }
}

impl Engine {
    /// A connection from its opening to its end.
    pub(super) async fn connect(
        self: Rc<Self>,
        id: UpstreamId,
        server: Option<Box<str>>,
        upstream: Rc<Upstream>,
    ) {
        let problem = self.carry(id, server.as_deref(), &upstream).await.err();
        self.turn(|state, now| state.closed(id, problem, now));
        self.flush().await;
    }

    async fn carry(
        self: &Rc<Self>,
        id: UpstreamId,
        server: Option<&str>,
        upstream: &Upstream,
    ) -> io::Result<()> {
        let stream = tokio::select! {
            stream = self.broker.open(server) => stream?,
            () = upstream.closed() => return Ok(()),
        };
        self.input(Input::Opened(id)).await;
        let result = self.exchange(id, &stream, upstream).await;
        self.broker.ended(&stream);
        result?;
        _ = timeout(FAREWELL, self.part(id, stream)).await;
        Ok(())
    }

    /// Reads and writes until the connection is to be closed, or is.
    async fn exchange(
        self: &Rc<Self>,
        id: UpstreamId,
        stream: &Stream,
        upstream: &Upstream,
    ) -> io::Result<()> {
        loop {
            let all = self.write(id, stream)?;
            self.flush().await;
            if upstream.closing.get() {
                return Ok(());
            }
            let interest = if all { Interest::READABLE } else { Interest::READABLE | Interest::WRITABLE };
            tokio::select! {
                ready = stream.ready(interest) => ready?,
                () = upstream.wake.notified() => continue,
            }
            match self.read(id, stream) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) if is_temporary(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn read(self: &Rc<Self>, id: UpstreamId, stream: &Stream) -> io::Result<usize> {
        let mut buffer = self.buffer.borrow_mut();
        let len = stream.try_read(&mut buffer)?;
        if let Some(bytes) = buffer.get(..len).filter(|bytes| !bytes.is_empty()) {
            self.turn(|state, now| state.handle(Input::Bytes { upstream: id, bytes }, now));
        }
        Ok(len)
    }

    /// Writes until the output or the room in the socket ends; whether it was the output.
    fn write(self: &Rc<Self>, id: UpstreamId, stream: &Stream) -> io::Result<bool> {
        loop {
            let result = {
                let state = self.state.borrow();
                let output = state.gateway.output(id);
                let chunks: Vec<IoSlice<'_>> = output.take(CHUNKS).map(IoSlice::new).collect();
                if chunks.is_empty() {
                    return Ok(true);
                }
                stream.try_write_vectored(&chunks)
            };
            match result {
                Ok(bytes) => self.turn(|state, now| state.handle(Input::Sent { upstream: id, bytes }, now)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends the last bytes and waits for the server to close: a connection that is closed with bytes unread takes back
    /// what it has sent.
    async fn part(self: &Rc<Self>, id: UpstreamId, mut stream: Stream) -> io::Result<()> {
        while !self.write(id, &stream)? {
            stream.ready(Interest::WRITABLE).await?;
        }
        stream.finish().await
    }
}

fn is_temporary(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
