//! The MQTT-SN gateway, in front of a broker.

mod client;
mod load;

use core::time::Duration;
use std::io;

use clap::Args;
use mqtt_codec::ProtocolVersion;
use mqttsn_codec::QoS;

use self::client::Client;
use self::load::Load;
use crate::broker;
use crate::compare::{Options, compare};
use crate::process::{Candidate, Process};
use crate::report::Figure;

/// Loads MQTT-SN gateways.
#[derive(Args)]
pub(crate) struct Arguments {
    /// A gateway: `transparent`, `aggregating` or `NAME=COMMAND`, with `{port}` where the port goes and `{broker}` where the
    /// broker's goes.
    #[arg(long = "gateway", value_name = "GATEWAY", default_values = ["transparent", "aggregating"])]
    gateways: Vec<String>,
    /// The broker behind it: `m2m`, `mosquitto`, `rumqttd` or `NAME=COMMAND`.
    #[arg(long, default_value = "m2m")]
    broker: String,
    #[command(flatten)]
    options: Options,
}

const KNOWN: &[(&str, &str)] = &[
    (
        "transparent",
        "{m2m} gateway --mode transparent --broker mqtt://127.0.0.1:{broker} --listen udp://127.0.0.1:{port}",
    ),
    (
        "aggregating",
        "{m2m} gateway --mode aggregating --broker mqtt://127.0.0.1:{broker} --listen udp://127.0.0.1:{port}",
    ),
];

/// Some MQTT-SN clients publish, each to a topic of its own, and one client subscribes to them all.
struct Scenario {
    publishers: usize,
    to: Side,
    qos: QoS,
    /// Messages that are published and not delivered, from all clients together.
    window: u64,
}

/// How the subscriber is connected.
enum Side {
    /// To the broker.
    Mqtt,
    /// To the gateway.
    Sn,
}

const PAYLOAD: &[u8] = &[b'x'; 64];

const HUNDRED: Scenario = Scenario { publishers: 100, to: Side::Mqtt, qos: QoS::AtMostOnce, window: 50 };

const SCENARIOS: &[(&str, Scenario)] = &[
    ("100→MQTT, QoS 0", HUNDRED),
    ("100→MQTT, QoS 1", Scenario { qos: QoS::AtLeastOnce, ..HUNDRED }),
    ("100→MQTT-SN, QoS 0", Scenario { to: Side::Sn, ..HUNDRED }),
    ("100→MQTT-SN, QoS 1", Scenario { to: Side::Sn, qos: QoS::AtLeastOnce, ..HUNDRED }),
    (
        "to MQTT, one in flight, QoS 1",
        Scenario { publishers: 1, qos: QoS::AtLeastOnce, window: 1, ..HUNDRED },
    ),
];

pub(crate) fn run(arguments: &Arguments) -> io::Result<()> {
    let candidates = Candidate::parse_all(&arguments.gateways, KNOWN)?;
    let broker = Candidate::parse(&arguments.broker, broker::KNOWN)?;
    compare(&arguments.options, &candidates, SCENARIOS, |candidate, scenario, length| {
        measure(candidate, &broker, scenario, length)
    })
}

fn measure(
    candidate: &Candidate,
    broker: &Candidate,
    scenario: &'static Scenario,
    length: Duration,
) -> io::Result<Vec<Figure>> {
    let broker = broker::start(broker, ProtocolVersion::V3_1_1)?;
    let port = broker.port().to_string();
    // A gateway refuses clients while it has no broker.
    let ready = |port| Client::open(port, "first").map(drop);
    let gateway = Process::start(candidate, &[("broker", &port)], ready)?;
    Load::connect(scenario, &broker, &gateway)?.run(&gateway, length)
}
