//! The client's rules by theme, in virtual time, against this crate's broker and against a scripted server.

mod aliases;
mod authentication;
mod connect;
mod courses;
mod errors;
mod publishing;
mod queue;
mod receiving;
mod reconnect;
mod records;
mod script;
mod session;
mod subscriptions;
mod support;
