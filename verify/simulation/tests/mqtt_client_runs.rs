//! This workspace's client and broker together, through seeded runs in which connections are cut at any byte, and broker
//! and clients crash and come back with what they have stored.
//!
//! `SIMULATION_SEED=17 cargo test -p simulation --test mqtt_client_runs ten_thousand -- --nocapture` runs one seed alone and
//! shows its history; `SIMULATION_RUNS=1000000` runs so many.

use simulation::mqtt::{Scenario, run};
use simulation::seeds::{self, Verdict};

const RUNS: u64 = 10_000;

#[test]
fn guarantees_hold_in_ten_thousand_runs() {
    let history = seeds::check(RUNS, |seed, trace| {
        let outcome = run(&Scenario { trace, ..Scenario::with_applications_from_seed(seed) });
        Verdict { problems: outcome.problems, history: outcome.history }
    });
    println!("{history}");
}
