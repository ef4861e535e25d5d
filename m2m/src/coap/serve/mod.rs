//! `m2m coap serve`.

use std::process::ExitCode;

use clap::Args;

#[derive(Args)]
pub(crate) struct Arguments {}

pub(crate) fn run(_: Arguments) -> ExitCode {
    ExitCode::FAILURE
}
