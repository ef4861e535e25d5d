//! Which response belongs to which request (RFC 7252 §4.2, §4.4, §5.3.2).

use std::collections::BTreeSet;
use std::time::Duration;

use coap_codec::{Code, MessageType};
use coap_core::{Action, Config, Failure, Input, Refused, Request, Token};

use crate::support::{Lone, Wire};

const PEER: u8 = 9;
const STRANGER: u8 = 10;

fn asked(request: Request) -> (Lone, Wire) {
    let mut lone = Lone::new(Config::default());
    lone.endpoint.request(PEER, request, lone.now).unwrap();
    let sent = lone.only_sent();
    (lone, sent)
}

fn get() -> Request {
    Request::new(Code::GET).path("x")
}

fn ack(code: Code, of: &Wire, token: &[u8]) -> Wire {
    Wire::new(MessageType::Acknowledgement, code, of.id, token)
}

fn responses(lone: &Lone) -> usize {
    lone.reported.iter().filter(|action| matches!(action, Action::Response { .. })).count()
}

#[test]
fn a_piggybacked_response_needs_message_id_and_token() {
    let (mut lone, sent) = asked(get());
    lone.receive(PEER, &ack(Code::CONTENT, &sent, b"other"));
    lone.receive(PEER, &Wire { id: sent.id.wrapping_add(1), ..ack(Code::CONTENT, &sent, &sent.token) });
    lone.receive(STRANGER, &ack(Code::CONTENT, &sent, &sent.token));
    lone.nothing_sent();
    assert_eq!(responses(&lone), 0);
    assert_eq!(lone.endpoint.counters().unmatched, 3);
    lone.receive(PEER, &ack(Code::CONTENT, &sent, &sent.token));
    assert_eq!(responses(&lone), 1);
}

/// A token made here says where its exchange is; the application may use the same for another peer, or later.
#[test]
fn the_same_token_belongs_to_one_request_of_each_peer() {
    let (mut lone, sent) = asked(get());
    let again = || Request { token: Some(Token::new(&sent.token)), ..get() };
    assert_eq!(lone.endpoint.request(PEER, again(), lone.now), Err(Refused::TokenInUse));
    let other = lone.endpoint.request(STRANGER, again(), lone.now).unwrap();
    let to_other = lone.only_sent();
    assert_eq!(to_other.token, sent.token);
    lone.receive(STRANGER, &ack(Code::CONTENT, &to_other, &sent.token));
    let answered = |lone: &Lone| match lone.reported.back() {
        Some(Action::Response { handle, .. }) => Some(*handle),
        _ => None,
    };
    assert_eq!(answered(&lone), Some(other));
    lone.receive(PEER, &ack(Code::CONTENT, &sent, &sent.token));
    assert_ne!(answered(&lone), Some(other));
    assert_eq!(responses(&lone), 2);
    // Both are over: the token is free, wherever the exchange comes to lie.
    for _ in 0..2 {
        lone.endpoint.request(PEER, get(), lone.now).unwrap();
        let later = lone.endpoint.request(PEER, again(), lone.now).unwrap();
        lone.endpoint.cancel(later, lone.now);
    }
    assert_eq!(lone.endpoint.gauges().requests, 2);
}

#[test]
fn tokens_made_here_differ_in_more_than_the_place_of_the_exchange() {
    let mut lone = Lone::new(Config::default());
    let mut tokens = BTreeSet::new();
    for _ in 0..1000 {
        let handle = lone.endpoint.request(PEER, get().non_confirmable(), lone.now).unwrap();
        lone.drain();
        tokens.extend(lone.sent.pop_front().map(|(_, wire)| wire.token));
        lone.endpoint.cancel(handle, lone.now);
        lone.now += Duration::from_secs(60);
        lone.endpoint.handle(Input::Tick, lone.now);
    }
    assert_eq!(tokens.len(), 1000);
}

#[test]
fn a_separate_response_needs_token_and_source() {
    let (mut lone, sent) = asked(get());
    lone.receive(PEER, &ack(Code::EMPTY, &sent, b""));
    lone.receive(STRANGER, &Wire::new(MessageType::Confirmable, Code::CONTENT, 77, &sent.token));
    assert_eq!(lone.only_sent().message_type, MessageType::Reset);
    lone.receive(PEER, &Wire::new(MessageType::Confirmable, Code::CONTENT, 77, &sent.token));
    let answer = lone.only_sent();
    assert_eq!(
        (answer.message_type, answer.code, answer.id),
        (MessageType::Acknowledgement, Code::EMPTY, 77)
    );
    assert_eq!(responses(&lone), 1);
}

