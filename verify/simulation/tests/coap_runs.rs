//! Endpoints through seeded runs in which datagrams are lost, late, doubled and out of order, directions are cut, hosts and
//! applications take their time, limits are small, and nodes crash and come back without any memory.
//!
//! `SIMULATION_SEED=17 cargo test -p simulation --test coap_runs ten_thousand -- --nocapture` runs one seed alone and shows
//! its history; `SIMULATION_RUNS=1000000` runs so many.

use std::collections::BTreeSet;

use coap_codec::Code;
use coap_core::Failure;
use simulation::coap::{Content, End, Outcome, Scenario, Target, run};
use simulation::seeds::{self, Verdict};

const RUNS: u64 = 10_000;

#[test]
fn guarantees_hold_in_ten_thousand_runs() {
    let history = seeds::check(RUNS, |seed, trace| {
        let outcome = run(&Scenario { trace, ..Scenario::from_seed(seed) });
        Verdict { problems: outcome.problems, history: outcome.history }
    });
    println!("{history}");
}

#[test]
fn the_same_seed_makes_the_same_history() {
    seeds::check_repeatable(|seed| run(&Scenario { trace: true, ..Scenario::from_seed(seed) }).history);
}

/// What the guarantees are about does happen, and often.
#[test]
fn the_runs_are_not_idle() {
    let mut sum = Sum::default();
    for seed in 0..500 {
        sum.add(&run(&Scenario::from_seed(seed)));
    }
    for (what, (happened, least)) in sum.compared() {
        assert!(happened >= least, "{what}: {happened} times, and not {least}\n{sum:?}");
    }
}

#[derive(Debug, Default)]
struct Sum {
    requests: u64,
    succeeded: u64,
    failures: [u64; 6],
    groups_answered: u64,
    pongs: u64,
    notified: u64,
    ended_by_error: u64,
    observing_at_last: u64,
    large_up: u64,
    large_down: u64,
    crashes: u64,
    lost: u64,
    cut: u64,
    doubled: u64,
    overtaken: u64,
    duplicates: u64,
    retransmitted: u64,
    challenged: u64,
    outdated: u64,
    superseded: u64,
    dropped_full: u64,
    forgotten_early: u64,
    refused: u64,
    bodies_abandoned: u64,
}

const FAILURES: [Failure; 6] = [
    Failure::NotAcknowledged,
    Failure::NoResponse,
    Failure::GroupClosed,
    Failure::Unreachable,
    Failure::BodyTooLarge,
    Failure::Cancelled,
];

impl Sum {
    fn add(&mut self, outcome: &Outcome) {
        let ledger = &outcome.ledger;
        for asked in &ledger.requests {
            self.requests += 1;
            self.succeeded += u64::from(asked.seen.iter().any(|seen| seen.code.is_success()));
            let Some(ask) = asked.ask() else {
                self.pongs += u64::from(matches!(asked.end, Some((_, End::Answered))));
                continue;
            };
            if let Some((_, End::Failed(failure))) = asked.end {
                let index = FAILURES.iter().position(|listed| *listed == failure);
                self.failures[index.unwrap_or(0)] += u64::from(index.is_some());
            }
            let bodies = asked.seen.iter().filter_map(|seen| match seen.content {
                Content::Whole(_, len) => Some(len),
                _ => None,
            });
            self.large_down += bodies.filter(|len| *len > 1024).count() as u64;
            let whole = ask.size > 1024 && asked.seen.iter().any(|seen| seen.code == Code::CHANGED);
            self.large_up += u64::from(whole);
            if ask.to == Target::Group {
                let members: BTreeSet<_> = asked.seen.iter().map(|seen| seen.from).collect();
                self.groups_answered += u64::from(members.len() > 1);
            }
            if ask.observe {
                self.notified += asked.seen.len() as u64;
                self.ended_by_error +=
                    u64::from(asked.seen.last().is_some_and(|seen| seen.code.is_client_error()));
            }
        }
        self.observing_at_last += outcome.observations as u64;
        self.crashes += ledger.restarts.len() as u64;
        self.refused += ledger.refused as u64;
        self.lost += outcome.fates.lost;
        self.cut += outcome.fates.cut;
        self.doubled += outcome.fates.doubled;
        self.overtaken += outcome.fates.overtaken;
        for counters in &outcome.counters {
            self.duplicates += counters.duplicates;
            self.retransmitted += counters.retransmitted;
            self.challenged += counters.challenged;
            self.outdated += counters.outdated;
            self.superseded += counters.superseded;
            self.dropped_full += counters.dropped_full;
            self.forgotten_early += counters.forgotten_early;
            self.bodies_abandoned += counters.bodies_abandoned;
        }
    }

    /// What happened how often, and how often it must have.
    fn compared(&self) -> Vec<(String, (u64, u64))> {
        let named = [
            ("requests", self.requests, 8000),
            ("succeeded", self.succeeded, 4000),
            ("groups answered by several", self.groups_answered, 50),
            ("pongs", self.pongs, 100),
            ("notifications", self.notified, 5000),
            ("observations ended by an error", self.ended_by_error, 200),
            ("observations open at last", self.observing_at_last, 200),
            ("large bodies sent", self.large_up, 100),
            ("large bodies fetched", self.large_down, 1000),
            ("crashes", self.crashes, 100),
            ("lost", self.lost, 5000),
            ("cut", self.cut, 200),
            ("doubled", self.doubled, 10_000),
            ("overtaken", self.overtaken, 10_000),
            ("duplicates", self.duplicates, 10_000),
            ("retransmitted", self.retransmitted, 5000),
            ("challenged", self.challenged, 300),
            ("outdated", self.outdated, 20),
            ("superseded", self.superseded, 300),
            ("dropped", self.dropped_full, 300),
            ("forgotten early", self.forgotten_early, 3000),
            ("refused", self.refused, 200),
            ("bodies abandoned", self.bodies_abandoned, 400),
        ];
        let named = named.map(|(what, happened, least)| (what.to_owned(), (happened, least)));
        let failures = FAILURES.iter().zip(self.failures);
        named.into_iter().chain(failures.map(|(what, times)| (format!("{what:?}"), (times, 50)))).collect()
    }
}
