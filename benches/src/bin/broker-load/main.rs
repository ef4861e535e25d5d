//! Loads MQTT brokers side by side, in one run, and prints what each paid for it.
//!
//! `cargo build --release -p m2m && cargo run --release -p benches --bin broker-load`
//! compares `m2m broker` with mosquitto; `--broker NAME=COMMAND` adds any other, with `{port}` where the port goes.

#![allow(clippy::cast_precision_loss, reason = "figures for people, far below 2^52")]

mod broker;
mod clock;
mod connection;
mod load;
mod report;
mod scenario;

use core::time::Duration;
use std::io::{self, Write};
use std::process::ExitCode;

use broker::{Broker, Candidate};
use clap::Parser;
use load::{Load, Measured};
use report::Report;
use scenario::{SCENARIOS, Scenario};

#[derive(Parser)]
#[command(about = "Loads MQTT brokers side by side and prints what each paid for it, as a Markdown table")]
struct Arguments {
    /// A broker: `m2m`, `mosquitto`, or `NAME=COMMAND` with `{port}` where the port goes.
    #[arg(long = "broker", value_name = "BROKER", default_values = ["m2m", "mosquitto"])]
    brokers: Vec<String>,
    /// Seconds of load that are measured, in each scenario and repetition.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// How often each scenario runs on each broker; the median is reported.
    #[arg(long, default_value_t = 3)]
    repetitions: usize,
    /// Only the scenarios whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
}

fn main() -> ExitCode {
    let Err(error) = run() else { return ExitCode::SUCCESS };
    // With no stderr there is nobody left to tell.
    let _ = writeln!(io::stderr(), "broker-load: {error}");
    ExitCode::FAILURE
}

fn run() -> io::Result<()> {
    let arguments = Arguments::parse();
    let candidates =
        arguments.brokers.iter().map(|text| Candidate::parse(text)).collect::<io::Result<Vec<_>>>()?;
    let mut report = Report::new(candidates.iter().map(|candidate| candidate.name.clone()));
    for scenario in SCENARIOS.iter().filter(|scenario| scenario.name.contains(&arguments.only)) {
        // Brokers take turns, so that what else the machine does meets all of them.
        for repetition in 1..=arguments.repetitions {
            for (index, candidate) in candidates.iter().enumerate() {
                let measured = measure(candidate, scenario, Duration::from_secs(arguments.seconds))
                    .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", candidate.name)))?;
                progress(scenario, repetition, candidate, &measured)?;
                report.add(scenario, index, measured);
            }
        }
    }
    write!(io::stdout(), "{report}")
}

fn measure(candidate: &Candidate, scenario: &'static Scenario, length: Duration) -> io::Result<Measured> {
    let broker = Broker::start(candidate)?;
    Load::connect(scenario, &broker)?.run(&broker, length)
}

fn progress(
    scenario: &Scenario,
    repetition: usize,
    candidate: &Candidate,
    measured: &Measured,
) -> io::Result<()> {
    let name = &candidate.name;
    writeln!(
        io::stderr(),
        "{} #{repetition} {name}: {:.2} CPU s/M, {:.0} deliveries/s",
        scenario.name,
        measured.cpu_per_million(),
        measured.rate()
    )
}
