//! Where blocks begin and end, and what Block options of requests are refused.

use coap_codec::{Block, OptionNumber, Options};

use super::{block, reserved, with_block1, with_block2};
use crate::OptionList;
use crate::block::{BlockOptions, Cut, Part, blocks_of, cut, largest_exponent, size_of};

fn part(num: u32, more: u8, size: usize, range: core::ops::Range<usize>) -> Cut {
    Cut::Part(Part { block: block(num, more, size), range })
}

#[test]
fn a_body_that_fits_is_not_cut_unless_blocks_are_asked_for() {
    assert_eq!(cut(64, None, 2), Cut::Whole);
    assert_eq!(cut(64, Some(block(0, 0, 64)), 2), part(0, 0, 64, 0..64));
    assert_eq!(cut(65, None, 2), part(0, 1, 64, 0..64));
}

#[test]
fn the_smaller_of_both_sizes_is_used() {
    assert_eq!(cut(1000, Some(block(0, 0, 64)), 6), part(0, 1, 64, 0..64));
    assert_eq!(cut(1000, Some(block(0, 0, 512)), 2), part(0, 1, 64, 0..64));
}

/// The place that is wanted stays the same when the blocks are smaller than wanted.
#[test]
fn a_number_is_counted_anew_in_a_smaller_size() {
    assert_eq!(cut(1000, Some(block(1, 0, 512)), 2), part(8, 1, 64, 512..576));
    assert_eq!(cut(1000, Some(block(1, 0, 512)), 6), part(1, 0, 512, 512..1000));
}

#[test]
fn a_block_beyond_the_end_is_not_there() {
    assert_eq!(cut(128, Some(block(2, 0, 64)), 6), Cut::Beyond);
    assert_eq!(cut(0, Some(block(1, 0, 16)), 6), Cut::Beyond);
    assert_eq!(cut(10, Some(Block::new(Block::MAX_NUM, false, 6).unwrap()), 6), Cut::Beyond);
}

#[test]
fn an_empty_body_has_no_blocks() {
    assert_eq!(cut(0, Some(block(0, 0, 16)), 6), Cut::Whole);
}

#[test]
fn numbers_end_at_20_bits() {
    let at_the_end = Block::new(Block::MAX_NUM, false, 6).unwrap();
    assert_eq!(cut(usize::MAX, Some(at_the_end), 5), Cut::Beyond);
}

#[test]
fn sizes_are_16_to_1024() {
    assert!((0..=6).map(size_of).eq([16, 32, 64, 128, 256, 512, 1024]));
    assert_eq!(size_of(7), 1024);
    assert_eq!(largest_exponent(usize::MAX), Some(6));
    assert_eq!(largest_exponent(1023), Some(5));
    assert_eq!(largest_exponent(16), Some(0));
    assert_eq!(largest_exponent(15), None);
}

#[test]
fn a_block_option_without_value_is_block_0_of_16_bytes_and_not_as_if_absent() {
    let mut options = OptionList::new();
    options.add(OptionNumber::BLOCK2, &[]);
    let blocks = blocks_of(options.view(), &[]).unwrap();
    assert_eq!(blocks.block2, Some(block(0, 0, 16)));
    assert_eq!(blocks_of(Options::EMPTY, &[]), Ok(BlockOptions::default()));
}

#[test]
fn szx_7_is_refused_in_both_options() {
    assert!(blocks_of(with_block1(reserved()).view(), &[]).is_err());
    assert!(blocks_of(with_block2(reserved()).view(), &[]).is_err());
}

#[test]
fn m_in_a_block2_of_a_request_is_ignored() {
    let blocks = blocks_of(with_block2(block(3, 1, 64)).view(), &[]).unwrap();
    assert_eq!(blocks.block2, Some(block(3, 0, 64)));
}

#[test]
fn a_block1_that_is_not_the_last_must_be_full() {
    let options = with_block1(block(0, 1, 16));
    assert!(blocks_of(options.view(), &[0; 16]).is_ok());
    assert!(blocks_of(options.view(), &[0; 15]).is_err());
    assert!(blocks_of(options.view(), &[0; 17]).is_err());
    assert!(blocks_of(with_block1(block(0, 0, 16)).view(), &[0; 3]).is_ok());
}
