//! What an [`Endpoint`](crate::Endpoint) asks for and reports.

use bytes::Bytes;
use coap_codec::Code;

use crate::message::Datagram;
use crate::resource::ResourceId;
use crate::{Handle, OptionList, RequestId, Response};

/// Something to do or to know, in order.
///
/// A handle of [`Endpoint::request`](crate::Endpoint::request) ends exactly once: with a [`Response`](Self::Response) whose
/// `more` is false, with [`Pong`](Self::Pong), or with [`Failed`](Self::Failed). An answered request of a peer needs nothing
/// further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action<P> {
    /// Send this datagram.
    Send {
        /// To whom.
        to: P,
        /// The datagram.
        datagram: Datagram,
    },
    /// A peer asks: answer with [`Endpoint::respond`](crate::Endpoint::respond), now or later.
    Request(IncomingRequest<P>),
    /// The peer needs no answer to this request any more: it said so, cannot be reached, or ended its observation. Answering is
    /// harmless.
    Cancelled {
        /// The request.
        id: RequestId,
    },
    /// The number of observers of a resource has changed.
    Observers {
        /// The resource.
        resource: ResourceId,
        /// How many there are now.
        count: usize,
    },
    /// The peer has the request; its response will follow (RFC 7252 §5.2.2).
    Acknowledged {
        /// The request.
        handle: Handle,
    },
    /// A body in blocks has grown.
    Progress {
        /// The request.
        handle: Handle,
        /// Bytes so far, in this direction.
        bytes: usize,
        /// How many it will be, if known.
        total: Option<usize>,
        /// Whether the request's body is on its way, or else the response's.
        upload: bool,
    },
    /// A response, or a notification.
    Response {
        /// The request.
        handle: Handle,
        /// Who sent it: of interest when the request went to a group.
        from: P,
        /// The response.
        response: Response,
        /// Whether more may follow: notifications, or responses of other members of a group.
        more: bool,
    },
    /// The peer has answered a ping (RFC 7252 §4.3).
    Pong {
        /// The ping.
        handle: Handle,
    },
    /// The request has ended without a (further) response.
    Failed {
        /// The request.
        handle: Handle,
        /// Why.
        failure: Failure,
    },
}

/// A peer's request that passed all rules which need no knowledge of the resource's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingRequest<P> {
    /// Names it in [`Endpoint::respond`](crate::Endpoint::respond).
    pub id: RequestId,
    /// Who asks.
    pub from: P,
    /// The resource that it is for.
    pub resource: ResourceId,
    /// The method.
    pub method: Code,
    /// Its options, without those that the endpoint has dealt with.
    pub options: OptionList,
    /// The body.
    pub payload: Bytes,
    /// Whether it was sent to a group: then an error or an empty answer will not be sent (RFC 7252 §8.2).
    pub multicast: bool,
    /// Why it is asked.
    pub trigger: Trigger,
}

/// Why a request reaches the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// A peer has sent it.
    Peer,
    /// A peer has sent it and observes the resource from now on, if the answer is a success.
    Registration,
    /// The resource has changed ([`Endpoint::changed`](crate::Endpoint::changed)): the answer is a notification to an observer.
    Change,
}

/// Why a request has ended without a (further) response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// No acknowledgement came, after all retransmissions (RFC 7252 §4.2).
    #[error("no acknowledgement: the peer did not react to any of the transmissions")]
    NotAcknowledged,
    /// The response did not come in time.
    #[error("no response in time")]
    NoResponse,
    /// The time for responses of a group is over.
    #[error("the time for responses of the group is over")]
    GroupClosed,
    /// The peer rejected the message with a Reset.
    #[error("the peer rejected the message with a Reset")]
    Reset,
    /// The network says that the peer cannot be reached.
    #[error("the peer cannot be reached")]
    Unreachable,
    /// The response has a critical option that is not understood, or one that is wrong (RFC 7252 §5.4.1).
    #[error("the response has a critical option that is not understood")]
    BadOption,
    /// Blocks of the response do not fit together, or the peer broke the rules of RFC 7959.
    #[error("the blocks of the body do not fit together")]
    BlockMismatch,
    /// The representation kept changing while it was transferred.
    #[error("the representation kept changing during the transfer")]
    Changing,
    /// The body is larger than the limit.
    #[error("the body is larger than the limit")]
    BodyTooLarge,
    /// Cancelled by the application.
    #[error("cancelled")]
    Cancelled,
    /// No message could be sent: a limit, or no free message id.
    #[error("a message could not be sent: {0}")]
    Refused(crate::Refused),
}
