//! A server's response bodies.

use core::time::Duration;

use alloc::vec::Vec;

use bytes::Bytes;
use coap_codec::{Block, Code, ContentFormat, OptionNumber};
use machine::{Instant, Random};

use super::{block, body, exponent};
use crate::block::{BlockOptions, Bodies, Piece};
use crate::cache_key::{CacheKey, operation_key};
use crate::{Limits, OptionList};

const NOW: Instant = Instant::EPOCH;
const LIFETIME: Duration = Duration::from_secs(247);
const ROOM: usize = 1100;

fn bodies(size: usize) -> Bodies<u32> {
    Bodies::new(&Limits::default(), LIFETIME, exponent(size), &mut Random::from_u64(1))
}

fn key(method: Code) -> CacheKey {
    operation_key(method, OptionList::new().view())
}

fn content(len: usize) -> Piece {
    Piece { code: Code::CONTENT, options: OptionList::new(), payload: Bytes::from(body(len)) }
}

fn wanted(block: Block) -> BlockOptions {
    BlockOptions { block2: Some(block), ..BlockOptions::default() }
}

fn get(bodies: &mut Bodies<u32>, response: Piece, wanted: &BlockOptions) -> Piece {
    bodies.answer(1, &key(Code::GET), response, wanted, ROOM, NOW)
}

fn further(bodies: &mut Bodies<u32>, num: u32, size: usize) -> Option<Piece> {
    bodies.further(1, &key(Code::GET), &wanted(block(num, 0, size)), ROOM, NOW)
}

fn block2(piece: &Piece) -> Option<Block> {
    piece.options.view().block2().map(Result::unwrap)
}

#[test]
fn a_small_response_leaves_as_it_is() {
    let mut bodies = bodies(64);
    assert_eq!(get(&mut bodies, content(64), &BlockOptions::default()), content(64));
    assert_eq!(bodies.bytes(), 0);
}

#[test]
fn a_large_response_leaves_in_blocks() {
    let mut bodies = bodies(128);
    let first = get(&mut bodies, content(300), &BlockOptions::default());
    assert_eq!(block2(&first), Some(block(0, 1, 128)));
    assert_eq!(first.payload, body(300)[..128]);
    let second = further(&mut bodies, 1, 128).unwrap();
    assert_eq!(block2(&second), Some(block(1, 1, 128)));
    let last = further(&mut bodies, 2, 128).unwrap();
    assert_eq!(block2(&last), Some(block(2, 0, 128)));
    assert_eq!(last.payload, body(300)[256..]);
}

#[test]
fn figure_3_the_client_asks_for_small_blocks_at_once() {
    let mut bodies = bodies(1024);
    let first = get(&mut bodies, content(360), &wanted(block(0, 0, 64)));
    assert_eq!(block2(&first), Some(block(0, 1, 64)));
    assert_eq!(block2(&further(&mut bodies, 5, 64).unwrap()), Some(block(5, 0, 64)));
}

#[test]
fn figure_4_the_client_asks_for_smaller_blocks_later() {
    let mut bodies = bodies(128);
    get(&mut bodies, content(360), &BlockOptions::default());
    let second = further(&mut bodies, 2, 64).unwrap();
    assert_eq!(block2(&second), Some(block(2, 1, 64)));
    assert_eq!(second.payload, body(360)[128..192]);
}

#[test]
fn a_response_that_fits_still_has_block2_when_it_was_asked_for() {
    let piece = get(&mut bodies(1024), content(10), &wanted(block(0, 0, 64)));
    assert_eq!(block2(&piece), Some(block(0, 0, 64)));
    assert_eq!(piece.payload.len(), 10);
}

#[test]
fn blocks_can_be_asked_for_in_any_order_and_again() {
    let mut bodies = bodies(16);
    get(&mut bodies, content(80), &BlockOptions::default());
    for num in [4, 1, 3, 1] {
        let piece = further(&mut bodies, num, 16).unwrap();
        assert_eq!(piece.payload, body(80)[num as usize * 16..][..16]);
    }
}

#[test]
fn a_block_of_a_fresh_response_is_cut_out_where_nothing_is_kept() {
    let mut bodies = bodies(16);
    assert!(further(&mut bodies, 2, 16).is_none());
    let piece = get(&mut bodies, content(80), &wanted(block(2, 0, 16)));
    assert_eq!(block2(&piece), Some(block(2, 1, 16)));
    assert_eq!(piece.payload, body(80)[32..48]);
}

