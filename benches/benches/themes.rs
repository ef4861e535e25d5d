//! Times, theme by theme: ours, every peer and the floor by turns, one group for each operation.
//! `cargo bench -p benches -- parse_mqtt` takes one theme.
#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::collections::BTreeMap;
use std::time::Duration;

use criterion::{Bencher, Criterion, criterion_group, criterion_main};
use harness::{Case, cases};

#[path = "../examples/peers/all/mod.rs"]
mod all;

/// Short: there are five hundred of them.
const WARM_UP: Duration = Duration::from_millis(30);
const MEASUREMENT: Duration = Duration::from_millis(100);
/// A packet of 64 KiB takes no time to read, but long to lay ready.
const LARGE: &str = "64KiB";

fn themes(criterion: &mut Criterion) {
    let mut operations: Vec<((&str, String), Vec<Case>)> = Vec::new();
    let mut places = BTreeMap::new();
    for case in cases::ours().chain(all::cases()) {
        let key = (case.theme, case.name.clone());
        let place = *places.entry(key.clone()).or_insert_with(|| {
            operations.push((key, Vec::new()));
            operations.len() - 1
        });
        operations[place].1.push(case);
    }
    for ((theme, name), cases) in operations {
        let mut group = criterion.benchmark_group(format!("{theme}/{name}"));
        let part = if name.contains(LARGE) { 20 } else { 1 };
        group
            .sample_size(10)
            .nresamples(1001) // criterion warns of fewer
            .warm_up_time(WARM_UP / part)
            .measurement_time(MEASUREMENT / part);
        for mut case in cases {
            group.bench_function(case.who, |bencher| time(bencher, &mut case));
        }
    }
}

/// What an operation uses up is laid ready for some times at once, off the clock.
#[expect(clippy::disallowed_methods, reason = "it measures")]
fn time(bencher: &mut Bencher<'_>, case: &mut Case) {
    bencher.iter_custom(|times| {
        let mut elapsed = Duration::ZERO;
        let mut left = times;
        while left > 0 {
            let now = left.min(case.times);
            case.prepare(now);
            let start = std::time::Instant::now();
            case.run(now);
            elapsed += start.elapsed();
            left -= now;
        }
        elapsed
    });
}

criterion_group!(all_themes, themes);
criterion_main!(all_themes);
