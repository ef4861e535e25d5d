//! Tests by theme; the figures are those of RFC 7959 §3.

mod assembly;
mod bodies;
mod both_ends;
mod cutting;
mod download;
mod store;
mod upload;

use alloc::vec::Vec;

use coap_codec::{Block, OptionNumber};

use crate::OptionList;

/// `num/more/size`, as the RFC writes it.
fn block(num: u32, more: u8, size: usize) -> Block {
    let exponent = (0..=6).find(|exponent| super::size_of(*exponent) == size).unwrap();
    Block::new(num, more == 1, exponent).unwrap()
}

/// An exponent by its size.
fn exponent(size: usize) -> u8 {
    block(0, 0, size).size_exponent()
}

fn body(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n % 251) as u8).collect()
}

fn with_block1(block: Block) -> OptionList {
    let mut options = OptionList::new();
    options.set(OptionNumber::BLOCK1, &block.value());
    options
}

fn with_block2(block: Block) -> OptionList {
    let mut options = OptionList::new();
    options.set(OptionNumber::BLOCK2, &block.value());
    options
}

/// SZX 7, of which there is no size.
fn reserved() -> Block {
    Block::new(0, false, Block::BERT).unwrap()
}
