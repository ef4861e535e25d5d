use core::time::Duration;

use machine::{Instant, Random};
use slab::Slab;

use super::Peer;
use super::congestion::Brake;
use super::message_id::MessageIds;
use crate::list::{Links, List};
use crate::tree::Tree;

/// What the message layer knows of one peer.
#[derive(Debug)]
pub(super) struct Known<P> {
    pub(super) address: P,
    /// The last message from it or to it.
    active_at: Instant,
    pub(super) message_ids: MessageIds,
    pub(super) brake: Brake,
    pub(super) round_trip: Option<Duration>,
    /// Own interactions that count under NSTART.
    pub(super) outstanding: u32,
    /// Own messages that wait for NSTART, `PROBING_RATE` or a message id.
    pub(super) waiting: List,
    /// Own messages to be sent at a later time.
    pub(super) delayed: List,
    /// Own messages sent, as far as they are outstanding.
    pub(super) sent: List,
    /// Its messages that are remembered.
    pub(super) remembered: u32,
    /// Those of them that may be forgotten.
    pub(super) evictable: List,
    /// Own messages in any state.
    pub(super) outgoing: u32,
}

/// The peers, each forgotten when `EXCHANGE_LIFETIME` has passed without a message and nothing of it is left: by then its
/// message ids are free.
#[derive(Debug)]
pub(super) struct Peers<P> {
    by_address: Tree,
    known: Slab<Known<P>>,
    links: Links,
    /// By the last message.
    by_age: List,
    limit: usize,
    lifetime: Duration,
}

impl<P: Peer> Peers<P> {
    pub(super) fn new(limit: usize, lifetime: Duration, key: u64) -> Self {
        Self {
            by_address: Tree::new(key),
            known: Slab::new(),
            links: Links::EMPTY,
            by_age: List::EMPTY,
            limit,
            lifetime,
        }
    }

    pub(super) fn find(&self, address: P) -> Option<u32> {
        self.by_address.find(|slot| self.known[slot as usize].address.cmp(&address))
    }

    /// What is known of the peer in an occupied slot.
    pub(super) fn at(&mut self, slot: u32) -> &mut Known<P> {
        &mut self.known[slot as usize]
    }

    pub(super) fn get(&self, slot: u32) -> Option<&Known<P>> {
        self.known.get(slot as usize)
    }

    pub(super) fn is_full(&self) -> bool {
        self.known.len() >= self.limit
    }

    /// Adds a peer that is not there.
    pub(super) fn add(&mut self, address: P, random: &mut Random, now: Instant) -> u32 {
        let slot = self.known.insert(Known {
            address,
            active_at: now,
            message_ids: MessageIds::for_peer(random),
            brake: Brake::default(),
            round_trip: None,
            outstanding: 0,
            waiting: List::EMPTY,
            delayed: List::EMPTY,
            sent: List::EMPTY,
            remembered: 0,
            evictable: List::EMPTY,
            outgoing: 0,
        }) as u32;
        self.by_address.insert(slot, &|other| self.known[other as usize].address.cmp(&address));
        self.by_age.push(&mut self.links, slot);
        slot
    }

    /// A message has come from it or gone to it.
    pub(super) fn touch(&mut self, slot: u32, now: Instant) {
        self.known[slot as usize].active_at = now;
        if self.by_age.last() != Some(slot) {
            self.postpone(slot);
        }
    }

    /// Forgets a peer of which nothing is left.
    pub(super) fn remove(&mut self, slot: u32) {
        self.by_age.remove(&mut self.links, slot);
        let address = self.known[slot as usize].address;
        self.by_address.remove(slot, &|other| self.known[other as usize].address.cmp(&address));
        self.known.remove(slot as usize);
    }

    /// The peer whose last message is longest ago, but for those that were postponed.
    pub(super) fn oldest(&self) -> Option<u32> {
        self.by_age.first()
    }

    /// Puts a peer behind all others.
    pub(super) fn postpone(&mut self, slot: u32) {
        self.by_age.remove(&mut self.links, slot);
        self.by_age.push(&mut self.links, slot);
    }

    /// When the oldest is to be looked at.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.by_age.first().map(|slot| self.known[slot as usize].active_at + self.lifetime)
    }

    /// Forgets the peers whose time is over; those of which something is left get another lifetime.
    pub(super) fn expire(&mut self, now: Instant) {
        while let Some(slot) =
            self.by_age.first().filter(|_| self.next_deadline().is_some_and(|at| at <= now))
        {
            let known = &self.known[slot as usize];
            if known.remembered == 0 && known.outgoing == 0 {
                self.remove(slot);
            } else {
                self.touch(slot, now);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }
}
