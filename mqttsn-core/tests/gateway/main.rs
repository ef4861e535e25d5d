//! The gateway, by what clients and servers do to it.

mod ambiguities;
mod connect;
mod faults;
mod support;
