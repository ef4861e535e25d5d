//! What is measured and how: one corpus, one harness, for our crates, their peers and the floor.
//!
//! A [`Case`] does one operation again and again. The binary `instructions` runs all of ours under callgrind, the
//! example `peers` all of them, the benches under criterion; `tables` makes the README out of what comes of it.
#![forbid(unsafe_code)]
#![allow(clippy::cast_precision_loss, reason = "figures for people")]

pub mod cases;
pub mod corpus;
pub mod flat;
mod harness;

pub use harness::{Case, allocations, case, main, prepared_case, repeat, stream_case};
