//! What waits to be written to a connection: bytes of its own, with parts of shared messages in between.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use mqtt_codec::{Packet, Property, ProtocolVersion};

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
    /// The properties of the packet that is being written.
    pub(crate) properties: Vec<Property<'static>>,
    buffers: Vec<Vec<u8>>,
    /// Their capacity together.
    bytes: usize,
    /// One in which a packet came in pieces.
    partial: Vec<u8>,
}

impl Pool {
    #[inline]
    fn take(&mut self) -> Vec<u8> {
        let buffer = self.buffers.pop().unwrap_or_default();
        self.bytes -= buffer.capacity();
        buffer
    }

    /// The buffer of a packet that had come in pieces, if its capacity is one of these.
    pub(crate) fn take_partial(&mut self, capacities: RangeInclusive<usize>) -> Option<Vec<u8>> {
        capacities.contains(&self.partial.capacity()).then(|| core::mem::take(&mut self.partial))
    }

    /// Keeps the buffer of a packet that has come in pieces, for the next one.
    pub(crate) fn put_partial(&mut self, mut buffer: Vec<u8>) {
        if buffer.capacity() <= POOLED_CAPACITY {
            buffer.clear();
            self.partial = buffer;
        }
    }

    #[inline]
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

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.sent == self.buffer.len() && self.shared.is_empty()
    }

    /// Whether anything may leave.
    #[inline]
    pub(crate) fn has_available(&self) -> bool {
        if self.gates.is_empty() { !self.is_empty() } else { self.chunks().next().is_some() }
    }

    /// Where to append bytes.
    #[inline]
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
    #[inline]
    pub(crate) fn chunks(&self) -> Output<'_> {
        let limit = self.gates.front().map_or(self.end(), |(position, _)| *position);
        Output { outbox: Some(self), position: self.base + self.sent as u64, limit, next_shared: 0 }
    }

    /// So many bytes have left, or all if there are fewer; returns how many. `done` gets the shared messages that have
    /// left as a whole.
    #[inline]
    pub(crate) fn advance(&mut self, bytes: usize, pool: &mut Pool, done: impl FnMut(Arc<Message>)) -> usize {
        if !self.shared.is_empty() {
            return self.advance_mixed(bytes, pool, done);
        }
        let bytes = bytes.min(self.own_len());
        self.sent += bytes;
        self.reclaim(pool);
        bytes
    }

    fn advance_mixed(&mut self, bytes: usize, pool: &mut Pool, mut done: impl FnMut(Arc<Message>)) -> usize {
        let bytes = bytes.min(self.len());
        let mut left = bytes;
        while left > 0 {
            let own = self.own_before_shared();
            if own > 0 {
                let step = own.min(left);
                self.sent += step;
                left -= step;
                continue;
            }
            let Some(shared) = self.shared.pop_front() else { break };
            let len = shared.bytes().len();
            let unsent = len - self.shared_sent;
            let step = unsent.min(left);
            left -= step;
            if step < unsent {
                self.shared_sent += step;
                self.shared.push_front(shared);
            } else {
                self.shared_bytes -= len;
                self.shared_sent = 0;
                done(shared.message);
            }
        }
        self.reclaim(pool);
        bytes
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

    /// Forgets bytes that have left, once they are the larger part of the buffer; gives back one that is empty.
    #[inline]
    pub(crate) fn reclaim(&mut self, pool: &mut Pool) {
        if self.sent == self.buffer.len() {
            pool.put(core::mem::take(&mut self.buffer));
        } else if self.sent > self.buffer.len() / 2 {
            self.forget_sent();
        } else {
            return;
        }
        self.base += core::mem::take(&mut self.sent) as u64;
    }

    #[cold]
    fn forget_sent(&mut self) {
        self.buffer.drain(..self.sent);
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

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let outbox = self.outbox?;
        match outbox.shared.get(self.next_shared) {
            None => self.own(outbox, self.limit),
            Some(shared) => self.own_or_shared(outbox, shared),
        }
    }
}

impl<'a> Output<'a> {
    /// The connection's own bytes up to a position.
    #[inline]
    fn own(&mut self, outbox: &'a Outbox, until: u64) -> Option<&'a [u8]> {
        if self.position >= until {
            return None;
        }
        let own = (self.position - outbox.base) as usize..(until - outbox.base) as usize;
        self.position = until;
        outbox.buffer.get(own)
    }

    fn own_or_shared(&mut self, outbox: &'a Outbox, shared: &'a Shared) -> Option<&'a [u8]> {
        let own = self.own(outbox, shared.position.min(self.limit));
        if own.is_some() {
            return own;
        }
        // What is shared at the limit itself belongs to the bytes before it.
        if shared.position > self.limit {
            return None;
        }
        let skip = if self.next_shared == 0 { outbox.shared_sent } else { 0 };
        self.next_shared += 1;
        shared.bytes().get(skip..)
    }
}

/// Appends a packet other than PUBLISH, unless it cannot be encoded or is larger than the peer takes.
#[inline]
pub(crate) fn append(
    packet: &Packet<'_>,
    version: ProtocolVersion,
    max_packet_size: u32,
    buffer: &mut Vec<u8>,
) -> bool {
    let start = buffer.len();
    let encoded = packet.encode(version, buffer).is_ok();
    let fits = buffer.len() - start <= max_packet_size as usize;
    if !fits {
        buffer.truncate(start);
    }
    encoded && fits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;
    use crate::message::Draft;
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
                outbox.advance(step, &mut pool, drop);
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
    fn the_buffer_of_a_packet_in_pieces_is_kept_for_one_of_about_its_size() {
        let mut pool = Pool::default();
        let buffer = Vec::with_capacity(100);
        let place = buffer.as_ptr();
        pool.put_partial(buffer);
        assert_eq!(pool.take_partial(101..=200), None);
        assert_eq!(pool.take_partial(25..=50), None);
        assert_eq!(pool.take_partial(80..=160).map(|buffer| buffer.as_ptr()), Some(place));
        assert_eq!(pool.take_partial(1..=1000), None);
        pool.put_partial(Vec::with_capacity(POOLED_CAPACITY + 1));
        assert_eq!(pool.take_partial(1..=usize::MAX), None);
    }

    #[test]
    fn claiming_to_have_sent_more_than_there_was_is_harmless() {
        let (mut outbox, mut pool) = filled();
        assert_eq!(outbox.advance(1000, &mut pool, drop), 26);
        assert!(outbox.is_empty());
        assert_eq!(outbox.chunks().count(), 0);
    }
}
