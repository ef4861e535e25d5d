//! The specification, word for word and slowly: what the crate is compared with.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::collections::BTreeMap;

use proptest::prelude::*;

/// MQTT 5.0 §4.7.1 and §4.7.2 on split levels.
pub(crate) fn matches(filter: &str, name: &str) -> bool {
    let filter: Vec<_> = filter.split('/').collect();
    let name: Vec<_> = name.split('/').collect();
    if name[0].starts_with('$') && matches!(filter[0], "+" | "#") {
        return false;
    }
    matches_levels(&filter, &name)
}

fn matches_levels(filter: &[&str], name: &[&str]) -> bool {
    match (filter, name) {
        (["#"], _) | ([], []) => true,
        ([first, filter @ ..], [level, name @ ..]) => {
            (*first == "+" || first == level) && matches_levels(filter, name)
        }
        _ => false,
    }
}

/// MQTT 5.0 §4.7.1 and §4.7.3.
pub(crate) fn is_filter(text: &str) -> bool {
    let levels: Vec<_> = text.split('/').collect();
    is_topic(text)
        && levels.iter().enumerate().all(|(index, level)| match *level {
            "+" => true,
            "#" => index + 1 == levels.len(),
            level => !level.contains(['+', '#']),
        })
}

/// MQTT 5.0 §4.7.3 and \[MQTT-3.3.2-2\].
pub(crate) fn is_name(text: &str) -> bool {
    is_topic(text) && !text.contains(['+', '#'])
}

fn is_topic(text: &str) -> bool {
    !text.is_empty() && text.len() <= 65_535 && !text.contains('\0')
}

/// Names over few levels, so that they meet filters; some long enough for eight bytes at a time.
pub(crate) fn name() -> impl Strategy<Value = String> {
    join(prop_oneof![4 => Just("a"), 4 => Just("b"), 1 => Just(""), 1 => Just("$s"), 1 => Just("a level of some length"),
        1 => Just("a level of some lengthy"), 1 => Just("é")])
    .prop_filter("not empty", |name| !name.is_empty())
}

/// Filters that often match the names of `name`.
pub(crate) fn filter() -> impl Strategy<Value = String> {
    let level = prop_oneof![4 => Just("a"), 3 => Just("b"), 5 => Just("+"), 1 => Just(""), 1 => Just("$s"),
        1 => Just("a level of some length"), 1 => Just("a level of some lengthy"), 1 => Just("é")];
    (join(level), any::<bool>(), 0..8)
        .prop_map(|(filter, multi, only)| match (multi, only) {
            (true, 0) => "#".to_owned(),
            (true, _) => filter + "/#",
            (false, _) => filter,
        })
        .prop_filter("not empty", |filter| !filter.is_empty())
}

fn join(level: impl Strategy<Value = &'static str>) -> impl Strategy<Value = String> {
    prop::collection::vec(level, 1..6).prop_map(|levels| levels.join("/"))
}

/// Filter and subscriber to value, by search.
#[derive(Default)]
pub(crate) struct Subscriptions {
    pub(crate) all: BTreeMap<(String, u32), u64>,
}

impl Subscriptions {
    pub(crate) fn matching(&self, name: &str) -> Vec<(u32, u64)> {
        let hits = self.all.iter().filter(|((filter, _), _)| matches(filter, name));
        let mut found: Vec<_> = hits.map(|((_, subscriber), value)| (*subscriber, *value)).collect();
        found.sort_unstable();
        found
    }

    pub(crate) fn of(&self, wanted: u32) -> Vec<(String, u64)> {
        let hits = self.all.iter().filter(|((_, subscriber), _)| *subscriber == wanted);
        hits.map(|((filter, _), value)| (filter.clone(), *value)).collect()
    }
}
