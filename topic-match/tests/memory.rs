//! What is allocated: nothing where nothing is kept, and bounded bytes where something is.
#![cfg(feature = "alloc")]
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "tests have std")]

use allocation_counter::measure;
use topic_match::{
    IndexLimits, RetainedIndex, RetainedLimits, Scratch, Step, SubscriberId, Subscription, SubscriptionIndex,
    TopicFilter, TopicName,
};

const FILTERS: u32 = 100_000;

/// 80 % without wildcards, 15 % with `+`, 5 % with `#`; all different.
fn filter(n: u32) -> String {
    let (site, device) = (n / 200, n / 4);
    match n % 20 {
        0 => format!("site/s{site:04}/device/d{n:06}/#"),
        1 => format!("site/+/device/d{device:06}/m{n}"),
        2 => format!("site/s{site:04}/device/+/m{n}"),
        3 => format!("site/s{site:04}/device/d{n:06}/+"),
        _ => format!("site/s{site:04}/device/d{device:06}/m{}", n % 4),
    }
}

fn fill<V: Copy>(index: &mut SubscriptionIndex<V>, filters: &[String], value: V) {
    for (n, filter) in (0..).zip(filters) {
        let filter = TopicFilter::new(filter).expect("valid");
        index.insert(filter, SubscriberId(n / 20), value).expect("within limits");
    }
}

#[test]
fn validation_and_matching_do_not_allocate() {
    let long = "+/".repeat(20_000) + "#";
    let name = "a/".repeat(20_000) + "a";
    let info = measure(|| {
        let filter = TopicFilter::from_bytes(long.as_bytes()).expect("valid");
        let name = TopicName::from_bytes(name.as_bytes()).expect("valid");
        assert!(filter.matches(name));
        assert!(Subscription::parse("$share/group/a/+").expect("valid").filter().has_wildcard());
        assert!(TopicFilter::new("a/#/b").is_err());
    });
    assert_eq!(info.count_total, 0);
}

#[test]
fn a_lookup_with_a_warm_scratch_does_not_allocate() {
    let filters: Vec<_> = (0..FILTERS).map(filter).collect();
    let mut index = SubscriptionIndex::new(IndexLimits::default(), 1);
    fill(&mut index, &filters, 0u64);
    let names: Vec<_> = filters.iter().map(|filter| filter.replace(['+', '#'], "x")).collect();
    let mut scratch = Scratch::default();
    let mut lookups = || {
        let mut matches = 0;
        for name in &names {
            let name = TopicName::new(name).expect("valid");
            assert!(index.visit(name, &mut scratch, |_, _| matches += 1).is_ok());
        }
        matches
    };
    let warm = lookups();
    let mut again = 0;
    let info = measure(|| again = lookups());
    assert_eq!(again, warm);
    assert!(warm >= filters.len());
    assert_eq!(info.count_total, 0);
}

#[test]
fn a_lookup_that_is_resumed_does_not_allocate() {
    let mut index = SubscriptionIndex::new(IndexLimits { visited_nodes: 1, ..IndexLimits::default() }, 1);
    fill(&mut index, &["+/+/+", "a/+/+", "a/b/+", "+/b/#", "#"].map(String::from), 0u64);
    let (mut scratch, name) = (Scratch::default(), TopicName::new("a/b/c").expect("valid"));
    let mut lookup = || {
        let (mut matches, mut calls) = (0, 1);
        let mut outcome = index.visit(name, &mut scratch, |_, _| matches += 1);
        while let Err(incomplete) = outcome {
            calls += 1;
            outcome = incomplete.resume(|_, _| matches += 1);
        }
        assert_eq!(matches, 5);
        assert!(calls > 5);
    };
    lookup();
    assert_eq!(measure(lookup).count_total, 0);
}

#[test]
fn reading_the_retained_index_does_not_allocate() {
    let mut index = RetainedIndex::new(RetainedLimits::default(), 1);
    let names: Vec<_> = (0..10_000).map(|n| format!("site/s{}/d{n}", n % 10)).collect();
    for name in &names {
        index.insert(TopicName::new(name).expect("valid"), 7u64).expect("room");
    }
    let mut cursor = index.cursor(TopicFilter::new("site/+/+").expect("valid"));
    let info = measure(|| {
        let mut found = 0;
        while let Step::Found { .. } = index.next(&mut cursor, &mut 10) {
            found += 1;
        }
        assert_eq!(found, names.len());
        for name in &names {
            assert_eq!(index.get(TopicName::new(name).expect("valid")), Some(&7));
        }
    });
    assert_eq!(info.count_total, 0);
}

