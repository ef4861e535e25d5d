//! A server's response bodies, cut into blocks (Block2, RFC 7959 §2.4) and kept so that all blocks are of one representation.

use core::hash::Hasher;
use core::time::Duration;

use bytes::Bytes;
use coap_codec::{Block, Code, OptionNumber};
use machine::{Instant, Random};
use siphasher::sip::SipHasher24;

use super::store::{Bounds, Store};
use super::{BlockOptions, Cut, Part, cut};
use crate::cache_key::CacheKey;
use crate::{Limits, OptionList};

/// Max-Age of a response without one (RFC 7252 §5.10.5).
const DEFAULT_MAX_AGE: u64 = 60;

/// The bodies that peers are fetching: one for each peer and operation, whatever the token.
#[derive(Clone, Debug)]
pub(crate) struct Bodies<P> {
    store: Store<P, Kept>,
    /// The largest body that is kept.
    limit: usize,
    /// The largest block.
    exponent: u8,
    /// Of the entity-tags that are made here.
    etag_key: [u64; 2],
}

#[derive(Clone, Debug)]
struct Kept {
    response: Piece,
    since: Instant,
}

/// A response as it leaves, or as the application gave it: code, options, and the payload or body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// The response code.
    pub(crate) code: Code,
    /// All options; with Block2 and Size2 where they are due.
    pub(crate) options: OptionList,
    /// The payload.
    pub(crate) payload: Bytes,
}

impl<P: Copy + Ord> Bodies<P> {
    /// Half of [`Limits::bodies`] is for bodies in this direction. `lifetime` is `EXCHANGE_LIFETIME`, `exponent` the largest
    /// block.
    pub(crate) fn new(limits: &Limits, lifetime: Duration, exponent: u8, random: &mut Random) -> Self {
        let bounds = Bounds {
            bytes: limits.bodies / 2,
            per_peer: limits.bodies_per_peer,
            lifetime,
            patience: Duration::ZERO,
        };
        Self {
            store: Store::new(bounds, random.next_u64()),
            limit: limits.body,
            exponent,
            etag_key: [random.next_u64(), random.next_u64()],
        }
    }

    /// What leaves of a response (or a notification, of which only block 0 does, §2.6): all of it, or the block that was wanted.
    /// While there is more, the rest is kept for the peer. `room` is the most payload that a message to the peer may have.
    ///
    /// A body in blocks gets an entity-tag if it is the content of the resource and has none.
    pub(crate) fn answer(
        &mut self,
        peer: P,
        key: &CacheKey,
        mut response: Piece,
        wanted: &BlockOptions,
        room: usize,
        now: Instant,
    ) -> Piece {
        let part = match self.cut(&response, wanted, room) {
            Cut::Whole => return response,
            Cut::Beyond => return beyond(),
            Cut::Part(part) => part,
        };
        self.tag(&mut response);
        let piece = response.part(&part, wanted.wants_size);
        if response.payload.len() > self.limit
            && let Some(old) = self.store.find(peer, key)
        {
            // Its blocks must not be taken for those of this one.
            self.store.remove(old);
        }
        if part.block.more() && response.payload.len() <= self.limit {
            let bytes = response.payload.len() + response.options.view().encoded().len();
            // Without room the blocks are cut from fresh responses; the entity-tag tells whether they fit.
            _ = self.store.insert(peer, key, Kept { response, since: now }, bytes, now);
        }
        piece
    }

    /// The block that a request wants of a body that is kept; `None` if there is none, and for block 0, which is always made
    /// anew.
    ///
    /// If there is none, GET and FETCH can be asked of the application again ([`answer`](Self::answer) cuts the block out), and
    /// other methods must not be: 4.08.
    pub(crate) fn further(
        &mut self,
        peer: P,
        key: &CacheKey,
        wanted: &BlockOptions,
        room: usize,
        now: Instant,
    ) -> Option<Piece> {
        wanted.block2.filter(|block| block.num() > 0)?;
        let id = self.store.find(peer, key)?;
        self.store.touch(id, now);
        let kept = self.store.get(id)?;
        let mut piece = match self.cut(&kept.response, wanted, room) {
            Cut::Part(part) => kept.response.part(&part, wanted.wants_size),
            Cut::Whole | Cut::Beyond => return Some(beyond()),
        };
        piece.age(now.saturating_since(kept.since));
        Some(piece)
    }

    /// The entity-tag of a response that gets one when it is cut: the application's own, or a hash. `None` when it is not the
    /// content of the resource: the tag would be taken for that of the resource (RFC 7252 §5.10.6.1).
    pub(crate) fn tag(&self, response: &mut Piece) {
        if response.code == Code::CONTENT && response.options.view().etag().is_none() {
            let mut hasher = SipHasher24::new_with_keys(self.etag_key[0], self.etag_key[1]);
            let format = response.options.view().content_format();
            hasher.write(&format.map_or(u32::MAX, |format| u32::from(format.get())).to_be_bytes());
            hasher.write(&response.payload);
            response.options.set(OptionNumber::ETAG, &hasher.finish().to_be_bytes());
        }
    }

    /// Forgets bodies that were not asked for within their lifetime.
    pub(crate) fn tick(&mut self, now: Instant) {
        self.store.expire(now);
    }

    /// When the next body is to be forgotten.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.store.next_deadline()
    }

    /// Forgets all of a peer.
    pub(crate) fn forget(&mut self, peer: P) {
        self.store.forget(peer);
    }

    /// The memory that is taken.
    pub(crate) const fn bytes(&self) -> usize {
        self.store.bytes()
    }

    /// An error has no blocks to choose from, and 2.03 no payload.
    fn cut(&self, response: &Piece, wanted: &BlockOptions, room: usize) -> Cut {
        let exponent = self.exponent.min(super::largest_exponent(room).unwrap_or(0));
        let block2 = match wanted.block2 {
            Some(block) if !response.code.is_success() => Block::new(0, false, block.size_exponent()),
            block2 => block2,
        };
        if response.payload.is_empty() && response.code != Code::CONTENT {
            return Cut::Whole;
        }
        cut(response.payload.len(), block2, exponent)
    }
}

impl Piece {
    fn part(&self, part: &Part, wants_size: bool) -> Self {
        let mut options = self.options.clone();
        options.set(OptionNumber::BLOCK2, &part.block.value());
        if wants_size || part.block.num() == 0 && part.block.more() {
            options.set_uint(OptionNumber::SIZE2, self.payload.len() as u64);
        }
        Self { code: self.code, options, payload: self.payload.slice(part.range.clone()) }
    }

    /// Max-Age is current when it is sent (RFC 7252 §5.10.5).
    fn age(&mut self, age: Duration) {
        let max_age = self.options.view().max_age().map_or(DEFAULT_MAX_AGE, u64::from);
        if age.as_secs() > 0 && self.code == Code::CONTENT {
            self.options.set_uint(OptionNumber::MAX_AGE, max_age.saturating_sub(age.as_secs()));
        }
    }
}

/// The body ends before the block that is wanted.
fn beyond() -> Piece {
    let payload = Bytes::from_static("the body has no such block".as_bytes());
    Piece { code: Code::BAD_REQUEST, options: OptionList::new(), payload }
}
