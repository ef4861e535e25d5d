//! A server's request bodies.

use core::time::Duration;

use alloc::vec::Vec;

use coap_codec::{Block, Code, OptionNumber};
use machine::Instant;

use super::{block, body, exponent};
use crate::block::{Assembled, Assemblies};
use crate::cache_key::operation_key;
use crate::{Counters, Limits, OptionList};

const NOW: Instant = Instant::EPOCH;
const LIFETIME: Duration = Duration::from_secs(247);
const ALICE: u32 = 1;
const BOB: u32 = 2;

/// A server and its clock.
struct Server {
    assemblies: Assemblies<u32>,
    counters: Counters,
    now: Instant,
}

impl Server {
    fn new(limits: Limits, size: usize) -> Self {
        let assemblies = Assemblies::new(&limits, LIFETIME, exponent(size), 1);
        Self { assemblies, counters: Counters::default(), now: NOW }
    }

    fn with_defaults() -> Self {
        Self::new(Limits::default(), 1024)
    }

    fn put(&mut self, peer: u32, block1: Block, more_options: &OptionList, payload: &[u8]) -> Assembled {
        let mut options = more_options.clone();
        options.set(OptionNumber::BLOCK1, &block1.value());
        let key = operation_key(Code::PUT, options.view());
        self.assemblies.receive(peer, &key, block1, options.view(), payload, &mut self.counters, self.now)
    }

    /// A block of `whole`, from Alice.
    fn send(&mut self, whole: &[u8], block1: Block) -> Assembled {
        let end = whole.len().min(block1.offset() + block1.size());
        self.put(ALICE, block1, &OptionList::new(), &whole[block1.offset()..end])
    }
}

fn whole(body: &[u8], block: Block) -> Assembled {
    Assembled::Whole { body: body.into(), block, if_none_match: false }
}

#[test]
fn figure_7_simple_atomic_put() {
    let (mut server, sent) = (Server::with_defaults(), body(300));
    assert_eq!(server.send(&sent, block(0, 1, 128)), Assembled::Continue(block(0, 1, 128)));
    assert_eq!(server.send(&sent, block(1, 1, 128)), Assembled::Continue(block(1, 1, 128)));
    assert_eq!(server.send(&sent, block(2, 0, 128)), whole(&sent, block(2, 0, 128)));
    assert_eq!(server.assemblies.bytes(), 0);
}

#[test]
fn figure_9_the_server_likes_smaller_blocks() {
    let (mut server, sent) = (Server::new(Limits::default(), 32), body(220));
    assert_eq!(server.send(&sent, block(0, 1, 128)), Assembled::Continue(block(0, 1, 32)));
    assert_eq!(server.send(&sent, block(4, 1, 32)), Assembled::Continue(block(4, 1, 32)));
    assert_eq!(server.send(&sent, block(5, 1, 32)), Assembled::Continue(block(5, 1, 32)));
    assert_eq!(server.send(&sent, block(6, 0, 32)), whole(&sent, block(6, 0, 32)));
}

#[test]
fn a_client_may_keep_its_larger_size() {
    let (mut server, sent) = (Server::new(Limits::default(), 32), body(220));
    assert_eq!(server.send(&sent, block(0, 1, 128)), Assembled::Continue(block(0, 1, 32)));
    assert_eq!(server.send(&sent, block(1, 0, 128)), whole(&sent, block(1, 0, 32)));
}

#[test]
fn one_block_is_a_whole_body() {
    let (mut server, sent) = (Server::with_defaults(), body(9));
    assert_eq!(server.send(&sent, block(0, 0, 16)), whole(&sent, block(0, 0, 16)));
}

/// libcoap #1359, go-coap #664.
#[test]
fn a_gap_is_answered_4_08_and_what_is_there_stays() {
    let (mut server, sent) = (Server::with_defaults(), body(64));
    server.send(&sent, block(0, 1, 16));
    assert_eq!(server.send(&sent, block(2, 1, 16)), Assembled::Incomplete(block(2, 1, 16)));
    assert_eq!(server.send(&sent, block(3, 0, 16)), Assembled::Incomplete(block(3, 0, 16)));
    assert_eq!(server.send(&sent, block(1, 1, 16)), Assembled::Continue(block(1, 1, 16)));
    assert_eq!(server.send(&sent, block(2, 1, 16)), Assembled::Continue(block(2, 1, 16)));
    assert_eq!(server.send(&sent, block(3, 0, 16)), whole(&sent, block(3, 0, 16)));
}

