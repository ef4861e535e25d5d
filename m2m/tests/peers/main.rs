//! Other people's MQTT clients against `m2m broker`, each checked for what arrived.
//!
//! Ignored by default: they need mosquitto's clients on the path, a Python with paho-mqtt and gmqtt (`M2M_PYTHON`, by
//! default the virtual environment in `.ci/venv`) and node with the module mqtt (`M2M_NODE_MODULES`, by default
//! `.ci/node/node_modules`).

#![allow(clippy::disallowed_methods, reason = "these tests run in the machine's time")]

#[path = "../support/mod.rs"]
mod support;

mod gmqtt;
mod mosquitto;
mod mqttjs;
mod paho;

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use support::Broker;

const ANY_PORT: [&str; 4] = ["--listen", "tcp://127.0.0.1:0", "--metrics", "127.0.0.1:0"];

/// A broker whose metrics tell what it has seen.
fn broker() -> Broker {
    Broker::with(&ANY_PORT)
}

/// Waits until a metric has reached a value.
#[track_caller]
fn wait_for(broker: &Broker, metric: &str, value: u64) {
    let start = Instant::now();
    while broker.metric(metric) < value {
        assert!(start.elapsed() < Duration::from_secs(20), "{metric} stays at {}", broker.metric(metric));
        thread::sleep(Duration::from_millis(5));
    }
}

/// Runs a script and returns what it printed.
#[track_caller]
fn script(interpreter: &mut Command, name: &str, broker: &Broker) -> Vec<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(name);
    let output = interpreter.arg(script).arg(broker.port()).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {stderr}");
    String::from_utf8(output.stdout).unwrap().lines().map(ToOwned::to_owned).collect()
}

fn python() -> Command {
    let mut command = Command::new(tool("M2M_PYTHON", ".ci/venv/bin/python"));
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn node() -> Command {
    let mut command = Command::new("node");
    command.env("M2M_NODE_MODULES", tool("M2M_NODE_MODULES", ".ci/node/node_modules"));
    command
}

fn tool(variable: &str, default: &str) -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    env::var_os(variable).map_or_else(|| workspace.join(default), PathBuf::from)
}
