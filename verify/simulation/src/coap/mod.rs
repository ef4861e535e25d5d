//! CoAP: endpoints that are client and server at once, the applications on them, and what these may expect.
//!
//! A [`Scenario`] says who does what and when; [`run`] lets it happen and holds what the applications did and saw against the
//! guarantees in `guarantees`.

mod body;
mod client;
mod generate;
mod guarantees;
mod ledger;
mod node;
mod scenario;
mod server;
mod wire;
mod world;

pub use body::{Content, Tag};
pub use ledger::{Asked, End, Handled, Ledger, Purpose, Seen, State};
pub use scenario::{Ask, NodeSpec, Op, Path, Scenario, ServerSpec, Target};
pub use world::{Outcome, run};

use std::fmt;

/// Where a node is, or a group of nodes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address(pub u8);

impl Address {
    /// The only group.
    pub const GROUP: Self = Self(255);
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::GROUP { f.write_str("group") } else { write!(f, "node {}", self.0) }
    }
}
