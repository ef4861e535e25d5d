//! RFC 7252 §5.4 and §5.10.

use coap_codec::{Code, ContentFormat, OptionNumber};

use super::{Preconditions, Present, Rejection, check_request, check_response, is_dot_segment, is_validated};
use crate::OptionList;

fn options(list: &[(OptionNumber, &[u8])]) -> OptionList {
    let mut options = OptionList::new();
    for (number, value) in list {
        options.add(*number, value);
    }
    options
}

fn verdict(list: &[(OptionNumber, &[u8])]) -> Result<(), Code> {
    let list = options(list);
    check_request(list.view(), Present::of(list.view()), |_| false).map_err(Rejection::code)
}

const PATH: (OptionNumber, &[u8]) = (OptionNumber::URI_PATH, b"a");
const UNKNOWN: OptionNumber = OptionNumber::new(65001);

#[test]
fn the_options_of_the_rfcs_are_understood() {
    let list = [
        (OptionNumber::IF_MATCH, &b"e"[..]),
        (OptionNumber::URI_HOST, b"example.org"),
        (OptionNumber::ETAG, b"e"),
        (OptionNumber::IF_NONE_MATCH, b""),
        (OptionNumber::OBSERVE, b""),
        (OptionNumber::URI_PORT, &[0x16, 0x33]),
        PATH,
        (OptionNumber::CONTENT_FORMAT, b""),
        (OptionNumber::URI_QUERY, b"x=1"),
        (OptionNumber::ACCEPT, b""),
        (OptionNumber::BLOCK2, &[0x06]),
        (OptionNumber::BLOCK1, &[0x06]),
        (OptionNumber::SIZE1, &[9]),
        (OptionNumber::ECHO, b"echo"),
        (OptionNumber::NO_RESPONSE, &[2]),
        (OptionNumber::REQUEST_TAG, b"t"),
    ];
    assert_eq!(verdict(&list), Ok(()));
}

#[test]
fn an_unrecognised_critical_option_is_answered_4_02() {
    assert_eq!(verdict(&[PATH, (UNKNOWN, b"x")]), Err(Code::BAD_OPTION));
}

#[test]
fn an_unrecognised_elective_option_is_ignored() {
    assert_eq!(verdict(&[PATH, (OptionNumber::new(65000), b"x")]), Ok(()));
}

#[test]
fn an_application_may_understand_more() {
    let list = options(&[(UNKNOWN, b"x")]);
    assert_eq!(check_request(list.view(), Present::of(list.view()), |number| number == UNKNOWN), Ok(()));
}

#[test]
fn the_diagnostic_names_the_option_by_number() {
    let list = options(&[(UNKNOWN, b"x")]);
    let rejection = check_request(list.view(), Present::of(list.view()), |_| false).unwrap_err();
    assert_eq!(rejection.words(), "option 65001: unrecognised");
    assert_eq!(Rejection::ReservedLocation(OptionNumber::new(140)).words(), "option 140: reserved");
    assert_eq!(Rejection::ReservedLocation(OptionNumber::new(0)).words(), "option 0: reserved");
}

#[test]
fn a_supernumerary_critical_option_is_as_unrecognised() {
    assert_eq!(verdict(&[(OptionNumber::ACCEPT, b""), (OptionNumber::ACCEPT, &[40])]), Err(Code::BAD_OPTION));
    assert_eq!(
        verdict(&[(OptionNumber::URI_HOST, b"a"), (OptionNumber::URI_HOST, b"b")]),
        Err(Code::BAD_OPTION)
    );
    assert_eq!(verdict(&[(OptionNumber::BLOCK1, b""), (OptionNumber::BLOCK1, b"")]), Err(Code::BAD_OPTION));
}

#[test]
fn a_supernumerary_elective_option_is_ignored() {
    assert_eq!(
        verdict(&[(OptionNumber::CONTENT_FORMAT, b""), (OptionNumber::CONTENT_FORMAT, &[40])]),
        Ok(())
    );
}

