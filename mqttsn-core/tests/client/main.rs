//! The client against a scripted gateway, one file for each theme.

mod congestion;
mod connecting;
mod courses;
mod discovery;
mod example;
mod failover;
mod keep_alive;
mod limits;
mod model;
mod publishing;
mod receiving;
mod registration;
mod sleeping;
mod subscriptions;
mod support;
mod wills;
