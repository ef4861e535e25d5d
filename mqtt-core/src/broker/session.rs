//! Sessions: what a client and the broker know of each other beyond one connection (MQTT 5 §4.1).

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use core::ops::{Index, IndexMut};

use mqtt_codec::{ProtocolVersion, QoS};
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
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    slots: Slab<Session>,
    /// Ordered, so that nobody can choose identifiers that collide.
    by_client_id: BTreeMap<Arc<str>, SessionKey>,
}

impl Sessions {
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn find(&self, client_id: &str) -> Option<SessionKey> {
        self.by_client_id.get(client_id).copied()
    }

    pub(crate) fn insert(&mut self, session: Session) -> SessionKey {
        let client_id = Arc::clone(&session.client_id);
        let key = SessionKey(self.slots.insert(session) as u32);
        self.by_client_id.insert(client_id, key);
        key
    }

    pub(crate) fn remove(&mut self, key: SessionKey) -> Session {
        let session = self.slots.remove(key.0 as usize);
        self.by_client_id.remove(&session.client_id);
        session
    }
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
