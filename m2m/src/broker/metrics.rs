//! Counters and gauges in Prometheus' text format, over HTTP.

use alloc::rc::Rc;
use core::fmt::Write;
use std::fs;
use std::io;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use mqtt_core::{Counters, Gauges};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tracing::error;

use super::engine::Engine;

/// Requests for the page that may wait for the event loop.
const WAITING: usize = 16;

/// Serves `/metrics` until the task is dropped.
pub(crate) async fn serve(listener: TcpListener, engine: Rc<Engine>) {
    // The engine stays on its thread, which axum's handlers must not know to be theirs.
    let (ask, mut asked) = mpsc::channel::<oneshot::Sender<String>>(WAITING);
    let page = async move || {
        let (answer, page) = oneshot::channel();
        _ = ask.send(answer).await;
        ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page.await.unwrap_or_default())
    };
    let router = Router::new().route("/metrics", get(page));
    let answers = async {
        while let Some(answer) = asked.recv().await {
            _ = answer.send(engine.metrics());
        }
    };
    let (served, ()) = tokio::join!(axum::serve(listener, router), answers);
    if let Err(error) = served {
        error!(%error, "metrics are no longer served");
    }
}

/// Names the fields of a struct, so that one that is forgotten does not compile.
macro_rules! rows {
    ($source:expr, $type:ident { $($field:ident: $help:literal),* $(,)? }) => {{
        let $type { $($field),* } = $source;
        [$((stringify!($field), $help, u64::from(*$field))),*]
    }};
}

/// The page.
pub(crate) fn render(counters: &Counters, gauges: &Gauges) -> String {
    let mut page = String::with_capacity(8 << 10);
    for (name, help, value) in counter_rows(counters) {
        row(&mut page, &format!("m2m_mqtt_{name}_total"), "counter", help, value);
    }
    for (name, help, value) in gauge_rows(gauges) {
        row(&mut page, &format!("m2m_mqtt_{name}"), "gauge", help, value);
    }
    if let Ok(bytes) = resident_memory() {
        row(
            &mut page,
            "process_resident_memory_bytes",
            "gauge",
            "Memory of the process that is in RAM.",
            bytes,
        );
    }
    page
}

fn row(page: &mut String, name: &str, kind: &str, help: &str, value: u64) {
    writeln!(page, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}")
        .expect("a string takes everything");
}

fn resident_memory() -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let kibibytes =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok());
    kibibytes.map(|count: u64| count << 10).ok_or(io::ErrorKind::InvalidData.into())
}

fn counter_rows(counters: &Counters) -> [(&'static str, &'static str, u64); 26] {
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

fn gauge_rows(gauges: &Gauges) -> [(&'static str, &'static str, u64); 9] {
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

    #[test]
    fn every_counter_is_on_the_page_with_its_value() {
        let counters = Counters { bytes_received: 7, dropped_session_ended: u64::MAX, ..Counters::default() };
        let page = render(&counters, &Gauges::default());
        let debug = format!("{counters:#?}");
        let fields: Vec<_> =
            debug.lines().filter_map(|line| line.trim().trim_end_matches(',').split_once(": ")).collect();
        assert!(fields.len() > 20);
        for (name, value) in fields {
            let line = format!("m2m_mqtt_{name}_total {value}");
            assert!(page.lines().any(|found| found == line), "{line}");
        }
    }

    #[test]
    fn the_page_is_in_prometheus_format() {
        let page = render(&Counters::default(), &Gauges::default());
        let lines: Vec<_> = page.lines().collect();
        for row in lines.chunks(3) {
            let name = row[2].split(' ').next().unwrap();
            assert!(row[0].starts_with(&format!("# HELP {name} ")) && row[0].ends_with('.'));
            let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
            assert_eq!(row[1], format!("# TYPE {name} {kind}"));
            row[2].split(' ').nth(1).unwrap().parse::<u64>().unwrap();
        }
        let memory =
            lines.iter().find_map(|line| line.strip_prefix("process_resident_memory_bytes ")).unwrap();
        assert!(memory.parse::<u64>().unwrap() > 100_000);
    }
}
