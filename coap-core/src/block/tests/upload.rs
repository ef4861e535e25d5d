//! A client's request body.

use bytes::Bytes;
use coap_codec::{Code, OptionNumber, Options};

use super::{block, body, exponent, reserved, with_block1};
use crate::Failure;
use crate::block::{Upload, UploadStep};

fn upload(len: usize, size: usize) -> Upload {
    Upload::new(Bytes::from(body(len)), exponent(size))
}

/// Sends what is due and takes `num/more/size` as the answer's Block1.
fn exchange(upload: &mut Upload, code: Code, answer: (u32, u8, usize)) -> UploadStep {
    upload.answered(code, with_block1(block(answer.0, answer.1, answer.2)).view())
}

#[test]
fn figure_7_simple_atomic_put() {
    let mut upload = upload(300, 128);
    assert_eq!(upload.current().0, block(0, 1, 128));
    assert_eq!(exchange(&mut upload, Code::CONTINUE, (0, 1, 128)), UploadStep::Continue);
    assert_eq!(upload.current().0, block(1, 1, 128));
    assert_eq!(exchange(&mut upload, Code::CONTINUE, (1, 1, 128)), UploadStep::Continue);
    let (last, payload) = upload.current();
    assert_eq!(last, block(2, 0, 128));
    assert_eq!(payload, body(300)[256..]);
    assert_eq!(upload.progress(), (256, 300));
    assert_eq!(exchange(&mut upload, Code::CHANGED, (2, 0, 128)), UploadStep::Done);
}

#[test]
fn figure_8_a_stateless_server_answers_each_block_finally() {
    let mut upload = upload(300, 128);
    assert_eq!(exchange(&mut upload, Code::CHANGED, (0, 0, 128)), UploadStep::Continue);
    assert_eq!(exchange(&mut upload, Code::CHANGED, (1, 0, 128)), UploadStep::Continue);
    assert_eq!(exchange(&mut upload, Code::CHANGED, (2, 0, 128)), UploadStep::Done);
}

/// §3.2 figure 9: 128 becomes 32 after the first block, so the next number is 4.
#[test]
fn figure_9_a_smaller_size_counts_the_numbers_anew() {
    let mut upload = upload(220, 128);
    assert_eq!(exchange(&mut upload, Code::CONTINUE, (0, 1, 32)), UploadStep::Continue);
    let (second, payload) = upload.current();
    assert_eq!(second, block(4, 1, 32));
    assert_eq!(payload, body(220)[128..160]);
    assert_eq!(exchange(&mut upload, Code::CONTINUE, (4, 1, 32)), UploadStep::Continue);
    assert_eq!(upload.current().0, block(5, 1, 32));
    assert_eq!(exchange(&mut upload, Code::CONTINUE, (5, 1, 32)), UploadStep::Continue);
    assert_eq!(upload.current().0, block(6, 0, 32));
    assert_eq!(exchange(&mut upload, Code::CHANGED, (6, 0, 32)), UploadStep::Done);
}

#[test]
fn a_size_never_grows() {
    let mut upload = upload(300, 64);
    assert_eq!(exchange(&mut upload, Code::CONTINUE, (0, 1, 512)), UploadStep::Continue);
    assert_eq!(upload.current().0, block(1, 1, 64));
}

#[test]
fn an_acknowledged_number_may_count_in_the_new_size() {
    let mut upload = upload(600, 128);
    assert_eq!(exchange(&mut upload, Code::CONTINUE, (0, 1, 128)), UploadStep::Continue);
    assert_eq!(exchange(&mut upload, Code::CONTINUE, (2, 1, 64)), UploadStep::Continue);
    assert_eq!(upload.current().0, block(4, 1, 64));
}

#[test]
fn an_acknowledgement_of_another_block_is_a_fault() {
    let mut upload = upload(300, 64);
    let fault = UploadStep::Failed(Failure::BlockMismatch);
    assert_eq!(exchange(&mut upload, Code::CONTINUE, (1, 1, 64)), fault);
}

#[test]
fn the_last_block_does_not_have_to_be_full_and_may_be() {
    let mut upload = upload(128, 64);
    assert_eq!(exchange(&mut upload, Code::CONTINUE, (0, 1, 64)), UploadStep::Continue);
    let (last, payload) = upload.current();
    assert_eq!((last, payload.len()), (block(1, 0, 64), 64));
}

#[test]
fn a_body_of_one_block_is_block_0_without_more() {
    let mut upload = upload(10, 64);
    assert_eq!(upload.current().0, block(0, 0, 64));
    assert_eq!(exchange(&mut upload, Code::CREATED, (0, 0, 64)), UploadStep::Done);
}

#[test]
fn an_empty_body_is_block_0_too() {
    assert_eq!(upload(0, 64).current(), (block(0, 0, 64), Bytes::new()));
}

#[test]
fn size1_goes_with_the_first_block_only() {
    let mut upload = upload(300, 64);
    assert_eq!(upload.size1(), Some(300));
    exchange(&mut upload, Code::CONTINUE, (0, 1, 64));
    assert_eq!(upload.size1(), None);
}

#[test]
fn continue_in_answer_to_the_last_block_is_a_fault() {
    let mut upload = upload(10, 64);
    assert_eq!(exchange(&mut upload, Code::CONTINUE, (0, 1, 64)), UploadStep::Failed(Failure::BlockMismatch));
}

#[test]
fn success_without_block1_before_the_end_means_that_blocks_were_not_understood() {
    let mut upload = upload(300, 64);
    assert_eq!(upload.answered(Code::CHANGED, Options::EMPTY), UploadStep::Failed(Failure::BlockMismatch));
}