/// coap-rs answers 2.31 to a transfer that begins with NUM 3.
#[test]
fn a_first_block_that_is_not_block_0_is_answered_4_08() {
    let (mut server, sent) = (Server::with_defaults(), body(64));
    assert_eq!(server.send(&sent, block(3, 0, 16)), Assembled::Incomplete(block(3, 0, 16)));
    assert_eq!(server.send(&sent, block(1, 1, 16)), Assembled::Incomplete(block(1, 1, 16)));
    assert_eq!(server.assemblies.bytes(), 0);
}

#[test]
fn block_0_begins_anew() {
    let mut server = Server::with_defaults();
    let (old, new) = ([1; 48], [2; 48]);
    server.send(&old, block(0, 1, 16));
    server.send(&old, block(1, 1, 16));
    assert_eq!(server.send(&new, block(0, 1, 16)), Assembled::Continue(block(0, 1, 16)));
    assert_eq!(server.send(&new, block(1, 1, 16)), Assembled::Continue(block(1, 1, 16)));
    assert_eq!(server.send(&new, block(2, 0, 16)), whole(&new, block(2, 0, 16)));
}

#[test]
fn block_0_ends_what_was_there_even_when_it_is_whole_or_refused() {
    let (mut server, sent) = (Server::with_defaults(), body(48));
    server.send(&sent, block(0, 1, 16));
    assert_eq!(server.send(&sent[..9], block(0, 0, 16)), whole(&sent[..9], block(0, 0, 16)));
    assert_eq!(server.send(&sent, block(1, 1, 16)), Assembled::Incomplete(block(1, 1, 16)));

    server.send(&sent, block(0, 1, 16));
    let mut announced = OptionList::new();
    announced.set_uint(OptionNumber::SIZE1, 1 << 30);
    let refused = server.put(ALICE, block(0, 1, 16), &announced, &sent[..16]);
    assert!(matches!(refused, Assembled::TooLarge { .. }));
    assert_eq!(server.send(&sent, block(1, 1, 16)), Assembled::Incomplete(block(1, 1, 16)));
}

#[test]
fn a_repeated_block_is_answered_as_before_and_counted_once() {
    let (mut server, sent) = (Server::with_defaults(), body(40));
    for _ in 0..2 {
        assert_eq!(server.send(&sent, block(0, 1, 16)), Assembled::Continue(block(0, 1, 16)));
    }
    for _ in 0..2 {
        assert_eq!(server.send(&sent, block(1, 1, 16)), Assembled::Continue(block(1, 1, 16)));
    }
    assert_eq!(server.send(&sent, block(2, 0, 16)), whole(&sent, block(2, 0, 16)));
}

#[test]
fn a_repeated_block_with_other_bytes_is_answered_4_08() {
    let (mut server, sent) = (Server::with_defaults(), body(40));
    server.send(&sent, block(0, 1, 16));
    server.send(&sent, block(1, 1, 16));
    assert_eq!(server.send(&[9; 40], block(1, 1, 16)), Assembled::Incomplete(block(1, 1, 16)));
}

#[test]
fn the_final_code_comes_once() {
    let (mut server, sent) = (Server::with_defaults(), body(20));
    server.send(&sent, block(0, 1, 16));
    assert_eq!(server.send(&sent, block(1, 0, 16)), whole(&sent, block(1, 0, 16)));
    assert_eq!(server.send(&sent, block(1, 0, 16)), Assembled::Incomplete(block(1, 0, 16)));
}

#[test]
fn bodies_of_peers_and_resources_do_not_mix() {
    let mut server = Server::with_defaults();
    let mut other = OptionList::new();
    other.add(OptionNumber::URI_PATH, b"other");
    server.put(ALICE, block(0, 1, 16), &OptionList::new(), &[1; 16]);
    server.put(BOB, block(0, 1, 16), &OptionList::new(), &[2; 16]);
    server.put(ALICE, block(0, 1, 16), &other, &[3; 16]);
    let last = block(1, 0, 16);
    let expected = |first: u8| whole(&[&[first; 16][..], &[9]].concat(), last);
    assert_eq!(server.put(BOB, last, &OptionList::new(), &[9]), expected(2));
    assert_eq!(server.put(ALICE, last, &other, &[9]), expected(3));
    assert_eq!(server.put(ALICE, last, &OptionList::new(), &[9]), expected(1));
}

