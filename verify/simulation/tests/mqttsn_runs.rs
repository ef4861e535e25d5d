//! MQTT-SN clients, gateways and a broker through seeded runs in which datagrams are lost, late, doubled and out of order,
//! clients sleep and move, gateways begin anew and connections to the broker are cut at any byte.
//!
//! `SIMULATION_SEED=17 cargo test -p simulation --test mqttsn_runs ten_thousand -- --nocapture` runs one seed alone and shows
//! its history; `SIMULATION_RUNS=1000000` runs so many.

use std::collections::BTreeMap;

use mqttsn_core::gateway::Counters;
use simulation::mqttsn::{Connection, Message, Outcome, Scenario, Sender, run};
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
    let mut sum = BTreeMap::new();
    for seed in 0..500 {
        let Outcome { ledger, fates, counters, obligations, .. } = run(&Scenario::from_seed(seed));
        let total = |count: fn(&Counters) -> u64| counters.iter().map(count).sum::<u64>();
        let changes = |connections: &Vec<Connection>| {
            connections.windows(2).filter(|pair| pair[0].gateway != pair[1].gateway).count() as u64
        };
        let minus_one = |message: &&Message| matches!(message.sender, Sender::MinusOne(_));
        let connections = || ledger.connections.iter();
        for (what, count, least) in [
            ("messages of clients at the broker", obligations.up as u64, 2000),
            ("messages of clients that come once", obligations.up_once as u64, 700),
            ("messages for subscribers", obligations.down as u64, 500),
            ("messages for subscribers that come once", obligations.down_once as u64, 500),
            ("messages with QoS -1", ledger.messages.iter().filter(minus_one).count() as u64, 200),
            ("datagrams lost", fates.lost, 5000),
            ("datagrams doubled", fates.doubled, 1000),
            ("datagrams overtaken", fates.overtaken, 1000),
            ("datagrams at a partition", fates.cut, 100),
            ("connections", connections().map(|all| all.len() as u64).sum(), 1000),
            ("connections to another gateway", connections().map(changes).sum(), 100),
            ("gateways anew", ledger.restarts.len() as u64, 50),
            ("changes of address", ledger.moves as u64, 50),
            ("checks of sleepers", ledger.checks as u64, 50),
            ("wills", ledger.wills.len() as u64, 10),
            ("clients lost", total(|counters| counters.clients_lost), 100),
            ("messages sent again", total(|counters| counters.retransmitted), 1000),
            ("messages dropped", total(|counters| counters.dropped_queue_full), 15),
        ] {
            sum.entry(what).or_insert((0, least)).0 += count;
        }
    }
    assert!(sum.values().all(|(count, least)| count >= least), "{sum:#?}");
}
