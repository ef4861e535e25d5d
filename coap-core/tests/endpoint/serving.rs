//! How requests are answered (RFC 7252 §4.2, §5.2, §5.4, §5.7, §5.8, §8; RFC 7967).

use std::time::Duration;

use coap_codec::{Code, MessageType, OptionNumber};
use coap_core::{Action, Config, Input, Limits, NonBadOption, Reliability, Resource, Response};

use crate::support::{Lone, Wire};

const PEER: u8 = 9;
const UNKNOWN_CRITICAL: OptionNumber = OptionNumber::new(65_001);

fn server(config: Config) -> Lone {
    let mut lone = Lone::new(config);
    lone.endpoint
        .add_resource(Resource::new("x").methods(&[Code::GET, Code::PUT, Code::FETCH]).observable())
        .unwrap();
    lone
}

fn request(message_type: MessageType, code: Code, id: u16) -> Wire {
    let mut wire = Wire::new(message_type, code, id, &[id as u8, 1]);
    wire.options.add(OptionNumber::URI_PATH, b"x");
    wire
}

fn con(id: u16) -> Wire {
    request(MessageType::Confirmable, Code::GET, id)
}

fn non(id: u16) -> Wire {
    request(MessageType::NonConfirmable, Code::GET, id)
}

fn content() -> Response {
    Response::new(Code::CONTENT).payload("ok")
}

#[test]
fn a_repeated_confirmable_request_is_carried_out_once_and_gets_the_same_bytes() {
    let mut lone = server(Config::default());
    lone.receive(PEER, &con(1));
    let asked = lone.only_request();
    lone.receive(PEER, &con(1));
    lone.nothing_sent();
    lone.respond(&asked, content());
    let first = lone.only_sent();
    lone.wait(Duration::from_secs(200));
    lone.receive(PEER, &con(1));
    assert_eq!(lone.only_sent(), first);
    assert!(lone.requests().is_empty());
    assert_eq!(lone.endpoint.counters().duplicates, 2);
}

#[test]
fn dot_segments_are_refused_wherever_they_lead() {
    let mut lone = server(Config::default());
    lone.endpoint.add_resource(Resource::new("all").subtree()).unwrap();
    let paths = [&["x", ".."][..], &[".", "x"], &["nowhere", "else", "."], &["all", "..", "x"]];
    for (id, path) in (1..).zip(paths) {
        let mut wire = Wire::new(MessageType::Confirmable, Code::GET, id, &[1]);
        for segment in path {
            wire.options.add(OptionNumber::URI_PATH, segment.as_bytes());
        }
        lone.receive(PEER, &wire);
        assert_eq!(lone.only_sent().code, Code::BAD_REQUEST, "{path:?}");
        assert!(lone.requests().is_empty());
    }
}

#[test]
fn a_repeated_non_confirmable_request_is_ignored() {
    let mut lone = server(Config::default());
    lone.receive(PEER, &non(2));
    let asked = lone.only_request();
    lone.respond(&asked, content());
    let answer = lone.only_sent();
    assert_eq!(answer.message_type, MessageType::NonConfirmable);
    assert_ne!(answer.id, 2, "a message id of its own");
    lone.receive(PEER, &non(2));
    lone.nothing_sent();
    assert!(lone.requests().is_empty());
}

#[test]
fn after_an_empty_acknowledgement_the_response_is_separate_and_repetitions_get_that_acknowledgement() {
    let mut lone = server(Config::default());
    lone.receive(PEER, &con(3));
    let asked = lone.only_request();
    lone.wait(Duration::from_secs(1));
    let ack = lone.only_sent();
    assert_eq!((ack.message_type, ack.code, ack.id), (MessageType::Acknowledgement, Code::EMPTY, 3));
    lone.respond(&asked, content());
    let response = lone.only_sent();
    assert_eq!((response.message_type, &response.token[..]), (MessageType::Confirmable, &[3, 1][..]));
    lone.receive(PEER, &Wire::new(MessageType::Acknowledgement, Code::EMPTY, response.id, b""));
    lone.wait(Duration::from_secs(60));
    lone.nothing_sent();
    lone.receive(PEER, &con(3));
    assert_eq!(lone.only_sent(), ack, "never the response in an acknowledgement");
}

