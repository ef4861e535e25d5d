//! What the gateway counts.

use mqttsn_core::gateway::{Counters, Gauges};

use crate::metrics::{self, Row, rows};

/// The gateway's part of the page.
pub(super) fn render(counters: &Counters, gauges: &Gauges) -> String {
    metrics::render("m2m_mqttsn", &counter_rows(counters), &gauge_rows(gauges))
}

fn counter_rows(counters: &Counters) -> [Row; 28] {
    rows!(
        counters,
        Counters {
            received: "Datagrams received.",
            sent: "Datagrams sent.",
            malformed: "Datagrams dropped because they are no MQTT-SN message.",
            unexpected: "Messages dropped because a gateway has no use for them, or not now.",
            strangers: "Messages from addresses without a connection.",
            strangers_limited: "Answers and QoS -1 messages that the limits for strangers forbade.",
            connects_accepted: "Clients let in.",
            connects_refused: "Clients not let in.",
            connects_repeated: "CONNECTs that came again and changed nothing.",
            clients_lost: "Clients that were silent for too long.",
            clients_moved: "Clients that turned up at another address.",
            sessions_expired: "Sessions that ended because their client stayed away.",
            wills_published: "Wills handed to the server by the gateway.",
            wills_dropped: "Wills that could not be handed over.",
            published: "Messages from clients handed to the server.",
            congestion: "Messages from clients refused with congestion, or dropped for the same reason at QoS 0 and -1.",
            invalid_topic_id: "Messages from clients with a topic id that stands for nothing.",
            dropped_minus_one: "QoS -1 messages that the policy forbids or whose topic is unknown.",
            delivered: "Messages to clients, each sending counted.",
            retransmitted: "Messages sent again because they were not answered.",
            dropped_queue_full: "Messages dropped because a client's queue was full.",
            dropped_memory: "Messages dropped because all queues together were full.",
            dropped_qos0: "QoS 0 messages not kept for a client that is asleep or gone.",
            dropped_too_large: "Messages dropped because they are too large for the network.",
            dropped_refused: "Messages dropped because the client refused the topic or the message.",
            dropped_no_topic_id: "Messages dropped because all topic ids of the client are in use.",
            dropped_session_ended: "Messages dropped with their session.",
            uncertain: "QoS 2 messages of clients that the server may or may not have: it lost the session meanwhile.",
        }
    )
}

fn gauge_rows(gauges: &Gauges) -> [Row; 6] {
    rows!(
        gauges,
        Gauges {
            clients: "Clients known, connected or not.",
            active: "Clients that are active.",
            asleep: "Clients that are asleep or awake.",
            buffered: "Bytes that wait for clients.",
            upstreams: "Connections to the server that are open or being opened.",
            filters: "Different filters subscribed at the server (aggregating).",
        }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::tests::assert_shows;

    #[test]
    fn every_counter_is_on_the_page_with_its_value() {
        let counters = Counters { received: 7, uncertain: u64::MAX, ..Counters::default() };
        assert_shows(&render(&counters, &Gauges::default()), "m2m_mqttsn", &counters);
    }
}
