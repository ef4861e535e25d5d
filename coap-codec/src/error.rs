//! What can be wrong with a message: the rules of form, one variant each.

use crate::MessageId;

/// A broken rule of form. Nothing of the message can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    // header of a datagram
    /// A datagram of less than four bytes.
    #[error("the datagram is shorter than the header")]
    NoHeader,
    /// A version other than 1.
    #[error("the version is not 1")]
    UnknownVersion,
    /// Code 0.00 with a token, options or a payload.
    #[error("the code is 0.00 but the message is not empty")]
    EmptyWithContent,
    /// A Non-confirmable message with code 0.00.
    #[error("a Non-confirmable message is empty")]
    EmptyNonConfirmable,
    /// A Reset message with another code than 0.00.
    #[error("a Reset message is not empty")]
    ResetWithContent,
    /// An Acknowledgement message that carries a request.
    #[error("an Acknowledgement carries a request")]
    RequestInAcknowledgement,
    /// A code of class 1 or 6, or of class 7 in a datagram.
    #[error("the class of the code is reserved")]
    ReservedClass,

    // token
    /// Token length 9 to 14 without RFC 8974, 15 always; or a longer token than the reader allows.
    #[error("the token is too long")]
    TokenTooLong,
    /// The token, or its length, reaches beyond the end of the message.
    #[error("the token reaches beyond the end of the message")]
    TokenTruncated,

    // options and payload
    /// An option delta of 15 that is not the payload marker.
    #[error("an option delta is 15")]
    OptionDelta15,
    /// An option length of 15.
    #[error("an option length is 15")]
    OptionLength15,
    /// An option reaches beyond the end of the message.
    #[error("an option reaches beyond the end of the message")]
    OptionTruncated,
    /// The deltas add up to more than 65 535.
    #[error("an option number is above 65535")]
    OptionNumberTooLarge,
    /// The payload marker with nothing behind it.
    #[error("nothing follows the payload marker")]
    NoPayloadAfterMarker,
    /// A payload marker where only options may be.
    #[error("a payload follows the options")]
    UnexpectedPayload,
    /// A Block1 or Block2 value of more than three bytes.
    #[error("a block option has more than three bytes")]
    BlockTooLong,

    // reliable transports
    /// A message that is larger than the reader allows.
    #[error("the message is larger than Max-Message-Size")]
    MessageTooLarge,
    /// A WebSocket message with a length that is not zero.
    #[error("the length field in a WebSocket message is not zero")]
    LengthInWebSocket,
}

impl Malformed {
    /// The section of the RFC that has the rule.
    pub const fn section(self) -> &'static str {
        match self {
            Self::NoHeader | Self::UnknownVersion | Self::TokenTruncated | Self::NoPayloadAfterMarker => {
                "RFC 7252 §3"
            }
            Self::EmptyWithContent => "RFC 7252 §4.1",
            Self::ResetWithContent | Self::RequestInAcknowledgement | Self::ReservedClass => "RFC 7252 §4.2",
            Self::EmptyNonConfirmable => "RFC 7252 §4.3",
            Self::TokenTooLong => "RFC 7252 §3, RFC 8974 §2.1",
            Self::OptionDelta15
            | Self::OptionLength15
            | Self::OptionTruncated
            | Self::OptionNumberTooLarge
            | Self::UnexpectedPayload => "RFC 7252 §3.1",
            Self::BlockTooLong => "RFC 7959 §2.2",
            Self::MessageTooLarge => "RFC 8323 §5.3.1",
            Self::LengthInWebSocket => "RFC 8323 §4.2",
        }
    }
}

/// A datagram that is no message, and what its sender is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{rule}")]
pub struct Rejected {
    /// What is wrong with it.
    pub rule: Malformed,
    /// What it calls for.
    pub reaction: Reaction,
}

/// The reaction that a malformed datagram calls for, RFC 7252 §4.2 and §4.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reaction {
    /// None: it is no CoAP of this version, or it is not Confirmable.
    Silence,
    /// A Reset message with this message ID; never when it came by multicast (§8.1).
    Reset(MessageId),
}

/// Why a message was not written. Nothing of it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A token or an option value above 65 804 bytes, or a message above what the length field of a stream can say.
    #[error("a field or the message is too long for the protocol")]
    TooLong,
    /// The output has no room for the whole.
    #[error("the output has no room for it")]
    NoRoom,
    /// The message would break a rule of form.
    #[error("the message would be malformed: {0}")]
    Malformed(#[from] Malformed),
}