#[test]
fn a_separate_response_is_non_confirmable_on_wish() {
    let mut lone = server(Config::default());
    lone.receive(PEER, &con(4));
    let asked = lone.only_request();
    lone.wait(Duration::from_secs(1));
    lone.only_sent();
    lone.respond(&asked, content().reliability(Reliability::NonConfirmable));
    assert_eq!(lone.only_sent().message_type, MessageType::NonConfirmable);
}

#[test]
fn an_unknown_critical_option_is_answered_bad_option_in_con_and_non_without_echoing_it() {
    for message_type in [MessageType::Confirmable, MessageType::NonConfirmable] {
        let mut lone = server(Config::default());
        let mut wire = request(message_type, Code::GET, 5);
        wire.options.add(UNKNOWN_CRITICAL, b"y");
        lone.receive(PEER, &wire);
        let answer = lone.only_sent();
        assert_eq!(answer.code, Code::BAD_OPTION);
        assert!(!answer.options().contains(UNKNOWN_CRITICAL));
        assert!(String::from_utf8(answer.payload).unwrap().contains("65001"));
        assert!(lone.requests().is_empty());
    }
}

#[test]
fn an_unknown_critical_option_in_non_is_met_with_silence_on_wish() {
    let mut lone = server(Config { non_bad_option: NonBadOption::Silence, ..Config::default() });
    let mut wire = non(6);
    wire.options.add(UNKNOWN_CRITICAL, b"y");
    lone.receive(PEER, &wire);
    lone.nothing_sent();
    assert_eq!(lone.endpoint.counters().rejected, 1);
}

#[test]
fn unknown_elective_options_are_ignored() {
    let mut lone = server(Config::default());
    let mut wire = con(7);
    wire.options.add(OptionNumber::new(65_000), b"y");
    lone.receive(PEER, &wire);
    assert_eq!(lone.only_request().method, Code::GET);
}

#[test]
fn a_supernumerary_or_ill_formed_critical_option_counts_as_unrecognised() {
    let mut twice = con(8);
    twice.options.add_uint(OptionNumber::ACCEPT, 0).add_uint(OptionNumber::ACCEPT, 50);
    let mut oversized = con(9);
    oversized.options.add(OptionNumber::ACCEPT, &[1, 2, 3]);
    for wire in [twice, oversized] {
        let mut lone = server(Config::default());
        lone.receive(PEER, &wire);
        assert_eq!(lone.only_sent().code, Code::BAD_OPTION);
    }
}

#[test]
fn an_origin_server_is_no_proxy() {
    let mut uri = con(10);
    uri.options.add(OptionNumber::PROXY_URI, b"coap://example.net/x");
    let mut scheme = con(11);
    scheme.options.add(OptionNumber::URI_HOST, b"example.net").add(OptionNumber::PROXY_SCHEME, b"coap");
    for wire in [uri, scheme] {
        let mut lone = server(Config::default());
        lone.receive(PEER, &wire);
        assert_eq!(lone.only_sent().code, Code::PROXYING_NOT_SUPPORTED);
    }
}

#[test]
fn unknown_paths_and_methods_are_answered() {
    let mut lone = server(Config::default());
    let mut elsewhere = con(12);
    elsewhere.options.add(OptionNumber::URI_PATH, b"y");
    lone.receive(PEER, &elsewhere);
    assert_eq!(lone.only_sent().code, Code::NOT_FOUND);
    lone.receive(PEER, &request(MessageType::Confirmable, Code::DELETE, 13));
    assert_eq!(lone.only_sent().code, Code::METHOD_NOT_ALLOWED);
    lone.receive(PEER, &request(MessageType::Confirmable, Code::new(0, 31).unwrap(), 14));
    assert_eq!(lone.only_sent().code, Code::METHOD_NOT_ALLOWED);
}

