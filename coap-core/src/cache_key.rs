//! Which requests ask for the same: the Cache-Key of RFC 7252 §5.6, and what tells block-wise operations apart.

use alloc::vec::Vec;

use bytes::Bytes;
use coap_codec::{CoapOption, Code, OptionNumber, Options};

#[cfg(test)]
mod tests;

/// Equal for requests that ask for the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CacheKey(Bytes);

impl CacheKey {
    /// Before every key.
    pub(crate) const FIRST: Self = Self(Bytes::new());

    /// The memory that it takes.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// The Cache-Key (RFC 7252 §5.4.2, §5.6): the method, all options that are part of it, and with FETCH, PATCH and iPATCH the
/// body (RFC 8132 §2). The options of block-wise transfers and of observation are the endpoint's own affair and not part of
/// it; Request-Tag is where asked for (RFC 9175 §3.3 leaves it out of a cache).
pub(crate) fn cache_key(
    method: Code,
    options: Options<'_>,
    payload: &[u8],
    with_request_tag: bool,
) -> CacheKey {
    let counts = |option: &CoapOption<'_>| {
        option.is_cache_key()
            && !is_transfer(option.number)
            && (with_request_tag || option.number != OptionNumber::REQUEST_TAG)
    };
    let body = if matches!(method, Code::FETCH | Code::PATCH | Code::IPATCH) { payload } else { &[] };
    key(method, options, counts, body)
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
    let counts = |option: &CoapOption<'_>| {
        option.is_cache_key()
            && !is_transfer(option.number)
            && !matches!(
                option.number,
                OptionNumber::IF_NONE_MATCH | OptionNumber::ETAG | OptionNumber::CONTENT_FORMAT
            )
    };
    key(method, options, counts, &[])
}

const fn is_transfer(number: OptionNumber) -> bool {
    matches!(
        number,
        OptionNumber::BLOCK1
            | OptionNumber::BLOCK2
            | OptionNumber::SIZE1
            | OptionNumber::SIZE2
            | OptionNumber::OBSERVE
    )
}

/// Method, number, length and value of each option that counts, body: no two requests that differ have the same bytes.
fn key(
    method: Code,
    options: Options<'_>,
    counts: impl Fn(&CoapOption<'_>) -> bool,
    body: &[u8],
) -> CacheKey {
    let mut bytes = Vec::with_capacity(1 + options.encoded().len() + body.len());
    bytes.push(method.as_byte());
    for option in options.iter().filter(counts) {
        bytes.extend_from_slice(&option.number.get().to_be_bytes());
        bytes.extend_from_slice(&(option.value.len() as u32).to_be_bytes());
        bytes.extend_from_slice(option.value);
    }
    if !body.is_empty() {
        // No option follows one of number 0 in a request: If-Match is the lowest.
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(body);
    }
    CacheKey(Bytes::from(bytes))
}