#[test]
fn a_separate_response_may_come_before_the_acknowledgement_and_stops_retransmission() {
    let (mut lone, sent) = asked(get());
    lone.receive(PEER, &Wire::new(MessageType::Confirmable, Code::CONTENT, 78, &sent.token));
    assert_eq!(lone.only_sent().message_type, MessageType::Acknowledgement);
    lone.receive(PEER, &ack(Code::EMPTY, &sent, b""));
    lone.wait(Duration::from_secs(100));
    lone.nothing_sent();
    assert_eq!(responses(&lone), 1);
}

#[test]
fn the_response_to_a_confirmable_request_may_be_non_confirmable_and_the_other_way_round() {
    let (mut lone, sent) = asked(get());
    lone.receive(PEER, &ack(Code::EMPTY, &sent, b""));
    lone.receive(PEER, &Wire::new(MessageType::NonConfirmable, Code::CONTENT, 79, &sent.token));
    lone.nothing_sent();
    assert_eq!(responses(&lone), 1);

    let (mut lone, sent) = asked(get().non_confirmable());
    assert_eq!(sent.message_type, MessageType::NonConfirmable);
    lone.receive(PEER, &Wire::new(MessageType::Confirmable, Code::CONTENT, 80, &sent.token));
    assert_eq!(lone.only_sent().message_type, MessageType::Acknowledgement);
    assert_eq!(responses(&lone), 1);
}

#[test]
fn an_unknown_response_is_reset_if_confirmable_and_met_with_silence_on_an_acknowledgement() {
    let mut lone = Lone::new(Config::default());
    lone.receive(PEER, &Wire::new(MessageType::Confirmable, Code::CONTENT, 81, b"nobody"));
    let answer = lone.only_sent();
    assert_eq!((answer.message_type, answer.code, answer.id), (MessageType::Reset, Code::EMPTY, 81));
    lone.receive(PEER, &Wire::new(MessageType::Acknowledgement, Code::CONTENT, 82, b"nobody"));
    lone.nothing_sent();
}

#[test]
fn a_repeated_separate_response_is_acknowledged_again_and_reported_once() {
    let (mut lone, sent) = asked(get());
    lone.receive(PEER, &ack(Code::EMPTY, &sent, b""));
    let response = Wire::new(MessageType::Confirmable, Code::CONTENT, 83, &sent.token);
    lone.receive(PEER, &response);
    let first = lone.only_sent();
    lone.wait(Duration::from_secs(20));
    lone.receive(PEER, &response);
    assert_eq!(lone.only_sent(), first);
    assert_eq!(responses(&lone), 1);
}

#[test]
fn a_reset_ends_a_request_that_waits_for_its_acknowledgement() {
    let (mut lone, sent) = asked(get());
    lone.receive(PEER, &Wire::new(MessageType::Reset, Code::EMPTY, sent.id, b""));
    assert!(matches!(lone.reported.back(), Some(Action::Failed { failure: Failure::Reset, .. })));
    lone.wait(Duration::from_secs(300));
    lone.nothing_sent();
}

#[test]
fn a_request_without_any_acknowledgement_fails_after_the_last_interval_was_waited_out() {
    let (mut lone, _) = asked(get());
    let start = lone.now;
    lone.wait(Duration::from_secs(61));
    assert!(lone.reported.is_empty(), "2 + 4 + 8 + 16 + 32 s at the least");
    lone.wait(Duration::from_secs(33));
    assert!(matches!(lone.reported.back(), Some(Action::Failed { failure: Failure::NotAcknowledged, .. })));
    assert_eq!(lone.sent.len(), 4, "five transmissions in all");
    assert!(lone.now - start <= Duration::from_secs(94));
}

