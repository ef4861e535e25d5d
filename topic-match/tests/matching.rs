//! Validation and one-to-one matching against the specification written down slowly.
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "tests have std")]

mod model;

use proptest::prelude::*;
use topic_match::{FilterLimits, LimitExceeded, Subscription, TopicFilter, TopicName};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn matches_as_the_model_does(filter in model::filter(), name in model::name()) {
        let answer = TopicFilter::new(&filter).unwrap().matches(TopicName::new(&name).unwrap());
        prop_assert_eq!(answer, model::matches(&filter, &name));
    }

    #[test]
    fn a_name_with_levels_replaced_is_matched(topic in model::name(), which in any::<u8>(), multi in any::<bool>()) {
        let replace = |(depth, level): (usize, _)| if which & (1 << depth) != 0 { "+" } else { level };
        let mut filter: Vec<_> = topic.split('/').enumerate().map(replace).collect();
        if multi {
            filter.push("#");
        }
        let filter = filter.join("/");
        let name = TopicName::new(&topic).unwrap();
        if let Ok(filter) = TopicFilter::new(&filter) {
            let hidden = name.is_dollar() && which & 1 != 0;
            prop_assert_eq!(filter.matches(name), !hidden);
        }
    }

    #[test]
    fn validates_as_the_model_does(text in "[ab/+#$\0é]{0,20}") {
        prop_assert_eq!(TopicFilter::new(&text).is_ok(), model::is_filter(&text));
        prop_assert_eq!(TopicName::new(&text).is_ok(), model::is_name(&text));
        let bytes = text.as_bytes();
        prop_assert_eq!(TopicFilter::from_bytes(bytes), TopicFilter::new(&text));
        prop_assert_eq!(TopicName::from_bytes(bytes), TopicName::new(&text));
        if let Ok(filter) = TopicFilter::new(&text) {
            prop_assert_eq!(filter.has_wildcard(), !model::is_name(&text));
            prop_assert_eq!(filter.levels().collect::<Vec<_>>().join("/"), text);
        }
    }

    #[test]
    fn a_single_bad_byte_is_found_wherever_it_is(length in 1usize..70, at in any::<prop::sample::Index>(), bad in "[\0+#]") {
        let at = at.index(length);
        let text = "x".repeat(at) + &bad + &"x".repeat(length - at - 1);
        prop_assert!(TopicName::new(&text).is_err());
        prop_assert_eq!(TopicFilter::new(&text).is_ok(), model::is_filter(&text));
    }

    #[test]
    fn any_bytes_are_accepted_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let valid = std::str::from_utf8(&bytes);
        prop_assert_eq!(TopicName::from_bytes(&bytes).is_ok(), valid.is_ok_and(model::is_name));
        prop_assert_eq!(TopicFilter::from_bytes(&bytes).is_ok(), valid.is_ok_and(model::is_filter));
    }

    #[test]
    fn shares_are_taken_apart(share_name in "[a-z$é]{1,6}", filter in model::filter()) {
        let text = format!("$share/{share_name}/{filter}");
        let parsed = Subscription::parse(&text).unwrap();
        prop_assert_eq!(parsed.share_name(), Some(&*share_name));
        prop_assert_eq!(parsed.filter().as_str(), filter);
    }
}

#[test]
fn limits_are_told_apart_and_inclusive() {
    let limits = FilterLimits { levels: 3, single_level_wildcards: 1, bytes: 9 };
    let check = |filter| TopicFilter::new(filter).expect("valid").check(&limits);
    assert_eq!(check("a/+/c"), Ok(()));
    assert_eq!(check("a/b/c/d"), Err(LimitExceeded::Levels));
    assert_eq!(check("+/+"), Err(LimitExceeded::SingleLevelWildcards));
    assert_eq!(check("123456789"), Ok(()));
    assert_eq!(check("1234567890"), Err(LimitExceeded::Bytes));
    assert_eq!(TopicName::new("a/b/c/d").expect("valid").check(&limits), Err(LimitExceeded::Levels));
    let defaults = FilterLimits::default();
    assert_eq!((defaults.levels, defaults.single_level_wildcards, defaults.bytes), (128, 8, 65_535));
}

#[test]
fn without_a_check_answers_are_wrong_but_nothing_panics() {
    // What `assume_valid` lets through in release builds.
    if cfg!(debug_assertions) {
        return;
    }
    for filter in ["", "#a", "a+", "##", "+#"] {
        for name in ["", "#", "+/a", "a\0"] {
            let _ = TopicFilter::assume_valid(filter).matches(TopicName::assume_valid(name));
        }
    }
}
