//! How two topic filters lie to each other.

use topic_match::TopicFilter;

/// Whether every topic that `inner` matches is matched by `outer` too.
pub(super) fn covers(outer: TopicFilter<'_>, inner: TopicFilter<'_>) -> bool {
    if dollar_apart(outer, inner) {
        return false;
    }
    if outer.as_str() == "+/#" {
        return true; // every topic has a first level
    }
    let (mut outer, mut inner) = (outer.levels(), inner.levels());
    loop {
        match (outer.next(), inner.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(level)) if level != "#" => {}
            (Some(a), Some(b)) if a == b => {}
            _ => return false,
        }
    }
}

/// Whether some topic is matched by both.
pub(super) fn overlap(a: TopicFilter<'_>, b: TopicFilter<'_>) -> bool {
    if dollar_apart(a, b) {
        return false;
    }
    let (mut a, mut b) = (a.levels(), b.levels());
    loop {
        match (a.next(), b.next()) {
            (Some("#"), _) | (_, Some("#")) | (None, None) => return true,
            (Some("+"), Some(_)) | (Some(_), Some("+")) => {}
            (Some(a), Some(b)) if a == b => {}
            _ => return false,
        }
    }
}

/// A wildcard in the first level matches no topic that begins with `$` [MQTT-4.7.2-1].
fn dollar_apart(a: TopicFilter<'_>, b: TopicFilter<'_>) -> bool {
    a.as_str().starts_with('$') != b.as_str().starts_with('$')
}

#[cfg(test)]
mod tests {
    use topic_match::TopicName;

    use super::*;

    const FILTERS: [&str; 17] = [
        "#", "+", "+/#", "+/+", "a", "a/#", "a/+", "+/b", "a/b", "a/+/#", "a/b/#", "b", "b/#", "$s/#",
        "$s/+", "$s", "a/",
    ];
    const NAMES: [&str; 16] = [
        "a", "b", "x", "a/", "a/b", "a/x", "b/b", "b/x", "x/x", "a/b/c", "a/x/c", "b/x/c", "x/x/c", "$s",
        "$s/a", "$s/a/b",
    ];

    /// Both answers, for every pair of filters, against what the topics say.
    #[test]
    fn agrees_with_the_topics() {
        for outer in FILTERS {
            for inner in FILTERS {
                let [outer, inner] = [outer, inner].map(|filter| TopicFilter::new(filter).unwrap());
                let matched = |filter: TopicFilter<'_>, name| filter.matches(TopicName::new(name).unwrap());
                let all = NAMES.iter().filter(|name| matched(inner, name)).all(|name| matched(outer, name));
                let any = NAMES.iter().any(|name| matched(inner, name) && matched(outer, name));
                assert_eq!(covers(outer, inner), all, "{} covers {}", outer.as_str(), inner.as_str());
                assert_eq!(overlap(outer, inner), any, "{} overlaps {}", outer.as_str(), inner.as_str());
            }
        }
    }
}
