//! `m2m coap get` and its siblings: requests, with the options of libcoap's coap-client.

mod arguments;
mod discover;
mod exchange;
mod failure;
mod observe;
mod output;
mod parse;
mod ping;
mod progress;
mod request;
mod session;
mod source;
mod target;
mod text;

use core::future::Future;
use std::process::ExitCode;

use clap::Subcommand;
use coap_codec::Code;
use tokio::runtime::Builder;

pub(crate) use self::failure::EXIT_CODES;
use self::failure::Failure;
use crate::report;
use crate::signals::Signals;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Read a resource.
    #[command(after_help = EXIT_CODES)]
    Get(request::GetArguments),
    /// Put a representation in the place of a resource.
    #[command(after_help = EXIT_CODES)]
    Put(request::SendArguments),
    /// Let a resource process a representation.
    #[command(after_help = EXIT_CODES)]
    Post(request::SendArguments),
    /// Delete a resource.
    #[command(after_help = EXIT_CODES)]
    Delete(request::DeleteArguments),
    /// Read what a query in the payload asks for (RFC 8132).
    #[command(after_help = EXIT_CODES)]
    Fetch(request::FetchArguments),
    /// Change a part of a resource (RFC 8132).
    #[command(after_help = EXIT_CODES)]
    Patch(request::SendArguments),
    /// Change a part of a resource in a way that may be repeated (RFC 8132).
    #[command(name = "ipatch", after_help = EXIT_CODES)]
    Ipatch(request::SendArguments),
    /// Read a resource, and again whenever it changes (RFC 7641).
    #[command(after_help = EXIT_CODES)]
    Observe(observe::ObserveArguments),
    /// List the resources of a server, or of the members of a group (RFC 6690).
    #[command(after_help = EXIT_CODES)]
    Discover(discover::DiscoverArguments),
    /// Ask whether a server is there, and how far away.
    #[command(after_help = EXIT_CODES)]
    Ping(ping::PingArguments),
}

pub(crate) fn run(command: Command) -> ExitCode {
    match command {
        Command::Get(arguments) => finish(request::get(arguments)),
        Command::Put(arguments) => finish(request::with_payload(Code::PUT, arguments)),
        Command::Post(arguments) => finish(request::with_payload(Code::POST, arguments)),
        Command::Delete(arguments) => finish(request::delete(arguments)),
        Command::Fetch(arguments) => finish(request::fetch(arguments)),
        Command::Patch(arguments) => finish(request::with_payload(Code::PATCH, arguments)),
        Command::Ipatch(arguments) => finish(request::with_payload(Code::IPATCH, arguments)),
        Command::Observe(arguments) => finish(observe::run(arguments)),
        Command::Discover(arguments) => finish(discover::run(arguments)),
        Command::Ping(arguments) => finish(ping::run(arguments)),
    }
}

fn finish(command: impl Future<Output = Result<(), Failure>>) -> ExitCode {
    let runtime = Builder::new_current_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => {
            let result = runtime.block_on(command);
            // A name that is still being looked up: nobody waits for it.
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
