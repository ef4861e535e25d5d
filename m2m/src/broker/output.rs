//! Writing: one vectored write for all that a connection has to get.

use std::io::{ErrorKind, IoSlice, Write};

use machine::Instant;
use mqtt_core::{ConnectionId, Input};

use super::engine::State;

/// Chunks in one write.
const SLICES: usize = 64;
/// Bytes written to one connection before the others have their turn: the sockets' buffers take megabytes.
const SHARE: usize = 64 << 10;

impl State {
    /// Writes to all connections that have output.
    pub(super) fn flush(&mut self, now: Instant) {
        self.unflushed = 0;
        let mut batch = core::mem::take(&mut self.dirty);
        for id in batch.drain(..) {
            if self.write(id, now) {
                self.dirty.push(id);
            } else if let Some(connection) = self.connection(id) {
                connection.dirty = false;
            }
        }
        if self.dirty.is_empty() {
            self.dirty = batch; // keeps its capacity
        }
    }

    /// Sees to it that the next flush writes to a connection. Once is enough: what its own writing makes room for is
    /// announced, too, and would add up to a turn without end.
    pub(super) fn write_soon(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connection(id)
            && !core::mem::replace(&mut connection.dirty, true)
        {
            self.dirty.push(id);
        }
    }

    /// Writes until the output, the connection's share or the room in the socket's buffer ends; in the last case the
    /// operating system says when there is room again. Whether there may be more to write right away.
    fn write(&mut self, id: ConnectionId, now: Instant) -> bool {
        let mut written = 0;
        while written < SHARE {
            let Some(connection) = self.connections.get_mut(id.index()).and_then(Option::as_mut) else {
                return false;
            };
            if connection.id != id || connection.broken {
                return false;
            }
            let mut slices = [IoSlice::new(&[]); SLICES];
            let mut count = 0;
            for (slice, chunk) in slices.iter_mut().zip(self.broker.output(id)) {
                *slice = IoSlice::new(chunk);
                count += 1;
            }
            let closing = connection.closing;
            if count == 0 {
                if closing {
                    self.end(id, now);
                }
                return false;
            }
            let result = if connection.blocked {
                Err(ErrorKind::WouldBlock.into())
            } else {
                connection.stream.write_vectored(&slices[..count])
            };
            match result {
                Ok(bytes) => {
                    written += bytes.max(1);
                    self.broker.handle(Input::Sent { connection: id, bytes }, now);
                    self.act(now);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    connection.blocked = true;
                    if closing {
                        self.leave(id, now);
                    }
                    return false;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => {
                    connection.broken = true;
                    self.again.push(id);
                    return false;
                }
            }
        }
        true
    }
}
