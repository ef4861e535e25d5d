//! Times and sizes for a fleet of devices: `cargo run --release -p topic-match --example fleet [filters]`.
//!
//! Filters are `site/{s}/device/{d}/{metric}`: 80 % without wildcards, 15 % with `+`, 5 % with `#`, and `#`
//! and `site/#`. Lookups go through 20 000 topics of which 9 % have no device. Each figure is the fastest of
//! several rounds. Beside it stands a tree of `HashMap`s, the way one would write it first.
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a program that measures and prints")]
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "a program has std")]
#![allow(clippy::cast_precision_loss, reason = "nanoseconds for people")]

mod devices;
mod shapes;
mod tree;

use std::hint::black_box;
use std::time::Instant;

use devices::{Fleet, exact};
use shapes::{FILTERS, NAME};
use topic_match::{
    IndexLimits, RetainedIndex, RetainedLimits, Scratch, Step, SubscriberId, SubscriptionIndex, TopicFilter,
    TopicName,
};
use tree::Tree;

const FILTERS_PER_SUBSCRIBER: u32 = 20;
const ROUNDS: usize = 7;
const INTERLEAVED: usize = 21;

fn main() {
    let count = std::env::args().nth(1).map_or(100_000, |count| count.parse().expect("a number of filters"));
    one_to_one();
    subscriptions(count);
    explosion();
    retained(count);
}

/// Nanoseconds for one of `times` runs inside `run`, the fastest of several rounds.
fn time(times: usize, mut run: impl FnMut()) -> f64 {
    (0..ROUNDS).map(|_| once(times, &mut run)).fold(f64::INFINITY, f64::min)
}

fn once(times: usize, run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_nanos() as f64 / times as f64
}

fn one_to_one() {
    println!("one to one, 7 levels, {} bytes", NAME.len());
    for (label, filter) in FILTERS {
        let (filter, name) = (TopicFilter::new(filter).expect("valid"), TopicName::new(NAME).expect("valid"));
        let run = || {
            for _ in 0..200_000 {
                black_box(black_box(filter).matches(black_box(name)));
            }
        };
        println!("  {label:15} {:6.1} ns", time(200_000, run));
    }
    let name = "site/s0100/device/d000100/temp";
    let run = || {
        for _ in 0..200_000 {
            let _ = black_box(TopicName::new(black_box(name)));
        }
    };
    println!("  validate {} bytes {:6.1} ns", name.len(), time(200_000, run));
}

fn subscriptions(count: usize) {
    let mut fleet = Fleet::new(count);
    let (filters, topics) = (fleet.filters(count), fleet.topics(20_000));
    let limits = IndexLimits { filters: u32::MAX, ..IndexLimits::default() };
    let mut index = SubscriptionIndex::new(limits, 1);
    let held = allocation_counter::measure(|| insert_all(&mut index, &filters));
    let mut tree = Tree::default();
    let naive_held = allocation_counter::measure(|| {
        (0..).zip(&filters).for_each(|(number, filter)| tree.insert(filter, number));
    });

    let (mut scratch, mut matches) = (Scratch::default(), 0_u64);
    let (mut looking, mut naive, mut naive_matches) = (f64::INFINITY, f64::INFINITY, 0_u64);
    // By turns, so that what else the machine does falls on both.
    for _ in 0..INTERLEAVED {
        looking = looking.min(once(topics.len(), || {
            for topic in &topics {
                let count = |_, ()| matches += 1;
                assert!(index.visit(TopicName::assume_valid(topic), &mut scratch, count).is_ok());
            }
        }));
        naive = naive.min(once(topics.len(), || {
            for topic in &topics {
                tree.visit(topic, &mut |_| naive_matches += 1);
            }
        }));
    }
    assert_eq!(matches, naive_matches);

    println!("subscriptions: {count} filters, {FILTERS_PER_SUBSCRIBER} for each subscriber");
    println!(
        "  lookup  {looking:7.0} ns, tree of HashMaps {naive:.0} ns, {:.1} matches",
        matches as f64 / (topics.len() * INTERLEAVED) as f64
    );
    let per_filter = |bytes: i64| bytes as f64 / count as f64;
    println!(
        "  memory  {:7.1} bytes a filter, tree of HashMaps {:.1}",
        per_filter(held.bytes_current),
        per_filter(naive_held.bytes_current)
    );
    let (mut inserting, mut removing) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..ROUNDS {
        index = SubscriptionIndex::new(limits, 1);
        let start = Instant::now();
        insert_all(&mut index, &filters);
        inserting = inserting.min(start.elapsed().as_nanos() as f64 / count as f64);
        let start = Instant::now();
        for (number, filter) in (0..).zip(&filters) {
            index.remove(TopicFilter::assume_valid(filter), SubscriberId(number / FILTERS_PER_SUBSCRIBER));
        }
        removing = removing.min(start.elapsed().as_nanos() as f64 / count as f64);
        assert!(index.is_empty());
    }
    println!("  insert  {inserting:7.0} ns, remove {removing:.0} ns");
}

