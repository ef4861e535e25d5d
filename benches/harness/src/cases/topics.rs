//! topic-match: validation, one filter against one topic, and both indexes.

use std::hint::black_box;

use topic_match::{
    IndexLimits, RetainedIndex, RetainedLimits, Scratch, Step, SubscriberId, SubscriptionIndex, TopicFilter,
    TopicName,
};

use crate::corpus::mqtt::TOPIC;
use crate::corpus::topics::{FILTERS, Fleet, NAME, QUERIES, exact, explosion};
use crate::{Case, case, repeat, stream_case};

const INDEX: &str = "subscription_index";
const RETAINED: &str = "retained_index";
const SEED: u64 = 1;
/// Topics that are looked up in turn.
const TOPICS: usize = 1000;

pub(super) fn matching() -> Vec<Case> {
    let one = |(name, filter): (&str, &'static str)| {
        let filter = TopicFilter::new(filter).expect("valid");
        let topic = TopicName::new(NAME).expect("valid");
        case("match_topic", name, "ours", move |times| {
            repeat(times, || black_box(filter).matches(black_box(topic)));
        })
    };
    let mut cases: Vec<_> = FILTERS.into_iter().map(one).collect();
    cases.push(case("match_topic", "validate 30 bytes", "ours", |times| {
        repeat(times, || TopicName::new(black_box(TOPIC)).expect("valid"));
    }));
    cases
}

pub(super) fn subscriptions() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, count) in [("fleet 1k", 1000), ("fleet 100k", 100_000)] {
        let mut fleet = Fleet::new(count);
        let (filters, topics) = (fleet.filters(count), fleet.topics(TOPICS));
        cases.push(lookup(name, index_of(&filters), topics));
        if count == 100_000 {
            cases.push(insert_and_remove(index_of(&filters), fleet.filters(TOPICS)));
        }
    }
    cases.push(lookup("exact 100k", index_of(&exact(100_000)), exact(TOPICS)));
    for (name, end) in [("explosion, 4096 matches", ""), ("explosion, no match", "/more")] {
        let (filters, topic) = explosion(end);
        cases.push(lookup(name, index_of(&filters), vec![topic]));
    }
    cases
}

fn index_of(filters: &[String]) -> SubscriptionIndex<()> {
    let mut index = SubscriptionIndex::new(IndexLimits::default(), SEED);
    for (number, filter) in (0..).zip(filters) {
        index.insert(TopicFilter::new(filter).expect("valid"), SubscriberId(number / 20), ()).expect("room");
    }
    index
}

fn lookup(name: &str, index: SubscriptionIndex<()>, topics: Vec<String>) -> Case {
    let mut scratch = Scratch::default();
    stream_case(INDEX, name, "ours", topics.len(), move |times| {
        repeat(times, || {
            let mut found = 0u64;
            for topic in black_box(&topics) {
                let name = TopicName::assume_valid(topic);
                let count = |subscriber: SubscriberId, ()| found += u64::from(subscriber.0);
                assert!(index.visit(name, &mut scratch, count).is_ok());
            }
            found
        });
    })
}

fn insert_and_remove(mut index: SubscriptionIndex<()>, filters: Vec<String>) -> Case {
    const NEWCOMER: SubscriberId = SubscriberId(1_000_000);
    stream_case(INDEX, "insert and remove at 100k", "ours", filters.len(), move |times| {
        repeat(times, || {
            for filter in black_box(&filters) {
                index.insert(TopicFilter::assume_valid(filter), NEWCOMER, ()).expect("room");
            }
            for filter in black_box(&filters) {
                index.remove(TopicFilter::assume_valid(filter), NEWCOMER);
            }
        });
    })
}

pub(super) fn retained() -> Vec<Case> {
    let mut index = RetainedIndex::new(RetainedLimits::default(), SEED);
    for name in exact(100_000) {
        index.insert(TopicName::new(&name).expect("valid"), ()).expect("room");
    }
    let index: &'static RetainedIndex<()> = Box::leak(Box::new(index));
    let one = |query: &'static str| {
        let filter = TopicFilter::new(query).expect("valid");
        case(RETAINED, format!("100k, {query}"), "ours", move |times| {
            repeat(times, || {
                let mut cursor = index.cursor(black_box(filter));
                let mut found = 0;
                while let Step::Found { name, .. } = index.next(&mut cursor, &mut 1000) {
                    black_box(name.as_str());
                    found += 1;
                }
                found
            });
        })
        .times(10)
    };
    QUERIES.into_iter().map(one).collect()
}
