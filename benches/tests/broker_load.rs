//! The load generator loses nothing, and measures what is there.

use std::process::Command;

#[test]
#[ignore = "needs the program m2m beside it: cargo build -p m2m"]
fn a_run_ends_with_a_table() {
    let output = Command::new(env!("CARGO_BIN_EXE_broker-load"))
        .args(["--broker", "m2m", "--seconds", "1", "--repetitions", "1", "--only", "QoS 1"])
        .output()
        .expect("the load generator starts");
    let table = String::from_utf8(output.stdout).expect("the table is text");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for row in ["1→1, QoS 1", "100→1, QoS 1", "one in flight, QoS 1"] {
        assert!(figure(&table, row) > 0.0, "{row} in\n{table}");
    }
}

/// The figure of the only broker in the first line of a scenario.
fn figure(table: &str, scenario: &str) -> f64 {
    let line = table.lines().find(|line| line.starts_with(&format!("| {scenario} |"))).unwrap_or_default();
    line.split('|').rev().nth(1).and_then(|cell| cell.trim().parse().ok()).unwrap_or_default()
}
