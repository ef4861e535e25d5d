//! `Instant` never wraps and never rounds a deadline down.

use core::time::Duration;
use machine::Instant;

#[test]
fn arithmetic_saturates() {
    assert_eq!(Instant::EPOCH + Duration::MAX, Instant::MAX);
    assert_eq!(Instant::MAX + Duration::from_secs(1), Instant::MAX);
    assert_eq!(Instant::EPOCH - Instant::MAX, Duration::ZERO);
    assert_eq!(Instant::from_micros(u64::MAX), Instant::MAX);
}

#[test]
fn a_part_of_a_microsecond_counts_as_a_whole_one() {
    assert_eq!(Instant::EPOCH + Duration::from_nanos(1), Instant::from_micros(1));
    assert_eq!(Instant::EPOCH + Duration::from_nanos(999), Instant::from_micros(1));
}

#[test]
fn an_option_costs_nothing() {
    assert_eq!(size_of::<Option<Instant>>(), size_of::<Instant>());
}