fn insert_all(index: &mut SubscriptionIndex<()>, filters: &[String]) {
    for (number, filter) in (0..).zip(filters) {
        let subscriber = SubscriberId(number / FILTERS_PER_SUBSCRIBER);
        index.insert(TopicFilter::assume_valid(filter), subscriber, ()).expect("within limits");
    }
}

fn explosion() {
    for (label, end) in [("4096 matches", ""), ("no match", "/more")] {
        let mut index = SubscriptionIndex::new(IndexLimits::default(), 1);
        let (filters, name) = shapes::explosion(end);
        for (subscriber, filter) in (0..).zip(&filters) {
            index
                .insert(TopicFilter::new(filter).expect("valid"), SubscriberId(subscriber), ())
                .expect("room");
        }
        let (mut scratch, mut matches) = (Scratch::default(), 0u32);
        let nanoseconds = time(1, || {
            let visited = index.visit(TopicName::assume_valid(&name), &mut scratch, |_, ()| matches += 1);
            assert!(visited.is_ok());
        });
        println!("all 2^12 combinations, {label}: {:.1} us", nanoseconds / 1000.0);
    }
}

fn retained(count: usize) {
    let names: Vec<_> = exact(count);
    let mut index = RetainedIndex::new(RetainedLimits { topics: u32::MAX }, 1);
    let mut inserting = f64::INFINITY;
    let held = allocation_counter::measure(|| {
        let start = Instant::now();
        for name in &names {
            index.insert(TopicName::assume_valid(name), ()).expect("room");
        }
        inserting = start.elapsed().as_nanos() as f64 / count as f64;
    });
    println!(
        "retained: {count} topics, {:.1} bytes a topic, insert {inserting:.0} ns",
        held.bytes_current as f64 / count as f64
    );
    let filters = [
        "site/+/device/d000123/temp",
        "site/s0010/device/#",
        "site/+/device/+/temp",
        "+/+/+/d000123/#",
        "site/s0010/+/+/hum",
        "#",
        "site/s0010/device/d000510/#",
        "+/+/+/+/nosuch",
        "site/+/nosuch/#",
    ];
    for filter in filters {
        let mut found = 0;
        let nanoseconds = time(1, || {
            found = 0;
            let mut cursor = index.cursor(TopicFilter::new(filter).expect("valid"));
            while let Step::Found { name, .. } = index.next(&mut cursor, &mut 1000) {
                black_box(name);
                found += 1;
            }
        });
        println!("  {filter:30} {found:8} found {:10.1} us", nanoseconds / 1000.0);
    }
    let start = Instant::now();
    for name in &names {
        index.remove(TopicName::assume_valid(name));
    }
    println!("  remove {:.0} ns", start.elapsed().as_nanos() as f64 / count as f64);
}
