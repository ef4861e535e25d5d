//! The laws of the MQTT-SN gateway, under events that random bytes choose.

mod courses;

use std::collections::BTreeMap;

use courses::{course, with_seed};
use fuzz::mqttsn_gateway::gateway;

const RUNS: u64 = 2000;

/// What is sent on either side, and what the host is told.
const REPORTS: [&str; 38] = [
    "ADVERTISE",
    "GWINFO",
    "to all: ADVERTISE",
    "to all: GWINFO",
    "CONNACK",
    "WILLTOPICREQ",
    "WILLMSGREQ",
    "REGISTER",
    "REGACK",
    "PUBLISH",
    "PUBACK",
    "PUBREC",
    "PUBREL",
    "PUBCOMP",
    "SUBACK",
    "UNSUBACK",
    "PINGRESP",
    "DISCONNECT",
    "WILLTOPICRESP",
    "WILLMSGRESP",
    "Connect",
    "Publish",
    "PubAck",
    "PubRec",
    "PubRel",
    "PubComp",
    "Subscribe",
    "Unsubscribe",
    "PingReq",
    "Disconnect",
    "Connected",
    "Refused",
    "Moved",
    "Asleep",
    "Disconnected",
    "Lost",
    "UpstreamConnected",
    "UpstreamDisconnected",
];

#[test]
fn courses_of_events() {
    let mut seen: BTreeMap<String, u64> = REPORTS.map(|name| (name.to_owned(), 0)).into();
    for seed in 0..RUNS {
        let (_, counters, reports) = with_seed(seed, |random| gateway(&course(random)));
        let counted = counters.rows().map(|(name, number)| (name.to_owned(), number));
        for (name, number) in counted.into_iter().chain(reports) {
            *seen.entry(name).or_default() += number;
        }
    }
    let poor: Vec<_> = seen.iter().filter(|(_, sum)| **sum < RUNS / 1000).collect();
    assert!(poor.is_empty(), "a poor mixture: {poor:?} in {RUNS} runs");
    let often = ["connects_accepted", "published", "delivered", "SUBACK", "REGISTER", "PUBREC", "PubComp"];
    let mixed = often.into_iter().all(|name| seen[name] > RUNS / 10);
    assert!(mixed, "a poor mixture: {seen:?} in {RUNS} runs");
}

#[test]
fn the_same_events_give_the_same_actions() {
    for seed in 0..RUNS / 20 {
        let run = || with_seed(seed, |random| gateway(&course(random)));
        assert_eq!(run(), run(), "seed {seed}");
    }
}

/// Courses that broke a law once.
#[test]
fn findings() {
    for seed in [1_000_377, 8_013_508, 8_028_581] {
        with_seed(seed, |random| gateway(&course(random)));
    }
}