#[test]
fn block_0_is_always_made_anew() {
    let mut bodies = bodies(16);
    get(&mut bodies, content(80), &BlockOptions::default());
    assert!(further(&mut bodies, 0, 16).is_none());
    assert!(bodies.further(1, &key(Code::GET), &BlockOptions::default(), ROOM, NOW).is_none());
}

#[test]
fn a_block_beyond_the_end_is_answered_4_00() {
    let mut bodies = bodies(16);
    get(&mut bodies, content(32), &BlockOptions::default());
    assert_eq!(further(&mut bodies, 2, 16).unwrap().code, Code::BAD_REQUEST);
    assert_eq!(get(&mut bodies, content(32), &wanted(block(2, 0, 16))).code, Code::BAD_REQUEST);
}

#[test]
fn all_blocks_have_the_options_of_the_response_and_one_etag() {
    let mut bodies = bodies(16);
    let mut response = content(40);
    response.options.set_uint(OptionNumber::CONTENT_FORMAT, 40).set_uint(OptionNumber::MAX_AGE, 5);
    let first = get(&mut bodies, response, &BlockOptions::default());
    let etag = first.options.view().etag().unwrap().to_vec();
    for num in 1..3 {
        let piece = further(&mut bodies, num, 16).unwrap();
        let options = piece.options.view();
        assert_eq!(options.etag(), Some(&etag[..]));
        assert_eq!(options.content_format().map(ContentFormat::get), Some(40));
        assert_eq!(options.max_age(), Some(5));
    }
}

#[test]
fn an_etag_of_the_application_is_kept() {
    let mut response = content(40);
    response.options.add(OptionNumber::ETAG, b"mine");
    let first = get(&mut bodies(16), response, &BlockOptions::default());
    assert_eq!(first.options.view().etag(), Some(&b"mine"[..]));
}

/// RFC 9175 §3.8: different representations never have the same tag.
#[test]
fn etags_differ_with_the_representation_and_not_with_the_time() {
    let mut bodies = bodies(16);
    let mut etag = |response: Piece| {
        let piece = get(&mut bodies, response, &BlockOptions::default());
        piece.options.view().etag().unwrap().to_vec()
    };
    let first = etag(content(40));
    assert_eq!(etag(content(40)), first);
    assert_ne!(etag(content(41)), first);
    let mut other_format = content(40);
    other_format.options.set_uint(OptionNumber::CONTENT_FORMAT, 0);
    assert_ne!(etag(other_format), first);
}

/// RFC 7252 §5.10.6.1: there the tag would be that of another representation.
#[test]
fn a_result_of_an_action_gets_no_etag() {
    let response = Piece { code: Code::CHANGED, ..content(40) };
    let piece = get(&mut bodies(16), response, &BlockOptions::default());
    assert_eq!((block2(&piece), piece.options.view().etag()), (Some(block(0, 1, 16)), None));
}

#[test]
fn size2_goes_with_the_first_of_several_blocks_and_where_it_is_asked_for() {
    let mut bodies = bodies(16);
    let first = get(&mut bodies, content(40), &BlockOptions::default());
    assert_eq!(first.options.view().size2(), Some(40));
    assert_eq!(further(&mut bodies, 1, 16).unwrap().options.view().size2(), None);
    let asked = BlockOptions { wants_size: true, ..wanted(block(1, 0, 16)) };
    let piece = bodies.further(1, &key(Code::GET), &asked, ROOM, NOW).unwrap();
    assert_eq!(piece.options.view().size2(), Some(40));
}

/// emqx #19132: the token is no part of it, and neither are other peers.
#[test]
fn a_body_is_found_by_peer_and_operation() {
    let mut bodies = bodies(16);
    get(&mut bodies, content(40), &BlockOptions::default());
    let second = wanted(block(1, 0, 16));
    assert!(bodies.further(2, &key(Code::GET), &second, ROOM, NOW).is_none());
    assert!(bodies.further(1, &key(Code::POST), &second, ROOM, NOW).is_none());
    assert!(bodies.further(1, &key(Code::GET), &second, ROOM, NOW).is_some());
}

#[test]
fn a_new_response_takes_the_place_of_the_old() {
    let mut bodies = bodies(16);
    get(&mut bodies, content(40), &BlockOptions::default());
    let newer = Piece { payload: Bytes::from_static(&[7; 50]), ..content(0) };
    get(&mut bodies, newer, &BlockOptions::default());
    assert_eq!(further(&mut bodies, 1, 16).unwrap().payload[..], [7; 16]);
}

