//! The broker's rules by theme, in virtual time.

mod flow_control;
mod qos;
mod support;
mod takeover;
mod wills;
