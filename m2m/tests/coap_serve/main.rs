//! `m2m coap serve` from outside: files, changes of files, what cannot be reached, and how it starts and ends.
#![allow(clippy::disallowed_methods, reason = "these tests run in the machine's time")]

#[path = "../support/mod.rs"]
mod support;

mod demo;
mod escape;
mod observing;
mod peer;
mod reading;
mod starting;
mod writing;
