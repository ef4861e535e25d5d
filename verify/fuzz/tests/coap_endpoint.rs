//! The laws of the CoAP endpoint, under events that random bytes choose.

mod courses;

use std::collections::BTreeMap;

use courses::{course, with_seed};
use fuzz::coap_endpoint::endpoint;

const RUNS: u64 = 10_000;

/// What applications are told, beside ends of requests in each of the ways that there are.
const REPORTS: [&str; 20] = [
    "send",
    "Peer",
    "Registration",
    "Change",
    "cancelled",
    "observers",
    "acknowledged",
    "upload",
    "download",
    "one of several",
    "response",
    "pong",
    "NotAcknowledged",
    "NoResponse",
    "GroupClosed",
    "Reset",
    "Unreachable",
    "BadOption",
    "BlockMismatch",
    "BodyTooLarge",
];

#[test]
fn courses_of_events() {
    let mut seen: BTreeMap<String, u64> = REPORTS.map(|name| (name.to_owned(), 0)).into();
    for seed in 0..RUNS {
        let (_, counts) = with_seed(seed, |random| endpoint(&course(random)));
        for (counters, reports) in counts {
            let counted = counters.rows().map(|(name, number)| (name.to_owned(), number));
            for (name, number) in counted.into_iter().chain(reports) {
                *seen.entry(name).or_default() += number;
            }
        }
    }
    // Those ends are rare.
    seen.retain(|name, _| !name.starts_with("Refused") && name != "Changing");
    let poor: Vec<_> = seen.iter().filter(|(_, sum)| **sum < RUNS / 1000).collect();
    assert!(poor.is_empty(), "a poor mixture: {poor:?} in {RUNS} runs");
    let often = ["response", "one of several", "download", "Registration"].map(|name| seen[name] / 4);
    let rarer = ["upload", "Change", "acknowledged"].map(|name| seen[name]);
    let mixed = often.into_iter().chain(rarer).all(|sum| sum > RUNS / 20);
    assert!(mixed, "a poor mixture: {seen:?} in {RUNS} runs");
}

#[test]
fn the_same_events_give_the_same_actions() {
    for seed in 0..RUNS / 20 {
        let run = || with_seed(seed, |random| endpoint(&course(random)));
        assert_eq!(run(), run(), "seed {seed}");
    }
}