/// RFC 9175 §3.3.
#[test]
fn operations_with_different_request_tags_proceed_side_by_side() {
    let mut server = Server::with_defaults();
    let tags: Vec<OptionList> = [&b"1"[..], b"2", b""]
        .iter()
        .map(|tag| {
            let mut options = OptionList::new();
            options.add(OptionNumber::REQUEST_TAG, tag);
            options
        })
        .chain([OptionList::new()])
        .collect();
    for (number, options) in tags.iter().enumerate() {
        server.put(ALICE, block(0, 1, 16), options, &[number as u8; 16]);
    }
    for (number, options) in tags.iter().enumerate() {
        let expected = whole(&[number as u8; 17], block(1, 0, 16));
        assert_eq!(server.put(ALICE, block(1, 0, 16), options, &[number as u8]), expected);
    }
}

#[test]
fn another_content_format_is_answered_4_08() {
    let mut server = Server::with_defaults();
    let mut json = OptionList::new();
    json.set_uint(OptionNumber::CONTENT_FORMAT, 50);
    server.put(ALICE, block(0, 1, 16), &json, &[0; 16]);
    let incomplete = Assembled::Incomplete(block(1, 0, 16));
    assert_eq!(server.put(ALICE, block(1, 0, 16), &OptionList::new(), &[1]), incomplete);
    let mut cbor = OptionList::new();
    cbor.set_uint(OptionNumber::CONTENT_FORMAT, 60);
    assert_eq!(server.put(ALICE, block(1, 0, 16), &cbor, &[1]), incomplete);
    assert!(matches!(server.put(ALICE, block(1, 0, 16), &json, &[1]), Assembled::Whole { .. }));
}

/// §2.10: If-None-Match MUST NOT be used with NUM other than 0. It holds for the whole.
#[test]
fn if_none_match_is_for_block_0() {
    let mut server = Server::with_defaults();
    let mut conditional = OptionList::new();
    conditional.add(OptionNumber::IF_NONE_MATCH, &[]);
    server.put(ALICE, block(0, 1, 16), &conditional, &[0; 16]);
    let Assembled::Whole { if_none_match, .. } = server.put(ALICE, block(1, 0, 16), &OptionList::new(), &[1])
    else {
        panic!("not whole");
    };
    assert!(if_none_match);

    server.put(ALICE, block(0, 1, 16), &OptionList::new(), &[0; 16]);
    assert!(matches!(server.put(ALICE, block(1, 0, 16), &conditional, &[1]), Assembled::Bad(_)));
}

/// Clients such as aiocoap send all options with all blocks.
#[test]
fn if_none_match_may_be_repeated_when_block_0_had_it() {
    let mut server = Server::with_defaults();
    let mut conditional = OptionList::new();
    conditional.add(OptionNumber::IF_NONE_MATCH, &[]);
    server.put(ALICE, block(0, 1, 16), &conditional, &[0; 16]);
    assert!(matches!(
        server.put(ALICE, block(1, 0, 16), &conditional, &[1]),
        Assembled::Whole { if_none_match: true, .. }
    ));
}

fn limited(body: usize, bodies: usize, bodies_per_peer: usize) -> Limits {
    Limits { body, bodies, bodies_per_peer, ..Limits::default() }
}

#[test]
fn a_body_above_the_limit_is_answered_4_13_with_size1() {
    let (mut server, sent) = (Server::new(limited(40, 100_000, 8), 1024), body(64));
    server.send(&sent, block(0, 1, 16));
    server.send(&sent, block(1, 1, 16));
    let too_large = Assembled::TooLarge { block: block(2, 1, 16), size1: 40 };
    assert_eq!(server.send(&sent, block(2, 1, 16)), too_large);
    assert_eq!(server.assemblies.bytes(), 0);
}

#[test]
fn a_body_that_is_announced_above_the_limit_is_answered_4_13_at_once() {
    let mut server = Server::new(limited(40, 100_000, 8), 16);
    let mut announced = OptionList::new();
    announced.set_uint(OptionNumber::SIZE1, 41);
    // The size stays what it was: a smaller one would be a hint to try that.
    let too_large = Assembled::TooLarge { block: block(0, 1, 32), size1: 40 };
    assert_eq!(server.put(ALICE, block(0, 1, 32), &announced, &[0; 32]), too_large);
}

#[test]
fn a_body_without_block1_has_the_same_limit() {
    let server = Server::new(limited(40, 100_000, 8), 1024);
    assert_eq!(server.assemblies.refuses(&[0; 40]), None);
    assert_eq!(server.assemblies.refuses(&[0; 41]), Some(40));
}

#[test]
fn an_announced_size_takes_no_memory() {
    let mut server = Server::with_defaults();
    let mut announced = OptionList::new();
    announced.set_uint(OptionNumber::SIZE1, 1 << 20);
    server.put(ALICE, block(0, 1, 16), &announced, &[0; 16]);
    assert!(server.assemblies.bytes() < 1000);
}

