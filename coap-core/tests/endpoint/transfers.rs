//! Bodies in blocks, as far as it takes an endpoint to see it (RFC 7959); the rules themselves have unit tests.

use coap_codec::{Block, Code, MessageType, OptionNumber};
use coap_core::{Action, Bodies, Config, Limits, Request, Resource, Response};

use crate::support::{CLIENT, Lone, Pair, SERVER, Wire};

const PEER: u8 = 9;

fn block(num: u32, more: bool, exponent: u8) -> Vec<u8> {
    Block::new(num, more, exponent).unwrap().value().to_vec()
}

fn response(lone: &mut Lone) -> Response {
    match lone.reported.pop_back() {
        Some(Action::Response { response, more: false, .. }) => response,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_representation_that_changes_half_way_comes_whole_and_with_its_own_options() {
    let mut lone = Lone::new(Config::default());
    lone.endpoint.request(PEER, Request::new(Code::GET).path("x"), lone.now).unwrap();
    let mut answer = |etag: &[u8], num, more, body: &[u8]| {
        let asked = lone.only_sent();
        let mut wire = Wire::new(MessageType::Acknowledgement, Code::CONTENT, asked.id, &asked.token);
        wire.options.add(OptionNumber::ETAG, etag).add(OptionNumber::BLOCK2, &block(num, more, 0));
        wire.payload = body.into();
        lone.receive(PEER, &wire);
        asked.options().block2().map(|block| block.unwrap().num())
    };
    assert_eq!(answer(b"old", 0, true, &[b'a'; 16]), None);
    assert_eq!(answer(b"new", 1, false, b"a"), Some(1));
    assert_eq!(answer(b"new", 0, true, &[b'b'; 16]), Some(0), "from the start");
    assert_eq!(answer(b"new", 1, false, b"c"), Some(1));
    let whole = response(&mut lone);
    assert_eq!((whole.options.view().etag(), &whole.payload[15..]), (Some(&b"new"[..]), &b"bc"[..]));
    assert_eq!(whole.options.view().block2(), None);
}

#[test]
fn a_tag_that_the_endpoint_gave_is_validated_like_the_applications() {
    let mut lone = Lone::new(Config::default());
    lone.endpoint.add_resource(Resource::new("x")).unwrap();
    let mut get = Wire::new(MessageType::Confirmable, Code::GET, 1, b"t");
    get.options.add(OptionNumber::URI_PATH, b"x");
    let large = || Response::new(Code::CONTENT).payload(vec![b'x'; 2000]);
    lone.receive(PEER, &get);
    let asked = lone.only_request();
    lone.respond(&asked, large());
    let etag = lone.only_sent().options().etag().unwrap().to_vec();
    get.id = 2;
    get.options.add(OptionNumber::ETAG, &etag);
    lone.receive(PEER, &get);
    let asked = lone.only_request();
    lone.respond(&asked, large());
    let answer = lone.only_sent();
    assert_eq!((answer.code, answer.options().block2()), (Code::VALID, None));
}

#[test]
fn the_last_block_of_a_request_gets_the_first_of_the_response() {
    let mut lone = Lone::new(Config::default());
    lone.endpoint.add_resource(Resource::new("x").methods(&[Code::POST])).unwrap();
    let post = |id: u16, option, value: &[u8], body: &[u8]| {
        let mut wire = Wire::new(MessageType::Confirmable, Code::POST, id, &id.to_be_bytes());
        wire.options.add(OptionNumber::URI_PATH, b"x").add(option, value);
        wire.payload = body.into();
        wire
    };
    lone.receive(PEER, &post(1, OptionNumber::BLOCK1, &block(0, true, 2), &[1; 64]));
    assert_eq!(lone.only_sent().code, Code::CONTINUE);
    lone.receive(PEER, &post(2, OptionNumber::BLOCK1, &block(1, false, 2), &[2; 10]));
    let asked = lone.only_request();
    assert_eq!(asked.payload.len(), 74);
    lone.respond(&asked, Response::new(Code::CHANGED).payload(vec![3; 1500]));
    let first = lone.only_sent();
    assert_eq!(first.options().block1().unwrap().unwrap(), Block::new(1, false, 2).unwrap());
    assert_eq!(first.options().block2().unwrap().unwrap(), Block::new(0, true, 6).unwrap());
    lone.receive(PEER, &post(3, OptionNumber::BLOCK2, &block(1, false, 6), b""));
    assert_eq!(lone.only_sent().payload.len(), 476);
    assert!(lone.requests().is_empty(), "the request is carried out once");
    lone.receive(PEER + 1, &post(4, OptionNumber::BLOCK2, &block(1, false, 6), b""));
    assert_eq!(lone.only_sent().code, Code::REQUEST_ENTITY_INCOMPLETE, "another peer has no such response");
}

#[test]
fn a_gap_a_reserved_size_and_too_large_a_body_are_refused() {
    let limits = Limits { body: 100, ..Limits::default() };
    let mut lone = Lone::new(Config { limits, ..Config::default() });
    lone.endpoint.add_resource(Resource::new("x").methods(&[Code::GET, Code::PUT])).unwrap();
    let mut put = |id: u16, value: &[u8], body: &[u8]| {
        let mut wire = Wire::new(MessageType::Confirmable, Code::PUT, id, b"t");
        wire.options.add(OptionNumber::URI_PATH, b"x").add(OptionNumber::BLOCK1, value);
        wire.payload = body.into();
        lone.receive(PEER, &wire);
        let answer = lone.only_sent();
        (answer.code, answer.options().size1())
    };
    assert_eq!(put(1, &block(3, true, 0), &[0; 16]), (Code::REQUEST_ENTITY_INCOMPLETE, None));
    assert_eq!(put(2, &block(0, true, 2), &[0; 64]), (Code::CONTINUE, None));
    assert_eq!(put(3, &block(1, true, 2), &[0; 64]), (Code::REQUEST_ENTITY_TOO_LARGE, Some(100)));
    assert_eq!(put(4, &block(0, true, 7), &[0; 16]).0, Code::BAD_REQUEST);
}

#[test]
fn an_application_may_take_the_blocks_itself() {
    let mut pair = Pair::new(|server, request, now| {
        let block = request.options.view().block2().unwrap().unwrap();
        let body: Vec<u8> = (0..100_u8).collect();
        let part = &body[block.offset()..(block.offset() + block.size()).min(body.len())];
        let value =
            Block::new(block.num(), block.offset() + block.size() < body.len(), block.size_exponent());
        let response = Response::new(Code::CONTENT).with(OptionNumber::BLOCK2, &value.unwrap().value());
        server.respond(request.id, response.payload(part.to_vec()), now).unwrap();
    });
    pair.server.add_resource(Resource::new("x").bodies(Bodies::Blocks)).unwrap();
    // Random access: the fifth block alone.
    let request = Request::new(Code::GET).path("x").with(OptionNumber::BLOCK2, &block(5, false, 0));
    let request = Request { bodies: Bodies::Blocks, ..request };
    pair.client.request(SERVER, request, pair.now).unwrap();
    pair.settle();
    assert_eq!(pair.trace().len(), 2);
    assert_eq!(pair.responses()[0].payload, (80..96_u8).collect::<Vec<_>>());
}

#[test]
fn the_server_cuts_blocks_anew_when_it_keeps_none() {
    let limits = Limits { bodies: 0, ..Limits::default() };
    let body: Vec<u8> = (0..3000_u32).map(|i| i as u8).collect();
    let state = body.clone();
    let server = Config { limits, ..Config::default() };
    let mut pair = Pair::with(Config::default(), server, move |server, request, now| {
        server.respond(request.id, Response::new(Code::CONTENT).payload(state.clone()), now).unwrap();
    });
    pair.server.add_resource(Resource::new("x")).unwrap();
    pair.client.request(SERVER, Request::new(Code::GET).path("x"), pair.now).unwrap();
    pair.settle();
    assert_eq!(pair.responses()[0].payload, body);
}

#[test]
fn each_block_is_asked_for_under_a_token_of_its_own_and_a_body_sent_under_one() {
    let mut pair = Pair::new(|server, request, now| {
        server.respond(request.id, Response::new(Code::CHANGED).payload(vec![7; 3000]), now).unwrap();
    });
    pair.server.add_resource(Resource::new("x").methods(&[Code::GET, Code::PUT])).unwrap();
    let tokens = |pair: &mut Pair, request: Request| {
        pair.log.clear();
        pair.client.request(SERVER, request.path("x"), pair.now).unwrap();
        pair.settle();
        let sent = pair.log.iter().filter(|(from, _)| *from == CLIENT);
        sent.map(|(_, wire)| wire.token.clone()).collect::<Vec<_>>()
    };
    let down = tokens(&mut pair, Request::new(Code::GET));
    assert_eq!(down.len(), 3);
    assert!(down[0] != down[1] && down[1] != down[2] && down[2] != down[0]);
    // Some servers know by the token that the blocks of the response are no reason to do the PUT again.
    let both = tokens(&mut pair, Request::new(Code::PUT).payload(vec![7; 3000]));
    assert_eq!(both.len(), 5);
    assert!(both.iter().all(|token| *token == both[0]));
}

/// RFC 7959 §2.9.3: 4.13 without an upload in blocks hints to try one, of the size that its Block1 gives.
#[test]
fn a_body_that_is_too_large_in_one_piece_goes_in_blocks() {
    let mut lone = Lone::new(Config::default());
    let request = Request::new(Code::PUT).path("x").payload((0..40).collect::<Vec<u8>>());
    lone.endpoint.request(PEER, request, lone.now).unwrap();
    let mut asked = lone.only_sent();
    assert_eq!((asked.options().block1(), asked.payload.len()), (None, 40));
    let answers = [
        (Code::REQUEST_ENTITY_TOO_LARGE, block(0, false, 0)),
        (Code::CONTINUE, block(0, true, 0)),
        (Code::CONTINUE, block(1, true, 0)),
    ];
    for (num, (code, value)) in (0..).zip(answers) {
        let mut answer = Wire::new(MessageType::Acknowledgement, code, asked.id, &asked.token);
        answer.options.add(OptionNumber::BLOCK1, &value);
        lone.receive(PEER, &answer);
        asked = lone.only_sent();
        let sent = asked.options().block1().unwrap().unwrap();
        assert_eq!((sent.num(), sent.more(), sent.size()), (num, num < 2, 16));
        assert_eq!(asked.payload, (0..40).skip(16 * num as usize).take(16).collect::<Vec<u8>>());
    }
    let mut changed = Wire::new(MessageType::Acknowledgement, Code::CHANGED, asked.id, &asked.token);
    changed.options.add(OptionNumber::BLOCK1, &block(2, false, 0));
    lone.receive(PEER, &changed);
    assert_eq!(response(&mut lone).code, Code::CHANGED);
}

/// RFC 7959 §2.3: blocks of different content formats are no body.
#[test]
fn a_body_does_not_change_its_content_format() {
    let mut lone = Lone::new(Config::default());
    lone.endpoint.add_resource(Resource::new("x").methods(&[Code::PUT])).unwrap();
    for (id, format, code) in [(1, 0, Code::CONTINUE), (2, 50, Code::REQUEST_ENTITY_INCOMPLETE)] {
        let mut wire = Wire::new(MessageType::Confirmable, Code::PUT, id, b"t");
        wire.options
            .add(OptionNumber::URI_PATH, b"x")
            .add(OptionNumber::BLOCK1, &block(u32::from(id) - 1, true, 0));
        wire.options.add_uint(OptionNumber::CONTENT_FORMAT, format);
        wire.payload = vec![0; 16];
        lone.receive(PEER, &wire);
        assert_eq!(lone.only_sent().code, code);
    }
}
