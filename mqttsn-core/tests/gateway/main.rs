//! The gateway, by what clients and servers do to it.

mod ambiguities;
mod connect;
mod discovery;
mod faults;
mod minus_one;
mod sleep;
mod support;
mod wills;
