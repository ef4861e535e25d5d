#![no_std]
#![doc = include_str!("../README.md")]

extern crate alloc;

mod deadlines;
mod random;
mod time;

pub use deadlines::Deadlines;
pub use random::Random;
pub use time::Instant;
