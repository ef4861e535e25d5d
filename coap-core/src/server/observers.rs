//! The server's side of observations: who observes what (RFC 7641 §4).

use alloc::collections::BTreeSet;
use alloc::collections::btree_map::{BTreeMap, Entry};
use alloc::vec::Vec;
use core::ops::Bound;

use bytes::Bytes;
use coap_codec::{Code, ContentFormat};
use machine::Instant;
use slab::Slab;

use super::asker::Asker;
use super::open::Open;
use super::sequence::Sequence;
use crate::block::BlockOptions;
use crate::message::{OutgoingId, Peer};
use crate::outbound::ObserverId;
use crate::resource::ResourceId;
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
    by_registration: BTreeMap<(P, Token), ObserverId>,
    by_resource: BTreeMap<ResourceId, BTreeSet<ObserverId>>,
    /// The newest sequence number of all that have been taken out.
    retired: Sequence,
    next_serial: u32,
}

impl<P: Peer> Observers<P> {
    pub(crate) fn new() -> Self {
        Self {
            entries: Slab::new(),
            by_registration: BTreeMap::new(),
            by_resource: BTreeMap::new(),
            retired: Sequence::default(),
            next_serial: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn get(&mut self, id: ObserverId) -> Option<&mut Observer<P>> {
        self.entries.get_mut(id.key as usize).filter(|observer| observer.serial == id.serial)
    }

    pub(crate) fn find(&self, peer: P, token: &Token) -> Option<ObserverId> {
        self.by_registration.get(&(peer, token.clone())).copied()
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
        self.by_registration.insert((observer.peer, observer.token.clone()), id);
        self.by_resource.entry(observer.resource).or_default().insert(id);
        self.entries.insert(observer);
        id
    }

    pub(crate) fn remove(&mut self, id: ObserverId) -> Option<Observer<P>> {
        self.get(id)?;
        let observer = self.entries.remove(id.key as usize);
        self.retired = self.retired.max(observer.sequence);
        self.by_registration.remove(&(observer.peer, observer.token.clone()));
        if let Entry::Occupied(mut of_resource) = self.by_resource.entry(observer.resource) {
            of_resource.get_mut().remove(&id);
            if of_resource.get().is_empty() {
                of_resource.remove();
            }
        }
        Some(observer)
    }

    /// The observers of a resource, in an order that depends on nothing but what happened.
    pub(crate) fn of_resource(&self, resource: ResourceId) -> impl Iterator<Item = ObserverId> {
        self.by_resource.get(&resource).into_iter().flatten().copied()
    }

    pub(crate) fn count(&self, resource: ResourceId) -> usize {
        self.by_resource.get(&resource).map_or(0, BTreeSet::len)
    }

    pub(crate) fn of_peer(&self, peer: P) -> impl Iterator<Item = ObserverId> {
        self.by_registration
            .range((Bound::Included((peer, Token::EMPTY)), Bound::Unbounded))
            .take_while(move |((of, _), _)| *of == peer)
            .map(|(_, id)| *id)
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
