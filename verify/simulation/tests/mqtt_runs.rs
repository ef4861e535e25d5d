//! A broker and its clients through seeded runs in which connections are cut at any byte, readers stall, hosts take their
//! time and brokers crash.
//!
//! `SIMULATION_SEED=17 cargo test -p simulation --test mqtt_runs -- --nocapture` runs one seed alone and shows its history.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

use simulation::mqtt::{Scenario, run};

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
                    let Ok(outcome) = catch_unwind(AssertUnwindSafe(|| run(&Scenario::from_seed(seed)))) else {
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
