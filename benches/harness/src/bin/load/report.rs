//! The Markdown table: one column a program, medians over the repetitions.

use core::fmt;
use core::time::Duration;

/// Something that was measured.
pub(crate) struct Figure {
    name: &'static str,
    value: f64,
    /// How many decimals mean something.
    decimals: usize,
}

pub(crate) struct Report {
    programs: Vec<String>,
    rows: Vec<Row>,
}

struct Row {
    scenario: &'static str,
    measure: &'static str,
    decimals: usize,
    /// One list a program, one entry a repetition.
    values: Vec<Vec<f64>>,
}

impl Figure {
    pub(crate) fn new(name: &'static str, value: f64, decimals: usize) -> Self {
        Self { name, value, decimals }
    }

    /// Seconds of processor time for a million of something, which is as many microseconds for one.
    pub(crate) fn cpu(name: &'static str, cpu: Duration, count: u64) -> Self {
        Self::new(name, cpu.as_secs_f64() * 1e6 / count.max(1) as f64, 2)
    }

    /// Thousands of something in a second.
    pub(crate) fn rate(name: &'static str, count: u64, length: Duration) -> Self {
        Self::new(name, count as f64 / length.as_secs_f64() / 1e3, 1)
    }

    /// What is in memory of the program.
    pub(crate) fn resident(bytes: u64) -> Self {
        Self::new("resident MiB", bytes as f64 / f64::from(1 << 20), 1)
    }

    /// Median and 99th percentile.
    pub(crate) fn latencies(mut latencies: Vec<Duration>) -> Vec<Self> {
        latencies.sort_unstable();
        let percentile = |name, percent: usize| {
            let index = (latencies.len() * percent / 100).min(latencies.len().saturating_sub(1));
            latencies.get(index).map(|latency| Self::new(name, latency.as_secs_f64() * 1e6, 0))
        };
        [percentile("p50, µs", 50), percentile("p99, µs", 99)].into_iter().flatten().collect()
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:.*} {}", self.decimals, self.value, self.name)
    }
}

impl Report {
    pub(crate) fn new(programs: impl Iterator<Item = String>) -> Self {
        Self { programs: programs.collect(), rows: Vec::new() }
    }

    /// Adds a run of the program with this number.
    pub(crate) fn add(&mut self, scenario: &'static str, program: usize, figures: Vec<Figure>) {
        for Figure { name, value, decimals } in figures {
            let at = self.rows.iter().position(|row| row.scenario == scenario && row.measure == name);
            let at = at.unwrap_or_else(|| {
                let values = self.programs.iter().map(|_| Vec::new()).collect();
                self.rows.push(Row { scenario, measure: name, decimals, values });
                self.rows.len() - 1
            });
            self.rows[at].values[program].push(value);
        }
    }

    /// Takes back what the program has done in a scenario.
    pub(crate) fn remove(&mut self, scenario: &'static str, program: usize) {
        for row in self.rows.iter_mut().filter(|row| row.scenario == scenario) {
            row.values[program].clear();
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "| scenario | measure | {} |", self.programs.join(" | "))?;
        writeln!(out, "|---|---|{}", "--:|".repeat(self.programs.len()))?;
        let mut before = "";
        for row in &self.rows {
            let scenario = if row.scenario == before { "" } else { row.scenario };
            before = row.scenario;
            write!(out, "| {scenario} | {} |", row.measure)?;
            for values in &row.values {
                match median(values) {
                    Some(value) => write!(out, " {value:.*} |", row.decimals)?,
                    None => write!(out, " – |")?,
                }
            }
            writeln!(out)?;
        }
        Ok(())
    }
}

fn median(values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
