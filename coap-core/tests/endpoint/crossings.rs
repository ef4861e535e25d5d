//! Messages that cross on the way, come late or come in place of others: what the simulation found.

use std::collections::BTreeSet;
use std::time::Duration;

use coap_codec::{Block, Code, MessageType, OptionNumber};
use coap_core::{
    Action, Config, Failure, Gauges, Input, Limits, Refused, Reliability, Request, Resource, Response,
    Transmission,
};

use crate::support::{Lone, Wire};

const PEER: u8 = 9;

fn ack(of: &Wire, code: Code) -> Wire {
    Wire::new(MessageType::Acknowledgement, code, of.id, &of.token)
}

fn con(of: &Wire, code: Code, id: u16) -> Wire {
    Wire::new(MessageType::Confirmable, code, id, &of.token)
}

fn with(mut wire: Wire, number: OptionNumber, value: &[u8]) -> Wire {
    wire.options.add(number, value);
    wire
}

fn observe(mut wire: Wire, sequence: u64) -> Wire {
    wire.options.add_uint(OptionNumber::OBSERVE, sequence);
    wire.payload = format!("number {sequence}").into();
    wire
}

fn block(wire: Wire, number: OptionNumber, num: u32, more: bool, payload: &[u8]) -> Wire {
    let value = Block::new(num, more, 0).unwrap().value();
    Wire { payload: payload.into(), ..with(wire, number, &value) }
}

/// The bodies and codes that the application was shown.
fn shown(lone: &mut Lone) -> Vec<(Code, String)> {
    let response = |action| match action {
        Action::Response { response, .. } => {
            Some((response.code, String::from_utf8_lossy(&response.payload).into_owned()))
        }
        _ => None,
    };
    lone.reported.drain(..).filter_map(response).collect()
}

fn failures(lone: &mut Lone) -> Vec<Failure> {
    let failure = |action| match action {
        Action::Failed { failure, .. } => Some(failure),
        _ => None,
    };
    lone.reported.drain(..).filter_map(failure).collect()
}

/// A client that observes; the message of its registration, answered with number 10.
fn observer(request: Request, config: Config) -> (Lone, Wire) {
    let mut lone = Lone::new(config);
    lone.endpoint.request(PEER, request, lone.now).unwrap();
    let sent = lone.only_sent();
    lone.receive(PEER, &observe(ack(&sent, Code::CONTENT), 10));
    assert_eq!(shown(&mut lone).len(), 1);
    (lone, sent)
}

fn get() -> Request {
    Request::new(Code::GET).path("x").observe()
}

/// Max-Age is over, and the client registers anew.
fn registered_anew(lone: &mut Lone) -> Wire {
    lone.wait(Duration::from_secs(76));
    lone.sent.retain(|(_, wire)| wire.options().observe() == Some(0));
    lone.sent.drain(..).next().unwrap().1
}

#[test]
fn an_old_notification_does_not_pass_for_the_answer_to_a_registration_anew() {
    let (mut lone, _) = observer(get(), Config::default());
    let again = registered_anew(&mut lone);
    lone.receive(PEER, &observe(con(&again, Code::CONTENT, 1), 9));
    assert_eq!(lone.only_sent().message_type, MessageType::Acknowledgement);
    assert!(shown(&mut lone).is_empty());
    // What was asked is asked still.
    lone.wait(Duration::from_secs(8));
    assert_eq!(lone.sent.pop_front().unwrap().1.id, again.id);
    lone.receive(PEER, &observe(ack(&again, Code::CONTENT), 11));
    assert_eq!(shown(&mut lone).len(), 1);
}

