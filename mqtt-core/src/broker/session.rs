//! Sessions: what a client and the broker know of each other beyond one connection (MQTT 5 §4.1).

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use core::hash::Hasher;
use core::ops::{Index, IndexMut};

use hashbrown::HashTable;
use machine::Random;
use mqtt_codec::{ProtocolVersion, QoS};
use siphasher::sip::SipHasher13;
use slab::Slab;
use topic_match::Cursor;

use super::queue::{Delivery, Queue};
use super::subscriber::{GroupId, SessionKey};
use crate::qos::incoming::Incoming;
use crate::qos::outgoing::Outgoing;
use crate::will::Will;

/// Session expiry: never.
pub(crate) const NEVER: u32 = u32::MAX;

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client_id: Arc<str>,
    /// The index of its connection.
    pub(crate) connection: Option<usize>,
    pub(crate) version: ProtocolVersion,
    /// Seconds that it outlives its connection: 0 for not at all, [`NEVER`] for ever.
    pub(crate) expiry: u32,
    pub(crate) recorded: bool,
    pub(crate) outgoing: Outgoing<Delivery>,
    pub(crate) incoming: Incoming,
    pub(crate) queue: Queue,
    /// Retained messages for its new subscriptions, by filter.
    pub(crate) walks: BTreeMap<Box<str>, Walk>,
    /// The shared subscriptions it is a member of.
    pub(crate) groups: BTreeSet<GroupId>,
    pub(crate) will: Option<Box<Will>>,
    pub(crate) next_serial: u64,
    /// The last message that was routed to it, and where among the targets.
    pub(crate) mark: (u64, u32),
}

/// Retained messages on their way to one new subscription.
#[derive(Debug)]
pub(crate) struct Walk {
    pub(crate) cursor: Cursor,
    pub(crate) maximum_qos: QoS,
    /// 0 for none.
    pub(crate) identifier: u32,
}

impl Session {
    pub(crate) fn new(client_id: Arc<str>, version: ProtocolVersion) -> Self {
        Self {
            client_id,
            connection: None,
            version,
            expiry: 0,
            recorded: false,
            outgoing: Outgoing::default(),
            incoming: Incoming::default(),
            queue: Queue::default(),
            walks: BTreeMap::new(),
            groups: BTreeSet::new(),
            will: None,
            next_serial: 0,
            mark: (0, 0),
        }
    }

    /// Whether its changes are recorded: it outlives its connection, or did so once.
    #[inline]
    pub(crate) fn is_durable(&self) -> bool {
        self.recorded
    }

    /// Whether something waits that cannot be sent at once.
    #[inline]
    pub(crate) fn has_backlog(&self) -> bool {
        !self.queue.is_empty() || !self.walks.is_empty() || self.outgoing.is_resending()
    }

    pub(crate) fn take_serial(&mut self) -> u64 {
        self.next_serial += 1;
        self.next_serial
    }
}

/// All sessions, by place and by client identifier.
#[derive(Debug)]
pub(crate) struct Sessions {
    slots: Slab<Session>,
    by_client_id: HashTable<SessionKey>,
    /// Keyed, so that nobody can choose identifiers that collide.
    hasher: SipHasher13,
}

impl Sessions {
    pub(crate) fn new(random: &mut Random) -> Self {
        let hasher = SipHasher13::new_with_keys(random.next_u64(), random.next_u64());
        Self { slots: Slab::new(), by_client_id: HashTable::new(), hasher }
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn find(&self, client_id: &str) -> Option<SessionKey> {
        let hash = hash(self.hasher, client_id);
        self.by_client_id.find(hash, |key| *self[*key].client_id == *client_id).copied()
    }

    /// Adds the session of a client that has none.
    pub(crate) fn insert(&mut self, session: Session) -> SessionKey {
        let (hasher, hash_of_new) = (self.hasher, hash(self.hasher, &session.client_id));
        let key = SessionKey(self.slots.insert(session) as u32);
        let slots = &self.slots;
        let hash_of = |key: &SessionKey| hash(hasher, &slots[key.0 as usize].client_id);
        self.by_client_id.insert_unique(hash_of_new, key, hash_of);
        key
    }

    pub(crate) fn remove(&mut self, key: SessionKey) -> Session {
        let session = self.slots.remove(key.0 as usize);
        let hash = hash(self.hasher, &session.client_id);
        if let Ok(entry) = self.by_client_id.find_entry(hash, |other| *other == key) {
            entry.remove();
        }
        session
    }
}

fn hash(mut hasher: SipHasher13, client_id: &str) -> u64 {
    hasher.write(client_id.as_bytes());
    hasher.finish()
}

impl Index<SessionKey> for Sessions {
    type Output = Session;

    #[inline]
    fn index(&self, key: SessionKey) -> &Session {
        &self.slots[key.0 as usize]
    }
}

impl IndexMut<SessionKey> for Sessions {
    #[inline]
    fn index_mut(&mut self, key: SessionKey) -> &mut Session {
        &mut self.slots[key.0 as usize]
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn sessions_are_found_by_their_client_identifiers_as_they_come_and_go() {
        let mut sessions = Sessions::new(&mut Random::from_u64(1));
        let id = |number: u32| format!("client {number}");
        let new = |number| Session::new(id(number).into(), ProtocolVersion::V5);
        let keys: alloc::vec::Vec<_> = (0..1000).map(|number| sessions.insert(new(number))).collect();
        for number in (0..1000).step_by(3) {
            assert_eq!(*sessions.remove(keys[number as usize]).client_id, *id(number));
        }
        for number in 0..1000 {
            let expected = (number % 3 > 0).then_some(keys[number as usize]);
            assert_eq!(sessions.find(&id(number)), expected);
        }
        let again = sessions.insert(new(0));
        assert_eq!((sessions.find(&id(0)), sessions.len()), (Some(again), 667));
    }
}
