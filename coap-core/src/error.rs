//! What a caller may be refused.

/// Why a call was refused. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// A table or queue is full; [`Limits`](crate::Limits) says how large it is.
    #[error("the table or queue is full")]
    Full,
    /// All 65 536 message ids towards the peer were used within EXCHANGE_LIFETIME (RFC 7252 §4.4).
    #[error("no message id towards this peer is free")]
    NoMessageId,
    /// The code is not a method (for a request) or not a response code (for a response).
    #[error("the code does not fit the message")]
    WrongCode,
    /// An option's value is longer than any message can carry.
    #[error("an option is too long")]
    OptionTooLong,
    /// The message does not fit a datagram, and bodies are not to be cut into blocks.
    #[error("the message is larger than a datagram may be")]
    TooLarge,
    /// A request with this token is open towards the peer.
    #[error("the token is in use")]
    TokenInUse,
    /// A multicast request must be non-confirmable (RFC 7252 §8.1) and without a body in blocks.
    #[error("this cannot be sent to a group")]
    NotForGroups,
    /// The handle or identifier names nothing, or what it named has ended.
    #[error("nothing has this handle")]
    Unknown,
    /// The path is taken by another resource.
    #[error("another resource has this path")]
    PathInUse,
}
