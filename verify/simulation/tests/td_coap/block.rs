//! `TD_COAP_BLOCK_…`: bodies in blocks.

use coap_codec::{Code, OptionNumber};
use coap_core::{Config, Request};

use crate::table::{CLIENT, Table, Wire, get, texts};

fn size(exponent: u8) -> usize {
    16 << exponent
}

/// A body of several blocks, each different.
fn body(len: usize) -> Vec<u8> {
    (0..len).map(|i| b'a' + (i / 16 % 26) as u8).collect()
}

/// Blocks that follow one another in one size, full but for the last. Returns the size.
fn in_sequence(blocks: &[(u32, bool, u8)], payloads: &[&Wire]) -> u8 {
    let exponent = blocks[0].2;
    for (i, (block, wire)) in blocks.iter().zip(payloads).enumerate() {
        let last = i + 1 == blocks.len();
        assert_eq!(*block, (i as u32, !last, exponent));
        assert!(if last {
            wire.payload.len() <= size(exponent)
        } else {
            wire.payload.len() == size(exponent)
        });
    }
    exponent
}

/// A response in blocks that were asked for one by one.
fn fetched(messages: &[Wire], asked_first: Option<u8>) {
    let (requests, responses): (Vec<_>, Vec<_>) = messages.iter().partition(|wire| wire.from == CLIENT);
    let blocks: Vec<_> = responses.iter().map(|wire| wire.block2().unwrap()).collect();
    assert!(blocks.len() > 2, "several blocks");
    let exponent = in_sequence(&blocks, &responses);
    assert_eq!(requests[0].block2(), asked_first.map(|exponent| (0, false, exponent)));
    assert!(asked_first.is_none_or(|asked| exponent <= asked));
    for (i, request) in requests.iter().enumerate().skip(1) {
        assert_eq!(request.block2(), Some((i as u32, false, exponent)));
    }
    assert!(responses.iter().all(|wire| wire.code == Code::CONTENT));
}

/// A request in blocks, answered one by one; the answers but the last say to go on.
fn sent(messages: &[Wire], last: Code) {
    let (requests, responses): (Vec<_>, Vec<_>) =
        messages.iter().filter(|wire| wire.block1().is_some()).partition(|wire| wire.from == CLIENT);
    let blocks: Vec<_> = requests.iter().map(|wire| wire.block1().unwrap()).collect();
    assert!(blocks.len() > 2, "several blocks");
    in_sequence(&blocks, &requests);
    for (request, response) in requests.iter().zip(&responses) {
        let (_, more, _) = request.block1().unwrap();
        assert_eq!(response.block1(), request.block1());
        assert_eq!(response.code, if more { Code::CONTINUE } else { last });
    }
}

fn text(method: Code, path: &str, body: Vec<u8>) -> Request {
    Request::new(method).path(path).with_uint(OptionNumber::CONTENT_FORMAT, 0).payload(body)
}

#[test]
fn td_coap_block_01() {
    let request = Request { block_size_exponent: Some(4), ..get("large") };
    let (response, messages) = Table::new().exchange(request);
    fetched(&messages, Some(4));
    let whole: Vec<u8> =
        messages.iter().filter(|wire| wire.from != CLIENT).flat_map(|wire| wire.payload.clone()).collect();
    assert_eq!(response.payload, whole);
}

#[test]
fn td_coap_block_02() {
    let (response, messages) =
        Table::with(Config { block_size_exponent: 4, ..Config::default() }).exchange(get("large"));
    fetched(&messages, None);
    let (other, _) = Table::new().exchange(get("large"));
    assert_eq!(response.payload, other.payload, "no gaps, right order");
}

#[test]
fn td_coap_block_03() {
    let mut table = Table::new();
    let (response, messages) = table.exchange(text(Code::PUT, "large-update", body(3000)));
    sent(&messages, response.code);
    assert_eq!(response.code, Code::CHANGED);
    let (response, _) = table.exchange(get("large-update"));
    assert_eq!(response.payload, body(3000));
}

#[test]
fn td_coap_block_04() {
    let mut table = Table::new();
    let (response, messages) = table.exchange(text(Code::POST, "large-create", body(3000)));
    sent(&messages, Code::CREATED);
    let location = texts(response.options.view().location_path());
    assert_eq!((location.len(), &location[0][..]), (2, "large-create"));
    let (response, _) = table.exchange(get(&location.join("/")));
    assert_eq!(response.payload, body(3000));
}

#[test]
fn td_coap_block_05() {
    let (response, messages) = Table::new().exchange(text(Code::POST, "large-post", body(3000)));
    sent(&messages, Code::CHANGED);
    // The answer to the last block is the first of the response; the rest is asked for without a body.
    let first = messages.iter().position(|wire| wire.block2().is_some()).unwrap();
    assert!(messages[first].block1().is_some());
    let rest: Vec<_> = messages[first + 1..].iter().filter(|wire| wire.from == CLIENT).collect();
    assert!(!rest.is_empty());
    for (i, request) in rest.iter().enumerate() {
        assert_eq!((request.code, request.payload.len(), request.block1()), (Code::POST, 0, None));
        assert_eq!(request.block2().unwrap().0, i as u32 + 1);
    }
    assert!(response.payload.starts_with(&body(3000).to_ascii_uppercase()));
}

#[test]
fn td_coap_block_06() {
    let request = Request { block_size_exponent: Some(0), ..get("large") };
    let (response, messages) = Table::new().exchange(request);
    fetched(&messages, Some(0));
    assert!(messages.iter().all(|wire| wire.payload.len() <= 16));
    let (other, _) = Table::new().exchange(get("large"));
    assert_eq!(response.payload, other.payload);
}
