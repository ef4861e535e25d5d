#![no_std]
#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

extern crate alloc;

mod action;
mod block;
mod cache_key;
mod client;
mod config;
mod context;
mod counters;
mod echo;
mod endpoint;
mod error;
mod gauges;
mod input;
mod list;
mod message;
mod options;
mod outbound;
mod peer_map;
mod policy;
mod request;
mod resource;
mod server;
mod timers;
mod token;
mod tree;

pub use action::{Action, Failure, IncomingRequest, Trigger};
pub use config::{Config, EchoPolicy, Limits, NonBadOption, NotificationPolicy, Transmission};
pub use counters::Counters;
pub use endpoint::Endpoint;
pub use error::Refused;
pub use gauges::Gauges;
pub use input::Input;
pub use message::{Datagram, Peer};
pub use options::OptionList;
pub use policy::Preconditions;
pub use request::{Bodies, Handle, Reliability, Request, RequestId, Response};
pub use resource::{Resource, ResourceId};
pub use token::Token;
