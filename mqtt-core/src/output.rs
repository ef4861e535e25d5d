//! What waits to be written to a connection: bytes of its own, with parts of shared messages in between.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use mqtt_codec::ProtocolVersion;

use crate::input::RecordNumber;
use crate::message::Message;

/// Bytes of spare buffers kept, and the largest buffer that is worth keeping.
const POOLED: usize = 4 << 20;
const POOLED_CAPACITY: usize = 256 << 10;

/// The output of one connection. Positions count the connection's own bytes since it was opened.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// The connection's own bytes; the first has the position `base`.
    buffer: Vec<u8>,
    base: u64,
    /// How many bytes of `buffer` have left.
    sent: usize,
    shared: VecDeque<Shared>,
    /// How many bytes of the first shared message have left.
    shared_sent: usize,
    shared_bytes: usize,
    /// What comes after a position waits until a record is durable.
    gates: VecDeque<(u64, RecordNumber)>,
}

/// The end of a message that is not copied: it comes before the own byte at its position.
#[derive(Debug)]
struct Shared {
    position: u64,
    message: Arc<Message>,
    version: ProtocolVersion,
}

impl Shared {
    fn bytes(&self) -> &[u8] {
        self.message.tail(self.version)
    }
}

/// Buffers that idle connections do not hold on to.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    buffers: Vec<Vec<u8>>,
    /// Their capacity together.
    bytes: usize,
}

impl Pool {
    fn take(&mut self) -> Vec<u8> {
        let buffer = self.buffers.pop().unwrap_or_default();
        self.bytes -= buffer.capacity();
        buffer
    }

    fn put(&mut self, mut buffer: Vec<u8>) {
        let capacity = buffer.capacity();
        if (1..=POOLED_CAPACITY).contains(&capacity) && self.bytes + capacity <= POOLED {
            buffer.clear();
            self.bytes += capacity;
            self.buffers.push(buffer);
        }
    }
}

impl Outbox {
    /// Bytes that wait, shared messages included.
    pub(crate) fn len(&self) -> usize {
        self.own_len() + self.shared_bytes - self.shared_sent
    }

    /// Bytes that wait, without shared messages.
    pub(crate) fn own_len(&self) -> usize {
        self.buffer.len() - self.sent
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where to append bytes.
    pub(crate) fn buffer(&mut self, pool: &mut Pool) -> &mut Vec<u8> {
        if self.buffer.capacity() == 0 {
            self.buffer = pool.take();
        }
        &mut self.buffer
    }

    /// Appends the [`tail`](Message::tail) of a message without copying it.
    pub(crate) fn push_tail(&mut self, message: Arc<Message>, version: ProtocolVersion) {
        let shared = Shared { position: self.end(), message, version };
        self.shared_bytes += shared.bytes().len();
        self.shared.push_back(shared);
    }

    /// Holds back all that is appended from now on until `record` is durable.
    pub(crate) fn gate(&mut self, record: RecordNumber) {
        match self.gates.back_mut() {
            Some((_, last)) if *last >= record => {}
            Some((position, last)) if *position == self.base + self.buffer.len() as u64 => *last = record,
            _ => self.gates.push_back((self.end(), record)),
        }
    }

    /// Opens the gates up to a durable record; says whether any opened.
    pub(crate) fn open_gates(&mut self, durable: RecordNumber) -> bool {
        let closed = self.gates.len();
        while self.gates.front().is_some_and(|(_, record)| *record <= durable) {
            self.gates.pop_front();
        }
        self.gates.len() < closed
    }

    /// The chunks that may leave, in order.
    pub(crate) fn chunks(&self) -> Output<'_> {
        let limit = self.gates.front().map_or(self.end(), |(position, _)| *position);
        Output { outbox: Some(self), position: self.base + self.sent as u64, limit, next_shared: 0 }
    }

    /// So many bytes have left.
    pub(crate) fn advance(&mut self, mut bytes: usize, pool: &mut Pool) {
        while bytes > 0 && !self.is_empty() {
            let own = self.own_before_shared();
            if own > 0 {
                let step = own.min(bytes);
                self.sent += step;
                bytes -= step;
            } else if let Some(shared) = self.shared.front() {
                let len = shared.bytes().len();
                let left = len - self.shared_sent;
                let step = left.min(bytes);
                bytes -= step;
                if step < left {
                    self.shared_sent += step;
                } else {
                    self.shared_bytes -= len;
                    self.shared_sent = 0;
                    self.shared.pop_front();
                }
            }
        }
        self.reclaim(pool);
    }

