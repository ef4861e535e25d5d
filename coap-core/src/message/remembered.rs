//! The messages that came within the last `EXCHANGE_LIFETIME` (Confirmable) or `NON_LIFETIME`, in bounded memory.

use alloc::vec::Vec;
use core::time::Duration;

use coap_codec::{Code, Message, MessageType};
use machine::Instant;

use super::Peer;
use super::buffers::Buffers;
use super::deduplication::State;
use super::index::{self, Index};
use super::peers::Peers;
use super::table::{Key, Table};
use super::timing::Timing;
use crate::Limits;
use crate::list::{Links, List};
use crate::timers::earlier;

/// What a buffer may be larger than its answer, apart from being twice as large.
const SLACK: usize = 32;

/// A message that came.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) peer: u32,
    pub(super) message_id: u16,
    pub(super) state: State,
    /// The piggybacked response; empty when there is none.
    pub(super) answer: Vec<u8>,
    /// A hash of the token: a repetition has the same.
    pub(super) token: u32,
    confirmable: bool,
    /// To process it again would do no harm: an idempotent request, or a response (§4.5).
    repeatable: bool,
    expires: Instant,
}

/// What is remembered. Evictable is a message that is answered and repeatable.
#[derive(Debug)]
pub(super) struct Remembered {
    messages: Table<Incoming>,
    index: Index,
    links: Links,
    /// Confirmable messages and others, as they came: each kind in the order in which its time will be over.
    by_age: [List; 2],
    /// Evictable messages, as they were answered.
    evictable: List,
    evictable_links: Links,
    /// For the lists of evictable messages that the peers have.
    peer_links: Links,
    bytes: usize,
    /// Those of answers that are over, too.
    pub(super) buffers: Buffers,
    limits: Limits,
    exchange_lifetime: Duration,
    non_lifetime: Duration,
    /// Evicted for want of room, since last asked.
    pub(super) evicted: u64,
}

impl Remembered {
    pub(super) fn new(limits: Limits, timing: &Timing, key: u64) -> Self {
        Self {
            messages: Table::new(),
            index: Index::new(key),
            links: Links::EMPTY,
            by_age: [List::EMPTY; 2],
            evictable: List::EMPTY,
            evictable_links: Links::EMPTY,
            peer_links: Links::EMPTY,
            bytes: 0,
            buffers: Buffers::default(),
            limits,
            exchange_lifetime: timing.exchange_lifetime,
            non_lifetime: timing.non_lifetime,
            evicted: 0,
        }
    }

    pub(super) fn get(&self, key: Key) -> Option<&Incoming> {
        self.messages.get(key)
    }

    /// The message that this one repeats.
    pub(super) fn find<P: Peer>(
        &mut self,
        peers: &mut Peers<P>,
        peer: u32,
        message_id: u16,
        now: Instant,
    ) -> Option<Key> {
        let key = self.messages.key_at(self.index.get(index::name(peer, message_id))?)?;
        if self.messages.get(key)?.expires > now {
            return Some(key);
        }
        self.forget(peers, key);
        None
    }

    /// Remembers a new message; `None` when there is no room.
    pub(super) fn remember<P: Peer>(
        &mut self,
        peers: &mut Peers<P>,
        peer: u32,
        message: &Message<'_>,
        multicast: bool,
        now: Instant,
    ) -> Option<Key> {
        if peers.at(peer).remembered as usize >= self.limits.remembered_per_peer {
            let oldest = peers.at(peer).evictable.first()?;
            self.evict(peers, oldest);
        }
        if self.messages.len() >= self.limits.remembered {
            let oldest = self.evictable.first()?;
            self.evict(peers, oldest);
        }
        let confirmable = message.message_type == MessageType::Confirmable;
        let message_id = message.message_id.get();
        let state = match confirmable {
            _ if multicast => State::Silent,
            true => State::Confirmable,
            false => State::NonConfirmable,
        };
        let lifetime = if confirmable { self.exchange_lifetime } else { self.non_lifetime };
        let incoming = Incoming {
            peer,
            message_id,
            state,
            answer: Vec::new(),
            token: token_hash(message.token),
            confirmable,
            repeatable: is_repeatable(message.code),
            expires: now + lifetime,
        };
        let (list, evictable) = (incoming.list(), incoming.is_evictable());
        let key = self.messages.insert(incoming);
        self.index.insert(index::name(peer, message_id), key.slot());
        peers.at(peer).remembered += 1;
        self.by_age[list].push(&mut self.links, key.slot());
        if evictable {
            self.make_evictable(peers, peer, key);
        }
        Some(key)
    }

