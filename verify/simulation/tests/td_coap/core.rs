//! `TD_COAP_CORE_…`: requests and responses.

use std::time::Duration;

use coap_codec::{Code, ContentFormat, MessageType, OptionNumber};
use coap_core::{Action, Request, Token};

use crate::table::{CLIENT, SERVER, Table, Wire, get, non_confirmable, piggybacked, texts, with_text};

fn has_format_with_payload(wire: &Wire) {
    assert!(wire.payload.is_empty() || wire.options().content_format().is_some(), "{wire:?}");
}

fn is_empty_ack(wire: &Wire, from: u8, id: u16) {
    assert_eq!((wire.from, wire.message_type, wire.code), (from, MessageType::Acknowledgement, Code::EMPTY));
    assert_eq!((wire.id, wire.bytes.len()), (id, 4));
}

#[test]
fn td_coap_core_01() {
    let (response, messages) = Table::new().exchange(get("test"));
    let (request, answer) = piggybacked(&messages);
    assert_eq!((request.code, request.path()), (Code::GET, vec!["test".to_owned()]));
    assert_eq!(answer.code, Code::CONTENT);
    assert!(answer.options().content_format().is_some() && !answer.payload.is_empty());
    assert_eq!(response.payload, answer.payload);
}

#[test]
fn td_coap_core_02() {
    let (_, messages) = Table::new().exchange(Request::new(Code::DELETE).path("test"));
    let (request, answer) = piggybacked(&messages);
    assert_eq!((request.code, answer.code), (Code::DELETE, Code::DELETED));
    has_format_with_payload(answer);
}

#[test]
fn td_coap_core_03() {
    let (_, messages) = Table::new().exchange(with_text(Code::PUT, "test", "new"));
    let (request, answer) = piggybacked(&messages);
    assert_eq!((request.code, &request.payload[..]), (Code::PUT, &b"new"[..]));
    assert!(matches!(answer.code, Code::CHANGED | Code::CREATED));
    has_format_with_payload(answer);
}

#[test]
fn td_coap_core_04() {
    let (_, messages) = Table::new().exchange(with_text(Code::POST, "test", "new"));
    let (request, answer) = piggybacked(&messages);
    assert_eq!(request.code, Code::POST);
    assert!(matches!(answer.code, Code::CHANGED | Code::CREATED));
    has_format_with_payload(answer);
}

#[test]
fn td_coap_core_05() {
    let (_, messages) = Table::new().exchange(get("test").non_confirmable());
    let (request, answer) = non_confirmable(&messages);
    assert_eq!((request.code, answer.code), (Code::GET, Code::CONTENT));
    assert!(answer.options().content_format().is_some());
}

#[test]
fn td_coap_core_06() {
    let (_, messages) = Table::new().exchange(Request::new(Code::DELETE).path("test").non_confirmable());
    let (_, answer) = non_confirmable(&messages);
    assert_eq!(answer.code, Code::DELETED);
    has_format_with_payload(answer);
}

#[test]
fn td_coap_core_07() {
    let (_, messages) = Table::new().exchange(with_text(Code::PUT, "test", "new").non_confirmable());
    let (_, answer) = non_confirmable(&messages);
    assert!(matches!(answer.code, Code::CHANGED | Code::CREATED));
    has_format_with_payload(answer);
}

#[test]
fn td_coap_core_08() {
    let (_, messages) = Table::new().exchange(with_text(Code::POST, "test", "new").non_confirmable());
    let (_, answer) = non_confirmable(&messages);
    assert!(matches!(answer.code, Code::CHANGED | Code::CREATED));
    has_format_with_payload(answer);
}

/// Request, empty acknowledgement, separate response, empty acknowledgement.
fn separate(messages: &[Wire]) {
    let [request, ack, response, ack_of_response] = messages else { panic!("{messages:?}") };
    assert_eq!(
        (request.from, request.message_type, request.code),
        (CLIENT, MessageType::Confirmable, Code::GET)
    );
    is_empty_ack(ack, SERVER, request.id);
    assert_eq!((response.from, response.message_type), (SERVER, MessageType::Confirmable));
    assert_eq!((response.code, &response.token), (Code::CONTENT, &request.token));
    assert!(response.options().content_format().is_some() && !response.payload.is_empty());
    assert!(response.at - request.at >= Duration::from_secs(1), "a couple of seconds");
    is_empty_ack(ack_of_response, CLIENT, response.id);
}

#[test]
fn td_coap_core_09() {
    let (_, messages) = Table::new().exchange(get("separate"));
    assert_eq!(messages[0].path(), ["separate"]);
    separate(&messages);
}