#[test]
fn the_answer_to_a_registration_anew_is_new_whatever_its_number() {
    for separate in [false, true] {
        let (mut lone, _) = observer(get(), Config::default());
        let again = registered_anew(&mut lone);
        let answer = if separate {
            lone.receive(PEER, &Wire::new(MessageType::Acknowledgement, Code::EMPTY, again.id, &[]));
            con(&again, Code::CONTENT, 1)
        } else {
            ack(&again, Code::CONTENT)
        };
        lone.receive(PEER, &observe(answer, 3));
        assert_eq!(shown(&mut lone).len(), 1, "separate: {separate}");
        lone.receive(PEER, &observe(con(&again, Code::CONTENT, 2), 4));
        assert_eq!(shown(&mut lone).len(), 1, "separate: {separate}");
    }
}

#[test]
fn a_notification_that_crosses_the_blocks_of_a_registration_anew_is_one() {
    let request = Request {
        block_size_exponent: Some(0),
        ..Request::new(Code::FETCH).path("x").observe().payload("more than one block")
    };
    let mut lone = Lone::new(Config::default());
    lone.endpoint.request(PEER, request, lone.now).unwrap();
    let first = lone.only_sent();
    lone.receive(PEER, &block(ack(&first, Code::CONTINUE), OptionNumber::BLOCK1, 0, true, b""));
    let second = lone.only_sent();
    let answer = observe(ack(&second, Code::CONTENT), 10);
    lone.receive(PEER, &block(answer, OptionNumber::BLOCK1, 1, false, b"a"));
    assert_eq!(shown(&mut lone).len(), 1);

    let again = registered_anew(&mut lone);
    assert!(again.options().block1().is_some());
    lone.receive(PEER, &observe(con(&again, Code::CONTENT, 1), 11));
    assert_eq!(shown(&mut lone).len(), 1);
    lone.receive(PEER, &block(ack(&again, Code::CONTINUE), OptionNumber::BLOCK1, 0, true, b""));
    lone.receive(PEER, &observe(con(&again, Code::CONTENT, 2), 12));
    assert_eq!(shown(&mut lone).len(), 1);
}

#[test]
fn what_was_not_registered_is_not_deregistered() {
    let mut lone = Lone::new(Config::default());
    let handle = lone.endpoint.request(PEER, get(), lone.now).unwrap();
    let sent = lone.only_sent();
    lone.receive(PEER, &block(ack(&sent, Code::CONTENT), OptionNumber::BLOCK2, 0, true, &[b'x'; 16]));
    let next = lone.only_sent();
    lone.endpoint.deregister(handle, lone.now).unwrap();
    lone.nothing_sent();
    lone.receive(PEER, &block(ack(&next, Code::CONTENT), OptionNumber::BLOCK2, 1, false, b"y"));
    assert_eq!(shown(&mut lone), [(Code::CONTENT, "x".repeat(16) + "y")]);
}

#[test]
fn each_registration_anew_may_be_challenged() {
    let (mut lone, _) = observer(get(), Config::default());
    for round in 0..4 {
        let again = registered_anew(&mut lone);
        lone.receive(PEER, &with(ack(&again, Code::UNAUTHORIZED), OptionNumber::ECHO, &[round]));
        let with_echo = lone.only_sent();
        assert_eq!(with_echo.options().echo(), Some(&[round][..]));
        lone.receive(PEER, &observe(ack(&with_echo, Code::CONTENT), 11 + u64::from(round)));
        assert_eq!(shown(&mut lone).len(), 1);
    }
}

#[test]
fn what_fetches_the_rest_of_a_notification_is_not_known_to_the_application() {
    let (mut lone, sent) = observer(get(), Config::default());
    let large = observe(con(&sent, Code::CONTENT, 1), 11);
    lone.receive(PEER, &block(large, OptionNumber::BLOCK2, 0, true, &[b'x'; 16]));
    let (_, next) = lone.sent.pop_front().unwrap();
    assert_eq!(next.options().block2().unwrap().unwrap().num(), 1);
    lone.receive(PEER, &Wire::new(MessageType::Acknowledgement, Code::EMPTY, next.id, &[]));
    assert!(lone.reported.iter().all(|action| matches!(action, Action::Progress { .. })));
    assert_eq!(lone.endpoint.gauges().requests, 2);
}

