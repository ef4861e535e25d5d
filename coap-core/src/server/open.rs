//! Requests that the application has not answered yet.

use alloc::vec::Vec;

use bytes::Bytes;
use coap_codec::{Block, Code};
use slab::Slab;

use super::asker::Asker;
use crate::block::BlockOptions;
use crate::message::Peer;
use crate::outbound::ObserverId;
use crate::peer_map::PeerMap;
use crate::resource::ResourceId;
use crate::{Bodies, Limits, OptionList, RequestId};

/// A request that is to be answered.
#[derive(Debug)]
pub(crate) struct Open<P> {
    pub(crate) role: Role<P>,
    /// `None` for the list of resources, which the endpoint answers itself.
    pub(crate) resource: Option<ResourceId>,
    /// How often the resource had changed when the request came.
    pub(crate) changes: u64,
    pub(crate) method: Code,
    pub(crate) options: OptionList,
    pub(crate) payload: Bytes,
    pub(crate) blocks: BlockOptions,
    /// Block1 of the answer, when the request's body came in blocks.
    pub(crate) block1: Option<Block>,
    pub(crate) bodies: Bodies,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct OpenRequests<P> {
    places: Slab<Place<P>>,
    per_peer: PeerMap<P, usize>,
    next_serial: u32,
}

#[derive(Debug)]
struct Place<P> {
    id: RequestId,
    /// `None` while its answer is being made.
    open: Option<Open<P>>,
}

/// What the answer is for.
#[derive(Clone, Debug)]
pub(crate) enum Role<P> {
    /// The peer that asked.
    Answer(Asker<P>),
    /// The peer that asked, and observes if the answer is a success.
    Registration(Asker<P>),
    /// An observer.
    Notification(ObserverId, P),
}

impl<P: Copy> Open<P> {
    fn peer(&self) -> P {
        match &self.role {
            Role::Answer(asker) | Role::Registration(asker) => asker.from,
            Role::Notification(_, peer) => *peer,
        }
    }
}

impl RequestId {
    const fn new(serial: u32, key: usize) -> Self {
        Self((serial as u64) << 32 | key as u64)
    }

    /// Its place among the open requests.
    const fn key(self) -> usize {
        self.0 as u32 as usize
    }
}

impl<P: Peer> OpenRequests<P> {
    pub(super) const fn new(key: u64) -> Self {
        Self { places: Slab::new(), per_peer: PeerMap::new(key), next_serial: 1 }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// What a peer is told when there is no room for one more request of it: 4.29 when it has too many itself (RFC 8516), 5.03 when
    /// all have.
    pub(super) fn refuses(&self, peer: P, limits: &Limits) -> Option<Code> {
        if self.per_peer.get(peer).is_some_and(|count| *count >= limits.unanswered_per_peer) {
            return Some(Code::TOO_MANY_REQUESTS);
        }
        (self.places.len() >= limits.unanswered).then_some(Code::SERVICE_UNAVAILABLE)
    }

    /// The name that the next request will get.
    pub(super) fn next_id(&self) -> RequestId {
        RequestId::new(self.next_serial, self.places.vacant_key())
    }

    /// Gives a request its name.
    pub(crate) fn put(&mut self, open: Open<P>) -> RequestId {
        let id = self.next_id();
        self.next_serial = self.next_serial.wrapping_add(1);
        let peer = open.peer();
        match self.per_peer.find(peer) {
            Some(slot) => *self.per_peer.at_mut(slot) += 1,
            None => _ = self.per_peer.insert(peer, 1),
        }
        self.places.insert(Place { id, open: Some(open) });
        id
    }

    pub(super) fn get(&self, id: RequestId) -> Option<&Open<P>> {
        self.places.get(id.key()).filter(|place| place.id == id)?.open.as_ref()
    }

    /// Takes a request out of its place, which stays its own.
    pub(super) fn lend(&mut self, id: RequestId) -> Option<Open<P>> {
        self.places.get_mut(id.key()).filter(|place| place.id == id)?.open.take()
    }

    /// Puts a request that was lent back.
    pub(super) fn give_back(&mut self, id: RequestId, open: Open<P>) {
        if let Some(place) = self.places.get_mut(id.key()) {
            place.open = Some(open);
        }
    }

    /// Ends a request that was lent.
    pub(super) fn close(&mut self, id: RequestId, open: &Open<P>) {
        self.places.try_remove(id.key());
        let Some(slot) = self.per_peer.find(open.peer()) else { return };
        let count = self.per_peer.at_mut(slot);
        *count -= 1;
        if *count == 0 {
            self.per_peer.remove_at(slot);
        }
    }

    /// Ends a request.
    pub(crate) fn forget(&mut self, id: RequestId) {
        if let Some(open) = self.lend(id) {
            self.close(id, &open);
        }
    }

    /// The requests that meet a condition.
    pub(super) fn which(&self, condition: impl Fn(&Open<P>) -> bool) -> Vec<RequestId> {
        let meets = |(_, place): (usize, &Place<P>)| {
            place.open.as_ref().filter(|open| condition(open)).map(|_| place.id)
        };
        self.places.iter().filter_map(meets).collect()
    }
}
