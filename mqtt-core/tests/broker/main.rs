//! The broker's rules by theme, in virtual time.

mod connect;
mod flow_control;
mod qos;
mod retained;
mod sessions;
mod subscriptions;
mod support;
mod takeover;
mod wills;
