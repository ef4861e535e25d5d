//! Requests to a group (RFC 7252 §8).

use std::time::Duration;

use coap_codec::{Block, Code, MessageType, OptionNumber};
use coap_core::{Action, Config, Failure, Request};

use crate::support::{Lone, Wire};

const GROUP: u8 = 9;

/// A response of a member.
fn answer(request: &Wire, id: u16, payload: &str) -> Wire {
    let mut answer = Wire::new(MessageType::NonConfirmable, Code::CONTENT, id, &request.token);
    answer.payload = payload.into();
    answer
}

/// Who has answered what, since last asked.
fn answers(lone: &mut Lone) -> Vec<(u8, String)> {
    let mut answers = Vec::new();
    lone.reported.retain(|action| match action {
        Action::Response { from, response, more: true, .. } => {
            answers.push((*from, String::from_utf8(response.payload.to_vec()).unwrap()));
            false
        }
        _ => true,
    });
    answers
}

#[test]
fn a_group_is_asked_once_and_its_members_answer_until_their_time_is_over() {
    let mut lone = Lone::new(Config::default());
    let handle = lone.endpoint.request_group(GROUP, Request::new(Code::GET).path("a"), lone.now).unwrap();
    let request = lone.only_sent();
    assert_eq!((request.message_type, request.code), (MessageType::NonConfirmable, Code::GET));
    lone.receive(1, &answer(&request, 1, "one"));
    lone.wait(Duration::from_secs(4));
    lone.receive(2, &answer(&request, 1, "two"));
    assert_eq!(answers(&mut lone), [(1, "one".to_owned()), (2, "two".to_owned())]);
    lone.wait(Duration::from_secs(300));
    lone.nothing_sent();
    let failure = Failure::GroupClosed;
    assert_eq!(lone.reported.pop_front(), Some(Action::Failed { handle, failure }));
    lone.receive(3, &answer(&request, 2, "too late"));
    assert_eq!(answers(&mut lone), []);
}

#[test]
fn a_request_to_a_group_can_be_cancelled_and_many_can_be_open() {
    let mut lone = Lone::new(Config::default());
    let mut ask = |path: &str| {
        let request = Request::new(Code::GET).path(path);
        let handle = lone.endpoint.request_group(GROUP, request, lone.now).unwrap();
        (handle, lone.only_sent())
    };
    let ((first, forgotten), (_, open)) = (ask("a"), ask("b"));
    assert_ne!(forgotten.id, open.id);
    lone.endpoint.cancel(first, lone.now);
    lone.receive(1, &answer(&forgotten, 1, "nobody wants it"));
    lone.receive(1, &answer(&open, 2, "wanted"));
    assert_eq!(answers(&mut lone), [(1, "wanted".to_owned())]);
}

/// RFC 7959 §2.8.
#[test]
fn the_rest_of_a_members_body_is_fetched_from_that_member() {
    let mut lone = Lone::new(Config::default());
    lone.endpoint.request_group(GROUP, Request::new(Code::GET).path("a"), lone.now).unwrap();
    let request = lone.only_sent();
    let block = |num, more| Block::new(num, more, 0).unwrap().value();
    let mut first = answer(&request, 1, "sixteen bytes, a");
    first.options.add(OptionNumber::BLOCK2, &block(0, true));
    lone.receive(1, &first);
    let (to, next) = lone.sent.pop_front().expect("a request for the rest");
    assert_eq!((to, next.message_type), (1, MessageType::Confirmable));
    assert_eq!(next.options().block2().unwrap().unwrap().num(), 1);
    assert_ne!(next.token, request.token);
    let mut last = Wire::new(MessageType::Acknowledgement, Code::CONTENT, next.id, &next.token);
    last.options.add(OptionNumber::BLOCK2, &block(1, false));
    last.payload = b"nd a few".into();
    lone.receive(1, &last);
    assert_eq!(answers(&mut lone), [(1, "sixteen bytes, and a few".to_owned())]);
}
