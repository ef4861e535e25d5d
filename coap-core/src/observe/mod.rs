//! Observing resources (RFC 7641): the observer is a client, the subject a server.

mod notify;
pub(crate) mod observer;
pub(crate) mod order;
pub(crate) mod subject;