#[test]
fn a_reserved_size_in_the_answer_is_a_fault() {
    let mut upload = upload(300, 64);
    let options = with_block1(reserved());
    assert_eq!(upload.answered(Code::CONTINUE, options.view()), UploadStep::Failed(Failure::BlockMismatch));
}

#[test]
fn success_with_m_before_the_end_is_not_final() {
    let mut upload = upload(300, 128);
    assert_eq!(exchange(&mut upload, Code::CHANGED, (0, 1, 128)), UploadStep::Continue);
    // Not acted on yet, so that all may be sent again.
    assert_eq!(exchange(&mut upload, Code::REQUEST_ENTITY_INCOMPLETE, (1, 1, 128)), UploadStep::Restart);
}

#[test]
fn an_error_ends_it_at_any_block() {
    for code in [Code::NOT_FOUND, Code::BAD_OPTION, Code::SERVICE_UNAVAILABLE] {
        let mut upload = upload(300, 64);
        assert_eq!(upload.answered(code, Options::EMPTY), UploadStep::Done);
    }
}

#[test]
fn a_4_13_with_a_smaller_size_restarts_with_that_size() {
    let mut upload = upload(300, 128);
    assert_eq!(exchange(&mut upload, Code::CONTINUE, (0, 1, 128)), UploadStep::Continue);
    assert_eq!(exchange(&mut upload, Code::REQUEST_ENTITY_TOO_LARGE, (1, 1, 32)), UploadStep::Restart);
    assert_eq!(upload.current().0, block(0, 1, 32));
    assert_eq!(upload.size1(), Some(300));
    // The same size again is no hint any more.
    assert_eq!(exchange(&mut upload, Code::REQUEST_ENTITY_TOO_LARGE, (0, 1, 32)), UploadStep::Done);
}

#[test]
fn a_4_13_with_a_limit_below_the_body_ends_it() {
    let mut upload = upload(300, 128);
    let mut options = with_block1(block(0, 1, 32));
    options.set_uint(OptionNumber::SIZE1, 299);
    assert_eq!(upload.answered(Code::REQUEST_ENTITY_TOO_LARGE, options.view()), UploadStep::Done);
    options.set_uint(OptionNumber::SIZE1, 300);
    assert_eq!(upload.answered(Code::REQUEST_ENTITY_TOO_LARGE, options.view()), UploadStep::Restart);
}

#[test]
fn a_4_13_to_a_request_without_block1_hints_to_try_blocks() {
    let whole = Bytes::from(body(500));
    let hinted = Upload::after_too_large(whole.clone(), 6, with_block1(block(0, 0, 64)).view()).unwrap();
    assert_eq!(hinted.current().0, block(0, 1, 64));
    // No size is named: blocks of our own, if the body is more than one.
    assert!(Upload::after_too_large(whole.clone(), 6, Options::EMPTY).is_none());
    let own = Upload::after_too_large(whole.clone(), 3, Options::EMPTY).unwrap();
    assert_eq!(own.current().0, block(0, 1, 128));
    let mut limited = with_block1(block(0, 0, 64));
    limited.set_uint(OptionNumber::SIZE1, 499);
    assert!(Upload::after_too_large(whole, 6, limited.view()).is_none());
}

#[test]
fn a_4_08_restarts_once_from_block_0() {
    let mut upload = upload(300, 64);
    // The server cannot miss blocks before the first.
    assert_eq!(upload.answered(Code::REQUEST_ENTITY_INCOMPLETE, Options::EMPTY), UploadStep::Done);
    exchange(&mut upload, Code::CONTINUE, (0, 1, 64));
    exchange(&mut upload, Code::CONTINUE, (1, 1, 64));
    assert_eq!(upload.answered(Code::REQUEST_ENTITY_INCOMPLETE, Options::EMPTY), UploadStep::Restart);
    assert_eq!(upload.current().0, block(0, 1, 64));
    exchange(&mut upload, Code::CONTINUE, (0, 1, 64));
    assert_eq!(upload.answered(Code::REQUEST_ENTITY_INCOMPLETE, Options::EMPTY), UploadStep::Done);
}

#[test]
fn nothing_is_sent_again_once_blocks_were_acted_on() {
    let mut upload = upload(300, 64);
    exchange(&mut upload, Code::CHANGED, (0, 0, 64));
    assert_eq!(upload.answered(Code::REQUEST_ENTITY_INCOMPLETE, Options::EMPTY), UploadStep::Done);
    assert_eq!(exchange(&mut upload, Code::REQUEST_ENTITY_TOO_LARGE, (1, 1, 16)), UploadStep::Done);
}

/// §2.10: a stateless server answers 2.01 to the first block and 2.04 to the others.
#[test]
fn created_once_is_created() {
    let mut upload = upload(128, 64);
    exchange(&mut upload, Code::CREATED, (0, 0, 64));
    assert_eq!(exchange(&mut upload, Code::CHANGED, (1, 0, 64)), UploadStep::Done);
    assert_eq!(upload.outcome(Code::CHANGED), Code::CREATED);
    assert_eq!(upload.outcome(Code::NOT_FOUND), Code::NOT_FOUND);
}

#[test]
fn a_body_with_more_than_2_to_the_20_blocks_cannot_be_sent() {
    assert!(Upload::fits(16 << 20, 0));
    assert!(!Upload::fits((16 << 20) + 1, 0));
    let mut upload = Upload::new(Bytes::from(body((16 << 20) + 1)), 1);
    assert_eq!(exchange(&mut upload, Code::CONTINUE, (0, 1, 16)), UploadStep::Failed(Failure::BodyTooLarge));
}
