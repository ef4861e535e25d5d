//! The message layer (RFC 7252 §4): from datagrams to messages that come once, and back. It knows nothing of requests but
//! what congestion control needs.

mod answer;
mod buffers;
mod congestion;
mod datagram;
mod deduplication;
mod exchange;
mod index;
mod message_id;
mod outgoing;
mod peers;
mod receive;
mod remembered;
mod retransmission;
mod send;
mod table;
#[cfg(test)]
mod tests;
mod tick;
mod timing;

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use machine::{Instant, Random};

use self::congestion::Rejections;
pub use self::datagram::Datagram;
use self::message_id::MessageIds;
use self::outgoing::Messages;
use self::peers::Peers;
use self::remembered::Remembered;
use self::table::Key;
use self::timing::Timing;
use crate::timers::Timers;
use crate::{Counters, Gauges, Limits, Transmission};

/// The address of a peer: whatever a response can be sent to and tells two peers apart.
pub trait Peer: Copy + Ord + core::fmt::Debug {}

impl<P: Copy + Ord + core::fmt::Debug> Peer for P {}

/// Names an own message. One that is over names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OutgoingId(Key);

impl OutgoingId {
    /// A small number that no other message has at the same time.
    pub(crate) const fn slot(self) -> usize {
        self.0.slot() as usize
    }
}

/// Names a message that came, for as long as it is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct IncomingId(Key);

/// What a message that came is to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// Nothing more: it was dealt with or dropped, and counted.
    Nothing,
    /// A request, for the first time.
    Request { incoming: IncomingId, confirmable: bool },
    /// A response. Piggybacked (`acknowledges`): the caller checks the token and calls `settle` if it fits (§4.4); until then
    /// the message is repeated. Otherwise (`incoming`) the caller calls `acknowledge`, `reset` or `ignore`.
    Response { acknowledges: Option<OutgoingId>, incoming: Option<IncomingId>, confirmable: bool },
}

/// What became of an own message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A Non-confirmable one has gone.
    Sent(OutgoingId),
    /// An Empty acknowledgement has come (for a response or notification: any acknowledgement). The id is over.
    Acknowledged(OutgoingId),
    /// The peer rejects it. The id is over.
    Reset(OutgoingId),
    /// All repetitions went unanswered. The id is over.
    TimedOut(OutgoingId),
    /// The network says that the peer cannot be reached. The id is over.
    Unreachable(OutgoingId),
    /// A Non-confirmable request or notification can no longer be rejected: its message id is forgotten. The id is over;
    /// a response may still come.
    Expired(OutgoingId),
}

/// How an own message is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Send {
    pub(crate) confirmable: bool,
    pub(crate) interaction: Interaction,
    /// Not before this time: the leisure of an answer to a group (§8.2).
    pub(crate) not_before: Option<Instant>,
}

/// What an own message is to congestion control (§4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interaction {
    /// Counts under NSTART until it is acknowledged, settled or given up. A Non-confirmable one counts for the longest first
    /// time-out only, and comes under `PROBING_RATE`.
    Request,
    /// Counts under NSTART while an acknowledgement is awaited.
    Response,
    /// As a response, and a Reset is matched when it is Non-confirmable. The caller sees to the pace of those.
    Notification,
    /// A request to a group, always Non-confirmable. It goes at once, and its id is over at once.
    Group,
}

/// The message layer of one endpoint, for all its peers.
#[derive(Debug)]
pub(crate) struct MessageLayer<P> {
    timing: Timing,
    limits: Limits,
    random: Random,
    peers: Peers<P>,
    /// When messages that wait are to be looked at again, by peer.
    wake: Timers,
    remembered: Remembered,
    messages: Messages,
    group_ids: MessageIds,
    rejections: Rejections,
    transmit: VecDeque<(P, Datagram)>,
    events: VecDeque<Event>,
    /// Piggybacked responses that could not be kept for repetitions, since last asked.
    lost_answers: u64,
}

impl<P: Peer> MessageLayer<P> {
    pub(crate) fn new(transmission: Transmission, limits: Limits, mut random: Random) -> Self {
        let timing = Timing::new(&transmission);
        Self {
            timing,
            limits,
            peers: Peers::new(limits.peers, timing.exchange_lifetime, random.next_u64()),
            wake: Timers::default(),
            remembered: Remembered::new(limits, &timing, random.next_u64()),
            messages: Messages::new(random.next_u64()),
            group_ids: MessageIds::for_groups(&mut random),
            rejections: Rejections::new(limits.rejections_per_second),
            transmit: VecDeque::new(),
            events: VecDeque::new(),
            lost_answers: 0,
            random,
        }
    }

    /// The next datagram to send, and to whom.
    pub(crate) fn poll_transmit(&mut self) -> Option<(P, Datagram)> {
        self.transmit.pop_front()
    }

    /// Whether something has become of own messages.
    pub(crate) fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// What became of own messages, in order.
    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// An empty buffer for the next message, out of one that is over if there is one.
    pub(crate) fn buffer(&mut self) -> Vec<u8> {
        self.remembered.buffers.take()
    }

    /// The last measured time from a message to the answer to it.
    pub(crate) fn round_trip(&self, peer: P) -> Option<Duration> {
        self.peers.find(peer).and_then(|slot| self.peers.get(slot)?.round_trip)
    }

    /// Adds what there is here.
    pub(crate) fn gauge(&self, gauges: &mut Gauges) {
        gauges.peers = self.peers.len();
        gauges.outgoing = self.messages.live();
        gauges.rejectable = self.messages.rejectable.len();
        gauges.remembered = self.remembered.len();
        gauges.remembered_bytes = self.remembered.bytes();
    }

    fn recycle(&mut self, buffer: Vec<u8>) {
        self.remembered.buffers.put(buffer);
    }

    /// The slot of a peer, which is remembered from now on; `None` when there is no room.
    fn enter_peer(&mut self, address: P, now: Instant) -> Option<u32> {
        if let Some(slot) = self.peers.find(address) {
            self.peers.touch(slot, now);
            return Some(slot);
        }
        if self.peers.is_full() {
            self.forget_a_peer()?;
        }
        Some(self.peers.add(address, &mut self.random, now))
    }

    /// Makes room for a new peer at the cost of an old one that would lose nothing but answers to repetitions of idempotent
    /// requests. Its message ids may be used again too early then, if it comes back: a random start makes that unlikely.
    fn forget_a_peer(&mut self) -> Option<()> {
        const LOOKED_AT: usize = 16;
        for _ in 0..LOOKED_AT {
            let slot = self.peers.oldest()?;
            let peer = self.peers.at(slot);
            if peer.outgoing > 0 || peer.remembered as usize > peer.evictable.len() {
                // The next call looks at others.
                self.peers.postpone(slot);
                continue;
            }
            self.remembered.evict_all_of(&mut self.peers, slot);
            self.wake.cancel(slot);
            self.peers.remove(slot);
            return Some(());
        }
        None
    }

    /// Adds what was counted where no counters are at hand.
    fn count(&mut self, counters: &mut Counters) {
        counters.forgotten_early += core::mem::take(&mut self.remembered.evicted);
        counters.dropped_full += core::mem::take(&mut self.lost_answers);
    }
}
