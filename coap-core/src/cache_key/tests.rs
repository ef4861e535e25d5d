//! RFC 7252 §5.4.2 and §5.6, RFC 8132 §2, RFC 9175 §3.3.

use coap_codec::{Code, OptionNumber};

use super::{CacheKey, cache_key, operation_key};
use crate::OptionList;

fn options(list: &[(OptionNumber, &[u8])]) -> OptionList {
    let mut options = OptionList::new();
    for (number, value) in list {
        options.add(*number, value);
    }
    options
}

fn cached(method: Code, list: &[(OptionNumber, &[u8])], payload: &[u8]) -> CacheKey {
    cache_key(method, options(list).view(), payload, false)
}

fn operation(list: &[(OptionNumber, &[u8])]) -> CacheKey {
    operation_key(Code::PUT, options(list).view())
}

const PATH: (OptionNumber, &[u8]) = (OptionNumber::URI_PATH, b"a");

#[test]
fn method_and_options_make_the_key() {
    let get = cached(Code::GET, &[PATH], &[]);
    assert_eq!(get, cached(Code::GET, &[PATH], &[]));
    assert_ne!(get, cached(Code::FETCH, &[PATH], &[]));
    assert_ne!(get, cached(Code::GET, &[(OptionNumber::URI_PATH, b"b")], &[]));
    assert_ne!(get, cached(Code::GET, &[PATH, PATH], &[]));
    assert_ne!(get, cached(Code::GET, &[PATH, (OptionNumber::ACCEPT, &[])], &[]));
}

#[test]
fn options_marked_no_cache_key_are_left_out() {
    let list = [
        PATH,
        (OptionNumber::SIZE1, &[1][..]),
        (OptionNumber::ECHO, b"e"),
        (OptionNumber::new(60 + 32), b"x"),
    ];
    assert_eq!(cached(Code::GET, &list, &[]), cached(Code::GET, &[PATH], &[]));
}

#[test]
fn unknown_elective_options_count() {
    assert_ne!(
        cached(Code::GET, &[PATH, (OptionNumber::new(65000), b"x")], &[]),
        cached(Code::GET, &[PATH], &[])
    );
}

#[test]
fn block_size_and_observe_options_are_left_out() {
    let list = [
        PATH,
        (OptionNumber::OBSERVE, &[][..]),
        (OptionNumber::BLOCK1, &[0x18]),
        (OptionNumber::BLOCK2, &[0x20]),
        (OptionNumber::SIZE2, &[]),
    ];
    assert_eq!(cached(Code::GET, &list, &[]), cached(Code::GET, &[PATH], &[]));
    assert_eq!(operation(&list), operation(&[PATH]));
}

#[test]
fn the_body_of_a_fetch_is_part_of_the_key() {
    assert_ne!(cached(Code::FETCH, &[PATH], b"x"), cached(Code::FETCH, &[PATH], b"y"));
    assert_eq!(cached(Code::POST, &[PATH], b"x"), cached(Code::POST, &[PATH], b"y"));
}

#[test]
fn a_body_is_not_mistaken_for_an_option() {
    let option_like = [&[0, 11, 0, 0, 0, 1][..], b"a"].concat();
    assert_ne!(cached(Code::FETCH, &[], &option_like), cached(Code::FETCH, &[PATH], &[]));
}

#[test]
fn values_are_not_mistaken_for_each_other() {
    let two = [(OptionNumber::URI_PATH, &b"a"[..]), (OptionNumber::URI_PATH, b"bc")];
    let other = [(OptionNumber::URI_PATH, &b"ab"[..]), (OptionNumber::URI_PATH, b"c")];
    assert_ne!(cached(Code::GET, &two, &[]), cached(Code::GET, &other, &[]));
}

#[test]
fn a_cache_need_not_tell_request_tags_apart_and_operations_are_told_apart_by_them() {
    let tagged = [PATH, (OptionNumber::REQUEST_TAG, &b"1"[..])];
    let empty = [PATH, (OptionNumber::REQUEST_TAG, &b""[..])];
    assert_eq!(cached(Code::GET, &tagged, &[]), cached(Code::GET, &[PATH], &[]));
    assert_ne!(
        cache_key(Code::GET, options(&tagged).view(), &[], true),
        cache_key(Code::GET, options(&[PATH]).view(), &[], true)
    );
    assert_ne!(operation(&tagged), operation(&[PATH]));
    // RFC 9175 §3.4: absence is a value of its own.
    assert_ne!(operation(&empty), operation(&[PATH]));
}

#[test]
fn what_only_the_first_request_of_an_operation_has_is_left_out() {
    let first = [
        (OptionNumber::ETAG, &b"e"[..]),
        (OptionNumber::IF_NONE_MATCH, b""),
        PATH,
        (OptionNumber::CONTENT_FORMAT, &[42]),
    ];
    assert_eq!(operation(&first), operation(&[PATH]));
    assert_ne!(operation(&[(OptionNumber::IF_MATCH, b"e"), PATH]), operation(&[PATH]));
}
