//! A client's response body.

use alloc::vec::Vec;

use coap_codec::{Block, Code, OptionNumber, Options};

use super::{block, body, exponent, reserved, with_block2};
use crate::block::{Download, DownloadStep, Start};
use crate::{Failure, OptionList};

const LIMIT: usize = 10_000;

fn tagged(block: Block, etag: &[u8]) -> OptionList {
    let mut options = with_block2(block);
    options.add(OptionNumber::ETAG, etag);
    options
}

fn begin(method: Code, options: &OptionList, payload: &[u8], size: usize) -> Download {
    match Download::start(method, options.view(), payload, exponent(size), LIMIT) {
        Start::Blocks(download) => download,
        other => panic!("{other:?}"),
    }
}

fn get(first: (u32, u8, usize), size: usize) -> Download {
    let first = block(first.0, first.1, first.2);
    begin(Code::GET, &with_block2(first), &body(first.size()), size)
}

fn failure(options: &OptionList, payload: &[u8]) -> Failure {
    match Download::start(Code::GET, options.view(), payload, 6, LIMIT) {
        Start::Failed(failure) => failure,
        other => panic!("{other:?}"),
    }
}

/// Answers the next request with this block of `whole`.
fn answer(download: &mut Download, whole: &[u8], answer: Block) -> DownloadStep {
    let end = whole.len().min(answer.offset() + answer.size());
    download.answered(Code::CONTENT, with_block2(answer).view(), &whole[answer.offset()..end])
}

const MISMATCH: DownloadStep = DownloadStep::Failed(Failure::BlockMismatch);

#[test]
fn a_response_without_block2_is_whole() {
    assert!(matches!(Download::start(Code::GET, Options::EMPTY, &body(2000), 6, 10), Start::Whole));
}

#[test]
fn a_response_of_one_block_is_whole() {
    let options = with_block2(block(0, 0, 64));
    assert!(matches!(Download::start(Code::GET, options.view(), &body(9), 6, LIMIT), Start::Whole));
}

#[test]
fn figure_2_simple_get() {
    let whole = body(300);
    let mut download = get((0, 1, 128), 1024);
    assert_eq!(download.next(), block(1, 0, 128));
    assert_eq!(answer(&mut download, &whole, block(1, 1, 128)), DownloadStep::Continue);
    assert_eq!(download.next(), block(2, 0, 128));
    assert_eq!(answer(&mut download, &whole, block(2, 0, 128)), DownloadStep::Complete(whole));
}

/// §3.1 figure 4: the client likes 64 bytes, after a first block of 128: it has two of its own already.
#[test]
fn figure_4_late_negotiation() {
    let whole = body(360);
    let mut download = get((0, 1, 128), 64);
    for num in 2..5 {
        assert_eq!(download.next(), block(num, 0, 64));
        assert_eq!(answer(&mut download, &whole, block(num, 1, 64)), DownloadStep::Continue);
    }
    assert_eq!(answer(&mut download, &whole, block(5, 0, 64)), DownloadStep::Complete(whole));
}

#[test]
fn a_server_may_go_on_in_smaller_blocks() {
    let whole = body(300);
    let mut download = get((0, 1, 128), 128);
    assert_eq!(answer(&mut download, &whole, block(4, 1, 32)), DownloadStep::Continue);
    assert_eq!(download.next(), block(5, 0, 32));
}

#[test]
fn a_size_never_grows() {
    let whole = body(4096);
    let mut download = get((0, 1, 64), 64);
    assert_eq!(answer(&mut download, &whole, block(1, 1, 64)), DownloadStep::Continue);
    assert_eq!(answer(&mut download, &whole, block(1, 1, 128)), DownloadStep::Continue);
    assert_eq!(download.next(), block(4, 0, 64));
}

#[test]
fn m_is_never_set_in_a_request() {
    assert!(!get((0, 1, 64), 64).next().more());
}

