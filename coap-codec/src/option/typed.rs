//! Options by name. Each obeys [`Options::get`]: what has an impossible length is as if absent.

use super::{NoResponse, OptionNumber, Options};
use crate::{Block, ContentFormat, Malformed};

impl<'a> Options<'a> {
    /// Content-Format.
    #[inline]
    pub fn content_format(self) -> Option<ContentFormat> {
        self.uint(OptionNumber::CONTENT_FORMAT).map(|number| ContentFormat::new(number as u16))
    }

    /// Accept.
    #[inline]
    pub fn accept(self) -> Option<ContentFormat> {
        self.uint(OptionNumber::ACCEPT).map(|number| ContentFormat::new(number as u16))
    }

    /// Max-Age in seconds; 60 when there is none is the caller's affair.
    #[inline]
    pub fn max_age(self) -> Option<u32> {
        self.small(OptionNumber::MAX_AGE)
    }

    /// Observe: 0 or 1 in a request, 24 bits of sequence number in a notification.
    #[inline]
    pub fn observe(self) -> Option<u32> {
        self.small(OptionNumber::OBSERVE)
    }

    /// Block1; an error when its value has more than three bytes.
    #[inline]
    pub fn block1(self) -> Option<Result<Block, Malformed>> {
        self.block(OptionNumber::BLOCK1)
    }

    /// Block2; an error when its value has more than three bytes.
    #[inline]
    pub fn block2(self) -> Option<Result<Block, Malformed>> {
        self.block(OptionNumber::BLOCK2)
    }

    /// The first ETag.
    #[inline]
    pub fn etag(self) -> Option<&'a [u8]> {
        self.get(OptionNumber::ETAG)
    }

    /// All ETags of a request.
    #[inline]
    pub fn etags(self) -> impl Iterator<Item = &'a [u8]> {
        self.all(OptionNumber::ETAG)
    }

    /// All values of If-Match; an empty one stands for any existing representation.
    #[inline]
    pub fn if_match(self) -> impl Iterator<Item = &'a [u8]> {
        self.all(OptionNumber::IF_MATCH)
    }

    /// Whether If-None-Match is there.
    #[inline]
    pub fn if_none_match(self) -> bool {
        self.contains(OptionNumber::IF_NONE_MATCH)
    }

    /// Size1: bytes of the body of a request.
    #[inline]
    pub fn size1(self) -> Option<u32> {
        self.small(OptionNumber::SIZE1)
    }

    /// Size2: bytes of the body of a response.
    #[inline]
    pub fn size2(self) -> Option<u32> {
        self.small(OptionNumber::SIZE2)
    }

    /// Echo.
    #[inline]
    pub fn echo(self) -> Option<&'a [u8]> {
        self.get(OptionNumber::ECHO)
    }

    /// The first Request-Tag. An empty one is not the same as none.
    #[inline]
    pub fn request_tag(self) -> Option<&'a [u8]> {
        self.get(OptionNumber::REQUEST_TAG)
    }

    /// No-Response.
    #[inline]
    pub fn no_response(self) -> Option<NoResponse> {
        self.uint(OptionNumber::NO_RESPONSE).map(|value| NoResponse(value as u8))
    }

    /// Hop-Limit as it came; a request with 0 is to be refused with 4.00 (RFC 8768 §3).
    #[inline]
    pub fn hop_limit(self) -> Option<u8> {
        self.uint(OptionNumber::HOP_LIMIT).map(|value| value as u8)
    }

    /// Uri-Host. That it is UTF-8 was not checked unless [`check`](Self::check) was asked; so with all strings.
    #[inline]
    pub fn uri_host(self) -> Option<&'a [u8]> {
        self.get(OptionNumber::URI_HOST)
    }

    /// Uri-Port.
    #[inline]
    pub fn uri_port(self) -> Option<u16> {
        self.uint(OptionNumber::URI_PORT).map(|value| value as u16)
    }

    /// Segments of the path.
    #[inline]
    pub fn uri_path(self) -> impl Iterator<Item = &'a [u8]> {
        self.all(OptionNumber::URI_PATH)
    }

    /// Arguments of the query.
    #[inline]
    pub fn uri_query(self) -> impl Iterator<Item = &'a [u8]> {
        self.all(OptionNumber::URI_QUERY)
    }

    /// Segments of the path of what was created.
    #[inline]
    pub fn location_path(self) -> impl Iterator<Item = &'a [u8]> {
        self.all(OptionNumber::LOCATION_PATH)
    }

    /// Arguments of the query of what was created.
    #[inline]
    pub fn location_query(self) -> impl Iterator<Item = &'a [u8]> {
        self.all(OptionNumber::LOCATION_QUERY)
    }

    /// Proxy-Uri.
    #[inline]
    pub fn proxy_uri(self) -> Option<&'a [u8]> {
        self.get(OptionNumber::PROXY_URI)
    }

    /// Proxy-Scheme.
    #[inline]
    pub fn proxy_scheme(self) -> Option<&'a [u8]> {
        self.get(OptionNumber::PROXY_SCHEME)
    }

    /// A number of at most four bytes by definition.
    #[inline]
    fn small(self, number: OptionNumber) -> Option<u32> {
        self.uint(number).map(|value| value as u32)
    }

    /// A critical option: who did not ask [`check`](Self::check) learns here that its length is wrong.
    #[inline]
    fn block(self, number: OptionNumber) -> Option<Result<Block, Malformed>> {
        let first = self.iter().find(|option| option.number >= number)?;
        (first.number == number).then(|| Block::decode(first.value))
    }
}
