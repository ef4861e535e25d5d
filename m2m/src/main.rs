//! Runs the m2m protocol state machines on real sockets.

extern crate alloc;

mod broker;
mod client;
mod clock;
mod coap;
mod metrics;
mod passwd;
mod signals;
mod sn;

use core::fmt::Display;
use core::net::SocketAddr;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgAction, Args, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

const EXIT_CODES: &str = "\
Exit codes:
  0    ended as asked
  1    an address cannot be listened on, a file cannot be written, or the system refused something
  2    wrong command line
  3    the configuration, password or ACL file was refused
  130  ended at once by a second signal";

const LOG: &str = "M2M_LOG";

/// MQTT and CoAP for machines.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run an MQTT broker (3.1, 3.1.1 and 5).
    #[command(after_help = EXIT_CODES)]
    Broker(BrokerArguments),
    /// Publish messages, with the options of `mosquitto_pub`.
    #[command(disable_help_flag = true, after_help = client::EXIT_CODES)]
    Pub(client::PublishArguments),
    /// Subscribe and print messages, with the options of `mosquitto_sub`.
    #[command(disable_help_flag = true, after_help = client::EXIT_CODES)]
    Sub(client::SubscribeArguments),
    /// Send CoAP requests, or run a CoAP server.
    Coap(coap::Arguments),
    /// Run an MQTT-SN gateway in front of an MQTT broker.
    #[command(after_help = sn::gateway::EXIT_CODES)]
    Gateway(Box<sn::gateway::Arguments>),
    /// Pass datagrams of MQTT-SN clients on to a gateway on another network.
    Forwarder(sn::forwarder::Arguments),
    /// Publish, subscribe, sleep or look for gateways as an MQTT-SN client.
    Sn(sn::client::Arguments),
    /// Set or delete a user's password in a password file.
    #[command(after_help = EXIT_CODES)]
    Passwd(PasswdArguments),
}

#[derive(Args)]
struct BrokerArguments {
    /// Where to listen; may be given several times. Port 0 is any free one. Default: loopback, port 1883.
    #[arg(long, value_name = "tcp://ADDRESS[:PORT]")]
    listen: Vec<String>,
    /// The configuration file (TOML); options on the command line go before it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Users and their passwords, as `m2m passwd` writes it. Ends anonymous access.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Who may publish and receive what, in mosquitto's format.
    #[arg(long, value_name = "FILE")]
    acl: Option<PathBuf>,
    /// Serve Prometheus metrics at http://ADDRESS:PORT/metrics.
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics: Option<SocketAddr>,
    #[command(flatten)]
    gateway: sn::gateway::BesideArguments,
    /// Say more: -v connections, -vv everything; the variable `M2M_LOG` filters finer, as in `m2m=debug`.
    #[arg(short, long, action = ArgAction::Count)]
    verbose: u8,
}

#[derive(Args)]
struct PasswdArguments {
    /// The password file; created if there is none.
    file: PathBuf,
    /// The user name.
    user: String,
    /// Delete the user.
    #[arg(short = 'D', long)]
    delete: bool,
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Broker(arguments) => run_broker(arguments),
        Command::Pub(arguments) => {
            log_to_stderr(client_log(arguments.is_debug()));
            client::publish(arguments)
        }
        Command::Sub(arguments) => {
            log_to_stderr(client_log(arguments.is_debug()));
            client::subscribe(arguments)
        }
        Command::Coap(arguments) => coap::run(arguments),
        Command::Gateway(arguments) => sn::gateway::run(&arguments),
        Command::Forwarder(arguments) => sn::forwarder::run(&arguments),
        Command::Sn(arguments) => sn::client::run(arguments),
        Command::Passwd(PasswdArguments { file, user, delete }) => {
            let result = if delete { passwd::delete(&file, &user) } else { passwd::set(&file, &user) };
            result.map_or_else(|problem| fail(&problem, 1), |()| ExitCode::SUCCESS)
        }
    }
}

fn run_broker(arguments: BrokerArguments) -> ExitCode {
    let BrokerArguments { listen, config, password_file, acl, metrics, gateway, verbose } = arguments;
    log_to_stderr(["info", "m2m=debug,info", "trace"][usize::from(verbose.min(2))]);
    let options = broker::Options { listen, config, password_file, acl_file: acl, metrics, gateway };
    match broker::run(&options) {
        Ok(broker::Ended::Drained) => ExitCode::SUCCESS,
        Ok(broker::Ended::AtOnce) => ExitCode::from(130),
        Err(problem) if problem.is_of_the_configuration() => fail(&problem, 3),
        Err(problem) => fail(&problem, 1),
    }
}

fn fail(problem: &dyn core::error::Error, code: u8) -> ExitCode {
    _ = writeln!(io::stderr(), "m2m: {}", problem.to_string().trim_end());
    ExitCode::from(code)
}

/// A line on standard error.
fn report(what: &dyn Display) {
    _ = writeln!(io::stderr(), "m2m: {what}");
}

fn client_log(debug: bool) -> &'static str {
    if debug { "m2m=debug,info" } else { "warn" }
}

fn log_to_stderr(level: &str) {
    let filter = EnvFilter::try_from_env(LOG).unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .init();
}
