//! What happened since the broker started, in numbers that only grow.

/// Counts since the start. Everything the broker drops is counted here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Bytes received, whether or not they made packets.
    pub bytes_received: u64,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Packets received, of any type.
    pub packets_received: u64,
    /// Packets sent, of any type.
    pub packets_sent: u64,
    /// PUBLISH packets received.
    pub publish_received: u64,
    /// PUBLISH packets sent.
    pub publish_sent: u64,
    /// Payload bytes of PUBLISH packets received.
    pub publish_bytes_received: u64,
    /// Payload bytes of PUBLISH packets sent.
    pub publish_bytes_sent: u64,
    /// Connections opened.
    pub connections_opened: u64,
    /// Connections refused because there are too many.
    pub connections_refused: u64,
    /// Clients let in.
    pub connects_accepted: u64,
    /// Clients not let in.
    pub connects_refused: u64,
    /// Connections ended by something that is no MQTT packet.
    pub malformed: u64,
    /// Connections ended by a packet against the rules.
    pub violations: u64,
    /// Connections ended by silence.
    pub keep_alive_timeouts: u64,
    /// Sessions that expired.
    pub sessions_expired: u64,
    /// Wills published.
    pub wills_published: u64,
    /// Messages dropped because a session's queue was full.
    pub dropped_queue_full: u64,
    /// QoS 0 messages not kept for a client that is off-line.
    pub dropped_offline_qos0: u64,
    /// Messages dropped because their expiry interval had passed.
    pub dropped_expired: u64,
    /// Messages dropped because they are larger than the client accepts [MQTT-3.1.2-24].
    pub dropped_too_large: u64,
    /// Messages refused or dropped because the memory limit was reached.
    pub dropped_memory: u64,
    /// Messages of clients that were not allowed to publish them.
    pub dropped_publish_denied: u64,
    /// Messages not delivered because the client may not read them.
    pub dropped_deliver_denied: u64,
    /// Messages that could not be kept as retained because there are too many.
    pub dropped_retained_full: u64,
    /// Messages dropped with their session, unsent or unacknowledged.
    pub dropped_session_ended: u64,
}

/// The fields, of which none is forgotten, each with its name.
macro_rules! rows {
    ($counters:expr, $($field:ident)*) => {{
        let Counters { $($field),* } = $counters;
        [$((stringify!($field), *$field)),*]
    }};
}

impl Counters {
    /// Each count with its name, for metrics.
    pub const fn rows(&self) -> [(&'static str, u64); 26] {
        rows!(
            self,
            bytes_received bytes_sent packets_received packets_sent publish_received publish_sent
            publish_bytes_received publish_bytes_sent connections_opened connections_refused
            connects_accepted connects_refused malformed violations keep_alive_timeouts
            sessions_expired wills_published dropped_queue_full dropped_offline_qos0 dropped_expired
            dropped_too_large dropped_memory dropped_publish_denied dropped_deliver_denied
            dropped_retained_full dropped_session_ended
        )
    }

    /// Messages dropped for any reason, as far as a subscriber or publisher lost something by it.
    pub fn dropped(&self) -> u64 {
        self.dropped_queue_full
            + self.dropped_offline_qos0
            + self.dropped_expired
            + self.dropped_too_large
            + self.dropped_memory
            + self.dropped_publish_denied
            + self.dropped_deliver_denied
            + self.dropped_retained_full
            + self.dropped_session_ended
    }
}

/// What there is right now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Connections open, in any phase.
    pub connections: u64,
    /// Clients connected: sessions with a connection.
    pub clients: u64,
    /// Sessions, with or without a connection.
    pub sessions: u64,
    /// Subscriptions, shared ones included.
    pub subscriptions: u64,
    /// Memberships in shared subscriptions.
    pub shared_subscriptions: u64,
    /// Retained messages.
    pub retained: u64,
    /// Messages stored: queued, in flight, retained, each counted once.
    pub messages: u64,
    /// Bytes of these messages.
    pub message_bytes: u64,
    /// Bytes that count towards `max_memory`.
    pub memory: u64,
}
