//! Requests and responses between two endpoints (RFC 7252 §2.2, §5.2).

use std::time::Duration;

use coap_codec::{Code, OptionNumber};
use coap_core::{Action, Config, Failure, Input, Reliability, Request, Resource, Response, Transmission};

use crate::support::{Fate, Lone, Pair, SERVER};

fn hello() -> Pair {
    let mut pair = Pair::new(|server, request, now| {
        let response = Response::new(Code::CONTENT).payload("hello");
        server.respond(request.id, response, now).unwrap();
    });
    pair.server.add_resource(Resource::new("hello").observable()).unwrap();
    pair
}

#[test]
fn a_response_rides_on_the_acknowledgement() {
    let mut pair = hello();
    let handle = pair.client.request(SERVER, Request::new(Code::GET).path("hello"), pair.now).unwrap();
    pair.settle();
    assert_eq!(pair.trace(), ["> CON 0.01", "< ACK 2.05"]);
    assert_eq!(pair.log[0].1.token, pair.log[1].1.token);
    let [Action::Response { handle: answered, response, more: false, .. }] = &pair.outcomes[..] else {
        panic!("{:?}", pair.outcomes)
    };
    assert_eq!((*answered, &response.payload[..]), (handle, &b"hello"[..]));
}

#[test]
fn a_lost_response_is_sent_again_to_the_letter() {
    let mut pair = hello();
    let mut lost = 0;
    pair.fate = Box::new(move |from, _| {
        lost += 1;
        if from == SERVER && lost < 6 { Fate::Lose } else { Fate::Pass }
    });
    pair.client.request(SERVER, Request::new(Code::GET).path("hello"), pair.now).unwrap();
    pair.wait(Duration::from_secs(100));
    assert_eq!(pair.trace(), ["> CON 0.01", "< ACK 2.05"].repeat(3));
    assert_eq!(pair.log[1], pair.log[3]);
    assert_eq!(pair.responses().len(), 1);
}

#[test]
fn large_bodies_go_in_blocks_both_ways() {
    let mut pair = Pair::new(|server, request, now| {
        let mut body = request.payload.to_vec();
        body.reverse();
        server.respond(request.id, Response::new(Code::CHANGED).payload(body), now).unwrap();
    });
    pair.server.add_resource(Resource::new("echo").methods(&[Code::POST])).unwrap();
    let body: Vec<u8> = (0..5000_u32).map(|i| i as u8).collect();
    pair.client
        .request(SERVER, Request::new(Code::POST).path("echo").payload(body.clone()), pair.now)
        .unwrap();
    pair.settle();
    let responses = pair.responses();
    assert_eq!(responses.len(), 1, "{:?}", pair.trace());
    assert!(responses[0].payload.iter().rev().eq(body.iter()));
    assert!(pair.log.iter().all(|(_, wire)| wire.payload.len() <= 1024));
}

#[test]
fn an_observer_hears_of_changes() {
    let mut pair = hello();
    let handle =
        pair.client.request(SERVER, Request::new(Code::GET).path("hello").observe(), pair.now).unwrap();
    pair.settle();
    let id = pair.server_reports.iter().find_map(|action| match action {
        Action::Observers { resource, count: 1 } => Some(*resource),
        _ => None,
    });
    pair.wait(Duration::from_secs(5));
    pair.server.changed(id.unwrap(), pair.now);
    pair.wait(Duration::from_secs(5));
    assert_eq!(pair.trace(), ["> CON 0.01", "< ACK 2.05", "< NON 2.05"]);
    assert_eq!(pair.responses().len(), 2);
    pair.client.deregister(handle, pair.now).unwrap();
    pair.settle();
    assert!(matches!(pair.outcomes.last(), Some(Action::Response { more: false, .. })));
    assert!(matches!(pair.server_reports.last(), Some(Action::Observers { count: 0, .. })));
}

