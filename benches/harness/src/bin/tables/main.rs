//! Instruction counts: measured, held against the committed table, and made into the README and its plots.
//!
//! `cargo tables check` is what `./test` runs.
#![forbid(unsafe_code)]
#![allow(clippy::cast_precision_loss, reason = "figures for people")]

mod bars;
mod callgrind;
mod check;
mod data;
mod measure;
mod plot;
mod programs;
mod readme;

use std::error::Error;
use std::io::{Write, stderr, stdout};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

/// Instruction counts of ours and of peers.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Count ours again and fail where something rose by more than 2 %.
    Check,
    /// Count again, then write data/, README.md and plots/.
    Write {
        /// What to count again.
        #[arg(value_enum, default_value = "all")]
        what: What,
    },
    /// Where the instructions of a case are: each function's own.
    Hot {
        /// A part of the case's name, such as "puback".
        text: String,
    },
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum What {
    /// Everything: takes ten minutes.
    All,
    /// Our own cases: what a change of a protocol crate asks for.
    Ours,
    /// Floor and peers.
    Peers,
    /// What grows in numbers.
    Flat,
    /// Nothing: README and plots from the data that is there.
    Readme,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    match Arguments::parse().command {
        Command::Check => check::check(),
        Command::Write { what } => {
            if matches!(what, What::All | What::Ours) {
                measure::ours()?;
            }
            if matches!(what, What::All | What::Peers) {
                measure::peers()?;
            }
            if matches!(what, What::All | What::Flat) {
                measure::flat()?;
            }
            readme::write()?;
            plot::write()
        }
        Command::Hot { text } => hot(&text),
    }
}

fn hot(text: &str) -> Result<(), Box<dyn Error>> {
    let program = programs::build("release", "--bin", "instructions")?;
    for (key, functions) in callgrind::functions(&program, text)? {
        let total: f64 = functions.iter().map(|(_, cost)| cost).sum();
        writeln!(stdout(), "{}: {total:.1}", key.replace('\t', ", "))?;
        for (function, cost) in functions.iter().take_while(|(_, cost)| *cost >= 1.0).take(30) {
            writeln!(stdout(), "{cost:10.1}  {function}")?;
        }
    }
    Ok(())
}
