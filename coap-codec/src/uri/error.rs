//! What can be wrong with a URI.

/// A text that is not a URI of CoAP: the broken rule and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("at byte {offset}: {fault}")]
pub struct InvalidUri {
    /// The byte of the text where the fault begins.
    pub offset: usize,
    /// The rule.
    pub fault: UriFault,
}

/// A broken rule of a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum UriFault {
    /// The text does not begin with `scheme:`. RFC 3986 §4.3.
    #[error("it does not begin with a scheme such as `coap://`")]
    NoScheme,
    /// Neither coap, coaps, coap+tcp, coaps+tcp, coap+ws nor coaps+ws. RFC 7252 §6.4, RFC 8323 §8.
    #[error("the scheme is not one of CoAP's")]
    UnknownScheme,
    /// No `//` after the scheme. RFC 7252 §6.1.
    #[error("`//` and a host are missing")]
    NoAuthority,
    /// The host is empty. RFC 7252 §6.1.
    #[error("the host is empty")]
    EmptyHost,
    /// CoAP has no user information. RFC 7252 §6.1.
    #[error("CoAP has no user information before `@`")]
    UserInfo,
    /// An IPv6 address without brackets. RFC 3986 §3.2.2.
    #[error("an IPv6 address stands in brackets: `[::1]`")]
    NoBrackets,
    /// What stands in the brackets is not an IPv6 address; `IPvFuture` is not known.
    #[error("this is not an IPv6 address")]
    Ipv6,
    /// A zone is empty or does not begin with `%25`. RFC 6874 §2.
    #[error("the zone of an IPv6 address is written `%25zone`")]
    Zone,
    /// The port is not a number up to 65535.
    #[error("the port is not a number from 0 to 65535")]
    Port,
    /// The path does not begin with `/`. RFC 3986 §3.3.
    #[error("the path does not begin with `/`")]
    RelativePath,
    /// A character that has to be percent-encoded here. RFC 3986 §2.
    #[error("this character is not allowed here unless percent-encoded")]
    Character,
    /// `%` without two hexadecimal digits. RFC 3986 §2.1.
    #[error("`%` is not followed by two hexadecimal digits")]
    PercentEncoding,
    /// The decoded value is not UTF-8, which an option of format string has to be. RFC 7252 §3.2.
    #[error("percent-decoded, this is not UTF-8")]
    NotUtf8,
    /// A host, a segment or an argument is longer than an option can carry. RFC 7252 §5.10.
    #[error("this is longer than 255 bytes and does not fit an option")]
    TooLong,
    /// The path is longer than [`MAX_PATH_LEN`](super::MAX_PATH_LEN).
    #[error("the path is longer than 8192 bytes")]
    PathTooLong,
    /// Fragments do not travel in CoAP. RFC 7252 §6.4 step 4.
    #[error("a fragment has no place in a request")]
    Fragment,
}

impl UriFault {
    pub(super) const fn at(self, offset: usize) -> InvalidUri {
        InvalidUri { offset, fault: self }
    }
}
