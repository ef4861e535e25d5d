//! What the parts of an endpoint share while they handle one event.

use alloc::collections::VecDeque;

use machine::{Instant, Random};

use crate::outbound::Outbound;
use crate::{Action, Config, Counters};

/// What client and server work with.
pub(crate) struct Context<'a, P> {
    pub(crate) outbound: &'a mut Outbound<P>,
    pub(crate) actions: &'a mut VecDeque<Action<P>>,
    pub(crate) counters: &'a mut Counters,
    pub(crate) config: &'a Config,
    pub(crate) random: &'a mut Random,
    pub(crate) now: Instant,
}
