//! The laws of the broker, under events that random bytes choose.

mod courses;

use courses::{course, with_seed};
use fuzz::broker::{broker, pieces};
use fuzz::codec::DIRECTIONS;
use fuzz::{corpus, mutate};
use mqtt_core::Counters;

const RUNS: u64 = 20_000;

#[test]
fn courses_of_events() {
    let mut seen: Vec<(String, u64)> = Vec::new();
    for seed in 0..RUNS {
        let (_, counters) = with_seed(seed, |random| broker(&course(random)));
        for (index, (name, number)) in named(&counters).into_iter().enumerate() {
            match seen.get_mut(index) {
                Some((_, sum)) => *sum += number,
                None => seen.push((name, number)),
            }
        }
    }
    let never: Vec<_> = seen.iter().filter(|(_, sum)| *sum < RUNS / 1000).collect();
    assert!(never.is_empty(), "a poor mixture: {never:?} in {RUNS} runs");
    let let_in = seen.iter().find(|(name, _)| name == "connects_accepted");
    assert!(let_in.is_some_and(|(_, sum)| *sum > RUNS), "a poor mixture: {seen:?} in {RUNS} runs");
}

#[test]
fn the_same_events_give_the_same_actions() {
    for seed in 0..RUNS / 20 {
        let run = || with_seed(seed, |random| broker(&course(random)));
        assert_eq!(run(), run(), "seed {seed}");
    }
}

#[test]
fn mutated_streams_in_pieces() {
    let seeds = corpus::all_streams(DIRECTIONS[0]);
    let mut let_in = 0;
    for seed in 0..RUNS / 4 {
        let_in += u64::from(with_seed(seed, |random| {
            let mut bytes = seeds[random.below(seeds.len() as u64) as usize].clone();
            mutate(&mut bytes, &seeds[random.below(seeds.len() as u64) as usize], random);
            let mut data = vec![0; 4];
            random.fill(&mut data);
            data.extend(bytes);
            pieces(&data)
        }));
    }
    assert!(let_in > RUNS / 10, "{let_in} clients were let in: a poor mixture");
}

/// Every counter with its name, as `Debug` shows them.
fn named(counters: &Counters) -> Vec<(String, u64)> {
    let text = format!("{counters:#?}");
    let fields = text.lines().filter_map(|line| line.trim().trim_end_matches(',').split_once(": "));
    fields.map(|(name, number)| (name.to_owned(), number.parse().expect("a number"))).collect()
}
