//! `m2m pub` and `m2m sub` beside other people's programs: their brokers, and mosquitto's clients.
//!
//! Ignored by default: they need mosquitto and its clients on the path, a Python with amqtt (`M2M_PYTHON`, by default the
//! virtual environment in `.ci/venv`) and node with the module aedes (`M2M_NODE_MODULES`, by default
//! `.ci/node/node_modules`).
#![allow(clippy::disallowed_methods, reason = "these tests run in the machine's time")]

#[path = "../support/mod.rs"]
mod support;
#[path = "../pub_sub/tool.rs"]
mod tool;

mod brokers;
mod foreign;
mod same_output;
mod terminal;
