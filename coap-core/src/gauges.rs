//! How much there is of everything.

/// What an endpoint holds right now. [`Limits`](crate::Limits) bounds each of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Peers of which something is remembered.
    pub peers: usize,
    /// Requests of this endpoint that are open.
    pub requests: usize,
    /// Own messages that wait to be sent, or for an acknowledgement or response.
    pub outgoing: usize,
    /// Own non-confirmable messages that may yet be rejected.
    pub rejectable: usize,
    /// Of all own messages: those whose end a request or an observer waits for.
    pub awaited: usize,
    /// Messages of peers remembered so that repetitions are recognised.
    pub remembered: usize,
    /// Bytes of answers kept for repetitions.
    pub remembered_bytes: usize,
    /// Requests of peers, and notifications, that the application has not answered yet.
    pub unanswered: usize,
    /// Observers of resources here.
    pub observers: usize,
    /// Bytes of bodies being put together or cut for peers.
    pub bodies: usize,
}
