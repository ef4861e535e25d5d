#![doc = include_str!("../README.md")]

pub mod agenda;
pub mod contract;
pub mod history;
pub mod seeds;

pub mod coap;
pub mod mqtt;
pub mod mqttsn;
pub mod net;