#[test]
fn max_age_is_current_when_a_block_leaves() {
    let mut bodies = bodies(16);
    get(&mut bodies, content(40), &BlockOptions::default());
    let at = |bodies: &mut Bodies<u32>, seconds| {
        let now = NOW + Duration::from_secs(seconds);
        let piece = bodies.further(1, &key(Code::GET), &wanted(block(1, 0, 16)), ROOM, now).unwrap();
        piece.options.view().max_age()
    };
    assert_eq!(at(&mut bodies, 0), None);
    assert_eq!(at(&mut bodies, 20), Some(40));
    assert_eq!(at(&mut bodies, 100), Some(0));
}

#[test]
fn bodies_are_forgotten_when_they_are_not_asked_for() {
    let mut bodies = bodies(16);
    get(&mut bodies, content(40), &BlockOptions::default());
    assert_eq!(bodies.next_deadline(), Some(NOW + LIFETIME));
    bodies.tick(NOW + LIFETIME);
    assert_eq!((bodies.bytes(), bodies.next_deadline()), (0, None));
    assert!(further(&mut bodies, 1, 16).is_none());
}

#[test]
fn memory_is_bounded_and_the_least_recently_used_goes() {
    let limits = Limits { bodies: 20_000, ..Limits::default() };
    let mut bodies: Bodies<u32> = Bodies::new(&limits, LIFETIME, 6, &mut Random::from_u64(1));
    for peer in 0..50 {
        let now = NOW + Duration::from_secs(peer.into());
        bodies.answer(peer, &key(Code::GET), content(3000), &BlockOptions::default(), ROOM, now);
        assert!(bodies.bytes() <= 10_000);
    }
    let kept: Vec<u32> = (0..50)
        .filter(|peer| {
            bodies.further(*peer, &key(Code::GET), &wanted(block(1, 0, 1024)), ROOM, NOW).is_some()
        })
        .collect();
    assert_eq!(kept, [47, 48, 49]);
}

#[test]
fn a_body_above_the_limit_is_cut_but_not_kept() {
    let limits = Limits { body: 100, ..Limits::default() };
    let mut bodies: Bodies<u32> = Bodies::new(&limits, LIFETIME, 0, &mut Random::from_u64(1));
    let first = get(&mut bodies, content(101), &BlockOptions::default());
    assert_eq!(block2(&first), Some(block(0, 1, 16)));
    assert_eq!(bodies.bytes(), 0);
}

/// RFC 7959 §7.2: small blocks for a peer whose address is not sure.
#[test]
fn blocks_fit_the_room_there_is() {
    let mut bodies = bodies(1024);
    let mut size = |room| {
        let piece = bodies.answer(1, &key(Code::GET), content(2000), &BlockOptions::default(), room, NOW);
        block2(&piece).unwrap().size()
    };
    assert_eq!((size(2000), size(1023), size(100), size(0)), (1024, 512, 64, 16));
}

/// §2.6: a notification is block 0, in the size that the registration asked for.
#[test]
fn a_notification_is_block_0_in_the_size_of_the_registration() {
    let mut bodies = bodies(1024);
    let registered = wanted(block(0, 0, 64));
    let piece = get(&mut bodies, content(200), &registered);
    assert_eq!(block2(&piece), Some(block(0, 1, 64)));
    assert_eq!(block2(&further(&mut bodies, 1, 64).unwrap()), Some(block(1, 1, 64)));
}

#[test]
fn an_error_and_a_2_03_leave_without_block2() {
    let mut bodies = bodies(1024);
    let second = wanted(block(3, 0, 64));
    let valid = Piece { code: Code::VALID, ..content(0) };
    assert_eq!(get(&mut bodies, valid.clone(), &second), valid);
    let error = Piece { code: Code::NOT_FOUND, ..content(0) };
    assert_eq!(get(&mut bodies, error.clone(), &second), error);
}

#[test]
fn the_text_of_an_error_is_not_looked_for_at_the_block_that_was_wanted() {
    let error = Piece { code: Code::NOT_FOUND, ..content(30) };
    let piece = get(&mut bodies(1024), error, &wanted(block(3, 0, 64)));
    assert_eq!((piece.code, piece.payload.len()), (Code::NOT_FOUND, 30));
}
