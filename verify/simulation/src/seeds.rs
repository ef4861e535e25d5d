//! Many runs, one for each seed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

/// What became of one run.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// What should not have happened.
    pub problems: Vec<String>,
    /// What happened, if it was asked for.
    pub history: String,
}

/// Runs the seeds from 0 on, on all processors. `SIMULATION_RUNS` says how many, instead of `runs`; `SIMULATION_FIRST` the first
/// of them, instead of 0; `SIMULATION_SEED` names one that is run alone, and its history is returned. `run` gets a seed and
/// whether its history is wanted.
///
/// # Panics
/// When a run has problems or panics: says with which seed.
pub fn check(runs: u64, run: impl Fn(u64, bool) -> Verdict + Sync) -> String {
    if let Some(seed) = variable("SIMULATION_SEED") {
        let Verdict { problems, history } = run(seed, true);
        assert!(problems.is_empty(), "{history}\nseed {seed}:\n  {}", problems.join("\n  "));
        return history;
    }
    let first = variable("SIMULATION_FIRST").unwrap_or(0);
    let end = first + variable("SIMULATION_RUNS").unwrap_or(runs);
    let next = AtomicU64::new(first);
    let work = || {
        while let Some(seed) = Some(next.fetch_add(1, Relaxed)).filter(|seed| *seed < end) {
            let problems = match catch_unwind(AssertUnwindSafe(|| run(seed, false))) {
                Ok(verdict) => verdict.problems.join("\n  "),
                Err(_) => "a panic, see above".into(),
            };
            if !problems.is_empty() {
                next.store(end, Relaxed);
                panic!("SIMULATION_SEED={seed} shows the history of this run:\n  {problems}");
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    String::new()
}

/// That the same seed makes the same history, in which something happens, and another seed another one.
///
/// # Panics
/// When it does not.
pub fn check_repeatable(history: impl Fn(u64) -> String) {
    for seed in 0..100 {
        let (first, second) = (history(seed), history(seed));
        assert!(first.len() > 1000, "seed {seed}: hardly anything happened");
        assert_eq!(first, second, "seed {seed}");
    }
    assert_ne!(history(0), history(1));
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
