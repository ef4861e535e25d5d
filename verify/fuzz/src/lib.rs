#![doc = include_str!("../README.md")]

pub mod broker;
pub mod codec;
pub mod corpus;
pub mod indexes;
mod mutate;
mod source;
pub mod topics;

pub use mutate::mutate;
pub use source::Source;
