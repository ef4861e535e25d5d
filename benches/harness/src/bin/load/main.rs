//! Loads real programs side by side, in one run, and prints what each paid for it.
//!
//! ```sh
//! cargo build --release -p m2m
//! cargo load broker      # m2m broker, mosquitto
//! cargo load coap        # m2m coap serve, libcoap's server
//! cargo load gateway     # m2m gateway, transparent and aggregating
//! ```

#![allow(clippy::cast_precision_loss, reason = "figures for people, far below 2^52")]

mod broker;
mod clock;
mod coap;
mod compare;
mod gateway;
mod measure;
mod mqtt;
mod process;
mod report;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Loads programs side by side and prints what each paid for it, as a Markdown table")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Broker(broker::Arguments),
    Coap(coap::Arguments),
    Gateway(gateway::Arguments),
    #[command(hide = true)]
    Floor(coap::floor::Arguments),
}

fn main() -> ExitCode {
    let ended = match Arguments::parse().command {
        Command::Broker(arguments) => broker::run(&arguments),
        Command::Coap(arguments) => coap::run(&arguments),
        Command::Gateway(arguments) => gateway::run(&arguments),
        Command::Floor(arguments) => coap::floor::serve(&arguments),
    };
    let Err(error) = ended else { return ExitCode::SUCCESS };
    // With no stderr there is nobody left to tell.
    let _ = writeln!(io::stderr(), "load: {error}");
    ExitCode::FAILURE
}