#[test]
fn no_response_suppresses_what_it_says_and_the_request_is_acknowledged_all_the_same() {
    let mut lone = server(Config::default());
    let mut wire = con(15);
    wire.options.add_uint(OptionNumber::NO_RESPONSE, 2);
    lone.receive(PEER, &wire);
    let asked = lone.only_request();
    lone.respond(&asked, content());
    let answer = lone.only_sent();
    assert_eq!((answer.message_type, answer.code), (MessageType::Acknowledgement, Code::EMPTY));
    let mut wire = con(16);
    wire.options.add_uint(OptionNumber::NO_RESPONSE, 2);
    lone.receive(PEER, &wire);
    let asked = lone.only_request();
    lone.respond(&asked, Response::new(Code::NOT_FOUND));
    assert_eq!(lone.only_sent().code, Code::NOT_FOUND, "errors are of interest");
}

#[test]
fn a_content_with_an_etag_that_the_client_has_becomes_valid() {
    let mut lone = server(Config::default());
    let mut wire = con(17);
    wire.options.add(OptionNumber::ETAG, b"old").add(OptionNumber::ETAG, b"new");
    lone.receive(PEER, &wire);
    let asked = lone.only_request();
    lone.respond(&asked, content().with(OptionNumber::ETAG, b"new").with_uint(OptionNumber::MAX_AGE, 7));
    let answer = lone.only_sent();
    assert_eq!((answer.code, answer.payload.len()), (Code::VALID, 0));
    assert_eq!((answer.options().etag(), answer.options().max_age()), (Some(&b"new"[..]), Some(7)));
}

#[test]
fn too_many_requests_of_one_peer_and_of_all_are_told_later() {
    let limits = Limits { unanswered_per_peer: 2, unanswered: 3, ..Limits::default() };
    let mut lone = server(Config { limits, ..Config::default() });
    for id in 0..2 {
        lone.receive(PEER, &con(id));
    }
    lone.nothing_sent();
    lone.receive(PEER, &con(2));
    let answer = lone.only_sent();
    assert_eq!((answer.code, answer.options().max_age()), (Code::TOO_MANY_REQUESTS, Some(2)));
    lone.receive(PEER + 1, &con(3));
    lone.receive(PEER + 2, &con(4));
    let answer = lone.only_sent();
    assert_eq!((answer.code, answer.options().max_age()), (Code::SERVICE_UNAVAILABLE, Some(2)));
}

/// RFC 7252 §8.2: in leisure, from the unicast address, and only what is of use.
fn multicast(lone: &mut Lone, wire: &Wire) {
    let bytes = wire.bytes();
    let input = Input::Datagram { from: PEER, bytes: &bytes, multicast: true, verified: true };
    lone.endpoint.handle(input, lone.now);
    lone.drain();
}

#[test]
fn a_group_gets_answers_in_leisure_and_no_errors() {
    let mut lone = server(Config::default());
    let mut missing = non(18);
    missing.options.add(OptionNumber::URI_PATH, b"y");
    multicast(&mut lone, &missing);
    lone.wait(Duration::from_secs(20));
    lone.nothing_sent();

    multicast(&mut lone, &non(19));
    let asked = lone.only_request();
    assert!(asked.multicast);
    lone.respond(&asked, content());
    lone.nothing_sent();
    lone.wait(Duration::from_secs(6));
    let answer = lone.only_sent();
    assert_eq!((answer.message_type, answer.code), (MessageType::NonConfirmable, Code::CONTENT));
    assert_eq!(lone.endpoint.counters().suppressed, 1);

    multicast(&mut lone, &con(20));
    lone.nothing_sent();
    assert!(lone.requests().is_empty(), "nothing confirmable goes to a group");
}

#[test]
fn garbage_is_never_answered_but_malformed_confirmable_messages_are_reset() {
    let mut lone = server(Config::default());
    for garbage in [
        &b""[..],
        b"\x40",
        b"\x40\x01\x00",
        b"\x80\x01\x00\x01",
        b"\x50\x01\x00\x01\xff",
        b"\x60\x01\x00\x01",
    ] {
        lone.receive_bytes(PEER, garbage);
        lone.nothing_sent();
    }
    lone.receive_bytes(PEER, b"\x40\x01\x12\x34\xff");
    let answer = lone.only_sent();
    assert_eq!((answer.message_type, answer.id), (MessageType::Reset, 0x1234));
}

