//! RFC 7252 §5.4.2 and §5.6, RFC 7959 §2.4 to §2.7, RFC 9175 §3.3.

use coap_codec::{Code, OptionNumber};

use super::{CacheKey, operation_key};
use crate::OptionList;

fn key(method: Code, list: &[(OptionNumber, &[u8])]) -> CacheKey {
    let mut options = OptionList::new();
    for (number, value) in list {
        options.add(*number, value);
    }
    operation_key(method, options.view())
}

fn put(list: &[(OptionNumber, &[u8])]) -> CacheKey {
    key(Code::PUT, list)
}

const PATH: (OptionNumber, &[u8]) = (OptionNumber::URI_PATH, b"a");

#[test]
fn method_and_options_make_the_key() {
    let plain = put(&[PATH]);
    assert_eq!(plain, put(&[PATH]));
    assert_ne!(plain, key(Code::POST, &[PATH]));
    assert_ne!(plain, put(&[(OptionNumber::URI_PATH, b"b")]));
    assert_ne!(plain, put(&[PATH, PATH]));
    assert_ne!(plain, put(&[PATH, (OptionNumber::ACCEPT, &[])]));
    assert_ne!(plain, put(&[(OptionNumber::IF_MATCH, b"e"), PATH]));
}

#[test]
fn options_marked_no_cache_key_are_left_out() {
    let list = [PATH, (OptionNumber::ECHO, &b"e"[..]), (OptionNumber::new(60 + 32), b"x")];
    assert_eq!(put(&list), put(&[PATH]));
}

#[test]
fn unknown_elective_options_count() {
    assert_ne!(put(&[PATH, (OptionNumber::new(65000), b"x")]), put(&[PATH]));
}

#[test]
fn block_size_and_observe_options_are_left_out() {
    let list = [
        PATH,
        (OptionNumber::OBSERVE, &[][..]),
        (OptionNumber::BLOCK1, &[0x18]),
        (OptionNumber::BLOCK2, &[0x20]),
        (OptionNumber::SIZE1, &[1]),
        (OptionNumber::SIZE2, &[]),
    ];
    assert_eq!(put(&list), put(&[PATH]));
}

#[test]
fn values_are_not_mistaken_for_each_other() {
    let two = [(OptionNumber::URI_PATH, &b"a"[..]), (OptionNumber::URI_PATH, b"bc")];
    let other = [(OptionNumber::URI_PATH, &b"ab"[..]), (OptionNumber::URI_PATH, b"c")];
    assert_ne!(put(&two), put(&other));
    assert_ne!(put(&[(OptionNumber::URI_PATH, b"a")]), put(&[(OptionNumber::URI_QUERY, b"a")]));
}

/// RFC 9175 §3.4: absence is a value of its own, and so is a list.
#[test]
fn request_tags_tell_operations_apart() {
    fn tag(value: &[u8]) -> (OptionNumber, &[u8]) {
        (OptionNumber::REQUEST_TAG, value)
    }
    let keys = [
        put(&[PATH]),
        put(&[PATH, tag(b"")]),
        put(&[PATH, tag(b"1")]),
        put(&[PATH, tag(b"2")]),
        put(&[PATH, tag(b"1"), tag(b"2")]),
    ];
    for (at, one) in keys.iter().enumerate() {
        assert!(keys.iter().skip(at + 1).all(|other| other != one));
    }
}

#[test]
fn what_only_the_first_request_of_an_operation_has_is_left_out() {
    let first = [
        (OptionNumber::ETAG, &b"e"[..]),
        (OptionNumber::IF_NONE_MATCH, b""),
        PATH,
        (OptionNumber::CONTENT_FORMAT, &[42]),
    ];
    assert_eq!(put(&first), put(&[PATH]));
}
