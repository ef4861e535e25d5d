//! The indexes of `topic-match` under arbitrary sequences of operations, against models that search through everything.

use std::collections::{BTreeMap, BTreeSet};

use topic_match::{
    Cursor, Full, IndexLimits, RetainedIndex, RetainedLimits, Scratch, Step, SubscriberId, SubscriptionIndex,
    TopicFilter, TopicName,
};

use crate::Source;
use crate::topics::model;

/// A topic over few levels, so that filters and names meet; not always a valid one.
fn text(source: &mut Source<'_>) -> String {
    const LEVELS: [&str; 12] = [
        "a",
        "+",
        "b",
        "#",
        "",
        "$s",
        "c",
        "é",
        "a level of some length",
        "a level of some lengthy",
        "d",
        "e",
    ];
    let count = source.pick(&[1, 2, 2, 1, 2, 3, 2, 40]);
    let levels: Vec<_> = (0..count).map(|_| source.pick(&LEVELS)).collect();
    levels.join("/")
}

/// Filter and subscriber to value and birth.
#[derive(Default)]
struct Subscriptions {
    all: BTreeMap<(String, u32), (u32, u32)>,
    born: u32,
}

impl Subscriptions {
    fn full(&self, filter: &str, subscriber: u32, limits: &IndexLimits) -> Option<Full> {
        let key = (filter.to_owned(), subscriber);
        if self.all.contains_key(&key) {
            None
        } else if self.all.len() >= limits.subscriptions as usize {
            Some(Full::Subscriptions)
        } else if self.of(subscriber).len() >= limits.per_subscriber as usize {
            Some(Full::PerSubscriber)
        } else if !self.filters().contains(filter) && self.filters().len() >= limits.filters as usize {
            Some(Full::Filters)
        } else {
            None
        }
    }

    fn insert(&mut self, filter: &str, subscriber: u32, value: u32) -> Option<u32> {
        self.born += 1;
        let key = (filter.to_owned(), subscriber);
        let before = self.all.get(&key).copied();
        let born = before.map_or(self.born, |(_, born)| born);
        self.all.insert(key, (value, born));
        before.map(|(value, _)| value)
    }

    fn filters(&self) -> BTreeSet<&str> {
        self.all.keys().map(|(filter, _)| &**filter).collect()
    }

    /// In the order in which they were added.
    fn of(&self, wanted: u32) -> Vec<(String, u32)> {
        let mut found: Vec<_> =
            self.all.iter().filter(|((_, subscriber), _)| *subscriber == wanted).collect();
        found.sort_unstable_by_key(|(_, (_, born))| *born);
        found.into_iter().map(|((filter, _), (value, _))| (filter.clone(), *value)).collect()
    }

    fn matching(&self, name: &str) -> Vec<(u32, u32)> {
        let hits = self.all.iter().filter(|((filter, _), _)| model::matches(filter, name));
        let mut found: Vec<_> = hits.map(|((_, subscriber), (value, _))| (*subscriber, *value)).collect();
        found.sort_unstable();
        found
    }
}

/// Insertions, removals and lookups of subscriptions within arbitrary limits. Returns how often a subscription matched.
pub fn subscriptions(data: &[u8]) -> usize {
    let mut source = Source::new(data);
    let limits = IndexLimits {
        filters: source.mostly(&[1000, 3, 0]),
        subscriptions: source.mostly(&[1000, 5, 0]),
        per_subscriber: source.mostly(&[1000, 2, 0]),
        visited_nodes: source.pick(&[65_536, 1, 3, 0]),
    };
    let mut index = SubscriptionIndex::new(limits, u64::from(source.byte()));
    let (mut expected, mut scratch) = (Subscriptions::default(), Scratch::default());
    let mut matched = 0;
    while !source.is_empty() {
        let (what, subscriber) = (source.below(32), source.below(5) as u32);
        let text = text(&mut source);
        let number = SubscriberId(subscriber);
        match (what, TopicFilter::new(&text), TopicName::new(&text)) {
            (0..=15, Ok(filter), _) => {
                let value = u32::from(source.byte());
                let inserted = match expected.full(&text, subscriber, &limits) {
                    Some(full) => Err(full),
                    None => Ok(expected.insert(&text, subscriber, value)),
                };
                assert_eq!(index.insert(filter, number, value), inserted, "{text:?}");
            }
            (16..=19, Ok(filter), _) => {
                let removed = expected.all.remove(&(text.clone(), subscriber)).map(|(value, _)| value);
                assert_eq!(index.get(filter, number), removed);
                assert_eq!(index.remove(filter, number), removed, "{text:?}");
            }
            (20, ..) => {
                let before = expected.all.len();
                expected.all.retain(|(_, other), _| *other != subscriber);
                assert_eq!(index.remove_subscriber(number), before - expected.all.len());
            }
            (_, _, Ok(name)) => {
                let found = lookup(&index, name, &mut scratch);
                assert_eq!(found, expected.matching(&text), "{text:?}");
                matched += found.len();
            }
            _ => {}
        }
        assert_eq!(index.len(), expected.all.len());
        assert_eq!(index.is_empty(), expected.all.is_empty());
        assert_eq!(index.filters(), expected.filters().len());
        let mut subscriptions = Vec::new();
        index.subscriptions_of(number, |filter, value| subscriptions.push((filter.to_owned(), value)));
        assert_eq!(subscriptions.len(), index.count_of(number));
        assert_eq!(subscriptions, expected.of(subscriber));
    }
    matched
}

