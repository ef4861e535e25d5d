#![no_std]
#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod block;
mod builder;
mod code;
mod content_format;
mod error;
mod header;
pub mod link_format;
mod message;
mod option;
mod reader;
pub mod stream;
pub mod uri;
mod writer;

pub use block::Block;
pub use builder::MessageBuilder;
pub use code::Code;
pub use content_format::ContentFormat;
pub use error::{EncodeError, Malformed, Reaction, Rejected};
pub use header::{MAX_EXTENDED_TOKEN_LEN, MAX_TOKEN_LEN, MessageId, MessageType, Rules};
pub use message::Message;
pub use option::{
    CoapOption, DEFINITIONS, Definition, FaultKind, Format, MAX_VALUE_LEN, NoResponse, OptionFault,
    OptionIter, OptionNumber, Options, OptionsWriter, UintValue, insert_option, is_newer_notification,
    option_growth,
};
pub use uri::Uri;
pub use writer::Output;
