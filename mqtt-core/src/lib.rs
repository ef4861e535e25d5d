#![no_std]
#![doc = include_str!("../README.md")]

extern crate alloc;

mod action;
mod broker;
mod budget;
pub mod client;
mod config;
mod counters;
mod error;
mod input;
mod journal;
mod message;
mod output;

mod property_buffer;
mod publish_packet;
mod qos;
mod records;
mod spare;
mod topic_alias;
mod will;

pub use action::{Action, CloseReason, ConnectRequest, Question};
pub use broker::Broker;
pub use config::{Ask, Checks, Config, DropPolicy, Overlapping, QueueConfig};
pub use counters::{Counters, Gauges};
pub use error::{Refused, Violation};
pub use input::{
    Admission, Answer, Authentication, ConnectionId, Input, Publication, QuestionId, RecordNumber,
};
pub use message::Message;
pub use output::Output;
pub use property_buffer::PropertyBuffer;

pub use records::{Change, Record};
pub use will::Will;
