//! The subscription index against a search through all filters, and its limits and orders.
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "tests have std")]
#![cfg(feature = "alloc")]

mod model;

use proptest::prelude::*;
use topic_match::{
    Full, Incomplete, IndexLimits, Scratch, SubscriberId, SubscriptionIndex, TopicFilter, TopicName,
};

type Index = SubscriptionIndex<u64>;

fn filter(text: &str) -> TopicFilter<'_> {
    TopicFilter::new(text).expect("valid filter")
}

fn found(index: &Index, name: &str) -> Vec<(u32, u64)> {
    let mut found = Vec::new();
    let mut visit = |subscriber: SubscriberId, value| found.push((subscriber.0, value));
    let mut scratch = Scratch::default();
    let mut outcome = index.visit(TopicName::new(name).expect("valid name"), &mut scratch, &mut visit);
    while let Err(incomplete) = outcome {
        outcome = incomplete.resume(&mut visit);
    }
    found
}

fn sorted(mut found: Vec<(u32, u64)>) -> Vec<(u32, u64)> {
    found.sort_unstable();
    found
}

#[derive(Clone, Debug)]
enum Change {
    Insert(String, u32, u64),
    Remove(String, u32),
    RemoveKnown(prop::sample::Index),
    RemoveSubscriber(u32),
    Look(String),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        8 => (model::filter(), 0..6u32, any::<u64>()).prop_map(|(f, s, v)| Change::Insert(f, s, v)),
        2 => (model::filter(), 0..6u32).prop_map(|(f, s)| Change::Remove(f, s)),
        4 => any::<prop::sample::Index>().prop_map(Change::RemoveKnown),
        1 => (0..6u32).prop_map(Change::RemoveSubscriber),
        4 => model::name().prop_map(Change::Look),
    ]
}

