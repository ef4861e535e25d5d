//! The table of cases in `data/topics.tsv`: what the standard says, row by row.
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "tests have std")]

use topic_match::{InvalidTopic, ShortName, Subscription, TopicFilter, TopicName};

struct Row {
    line: usize,
    kind: &'static str,
    filter: String,
    topic: String,
    filter_valid: &'static str,
    topic_valid: &'static str,
    matches: &'static str,
}

fn rows() -> Vec<Row> {
    let lines = include_str!("data/topics.tsv").lines().enumerate().skip(1);
    let row = |(index, line): (usize, &'static str)| {
        let columns: Vec<_> = line.split('\t').collect();
        Row {
            line: index + 1,
            kind: columns[0],
            filter: unescape(columns[1]),
            topic: unescape(columns[2]),
            filter_valid: columns[3],
            topic_valid: columns[4],
            matches: columns[5],
        }
    };
    lines.map(row).collect()
}

/// `\0`, `\u{hex}` and `\uhex`, `{N*s}` for s repeated N times.
fn unescape(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("\\0") {
            plain.push('\0');
            rest = after;
        } else if let Some(after) = rest.strip_prefix("\\u") {
            let (digits, after) = match after.strip_prefix('{') {
                Some(braced) => braced.split_once('}').expect("closed escape"),
                None => after.split_at(4),
            };
            let code = u32::from_str_radix(digits, 16).expect("hexadecimal escape");
            plain.push(char::from_u32(code).expect("character"));
            rest = after;
        } else if let Some(after) = rest.strip_prefix('{') {
            let (repeated, after) = after.split_once('}').expect("closed repetition");
            let (times, unit) = repeated.split_once('*').expect("N*s");
            plain.push_str(&unit.repeat(times.parse().expect("number")));
            rest = after;
        } else {
            plain.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    plain
}

fn flag(condition: bool) -> &'static str {
    if condition { "1" } else { "0" }
}

#[test]
fn every_row_of_the_table_holds() {
    let mut counts = std::collections::BTreeMap::new();
    for row in rows() {
        check(&row);
        *counts.entry(row.kind).or_insert(0) += 1;
    }
    let expected = [("filter", 40), ("match", 97), ("mqttsn", 11), ("mqttsn-match", 4)];
    let expected = expected.into_iter().chain([("share", 24), ("share-match", 8), ("topic", 18)]);
    assert!(counts.into_iter().eq(expected), "every row, by kind: 202");
}

fn check(row: &Row) {
    let Row { line, filter, topic, .. } = row;
    let name = TopicName::new(topic);
    match row.kind {
        "match" => {
            let filter = TopicFilter::new(filter);
            assert_eq!(flag(filter.is_ok()), row.filter_valid, "line {line}");
            assert_eq!(flag(name.is_ok()), row.topic_valid, "line {line}");
            let matches = filter.is_ok_and(|filter| filter.matches(name.expect("checked above")));
            assert_eq!(flag(matches), row.matches, "line {line}");
        }
        "filter" => assert_eq!(flag(TopicFilter::new(filter).is_ok()), row.filter_valid, "line {line}"),
        "topic" => assert_eq!(flag(name.is_ok()), row.topic_valid, "line {line}"),
        "share" => {
            let parsed = Subscription::parse(filter);
            assert_eq!(flag(parsed.is_ok()), row.filter_valid, "line {line}");
            let is_shared = parsed.is_ok_and(|parsed| parsed.share_name().is_some());
            assert_eq!(is_shared, parsed.is_ok() && filter.starts_with("$share/"), "line {line}");
        }
        "share-match" => {
            let parsed = Subscription::parse(filter).expect("valid in the table");
            assert!(parsed.share_name().is_some(), "line {line}");
            let matches = parsed.filter().matches(name.expect("valid in the table"));
            assert_eq!(flag(matches), row.matches, "line {line}");
        }
        "mqttsn" => assert_eq!(flag(ShortName::new(filter).is_ok()), row.filter_valid, "line {line}"),
        "mqttsn-match" => {
            let short = ShortName::new(topic).expect("valid in the table");
            let filter = TopicFilter::new(filter).expect("valid in the table");
            assert_eq!(flag(filter.matches(short.topic_name())), row.matches, "line {line}");
        }
        kind => panic!("line {line}: kind {kind} is not known"),
    }
}

#[test]
fn each_rule_has_its_error() {
    use InvalidTopic::*;
    let long = "a".repeat(65_536);
    let filters = [
        ("", Empty),
        (&*long, TooLong),
        ("a\0", NullCharacter),
        ("a/#/b", MisplacedMultiLevel),
        ("a#", MisplacedMultiLevel),
        ("a+", MisplacedSingleLevel),
        ("+a/b", MisplacedSingleLevel),
    ];
    for (filter, rule) in filters {
        assert_eq!(TopicFilter::new(filter), Err(rule), "{filter:.20}");
    }
    for (name, rule) in [("", Empty), (&*long, TooLong), ("\0", NullCharacter), ("a/+", WildcardInName)] {
        assert_eq!(TopicName::new(name), Err(rule), "{name:.20}");
    }
    let shares = [
        ("$share", ShareFilter),
        ("$share/", ShareName),
        ("$share/g", ShareFilter),
        ("$share/g/", ShareFilter),
        ("$share//a", ShareName),
        ("$share/+/a", ShareName),
        ("$share/g/a#", MisplacedMultiLevel),
        ("$share/g\0/a", NullCharacter),
    ];
    for (share, rule) in shares {
        assert_eq!(Subscription::parse(share), Err(rule), "{share}");
    }
    assert_eq!(TopicName::from_bytes(b"a\xFF"), Err(NotUtf8));
    assert_eq!(TopicFilter::from_bytes(b"\xC0\x80"), Err(NotUtf8));
    assert_eq!(ShortName::new("abc"), Err(ShortLength));
    assert_eq!(ShortName::from_bytes([b'a', b'+']), Err(WildcardInName));
}

#[test]
fn a_shared_filter_has_a_length_limit_as_a_whole() {
    let text = format!("$share/group/{}", "a".repeat(65_535 - 13));
    let parsed = Subscription::parse(&text).expect("65 535 bytes");
    assert_eq!(parsed.share_name(), Some("group"));
    assert_eq!(Subscription::parse(&(text + "a")), Err(InvalidTopic::TooLong));
}

#[test]
fn discouraged_characters_are_accepted_and_told() {
    for text in ["a/\u{1}/b", "a/\u{7f}", "a/\u{85}", "a/\u{fdd0}", "a/\u{ffff}", "a/\u{1ffff}"] {
        assert!(TopicName::new(text).expect("valid").is_discouraged(), "{text:?}");
        assert!(TopicFilter::new(text).expect("valid").is_discouraged(), "{text:?}");
    }
    assert!(!TopicName::new("a/é/𝄞/ b").expect("valid").is_discouraged());
}
