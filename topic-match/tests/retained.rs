//! The retained index against a search through all names, with changes between the steps of a walk.
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "tests have std")]
#![cfg(feature = "alloc")]

mod model;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use topic_match::{Cursor, Full, RetainedIndex, RetainedLimits, Step, TopicFilter, TopicName};

type Index = RetainedIndex<u64>;

fn name(text: &str) -> TopicName<'_> {
    TopicName::new(text).expect("valid name")
}

fn cursor(index: &Index, filter: &str) -> Cursor {
    index.cursor(TopicFilter::new(filter).expect("valid filter"))
}

/// All that a walk still finds, in steps of the budget.
fn rest(index: &Index, cursor: &mut Cursor, budget: u32) -> Vec<(String, u64)> {
    let (mut found, mut left) = (Vec::new(), budget);
    loop {
        match index.next(cursor, &mut left) {
            Step::Found { name, value } => found.push((name.as_str().to_owned(), *value)),
            Step::OutOfBudget => left = budget,
            Step::Done => return found,
        }
    }
}

#[derive(Clone, Debug)]
enum Change {
    Insert(String, u64),
    Remove(prop::sample::Index),
    Steps(u32),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (model::name(), any::<u64>()).prop_map(|(name, value)| Change::Insert(name, value)),
        3 => any::<prop::sample::Index>().prop_map(Change::Remove),
        4 => (0..4u32).prop_map(Change::Steps),
    ]
}

/// A walk and what it must and may find.
struct Walk {
    cursor: Cursor,
    there_all_along: BTreeSet<String>,
    there_at_first: BTreeSet<String>,
    found: Vec<String>,
}

impl Walk {
    fn new(index: &Index, model: &BTreeMap<String, u64>, filter: &str) -> Self {
        let hits = model.keys().filter(|name| model::matches(filter, name));
        let there: BTreeSet<_> = hits.cloned().collect();
        let cursor = cursor(index, filter);
        Self { cursor, there_all_along: there.clone(), there_at_first: there, found: Vec::new() }
    }

    fn step(&mut self, index: &Index, model: &BTreeMap<String, u64>, mut budget: u32) -> bool {
        loop {
            match index.next(&mut self.cursor, &mut budget) {
                Step::Found { name, value } => {
                    assert_eq!(model.get(name.as_str()), Some(value), "found what is there");
                    self.found.push(name.as_str().to_owned());
                }
                Step::OutOfBudget => return true,
                Step::Done => return false,
            }
        }
    }

