//! The Markdown table: one column a broker, medians over the repetitions.

use core::fmt;

use crate::load::Measured;
use crate::scenario::Scenario;

pub(crate) struct Report {
    brokers: Vec<String>,
    rows: Vec<Row>,
}

struct Row {
    scenario: &'static Scenario,
    /// One list a broker, one entry a repetition.
    measured: Vec<Vec<Measured>>,
}

/// What a line of the table shows: its name, how to take it from a run, and how many decimals mean something.
struct Line {
    name: &'static str,
    value: fn(&Measured) -> Option<f64>,
    decimals: usize,
}

const THROUGHPUT: &[Line] = &[
    Line { name: "CPU s per million deliveries", value: |run| Some(run.cpu_per_million()), decimals: 2 },
    Line { name: "thousand deliveries/s", value: |run| Some(run.rate() / 1e3), decimals: 0 },
    Line { name: "resident MiB", value: |run| Some(run.resident as f64 / f64::from(1 << 20)), decimals: 1 },
];
const FILTERS: Line = Line {
    name: "bytes per filter",
    value: |run| run.bytes_per_filter.map(|bytes| bytes as f64),
    decimals: 0,
};
const LATENCY: &[Line] = &[
    Line { name: "p50, µs", value: |run| run.latency(50), decimals: 0 },
    Line { name: "p99, µs", value: |run| run.latency(99), decimals: 0 },
];

impl Report {
    pub(crate) fn new(brokers: impl Iterator<Item = String>) -> Self {
        Self { brokers: brokers.collect(), rows: Vec::new() }
    }

    /// Adds a run of the broker with this number.
    pub(crate) fn add(&mut self, scenario: &'static Scenario, broker: usize, measured: Measured) {
        if self.rows.last().is_none_or(|row| row.scenario.name != scenario.name) {
            let measured = self.brokers.iter().map(|_| Vec::new()).collect();
            self.rows.push(Row { scenario, measured });
        }
        let row = self.rows.last_mut().expect("was added if there was none");
        row.measured[broker].push(measured);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "| scenario | measure | {} |", self.brokers.join(" | "))?;
        writeln!(out, "|---|---|{}", "--:|".repeat(self.brokers.len()))?;
        for row in &self.rows {
            let lines = if row.scenario.measures_latency() { LATENCY } else { THROUGHPUT };
            let filters = (row.scenario.filters > 0).then_some(&FILTERS);
            for (number, line) in lines.iter().chain(filters).enumerate() {
                let scenario = if number == 0 { row.scenario.name } else { "" };
                write!(out, "| {scenario} | {} |", line.name)?;
                for runs in &row.measured {
                    match median(runs.iter().filter_map(line.value).collect()) {
                        Some(value) => write!(out, " {value:.*} |", line.decimals)?,
                        None => write!(out, " – |")?,
                    }
                }
                writeln!(out)?;
            }
        }
        Ok(())
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