#[test]
fn td_coap_core_10() {
    for len in 1..=8 {
        let token = vec![len; usize::from(len)];
        let request = Request { token: Some(Token::new(&token)), ..get("test") };
        let (_, messages) = Table::new().exchange(request);
        let (request, answer) = piggybacked(&messages);
        assert_eq!((&request.token, answer.code), (&token, Code::CONTENT));
    }
}

#[test]
fn td_coap_core_11() {
    let request = Request { token: Some(Token::new(b"11")), ..get("separate") };
    let (_, messages) = Table::new().exchange(request);
    assert_eq!(messages[0].token, b"11");
    separate(&messages);
}

#[test]
fn td_coap_core_12() {
    let (_, messages) = Table::new().exchange(Request { token: Some(Token::EMPTY), ..get("test") });
    let (request, answer) = piggybacked(&messages);
    assert_eq!((request.token.len(), answer.code), (0, Code::CONTENT));
}

#[test]
fn td_coap_core_13() {
    let (response, messages) = Table::new().exchange(get("seg1/seg2/seg3"));
    let (request, answer) = piggybacked(&messages);
    assert_eq!(request.path(), ["seg1", "seg2", "seg3"]);
    assert_eq!(answer.code, Code::CONTENT);
    assert!(!response.payload.is_empty());
}

#[test]
fn td_coap_core_14() {
    let queries = ["first=1", "second=2", "third=3"];
    let request = queries
        .iter()
        .fold(get("query"), |request, query| request.with(OptionNumber::URI_QUERY, query.as_bytes()));
    let (response, messages) = Table::new().exchange(request);
    let (request, answer) = piggybacked(&messages);
    assert_eq!(texts(request.options().uri_query()), queries);
    assert_eq!(answer.code, Code::CONTENT);
    let text = String::from_utf8(response.payload.to_vec()).unwrap();
    assert!(queries.iter().all(|query| text.contains(query)), "{text}");
}

/// Runs an exchange in which the datagrams with these numbers are lost.
fn lossy(request: Request, lost: &'static [usize]) -> (Table, Vec<Wire>) {
    let mut table = Table::new();
    let mut number = 0;
    table.lose = Box::new(move |_| {
        number += 1;
        lost.contains(&(number - 1))
    });
    let (_, messages) = table.exchange(request);
    assert_eq!(table.responses().len(), 1, "shown once");
    (table, messages)
}

#[test]
fn td_coap_core_15() {
    // The request is lost.
    let (_, messages) = lossy(get("test"), &[0]);
    let [first, again, response] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!(first.bytes, again.bytes);
    assert!((2..=3).contains(&(again.at - first.at).as_secs()));
    assert_eq!((response.id, response.code), (first.id, Code::CONTENT));
    // The response is lost.
    let (_, messages) = lossy(get("test"), &[1]);
    let [first, response, again, response_again] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!((&first.bytes, &response.bytes), (&again.bytes, &response_again.bytes));
}

#[test]
fn td_coap_core_16() {
    // The request is lost.
    let (_, messages) = lossy(get("separate"), &[0]);
    assert_eq!(messages[0].bytes, messages[1].bytes);
    separate(&messages[1..]);
    // The acknowledgement of the request is lost: the arrival of the response stops the retransmission.
    let (_, messages) = lossy(get("separate"), &[1]);
    let requests = messages.iter().filter(|wire| wire.from == CLIENT && wire.code == Code::GET).count();
    let response = messages.iter().position(|wire| wire.code == Code::CONTENT).unwrap();
    assert!(messages[response..].iter().all(|wire| wire.code != Code::GET));
    assert!(requests <= 2, "{messages:?}");
    // The response is lost.
    let (_, messages) = lossy(get("separate"), &[2]);
    let responses: Vec<_> = messages.iter().filter(|wire| wire.code == Code::CONTENT).collect();
    assert_eq!((responses.len(), &responses[0].bytes), (2, &responses[1].bytes));
    // The acknowledgement of the response is lost.
    let (_, messages) = lossy(get("separate"), &[3]);
    let responses: Vec<_> = messages.iter().filter(|wire| wire.code == Code::CONTENT).collect();
    assert_eq!((responses.len(), &responses[0].bytes), (2, &responses[1].bytes));
    is_empty_ack(messages.last().unwrap(), CLIENT, responses[0].id);
}

#[test]
fn td_coap_core_17() {
    let (_, messages) = Table::new().exchange(get("separate").non_confirmable());
    let (request, response) = non_confirmable(&messages);
    assert_eq!(response.code, Code::CONTENT);
    assert!(response.options().content_format().is_some() && !response.payload.is_empty());
    assert!(response.at - request.at >= Duration::from_secs(1));
}