#[test]
fn a_notification_with_too_large_a_body_ends_the_observation() {
    let limits = Limits { body: 10, ..Limits::default() };
    let (mut lone, sent) = observer(get(), Config { limits, ..Config::default() });
    let large = observe(con(&sent, Code::CONTENT, 1), 11);
    lone.receive(PEER, &block(large, OptionNumber::BLOCK2, 0, true, &[b'x'; 16]));
    assert_eq!(failures(&mut lone), [Failure::BodyTooLarge]);
    assert_eq!(lone.endpoint.gauges().requests, 0);
}

#[test]
fn when_the_rest_of_a_notification_does_not_come_the_state_is_asked_for_again() {
    for reregister in [true, false] {
        let (mut lone, sent) = observer(get(), Config { reregister, ..Config::default() });
        let large = with(observe(con(&sent, Code::CONTENT, 1), 11), OptionNumber::MAX_AGE, &[0xff, 0xff]);
        lone.receive(PEER, &block(large, OptionNumber::BLOCK2, 0, true, &[b'x'; 16]));
        lone.wait(Duration::from_secs(120));
        let registers = lone.sent.iter().filter(|(_, wire)| wire.options().observe() == Some(0)).count();
        assert_eq!(registers > 0, reregister);
        assert_eq!(failures(&mut lone).is_empty(), reregister);
    }
}

#[test]
fn an_error_in_place_of_a_further_block_is_shown_as_such() {
    let mut lone = Lone::new(Config::default());
    let request = Request {
        block_size_exponent: Some(0),
        ..Request::new(Code::POST).path("x").payload("more than one block")
    };
    lone.endpoint.request(PEER, request, lone.now).unwrap();
    let first = lone.only_sent();
    lone.receive(PEER, &block(ack(&first, Code::CONTINUE), OptionNumber::BLOCK1, 0, true, b""));
    let last = lone.only_sent();
    let answer = block(ack(&last, Code::CHANGED), OptionNumber::BLOCK1, 1, false, b"");
    lone.receive(PEER, &block(answer, OptionNumber::BLOCK2, 0, true, &[b'x'; 16]));
    let next = lone.only_sent();
    lone.receive(PEER, &ack(&next, Code::REQUEST_ENTITY_INCOMPLETE));
    assert_eq!(shown(&mut lone), [(Code::REQUEST_ENTITY_INCOMPLETE, String::new())]);
}

#[test]
fn a_body_that_has_become_small_is_asked_for_from_the_start() {
    let mut lone = Lone::new(Config::default());
    lone.endpoint.request(PEER, Request::new(Code::GET).path("x"), lone.now).unwrap();
    let first = lone.only_sent();
    lone.receive(PEER, &block(ack(&first, Code::CONTENT), OptionNumber::BLOCK2, 0, true, &[b'x'; 16]));
    let second = lone.only_sent();
    lone.receive(PEER, &ack(&second, Code::BAD_REQUEST));
    let again = lone.only_sent();
    assert_eq!(again.options().block2().unwrap().unwrap().num(), 0);
    lone.receive(PEER, &Wire { payload: b"small".into(), ..ack(&again, Code::CONTENT) });
    assert_eq!(shown(&mut lone), [(Code::CONTENT, "small".into())]);
}

