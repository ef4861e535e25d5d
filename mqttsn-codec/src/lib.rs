#![no_std]
#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod encapsulation;
mod error;
mod flags;
mod header;
mod packet;
mod reader;
mod rules;
mod text;
mod topic;
mod value;
mod writer;

pub use encapsulation::{Datagram, Encapsulated, MAX_WIRELESS_NODE_ID};
pub use error::{EncodeError, Malformed};
pub use header::{MAX_MESSAGE_SIZE, MessageType};
pub use packet::{
    Advertise, Connect, Delivery, Disconnect, GwInfo, MinusOneTopic, Packet, PingReq, PubAck, Publish,
    PublishMinusOne, RegAck, Register, SearchGw, SubAck, Subscribe, Unsubscribe, WillTopic,
};
pub use rules::{MAX_CLIENT_ID, PROTOCOL_ID, Rules};
pub use topic::{ShortTopic, SubscribeTopic, Topic, TopicId};
pub use value::{MessageId, QoS, ReturnCode};
pub use writer::Output;
