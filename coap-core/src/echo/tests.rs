//! RFC 9175 §2.4 and §2.6.

use core::time::Duration;

use machine::{Instant, Random};

use super::Echo;
use crate::EchoPolicy;

const NOW: Instant = Instant::EPOCH;
const LIFETIME: Duration = Duration::from_secs(60);

fn echo(limit: usize) -> Echo<u32> {
    Echo::new(EchoPolicy::default(), limit, Random::from_u64(1))
}

#[test]
fn to_an_unverified_peer_at_most_three_times_the_request_is_sent() {
    let mut echo = echo(10);
    // With the headers below: (4 + 62) · 3 − 62, the figure of RFC 9175 §2.4.
    assert!(echo.allow(1, 4, 136, NOW));
    assert!(!echo.allow(1, 4, 137, NOW));
    assert!(echo.allow(1, 100, 424, NOW));
    assert!(!echo.allow(1, 100, 425, NOW));
}

#[test]
fn a_peer_that_sends_its_challenge_back_gets_all() {
    let mut echo = echo(10);
    let value = echo.challenge(1, NOW);
    assert!(!echo.allow(1, 10, 5000, NOW));
    assert!(echo.verify(1, &value, NOW));
    assert!(echo.allow(1, 10, 5000, NOW));
    assert!(!echo.allow(2, 10, 5000, NOW));
}

#[test]
fn a_value_is_bound_to_the_peer() {
    let mut echo = echo(10);
    let (one, two) = (echo.challenge(1, NOW), echo.challenge(2, NOW));
    assert_ne!(one, two);
    assert!(!echo.verify(2, &one, NOW));
    assert!(!echo.verify(3, &one, NOW));
    assert!(!echo.verify(1, &[], NOW));
    assert!(!echo.verify(1, &one[..7], NOW));
    assert!(!echo.is_verified(2, NOW));
}

#[test]
fn a_value_is_accepted_for_its_lifetime_only() {
    let mut echo = echo(10);
    let value = echo.challenge(1, NOW);
    assert!(echo.verify(1, &value, NOW + Duration::from_micros(59_999_999)));
    assert!(!echo.verify(1, &value, NOW + LIFETIME));
}

#[test]
fn repeated_challenges_give_the_same_value_for_some_time() {
    let mut echo = echo(10);
    let value = echo.challenge(1, NOW);
    assert_eq!(echo.challenge(1, NOW + LIFETIME / 4), value);
    let later = echo.challenge(1, NOW + LIFETIME / 2);
    assert_ne!(later, value);
    assert!(!echo.verify(1, &value, NOW + LIFETIME / 2));
    assert!(echo.verify(1, &later, NOW + LIFETIME));
}

#[test]
fn a_verified_peer_stays_so_while_it_is_heard_from() {
    let mut echo = echo(10);
    echo.confirm(1, NOW);
    let mut now = NOW;
    for _ in 0..5 {
        now += Duration::from_secs(59);
        assert!(echo.allow(1, 10, 5000, now));
    }
    assert!(!echo.allow(1, 10, 5000, now + LIFETIME));
}

#[test]
fn without_a_limit_nothing_is_remembered() {
    let policy = EchoPolicy { amplification: None, ..EchoPolicy::default() };
    let mut echo = Echo::new(policy, 10, Random::from_u64(1));
    assert!(echo.allow(1, 0, usize::MAX, NOW));
    echo.confirm(1, NOW);
    assert_eq!(echo.next_deadline(), None);
}

#[test]
fn strangers_fill_only_their_own_table() {
    let mut echo = echo(3);
    (0..3).for_each(|peer| echo.confirm(peer, NOW));
    let first = echo.challenge(100, NOW);
    for peer in 101..200 {
        echo.challenge(peer, NOW + Duration::from_secs(1));
    }
    assert!((0..3).all(|peer| echo.is_verified(peer, NOW)));
    assert!(!echo.verify(100, &first, NOW));
    assert_eq!(echo.challenged.len(), 3);
}

#[test]
fn the_verified_peer_that_was_silent_longest_makes_room() {
    let mut echo = echo(2);
    echo.confirm(1, NOW);
    echo.confirm(2, NOW + Duration::from_secs(1));
    assert!(echo.allow(1, 0, 5000, NOW + Duration::from_secs(2)));
    echo.confirm(3, NOW + Duration::from_secs(3));
    let now = NOW + Duration::from_secs(3);
    assert!(echo.is_verified(1, now) && echo.is_verified(3, now));
    assert!(!echo.is_verified(2, now));
    assert_eq!(echo.verified.len(), 2);
}

#[test]
fn after_a_tick_no_deadline_has_passed() {
    let mut echo = echo(10);
    echo.challenge(1, NOW);
    echo.confirm(2, NOW + Duration::from_secs(5));
    assert_eq!(echo.next_deadline(), Some(NOW + LIFETIME));
    echo.tick(NOW + LIFETIME);
    assert_eq!(echo.next_deadline(), Some(NOW + LIFETIME + Duration::from_secs(5)));
    echo.tick(NOW + LIFETIME * 2);
    assert_eq!(echo.next_deadline(), None);
    assert_eq!(echo.challenged.len(), 0);
}
