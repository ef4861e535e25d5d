//! The server's side of observations: who observes what (RFC 7641 §4).

use alloc::vec::Vec;
use core::cmp::Ordering;

use bytes::Bytes;
use coap_codec::{Code, ContentFormat};
use machine::Instant;
use slab::Slab;

use super::asker::Asker;
use super::open::Open;
use super::sequence::Sequence;
use crate::block::BlockOptions;
use crate::list::{Links, List};
use crate::message::{OutgoingId, Peer};
use crate::outbound::ObserverId;
use crate::resource::ResourceId;
use crate::tree::Tree;
use crate::{Bodies, Limits, OptionList, RequestId, Token};

/// An entry of the list of observers.
#[derive(Debug)]
pub(crate) struct Observer<P> {
    pub(crate) peer: P,
    pub(crate) token: Token,
    pub(crate) resource: ResourceId,
    /// What was asked for, without Observe; asked again for each notification.
    pub(crate) method: Code,
    pub(crate) options: OptionList,
    pub(crate) payload: Bytes,
    /// The block size that it wants, for all notifications.
    pub(crate) blocks: BlockOptions,
    pub(crate) bodies: Bodies,
    pub(crate) sequence: Sequence,
    pub(crate) format: Format,
    /// The newest notification's message, until it is acknowledged.
    pub(crate) outgoing: Option<OutgoingId>,
    /// It is confirmable and not acknowledged yet.
    pub(crate) unconfirmed: bool,
    pub(crate) last_sent: Instant,
    /// When the peer last acknowledged something of it, or was known to receive.
    pub(crate) confirmed: Option<Instant>,
    /// The newest notification, when it waits for its time.
    pub(crate) waiting: Option<Waiting>,
    /// The application is being asked for the state.
    pub(crate) asked: Option<RequestId>,
    /// The state has changed again meanwhile.
    pub(crate) changed: bool,
    /// A notification could not be sent for want of room.
    pub(crate) missed: bool,
    serial: u32,
}

/// The Content-Format that all notifications of an observation share (RFC 7641 §4.2). 2.03 does not tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Unknown,
    Known(Option<ContentFormat>),
}

impl Format {
    /// Whether a notification may have this one.
    pub(crate) fn admits(&mut self, format: Option<ContentFormat>) -> bool {
        match *self {
            Self::Unknown => *self = Self::Known(format),
            Self::Known(known) => return known == format,
        }
        true
    }
}

/// A notification that waits.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) datagram: Vec<u8>,
    pub(crate) confirmable: bool,
}

/// The lists of observers of all resources, each observer under its peer and token, of which the empty one is as good as any.
#[derive(Debug)]
pub(crate) struct Observers<P> {
    entries: Slab<Observer<P>>,
    /// By peer and token.
    by_registration: Tree,
    /// By the place of the resource.
    by_resource: Vec<List>,
    links: Links,
    /// The newest sequence number of all that have been taken out.
    retired: Sequence,
    next_serial: u32,
}

