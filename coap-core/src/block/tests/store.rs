//! Bounds of what is kept.

use core::time::Duration;

use coap_codec::{Code, OptionNumber};
use machine::Instant;

use crate::OptionList;
use crate::block::store::{Bounds, Full, Store};
use crate::cache_key::{CacheKey, operation_key};

const NOW: Instant = Instant::EPOCH;
const LIFETIME: Duration = Duration::from_secs(247);

fn key(name: &str) -> CacheKey {
    let mut options = OptionList::new();
    options.add(OptionNumber::URI_PATH, name.as_bytes());
    operation_key(Code::PUT, options.view())
}

fn store(bytes: usize, per_peer: usize, patience: Duration) -> Store<u32, &'static str> {
    Store::new(Bounds { bytes, per_peer, lifetime: LIFETIME, patience }, 1)
}

fn seconds(seconds: u64) -> Instant {
    NOW + Duration::from_secs(seconds)
}

#[test]
fn entries_are_found_by_peer_and_key() {
    let mut store = store(10_000, 8, Duration::ZERO);
    store.insert(1, &key("a"), "1a", 0, NOW).unwrap();
    store.insert(1, &key("b"), "1b", 0, NOW).unwrap();
    store.insert(2, &key("a"), "2a", 0, NOW).unwrap();
    let get = |peer, name| store.find(peer, &key(name)).and_then(|id| store.get(id)).copied();
    assert_eq!(
        (get(1, "a"), get(1, "b"), get(2, "a"), get(2, "b")),
        (Some("1a"), Some("1b"), Some("2a"), None)
    );
}

#[test]
fn an_entry_takes_the_place_of_the_one_before() {
    let mut store = store(10_000, 8, Duration::ZERO);
    store.insert(1, &key("a"), "old", 500, NOW).unwrap();
    let before = store.bytes();
    store.insert(1, &key("a"), "new", 500, NOW).unwrap();
    assert_eq!(store.bytes(), before);
    assert_eq!(store.take_dropped(), 0);
}

#[test]
fn an_entry_goes_when_it_is_not_used_for_its_lifetime() {
    let mut store = store(10_000, 8, Duration::ZERO);
    store.insert(1, &key("a"), "a", 0, NOW).unwrap();
    store.insert(1, &key("b"), "b", 0, NOW).unwrap();
    let a = store.find(1, &key("a")).unwrap();
    store.touch(a, seconds(100));
    assert_eq!(store.next_deadline(), Some(NOW + LIFETIME));
    store.expire(NOW + LIFETIME);
    assert!(store.find(1, &key("b")).is_none() && store.find(1, &key("a")).is_some());
    assert_eq!(store.next_deadline(), Some(seconds(100) + LIFETIME));
    store.expire(seconds(100) + LIFETIME);
    assert_eq!((store.bytes(), store.next_deadline(), store.take_dropped()), (0, None, 2));
}

#[test]
fn a_peer_with_too_many_loses_its_own_oldest() {
    let mut store = store(100_000, 2, Duration::from_secs(15));
    store.insert(2, &key("x"), "x", 0, NOW).unwrap();
    store.insert(1, &key("a"), "a", 0, NOW).unwrap();
    store.insert(1, &key("b"), "b", 0, seconds(1)).unwrap();
    let a = store.find(1, &key("a")).unwrap();
    store.touch(a, seconds(2));
    store.insert(1, &key("c"), "c", 0, seconds(3)).unwrap();
    assert!(store.find(1, &key("b")).is_none());
    assert!(["a", "c"].iter().all(|name| store.find(1, &key(name)).is_some()));
    assert!(store.find(2, &key("x")).is_some());
    assert_eq!(store.take_dropped(), 1);
}

#[test]
fn what_is_in_use_does_not_give_way_and_what_is_idle_does() {
    let mut store = store(1000, 8, Duration::from_secs(15));
    store.insert(1, &key("a"), "a", 500, NOW).unwrap();
    assert_eq!(store.insert(2, &key("b"), "b", 500, seconds(14)), Err(Full));
    assert!(store.find(1, &key("a")).is_some());
    assert_eq!(store.insert(2, &key("b"), "b", 500, seconds(15)), Ok(()));
    assert!(store.find(1, &key("a")).is_none());
}

#[test]
fn growth_counts_and_an_entry_does_not_give_way_to_itself() {
    let mut store = store(1000, 8, Duration::ZERO);
    store.insert(1, &key("a"), "a", 100, NOW).unwrap();
    let before = store.bytes();
    let a = store.find(1, &key("a")).unwrap();
    assert_eq!(store.grow(a, 200, NOW), Ok(()));
    assert_eq!(store.bytes(), before + 200);
    assert_eq!(store.grow(a, 1000, NOW), Err(Full));
    assert_eq!(store.grow(a, usize::MAX, NOW), Err(Full));
    assert!(store.find(1, &key("a")).is_some());
}

#[test]
fn what_is_larger_than_everything_has_no_room() {
    let mut store = store(1000, 8, Duration::ZERO);
    store.insert(1, &key("a"), "a", 100, NOW).unwrap();
    assert_eq!(store.insert(2, &key("b"), "b", 1000, NOW), Err(Full));
    assert!(store.find(1, &key("a")).is_some());
}

#[test]
fn a_peer_is_forgotten_with_all_it_has() {
    let mut store = store(10_000, 8, Duration::ZERO);
    store.insert(1, &key("a"), "a", 1, NOW).unwrap();
    store.insert(1, &key("b"), "b", 1, NOW).unwrap();
    store.insert(2, &key("a"), "x", 1, NOW).unwrap();
    store.forget(1);
    assert!(store.find(1, &key("a")).is_none() && store.find(2, &key("a")).is_some());
    store.forget(2);
    assert_eq!(store.bytes(), 0);
}