#[test]
fn the_last_block_may_be_full() {
    let whole = body(128);
    let mut download = get((0, 1, 64), 64);
    assert_eq!(answer(&mut download, &whole, block(1, 0, 64)), DownloadStep::Complete(whole));
}

#[test]
fn a_first_response_of_another_block_is_a_fault() {
    assert_eq!(failure(&with_block2(block(1, 1, 64)), &body(64)), Failure::BlockMismatch);
}

#[test]
fn a_block_of_another_place_is_a_fault() {
    let whole = body(500);
    for other in [block(0, 1, 64), block(2, 1, 64), block(7, 0, 64)] {
        assert_eq!(answer(&mut get((0, 1, 64), 64), &whole, other), MISMATCH);
    }
}

#[test]
fn a_block_that_is_not_the_last_must_be_full() {
    assert_eq!(failure(&with_block2(block(0, 1, 64)), &body(63)), Failure::BlockMismatch);
    let mut download = get((0, 1, 64), 64);
    assert_eq!(download.answered(Code::CONTENT, with_block2(block(1, 1, 64)).view(), &[1; 65]), MISMATCH);
}

#[test]
fn szx_7_is_a_fault() {
    assert_eq!(failure(&with_block2(reserved()), &body(64)), Failure::BlockMismatch);
    assert_eq!(get((0, 1, 64), 64).answered(Code::CONTENT, with_block2(reserved()).view(), &[]), MISMATCH);
}

#[test]
fn another_etag_restarts_from_block_0() {
    let mut download = begin(Code::GET, &tagged(block(0, 1, 64), b"old"), &body(64), 64);
    let changed = tagged(block(1, 1, 64), b"new");
    assert_eq!(download.answered(Code::CONTENT, changed.view(), &[9; 64]), DownloadStep::Restart);
    assert_eq!(download.next(), block(0, 0, 64));
    let first = tagged(block(0, 1, 64), b"new");
    assert_eq!(download.answered(Code::CONTENT, first.view(), &[8; 64]), DownloadStep::Continue);
    let last = tagged(block(1, 0, 64), b"new");
    let DownloadStep::Complete(whole) = download.answered(Code::CONTENT, last.view(), &[7; 3]) else {
        panic!("not complete");
    };
    assert_eq!(whole, [&[8; 64][..], &[7; 3]].concat());
}

#[test]
fn an_etag_that_comes_or_goes_is_a_change() {
    let mut with = begin(Code::GET, &tagged(block(0, 1, 64), b"e"), &body(64), 64);
    assert_eq!(
        with.answered(Code::CONTENT, with_block2(block(1, 0, 64)).view(), &[1]),
        DownloadStep::Restart
    );
    let mut without = get((0, 1, 64), 64);
    let options = tagged(block(1, 0, 64), b"e");
    assert_eq!(without.answered(Code::CONTENT, options.view(), &[1]), DownloadStep::Restart);
}

#[test]
fn a_representation_that_keeps_changing_is_given_up() {
    let mut download = begin(Code::GET, &tagged(block(0, 1, 16), &[0]), &body(16), 16);
    for version in 1..=3 {
        let changed = tagged(block(1, 1, 16), &[version]);
        assert_eq!(download.answered(Code::CONTENT, changed.view(), &[0; 16]), DownloadStep::Restart);
        let first = tagged(block(0, 1, 16), &[version]);
        assert_eq!(download.answered(Code::CONTENT, first.view(), &[0; 16]), DownloadStep::Continue);
    }
    let changed = tagged(block(1, 1, 16), &[9]);
    assert_eq!(
        download.answered(Code::CONTENT, changed.view(), &[0; 16]),
        DownloadStep::Failed(Failure::Changing)
    );
}

/// §2.4 allows a new start for GET; a POST would be carried out again.
#[test]
fn another_etag_in_the_response_to_a_post_is_a_fault() {
    let mut download = begin(Code::POST, &tagged(block(0, 1, 64), b"old"), &body(64), 64);
    assert_eq!(download.answered(Code::CHANGED, tagged(block(1, 0, 64), b"new").view(), &[1]), MISMATCH);
}

