//! `m2m pub` and `m2m sub`: the client state machine on a TCP connection, with the options of mosquitto's clients.

mod arguments;
mod failure;
mod format;
mod lines;
mod link;
mod output;
mod progress;
mod properties;
mod publish;
mod session;
pub(crate) mod source;
mod statistics;
mod subscribe;
mod subscriber;
pub(crate) mod url;

use core::future::Future;
use std::process::ExitCode;

use tokio::runtime::Builder;

pub(crate) use self::arguments::seconds;
pub(crate) use self::failure::EXIT_CODES;
use self::failure::Failure;
pub(crate) use self::publish::PublishArguments;
pub(crate) use self::subscribe::SubscribeArguments;
use crate::report;
use crate::signals::Signals;

/// Runs `m2m pub`.
pub(crate) fn publish(arguments: PublishArguments) -> ExitCode {
    let quiet = arguments.is_quiet();
    run(quiet, publish::run(arguments))
}

/// Runs `m2m sub`.
pub(crate) fn subscribe(arguments: SubscribeArguments) -> ExitCode {
    let quiet = arguments.is_quiet();
    run(quiet, subscribe::run(arguments))
}

fn run(quiet: bool, command: impl Future<Output = Result<(), Failure>>) -> ExitCode {
    let runtime = Builder::new_current_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => {
            let result = runtime.block_on(command);
            // A name that is still being looked up, a terminal that is still being read: nobody waits for them.
            runtime.shutdown_background();
            result
        }
        Err(error) => Err(Failure::Other(format!("cannot start: {error}"))),
    };
    let Err(failure) = result else { return ExitCode::SUCCESS };
    if !quiet || matches!(failure, Failure::Usage(_)) {
        report(&failure);
    }
    failure.exit_code()
}

fn signals() -> Result<Signals, Failure> {
    Signals::new().map_err(|error| Failure::Other(format!("cannot catch signals: {error}")))
}
