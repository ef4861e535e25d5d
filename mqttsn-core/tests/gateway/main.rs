//! The gateway, by what clients and servers do to it.

mod aggregating;
mod ambiguities;
mod connect;
mod courses;
mod deliver;
mod discovery;
mod faults;
mod hostile;
mod minus_one;
mod sleep;
mod support;
mod upstream;
mod wills;
