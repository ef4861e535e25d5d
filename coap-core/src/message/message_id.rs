//! Message ids for own messages, RFC 7252 §4.4: none is used twice toward a peer within `EXCHANGE_LIFETIME`.
//!
//! A peer's ids count up from a random start. They are watched in buckets of 1024: before the count enters a bucket again,
//! the bucket's last use must be `EXCHANGE_LIFETIME` ago. The ids of messages to groups come from a range of their own, so
//! that they differ from those in use with any peer (§8.1).

use alloc::vec::Vec;
use core::time::Duration;

use machine::{Instant, Random};

const BUCKET: u32 = 1024;
const BUCKETS: u32 = 64;
const GROUP_BUCKETS: u32 = 4;

/// The message ids toward one peer, or toward all groups.
#[derive(Debug)]
pub(super) struct MessageIds {
    first_bucket: u32,
    buckets: u32,
    next: u32,
    /// When the ids of the bucket that `next` was last taken from are free again.
    current: Option<(u32, Instant)>,
    /// The same for the other buckets; empty for as long as there are none.
    others: Vec<Option<Instant>>,
}

impl MessageIds {
    /// Ids for one peer.
    pub(super) fn for_peer(random: &mut Random) -> Self {
        Self::new(0, BUCKETS - GROUP_BUCKETS, random)
    }

    /// Ids for groups.
    pub(super) fn for_groups(random: &mut Random) -> Self {
        Self::new(BUCKETS - GROUP_BUCKETS, GROUP_BUCKETS, random)
    }

    fn new(first_bucket: u32, buckets: u32, random: &mut Random) -> Self {
        let start = random.below(u64::from(buckets * BUCKET)) as u32;
        Self { first_bucket, buckets, next: first_bucket * BUCKET + start, current: None, others: Vec::new() }
    }

    /// When the next id is free, unless it is now.
    pub(super) fn free_at(&self, now: Instant) -> Option<Instant> {
        let bucket = self.next / BUCKET;
        let free_at = match self.current {
            // Within a bucket each id comes once.
            Some((current, _)) if current == bucket => None,
            _ => self.others.get((bucket - self.first_bucket) as usize).copied().flatten(),
        };
        free_at.filter(|&at| at > now)
    }

    /// Takes an id into use for `lifetime`; `None` when it is not free yet.
    pub(super) fn take(&mut self, now: Instant, lifetime: Duration) -> Option<u16> {
        if self.free_at(now).is_some() {
            return None;
        }
        let (id, bucket) = (self.next, self.next / BUCKET);
        if let Some((left, at)) = self.current.filter(|&(current, _)| current != bucket) {
            self.others.resize(self.buckets as usize, None);
            self.others[(left - self.first_bucket) as usize] = Some(at);
        }
        self.current = Some((bucket, now + lifetime));
        let end = (self.first_bucket + self.buckets) * BUCKET;
        self.next = if id + 1 == end { self.first_bucket * BUCKET } else { id + 1 };
        Some(id as u16)
    }
}
