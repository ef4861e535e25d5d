//! `m2m gateway`, `m2m forwarder`, `m2m broker --sn` and `m2m sn` with each other, and with other people's.
//!
//! What needs other programs is ignored by default: mosquitto and its clients on the path, and a Python environment with
//! mqtt-sn-12 (`M2M_PYTHON`, by default the virtual environment in `.ci/venv`).

#![allow(clippy::disallowed_methods, reason = "these tests run in the machine's time")]

#[path = "../support/mod.rs"]
mod support;

mod commands;
mod errors;
mod messages;
mod outages;
mod peers;
mod tool;