fn lookup(index: &SubscriptionIndex<u32>, name: TopicName<'_>, scratch: &mut Scratch) -> Vec<(u32, u32)> {
    let mut found = Vec::new();
    let mut outcome = index.visit(name, scratch, |subscriber, value| found.push((subscriber.0, value)));
    while let Err(incomplete) = outcome {
        outcome = incomplete.resume(|subscriber, value| found.push((subscriber.0, value)));
    }
    found.sort_unstable();
    found
}

/// A walk and what it has to find: the topics that were there when it began, as long as they stay.
struct Walk {
    filter: String,
    cursor: Cursor,
    expected: BTreeSet<String>,
}

/// Insertions and removals of retained topics, with several walks at once. Returns how many topics these had to find.
pub fn retained(data: &[u8]) -> usize {
    let mut source = Source::new(data);
    let limits = RetainedLimits { topics: source.mostly(&[1000, 3, 0]) };
    let mut index = RetainedIndex::new(limits, u64::from(source.byte()));
    let mut expected = BTreeMap::new();
    let mut walks: Vec<Walk> = Vec::new();
    let mut matched = 0;
    while !source.is_empty() {
        let what = source.below(8);
        let text = text(&mut source);
        match (what, TopicFilter::new(&text), TopicName::new(&text)) {
            (0..=3, _, Ok(name)) => {
                let value = source.byte();
                let is_full = !expected.contains_key(&text) && expected.len() >= limits.topics as usize;
                let inserted =
                    if is_full { Err(Full::Topics) } else { Ok(expected.insert(text.clone(), value)) };
                assert_eq!(index.insert(name, value), inserted, "{text:?}");
            }
            (4, _, Ok(name)) => {
                let removed = expected.remove(&text);
                assert_eq!(index.get(name), removed.as_ref());
                assert_eq!(index.remove(name), removed, "{text:?}");
                for walk in &mut walks {
                    walk.expected.remove(&text);
                }
            }
            (5 | 6, Ok(filter), _) if walks.len() < 4 => {
                let hits = expected.keys().filter(|name| model::matches(&text, name));
                let expected: BTreeSet<_> = hits.cloned().collect();
                matched += expected.len();
                walks.push(Walk { cursor: index.cursor(filter), filter: text, expected });
            }
            _ if !walks.is_empty() => {
                let walk = source.below(walks.len());
                let budget = source.pick(&[0, 1, 3, 1000]);
                if step(&index, &mut walks[walk], budget, &expected) {
                    walks.swap_remove(walk);
                }
            }
            _ => {}
        }
        assert_eq!((index.len(), index.is_empty()), (expected.len(), expected.is_empty()));
    }
    for mut walk in walks {
        while !step(&index, &mut walk, 2, &expected) {}
    }
    matched
}

/// Goes on with a walk; says whether it is at its end.
fn step(index: &RetainedIndex<u8>, walk: &mut Walk, mut budget: u32, values: &BTreeMap<String, u8>) -> bool {
    let before = budget;
    let step = index.next(&mut walk.cursor, &mut budget);
    assert!(budget <= before);
    match step {
        Step::Found { name, value } => {
            let name = name.as_str();
            assert!(walk.expected.remove(name), "{name:?} a second time, or new, under {:?}", walk.filter);
            assert_eq!(values.get(name), Some(value));
            assert!(budget < before, "a topic that is looked at takes from the budget");
            false
        }
        Step::OutOfBudget => {
            assert_eq!(budget, 0);
            false
        }
        Step::Done => {
            assert!(walk.expected.is_empty(), "{:?} did not find {:?}", walk.filter, walk.expected);
            true
        }
    }
}
