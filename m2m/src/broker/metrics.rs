//! What the broker counts.

use mqtt_core::{Counters, Gauges};

use crate::metrics::{self, Row, rows};

/// The broker's part of the page.
pub(crate) fn render(counters: &Counters, gauges: &Gauges) -> String {
    metrics::render("m2m_mqtt", &counter_rows(counters), &gauge_rows(gauges))
}

fn counter_rows(counters: &Counters) -> [Row; 26] {
    rows!(
        counters,
        Counters {
            bytes_received: "Bytes received.",
            bytes_sent: "Bytes sent.",
            packets_received: "Packets received.",
            packets_sent: "Packets sent.",
            publish_received: "PUBLISH packets received.",
            publish_sent: "PUBLISH packets sent.",
            publish_bytes_received: "Payload bytes of PUBLISH packets received.",
            publish_bytes_sent: "Payload bytes of PUBLISH packets sent.",
            connections_opened: "Connections opened.",
            connections_refused: "Connections refused because there are too many.",
            connects_accepted: "Clients let in.",
            connects_refused: "Clients not let in.",
            malformed: "Connections ended by something that is no MQTT packet.",
            violations: "Connections ended by a packet against the rules.",
            keep_alive_timeouts: "Connections ended by silence.",
            sessions_expired: "Sessions that expired.",
            wills_published: "Wills published.",
            dropped_queue_full: "Messages dropped because a session's queue was full.",
            dropped_offline_qos0: "QoS 0 messages not kept for a client that is off-line.",
            dropped_expired: "Messages dropped because their expiry interval had passed.",
            dropped_too_large: "Messages dropped because they are larger than the client accepts.",
            dropped_memory: "Messages refused or dropped because the memory limit was reached.",
            dropped_publish_denied: "Messages of clients that were not allowed to publish them.",
            dropped_deliver_denied: "Messages not delivered because the client may not read them.",
            dropped_retained_full: "Messages that could not be retained because there are too many.",
            dropped_session_ended: "Messages dropped with their session, unsent or unacknowledged.",
        }
    )
}

fn gauge_rows(gauges: &Gauges) -> [Row; 9] {
    rows!(
        gauges,
        Gauges {
            connections: "Connections open, in any phase.",
            clients: "Clients connected.",
            sessions: "Sessions, with or without a connection.",
            subscriptions: "Subscriptions, shared ones included.",
            shared_subscriptions: "Memberships in shared subscriptions.",
            retained: "Retained messages.",
            messages: "Messages stored: queued, in flight and retained.",
            message_bytes: "Bytes of the messages stored.",
            memory: "Bytes that count towards the limit max_memory.",
        }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::tests::assert_shows;

    #[test]
    fn every_counter_is_on_the_page_with_its_value() {
        let counters = Counters { bytes_received: 7, dropped_session_ended: u64::MAX, ..Counters::default() };
        assert_shows(&render(&counters, &Gauges::default()), "m2m_mqtt", &counters);
    }
}
