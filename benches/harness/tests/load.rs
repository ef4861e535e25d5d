//! The load generator loses nothing, and measures what is there.

use std::process::Command;

#[test]
#[ignore = "needs the program m2m beside it: cargo build -p m2m"]
fn a_broker_carries_messages() {
    let table = run(&["broker", "--broker", "m2m", "--only", "QoS 1"]);
    for row in
        ["1→1, QoS 1", "MQTT 5, 1→1, QoS 1", "64 KiB, 1→1, QoS 1", "100→1, QoS 1", "one in flight, QoS 1"]
    {
        assert!(figure(&table, row) > 0.0, "{row} in\n{table}");
    }
}

#[test]
#[ignore = "needs the program m2m beside it: cargo build -p m2m"]
fn a_broker_is_asked_what_connections_cost() {
    let table = run(&["broker", "--broker", "m2m", "--only", "connect"]);
    for row in ["5 000 idle connections", "connect and disconnect"] {
        assert!(figure(&table, row) > 0.0, "{row} in\n{table}");
    }
}

#[test]
#[ignore = "needs the program m2m beside it: cargo build -p m2m"]
fn a_coap_server_answers() {
    for row in ["GET 64 KiB in blocks, 16 clients", "100 observers, 64 B"] {
        let table = run(&["coap", "--server", "m2m", "--only", row]);
        assert!(figure(&table, row) > 0.0, "{row} in\n{table}");
    }
}

#[test]
#[ignore = "needs the program m2m beside it: cargo build -p m2m"]
fn a_gateway_carries_messages() {
    let table = run(&["gateway", "--gateway", "aggregating", "--only", "100"]);
    for row in ["100→MQTT, QoS 0", "100→MQTT, QoS 1", "100→MQTT-SN, QoS 0", "100→MQTT-SN, QoS 1"] {
        assert!(figure(&table, row) > 0.0, "{row} in\n{table}");
    }
}

/// The table of a short run.
fn run(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_load"))
        .args(arguments)
        .args(["--seconds", "1", "--repetitions", "1"])
        .output()
        .expect("the load generator starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("the table is text")
}

/// The figure of the only program in the first line of a scenario.
fn figure(table: &str, scenario: &str) -> f64 {
    let line = table.lines().find(|line| line.starts_with(&format!("| {scenario} |"))).unwrap_or_default();
    line.split('|').rev().nth(1).and_then(|cell| cell.trim().parse().ok()).unwrap_or_default()
}
