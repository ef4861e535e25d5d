//! What happened since the gateway started, in numbers that only grow.

use crate::rows::rows;

/// Counts since the start. Everything the gateway drops is counted here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Datagrams received.
    pub received: u64,
    /// Datagrams sent.
    pub sent: u64,
    /// Datagrams dropped because they are no MQTT-SN message.
    pub malformed: u64,
    /// Messages dropped because a gateway has no use for them, or not now.
    pub unexpected: u64,
    /// Messages from addresses without a connection.
    pub strangers: u64,
    /// Answers and QoS -1 messages that the limits for strangers forbade.
    pub strangers_limited: u64,
    /// Clients let in.
    pub connects_accepted: u64,
    /// Clients not let in.
    pub connects_refused: u64,
    /// CONNECTs that came again and changed nothing.
    pub connects_repeated: u64,
    /// Clients that were silent for too long.
    pub clients_lost: u64,
    /// Clients that turned up at another address.
    pub clients_moved: u64,
    /// Sessions that ended because their client stayed away.
    pub sessions_expired: u64,
    /// Wills handed to the server by the gateway.
    pub wills_published: u64,
    /// Wills that could not be handed over.
    pub wills_dropped: u64,
    /// Messages from clients handed to the server.
    pub published: u64,
    /// Messages from clients refused with "congestion", or dropped for the same reason at QoS 0 and -1.
    pub congestion: u64,
    /// Messages from clients with a topic id that stands for nothing.
    pub invalid_topic_id: u64,
    /// QoS -1 messages that the policy forbids or whose topic is unknown.
    pub dropped_minus_one: u64,
    /// Messages to clients, each sending counted.
    pub delivered: u64,
    /// Messages sent again because they were not answered.
    pub retransmitted: u64,
    /// Messages dropped because a client's queue was full.
    pub dropped_queue_full: u64,
    /// Messages dropped because all queues together were full.
    pub dropped_memory: u64,
    /// QoS 0 messages not kept for a client that is asleep or gone.
    pub dropped_qos0: u64,
    /// Messages dropped because they are too large for the network.
    pub dropped_too_large: u64,
    /// Messages dropped because the client refused the topic or the message.
    pub dropped_refused: u64,
    /// Messages dropped because all topic ids of the client are in use.
    pub dropped_no_topic_id: u64,
    /// Messages dropped with their session.
    pub dropped_session_ended: u64,
    /// QoS 2 messages of clients that the server may or may not have: it lost the session meanwhile.
    pub uncertain: u64,
}

impl Counters {
    /// Each count with its name, for metrics.
    pub const fn rows(&self) -> [(&'static str, u64); 28] {
        rows!(
            self,
            received sent malformed unexpected strangers strangers_limited connects_accepted connects_refused
            connects_repeated clients_lost clients_moved sessions_expired wills_published wills_dropped published
            congestion invalid_topic_id dropped_minus_one delivered retransmitted dropped_queue_full dropped_memory
            dropped_qos0 dropped_too_large dropped_refused dropped_no_topic_id dropped_session_ended uncertain
        )
    }

    /// Messages to clients that were dropped, for any reason.
    pub const fn dropped(&self) -> u64 {
        self.dropped_queue_full
            + self.dropped_memory
            + self.dropped_qos0
            + self.dropped_too_large
            + self.dropped_refused
            + self.dropped_no_topic_id
            + self.dropped_session_ended
    }
}

/// What there is right now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Clients known, connected or not.
    pub clients: u64,
    /// Clients that are active.
    pub active: u64,
    /// Clients that are asleep or awake.
    pub asleep: u64,
    /// Bytes that wait for clients.
    pub buffered: u64,
    /// Connections to the server that are open or being opened.
    pub upstreams: u64,
    /// Different filters subscribed at the server (aggregating).
    pub filters: u64,
}