fn apply(index: &mut Index, model: &mut model::Subscriptions, change: Change) {
    match change {
        Change::Insert(text, subscriber, value) => {
            let old = index.insert(filter(&text), SubscriberId(subscriber), value).expect("within limits");
            assert_eq!(old, model.all.insert((text, subscriber), value));
        }
        Change::Remove(text, subscriber) => {
            let old = index.remove(filter(&text), SubscriberId(subscriber));
            assert_eq!(old, model.all.remove(&(text, subscriber)));
        }
        Change::RemoveKnown(which) => {
            if model.all.is_empty() {
                return;
            }
            let (text, subscriber) = which.get(&model.all.keys().cloned().collect::<Vec<_>>()).clone();
            apply(index, model, Change::Remove(text, subscriber));
        }
        Change::RemoveSubscriber(subscriber) => {
            let before = model.all.len();
            model.all.retain(|(_, other), _| *other != subscriber);
            assert_eq!(index.remove_subscriber(SubscriberId(subscriber)), before - model.all.len());
        }
        Change::Look(name) => assert_eq!(sorted(found(index, &name)), model.matching(&name)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn agrees_with_a_search(changes in prop::collection::vec(change(), 1..200), seed in any::<u64>(), visited_nodes in 1..20u32) {
        let limits = IndexLimits { visited_nodes, ..IndexLimits::default() };
        let mut index = Index::new(limits, seed);
        let mut model = model::Subscriptions::default();
        for change in changes {
            apply(&mut index, &mut model, change);
            prop_assert_eq!(index.len(), model.all.len());
        }
        let filters: std::collections::BTreeSet<_> = model.all.keys().map(|(filter, _)| filter).collect();
        prop_assert_eq!(index.filters(), filters.len());
        for ((text, subscriber), value) in &model.all {
            prop_assert_eq!(index.get(filter(text), SubscriberId(*subscriber)), Some(*value));
        }
        for subscriber in 0..6 {
            let mut of = Vec::new();
            index.subscriptions_of(SubscriberId(subscriber), |filter, value| of.push((filter.to_owned(), value)));
            prop_assert_eq!(of.len(), index.count_of(SubscriberId(subscriber)));
            of.sort();
            prop_assert_eq!(of, model.of(subscriber));
        }
    }

    #[test]
    fn the_same_history_gives_the_same_order(changes in prop::collection::vec(change(), 1..100), name in model::name()) {
        let run = |_| {
            let (mut index, mut model) = (Index::new(IndexLimits::default(), 7), model::Subscriptions::default());
            for change in &changes {
                apply(&mut index, &mut model, change.clone());
            }
            found(&index, &name)
        };
        prop_assert_eq!(run(0), run(1));
    }
}

#[test]
fn a_subscriber_sees_its_subscriptions_in_the_order_they_were_added() {
    let mut index = Index::new(IndexLimits::default(), 1);
    let filters = ["z", "a/+", "#", "a", "m/#"];
    for (value, text) in (0..).zip(filters) {
        index.insert(filter(text), SubscriberId(3), value).expect("within limits");
        index.insert(filter(text), SubscriberId(4), value).expect("within limits");
    }
    index.remove(filter("#"), SubscriberId(3));
    index.insert(filter("#"), SubscriberId(3), 9).expect("within limits");
    let mut of = Vec::new();
    index.subscriptions_of(SubscriberId(3), |filter, value| of.push((filter.to_owned(), value)));
    let expected = [("z", 0), ("a/+", 1), ("a", 3), ("m/#", 4), ("#", 9)];
    assert_eq!(of, expected.map(|(filter, value)| (filter.to_owned(), value)));
}

#[test]
fn limits_refuse_what_is_new_and_let_replacements_pass() {
    let limits = IndexLimits { filters: 2, subscriptions: 4, per_subscriber: 2, visited_nodes: 1 };
    let mut index = Index::new(limits, 1);
    let mut insert = |text, subscriber| index.insert(filter(text), SubscriberId(subscriber), 0);
    assert_eq!(insert("a", 1), Ok(None));
    assert_eq!(insert("+", 1), Ok(None));
    assert_eq!(insert("a", 1), Ok(Some(0)));
    assert_eq!(insert("b", 1), Err(Full::PerSubscriber));
    assert_eq!(insert("b", 2), Err(Full::Filters));
    assert_eq!(insert("+/#", 2), Err(Full::Filters));
    assert_eq!(insert("a", 2), Ok(None));
    assert_eq!(insert("+", 2), Ok(None));
    assert_eq!(insert("+", 3), Err(Full::Subscriptions));
    assert_eq!(insert("+", 2), Ok(Some(0)));
    assert_eq!((index.len(), index.filters()), (4, 2));
    assert_eq!(index.remove_subscriber(SubscriberId(1)), 2);
    assert_eq!(index.insert(filter("+"), SubscriberId(3), 0), Ok(None));
}

#[test]
fn a_lookup_that_stops_says_so_and_goes_on_where_it_was() {
    let mut index = Index::new(IndexLimits { visited_nodes: 2, ..IndexLimits::default() }, 1);
    let filters = ["a/b/c", "+/b/c", "a/+/c", "a/b/+", "+/+/+", "#", "a/#"];
    for (subscriber, text) in (0..).zip(filters) {
        index.insert(filter(text), SubscriberId(subscriber), 0).expect("within limits");
    }
    let (mut seen, mut scratch, mut calls) = (Vec::new(), Scratch::default(), 1);
    let mut visit = |subscriber: SubscriberId, _| seen.push(subscriber.0);
    let name = TopicName::new("a/b/c").expect("valid");
    let mut outcome: Result<(), Incomplete<'_, u64>> = index.visit(name, &mut scratch, &mut visit);
    while let Err(incomplete) = outcome {
        calls += 1;
        outcome = incomplete.resume(&mut visit);
    }
    seen.sort_unstable();
    assert_eq!(seen, [0, 1, 2, 3, 4, 5, 6]);
    // The root, a and +, then a/b, a/+, +/b, +/+, then one leaf below each.
    assert_eq!(calls, 6);
}

#[test]
fn many_subscribers_come_and_go() {
    let mut index = Index::new(IndexLimits::default(), 42);
    for subscriber in 0..5000 {
        for text in ["fan/out", "fan/+", "fan/#"] {
            index.insert(filter(text), SubscriberId(subscriber), u64::from(subscriber)).expect("room");
        }
    }
    assert_eq!(found(&index, "fan/out").len(), 15_000);
    for subscriber in (0..5000).filter(|subscriber| subscriber % 100 != 0) {
        assert_eq!(index.remove_subscriber(SubscriberId(subscriber)), 3);
    }
    let left: Vec<_> = (0..50).flat_map(|n| [(n * 100, u64::from(n) * 100); 3]).collect();
    assert_eq!(sorted(found(&index, "fan/out")), left);
}

#[test]
fn an_index_that_shrinks_keeps_what_is_left() {
    let mut index = Index::new(IndexLimits { per_subscriber: 100_000, ..IndexLimits::default() }, 5);
    let texts: Vec<_> = (0..30_000u32)
        .map(|n| match n % 3 {
            0 => format!("site/s{}/device/d{n}/temperature", n % 50),
            1 => format!("site/+/device/d{n}/temperature"),
            _ => format!("site/s{n}/#"),
        })
        .collect();
    for (n, text) in (0..).zip(&texts) {
        index.insert(filter(text), SubscriberId(n % 10), u64::from(n)).expect("room");
    }
    for (n, text) in (0..).zip(&texts).filter(|(n, _)| n % 1000 != 0) {
        assert_eq!(index.remove(filter(text), SubscriberId(n % 10)), Some(u64::from(n)));
    }
    assert_eq!((index.len(), index.filters()), (30, 30));
    for (n, text) in (0..).zip(&texts) {
        let expected = (n % 1000 == 0).then_some(u64::from(n));
        assert_eq!(index.get(filter(text), SubscriberId(n % 10)), expected, "{text}");
    }
}

#[test]
fn filters_whose_texts_move_together_stay_their_subscribers() {
    let mut index = Index::new(IndexLimits { per_subscriber: 100_000, ..IndexLimits::default() }, 6);
    let passing: Vec<_> = (0..20_000).map(|n| format!("passing/through/{n}")).collect();
    let staying: Vec<_> = (0..50).map(|n| format!("staying/{n}")).collect();
    for text in &passing {
        index.insert(filter(text), SubscriberId(0), 0).expect("room");
    }
    for text in &staying {
        for subscriber in 1..4 {
            index.insert(filter(text), SubscriberId(subscriber), u64::from(subscriber)).expect("room");
        }
    }
    for text in &passing {
        assert_eq!(index.remove(filter(text), SubscriberId(0)), Some(0));
    }
    for text in &staying {
        assert_eq!(sorted(found(&index, text)), [(1, 1), (2, 2), (3, 3)]);
        assert_eq!(index.remove(filter(text), SubscriberId(2)), Some(2), "{text}");
        assert_eq!(sorted(found(&index, text)), [(1, 1), (3, 3)]);
    }
    assert_eq!(index.remove_subscriber(SubscriberId(1)), 50);
    assert_eq!(index.remove_subscriber(SubscriberId(3)), 50);
    assert_eq!((index.len(), index.filters()), (0, 0));
}
