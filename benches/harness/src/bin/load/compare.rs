//! All candidates through all scenarios, in turn.

use core::time::Duration;
use std::io::{self, Write};

use clap::Args;

use crate::process::Candidate;
use crate::report::{Figure, Report};

/// What every kind of load is told.
#[derive(Args)]
pub(crate) struct Options {
    /// Seconds of load that are measured, in each scenario and repetition.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// How often each scenario runs on each program; the median is reported.
    #[arg(long, default_value_t = 3)]
    repetitions: usize,
    /// Only the scenarios whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
}

/// Measures, and prints the table, in which a program has no figures of a scenario that it failed.
///
/// # Errors
/// The first failure.
pub(crate) fn compare<S>(
    options: &Options,
    candidates: &[Candidate],
    scenarios: &'static [(&'static str, S)],
    measure: impl Fn(&Candidate, &'static S, Duration) -> io::Result<Vec<Figure>>,
) -> io::Result<()> {
    let length = Duration::from_secs(options.seconds);
    let mut report = Report::new(candidates.iter().map(|candidate| candidate.name.clone()));
    let mut first_failure = None;
    for (name, scenario) in scenarios.iter().filter(|(name, _)| name.contains(&options.only)) {
        let mut failed = vec![false; candidates.len()];
        // Programs take turns, so that what else the machine does meets all of them.
        for repetition in 1..=options.repetitions {
            for (index, candidate) in candidates.iter().enumerate() {
                if failed[index] {
                    continue;
                }
                let about = format!("{name} #{repetition} {}", candidate.name);
                match measure(candidate, scenario, length) {
                    Ok(figures) => {
                        let shown: Vec<_> = figures.iter().map(Figure::to_string).collect();
                        writeln!(io::stderr(), "{about}: {}", shown.join(", "))?;
                        report.add(name, index, figures);
                    }
                    Err(error) => {
                        let failure = io::Error::new(error.kind(), format!("{about}: {error}"));
                        writeln!(io::stderr(), "{failure}")?;
                        report.remove(name, index);
                        failed[index] = true;
                        first_failure.get_or_insert(failure);
                    }
                }
            }
        }
    }
    write!(io::stdout(), "{report}")?;
    first_failure.map_or(Ok(()), Err)
}