#[test]
fn a_critical_option_of_wrong_length_is_as_unrecognised() {
    assert_eq!(verdict(&[(OptionNumber::URI_HOST, b"")]), Err(Code::BAD_OPTION));
    assert_eq!(verdict(&[(OptionNumber::IF_NONE_MATCH, b"x")]), Err(Code::BAD_OPTION));
    assert_eq!(verdict(&[(OptionNumber::IF_MATCH, b"123456789")]), Err(Code::BAD_OPTION));
    assert_eq!(verdict(&[(OptionNumber::ACCEPT, &[1, 2, 3])]), Err(Code::BAD_OPTION));
    assert_eq!(verdict(&[(OptionNumber::BLOCK2, &[1, 2, 3, 4])]), Err(Code::BAD_OPTION));
    assert_eq!(verdict(&[(OptionNumber::URI_PATH, &[b'a'; 256])]), Err(Code::BAD_OPTION));
}

#[test]
fn an_elective_option_of_wrong_length_is_ignored() {
    assert_eq!(verdict(&[(OptionNumber::CONTENT_FORMAT, &[1, 2, 3])]), Ok(()));
    assert_eq!(verdict(&[(OptionNumber::ECHO, &[])]), Ok(()));
}

#[test]
fn proxy_options_at_an_origin_are_answered_5_05() {
    let uri = (OptionNumber::PROXY_URI, &b"coap://example.org/"[..]);
    assert_eq!(verdict(&[uri]), Err(Code::PROXYING_NOT_SUPPORTED));
    assert_eq!(verdict(&[PATH, (OptionNumber::PROXY_SCHEME, b"http")]), Err(Code::PROXYING_NOT_SUPPORTED));
}

/// §5.10.2: Proxy-Uri wins over Uri-*, and a request for a proxy may have options that only the proxy knows.
#[test]
fn proxy_uri_takes_precedence() {
    let uri = (OptionNumber::PROXY_URI, &b"coap://example.org/"[..]);
    assert_eq!(verdict(&[PATH, uri, (UNKNOWN, b"")]), Err(Code::PROXYING_NOT_SUPPORTED));
}

#[test]
fn reserved_options_beside_location_options_are_answered_4_02() {
    for reserved in [128, 132, 136, 140] {
        let reserved = (OptionNumber::new(reserved), &b"x"[..]);
        assert_eq!(verdict(&[(OptionNumber::LOCATION_PATH, b"a"), reserved]), Err(Code::BAD_OPTION));
        assert_eq!(verdict(&[(OptionNumber::LOCATION_QUERY, b"a"), reserved]), Err(Code::BAD_OPTION));
        assert_eq!(verdict(&[PATH, reserved]), Ok(()));
    }
}

#[test]
fn dot_segments_are_known() {
    assert!(is_dot_segment(b".") && is_dot_segment(b".."));
    assert!(![&b""[..], b"...", b".well-known", b"a."].into_iter().any(is_dot_segment));
}

#[test]
fn a_response_with_an_unrecognised_critical_option_is_rejected() {
    let usable = |list: &[(OptionNumber, &[u8])]| check_response(options(list).view()).is_ok();
    assert!(usable(&[
        (OptionNumber::ETAG, b"e"),
        (OptionNumber::BLOCK2, b""),
        (OptionNumber::new(65000), b"")
    ]));
    assert!(!usable(&[(UNKNOWN, b"")]));
    assert!(!usable(&[(OptionNumber::BLOCK2, &[1, 2, 3, 4])]));
    assert!(!usable(&[(OptionNumber::BLOCK2, b""), (OptionNumber::BLOCK2, b"")]));
}

/// §5.4: an option that is not defined for the code is as unrecognised.
#[test]
fn a_response_with_a_critical_option_of_requests_is_rejected() {
    assert!(check_response(options(&[PATH]).view()).is_err());
    assert!(check_response(options(&[(OptionNumber::ACCEPT, b"")]).view()).is_err());
}

fn condition(list: &[(OptionNumber, &[u8])], etag: Option<&[u8]>) -> Result<(), Code> {
    Preconditions::of(options(list).view()).check(etag)
}