    /// Gives its buffer back.
    pub(crate) fn clear(&mut self, pool: &mut Pool) {
        pool.put(core::mem::take(self).buffer);
    }

    fn end(&self) -> u64 {
        self.base + self.buffer.len() as u64
    }

    /// Own bytes that leave before the next shared message.
    fn own_before_shared(&self) -> usize {
        let until = self.shared.front().map_or(self.end(), |shared| shared.position);
        (until - self.base) as usize - self.sent
    }

    /// Forgets bytes that have left, once they are the larger part of the buffer.
    fn reclaim(&mut self, pool: &mut Pool) {
        if self.sent == self.buffer.len() {
            self.base += self.sent as u64;
            pool.put(core::mem::take(&mut self.buffer));
        } else if self.sent > self.buffer.len() / 2 {
            self.base += self.sent as u64;
            self.buffer.drain(..self.sent);
        } else {
            return;
        }
        self.sent = 0;
    }
}

/// The chunks of a connection's output that may leave now, for one vectored write.
#[derive(Clone, Debug)]
pub struct Output<'a> {
    outbox: Option<&'a Outbox>,
    position: u64,
    limit: u64,
    next_shared: usize,
}

impl Output<'_> {
    /// No output: of a connection that is gone.
    pub const NONE: Output<'static> = Output { outbox: None, position: 0, limit: 0, next_shared: 0 };
}

impl<'a> Iterator for Output<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let outbox = self.outbox?;
        loop {
            let shared = outbox.shared.get(self.next_shared);
            let until = shared.map_or(self.limit, |shared| shared.position.min(self.limit));
            if self.position < until {
                let own = (self.position - outbox.base) as usize..(until - outbox.base) as usize;
                self.position = until;
                return Some(&outbox.buffer[own]);
            }
            // What is shared at the limit itself belongs to the bytes before it.
            let shared = shared.filter(|shared| shared.position <= self.limit)?.bytes();
            let skip = if self.next_shared == 0 { outbox.shared_sent } else { 0 };
            self.next_shared += 1;
            if skip < shared.len() {
                return Some(&shared[skip..]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Budget, Draft};
    use mqtt_codec::QoS;

    fn message(payload: &[u8]) -> Arc<Message> {
        let draft = Draft {
            topic: "t",
            properties: &[],
            payload,
            qos: QoS::AtMostOnce,
            retain: false,
            expires: None,
        };
        Budget::new(1 << 20).store(&draft).unwrap()
    }

    fn filled() -> (Outbox, Pool) {
        let (mut outbox, mut pool) = (Outbox::default(), Pool::default());
        outbox.buffer(&mut pool).extend_from_slice(b"head1");
        outbox.push_tail(message(b"PAYLOAD1"), ProtocolVersion::V5);
        outbox.push_tail(message(b"PAYLOAD2"), ProtocolVersion::V3_1_1);
        outbox.buffer(&mut pool).extend_from_slice(b"head2");
        (outbox, pool)
    }

    #[test]
    fn any_sequence_of_partial_writes_sends_the_same_bytes() {
        for step in 1..30 {
            let (mut outbox, mut pool) = filled();
            let mut written = Vec::new();
            while !outbox.is_empty() {
                let left: Vec<u8> = outbox.chunks().flatten().copied().collect();
                assert_eq!(left.len(), outbox.len());
                let step = step.min(left.len());
                written.extend_from_slice(&left[..step]);
                outbox.advance(step, &mut pool);
            }
            assert_eq!(written, b"head1PAYLOAD1PAYLOAD2head2");
            assert_eq!(outbox.buffer.capacity(), 0, "an idle connection holds no buffer");
        }
    }

    #[test]
    fn a_gate_holds_back_what_comes_after_it() {
        let (mut outbox, mut pool) = filled();
        outbox.gate(RecordNumber(3));
        outbox.gate(RecordNumber(5));
        outbox.buffer(&mut pool).extend_from_slice(b"late");
        let available = |outbox: &Outbox| outbox.chunks().map(<[u8]>::len).sum::<usize>();
        assert_eq!(available(&outbox), 26);
        assert!(!outbox.open_gates(RecordNumber(4)));
        assert_eq!(available(&outbox), 26);
        assert!(outbox.open_gates(RecordNumber(5)));
        assert_eq!(available(&outbox), 30);
    }

    #[test]
    fn claiming_to_have_sent_more_than_there_was_is_harmless() {
        let (mut outbox, mut pool) = filled();
        outbox.advance(1000, &mut pool);
        assert!(outbox.is_empty());
        assert_eq!(outbox.chunks().count(), 0);
    }
}
