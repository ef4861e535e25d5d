//! A server's request bodies, put together from blocks (Block1, RFC 7959 §2.5) to be acted on at once when they are whole.

use alloc::vec::Vec;
use core::time::Duration;

use coap_codec::{Block, ContentFormat, Options};
use machine::Instant;

use super::store::{Bounds, Full, Store};
use crate::cache_key::CacheKey;
use crate::{Counters, Limits};

/// The bodies that peers are sending, one for each peer and operation.
#[derive(Clone, Debug)]
pub(crate) struct Assemblies<P> {
    store: Store<P, Assembly>,
    /// The largest body.
    limit: usize,
    /// The largest block that is asked for.
    exponent: u8,
}

#[derive(Clone, Debug)]
struct Assembly {
    body: Vec<u8>,
    content_format: Option<ContentFormat>,
    if_none_match: bool,
    /// Size1 of block 0: memory is not taken beyond it while it holds.
    announced: usize,
}

/// What a block of a request's body leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Assembled {
    /// More is to come: 2.31 with this Block1, without payload and Block2 (§2.9.1).
    Continue(Block),
    /// The body is whole; the response to the request carries this Block1.
    Whole {
        /// The body.
        body: Vec<u8>,
        /// Block1 of the response.
        block: Block,
        /// Whether block 0 had If-None-Match; further blocks need not repeat it, and should not (§2.10).
        if_none_match: bool,
    },
    /// Blocks before this one are missing: 4.08 with this Block1 (§2.9.2).
    Incomplete(Block),
    /// The body is larger than allowed: 4.13 with this Block1 and the Size1 that would be (§2.9.3).
    TooLarge {
        /// Block1 of the response.
        block: Block,
        /// The largest body.
        size1: u32,
    },
    /// There is no room just now: 5.03 with this Max-Age (RFC 9175 §3.3).
    Busy {
        /// Block1 of the response.
        block: Block,
        /// Seconds until it may be tried again.
        max_age: u32,
    },
    /// The block breaks a rule: 4.00 with these words.
    Bad(&'static str),
}

/// A body that was not added to for this part of its lifetime gives way to another peer's: 15 s, where clients wait for their
/// retransmissions.
const PATIENCE: u32 = 16;

impl<P: Copy + Ord> Assemblies<P> {
    /// Half of [`Limits::bodies`] is for bodies in this direction. `lifetime` is `EXCHANGE_LIFETIME`, `exponent` the largest
    /// block that is asked for.
    pub(crate) fn new(limits: &Limits, lifetime: Duration, exponent: u8, key: u64) -> Self {
        let bounds = Bounds {
            bytes: limits.bodies / 2,
            per_peer: limits.bodies_per_peer,
            lifetime,
            patience: lifetime / PATIENCE,
        };
        Self { store: Store::new(bounds, key), limit: limits.body, exponent }
    }

    /// Takes a block that [`blocks_of`](super::blocks_of) found sound. `key` is the request's
    /// [`operation_key`](crate::cache_key::operation_key).
    #[expect(clippy::too_many_arguments, reason = "what a block is made of, and the two things around it")]
    pub(crate) fn receive(
        &mut self,
        peer: P,
        key: &CacheKey,
        block: Block,
        options: Options<'_>,
        payload: &[u8],
        counters: &mut Counters,
        now: Instant,
    ) -> Assembled {
        let result = if block.num() == 0 {
            self.first(peer, key, block, options, payload, now)
        } else {
            self.further(peer, key, block, options, payload, now)
        };
        counters.bodies_abandoned += self.store.take_dropped();
        result
    }

    /// Block 0 begins anew, whatever was there (§2.5).
    fn first(
        &mut self,
        peer: P,
        key: &CacheKey,
        block: Block,
        options: Options<'_>,
        payload: &[u8],
        now: Instant,
    ) -> Assembled {
        if let Some(id) = self.store.find(peer, key) {
            self.store.remove(id);
        }
        let announced = options.size1().map_or(0, |size| size as usize);
        if payload.len().max(announced) > self.limit {
            return self.too_large(block);
        }
        let if_none_match = options.if_none_match();
        if !block.more() {
            return Assembled::Whole { body: payload.into(), block: self.acknowledge(block), if_none_match };
        }
        let assembly = Assembly {
            body: payload.into(),
            content_format: options.content_format(),
            if_none_match,
            announced,
        };
        match self.store.insert(peer, key, assembly, payload.len(), now) {
            Ok(()) => Assembled::Continue(self.acknowledge(block)),
            Err(Full) => busy(block),
        }
    }

