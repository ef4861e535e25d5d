use alloc::vec::Vec;

use machine::Instant;

use super::exchange::{Kind, State};
use super::index::{self, Index};
use super::retransmission::Retransmission;
use super::table::{Key, Table};
use crate::list::{Links, List};
use crate::timers::Timers;

/// An own message.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) peer: u32,
    pub(super) kind: Kind,
    pub(super) state: State,
    /// Whether an acknowledgement may carry its response.
    pub(super) is_request: bool,
    /// Once it has gone.
    pub(super) message_id: Option<u16>,
    /// Empty once it will not be sent again.
    pub(super) datagram: Vec<u8>,
    /// What to send instead when it would be repeated.
    pub(super) replacement: Option<Vec<u8>>,
    pub(super) retransmission: Retransmission,
}

/// The own messages that wait, are outstanding, or may yet be rejected.
#[derive(Debug)]
pub(super) struct Messages {
    pub(super) table: Table<Outgoing>,
    index: Index,
    /// For the three lists that each peer has.
    pub(super) links: Links,
    /// At most one time for each message; the state says what for.
    pub(super) timers: Timers,
    /// Messages in the state `Rejectable`, in the order in which their time will be over.
    pub(super) rejectable: List,
    pub(super) rejectable_links: Links,
}

impl Messages {
    pub(super) fn new(key: u64) -> Self {
        Self {
            table: Table::new(),
            index: Index::new(key),
            links: Links::EMPTY,
            timers: Timers::default(),
            rejectable: List::EMPTY,
            rejectable_links: Links::EMPTY,
        }
    }

    /// Messages that wait or are outstanding.
    pub(super) fn live(&self) -> usize {
        self.table.len() - self.rejectable.len()
    }

    /// The message that an acknowledgement or Reset from this peer belongs to.
    pub(super) fn find(&self, peer: u32, message_id: u16) -> Option<Key> {
        self.table.key_at(self.index.get(index::name(peer, message_id))?)
    }

    /// The first message of a list.
    pub(super) fn first_of(&self, list: List) -> Option<Key> {
        self.table.key_at(list.first()?)
    }

    /// Gives a message its id.
    pub(super) fn identify(&mut self, key: Key, message_id: u16) {
        self.forget_id(key);
        if let Some(message) = self.table.get_mut(key) {
            message.message_id = Some(message_id);
            self.index.insert(index::name(message.peer, message_id), key.slot());
        }
    }

    /// From now on no acknowledgement or Reset belongs to the message.
    pub(super) fn forget_id(&mut self, key: Key) {
        let Some(message) = self.table.get_mut(key) else { return };
        if let Some(id) = message.message_id.take() {
            self.index.remove(index::name(message.peer, id), key.slot());
        }
    }

    /// The oldest message in `Rejectable`, and when it was sent.
    pub(super) fn oldest_rejectable(&self) -> Option<(Key, Instant)> {
        let key = self.first_of(self.rejectable)?;
        Some((key, self.table.get(key)?.retransmission.first_sent()))
    }
}
