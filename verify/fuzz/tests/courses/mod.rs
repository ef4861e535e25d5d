//! Courses of events that random bytes choose, each from a seed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use machine::Random;

pub fn course(random: &mut Random) -> Vec<u8> {
    let mut data = vec![0; 200 + random.below(1800) as usize];
    random.fill(&mut data);
    data
}

/// Says which seed it was when something panics.
pub fn with_seed<T>(seed: u64, run: impl FnOnce(&mut Random) -> T) -> T {
    let mut random = Random::from_u64(seed);
    let outcome = catch_unwind(AssertUnwindSafe(|| run(&mut random)));
    outcome.unwrap_or_else(|_| panic!("that was seed {seed}"))
}
