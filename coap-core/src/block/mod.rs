//! Block-wise transfers, RFC 7959: bodies cut into blocks and put together, in both roles and both directions.
//!
//! ```text
//!             request body (Block1)      response body (Block2)
//!   client    upload   cuts              download   puts together
//!   server    assembly puts together     bodies     cuts
//! ```

mod assembly;
mod bodies;
mod cut;
mod download;
mod options;
mod store;
#[cfg(test)]
mod tests;
mod upload;

use coap_codec::Block;

pub(crate) use assembly::{Assembled, Assemblies};
pub(crate) use bodies::{Bodies, Piece};
pub(crate) use cut::{Cut, Part, cut};
pub(crate) use download::{Download, DownloadStep, Start};
pub(crate) use options::{BlockOptions, blocks_of};
pub(crate) use upload::{Upload, UploadStep};

/// The largest exponent of a block in datagrams: 1024 bytes. 7 is reserved (RFC 7959 §2.2).
pub(crate) const MAX_EXPONENT: u8 = 6;

/// Block 0 of 16 bytes, the only one.
const FIRST: Block = match Block::new(0, false, 0) {
    Some(block) => block,
    None => unreachable!(),
};

/// Bytes of a block with this exponent.
pub(crate) const fn size_of(exponent: u8) -> usize {
    16 << if exponent < MAX_EXPONENT { exponent } else { MAX_EXPONENT }
}

/// The exponent of the largest block that has at most `room` bytes; `None` when not even 16 have room.
pub(crate) fn largest_exponent(room: usize) -> Option<u8> {
    (0..=MAX_EXPONENT).rev().find(|exponent| size_of(*exponent) <= room)
}
