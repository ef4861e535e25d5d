//! RFC 7641 §3.4 and §4.4.

use core::time::Duration;

use machine::Instant;

use super::Sequence;
use crate::client::observation::Observation;

const AT: Instant = Instant::EPOCH;
const HALF: u32 = 1 << 23;

/// Whether an observer takes the second notification for newer.
fn is_newer(first: u32, first_at: Instant, second: u32, second_at: Instant) -> bool {
    let mut observation = Observation::default();
    observation.note(first, first_at);
    observation.is_news(second, second_at)
}

#[test]
fn a_larger_number_within_half_the_circle_is_newer() {
    assert!(is_newer(1, AT, 2, AT));
    assert!(is_newer(0, AT, HALF - 1, AT));
    assert!(!is_newer(0, AT, HALF, AT));
    assert!(!is_newer(2, AT, 1, AT));
}

#[test]
fn a_number_beyond_the_wrap_is_newer() {
    assert!(is_newer(0xFF_FFFF, AT, 0, AT));
    assert!(is_newer(HALF + 1, AT, 0, AT));
    assert!(!is_newer(HALF, AT, 0, AT));
}

#[test]
fn the_same_number_is_not_newer() {
    assert!(!is_newer(7, AT, 7, AT));
}

#[test]
fn after_more_than_128_seconds_any_is_newer() {
    let limit = AT + Duration::from_secs(128);
    assert!(!is_newer(7, AT, 7, limit));
    assert!(is_newer(7, AT, 7, limit + Duration::from_micros(1)));
    assert!(is_newer(9, AT, 3, limit + Duration::from_micros(1)));
}

#[test]
fn numbers_of_a_sequence_are_each_newer_over_the_wrap_too() {
    let mut sequence = Sequence { last: 0xFF_FFFD };
    let mut last = sequence.take(AT);
    for _ in 0..6 {
        let next = sequence.take(AT);
        assert!(next <= 0xFF_FFFF);
        assert!(is_newer(last, AT, next, AT), "{next} after {last}");
        last = next;
    }
}

/// In the same microsecond, slowly, and at the end of the time in which numbers are compared.
#[test]
fn numbers_are_newer_at_any_pace() {
    let spans = [0, 1, 40, 1_000_000, 127_999_999, 128_000_000].map(Duration::from_micros);
    for start in [AT, AT + Duration::from_secs(536), AT + Duration::from_secs(1 << 31)] {
        let (mut sequence, mut now) = (Sequence::default(), start);
        let mut last = sequence.take(now);
        for span in spans.repeat(3) {
            let next = sequence.take(now + span);
            assert!(is_newer(last, now, next, now + span), "{next} after {last}, {span:?}");
            (last, now) = (next, now + span);
        }
    }
}

/// 128 s on the way, and 128 s in which they are compared.
#[test]
fn numbers_are_newer_when_the_older_notification_was_long_on_its_way() {
    let mut sequence = Sequence::default();
    for sent in [0, 300, 600, 900].map(|seconds| AT + Duration::from_secs(seconds)) {
        let first = sequence.take(sent);
        let arrived = sent + Duration::from_secs(256);
        let second = sequence.take(arrived);
        assert!(is_newer(first, arrived, second, arrived), "{second} after {first}");
    }
}

#[test]
fn a_sequence_that_begins_later_has_newer_numbers() {
    let (first, second) = (AT + Duration::from_secs(1), AT + Duration::from_micros(1_000_032));
    let (mut forgotten, mut another) = (Sequence::default(), Sequence::default());
    assert!(is_newer(forgotten.take(first), first, another.take(second), second));
}
