mod entries;
mod exact;
mod hash;
mod limits;
mod lists;
mod place;
mod postings;
mod retained;
mod rows;
mod slab;
mod subscriptions;
mod symbols;
mod table;
mod text;
mod trie;
mod walk;

pub use limits::{Full, IndexLimits, RetainedLimits};
pub use retained::{Cursor, RetainedIndex, Step};
pub use subscriptions::{Incomplete, Scratch, SubscriptionIndex};

/// One subscriber of an index, by the caller's number: a session, a shared group, a bridge.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct SubscriberId(pub u32);
