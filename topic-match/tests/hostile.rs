//! Inputs made to be expensive, each with the bound that the README documents.
#![cfg(feature = "alloc")]
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "tests have std")]

use topic_match::{
    FilterLimits, Full, IndexLimits, LimitExceeded, RetainedIndex, RetainedLimits, Scratch, Step,
    SubscriberId, Subscription, SubscriptionIndex, TopicFilter, TopicName,
};

fn filter(text: &str) -> TopicFilter<'_> {
    TopicFilter::new(text).expect("valid filter")
}

fn name(text: &str) -> TopicName<'_> {
    TopicName::new(text).expect("valid name")
}

/// How many subscriptions match, and how many calls that takes.
fn count(index: &SubscriptionIndex<u64>, topic: &str) -> (usize, usize) {
    let (mut matches, mut calls) = (0, 1);
    let mut scratch = Scratch::default();
    let mut outcome = index.visit(name(topic), &mut scratch, |_, _| matches += 1);
    while let Err(incomplete) = outcome {
        outcome = incomplete.resume(|_, _| matches += 1);
        calls += 1;
    }
    (matches, calls)
}

/// The nodes that twelve levels of combinations have, on each level all combinations so far; but the filter
/// without `+` is not in the tree.
const NODES: usize = (1 << 13) - 2;

/// All combinations of a literal and `+` over the levels, then `end`.
fn combinations(levels: u32, end: &str) -> SubscriptionIndex<u64> {
    let mut index = SubscriptionIndex::new(IndexLimits { visited_nodes: 100, ..IndexLimits::default() }, 7);
    for bits in 0..1u32 << levels {
        let level = |depth: u32| if bits & (1 << depth) == 0 { "x" } else { "+" };
        let text = (0..levels).map(level).collect::<Vec<_>>().join("/") + end;
        index.insert(filter(&text), SubscriberId(bits % 8), 0).expect("within limits");
    }
    index
}

#[test]
fn all_combinations_of_twelve_levels_are_visited_in_bounded_calls() {
    let topic = ["x"; 12].join("/");
    assert_eq!(count(&combinations(12, ""), &topic), (4096, NODES.div_ceil(100)));
}

#[test]
fn combinations_that_match_nothing_are_bounded_alike() {
    let topic = ["x"; 12].join("/");
    let index = combinations(12, "/more");
    assert_eq!(count(&index, &topic), (0, NODES.div_ceil(100)));
    assert_eq!(count(&index, &(topic + "/more")).0, 4096);
}

#[test]
fn as_many_levels_as_the_standard_allows() {
    let slashes = "/".repeat(65_535);
    let pluses = "+/".repeat(32_767) + "+";
    let short = "a/".repeat(32_767) + "a";
    assert!(filter("#").matches(name(&slashes)));
    assert!(filter(&slashes).matches(name(&slashes)));
    assert!(filter(&pluses).matches(name(&short)));
    assert!(!filter(&pluses).matches(name(&slashes)));
    assert!(Subscription::parse(&slashes).is_ok());
    let limits = FilterLimits::default();
    assert_eq!(name(&slashes).check(&limits), Err(LimitExceeded::Levels));
    assert_eq!(filter(&pluses).check(&limits), Err(LimitExceeded::Levels));
    assert_eq!(TopicName::new(&slashes).expect("valid").levels().count(), 65_536);
}

#[test]
fn the_subscription_index_takes_and_gives_back_deep_filters() {
    let slashes = "/".repeat(65_535);
    let pluses = "+/".repeat(32_767) + "+";
    let mixed = "/".repeat(65_533) + "/#";
    let mut index = SubscriptionIndex::new(IndexLimits::default(), 7);
    let filters = [slashes.as_str(), pluses.as_str(), mixed.as_str(), "#", "+/#"];
    for (subscriber, text) in (0..).zip(filters) {
        assert_eq!(index.insert(filter(text), SubscriberId(subscriber), 1), Ok(None));
    }
    assert_eq!(count(&index, &slashes).0, 4);
    assert_eq!(count(&index, &("a/".repeat(32_767) + "a")).0, 3);
    let mut written = Vec::new();
    index.subscriptions_of(SubscriberId(2), |filter, _| written.push(filter.to_owned()));
    assert_eq!(written, [mixed.as_str()]);
    for (subscriber, text) in (0..).zip(filters) {
        assert_eq!(index.remove(filter(text), SubscriberId(subscriber)), Some(1));
    }
    assert!(index.is_empty());
    assert_eq!(count(&index, &slashes).0, 0);
}

#[test]
fn a_name_deeper_than_every_filter_ends_early() {
    let mut index = SubscriptionIndex::new(IndexLimits { visited_nodes: 4, ..IndexLimits::default() }, 7);
    for text in ["+", "+/+", "a/+"] {
        index.insert(filter(text), SubscriberId(1), 0).expect("within limits");
    }
    // The root, `+` and `a`, two below them: the other levels of the name are never looked at.
    assert_eq!(count(&index, &"/".repeat(65_535)), (0, 1));
}

#[test]
fn the_retained_index_takes_and_gives_back_deep_names() {
    let mut index = RetainedIndex::new(RetainedLimits::default(), 7);
    let names = ["/".repeat(65_535), "/".repeat(65_534), "a/".repeat(32_767), "a/".repeat(32_766) + "b"];
    for text in &names {
        assert_eq!(index.insert(name(text), 1), Ok(None));
    }
    let found = |index: &RetainedIndex<i32>, text: &str| {
        let (mut cursor, mut found) = (index.cursor(filter(text)), Vec::new());
        while let Step::Found { name, .. } = index.next(&mut cursor, &mut 10) {
            found.push(name.as_str().len());
        }
        found
    };
    assert_eq!(found(&index, "#"), [65_535, 65_534, 65_534, 65_533]);
    assert_eq!(found(&index, &("a/".repeat(32_766) + "+")), [65_533]);
    assert_eq!(found(&index, &("+/".repeat(32_766) + "b")), [65_533]);
    for text in &names {
        assert_eq!(index.remove(name(text)), Some(1));
    }
    assert_eq!(found(&index, "#"), []);
}

#[test]
fn one_client_fills_its_quota_and_no_more() {
    let limits = IndexLimits { per_subscriber: 100, ..IndexLimits::default() };
    let mut index = SubscriptionIndex::new(limits, 7);
    let texts: Vec<_> = (0..200).map(|n| format!("+/x{n}/#")).collect();
    let accepted = texts.iter().filter(|text| index.insert(filter(text), SubscriberId(1), 0).is_ok()).count();
    assert_eq!(accepted, 100);
    assert_eq!(index.insert(filter("a"), SubscriberId(1), 0), Err(Full::PerSubscriber));
    assert_eq!(index.insert(filter("a"), SubscriberId(2), 0), Ok(None));
    assert_eq!(index.filters(), 101);
}
