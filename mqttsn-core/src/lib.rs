#![no_std]
#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

extern crate alloc;

mod rows;

pub mod client;
pub mod forwarder;
pub mod gateway;

pub use forwarder::Forwarder;
pub use gateway::Gateway;