#[test]
fn a_removed_resource_is_not_found_for_those_who_wait() {
    let mut lone = server(Config::default());
    lone.receive(PEER, &con(21));
    let asked = lone.only_request();
    lone.endpoint.remove_resource(asked.resource, lone.now);
    assert_eq!(lone.only_sent().code, Code::NOT_FOUND);
    assert_eq!(lone.reported.pop_front(), Some(Action::Cancelled { id: asked.id }));
    assert!(lone.endpoint.respond(asked.id, content(), lone.now).is_err());
}

#[test]
fn the_list_of_resources_belongs_to_no_subtree() {
    let mut lone = server(Config::default());
    lone.endpoint.add_resource(Resource::new("/").subtree()).unwrap();
    let mut list = Wire::new(MessageType::Confirmable, Code::GET, 1, &[]);
    list.options.add(OptionNumber::URI_PATH, b".well-known").add(OptionNumber::URI_PATH, b"core");
    lone.receive(PEER, &list);
    let answer = lone.only_sent();
    assert_eq!((answer.code, &answer.payload[..]), (Code::CONTENT, &b"</x>;obs,</>"[..]));
    lone.endpoint.add_resource(Resource::new("/.well-known/core")).unwrap();
    list.id = 2;
    lone.receive(PEER, &list);
    lone.only_request();
}

/// The application's answer is a success, the block of it that was wanted is none.
#[test]
fn a_group_does_not_hear_that_a_body_has_no_such_block() {
    let mut lone = server(Config::default());
    let mut wire = non(30);
    wire.options.add_uint(OptionNumber::BLOCK2, 5 << 4);
    multicast(&mut lone, &wire);
    let asked = lone.only_request();
    lone.respond(&asked, content());
    lone.wait(Duration::from_secs(20));
    lone.nothing_sent();
}

/// The peer should have taken another message id (§8.1); no acknowledgement and no Reset belong to what went to a group.
#[test]
fn a_message_to_a_group_with_the_id_of_another_gets_no_acknowledgement() {
    let mut lone = server(Config::default());
    let mut missing = con(31);
    missing.options.add(OptionNumber::URI_PATH, b"y");
    lone.receive(PEER, &missing);
    assert_eq!(lone.only_sent().code, Code::NOT_FOUND);
    multicast(&mut lone, &non(31));
    lone.nothing_sent();
    assert_eq!(lone.endpoint.counters().duplicates, 1);
}

/// The first is answered after the second has come, and the second not at all.
#[test]
fn a_message_is_forgotten_when_its_time_is_over_however_late_it_was_answered() {
    let mut lone = server(Config::default());
    lone.endpoint.add_resource(Resource::new("y").methods(&[Code::POST])).unwrap();
    let post = |id| {
        let mut wire = Wire::new(MessageType::Confirmable, Code::POST, id, &[id as u8]);
        wire.options.add(OptionNumber::URI_PATH, b"y");
        wire
    };
    lone.receive(PEER, &post(1));
    let first = lone.only_request();
    lone.wait(Duration::from_secs(100));
    lone.receive(PEER, &post(2));
    lone.respond(&first, Response::new(Code::CHANGED));
    assert_eq!(lone.endpoint.gauges().remembered, 2);
    lone.wait(Duration::from_secs(147));
    assert_eq!(lone.endpoint.gauges().remembered, 1);
}

/// RFC 9175 §2.3: who knows the tokens of an endpoint cannot foretell its Echo values.
#[test]
fn an_echo_value_is_no_token() {
    let mut lone = server(Config::default());
    lone.endpoint.request(PEER, coap_core::Request::new(Code::GET), lone.now).unwrap();
    let token = lone.only_sent().token;
    let bytes = con(77).bytes();
    let input = Input::Datagram { from: PEER + 1, bytes: &bytes, multicast: false, verified: false };
    lone.endpoint.handle(input, lone.now);
    let asked = lone.only_request();
    lone.respond(&asked, Response::new(Code::CONTENT).payload(vec![0; 900]));
    let challenge = lone.only_sent();
    assert_ne!(challenge.options().echo().unwrap(), token);
}
