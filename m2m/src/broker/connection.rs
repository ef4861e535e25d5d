//! One connection: what is kept of it, and the task that reads. The only file that knows what carries the bytes.

use alloc::rc::Rc;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use machine::Instant;
use mqtt_core::{ConnectionId, Input};
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::spawn_local;
use tokio::time::{Sleep, sleep, timeout};

use super::access::Client;
use super::engine::{Engine, State};

/// How long a client may take to read what was sent before its connection is closed.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a closed socket stays open for a client that is still sending, see [`linger`].
const LINGER: Duration = Duration::from_secs(1);
const MAX_LINGERING: usize = 256;
/// Output is written at the latest when so many bytes have come in: what they cause must find room in the outputs.
const FLUSH_AFTER: usize = 16 << 10;

/// What is kept of an open connection. There are many of them, most of them idle.
pub(super) struct Connection {
    pub(super) id: ConnectionId,
    pub(super) writer: OwnedWriteHalf,
    waker: Waker,
    /// Who is on it, if that matters to anything it may do.
    pub(super) client: Option<Box<Client>>,
    /// What was read but not taken by the broker; nothing more is read until it is.
    unread: Option<Box<[u8]>>,
    /// The broker takes `unread` now.
    pub(super) resumed: bool,
    /// The socket has no room; the task waits for some.
    pub(super) blocked: bool,
    /// The client was let in.
    pub(super) connected: bool,
    /// To be closed once its output has left.
    pub(super) closing: bool,
    /// The client does not know yet that it is over.
    pub(super) linger: bool,
    /// The socket takes no more.
    pub(super) broken: bool,
}

/// The task of a connection: small, because it lives as long as the connection.
pub(super) struct ConnectionTask {
    engine: Rc<Engine>,
    id: ConnectionId,
    /// Taken out when the connection ends.
    reader: Option<OwnedReadHalf>,
    patience: Option<Pin<Box<Sleep>>>,
}

enum Step {
    Wait,
    /// There may be more to read.
    Again,
    End {
        linger: bool,
    },
}

impl Connection {
    pub(super) fn new(id: ConnectionId, writer: OwnedWriteHalf) -> Self {
        Self {
            id,
            writer,
            waker: Waker::noop().clone(),
            client: None,
            unread: None,
            resumed: false,
            blocked: false,
            connected: false,
            closing: false,
            linger: false,
            broken: false,
        }
    }

    /// Gives its task a turn.
    pub(super) fn wake(&self) {
        self.waker.wake_by_ref();
    }
}

impl ConnectionTask {
    pub(super) fn new(engine: Rc<Engine>, id: ConnectionId, reader: OwnedReadHalf) -> Self {
        Self { engine, id, reader: Some(reader), patience: None }
    }

    fn step(&mut self, state: &mut State, now: Instant, cx: &mut Context<'_>) -> Step {
        let Some(connection) = state.connection(self.id) else { return Step::End { linger: false } };
        connection.waker.clone_from(cx.waker());
        if connection.blocked && connection.writer.as_ref().poll_write_ready(cx).is_ready() {
            connection.blocked = false;
            state.dirty.push(self.id);
        }
        let Some(connection) = state.connection(self.id) else { return Step::End { linger: false } };
        if connection.broken {
            Step::End { linger: false }
        } else if connection.closing {
            self.finish(state, cx)
        } else if connection.unread.is_none() {
            self.read(state, now, cx)
        } else if core::mem::take(&mut connection.resumed) {
            let bytes = connection.unread.take().unwrap_or_default();
            offer(state, self.id, &bytes, now);
            Step::Again
        } else {
            Step::Wait
        }
    }

    fn read(&mut self, state: &mut State, now: Instant, cx: &mut Context<'_>) -> Step {
        let Some(reader) = &mut self.reader else { return Step::End { linger: false } };
        let mut buffer = core::mem::take(&mut state.buffer);
        let mut filled = ReadBuf::new(&mut buffer);
        let step = match Pin::new(reader).poll_read(cx, &mut filled) {
            Poll::Pending => Step::Wait,
            Poll::Ready(Ok(())) if !filled.filled().is_empty() => {
                offer(state, self.id, filled.filled(), now);
                Step::Again
            }
            Poll::Ready(_) => Step::End { linger: false },
        };
        state.buffer = buffer;
        step
    }

    /// Ends the connection once its output has left, or when the client is too slow to take it.
    fn finish(&mut self, state: &mut State, cx: &mut Context<'_>) -> Step {
        if state.broker.output(self.id).next().is_none() {
            let linger = state.connection(self.id).is_some_and(|connection| connection.linger);
            return Step::End { linger };
        }
        let patience = self.patience.get_or_insert_with(|| Box::pin(sleep(PATIENCE)));
        match patience.as_mut().poll(cx) {
            Poll::Ready(()) => Step::End { linger: false },
            Poll::Pending => Step::Wait,
        }
    }

    fn end(&mut self, state: &mut State, linger: bool, now: Instant) {
        let writer = state.remove(self.id, now).map(|connection| connection.writer);
        if linger && state.lingering < MAX_LINGERING {
            drop(writer); // which tells the client that nothing more will come
            if let Some(reader) = self.reader.take() {
                state.lingering += 1;
                spawn_local(self::linger(reader, Rc::clone(&self.engine)));
            }
        } else if let Some(writer) = writer {
            writer.forget(); // the socket is closed as a whole
        }
    }
}

impl Future for ConnectionTask {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let engine = Rc::clone(&self.engine);
        engine.turn(|state, now| {
            // After a short read the second one only waits: it costs no system call.
            let step = match self.step(state, now, cx) {
                Step::Again => self.step(state, now, cx),
                step => step,
            };
            match step {
                Step::Wait => Poll::Pending,
                Step::Again => {
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
                Step::End { linger } => {
                    self.end(state, linger, now);
                    Poll::Ready(())
                }
            }
        })
    }
}

/// Gives the broker what has come, and keeps what it does not take.
fn offer(state: &mut State, id: ConnectionId, mut bytes: &[u8], now: Instant) {
    while !bytes.is_empty() {
        let Some(connection) = state.connection(id) else { return };
        connection.resumed = false;
        let (part, _) = bytes.split_at(bytes.len().min(FLUSH_AFTER));
        let taken = state.broker.handle(Input::Bytes { connection: id, bytes: part }, now);
        bytes = &bytes[taken..];
        state.act(now);
        state.unflushed += taken;
        if state.unflushed >= FLUSH_AFTER {
            state.flush(now);
        }
        let Some(connection) = state.connection(id) else { return };
        if connection.closing {
            return;
        }
        if taken < part.len() && !connection.resumed {
            connection.unread = Some(bytes.into());
            return;
        }
    }
}

/// Reads and forgets what a client that was just told to go is still sending: closing the socket with bytes unread would
/// reset the connection, and the client might never see why.
async fn linger(mut reader: OwnedReadHalf, engine: Rc<Engine>) {
    let drain = async {
        let mut scrap = [0; 512];
        while reader.read(&mut scrap).await.is_ok_and(|bytes| bytes > 0) {}
    };
    _ = timeout(LINGER, drain).await;
    engine.turn(|state, _| state.lingering -= 1);
}
