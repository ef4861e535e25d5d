//! One filter against one topic, and the tree of `HashMap`s that one would write first.

#[path = "../../../../topic-match/examples/fleet/tree.rs"]
mod tree;

use std::hint::black_box;

use harness::corpus::topics::{FILTERS, Fleet, NAME, exact, explosion};
use harness::{Case, case, repeat, stream_case};

use self::tree::Tree;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, filter) in FILTERS {
        cases.push(case("match_topic", name, "rumqttc 0.25.1", move |times| {
            repeat(times, || rumqttc::mqttbytes::matches(black_box(NAME), black_box(filter)));
        }));
        cases.push(case("match_topic", name, "mqtt5-protocol 0.16.2", move |times| {
            repeat(times, || mqtt5_protocol::topic_matching::matches(black_box(NAME), black_box(filter)));
        }));
        let filter = mqtt::TopicFilter::new(filter).expect("valid");
        let topic = mqtt::TopicNameRef::new(NAME).expect("valid");
        cases.push(case("match_topic", name, "mqtt-protocol 0.12.0", move |times| {
            repeat(times, || black_box(&filter).get_matcher().is_match(black_box(topic)));
        }));
    }
    for (name, count) in [("fleet 1k", 1000), ("fleet 100k", 100_000)] {
        let mut fleet = Fleet::new(count);
        let (filters, topics) = (fleet.filters(count), fleet.topics(1000));
        cases.push(lookup(name, &filters, topics));
    }
    cases.push(lookup("exact 100k", &exact(100_000), exact(1000)));
    for (name, end) in [("explosion, 4096 matches", ""), ("explosion, no match", "/more")] {
        let (filters, topic) = explosion(end);
        cases.push(lookup(name, &filters, vec![topic]));
    }
    cases
}

fn lookup(name: &str, filters: &[String], topics: Vec<String>) -> Case {
    let mut tree = Tree::default();
    for (number, filter) in (0..).zip(filters) {
        tree.insert(filter, number);
    }
    stream_case("subscription_index", name, "tree of HashMaps", topics.len(), move |times| {
        repeat(times, || {
            let mut found = 0;
            for topic in black_box(&topics) {
                tree.visit(topic, &mut |number| found += u64::from(number));
            }
            found
        });
    })
}