#[test]
fn td_coap_core_18() {
    let (_, messages) = Table::new().exchange(with_text(Code::POST, "test", "anything"));
    let (_, answer) = piggybacked(&messages);
    assert_eq!(answer.code, Code::CREATED);
    assert_eq!(texts(answer.options().location_path()), ["location1", "location2", "location3"]);
}

#[test]
fn td_coap_core_19() {
    let (_, messages) = Table::new().exchange(with_text(Code::POST, "location-query", "anything"));
    let (_, answer) = piggybacked(&messages);
    assert_eq!(answer.code, Code::CREATED);
    assert_eq!(texts(answer.options().location_query()), ["first=1", "second=2"]);
}

#[test]
fn td_coap_core_20() {
    let mut table = Table::new();
    let mut bodies = Vec::new();
    for format in [ContentFormat::TEXT_PLAIN, ContentFormat::XML] {
        let accept = u64::from(format.get());
        let (response, messages) =
            table.exchange(get("multi-format").with_uint(OptionNumber::ACCEPT, accept));
        let (request, answer) = piggybacked(&messages);
        assert_eq!(request.options().accept(), Some(format));
        assert_eq!((answer.code, answer.options().content_format()), (Code::CONTENT, Some(format)));
        bodies.push(response.payload);
    }
    assert_ne!(bodies[0], bodies[1]);
    let json = u64::from(ContentFormat::JSON.get());
    let (response, _) = table.exchange(get("multi-format").with_uint(OptionNumber::ACCEPT, json));
    assert_eq!(response.code, Code::NOT_ACCEPTABLE);
}

#[test]
fn td_coap_core_21() {
    let mut table = Table::new();
    let (first, messages) = table.exchange(get("validate"));
    let etag = piggybacked(&messages).1.options().etag().unwrap().to_vec();
    assert_eq!(piggybacked(&messages).0.options().etag(), None);

    let again = || get("validate").with(OptionNumber::ETAG, &etag);
    let (_, messages) = table.exchange(again());
    let (request, answer) = piggybacked(&messages);
    assert_eq!((request.options().etag(), answer.options().etag()), (Some(&etag[..]), Some(&etag[..])));
    assert_eq!((answer.code, answer.payload.len()), (Code::VALID, 0));

    table.exchange(with_text(Code::PUT, "validate", "changed"));
    let (response, messages) = table.exchange(again());
    let (_, answer) = piggybacked(&messages);
    assert_eq!(answer.code, Code::CONTENT);
    assert_ne!(answer.options().etag(), Some(&etag[..]));
    assert_ne!(response.payload, first.payload);
}

#[test]
fn td_coap_core_22() {
    let mut table = Table::new();
    let etag = |table: &mut Table| {
        let (response, _) = table.exchange(get("validate"));
        (response.options.view().etag().unwrap().to_vec(), response.payload)
    };
    let (first, _) = etag(&mut table);
    let (response, _) =
        table.exchange(with_text(Code::PUT, "validate", "update").with(OptionNumber::IF_MATCH, &first));
    assert_eq!(response.code, Code::CHANGED);

    let (second, body) = etag(&mut table);
    assert_ne!(first, second);
    assert_eq!(body, "update");
    let (response, _) = table.exchange(with_text(Code::PUT, "validate", "somebody else's"));
    assert_eq!(response.code, Code::CHANGED);
    let (response, messages) =
        table.exchange(with_text(Code::PUT, "validate", "too late").with(OptionNumber::IF_MATCH, &second));
    assert_eq!(response.code, Code::PRECONDITION_FAILED);
    assert!(piggybacked(&messages).0.options().contains(OptionNumber::IF_MATCH));
    assert_eq!(etag(&mut table).1, "somebody else's");
}

#[test]
fn td_coap_core_23() {
    let mut table = Table::new();
    let create = || with_text(Code::PUT, "create1", "new").with(OptionNumber::IF_NONE_MATCH, b"");
    let (_, messages) = table.exchange(create());
    let (request, answer) = piggybacked(&messages);
    assert!(request.options().if_none_match());
    assert_eq!(answer.code, Code::CREATED);
    let (response, _) = table.exchange(create());
    assert_eq!(response.code, Code::PRECONDITION_FAILED);
}

#[test]
fn td_coap_core_31() {
    let mut table = Table::new();
    let handle = table.client.ping(SERVER, table.now).unwrap();
    table.run(Duration::from_secs(1));
    let messages = table.news();
    let [request, reset] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!(
        (request.message_type, request.code, request.bytes.len()),
        (MessageType::Confirmable, Code::EMPTY, 4)
    );
    assert_eq!((reset.message_type, reset.id, reset.bytes.len()), (MessageType::Reset, request.id, 4));
    assert_eq!(table.shown, [Action::Pong { handle }]);
}
