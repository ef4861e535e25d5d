//! The laws of the MQTT-SN client, under events that random bytes choose.

mod courses;

use std::collections::BTreeMap;

use courses::{course, with_seed};
use fuzz::mqttsn_client::client;

const RUNS: u64 = 10_000;

/// What applications ask for and are told, and what is sent.
const REPORTS: [&str; 49] = [
    "connect",
    "disconnect",
    "sleep",
    "check",
    "wake",
    "search",
    "publish_minus_one",
    "Full",
    "TooLong",
    "InvalidTopic",
    "InvalidClientId",
    "NoGateway",
    "NotConnected",
    "GatewayFound",
    "GatewayLost",
    "Connected",
    "Asleep",
    "Awake",
    "Message",
    "over: Requested",
    "over: GatewayLost",
    "over: ByGateway",
    "over: Refused",
    "Published",
    "Subscribed",
    "Unsubscribed",
    "Registered",
    "WillUpdated",
    "Rejected",
    "Unanswered",
    "Interrupted",
    "SEARCHGW",
    "GWINFO",
    "CONNECT",
    "WILLTOPIC",
    "WILLMSG",
    "REGISTER",
    "REGACK",
    "PUBLISH",
    "PUBACK",
    "PUBREC",
    "PUBREL",
    "PUBCOMP",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "PINGREQ",
    "PINGRESP",
    "DISCONNECT",
    "WILLTOPICUPD",
];

#[test]
fn courses_of_events() {
    let mut seen: BTreeMap<String, u64> = REPORTS.map(|name| (name.to_owned(), 0)).into();
    for seed in 0..RUNS {
        let (_, counters, reports) = with_seed(seed, |random| client(&course(random)));
        let counted = counters.rows().map(|(name, number)| (name.to_owned(), number));
        for (name, number) in counted.into_iter().chain(reports) {
            *seen.entry(name).or_default() += number;
        }
    }
    let poor: Vec<_> = seen.iter().filter(|(_, sum)| **sum < RUNS / 1000).collect();
    assert!(poor.is_empty(), "a poor mixture: {poor:?} in {RUNS} runs");
    let often = ["Connected", "Published", "Subscribed", "Registered", "Asleep", "Awake", "Message"];
    let mixed = often.into_iter().all(|name| seen[name] > RUNS / 4);
    assert!(mixed, "a poor mixture: {seen:?} in {RUNS} runs");
}

#[test]
fn the_same_events_give_the_same_actions() {
    for seed in 0..RUNS / 20 {
        let run = || with_seed(seed, |random| client(&course(random)));
        assert_eq!(run(), run(), "seed {seed}");
    }
}

/// Courses that broke a law once.
#[test]
fn findings() {
    for seed in [1_015_554, 3_025_999] {
        with_seed(seed, |random| client(&course(random)));
    }
}
