//! MQTT: a broker, clients that are written without a look at it, and what they may expect of each other.
//!
//! A [`Scenario`] says who does what and when; [`run`] lets it happen and holds what the clients saw against the
//! guarantees in `guarantees`.

mod application;
mod client;
mod generate;
mod guarantees;
mod host;
mod ledger;
mod participant;
pub(crate) mod pattern;
mod scenario;
mod session;
mod wire;
mod world;

pub use ledger::{Delivered, Fate, Ledger, Published, Span, WillRecord};
pub use scenario::{ApplicationSpec, ClientSpec, Crash, Faults, NEVER, Op, Scenario, WillSpec};
pub use world::{Outcome, run};
