#![no_std]
#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

extern crate alloc;

mod action;
mod config;
mod counters;
mod error;
mod input;
mod options;
mod request;
mod token;

pub use action::{Action, Failure, IncomingRequest, Trigger};
pub use config::{Config, EchoPolicy, Limits, NonBadOption, NotificationPolicy, Transmission};
pub use counters::Counters;
pub use error::Refused;
pub use input::Input;
pub use options::OptionList;
pub use request::{Bodies, Handle, Reliability, Request, RequestId, Response};
pub use token::Token;