#[test]
fn a_peer_of_unknown_address_is_challenged_before_it_gets_much() {
    let mut pair = Pair::new(|server, request, now| {
        server.respond(request.id, Response::new(Code::CONTENT).payload(vec![b'x'; 900]), now).unwrap();
    });
    pair.server.add_resource(Resource::new("big")).unwrap();
    pair.verified = false;
    pair.client.request(SERVER, Request::new(Code::GET).path("big"), pair.now).unwrap();
    pair.settle();
    assert_eq!(pair.trace(), ["> CON 0.01", "< ACK 4.01", "> CON 0.01", "< ACK 2.05"]);
    assert!(pair.log[2].1.options().echo().is_some());
    assert_eq!(pair.responses()[0].payload.len(), 900);
}

#[test]
fn a_response_is_separate_when_the_application_takes_its_time() {
    let mut pair = hello();
    pair.application = Box::new(|_, _, _| {});
    pair.client.request(SERVER, Request::new(Code::GET).path("hello"), pair.now).unwrap();
    pair.settle();
    let pending = std::rc::Rc::new(std::cell::Cell::new(None));
    let slot = pending.clone();
    pair.application = Box::new(move |_, request, _| slot.set(Some(request.id)));
    pair.client.request(SERVER, Request::new(Code::GET).path("hello"), pair.now).unwrap();
    pair.wait(Duration::from_secs(3));
    let id = pending.take().unwrap();
    let response =
        Response::new(Code::CONTENT).with(OptionNumber::ETAG, b"1").reliability(Reliability::Confirmable);
    pair.server.respond(id, response, pair.now).unwrap();
    pair.settle();
    assert_eq!(
        pair.trace(),
        ["> CON 0.01", "< ACK 0.00", "> CON 0.01", "< ACK 0.00", "< CON 2.05", "> ACK 0.00"]
    );
}

#[test]
fn a_handler_runs_once_however_often_its_request_arrives() {
    let runs = std::rc::Rc::new(std::cell::Cell::new(0));
    let count = runs.clone();
    let mut pair = Pair::new(move |server, request, now| {
        count.set(count.get() + 1);
        server.respond(request.id, Response::new(Code::CHANGED), now).unwrap();
    });
    pair.server.add_resource(Resource::new("x").methods(&[Code::POST])).unwrap();
    pair.fate = Box::new(|_, _| Fate::Twice);
    pair.client.request(SERVER, Request::new(Code::POST).path("x"), pair.now).unwrap();
    pair.settle();
    assert_eq!((runs.get(), pair.responses().len()), (1, 1));
}

#[test]
fn a_late_tick_leaves_no_deadline_behind_where_one_end_lets_the_next_request_go() {
    let transmission = Transmission { probing_rate: 1_000_000, ..Transmission::default() };
    let mut lone = Lone::new(Config { transmission, ..Config::default() });
    for _ in 0..3 {
        let request = Request { timeout: Some(Duration::ZERO), ..Request::new(Code::GET).non_confirmable() };
        lone.endpoint.request(SERVER, request, lone.now).unwrap();
    }
    lone.drain();
    for _ in 0..3 {
        lone.now += Duration::from_secs(1);
        lone.endpoint.handle(Input::Tick, lone.now);
        lone.drain();
        assert!(lone.endpoint.next_deadline().is_none_or(|next| next > lone.now));
    }
    assert_eq!((lone.sent.len(), lone.reported.len()), (3, 3));
}

#[test]
fn the_time_for_the_response_to_a_non_confirmable_request_begins_when_it_is_sent() {
    let mut lone = Lone::new(Config::default());
    let timeout = Duration::from_secs(1);
    let request = Request { timeout: Some(timeout), ..Request::new(Code::GET).non_confirmable() };
    let handle = lone.endpoint.request(SERVER, request, lone.now).unwrap();
    lone.drain();
    assert_eq!(lone.endpoint.next_deadline(), Some(lone.now + timeout));
    lone.wait(timeout);
    let failure = Failure::NoResponse;
    assert_eq!(lone.reported.pop_front(), Some(Action::Failed { handle, failure }));
}
