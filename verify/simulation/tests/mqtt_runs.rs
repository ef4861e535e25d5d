//! A broker and its clients through seeded runs in which connections are cut at any byte, readers stall, hosts take their
//! time and brokers crash.
//!
//! `SIMULATION_SEED=17 cargo test -p simulation --test mqtt_runs -- --nocapture` runs one seed alone and shows its history.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

use mqtt_codec::QoS;
use simulation::mqtt::{Outcome, Scenario, run};

const RUNS: u64 = 10_000;

#[test]
fn guarantees_hold_in_ten_thousand_runs() {
    if let Some(seed) = std::env::var("SIMULATION_SEED").ok().and_then(|seed| seed.parse().ok()) {
        let outcome = run(&Scenario { trace: true, ..Scenario::from_seed(seed) });
        println!("{:#?}\n{}", Scenario::from_seed(seed), outcome.history);
        assert!(outcome.problems.is_empty(), "seed {seed}:\n{}", outcome.problems.join("\n"));
        return;
    }
    let next = AtomicU64::new(0);
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(seed) = Some(next.fetch_add(1, Relaxed)).filter(|seed| *seed < RUNS) {
                    let Ok(outcome) = catch_unwind(AssertUnwindSafe(|| run(&Scenario::from_seed(seed))))
                    else {
                        next.store(RUNS, Relaxed);
                        panic!("seed {seed}: a panic, see above; SIMULATION_SEED={seed} shows its history");
                    };
                    if !outcome.problems.is_empty() {
                        next.store(RUNS, Relaxed);
                        let problems = outcome.problems.join("\n  ");
                        panic!("SIMULATION_SEED={seed} shows the history of this run:\n  {problems}");
                    }
                }
            });
        }
    });
}

#[test]
fn the_same_seed_makes_the_same_history() {
    for seed in 0..100 {
        let traced = || run(&Scenario { trace: true, ..Scenario::from_seed(seed) }).history;
        let (first, second) = (traced(), traced());
        assert!(first.len() > 1000, "seed {seed}: hardly anything happened");
        assert_eq!(first, second, "seed {seed}");
    }
    let history = |seed| run(&Scenario { trace: true, ..Scenario::from_seed(seed) }).history;
    assert_ne!(history(0), history(1));
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
        crashes: 200,
        records_lost: 200,
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