    fn check(self) {
        let found: BTreeSet<_> = self.found.iter().cloned().collect();
        assert_eq!(found.len(), self.found.len(), "found at most once: {:?}", self.found);
        assert!(found.is_superset(&self.there_all_along), "{:?} misses of {:?}", found, self.there_all_along);
        assert!(found.is_subset(&self.there_at_first), "{found:?} came later");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_walk_keeps_its_law_through_changes(
        start in prop::collection::btree_map(model::name(), any::<u64>(), 0..80),
        filter in model::filter(),
        changes in prop::collection::vec(change(), 0..100),
        seed in any::<u64>(),
    ) {
        let mut index = Index::new(RetainedLimits::default(), seed);
        let mut model = start.clone();
        for (text, value) in &start {
            prop_assert_eq!(index.insert(name(text), *value), Ok(None));
        }
        let mut walk = Walk::new(&index, &model, &filter);
        for change in changes {
            match change {
                Change::Insert(text, value) => {
                    prop_assert_eq!(index.insert(name(&text), value), Ok(model.insert(text, value)));
                }
                Change::Remove(which) => {
                    let Some(text) = (!model.is_empty()).then(|| which.get(&model.keys().cloned().collect::<Vec<_>>()).clone()) else { continue };
                    prop_assert_eq!(index.remove(name(&text)), model.remove(&text));
                    prop_assert_eq!(index.remove(name(&text)), None);
                    walk.there_all_along.remove(&text);
                }
                Change::Steps(budget) => {
                    walk.step(&index, &model, budget);
                }
            }
            prop_assert_eq!(index.len(), model.len());
        }
        while walk.step(&index, &model, 3) {}
        walk.check();
        for (text, value) in &model {
            prop_assert_eq!(index.get(name(text)), Some(value));
        }
    }

    #[test]
    fn a_walk_finds_what_a_search_finds(
        topics in prop::collection::btree_map(model::name(), any::<u64>(), 0..120),
        filters in prop::collection::vec(model::filter(), 1..10),
        budget in 1..50u32,
    ) {
        let mut index = Index::new(RetainedLimits::default(), 3);
        for (text, value) in &topics {
            index.insert(name(text), *value).unwrap();
        }
        for filter in filters {
            let mut found = rest(&index, &mut cursor(&index, &filter), budget);
            found.sort();
            let expected: Vec<_> = topics.iter().filter(|(name, _)| model::matches(&filter, name)).map(|(name, value)| (name.clone(), *value)).collect();
            prop_assert_eq!(found, expected);
        }
    }
}

#[test]
fn a_budget_bounds_the_topics_looked_at() {
    let mut index = Index::new(RetainedLimits::default(), 1);
    for n in 0..1000 {
        index.insert(name(&format!("a/{n}/x/{n}")), n).expect("room");
    }
    let mut walk = cursor(&index, "+/+/+");
    for _ in 0..9 {
        let mut budget = 100;
        assert_eq!(index.next(&mut walk, &mut budget), Step::OutOfBudget);
        assert_eq!(budget, 0);
    }
    assert_eq!(index.next(&mut walk, &mut 100), Step::Done);
}

#[test]
fn a_selective_level_makes_a_walk_short() {
    let mut index = Index::new(RetainedLimits::default(), 1);
    for n in 0..1000 {
        index.insert(name(&format!("site/s{}/device/d{n}", n % 10)), n).expect("room");
    }
    let cost = |filter| {
        let (mut walk, mut budget, mut found) = (cursor(&index, filter), 10_000, 0);
        while matches!(index.next(&mut walk, &mut budget), Step::Found { .. }) {
            found += 1;
        }
        (found, 10_000 - budget)
    };
    assert_eq!(cost("site/+/device/d77"), (1, 1));
    assert_eq!(cost("site/s3/#"), (100, 100));
    assert_eq!(cost("site/s3/device/d3"), (1, 1));
    assert_eq!(cost("site/+/nothing/#"), (0, 0));
    assert_eq!(cost("#"), (1000, 1000));
}

#[test]
fn replacing_a_value_is_seen_and_keeps_the_topic() {
    let mut index = Index::new(RetainedLimits { topics: 2 }, 1);
    assert_eq!(index.insert(name("a"), 1), Ok(None));
    let mut walk = cursor(&index, "#");
    assert_eq!(index.insert(name("a"), 2), Ok(Some(1)));
    assert_eq!(index.insert(name("b"), 3), Ok(None));
    assert_eq!(index.insert(name("c"), 3), Err(Full::Topics));
    assert_eq!(index.insert(name("b"), 4), Ok(Some(3)));
    *index.get_mut(name("a")).expect("there") += 10;
    assert_eq!(rest(&index, &mut walk, 1), [("a".to_owned(), 12)]);
}

#[test]
fn a_topic_that_comes_again_is_not_found_again() {
    let mut index = Index::new(RetainedLimits::default(), 1);
    for (n, text) in (0..).zip(["a", "b", "c"]) {
        index.insert(name(text), n).expect("room");
    }
    let mut walk = cursor(&index, "+");
    assert!(matches!(index.next(&mut walk, &mut 9), Step::Found { value: 0, .. }));
    index.remove(name("a"));
    index.insert(name("other"), 9).expect("room");
    index.insert(name("a"), 9).expect("room");
    assert_eq!(rest(&index, &mut walk, 9), [("b".to_owned(), 1), ("c".to_owned(), 2)]);
}

#[test]
fn a_cursor_of_another_index_is_harmless() {
    let mut index = Index::new(RetainedLimits::default(), 1);
    for n in 0..100 {
        index.insert(name(&format!("a/{n}")), n).expect("room");
    }
    let mut walk = cursor(&index, "a/99");
    let mut deep = cursor(&index, "+/98");
    let empty = Index::new(RetainedLimits::default(), 2);
    assert_eq!(rest(&empty, &mut walk, 1), []);
    assert_eq!(rest(&empty, &mut deep, 1), []);
}

#[test]
fn topics_that_fill_gaps_before_others_are_found() {
    let mut index = Index::new(RetainedLimits::default(), 1);
    for n in 0..1000 {
        let text = if n < 500 { format!("first/{n}") } else { format!("second/{n}") };
        index.insert(name(&text), n).expect("room");
    }
    for n in (0..500).step_by(7) {
        assert_eq!(index.remove(name(&format!("first/{n}"))), Some(n));
        assert_eq!(index.insert(name(&format!("second/{n}")), n), Ok(None));
    }
    let found = rest(&index, &mut cursor(&index, "second/+"), 100);
    let values: BTreeSet<_> = found.iter().map(|(_, value)| *value).collect();
    assert_eq!(found.len(), values.len());
    assert!(values.into_iter().eq((0..500).step_by(7).chain(500..1000)));
}

#[test]
fn an_index_that_shrinks_keeps_what_is_left() {
    let mut index = Index::new(RetainedLimits::default(), 1);
    let text = |n: u64| format!("site/s{}/device/d{n}/temperature", n % 7);
    for n in 0..20_000 {
        index.insert(name(&format!("passing/p{n}")), n).expect("room");
        index.insert(name(&text(n)), n).expect("room");
    }
    let mut walk = cursor(&index, "+/+/+/+/temperature");
    for n in 0..20_000 {
        index.remove(name(&format!("passing/p{n}")));
    }
    for n in (0..20_000).filter(|n| n % 500 != 0) {
        assert_eq!(index.remove(name(&text(n))), Some(n));
    }
    let left: Vec<_> = (0..40).map(|n| (text(n * 500), n * 500)).collect();
    assert_eq!(rest(&index, &mut walk, 7), left);
    let mut some = rest(&index, &mut cursor(&index, "+/s0/#"), 7);
    some.sort_unstable();
    let mut expected: Vec<_> = left.into_iter().filter(|(_, n)| n % 7 == 0).collect();
    expected.sort_unstable();
    assert_eq!(some, expected);
}
