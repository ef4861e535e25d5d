//! Writing: one vectored write for all that a connection has to get.

use std::io::{ErrorKind, IoSlice, Write};

use machine::Instant;
use mqtt_core::{ConnectionId, Input};

use super::engine::State;

/// Chunks in one write.
const SLICES: usize = 64;
/// Writes to one connection before the others have their turn.
const WRITES: usize = 16;

impl State {
    /// Writes to all connections that have output.
    pub(super) fn flush(&mut self, now: Instant) {
        self.unflushed = 0;
        let mut batch = core::mem::take(&mut self.dirty);
        for id in batch.drain(..) {
            self.write(id, now);
        }
        if self.dirty.is_empty() {
            self.dirty = batch; // keeps its capacity
        }
    }

    /// Writes until the output or the room in the socket's buffer ends; in the latter case the operating system says when
    /// there is room again.
    fn write(&mut self, id: ConnectionId, now: Instant) {
        for _ in 0..WRITES {
            let Some(connection) = self.connections.get_mut(id.index()).and_then(Option::as_mut) else {
                return;
            };
            if connection.id != id || connection.broken {
                return;
            }
            let mut slices = [IoSlice::new(&[]); SLICES];
            let mut count = 0;
            for (slice, chunk) in slices.iter_mut().zip(self.broker.output(id)) {
                *slice = IoSlice::new(chunk);
                count += 1;
            }
            let closing = connection.closing;
            if count == 0 {
                return if closing {
                    self.end(id, now);
                };
            }
            let result = if connection.blocked {
                Err(ErrorKind::WouldBlock.into())
            } else {
                connection.stream.write_vectored(&slices[..count])
            };
            match result {
                Ok(bytes) => {
                    self.broker.handle(Input::Sent { connection: id, bytes }, now);
                    self.act(now);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    connection.blocked = true;
                    return if closing {
                        self.leave(id, now);
                    };
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => {
                    connection.broken = true;
                    return self.again.push(id);
                }
            }
        }
        self.dirty.push(id);
    }
}