#[test]
fn a_filter_costs_few_bytes() {
    let filters: Vec<_> = (0..FILTERS).map(filter).collect();
    let bytes = |info: allocation_counter::AllocationInfo| info.bytes_current / i64::from(FILTERS);
    let mut index = SubscriptionIndex::new(IndexLimits::default(), 1);
    let held = bytes(measure(|| fill(&mut index, &filters, ())));
    assert!(held <= 72, "{held} bytes a filter without a value");
    let mut index = SubscriptionIndex::new(IndexLimits::default(), 1);
    let held = bytes(measure(|| fill(&mut index, &filters, [0u8; 8])));
    assert!(held <= 80, "{held} bytes a filter with a value of 8 bytes");
}

#[test]
fn a_subscriber_more_costs_few_bytes() {
    let mut index = SubscriptionIndex::new(IndexLimits::default(), 1);
    let filter = TopicFilter::new("fan/out").expect("valid");
    let info = measure(|| {
        for subscriber in 0..100_000 {
            index.insert(filter, SubscriberId(subscriber), ()).expect("room");
        }
    });
    let held = info.bytes_current / 100_000;
    assert!(held <= 56, "{held} bytes a subscriber, of which the subscriber itself has 24");
}

#[test]
fn a_retained_topic_costs_few_bytes() {
    let mut index = RetainedIndex::new(RetainedLimits::default(), 1);
    let info = measure(|| {
        for n in 0..FILTERS {
            let name = format!("site/s{:04}/device/d{:06}/m{}", n / 400, n / 8, n % 8);
            index.insert(TopicName::new(&name).expect("valid"), ()).expect("room");
        }
    });
    let held = info.bytes_current / i64::from(FILTERS);
    assert!(held <= 64, "{held} bytes a topic without a value");
}

#[test]
fn topics_of_a_level_that_are_far_apart_cost_few_bytes() {
    let mut index = RetainedIndex::new(RetainedLimits::default(), 1);
    let mut insert = |text: &str| index.insert(TopicName::new(text).expect("valid"), ()).expect("room");
    let info = measure(|| {
        for n in 0..2000 {
            insert(&format!("x{}/{}", n / 2, n % 2));
        }
        for n in 0..100_000 {
            insert(&format!("between/{n}"));
        }
        for n in 0..1000 {
            insert(&format!("x{n}/far"));
        }
    });
    let held = info.bytes_current / 103_000;
    assert!(held <= 100, "{held} bytes a topic without a value");
}

#[test]
fn the_subscription_index_gives_its_memory_back() {
    let filters: Vec<_> = (0..FILTERS).map(filter).collect();
    let mut index = SubscriptionIndex::new(IndexLimits::default(), 1);
    let info = measure(|| {
        fill(&mut index, &filters, 0u64);
        for subscriber in 0..FILTERS / 20 {
            assert_eq!(index.remove_subscriber(SubscriberId(subscriber)), 20);
        }
    });
    assert!(index.is_empty());
    assert!(info.bytes_current <= 200_000, "{} bytes held by an empty index", info.bytes_current);
}

#[test]
fn the_retained_index_gives_its_memory_back() {
    let names: Vec<_> = (0..FILTERS).map(|n| format!("site/s{}/d{n}", n % 100)).collect();
    let mut index = RetainedIndex::new(RetainedLimits::default(), 1);
    let info = measure(|| {
        for name in &names {
            index.insert(TopicName::new(name).expect("valid"), ()).expect("room");
        }
        for name in &names {
            assert_eq!(index.remove(TopicName::new(name).expect("valid")), Some(()));
        }
    });
    assert!(info.bytes_current <= 200_000, "{} bytes held by an empty index", info.bytes_current);
}

#[test]
fn coming_and_going_does_not_grow_an_index() {
    let mut subscriptions = SubscriptionIndex::new(IndexLimits::default(), 1);
    let mut retained = RetainedIndex::new(RetainedLimits::default(), 1);
    let mut turn = |n: u32| {
        let texts = [
            format!("a/{n}/b"),
            format!("+/{n}/b"),
            format!("a/{n}/#"),
            format!("a/{n}/{}", "x".repeat(300)),
        ];
        for text in &texts {
            let filter = TopicFilter::new(text).expect("valid");
            subscriptions.insert(filter, SubscriberId(n), n).expect("room");
            if let Ok(name) = TopicName::new(text) {
                retained.insert(name, n).expect("room");
            }
            if let Some(before) = n.checked_sub(100) {
                let old = text.replace(&n.to_string(), &before.to_string());
                subscriptions.remove(TopicFilter::new(&old).expect("valid"), SubscriberId(before));
                TopicName::new(&old).ok().and_then(|old| retained.remove(old));
            }
        }
    };
    (0..2_000).for_each(&mut turn);
    let info = measure(|| (2_000..50_000).for_each(&mut turn));
    assert!(info.bytes_current.abs() <= 200_000, "{} bytes more", info.bytes_current);
}
