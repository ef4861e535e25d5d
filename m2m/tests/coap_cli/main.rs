//! `m2m coap get` and its siblings: what they send, what they print, and how they end.
#![allow(clippy::disallowed_methods, reason = "these tests run in the machine's time")]

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod command_line;
mod demo;
mod requests;
mod server;
mod tool;