impl<P: Peer> Observers<P> {
    pub(crate) fn new(key: u64) -> Self {
        Self {
            entries: Slab::new(),
            by_registration: Tree::new(key),
            by_resource: Vec::new(),
            links: Links::EMPTY,
            retired: Sequence::default(),
            next_serial: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    #[inline(never)]
    pub(crate) fn get(&mut self, id: ObserverId) -> Option<&mut Observer<P>> {
        self.entries.get_mut(id.key as usize).filter(|observer| observer.serial == id.serial)
    }

    pub(crate) fn find(&self, peer: P, token: &Token) -> Option<ObserverId> {
        self.id_at(self.by_registration.find(|slot| self.cmp(slot, peer, token))?)
    }

    /// The name of the observer in a slot.
    pub(crate) fn id_at(&self, slot: u32) -> Option<ObserverId> {
        let observer = self.entries.get(slot as usize)?;
        Some(ObserverId { key: slot, serial: observer.serial })
    }

    /// Whether the peer may register with this token: it has done so already, or there is room for one more.
    pub(crate) fn admits(&self, peer: P, token: &Token, limits: &Limits) -> bool {
        let has_room = || {
            self.entries.len() < limits.observers && self.of_peer(peer).count() < limits.observers_per_peer
        };
        self.find(peer, token).is_some() || has_room()
    }

    /// Enters an observer, in the place of one with the same peer and token (RFC 7641 §4.1). The sequence goes on, whether that one
    /// is there or was there before.
    pub(crate) fn enter(&mut self, mut observer: Observer<P>) -> ObserverId {
        if let Some(old) = self.find(observer.peer, &observer.token) {
            self.remove(old);
        }
        observer.sequence = self.retired;
        self.next_serial = self.next_serial.wrapping_add(1);
        observer.serial = self.next_serial;
        let id = ObserverId { key: self.entries.vacant_key() as u32, serial: observer.serial };
        let place = observer.resource.place();
        if self.by_resource.len() <= place {
            self.by_resource.resize(place + 1, List::EMPTY);
        }
        self.by_resource[place].push(&mut self.links, id.key);
        let (peer, token) = (observer.peer, observer.token.clone());
        self.entries.insert(observer);
        let entries = &self.entries;
        self.by_registration.insert(id.key, &|other| entries[other as usize].cmp_registration(peer, &token));
        id
    }

    pub(crate) fn remove(&mut self, id: ObserverId) -> Option<Observer<P>> {
        self.get(id)?;
        let (entries, observer) = (&self.entries, &self.entries[id.key as usize]);
        let (peer, token) = (observer.peer, &observer.token);
        self.by_registration.remove(id.key, &|other| entries[other as usize].cmp_registration(peer, token));
        let observer = self.entries.remove(id.key as usize);
        self.retired = self.retired.max(observer.sequence);
        self.by_resource[observer.resource.place()].remove(&mut self.links, id.key);
        Some(observer)
    }

    /// The observers of a resource, in the order in which they came.
    pub(crate) fn of_resource(&self, resource: ResourceId) -> impl Iterator<Item = ObserverId> {
        self.list(resource).iter(&self.links).filter_map(|slot| self.id_at(slot))
    }

    pub(crate) fn count(&self, resource: ResourceId) -> usize {
        self.list(resource).len()
    }

    pub(crate) fn of_peer(&self, peer: P) -> impl Iterator<Item = ObserverId> {
        let mut next = self.by_registration.first_from(|slot| self.cmp(slot, peer, &Token::EMPTY));
        core::iter::from_fn(move || {
            let slot = next?;
            let observer = self.entries.get(slot as usize).filter(|observer| observer.peer == peer)?;
            next = self.by_registration.first_from(|other| {
                // The next but for this one.
                if other == slot { Ordering::Less } else { self.cmp(other, peer, &observer.token) }
            });
            self.id_at(slot)
        })
    }

    fn cmp(&self, slot: u32, peer: P, token: &Token) -> Ordering {
        self.entries[slot as usize].cmp_registration(peer, token)
    }

    /// A resource that is gone has no observers, and its place may be another's.
    fn list(&self, resource: ResourceId) -> List {
        let list = self.by_resource.get(resource.place()).copied().unwrap_or(List::EMPTY);
        let first = list.first().and_then(|slot| self.entries.get(slot as usize));
        if first.is_some_and(|observer| observer.resource == resource) { list } else { List::EMPTY }
    }
}

impl<P: Copy> Observer<P> {
    /// What a registration says.
    pub(crate) fn new(
        asker: &Asker<P>,
        resource: ResourceId,
        open: &Open<P>,
        format: Format,
        confirmed: Option<Instant>,
        now: Instant,
    ) -> Self {
        Self {
            peer: asker.from,
            token: asker.token.clone(),
            resource,
            method: open.method,
            options: open.options.clone(),
            payload: open.payload.clone(),
            blocks: open.blocks,
            bodies: open.bodies,
            sequence: Sequence::default(),
            format,
            outgoing: None,
            unconfirmed: false,
            last_sent: now,
            confirmed,
            waiting: None,
            asked: None,
            changed: false,
            missed: false,
            serial: 0,
        }
    }
}

impl<P: Copy + Ord> Observer<P> {
    fn cmp_registration(&self, peer: P, token: &Token) -> Ordering {
        self.peer.cmp(&peer).then_with(|| self.token.cmp(token))
    }
}
