//! A broker and its clients through seeded runs in which connections are cut at any byte, readers stall, hosts take their
//! time and brokers crash.
//!
//! `SIMULATION_SEED=17 cargo test -p simulation --test mqtt_runs ten_thousand -- --nocapture` runs one seed alone and shows
//! its history; `SIMULATION_RUNS=1000000` runs so many.

use mqtt_codec::QoS;
use simulation::mqtt::{Outcome, Scenario, run};
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
    let least = Sum {
        sent: 10_000,
        delivered: [2000; 3],
        repeated: 500,
        retained: 500,
        wills: 200,
        crashes: 150,
        records_lost: 150,
        dropped: 200,
    };
    assert!(sum.is_at_least(&least), "{sum:?}");
}

#[derive(Debug, Default)]
struct Sum {
    sent: usize,
    /// By QoS.
    delivered: [usize; 3],
    /// Copies of messages with QoS 1 after the first.
    repeated: usize,
    retained: usize,
    wills: u64,
    crashes: usize,
    records_lost: usize,
    dropped: u64,
}

impl Sum {
    fn add(&mut self, outcome: &Outcome) {
        let ledger = &outcome.ledger;
        self.sent += ledger.published.iter().filter(|message| message.sent.is_some()).count();
        let mut seen = std::collections::BTreeSet::new();
        for copy in &ledger.delivered {
            self.delivered[copy.qos as usize] += 1;
            self.retained += usize::from(copy.retain);
            let first = seen.insert((copy.client, copy.number));
            self.repeated += usize::from(copy.qos == QoS::AtLeastOnce && !copy.retain && !first);
        }
        self.wills += outcome.counters.wills_published;
        self.crashes += ledger.crashes.len();
        self.records_lost += outcome.lags.iter().sum::<usize>();
        self.dropped += outcome.counters.dropped_queue_full;
    }

    fn is_at_least(&self, least: &Self) -> bool {
        self.sent >= least.sent
            && (0..3).all(|qos| self.delivered[qos] >= least.delivered[qos])
            && self.repeated >= least.repeated
            && self.retained >= least.retained
            && self.wills >= least.wills
            && self.crashes >= least.crashes
            && self.records_lost >= least.records_lost
            && self.dropped >= least.dropped
    }
}
