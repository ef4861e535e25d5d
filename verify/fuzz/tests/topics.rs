//! The laws of topics and their indexes, on bytes that are often topics.

use fuzz::indexes::{retained, subscriptions};
use fuzz::topics::topic;
use machine::Random;

/// What topics are made of, so that many are valid and near the rules; 0xFF ends a filter.
const PIECES: [&[u8]; 16] = [
    b"/",
    b"/",
    b"a",
    b"b",
    b"+",
    b"+/",
    b"#",
    b"$",
    b"$share",
    b"\0",
    "é".as_bytes(),
    b"\xC3",
    b"\xFF",
    b"\xFF",
    b"\xED\xA0\x80",
    b"a long level of text",
];

#[test]
fn topics() {
    let mut random = Random::from_u64(1);
    for _ in 0..200_000 {
        let pieces = 1 + random.below(12);
        let data: Vec<u8> = (0..pieces).flat_map(|_| PIECES[random.below(16) as usize]).copied().collect();
        topic(&data);
    }
}

#[test]
fn topics_at_the_limits_of_the_standard() {
    for length in [65_534, 65_535, 65_536] {
        for unit in ["/", "a", "+/", "a/"] {
            let text: String = unit.chars().cycle().take(length).collect();
            topic(&[text.as_bytes(), b"\xFF", text.replace('+', "b").as_bytes()].concat());
        }
    }
}

#[test]
fn operations_on_subscriptions() {
    operations(6000, subscriptions);
}

#[test]
fn operations_on_retained_topics() {
    operations(6000, retained);
}

fn operations(runs: u64, law: impl Fn(&[u8]) -> usize) {
    let mut matched = 0;
    let mut random = Random::from_u64(2);
    for _ in 0..runs {
        let mut data = vec![0; 100 + random.below(900) as usize];
        random.fill(&mut data);
        matched += law(&data) as u64;
    }
    assert!(matched > 5 * runs, "{matched} matches in {runs} runs: a poor mixture");
}
