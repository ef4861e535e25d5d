//! The laws of the CoAP endpoint, under events that random bytes choose.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use fuzz::coap_endpoint::endpoint;
use machine::Random;

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

fn course(random: &mut Random) -> Vec<u8> {
    let mut data = vec![0; 200 + random.below(1800) as usize];
    random.fill(&mut data);
    data
}

/// Says which seed it was when something panics.
fn with_seed<T>(seed: u64, run: impl FnOnce(&mut Random) -> T) -> T {
    let mut random = Random::from_u64(seed);
    let outcome = catch_unwind(AssertUnwindSafe(|| run(&mut random)));
    outcome.unwrap_or_else(|_| panic!("that was seed {seed}"))
}
