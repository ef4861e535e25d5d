#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

#[cfg(feature = "alloc")]
extern crate alloc;

mod error;
mod filter;
#[cfg(feature = "alloc")]
mod index;
mod level;
mod limits;
mod matches;
mod name;
mod shared;
mod short;

pub use error::{InvalidTopic, LimitExceeded};
pub use filter::TopicFilter;
#[cfg(feature = "alloc")]
pub use index::{
    Cursor, Full, Incomplete, IndexLimits, RetainedIndex, RetainedLimits, Scratch, Step, SubscriberId,
    SubscriptionIndex,
};
pub use limits::FilterLimits;
pub use name::TopicName;
pub use shared::Subscription;
pub use short::ShortName;
