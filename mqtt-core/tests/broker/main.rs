//! The broker's rules by theme, in virtual time.

mod aliases;
mod authentication;
mod connect;
mod control;
mod courses;
mod expiry;
mod flow_control;
mod keep_alive;
mod old_clients;
mod packet_size;
mod qos;
mod questions;
mod queues;
mod quotas;
mod restore;
mod retained;
mod sessions;
mod shared;
mod subscriptions;
mod support;
mod sys;
mod takeover;
mod violations;
mod wills;
