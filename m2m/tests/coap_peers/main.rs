//! `m2m coap` beside other people's CoAP programs, each in both roles: our client and their server, their client and our
//! server.
//!
//! Ignored by default: they need libcoap's example programs on the path, a Python with aiocoap and CoAPthon3 (`M2M_PYTHON`, by
//! default the virtual environment in `.ci/venv`) and node with the modules coap and coap-cli (`M2M_NODE_MODULES`, by default
//! `.ci/node/node_modules`).
#![allow(clippy::disallowed_methods, reason = "these tests run in the machine's time")]

#[path = "../support/mod.rs"]
mod support;
#[allow(dead_code, reason = "a part is enough here")]
#[path = "../coap_cli/tool.rs"]
mod tool;

#[allow(dead_code, reason = "a part is enough here")]
#[path = "../coap_cli/server.rs"]
mod server;

mod aiocoap;
mod checks;
mod coapthon;
mod foreign;
mod libcoap;
mod network;
mod node;
