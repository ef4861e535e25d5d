#![doc = include_str!("../README.md")]

pub mod broker;
pub mod coap_codec;
pub mod coap_endpoint;
pub mod codec;
pub mod corpus;
pub mod indexes;
pub mod mqttsn_client;
pub mod mqttsn_codec;
pub mod mqttsn_gateway;
mod mutate;
mod source;
pub mod targets;
pub mod topics;

pub use mutate::mutate;
pub use source::Source;
