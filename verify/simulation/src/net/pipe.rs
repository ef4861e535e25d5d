//! One direction of a connection.

use std::collections::VecDeque;

use machine::Instant;

/// Bytes on their way in one direction.
#[derive(Debug, Default)]
pub(super) struct Pipe {
    in_flight: VecDeque<(Instant, Vec<u8>)>,
    travelling: usize,
    unread: Vec<u8>,
    /// So many bytes arrive, then the connection is cut.
    pub(super) lifetime: Option<u64>,
    /// The writer was told to wait.
    pub(super) full: bool,
}

impl Pipe {
    /// Bytes in flight and unread.
    pub(super) fn len(&self) -> usize {
        self.travelling + self.unread.len()
    }

    /// When the last bytes in flight arrive.
    pub(super) fn last_arrival(&self) -> Option<Instant> {
        self.in_flight.back().map(|(at, _)| *at)
    }

    pub(super) fn send(&mut self, arrival: Instant, bytes: Vec<u8>) {
        self.travelling += bytes.len();
        self.in_flight.push_back((arrival, bytes));
    }

    /// Bytes arrive; says whether the connection's life ends with them.
    pub(super) fn arrive(&mut self, now: Instant) -> bool {
        if self.in_flight.front().is_none_or(|(at, _)| *at > now) {
            return false;
        }
        let Some((_, bytes)) = self.in_flight.pop_front() else { return false };
        self.travelling -= bytes.len();
        let Some(left) = &mut self.lifetime else {
            self.unread.extend_from_slice(&bytes);
            return false;
        };
        let arriving = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
        *left -= arriving as u64;
        self.unread.extend_from_slice(&bytes[..arriving]);
        *left == 0
    }

    /// What is in flight is lost.
    pub(super) fn lose(&mut self) {
        self.in_flight.clear();
        self.travelling = 0;
    }

    pub(super) fn unread(&self) -> &[u8] {
        &self.unread
    }

    pub(super) fn read(&mut self, bytes: usize) {
        self.unread.drain(..bytes);
    }
}