#[test]
fn an_acknowledged_request_without_a_response_fails_in_its_time() {
    let request = Request { timeout: Some(Duration::from_secs(30)), ..get() };
    let (mut lone, sent) = asked(request);
    lone.receive(PEER, &ack(Code::EMPTY, &sent, b""));
    assert!(matches!(lone.reported.pop_front(), Some(Action::Acknowledged { .. })));
    lone.wait(Duration::from_secs(29));
    assert!(lone.reported.is_empty());
    lone.wait(Duration::from_secs(2));
    assert!(matches!(lone.reported.back(), Some(Action::Failed { failure: Failure::NoResponse, .. })));
}

#[test]
fn a_response_with_an_unknown_critical_option_is_rejected() {
    const UNKNOWN: coap_codec::OptionNumber = coap_codec::OptionNumber::new(65_001);
    let (mut lone, sent) = asked(get());
    lone.receive(PEER, &ack(Code::EMPTY, &sent, b""));
    let mut response = Wire::new(MessageType::Confirmable, Code::CONTENT, 84, &sent.token);
    response.options.add(UNKNOWN, b"x");
    lone.receive(PEER, &response);
    assert_eq!(lone.only_sent().message_type, MessageType::Reset);
    assert!(matches!(lone.reported.back(), Some(Action::Failed { failure: Failure::BadOption, .. })));

    let (mut lone, sent) = asked(get());
    let mut response = ack(Code::CONTENT, &sent, &sent.token);
    response.options.add(UNKNOWN, b"x");
    lone.receive(PEER, &response);
    lone.nothing_sent();
    assert!(matches!(lone.reported.back(), Some(Action::Failed { failure: Failure::BadOption, .. })));
}

#[test]
fn tokens_differ_and_nobody_can_guess_them() {
    let mut lone = Lone::new(Config::default());
    for peer in 0..100 {
        lone.endpoint.request(peer, get(), lone.now).unwrap();
    }
    lone.drain();
    let tokens: std::collections::BTreeSet<Vec<u8>> =
        lone.sent.iter().map(|(_, wire)| wire.token.clone()).collect();
    assert_eq!(tokens.len(), 100);
    assert!(tokens.iter().all(|token| token.len() == 8));
}

#[test]
fn a_ping_is_answered_with_a_reset_and_the_answer_is_the_pong() {
    let mut lone = Lone::new(Config::default());
    lone.receive(PEER, &Wire::new(MessageType::Confirmable, Code::EMPTY, 85, b""));
    let answer = lone.only_sent();
    assert_eq!((answer.message_type, answer.id), (MessageType::Reset, 85));

    let handle = lone.endpoint.ping(PEER, lone.now).unwrap();
    let ping = lone.only_sent();
    assert_eq!((ping.message_type, ping.code, ping.token.len()), (MessageType::Confirmable, Code::EMPTY, 0));
    lone.receive(PEER, &Wire::new(MessageType::Reset, Code::EMPTY, ping.id, b""));
    assert_eq!(lone.reported.pop_back(), Some(Action::Pong { handle }));
}

#[test]
fn what_waits_for_an_unreachable_peer_ends() {
    let mut lone = Lone::new(Config::default());
    for _ in 0..3 {
        lone.endpoint.request(PEER, get(), lone.now).unwrap();
    }
    lone.endpoint.request(STRANGER, get(), lone.now).unwrap();
    lone.drain();
    lone.endpoint.handle(coap_core::Input::Unreachable { peer: PEER }, lone.now);
    lone.drain();
    let failed =
        |action: &&Action<u8>| matches!(action, Action::Failed { failure: Failure::Unreachable, .. });
    assert_eq!(lone.reported.iter().filter(failed).count(), 3);
}

#[test]
fn a_cancelled_request_is_over_and_its_late_response_harmless() {
    let mut lone = Lone::new(Config::default());
    let handle = lone.endpoint.request(PEER, get(), lone.now).unwrap();
    let sent = lone.only_sent();
    lone.endpoint.cancel(handle, lone.now);
    lone.drain();
    assert_eq!(lone.reported.pop_front(), Some(Action::Failed { handle, failure: Failure::Cancelled }));
    lone.receive(PEER, &ack(Code::CONTENT, &sent, &sent.token));
    lone.endpoint.cancel(handle, lone.now);
    lone.wait(Duration::from_secs(300));
    lone.nothing_sent();
    assert!(lone.reported.is_empty());
}
