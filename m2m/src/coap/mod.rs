//! `m2m coap`: requests to CoAP servers, and a server.

mod client;
mod dump;
mod serve;
pub(crate) mod transport;

use std::process::ExitCode;

use clap::{Args, Subcommand};

/// CoAP over UDP (RFC 7252).
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    Client(client::Command),
    /// Serve files, or what tests of CoAP clients need.
    #[command(after_help = serve::EXIT_CODES)]
    Serve(serve::Arguments),
}

/// Runs `m2m coap`.
pub(crate) fn run(arguments: Arguments) -> ExitCode {
    match arguments.command {
        Command::Client(command) => client::run(command),
        Command::Serve(arguments) => serve::run(arguments),
    }
}