#[test]
fn a_fetch_in_blocks_is_made_again_when_the_response_changes() {
    let mut lone = Lone::new(Config::default());
    let request = Request {
        block_size_exponent: Some(0),
        ..Request::new(Code::FETCH).path("x").payload("more than one block")
    };
    lone.endpoint.request(PEER, request, lone.now).unwrap();
    for attempt in 0..4_u8 {
        let first = lone.only_sent();
        assert_eq!(first.payload, b"more than one bl", "attempt {attempt}");
        lone.receive(PEER, &block(ack(&first, Code::CONTINUE), OptionNumber::BLOCK1, 0, true, b""));
        let last = lone.only_sent();
        let answer = with(ack(&last, Code::CONTENT), OptionNumber::ETAG, &[attempt]);
        let answer = block(answer, OptionNumber::BLOCK1, 1, false, b"");
        lone.receive(PEER, &block(answer, OptionNumber::BLOCK2, 0, true, &[b'x'; 16]));
        let next = lone.only_sent();
        let changed = with(ack(&next, Code::CONTENT), OptionNumber::ETAG, &[attempt + 1]);
        lone.receive(PEER, &block(changed, OptionNumber::BLOCK2, 1, false, b"y"));
    }
    assert_eq!(failures(&mut lone), [Failure::Changing]);
}

#[test]
fn a_late_answer_to_a_block_that_has_passed_is_ignored() {
    let mut lone = Lone::new(Config::default());
    let request = Request {
        block_size_exponent: Some(0),
        ..Request::new(Code::PUT).path("x").payload(vec![b'x'; 40]).non_confirmable()
    };
    lone.endpoint.request(PEER, request, lone.now).unwrap();
    let answer = |of: &Wire, code, num, id| {
        let wire = Wire::new(MessageType::NonConfirmable, code, id, &of.token);
        block(wire, OptionNumber::BLOCK1, num, num < 2, b"")
    };
    let sent = lone.only_sent();
    lone.receive(PEER, &answer(&sent, Code::CONTINUE, 0, 1));
    lone.sent.clear();
    lone.receive(PEER, &answer(&sent, Code::CONTINUE, 0, 2));
    lone.nothing_sent();
    lone.receive(PEER, &answer(&sent, Code::CONTINUE, 1, 3));
    lone.sent.clear();
    lone.receive(PEER, &answer(&sent, Code::CONTINUE, 0, 4));
    lone.receive(PEER, &answer(&sent, Code::REQUEST_ENTITY_INCOMPLETE, 1, 6));
    lone.receive(PEER, &answer(&sent, Code::CHANGED, 2, 5));
    assert_eq!(shown(&mut lone), [(Code::CHANGED, String::new())]);
}