#[test]
fn if_match_holds_when_one_of_the_tags_is_current() {
    let list = [(OptionNumber::IF_MATCH, &b"v1"[..]), (OptionNumber::IF_MATCH, b"v2")];
    assert_eq!(condition(&list, Some(b"v2")), Ok(()));
    assert_eq!(condition(&list, Some(b"v3")), Err(Code::PRECONDITION_FAILED));
    assert_eq!(condition(&list, Some(b"")), Err(Code::PRECONDITION_FAILED));
    assert_eq!(condition(&list, None), Err(Code::PRECONDITION_FAILED));
}

#[test]
fn an_empty_if_match_holds_when_there_is_anything() {
    let list = [(OptionNumber::IF_MATCH, &b""[..])];
    assert_eq!(condition(&list, Some(b"v3")), Ok(()));
    assert_eq!(condition(&list, Some(b"")), Ok(()));
    assert_eq!(condition(&list, None), Err(Code::PRECONDITION_FAILED));
}

#[test]
fn if_none_match_holds_when_there_is_nothing() {
    let list = [(OptionNumber::IF_NONE_MATCH, &b""[..])];
    assert_eq!(condition(&list, None), Ok(()));
    assert_eq!(condition(&list, Some(b"")), Err(Code::PRECONDITION_FAILED));
}

#[test]
fn both_conditions_together_never_hold() {
    let list = [(OptionNumber::IF_MATCH, &b""[..]), (OptionNumber::IF_NONE_MATCH, b"")];
    assert_eq!(condition(&list, None), Err(Code::PRECONDITION_FAILED));
    assert_eq!(condition(&list, Some(b"v")), Err(Code::PRECONDITION_FAILED));
}

#[test]
fn without_conditions_all_is_well() {
    assert_eq!(condition(&[], None), Ok(()));
    assert_eq!(condition(&[], Some(b"v")), Ok(()));
}

#[test]
fn accept_of_another_format_is_answered_4_06() {
    let list = options(&[(OptionNumber::ACCEPT, &[40])]);
    let preconditions = Preconditions::of(list.view());
    assert_eq!(preconditions.accepts(ContentFormat::LINK_FORMAT), Ok(()));
    assert_eq!(preconditions.accepts(ContentFormat::TEXT_PLAIN), Err(Code::NOT_ACCEPTABLE));
    assert_eq!(Preconditions::of(OptionList::new().view()).accepts(ContentFormat::CBOR), Ok(()));
}

#[test]
fn content_with_a_tag_that_the_client_has_becomes_2_03() {
    let request = options(&[(OptionNumber::ETAG, b"v1"), (OptionNumber::ETAG, b"v2")]);
    let current = options(&[(OptionNumber::ETAG, b"v2")]);
    let other = options(&[(OptionNumber::ETAG, b"v3")]);
    let validated =
        |method, code, response: &OptionList| is_validated(method, request.view(), code, response.view());
    assert!(validated(Code::GET, Code::CONTENT, &current));
    assert!(!validated(Code::GET, Code::CONTENT, &other));
    assert!(!validated(Code::GET, Code::CONTENT, &OptionList::new()));
    assert!(!validated(Code::GET, Code::NOT_FOUND, &current));
    assert!(!validated(Code::POST, Code::CONTENT, &current));
}

#[test]
fn what_is_present_is_found_and_large_numbers_are_not_told_apart() {
    let list = options(&[(OptionNumber::URI_PATH, b"a"), (OptionNumber::ECHO, b"1")]);
    let has = |numbers: &[OptionNumber]| Present::of(list.view()).meets(Present::listed(numbers));
    assert!(has(&[OptionNumber::URI_PATH]) && has(&[OptionNumber::ETAG, OptionNumber::ECHO]));
    assert!(has(&[OptionNumber::NO_RESPONSE]), "it may be");
    assert!(!has(&[OptionNumber::ETAG, OptionNumber::SIZE1]) && !has(&[]));
    let list = options(&[(OptionNumber::SIZE1, b"")]);
    let others = Present::listed(&[OptionNumber::ECHO, OptionNumber::URI_PATH]);
    assert!(!Present::of(list.view()).meets(others));
}
