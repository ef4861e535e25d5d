//! `m2m pub` and `m2m sub` against `m2m broker`.
#![allow(clippy::disallowed_methods, reason = "these tests run in the machine's time")]

#[path = "../support/mod.rs"]
mod support;

mod connection;
mod messages;
mod output;
mod tool;