    fn further(
        &mut self,
        peer: P,
        key: &CacheKey,
        block: Block,
        options: Options<'_>,
        payload: &[u8],
        now: Instant,
    ) -> Assembled {
        let found = self.store.find(peer, key);
        let Some((id, assembly)) = found.and_then(|id| Some((id, self.store.get(id)?))) else {
            return Assembled::Incomplete(self.acknowledge(block));
        };
        // Some clients repeat the option with each block: harmless, as the condition is looked at when all is whole.
        if options.if_none_match() && !assembly.if_none_match {
            return Assembled::Bad("If-None-Match is for block 0 only");
        }
        if options.content_format() != assembly.content_format {
            return Assembled::Incomplete(self.acknowledge(block));
        }
        if block.offset() != assembly.body.len() {
            let known = block.more() && assembly.has(block.offset(), payload);
            return self.out_of_sequence(id, block, known, now);
        }
        self.append(id, block, payload, now)
    }

    /// A block that came before, in a new message, is answered as it was; after a gap the body cannot be put together.
    fn out_of_sequence(&mut self, id: usize, block: Block, known: bool, now: Instant) -> Assembled {
        self.store.touch(id, now);
        let block = self.acknowledge(block);
        if known { Assembled::Continue(block) } else { Assembled::Incomplete(block) }
    }

    fn append(&mut self, id: usize, block: Block, payload: &[u8], now: Instant) -> Assembled {
        let Some(assembly) = self.store.get(id) else {
            return Assembled::Incomplete(self.acknowledge(block));
        };
        if payload.len() > self.limit.saturating_sub(assembly.body.len()) {
            self.store.remove(id);
            return self.too_large(block);
        }
        let capacity = assembly.capacity_for(payload.len(), self.limit);
        let more = capacity.saturating_sub(assembly.body.capacity());
        self.store.touch(id, now);
        if self.store.grow(id, more, now).is_err() {
            self.store.remove(id);
            return busy(block);
        }
        if let Some(assembly) = self.store.get_mut(id) {
            assembly.body.reserve_exact(capacity.saturating_sub(assembly.body.len()));
            assembly.body.extend_from_slice(payload);
        }
        let acknowledged = self.acknowledge(block);
        if block.more() {
            return Assembled::Continue(acknowledged);
        }
        match self.store.remove(id) {
            Some(Assembly { body, if_none_match, .. }) => {
                Assembled::Whole { body, block: acknowledged, if_none_match }
            }
            None => Assembled::Incomplete(acknowledged),
        }
    }

    /// Forgets bodies that no block came for within their lifetime.
    pub(crate) fn tick(&mut self, counters: &mut Counters, now: Instant) {
        self.store.expire(now);
        counters.bodies_abandoned += self.store.take_dropped();
    }

    /// When the next body is to be forgotten.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.store.next_deadline()
    }

    /// Forgets all of a peer.
    pub(crate) fn forget(&mut self, peer: P, counters: &mut Counters) {
        self.store.forget(peer);
        counters.bodies_abandoned += self.store.take_dropped();
    }

    /// The memory that is taken.
    pub(crate) const fn bytes(&self) -> usize {
        self.store.bytes()
    }

    /// 4.13 for a body that came without Block1 and is larger than allowed.
    pub(crate) fn refuses(&self, payload: &[u8]) -> Option<u32> {
        (payload.len() > self.limit).then(|| self.size1())
    }

    /// Block1 of an answer: the number that came, M as it came, and the size that is liked best but not above the one that came
    /// (§2.3).
    fn acknowledge(&self, block: Block) -> Block {
        let exponent = self.exponent.min(block.size_exponent());
        Block::new(block.num(), block.more(), exponent).unwrap_or(block)
    }

    /// The size that came is given back: a smaller one would be a hint to try that.
    fn too_large(&self, block: Block) -> Assembled {
        Assembled::TooLarge { block, size1: self.size1() }
    }

    fn size1(&self) -> u32 {
        u32::try_from(self.limit).unwrap_or(u32::MAX)
    }
}

/// When no room is left, it is worth trying again after this many seconds: transfers end, or lose their patience.
const BUSY_MAX_AGE: u32 = 15;

fn busy(block: Block) -> Assembled {
    Assembled::Busy { block, max_age: BUSY_MAX_AGE }
}

impl Assembly {
    /// Whether these bytes are at that place already.
    fn has(&self, offset: usize, payload: &[u8]) -> bool {
        self.body.get(offset..).is_some_and(|rest| rest.starts_with(payload)) && !payload.is_empty()
    }

    /// The memory for `len` more bytes: twice as much as before where it does not suffice, so that a long body is not copied too
    /// often, but not beyond what was announced or is allowed.
    fn capacity_for(&self, len: usize, limit: usize) -> usize {
        let needed = self.body.len() + len;
        if needed <= self.body.capacity() {
            return self.body.capacity();
        }
        let most = if self.announced >= needed { self.announced } else { limit.max(needed) };
        self.body.capacity().saturating_mul(2).max(needed).min(most)
    }
}
