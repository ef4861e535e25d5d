//! Requests and responses as an application sees them: whole bodies, no messages.

use core::time::Duration;

use bytes::Bytes;
use coap_codec::{Code, OptionNumber};

use crate::{OptionList, Token};

/// Names a request of this endpoint, from [`Endpoint::request`](crate::Endpoint::request) to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(pub(crate) u64);

/// Names a request of a peer that is to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub(crate) u64);

/// Whether a message asks for an acknowledgement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reliability {
    /// CON: repeated until it is acknowledged.
    #[default]
    Confirmable,
    /// NON: sent once.
    NonConfirmable,
}

/// Who cuts bodies into blocks and puts them together (RFC 7959).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Bodies {
    /// The endpoint: the application sees whole bodies.
    #[default]
    Whole,
    /// The application: Block options pass through in both directions, for random access, for servers without state, and for
    /// bodies larger than memory. It has to keep responses small, too, where a method is not GET or FETCH and the peer may be another
    /// than it says: the endpoint cannot cut those, nor have the request repeated (RFC 9175 §2.4).
    Blocks,
}

/// A request to be sent.
///
/// ```
/// use coap_core::Request;
/// use coap_codec::{Code, OptionNumber};
///
/// let request = Request::new(Code::PUT)
///     .with(OptionNumber::URI_PATH, b"lamp")
///     .with_uint(OptionNumber::CONTENT_FORMAT, 0)
///     .payload("on");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Code,
    /// The options. Block1, Block2 and Size1 are the endpoint's own affair with [`Bodies::Whole`], except that a Block2 with
    /// NUM 0 says which size is wanted. Observe 0 makes an observation of it.
    pub options: OptionList,
    /// The body.
    pub payload: Bytes,
    /// CON or NON. Default CON.
    pub reliability: Reliability,
    /// Who takes care of blocks. Default the endpoint.
    pub bodies: Bodies,
    /// The block size as exponent SZX, in place of the configuration's.
    pub block_size_exponent: Option<u8>,
    /// How long to wait for the response once the request is acknowledged or sent, in place of the configuration's.
    pub timeout: Option<Duration>,
    /// The token; `None` for one that nobody can guess.
    pub token: Option<Token>,
}

impl Request {
    /// A confirmable request without options and body.
    pub const fn new(method: Code) -> Self {
        Self {
            method,
            options: OptionList::new(),
            payload: Bytes::new(),
            reliability: Reliability::Confirmable,
            bodies: Bodies::Whole,
            block_size_exponent: None,
            timeout: None,
            token: None,
        }
    }

    /// With one more option.
    #[must_use]
    pub fn with(mut self, number: OptionNumber, value: &[u8]) -> Self {
        self.options.add(number, value);
        self
    }

    /// With one more option whose value is a number.
    #[must_use]
    pub fn with_uint(mut self, number: OptionNumber, value: u64) -> Self {
        self.options.add_uint(number, value);
        self
    }

    /// With a path: one Uri-Path for each part between slashes. A slash in front is not needed.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        for segment in path.strip_prefix('/').unwrap_or(path).as_bytes().split(|byte| *byte == b'/') {
            self.options.add(OptionNumber::URI_PATH, segment);
        }
        self
    }

    /// With a body.
    #[must_use]
    pub fn payload(mut self, payload: impl Into<Bytes>) -> Self {
        self.payload = payload.into();
        self
    }

    /// As a non-confirmable message.
    #[must_use]
    pub const fn non_confirmable(mut self) -> Self {
        self.reliability = Reliability::NonConfirmable;
        self
    }

    /// As a registration for what the resource becomes (RFC 7641), with GET or FETCH.
    #[must_use]
    pub fn observe(mut self) -> Self {
        self.options.set_uint(OptionNumber::OBSERVE, 0);
        self
    }
}

/// A response: to be sent, or received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The response code.
    pub code: Code,
    /// The options; Block options are the endpoint's own affair with [`Bodies::Whole`], and Observe always.
    pub options: OptionList,
    /// The body.
    pub payload: Bytes,
    /// How it is to be sent when it cannot ride on the acknowledgement of its request; `None`: as the request came, and a
    /// notification as configured.
    pub reliability: Option<Reliability>,
}

impl Response {
    /// A response without options and body.
    pub const fn new(code: Code) -> Self {
        Self { code, options: OptionList::new(), payload: Bytes::new(), reliability: None }
    }

    /// With one more option.
    #[must_use]
    pub fn with(mut self, number: OptionNumber, value: &[u8]) -> Self {
        self.options.add(number, value);
        self
    }

    /// With one more option whose value is a number.
    #[must_use]
    pub fn with_uint(mut self, number: OptionNumber, value: u64) -> Self {
        self.options.add_uint(number, value);
        self
    }

    /// With a body, or a diagnostic text when the code is an error.
    #[must_use]
    pub fn payload(mut self, payload: impl Into<Bytes>) -> Self {
        self.payload = payload.into();
        self
    }

    /// Sent this way when it cannot ride on the acknowledgement.
    #[must_use]
    pub const fn reliability(mut self, reliability: Reliability) -> Self {
        self.reliability = Some(reliability);
        self
    }
}
