//! Which requests belong to one block-wise operation: those that agree in most of the Cache-Key of RFC 7252 §5.6.

use alloc::vec::Vec;

use bytes::Bytes;
use coap_codec::{CoapOption, Code, OptionNumber, Options};

#[cfg(test)]
mod tests;

/// Equal for requests of the same operation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CacheKey(Bytes);

impl CacheKey {
    /// Before all others.
    pub(crate) const LEAST: Self = Self(Bytes::new());

    /// The memory that it takes.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// What the requests of one block-wise operation have in common (RFC 7959 §2.4, §2.5; RFC 9175 §3.3): the method and all
/// options that are part of the Cache-Key, Request-Tag among them, without
/// - Block1, Block2, Size1, Size2 and Observe, which differ from block to block;
/// - If-None-Match, which only block 0 may have (RFC 7959 §2.10);
/// - ETag, which a client leaves out of the requests for further blocks, lest the answer be 2.03;
/// - Content-Format, which requests for further blocks of a response need not repeat; that the blocks of a request agree on it
///   is looked after where they are put together.
///
/// The body is no part of it: requests for further blocks of a response come without one (RFC 7959 §2.7), and from some
/// clients with.
pub(crate) fn operation_key(method: Code, options: Options<'_>) -> CacheKey {
    let counts = |option: &CoapOption<'_>| option.is_cache_key() && !varies(option.number);
    let mut bytes = Vec::with_capacity(1 + options.encoded().len());
    bytes.push(method.as_byte());
    // With number and length before each value, no two requests that differ give the same bytes.
    for option in options.iter().filter(counts) {
        bytes.extend_from_slice(&option.number.get().to_be_bytes());
        bytes.extend_from_slice(&(option.value.len() as u32).to_be_bytes());
        bytes.extend_from_slice(option.value);
    }
    CacheKey(Bytes::from(bytes.into_boxed_slice()))
}

/// Options in which requests of one operation may differ.
const fn varies(number: OptionNumber) -> bool {
    matches!(
        number,
        OptionNumber::BLOCK1
            | OptionNumber::BLOCK2
            | OptionNumber::SIZE1
            | OptionNumber::SIZE2
            | OptionNumber::OBSERVE
            | OptionNumber::IF_NONE_MATCH
            | OptionNumber::ETAG
            | OptionNumber::CONTENT_FORMAT
    )
}
