//! `m2m gateway`, `m2m forwarder` and `m2m sn`: MQTT-SN over UDP.

mod address;
pub(crate) mod client;
pub(crate) mod forwarder;
pub(crate) mod gateway;
mod group;
