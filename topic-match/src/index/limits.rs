use thiserror::Error;

/// How large a [`SubscriptionIndex`](crate::SubscriptionIndex) may become, and how much one lookup may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IndexLimits {
    /// Different filters; 1 000 000 by default.
    pub filters: u32,
    /// Subscriptions, that is pairs of filter and subscriber; 4 000 000 by default.
    pub subscriptions: u32,
    /// Subscriptions of one subscriber; 10 000 by default.
    pub per_subscriber: u32,
    /// Nodes of the tree of wildcard filters that one call visits before it returns
    /// [`Incomplete`](crate::Incomplete); 65 536 by default (about a quarter of a millisecond), at least 1.
    pub visited_nodes: u32,
}

impl Default for IndexLimits {
    fn default() -> Self {
        Self { filters: 1_000_000, subscriptions: 4_000_000, per_subscriber: 10_000, visited_nodes: 65_536 }
    }
}

/// How large a [`RetainedIndex`](crate::RetainedIndex) may become.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetainedLimits {
    /// Topics; 1 000 000 by default.
    pub topics: u32,
}

impl Default for RetainedLimits {
    fn default() -> Self {
        Self { topics: 1_000_000 }
    }
}

/// Which limit an insertion would exceed. The index is as it was before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Error)]
#[non_exhaustive]
pub enum Full {
    /// [`IndexLimits::filters`]
    #[error("as many filters as the limit allows")]
    Filters,
    /// [`IndexLimits::subscriptions`]
    #[error("as many subscriptions as the limit allows")]
    Subscriptions,
    /// [`IndexLimits::per_subscriber`]
    #[error("as many subscriptions of one subscriber as the limit allows")]
    PerSubscriber,
    /// [`RetainedLimits::topics`]
    #[error("as many retained topics as the limit allows")]
    Topics,
    /// The numbers inside the index are used up: 2³⁰ bytes of text without wildcards, 2³⁰ nodes.
    #[error("as much text or as many nodes as the index can number")]
    Space,
}