    /// Sets the state of a message, which may make it evictable, and never the other way round.
    pub(super) fn set_state<P: Peer>(&mut self, peers: &mut Peers<P>, key: Key, state: State) {
        let Some(incoming) = self.messages.get_mut(key) else { return };
        let before = incoming.is_evictable();
        incoming.state = state;
        let peer = incoming.peer;
        if !before && incoming.is_evictable() {
            self.make_evictable(peers, peer, key);
        }
    }

    /// Keeps the piggybacked response of a message; given back when there is no room for it. It stays in its buffer, unless that
    /// is much too large.
    pub(super) fn keep_answer<P: Peer>(
        &mut self,
        peers: &mut Peers<P>,
        key: Key,
        mut answer: Vec<u8>,
    ) -> Result<(), Vec<u8>> {
        if answer.capacity() > 2 * answer.len() + SLACK {
            let fitting = answer.as_slice().into();
            self.buffers.put(core::mem::replace(&mut answer, fitting));
        }
        while self.bytes + answer.capacity() > self.limits.remembered_bytes {
            let oldest = self.evictable.first().filter(|_| answer.capacity() <= self.limits.remembered_bytes);
            let Some(oldest) = oldest else { return Err(answer) };
            self.evict(peers, oldest);
        }
        let Some(incoming) = self.messages.get_mut(key) else { return Err(answer) };
        self.bytes += answer.capacity();
        incoming.answer = answer;
        Ok(())
    }

    /// Forgets the messages whose time is over.
    pub(super) fn expire<P: Peer>(&mut self, peers: &mut Peers<P>, now: Instant) {
        for list in 0..self.by_age.len() {
            while let Some(key) = self.by_age[list].first().and_then(|slot| self.messages.key_at(slot)) {
                if self.messages.get(key).is_some_and(|incoming| incoming.expires > now) {
                    break;
                }
                self.forget(peers, key);
            }
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let [confirmable, others] = self.by_age;
        earlier(self.expires(confirmable), self.expires(others))
    }

    /// Forgets all evictable messages of a peer.
    pub(super) fn evict_all_of<P: Peer>(&mut self, peers: &mut Peers<P>, peer: u32) {
        while let Some(slot) = peers.at(peer).evictable.first() {
            self.evict(peers, slot);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// When the time of the first of a list is over.
    fn expires(&self, list: List) -> Option<Instant> {
        Some(self.messages.at(list.first()?)?.expires)
    }

    fn evict<P: Peer>(&mut self, peers: &mut Peers<P>, slot: u32) {
        if let Some(key) = self.messages.key_at(slot) {
            self.forget(peers, key);
            self.evicted += 1;
        }
    }

    fn forget<P: Peer>(&mut self, peers: &mut Peers<P>, key: Key) {
        let Some(incoming) = self.messages.remove(key) else { return };
        let (slot, peer) = (key.slot(), peers.at(incoming.peer));
        self.index.remove(index::name(incoming.peer, incoming.message_id), slot);
        self.bytes -= incoming.answer.capacity();
        self.by_age[incoming.list()].remove(&mut self.links, slot);
        peer.remembered -= 1;
        if incoming.is_evictable() {
            self.evictable.remove(&mut self.evictable_links, slot);
            peer.evictable.remove(&mut self.peer_links, slot);
        }
        self.buffers.put(incoming.answer);
    }

    fn make_evictable<P: Peer>(&mut self, peers: &mut Peers<P>, peer: u32, key: Key) {
        self.evictable.push(&mut self.evictable_links, key.slot());
        peers.at(peer).evictable.push(&mut self.peer_links, key.slot());
    }
}

impl Incoming {
    const fn is_evictable(&self) -> bool {
        self.repeatable && self.state.is_answered()
    }

    const fn list(&self) -> usize {
        if self.confirmable { 0 } else { 1 }
    }
}

/// Idempotent methods (RFC 7252 §5.8, RFC 8132 §2 and §3.2), and responses, which change nothing here.
const fn is_repeatable(code: Code) -> bool {
    matches!(code, Code::GET | Code::PUT | Code::DELETE | Code::FETCH | Code::IPATCH) || code.is_response()
}

/// FNV-1a. Serves a counter only.
pub(super) fn token_hash(token: &[u8]) -> u32 {
    token.iter().fold(0x811c_9dc5, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
