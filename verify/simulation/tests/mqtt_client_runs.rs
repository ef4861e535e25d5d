//! This workspace's client and broker together, through seeded runs in which connections are cut at any byte, and broker
//! and clients crash and come back with what they have stored.
//!
//! `SIMULATION_SEED=17 cargo test -p simulation --test mqtt_client_runs ten_thousand -- --nocapture` runs one seed alone and
//! shows its history; `SIMULATION_RUNS=1000000` runs so many.

use simulation::mqtt::{Fate, Scenario, run};
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

#[test]
fn the_same_seed_makes_the_same_history() {
    seeds::check_repeatable(|seed| {
        run(&Scenario { trace: true, ..Scenario::with_applications_from_seed(seed) }).history
    });
}

/// What the guarantees are about does happen, and often.
#[test]
fn the_runs_are_not_idle() {
    let mut sum = Sum::default();
    for seed in 0..500 {
        sum.add(&Scenario::with_applications_from_seed(seed));
    }
    let least = Sum {
        acknowledged: 10_000,
        delivered: [2000; 3],
        restarts: 300,
        restored: 2000,
        revoked: 10,
        session_lost: 200,
        broker_crashes: 100,
    };
    assert!(sum.is_at_least(&least), "{sum:?}");
}

/// What applications did and saw.
#[derive(Debug, Default)]
struct Sum {
    acknowledged: usize,
    /// By QoS.
    delivered: [usize; 3],
    restarts: usize,
    /// Messages that were under way at a crash.
    restored: usize,
    /// Messages that were forgotten in a crash, and came again.
    revoked: usize,
    /// Messages that were given up with a session.
    session_lost: usize,
    broker_crashes: usize,
}

impl Sum {
    fn add(&mut self, scenario: &Scenario) {
        let ledger = run(scenario).ledger;
        let is_application =
            |client: usize| scenario.clients.get(client).is_some_and(|client| client.application.is_some());
        let published = ledger.published.iter().filter(|message| is_application(message.client));
        self.acknowledged +=
            published.filter(|message| matches!(message.fate, Fate::Acknowledged(_))).count();
        for copy in ledger.delivered.iter().filter(|copy| is_application(copy.client)) {
            self.delivered[copy.qos as usize] += 1;
            self.revoked += usize::from(copy.revoked);
        }
        self.restarts += ledger.restarts;
        self.restored += ledger.restored;
        self.session_lost += ledger.session_lost;
        self.broker_crashes += ledger.crashes.len();
    }

    fn is_at_least(&self, least: &Self) -> bool {
        self.acknowledged >= least.acknowledged
            && (0..3).all(|qos| self.delivered[qos] >= least.delivered[qos])
            && self.restarts >= least.restarts
            && self.restored >= least.restored
            && self.revoked >= least.revoked
            && self.session_lost >= least.session_lost
            && self.broker_crashes >= least.broker_crashes
    }
}
