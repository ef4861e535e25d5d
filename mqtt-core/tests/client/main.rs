//! The client's rules by theme, in virtual time, against this crate's broker and against a scripted server.

mod session;
mod support;
