//! `m2m sn`: an MQTT-SN client, with the options of mqtt-sn-tools.

mod arguments;
mod failure;
mod output;
mod publish;
mod search;
mod session;
mod sleep;
mod subscribe;

use core::future::Future;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use tokio::runtime::Builder;

use self::failure::{EXIT_CODES, Failure};
use crate::signals::Signals;
use crate::{log_to_stderr, report};

/// What `m2m sn` takes.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Publish messages, with the options of mqtt-sn-pub.
    #[command(disable_help_flag = true, after_help = EXIT_CODES)]
    Pub(Box<publish::PublishArguments>),
    /// Subscribe and print messages, with the options of mqtt-sn-sub.
    #[command(disable_help_flag = true, after_help = EXIT_CODES)]
    Sub(Box<subscribe::SubscribeArguments>),
    /// Subscribe, sleep, and wake at intervals to print what the gateway has kept.
    #[command(disable_help_flag = true, after_help = EXIT_CODES)]
    Sleep(Box<sleep::SleepArguments>),
    /// Look for gateways, and print a line for each: its number and its address.
    #[command(after_help = EXIT_CODES)]
    Search(search::SearchArguments),
}

/// Runs `m2m sn`.
pub(crate) fn run(arguments: Arguments) -> ExitCode {
    match arguments.command {
        Command::Pub(arguments) => finish(arguments.debug(), publish::run(*arguments)),
        Command::Sub(arguments) => finish(arguments.debug(), subscribe::run(*arguments)),
        Command::Sleep(arguments) => finish(arguments.debug(), sleep::run(*arguments)),
        Command::Search(arguments) => finish(arguments.debug(), search::run(arguments)),
    }
}

fn finish(debug: u8, command: impl Future<Output = Result<(), Failure>>) -> ExitCode {
    log_to_stderr(["warn", "m2m=debug,info", "trace"][usize::from(debug.min(2))]);
    let runtime = Builder::new_current_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => {
            let result = runtime.block_on(command);
            // A terminal that is still being read: nobody waits for it.
            runtime.shutdown_background();
            result
        }
        Err(error) => Err(Failure::Other(format!("cannot start: {error}"))),
    };
    let Err(failure) = result else { return ExitCode::SUCCESS };
    report(&failure);
    failure.exit_code()
}

fn signals() -> Result<Signals, Failure> {
    Signals::new().map_err(|error| Failure::Other(format!("cannot catch signals: {error}")))
}
