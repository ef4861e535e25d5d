//! Counters and gauges in Prometheus' text format, over HTTP.

use core::fmt::Write;
use core::net::SocketAddr;
use std::fs;
use std::io;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tracing::{error, info};

/// Requests for the page that may wait for the event loop.
const WAITING: usize = 16;

/// Says where, too.
pub(crate) async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address).await?;
    info!("metrics on http://{}/metrics", listener.local_addr()?);
    Ok(listener)
}

/// Serves `/metrics` until the task is dropped.
pub(crate) async fn serve(listener: TcpListener, render: impl Fn() -> String) {
    // What renders stays on its thread, which axum's handlers must not know to be theirs.
    let (ask, mut asked) = mpsc::channel::<oneshot::Sender<String>>(WAITING);
    let page = async move || {
        let (answer, page) = oneshot::channel();
        _ = ask.send(answer).await;
        ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page.await.unwrap_or_default())
    };
    let router = Router::new().route("/metrics", get(page));
    let answers = async {
        while let Some(answer) = asked.recv().await {
            _ = answer.send(render());
        }
    };
    let (served, ()) = tokio::join!(axum::serve(listener, router), answers);
    if let Err(error) = served {
        error!(%error, "metrics are no longer served");
    }
}

/// A name without the part that all of a page have, a text that says what it is, and the value.
pub(crate) type Row = (&'static str, &'static str, u64);

/// Names the fields of a struct, so that one that is forgotten does not compile.
macro_rules! rows {
    ($source:expr, $type:ident { $($field:ident: $help:literal),* $(,)? }) => {{
        let $type { $($field),* } = $source;
        [$((stringify!($field), $help, u64::from(*$field))),*]
    }};
}
pub(crate) use rows;

/// The page, as far as these are it.
pub(crate) fn render(prefix: &str, counters: &[Row], gauges: &[Row]) -> String {
    let mut page = String::with_capacity(8 << 10);
    for (name, help, value) in counters {
        row(&mut page, &format!("{prefix}_{name}_total"), "counter", help, *value);
    }
    for (name, help, value) in gauges {
        row(&mut page, &format!("{prefix}_{name}"), "gauge", help, *value);
    }
    page
}

/// What stands on the page of every program.
pub(crate) fn render_process() -> String {
    let mut page = String::new();
    if let Ok(bytes) = resident_memory() {
        let help = "Memory of the process that is in RAM.";
        row(&mut page, "process_resident_memory_bytes", "gauge", help, bytes);
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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Asserts that a page shows all fields of a struct that only holds counters.
    #[track_caller]
    pub(crate) fn assert_shows(page: &str, prefix: &str, counters: &dyn core::fmt::Debug) {
        let debug = format!("{counters:#?}");
        let fields: Vec<_> =
            debug.lines().filter_map(|line| line.trim().trim_end_matches(',').split_once(": ")).collect();
        assert!(fields.len() > 20);
        for (name, value) in fields {
            let line = format!("{prefix}_{name}_total {value}");
            assert!(page.lines().any(|found| found == line), "{line}");
        }
        assert_form(page);
    }

    /// Asserts that a page has the form that Prometheus reads.
    #[track_caller]
    pub(crate) fn assert_form(page: &str) {
        let lines: Vec<_> = page.lines().collect();
        for row in lines.chunks(3) {
            let name = row[2].split(' ').next().unwrap();
            assert!(row[0].starts_with(&format!("# HELP {name} ")) && row[0].ends_with('.'));
            let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
            assert_eq!(row[1], format!("# TYPE {name} {kind}"));
            row[2].split(' ').nth(1).unwrap().parse::<u64>().unwrap();
        }
    }

    #[test]
    fn a_process_knows_its_memory() {
        let page = render_process();
        assert_form(&page);
        let memory =
            page.lines().find_map(|line| line.strip_prefix("process_resident_memory_bytes ")).unwrap();
        assert!(memory.parse::<u64>().unwrap() > 100_000);
    }
}
