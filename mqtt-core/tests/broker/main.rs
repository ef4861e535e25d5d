//! The broker's rules by theme, in virtual time.

mod qos;
mod support;
mod takeover;
mod wills;
