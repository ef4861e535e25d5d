//! What is measured and how: one corpus, one harness, for our crates, their peers and the floor.
//!
//! A [`Case`] does one operation again and again. The binary `instructions` runs all of ours under callgrind; in the
//! package `benches`, the example `peers` does so with the peers', and criterion with both; `tables` makes the README out
//! of what comes of it.
#![forbid(unsafe_code)]
#![allow(clippy::cast_precision_loss, reason = "figures for people")]

mod case;
pub mod cases;
pub mod corpus;
pub mod flat;

pub use case::{Case, allocations, case, main, prepared_case, repeat, stream_case};