#[test]
fn another_content_format_is_a_fault() {
    let mut first = with_block2(block(0, 1, 64));
    first.set_uint(OptionNumber::CONTENT_FORMAT, 50);
    let mut download = begin(Code::GET, &first, &body(64), 64);
    let mut other = with_block2(block(1, 0, 64));
    other.set_uint(OptionNumber::CONTENT_FORMAT, 60);
    assert_eq!(download.answered(Code::CONTENT, other.view(), &[1]), MISMATCH);
}

#[test]
fn an_error_or_a_whole_response_takes_the_place_of_the_body() {
    let mut download = get((0, 1, 64), 64);
    assert_eq!(download.answered(Code::NOT_FOUND, Options::EMPTY, &[]), DownloadStep::Answer);
    assert_eq!(
        download.answered(Code::REQUEST_ENTITY_INCOMPLETE, with_block2(block(1, 0, 64)).view(), &[]),
        DownloadStep::Answer
    );
    assert_eq!(download.answered(Code::CONTENT, Options::EMPTY, b"small now"), DownloadStep::Answer);
}

/// As servers answer that forget the POST when it is answered.
#[test]
fn a_whole_response_to_a_method_that_changes_things_is_not_the_rest_of_the_first() {
    let mut download = begin(Code::POST, &with_block2(block(0, 1, 64)), &body(64), 64);
    assert_eq!(download.answered(Code::NOT_FOUND, Options::EMPTY, &[]), DownloadStep::Answer);
    assert_eq!(download.answered(Code::CHANGED, Options::EMPTY, b"of another"), MISMATCH);
}

#[test]
fn a_body_above_the_limit_is_given_up() {
    let options = with_block2(block(0, 1, 64));
    assert!(matches!(
        Download::start(Code::GET, options.view(), &body(64), 6, 63),
        Start::Failed(Failure::BodyTooLarge)
    ));
    let Start::Blocks(mut download) = Download::start(Code::GET, options.view(), &body(64), 6, 100) else {
        panic!("no blocks");
    };
    assert_eq!(
        download.answered(Code::CONTENT, with_block2(block(1, 0, 64)).view(), &[0; 37]),
        DownloadStep::Failed(Failure::BodyTooLarge)
    );
}

#[test]
fn a_body_of_just_the_limit_arrives() {
    let whole = body(100);
    let options = with_block2(block(0, 1, 64));
    let Start::Blocks(mut download) = Download::start(Code::GET, options.view(), &whole[..64], 6, 100) else {
        panic!("no blocks");
    };
    assert_eq!(answer(&mut download, &whole, block(1, 0, 64)), DownloadStep::Complete(whole));
}

#[test]
fn size2_tells_the_progress_and_nothing_else() {
    let mut options = with_block2(block(0, 1, 64));
    options.set_uint(OptionNumber::SIZE2, 1);
    let mut download = begin(Code::GET, &options, &body(64), 64);
    assert_eq!(download.progress(), (64, Some(1)));
    let whole = body(130);
    assert_eq!(answer(&mut download, &whole, block(1, 1, 64)), DownloadStep::Continue);
    assert_eq!(answer(&mut download, &whole, block(2, 0, 64)), DownloadStep::Complete(whole));
}

#[test]
fn a_body_cannot_have_more_than_2_to_the_20_blocks() {
    let whole: Vec<u8> = body(16 << 20);
    let options = with_block2(block(0, 1, 1024));
    let Start::Blocks(mut download) =
        Download::start(Code::GET, options.view(), &whole[..1024], 0, usize::MAX)
    else {
        panic!("no blocks");
    };
    // The server ignores the wish for 16 bytes.
    for num in 1..(16 << 10) - 1 {
        assert_eq!(answer(&mut download, &whole, block(num, 1, 1024)), DownloadStep::Continue);
    }
    assert_eq!(
        answer(&mut download, &whole, block((16 << 10) - 1, 1, 1024)),
        DownloadStep::Failed(Failure::BodyTooLarge)
    );
}