#[test]
fn a_body_that_no_block_comes_for_is_given_up() {
    let (mut server, sent) = (Server::with_defaults(), body(64));
    server.send(&sent, block(0, 1, 16));
    server.now += Duration::from_secs(200);
    server.send(&sent, block(1, 1, 16));
    assert_eq!(server.assemblies.next_deadline(), Some(server.now + LIFETIME));
    server.now += LIFETIME;
    server.assemblies.tick(&mut server.counters, server.now);
    assert_eq!((server.assemblies.next_deadline(), server.counters.bodies_abandoned), (None, 1));
    assert_eq!(server.send(&sent, block(2, 1, 16)), Assembled::Incomplete(block(2, 1, 16)));
}

#[test]
fn a_repeated_block_shows_that_the_body_is_still_wanted() {
    let (mut server, sent) = (Server::with_defaults(), body(64));
    server.send(&sent, block(0, 1, 16));
    server.send(&sent, block(1, 1, 16));
    server.now += Duration::from_secs(100);
    server.send(&sent, block(1, 1, 16));
    assert_eq!(server.assemblies.next_deadline(), Some(server.now + LIFETIME));
}

#[test]
fn strangers_cannot_take_the_place_of_a_body_that_grows() {
    let (mut server, sent) = (Server::new(limited(1 << 20, 8000, 8), 1024), body(64));
    server.send(&sent, block(0, 1, 16));
    let mut busy = 0;
    for stranger in 100..200 {
        let answer = server.put(stranger, block(0, 1, 1024), &OptionList::new(), &[0; 1024]);
        busy += u32::from(matches!(answer, Assembled::Busy { .. }));
    }
    assert!(busy > 90);
    assert!(server.assemblies.bytes() <= 4000);
    server.now += Duration::from_secs(10);
    assert_eq!(server.send(&sent, block(1, 1, 16)), Assembled::Continue(block(1, 1, 16)));
    // What strangers left behind gives way, the least recently used first.
    server.now += Duration::from_secs(6);
    let answer = server.put(300, block(0, 1, 1024), &OptionList::new(), &[0; 1024]);
    assert!(matches!(answer, Assembled::Continue(_)));
    assert_eq!(server.counters.bodies_abandoned, 1);
    assert_eq!(server.send(&sent, block(2, 1, 16)), Assembled::Continue(block(2, 1, 16)));
}

#[test]
fn a_peer_with_too_many_bodies_loses_the_oldest() {
    let mut server = Server::new(limited(1 << 20, 1 << 20, 2), 1024);
    let paths: Vec<OptionList> = [b"a", b"b", b"c"]
        .iter()
        .map(|path| {
            let mut options = OptionList::new();
            options.add(OptionNumber::URI_PATH, *path);
            options
        })
        .collect();
    for path in &paths {
        server.put(ALICE, block(0, 1, 16), path, &[0; 16]);
        server.now += Duration::from_secs(1);
    }
    assert_eq!(server.counters.bodies_abandoned, 1);
    let last = block(1, 0, 16);
    assert_eq!(server.put(ALICE, last, &paths[0], &[1]), Assembled::Incomplete(last));
    assert!(matches!(server.put(ALICE, last, &paths[1], &[1]), Assembled::Whole { .. }));
    assert!(matches!(server.put(ALICE, last, &paths[2], &[1]), Assembled::Whole { .. }));
}

#[test]
fn a_long_body_keeps_within_the_memory_that_is_counted() {
    let limits = limited(100_000, 400_000, 8);
    let (mut server, sent) = (Server::new(limits, 1024), body(100_000));
    for num in 0..97 {
        assert_eq!(server.send(&sent, block(num, 1, 1024)), Assembled::Continue(block(num, 1, 1024)));
        assert!(server.assemblies.bytes() <= 101_000, "{}", server.assemblies.bytes());
    }
    assert_eq!(server.send(&sent, block(97, 0, 1024)), whole(&sent, block(97, 0, 1024)));
    assert_eq!(server.assemblies.bytes(), 0);
}

#[test]
fn a_peer_that_is_gone_leaves_nothing() {
    let (mut server, sent) = (Server::with_defaults(), body(64));
    server.send(&sent, block(0, 1, 16));
    server.assemblies.forget(ALICE, &mut server.counters);
    assert_eq!((server.assemblies.bytes(), server.counters.bodies_abandoned), (0, 1));
}
