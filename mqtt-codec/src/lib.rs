#![no_std]
#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod error;
mod frame;
mod header;
mod packet;
mod property;
mod reader;
mod reason;
mod text;
mod value;
mod writer;

pub use error::{EncodeError, Malformed};
pub use frame::{Frame, FrameRules, MAX_PACKET_SIZE, frame_len_hint, next_frame};
pub use header::PacketType;
pub use packet::{
    Acknowledge, Auth, ConnAck, Connect, Delivery, Disconnect, Packet, Publish, ReasonCodes, RetainHandling,
    SubAck, Subscribe, SubscribeFilters, SubscribeFiltersIter, SubscriptionOptions, UnsubAck, Unsubscribe,
    UnsubscribeFilters, UnsubscribeFiltersIter, Will,
};
pub use property::{Properties, Property, PropertyContext, PropertyIter, SubscriptionIdentifier};
pub use reason::ReasonCode;
pub use value::{Direction, InvalidQoS, PacketIdentifier, ProtocolVersion, QoS};
pub use writer::Output;
