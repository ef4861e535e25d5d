//! What options say, and what has to become of the faulty ones (RFC 7252 §5.4).
#![cfg(feature = "bytes")]

mod common;

use coap_codec::{
    Code, ContentFormat, DEFINITIONS, FaultKind, Format, NoResponse, OptionFault, OptionNumber, Options,
};
use common::owned::plain_block;

const KNOWN: fn(OptionNumber) -> bool = |number| number.definition().is_some();

fn block(options: &[(OptionNumber, &[u8])]) -> Vec<u8> {
    let list: Vec<_> = options.iter().map(|(number, value)| (number.get(), value.to_vec())).collect();
    plain_block(&list)
}

fn with<T>(options: &[(OptionNumber, &[u8])], look: impl FnOnce(Options<'_>) -> T) -> T {
    look(Options::decode(&block(options)).unwrap())
}

fn fault(options: &[(OptionNumber, &[u8])]) -> Option<OptionFault> {
    with(options, |options| options.check(KNOWN).err())
}

#[test]
fn the_registry_is_sorted_and_its_ranges_are_ranges() {
    assert!(DEFINITIONS.windows(2).all(|pair| pair[0].number < pair[1].number));
    for definition in DEFINITIONS {
        assert!(definition.min_len <= definition.max_len, "{definition:?}");
        assert!(definition.format != Format::Empty || definition.max_len == 0, "{definition:?}");
        assert_eq!(definition.number.definition(), Some(definition));
        assert_eq!(definition.number.to_string(), definition.name);
    }
    let found = (0..=u16::MAX).filter(|number| OptionNumber::new(*number).definition().is_some()).count();
    assert_eq!(found, DEFINITIONS.len());
}

/// RFC 7252 Table 4, RFC 7959 Table 1, RFC 7641 Table 1, RFC 7967 Table 1, RFC 8768 Table 1, RFC 9175 Tables 1 and 2:
/// critical, unsafe to forward, no cache key, repeatable.
#[test]
fn properties_as_the_tables_have_them() {
    use OptionNumber as N;
    let table = [
        (N::IF_MATCH, "x--x"),
        (N::URI_HOST, "xx--"),
        (N::ETAG, "---x"),
        (N::IF_NONE_MATCH, "x---"),
        (N::OBSERVE, "-x--"),
        (N::URI_PORT, "xx--"),
        (N::LOCATION_PATH, "---x"),
        (N::OSCORE, "x---"),
        (N::URI_PATH, "xx-x"),
        (N::CONTENT_FORMAT, "----"),
        (N::MAX_AGE, "-x--"),
        (N::URI_QUERY, "xx-x"),
        (N::HOP_LIMIT, "----"),
        (N::ACCEPT, "x---"),
        (N::Q_BLOCK1, "xx--"),
        (N::LOCATION_QUERY, "---x"),
        (N::EDHOC, "x---"),
        (N::BLOCK2, "xx--"),
        (N::BLOCK1, "xx--"),
        (N::SIZE2, "--x-"),
        (N::Q_BLOCK2, "xx-x"),
        (N::PROXY_URI, "xx--"),
        (N::PROXY_SCHEME, "xx--"),
        (N::SIZE1, "--x-"),
        (N::ECHO, "--x-"),
        (N::NO_RESPONSE, "-x--"),
        (N::REQUEST_TAG, "---x"),
    ];
    for (number, expected) in table {
        let flags = [
            number.is_critical(),
            number.is_unsafe_to_forward(),
            number.is_no_cache_key(),
            number.definition().unwrap().repeatable,
        ];
        let seen: String = flags.iter().map(|flag| if *flag { 'x' } else { '-' }).collect();
        assert_eq!(seen, expected, "{number}");
    }
}

#[test]
fn an_unrecognised_critical_option_is_found() {
    let unknown = OptionNumber::new(9);
    let fault = with(&[(unknown, b"")], |options| options.check(|number| number != unknown)).unwrap_err();
    assert_eq!(fault, OptionFault { number: unknown, kind: FaultKind::Unrecognised });
    assert_eq!(fault.response_code(), Code::BAD_OPTION);
    assert_eq!(with(&[(OptionNumber::new(10), b"")], |options| options.check(|_| false)), Ok(()), "elective");
}

#[test]
fn a_critical_option_of_a_wrong_length_is_as_if_unrecognised() {
    for definition in DEFINITIONS.iter().filter(|definition| definition.number.is_critical()) {
        let long = vec![b'a'; usize::from(definition.max_len) + 1];
        let wrong = Some(OptionFault { number: definition.number, kind: FaultKind::WrongLength });
        assert_eq!(fault(&[(definition.number, &long)]), wrong);
        assert_eq!(fault(&[(definition.number, &long[1..])]), None);
        if definition.min_len > 0 {
            assert_eq!(fault(&[(definition.number, &long[..usize::from(definition.min_len) - 1])]), wrong);
        }
    }
}

#[test]
fn a_supernumerary_critical_option_is_as_if_unrecognised() {
    for definition in DEFINITIONS.iter().filter(|definition| definition.number.is_critical()) {
        let value = vec![b'a'; usize::from(definition.min_len)];
        let twice = fault(&[(definition.number, &value), (definition.number, &value)]);
        let expected = OptionFault { number: definition.number, kind: FaultKind::Supernumerary };
        assert_eq!(twice, (!definition.repeatable).then_some(expected), "{definition:?}");
    }
}

#[test]
fn a_critical_string_is_utf_8() {
    let expected = OptionFault { number: OptionNumber::URI_PATH, kind: FaultKind::NotUtf8 };
    assert_eq!(fault(&[(OptionNumber::URI_PATH, b"a"), (OptionNumber::URI_PATH, b"\xFF")]), Some(expected));
    assert_eq!(fault(&[(OptionNumber::LOCATION_PATH, b"\xFF")]), None, "elective");
}

#[test]
fn elective_options_with_faults_are_as_if_absent() {
    let max_age = OptionNumber::MAX_AGE;
    with(&[(max_age, &[1, 2, 3, 4, 5])], |options| {
        assert_eq!((options.max_age(), options.get(max_age), options.contains(max_age)), (None, None, false));
        assert_eq!(options.iter().count(), 1, "raw access still sees it");
        assert_eq!(options.check(|_| true), Ok(()));
    });
    with(&[(max_age, &[1]), (max_age, &[2])], |options| {
        assert_eq!(options.max_age(), Some(1));
        assert_eq!(options.all(max_age).count(), 1);
    });
    // The second occurrence is supernumerary, whatever the first was.
    with(&[(max_age, &[0; 5]), (max_age, &[2])], |options| assert_eq!(options.max_age(), None));
    let etag = OptionNumber::ETAG;
    with(&[(etag, b""), (etag, b"a"), (etag, b"123456789"), (etag, b"b")], |options| {
        assert_eq!(options.etags().collect::<Vec<_>>(), [b"a", b"b"]);
        assert_eq!(options.etag(), Some(&b"a"[..]));
    });
}

#[test]
fn options_by_name() {
    use OptionNumber as N;
    let options = [
        (N::IF_MATCH, &b""[..]),
        (N::URI_HOST, b"example.net"),
        (N::ETAG, b"tag"),
        (N::IF_NONE_MATCH, b""),
        (N::OBSERVE, &[1, 0, 0]),
        (N::URI_PORT, &[0x16, 0x33]),
        (N::LOCATION_PATH, b"new"),
        (N::URI_PATH, b"a"),
        (N::URI_PATH, b""),
        (N::CONTENT_FORMAT, &[60]),
        (N::MAX_AGE, b""),
        (N::URI_QUERY, b"k=v"),
        (N::HOP_LIMIT, &[16]),
        (N::ACCEPT, &[0, 40]),
        (N::LOCATION_QUERY, b"q"),
        (N::BLOCK2, &[0x16]),
        (N::BLOCK1, b""),
        (N::SIZE2, &[1, 0]),
        (N::PROXY_URI, b"coap://a"),
        (N::PROXY_SCHEME, b"coap"),
        (N::SIZE1, &[2]),
        (N::ECHO, b"echo"),
        (N::NO_RESPONSE, &[26]),
        (N::REQUEST_TAG, b""),
    ];
    with(&options, |options| {
        assert_eq!(options.if_match().collect::<Vec<_>>(), [b""]);
        assert_eq!(options.uri_host(), Some(&b"example.net"[..]));
        assert_eq!(options.etag(), Some(&b"tag"[..]));
        assert!(options.if_none_match());
        assert_eq!(options.observe(), Some(0x1_0000));
        assert_eq!(options.uri_port(), Some(5683));
        assert_eq!(options.location_path().collect::<Vec<_>>(), [b"new"]);
        assert_eq!(options.uri_path().collect::<Vec<_>>(), [&b"a"[..], b""]);
        assert_eq!(options.content_format(), Some(ContentFormat::new(60)));
        assert_eq!(options.max_age(), Some(0));
        assert_eq!(options.uri_query().collect::<Vec<_>>(), [b"k=v"]);
        assert_eq!(options.hop_limit(), Some(16));
        assert_eq!(options.accept(), Some(ContentFormat::new(40)), "leading zeros are accepted");
        assert_eq!(options.location_query().collect::<Vec<_>>(), [b"q"]);
        assert_eq!(options.block2().unwrap().unwrap().to_string(), "1/0/1024");
        assert_eq!(options.block1().unwrap().unwrap().to_string(), "0/0/16");
        assert_eq!((options.size1(), options.size2()), (Some(2), Some(256)));
        assert_eq!(options.proxy_uri(), Some(&b"coap://a"[..]));
        assert_eq!(options.proxy_scheme(), Some(&b"coap"[..]));
        assert_eq!(options.echo(), Some(&b"echo"[..]));
        assert_eq!(options.no_response(), Some(NoResponse::ALL));
        assert_eq!(options.request_tag(), Some(&b""[..]), "an empty one is one");
    });
    let none = Options::EMPTY;
    assert!(
        none.is_empty() && none.block1().is_none() && none.request_tag().is_none() && !none.if_none_match()
    );
}

#[test]
fn unregistered_options_are_taken_as_they_are() {
    let number = OptionNumber::new(65_000);
    with(&[(number, &[1; 9]), (number, &[2])], |options| {
        assert_eq!(options.get(number), Some(&[1; 9][..]));
        assert_eq!(options.uint(number), None, "above eight bytes");
        assert_eq!(options.all(number).count(), 2);
    });
}

#[test]
fn the_cache_key_leaves_out_what_says_so() {
    with(
        &[(OptionNumber::URI_PATH, b"a"), (OptionNumber::SIZE1, b"a"), (OptionNumber::ECHO, b"a")],
        |options| {
            let keys: Vec<bool> = options.iter().map(|option| option.is_cache_key()).collect();
            assert_eq!(keys, [true, false, false]);
        },
    );
}

/// RFC 7967 §2.1, Table 2.
#[test]
fn no_response_names_classes() {
    let classes = |value: u8| {
        [Code::CONTENT, Code::NOT_FOUND, Code::SERVICE_UNAVAILABLE]
            .map(|code| NoResponse(value).suppresses(code))
    };
    assert_eq!(classes(0), [false, false, false]);
    assert_eq!(classes(2), [true, false, false]);
    assert_eq!(classes(8), [false, true, false]);
    assert_eq!(classes(16), [false, false, true]);
    assert_eq!(classes(26), [true, true, true]);
    assert_eq!(classes(0xFF), [true, true, true]);
    assert!(!NoResponse(0xFF).suppresses(Code::GET) && !NoResponse(0xFF).suppresses(Code::EMPTY));
}

#[test]
fn options_are_shown_by_name() {
    let options = [
        (OptionNumber::ETAG, &[0xAB][..]),
        (OptionNumber::URI_PATH, b"a"),
        (OptionNumber::MAX_AGE, &[60]),
        (OptionNumber::new(9999), &[1]),
    ];
    let shown = with(&options, |options| format!("{options:?}"));
    assert_eq!(shown, r#"[ETag: [AB], Uri-Path: "a", Max-Age: 60, 9999: [01]]"#);
}