#[test]
fn all_requests_of_an_operation_have_its_request_tag() {
    let mut lone = Lone::new(Config::default());
    for _ in 0..2 {
        let request = Request {
            block_size_exponent: Some(0),
            ..Request::new(Code::POST).path("x").payload("more than one block")
        };
        lone.endpoint.request(PEER, request, lone.now).unwrap();
    }
    lone.drain();
    let mut tags = Vec::new();
    // Only one is under way at a time.
    for _ in 0..6 {
        let (_, sent) = lone.sent.pop_front().unwrap();
        tags.push(sent.options().request_tag().map(<[u8]>::to_vec));
        let answer = match (sent.options().block1(), sent.options().block2()) {
            (Some(Ok(part)), _) if part.more() => {
                block(ack(&sent, Code::CONTINUE), OptionNumber::BLOCK1, 0, true, b"")
            }
            (Some(_), _) => {
                let last = block(ack(&sent, Code::CHANGED), OptionNumber::BLOCK1, 1, false, b"");
                block(last, OptionNumber::BLOCK2, 0, true, &[b'x'; 16])
            }
            _ => block(ack(&sent, Code::CHANGED), OptionNumber::BLOCK2, 1, false, b"y"),
        };
        lone.receive(PEER, &answer);
    }
    let tagged: Vec<_> = tags.iter().flatten().collect();
    assert_eq!(tagged.len(), 3, "{tags:?}");
    assert!(tagged.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn bodies_of_registrations_anew_are_told_apart() {
    let transmission = Transmission { nstart: 2, ..Transmission::default() };
    let mut lone = Lone::new(Config { transmission, ..Config::default() });
    for body in ["the body of the one", "the body of the other"] {
        let request = Request {
            block_size_exponent: Some(0),
            ..Request::new(Code::FETCH).path("x").observe().payload(body)
        };
        lone.endpoint.request(PEER, request, lone.now).unwrap();
        let first = lone.only_sent();
        lone.receive(PEER, &block(ack(&first, Code::CONTINUE), OptionNumber::BLOCK1, 0, true, b""));
        let last = lone.only_sent();
        let answer = observe(ack(&last, Code::CONTENT), 1);
        lone.receive(PEER, &block(answer, OptionNumber::BLOCK1, 1, false, b""));
    }
    // Both are stale by then, and none is answered.
    lone.wait(Duration::from_secs(76));
    let sent = |(_, wire): &(u8, Wire)| (wire.token.clone(), wire.options().request_tag().is_some());
    let tagged: BTreeSet<(Vec<u8>, bool)> = lone.sent.iter().map(sent).collect();
    assert_eq!(tagged.len(), 2);
    let (token, _) = tagged.iter().find(|(_, tagged)| *tagged).unwrap();
    assert_eq!(tagged.iter().filter(|(_, tagged)| *tagged).count(), 1);
    // A notification of the registration before, which had none.
    lone.sent.clear();
    let large = observe(Wire::new(MessageType::Confirmable, Code::CONTENT, 77, token), 2);
    lone.receive(PEER, &block(large, OptionNumber::BLOCK2, 0, true, &[b'x'; 16]));
    let fetching = |(_, wire): &&(u8, Wire)| wire.options().block2().is_some();
    assert!(lone.sent.iter().find(fetching).unwrap().1.options().request_tag().is_none());
}

/// A server with one resource that can be observed.
fn subject(config: Config) -> (Lone, coap_core::ResourceId) {
    let mut lone = Lone::new(config);
    let id = lone.endpoint.add_resource(Resource::new("x").observable()).unwrap();
    (lone, id)
}

fn registration(message_type: MessageType, id: u16, token: &[u8]) -> Wire {
    let wire = Wire::new(message_type, Code::GET, id, token);
    with(with(wire, OptionNumber::OBSERVE, b""), OptionNumber::URI_PATH, b"x")
}

#[test]
fn the_first_notification_can_be_rejected_too() {
    let (mut lone, _) = subject(Config::default());
    lone.receive(PEER, &registration(MessageType::NonConfirmable, 1, b"t"));
    let request = lone.only_request();
    lone.respond(&request, Response::new(Code::CONTENT).payload("a"));
    let first = lone.only_sent();
    assert_eq!(lone.endpoint.gauges().observers, 1);
    lone.receive(PEER, &Wire::new(MessageType::Reset, Code::EMPTY, first.id, &[]));
    assert_eq!(lone.endpoint.gauges().observers, 0);
    lone.wait(Duration::from_secs(1000));
    assert_eq!(lone.endpoint.gauges(), Gauges::default());
}

#[test]
fn what_is_known_to_the_observer_has_no_content_format() {
    let (mut lone, resource) = subject(Config::default());
    lone.receive(PEER, &with(registration(MessageType::Confirmable, 1, b"t"), OptionNumber::ETAG, b"1"));
    let state = |etag: &[u8]| {
        Response::new(Code::CONTENT)
            .with(OptionNumber::ETAG, etag)
            .with_uint(OptionNumber::CONTENT_FORMAT, 0)
            .payload("state")
    };
    let request = lone.only_request();
    lone.respond(&request, state(b"1"));
    assert_eq!(lone.only_sent().code, Code::VALID);
    for (etag, code) in [(b"2", Code::CONTENT), (b"1", Code::VALID), (b"3", Code::CONTENT)] {
        lone.wait(Duration::from_secs(5));
        lone.endpoint.changed(resource, lone.now);
        let request = lone.only_request();
        lone.respond(&request, state(etag));
        assert_eq!(lone.only_sent().code, code);
    }
}

#[test]
fn registrations_at_the_same_time_keep_within_the_limit() {
    let limits = Limits { observers: 1, ..Limits::default() };
    let (mut lone, _) = subject(Config { limits, ..Config::default() });
    for (id, token) in [(1, b"a"), (2, b"b")] {
        lone.receive(PEER, &registration(MessageType::Confirmable, id, token));
    }
    for request in lone.requests() {
        lone.respond(&request, Response::new(Code::CONTENT).payload("a"));
    }
    assert_eq!(lone.endpoint.gauges().observers, 1);
    let observed: Vec<_> = lone.sent.iter().map(|(_, wire)| wire.options().observe().is_some()).collect();
    assert_eq!(observed, [true, false]);
}

#[test]
fn a_notification_that_finds_no_room_is_made_again() {
    let limits = Limits { queued_per_peer: 1, ..Limits::default() };
    let (mut lone, resource) = subject(Config { limits, ..Config::default() });
    for (id, token) in [(1, b"a"), (2, b"b"), (3, b"c")] {
        lone.receive(PEER, &registration(MessageType::Confirmable, id, token));
    }
    let state = || Response::new(Code::CONTENT).payload("a").reliability(Reliability::Confirmable);
    for request in lone.requests() {
        lone.respond(&request, state());
    }
    lone.sent.clear();
    lone.endpoint.changed(resource, lone.now);
    let mut notified = Vec::new();
    for _ in 0..3 {
        lone.drain();
        for request in lone.requests() {
            lone.respond(&request, state());
        }
        let sent = lone.only_sent();
        notified.push(sent.token[0]);
        lone.receive(PEER, &Wire::new(MessageType::Acknowledgement, Code::EMPTY, sent.id, &[]));
        lone.wait(Duration::from_secs(1));
        if lone.sent.is_empty() {
            lone.wait(Duration::from_secs(1));
        }
    }
    assert_eq!(notified, *b"abc");
    assert_eq!(lone.endpoint.counters().dropped_full, 1);
}

#[test]
fn a_late_block_of_a_response_is_ignored() {
    let mut lone = Lone::new(Config::default());
    let request = Request::new(Code::POST).path("x").non_confirmable();
    lone.endpoint.request(PEER, request, lone.now).unwrap();
    let sent = lone.only_sent();
    let part = |num, more, id| {
        let wire = Wire::new(MessageType::NonConfirmable, Code::CHANGED, id, &sent.token);
        block(wire, OptionNumber::BLOCK2, num, more, &[b'x'; 16])
    };
    for (num, more, id) in
        [(0, true, 1), (0, true, 2), (1, true, 3), (0, true, 4), (1, true, 5), (2, false, 6)]
    {
        lone.wait(Duration::from_secs(60));
        lone.sent.clear();
        lone.receive(PEER, &part(num, more, id));
    }
    assert_eq!(shown(&mut lone), [(Code::CHANGED, "x".repeat(48))]);
}

#[test]
fn blocks_of_a_body_that_is_gone_are_not_taken_for_those_of_a_larger_one() {
    let limits = Limits { body: 40, ..Limits::default() };
    let mut lone = Lone::new(Config { limits, ..Config::default() });
    lone.endpoint.add_resource(Resource::new("x")).unwrap();
    let asked = |id: u16, num: u32| {
        let wire =
            with(Wire::new(MessageType::Confirmable, Code::GET, id, b"t"), OptionNumber::URI_PATH, b"x");
        block(wire, OptionNumber::BLOCK2, num, false, b"")
    };
    let mut etags = Vec::new();
    for (id, num, body) in [(1, 0, 40), (2, 0, 60), (3, 1, 60)] {
        lone.receive(PEER, &asked(id, num));
        for request in lone.requests() {
            lone.respond(&request, Response::new(Code::CONTENT).payload(vec![b'x'; body]));
        }
        etags.push(lone.only_sent().options().etag().unwrap().to_vec());
    }
    assert_ne!(etags[0], etags[1]);
    assert_eq!(etags[1], etags[2]);
}

#[test]
fn a_body_that_came_in_blocks_is_not_asked_for_again_by_a_challenge() {
    let mut lone = Lone::new(Config::default());
    lone.endpoint.add_resource(Resource::new("x").methods(&[Code::FETCH])).unwrap();
    let unknown = |lone: &mut Lone, wire: &Wire| {
        let input = Input::Datagram { from: PEER, bytes: &wire.bytes(), multicast: false, verified: false };
        lone.endpoint.handle(input, lone.now);
        lone.drain();
    };
    for (num, more) in [(0, true), (1, false)] {
        let id = num as u16;
        let wire = Wire::new(MessageType::Confirmable, Code::FETCH, id, b"t");
        let wire = with(wire, OptionNumber::URI_PATH, b"x");
        unknown(&mut lone, &block(wire, OptionNumber::BLOCK1, num, more, &[b'x'; 16]));
    }
    let request = lone.only_request();
    lone.sent.clear();
    lone.respond(&request, Response::new(Code::CONTENT).payload(vec![b'y'; 900]));
    let answer = lone.only_sent();
    assert_eq!(answer.code, Code::CONTENT);
    assert!(answer.bytes().len() < 200 && answer.options().block2().unwrap().unwrap().more());
}

#[test]
fn a_fetch_whose_body_came_in_blocks_is_not_carried_out_again_without_it() {
    let mut lone = Lone::new(Config::default());
    lone.endpoint.add_resource(Resource::new("x").methods(&[Code::FETCH])).unwrap();
    let wire = with(Wire::new(MessageType::Confirmable, Code::FETCH, 1, b"t"), OptionNumber::URI_PATH, b"x");
    lone.receive(PEER, &block(wire, OptionNumber::BLOCK2, 1, false, b""));
    assert_eq!(lone.only_sent().code, Code::REQUEST_ENTITY_INCOMPLETE);
    assert!(lone.requests().is_empty());
}

/// A large last notification would amplify when nobody has shown that the observer is there.
#[test]
fn the_last_notification_to_an_unconfirmed_observer_is_its_code() {
    let (mut lone, resource) = subject(Config::default());
    let bytes = registration(MessageType::Confirmable, 1, b"t").bytes();
    lone.endpoint
        .handle(Input::Datagram { from: PEER, bytes: &bytes, multicast: false, verified: false }, lone.now);
    let asked = lone.only_request();
    lone.respond(&asked, Response::new(Code::CONTENT).payload("a"));
    lone.sent.clear();
    lone.endpoint.changed(resource, lone.now);
    let asked = lone.only_request();
    lone.respond(&asked, Response::new(Code::NOT_FOUND).payload(vec![b'x'; 1000]));
    let sent = lone.only_sent();
    assert_eq!((sent.code, sent.payload.len(), sent.token), (Code::NOT_FOUND, 0, b"t".to_vec()));
    assert_eq!(lone.endpoint.gauges().observers, 0);
}

#[test]
fn options_that_no_message_can_say_are_refused() {
    let value = vec![b'x'; 65_535 + 269 + 1];
    let mut lone = Lone::new(Config::default());
    let request = Request::new(Code::GET).with(OptionNumber::URI_QUERY, &value);
    assert_eq!(lone.endpoint.request(PEER, request, lone.now).unwrap_err(), Refused::OptionTooLong);
    let (mut lone, _) = subject(Config::default());
    lone.receive(PEER, &registration(MessageType::Confirmable, 1, b"t"));
    let asked = lone.only_request();
    let response = Response::new(Code::CONTENT).with(OptionNumber::LOCATION_QUERY, &value);
    assert_eq!(lone.endpoint.respond(asked.id, response, lone.now).unwrap_err(), Refused::OptionTooLong);
    lone.respond(&asked, Response::new(Code::CONTENT));
    assert_eq!(lone.only_sent().code, Code::CONTENT, "the request is there still");
}
