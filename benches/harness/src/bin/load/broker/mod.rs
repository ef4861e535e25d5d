//! MQTT brokers.

mod idle;
mod messages;
mod scenario;

use core::net::Ipv4Addr;
use core::time::Duration;
use std::io;
use std::net::TcpStream;

use clap::Args;
use mqtt_codec::ProtocolVersion;

use self::messages::Load;
use self::scenario::{SCENARIOS, Scenario};
use crate::compare::{Options, compare};
use crate::process::{Candidate, Process};
use crate::report::Figure;

/// Loads MQTT brokers.
#[derive(Args)]
pub(crate) struct Arguments {
    /// A broker: `m2m`, `mosquitto`, `rumqttd` (`cargo install rumqttd --version 0.20.0`, without `--locked`) or
    /// `NAME=COMMAND`, with `{port}` where the port goes.
    #[arg(long = "broker", value_name = "BROKER", default_values = ["m2m", "mosquitto"])]
    brokers: Vec<String>,
    #[command(flatten)]
    options: Options,
}

/// Brokers that can be named.
pub(crate) const KNOWN: &[(&str, &str)] = &[
    ("m2m", "{m2m} broker --listen tcp://127.0.0.1:{port}"),
    ("mosquitto", "mosquitto -c {mosquitto.conf}"),
    ("rumqttd", "rumqttd -c {rumqttd.toml}"),
];

pub(crate) fn run(arguments: &Arguments) -> io::Result<()> {
    let candidates = Candidate::parse_all(&arguments.brokers, KNOWN)?;
    compare(&arguments.options, &candidates, SCENARIOS, measure)
}

/// Starts a broker and waits until it takes connections.
pub(crate) fn start(candidate: &Candidate, version: ProtocolVersion) -> io::Result<Process> {
    let version = if version == ProtocolVersion::V5 { "5" } else { "4" };
    Process::start(candidate, &[("version", version)], |port| {
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).map(drop)
    })
}

fn measure(candidate: &Candidate, scenario: &'static Scenario, length: Duration) -> io::Result<Vec<Figure>> {
    match scenario {
        Scenario::Messages(messages) => {
            let broker = start(candidate, messages.version)?;
            Load::connect(messages, &broker)?.run(&broker, length)
        }
        Scenario::Idle(count) => idle::idle(&start(candidate, ProtocolVersion::V3_1_1)?, *count),
        Scenario::ComeAndGo(count) => idle::come_and_go(&start(candidate, ProtocolVersion::V3_1_1)?, *count),
    }
}
