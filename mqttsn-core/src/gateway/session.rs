//! Sessions: made, moved to another address, emptied, forgotten.

use alloc::sync::Arc;
use core::fmt::Debug;

use machine::Instant;
use mqttsn_codec::MessageId;

use super::io::{self, Address};
use super::peer::{Peer, PeerKey};
use super::topics::Topics;
use super::{Gateway, Mode, Timer};

impl<P: Clone + Ord + Debug> Gateway<P> {
    pub(super) fn add_peer(&mut self, address: &Address<P>, client_id: &str, now: Instant) -> PeerKey {
        let serial = self.take_serial();
        let client_id: Arc<str> = client_id.into();
        let mut peer = Peer::new(address.clone(), Arc::clone(&client_id), serial, now);
        peer.topics = self.no_topics();
        // A client that has not finished with an earlier gateway must not take new messages for old ones.
        if self.config.random_ids {
            peer.last_id = MessageId::new(self.low_id()).unwrap_or(MessageId::MAX);
        }
        let index = self.peers.insert(peer) as u32;
        self.by_id.insert(client_id, index);
        PeerKey { index, serial }
    }

    /// The topic ids of a new session.
    fn no_topics(&mut self) -> Topics {
        let base = if self.config.random_ids { self.low_id() } else { 0 };
        Topics::new(base)
    }

    /// Where ids begin, with room above: there are clients that read them as signed numbers.
    fn low_id(&mut self) -> u16 {
        self.random.next_u32() as u16 & 0x3FFF
    }

    /// The client is at this address now: a NAT gave it another one, or it moved. Whoever was there before is not.
    pub(super) fn bind(&mut self, key: PeerKey, address: &Address<P>, now: Instant) {
        match self.by_address.insert(address.clone(), key.index) {
            Some(index) if index == key.index => return,
            Some(other) => self.displaced(other, now),
            None => {}
        }
        let Some(peer) = self.peers.get_mut(key.index as usize) else { return };
        if peer.address == *address {
            return;
        }
        let old = core::mem::replace(&mut peer.address, address.clone());
        let (client_id, address) = (Arc::clone(&peer.client_id), address.clone());
        if self.by_address.get(&old) == Some(&key.index) {
            self.by_address.remove(&old);
        }
        self.out.counters.clients_moved += 1;
        self.out.event(io::Event::Moved { client_id, address });
    }

    /// Another client connects from this one's address.
    fn displaced(&mut self, index: u32, now: Instant) {
        if let Some(key) = self.key(index) {
            self.lost(key, now);
        }
    }

    /// Empties a session. What is under way for the old one finds nobody any more; returns what the client is from now on.
    pub(super) fn wipe(&mut self, key: PeerKey, now: Instant) -> PeerKey {
        self.end_session(key, now);
        let (serial, topics) = (self.take_serial(), self.no_topics());
        let Some(peer) = self.peers.get_mut(key.index as usize) else { return key };
        peer.serial = serial;
        peer.topics = topics;
        PeerKey { index: key.index, serial }
    }

    /// Subscriptions, messages, topic ids and will are gone.
    pub(super) fn end_session(&mut self, key: PeerKey, now: Instant) {
        self.drop_link(key, now);
        if self.config.mode == Mode::Aggregating {
            self.unsubscribe_all(key, now);
        }
        let Some(peer) = self.peers.get_mut(key.index as usize) else { return };
        let dropped = peer.queue.len() + usize::from(peer.slot.is_some());
        self.buffered -= peer.queue.bytes();
        peer.queue = super::queue::Queue::default();
        peer.slot = None;
        peer.topics = Topics::default();
        peer.inbound.clear();
        peer.requests.clear();
        peer.predefined = alloc::vec::Vec::new();
        peer.will = None;
        peer.will_changed = false;
        self.out.counters.dropped_session_ended += dropped as u64;
    }

    /// The client is not known any more.
    pub(super) fn remove_peer(&mut self, key: PeerKey, now: Instant) {
        self.end_session(key, now);
        let Some(peer) = self.peers.try_remove(key.index as usize) else { return };
        self.by_id.remove(&peer.client_id);
        if self.by_address.get(&peer.address) == Some(&key.index) {
            self.by_address.remove(&peer.address);
        }
        self.deadlines.cancel(Timer::Peer(key.index));
    }
}
