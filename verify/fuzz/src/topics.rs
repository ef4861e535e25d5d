//! Laws of `topic-match` on arbitrary bytes, against the standard read word for word.

use topic_match::{FilterLimits, ShortName, Subscription, TopicFilter, TopicName};

/// Bytes as a filter, and what follows the first 0xFF (which UTF-8 does not have) as a name: they are what the standard
/// says they are, and match when it says so.
pub fn topic(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == 0xFF).unwrap_or(data.len());
    let (filter, name) = (&data[..end], data.get(end + 1..).unwrap_or_default());
    for bytes in [filter, name] {
        validated(bytes);
    }
    let (Ok(filter), Ok(name)) = (TopicFilter::from_bytes(filter), TopicName::from_bytes(name)) else {
        return;
    };
    assert_eq!(filter.matches(name), model::matches(filter.as_str(), name.as_str()), "{filter} {name}");
    assert!(TopicFilter::from(name).matches(name), "{name}");
    assert!(filter.has_wildcard() || filter.matches(name) == (filter.as_str() == name.as_str()));
}

fn validated(bytes: &[u8]) {
    let text = core::str::from_utf8(bytes).ok();
    let filter = TopicFilter::from_bytes(bytes).ok();
    let name = TopicName::from_bytes(bytes).ok();
    assert_eq!(filter.map(TopicFilter::as_str), text.filter(|text| model::is_filter(text)), "{bytes:02X?}");
    assert_eq!(name.map(TopicName::as_str), text.filter(|text| model::is_name(text)), "{bytes:02X?}");

    let Some(text) = text else { return };
    assert_eq!(TopicFilter::new(text).ok(), filter);
    assert_eq!(TopicName::new(text).ok(), name);
    assert_eq!(ShortName::new(text).is_ok(), bytes.len() == 2 && model::is_name(text));
    let subscription = Subscription::parse(text).ok();
    let parts = subscription.map(|subscription| (subscription.share_name(), subscription.filter().as_str()));
    assert_eq!(parts, model::subscription(text), "{text:?}");
    if let Some(filter) = filter {
        within_limits(filter);
    }
}

fn within_limits(filter: TopicFilter<'_>) {
    let text = filter.as_str();
    let levels = text.split('/').count();
    let wildcards = filter.levels().filter(|level| *level == "+").count();
    assert_eq!(filter.has_wildcard(), text.contains(['+', '#']));
    for limit in [1, 2, 3, 300] {
        let any = FilterLimits { levels: u16::MAX, single_level_wildcards: u16::MAX, bytes: u16::MAX };
        let limits = [
            (FilterLimits { levels: limit, ..any }, levels),
            (FilterLimits { single_level_wildcards: limit, ..any }, wildcards),
            (FilterLimits { bytes: limit, ..any }, text.len()),
        ];
        for (limits, size) in limits {
            let fits = size <= usize::from(limit) && u16::try_from(levels).is_ok();
            assert_eq!(filter.check(&limits).is_ok(), fits, "{text:?} within {limits:?}");
        }
    }
}

/// MQTT 5.0 §4.7 and §4.8.2, on split levels.
pub mod model {
    /// Whether the filter matches the name; both are valid.
    pub fn matches(filter: &str, name: &str) -> bool {
        if name.starts_with('$') && filter.starts_with(['+', '#']) {
            return false;
        }
        let mut levels = name.split('/');
        for level in filter.split('/') {
            // `#` also stands for the level above it.
            if level == "#" {
                return true;
            }
            match levels.next() {
                Some(found) if level == "+" || level == found => {}
                _ => return false,
            }
        }
        levels.next().is_none()
    }

    /// §4.7.1 and §4.7.3.
    pub fn is_filter(text: &str) -> bool {
        let last = text.split('/').count() - 1;
        let fits = |(index, level): (usize, &str)| match level {
            "+" => true,
            "#" => index == last,
            other => !other.contains(['+', '#']),
        };
        is_topic(text) && text.split('/').enumerate().all(fits)
    }

    /// §4.7.3 and \[MQTT-3.3.2-2\].
    pub fn is_name(text: &str) -> bool {
        is_topic(text) && !text.contains(['+', '#'])
    }

    /// The name of the group, if there is one, and the filter.
    pub fn subscription(text: &str) -> Option<(Option<&str>, &str)> {
        let levels: Vec<_> = text.splitn(3, '/').collect();
        match levels[..] {
            ["$share", group, filter] => {
                let valid = is_topic(text) && !group.is_empty() && !group.contains(['+', '#']);
                (valid && is_filter(filter)).then_some((Some(group), filter))
            }
            ["$share", ..] => None,
            _ => is_filter(text).then_some((None, text)),
        }
    }

    fn is_topic(text: &str) -> bool {
        (1..=65_535).contains(&text.len()) && !text.contains('\0')
    }
}
