//! Codes, RFC 7252 §3 and §12.1: three bits of class, five of detail.

use core::fmt;

/// What a message is: a method, a response code, a signal of a reliable transport, or Empty.
///
/// Every byte is a code; which of them a message may have is [`Message::decode`](crate::Message::decode)'s affair.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u8);

impl Code {
    /// `class.detail`, `None` when one of them is too large (7 and 31 at most).
    #[inline]
    pub const fn new(class: u8, detail: u8) -> Option<Self> {
        if class < 8 && detail < 32 { Some(Self(class << 5 | detail)) } else { None }
    }

    /// The code of a byte of the header.
    #[inline]
    pub const fn from_byte(byte: u8) -> Self {
        Self(byte)
    }

    /// The byte of the header.
    #[inline]
    pub const fn as_byte(self) -> u8 {
        self.0
    }

    /// The class: 0 to 7.
    #[inline]
    pub const fn class(self) -> u8 {
        self.0 >> 5
    }

    /// The detail: 0 to 31.
    #[inline]
    pub const fn detail(self) -> u8 {
        self.0 & 0x1F
    }

    /// 0.00: no request, no response, only a message.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// 0.01 to 0.31: a method, known or not.
    #[inline]
    pub const fn is_request(self) -> bool {
        self.0 != 0 && self.class() == 0
    }

    /// Class 2 to 5, known or not.
    #[inline]
    pub const fn is_response(self) -> bool {
        matches!(self.class(), 2..=5)
    }

    /// Class 2.
    #[inline]
    pub const fn is_success(self) -> bool {
        self.class() == 2
    }

    /// Class 4.
    #[inline]
    pub const fn is_client_error(self) -> bool {
        self.class() == 4
    }

    /// Class 5.
    #[inline]
    pub const fn is_server_error(self) -> bool {
        self.class() == 5
    }

    /// Class 7: signalling of reliable transports, RFC 8323 §5.
    #[inline]
    pub const fn is_signalling(self) -> bool {
        self.class() == 7
    }

    /// Class 1 or 6, which nothing may use. In datagrams class 7 is reserved, too.
    #[inline]
    pub const fn is_reserved(self) -> bool {
        matches!(self.class(), 1 | 6)
    }
}

/// Constants and names out of one table.
macro_rules! codes {
    ($($(#[$doc:meta])* $constant:ident = $class:literal . $detail:literal, $name:literal;)*) => {
        impl Code {
            $($(#[$doc])* pub const $constant: Self = Self($class << 5 | $detail);)*

            /// The name in the registry, `None` when the code is unassigned.
            pub const fn name(self) -> Option<&'static str> {
                Some(match self {
                    $(Self::$constant => $name,)*
                    _ => return None,
                })
            }
        }
    };
}

codes! {
    /// 0.00, §4.1.
    EMPTY = 0 . 0, "Empty";
    /// 0.01, §5.8.1.
    GET = 0 . 1, "GET";
    /// 0.02, §5.8.2.
    POST = 0 . 2, "POST";
    /// 0.03, §5.8.3.
    PUT = 0 . 3, "PUT";
    /// 0.04, §5.8.4.
    DELETE = 0 . 4, "DELETE";
    /// 0.05, RFC 8132 §2.
    FETCH = 0 . 5, "FETCH";
    /// 0.06, RFC 8132 §3.
    PATCH = 0 . 6, "PATCH";
    /// 0.07, RFC 8132 §3.
    IPATCH = 0 . 7, "iPATCH";

    /// 2.01, §5.9.1.1.
    CREATED = 2 . 1, "Created";
    /// 2.02, §5.9.1.2.
    DELETED = 2 . 2, "Deleted";
    /// 2.03, §5.9.1.3.
    VALID = 2 . 3, "Valid";
    /// 2.04, §5.9.1.4.
    CHANGED = 2 . 4, "Changed";
    /// 2.05, §5.9.1.5.
    CONTENT = 2 . 5, "Content";
    /// 2.31, RFC 7959 §2.9.1.
    CONTINUE = 2 . 31, "Continue";

    /// 4.00, §5.9.2.1.
    BAD_REQUEST = 4 . 0, "Bad Request";
    /// 4.01, §5.9.2.2.
    UNAUTHORIZED = 4 . 1, "Unauthorized";
    /// 4.02, §5.9.2.3.
    BAD_OPTION = 4 . 2, "Bad Option";
    /// 4.03, §5.9.2.4.
    FORBIDDEN = 4 . 3, "Forbidden";
    /// 4.04, §5.9.2.5.
    NOT_FOUND = 4 . 4, "Not Found";
    /// 4.05, §5.9.2.6.
    METHOD_NOT_ALLOWED = 4 . 5, "Method Not Allowed";
    /// 4.06, §5.9.2.7.
    NOT_ACCEPTABLE = 4 . 6, "Not Acceptable";
    /// 4.08, RFC 7959 §2.9.2.
    REQUEST_ENTITY_INCOMPLETE = 4 . 8, "Request Entity Incomplete";
    /// 4.09, RFC 8132 §3.4.
    CONFLICT = 4 . 9, "Conflict";
    /// 4.12, §5.9.2.8.
    PRECONDITION_FAILED = 4 . 12, "Precondition Failed";
    /// 4.13, §5.9.2.9 and RFC 7959 §2.9.3.
    REQUEST_ENTITY_TOO_LARGE = 4 . 13, "Request Entity Too Large";
    /// 4.15, §5.9.2.10.
    UNSUPPORTED_CONTENT_FORMAT = 4 . 15, "Unsupported Content-Format";
    /// 4.22, RFC 8132 §3.4.
    UNPROCESSABLE_ENTITY = 4 . 22, "Unprocessable Entity";
    /// 4.29, RFC 8516.
    TOO_MANY_REQUESTS = 4 . 29, "Too Many Requests";

    /// 5.00, §5.9.3.1.
    INTERNAL_SERVER_ERROR = 5 . 0, "Internal Server Error";
    /// 5.01, §5.9.3.2.
    NOT_IMPLEMENTED = 5 . 1, "Not Implemented";
    /// 5.02, §5.9.3.3.
    BAD_GATEWAY = 5 . 2, "Bad Gateway";
    /// 5.03, §5.9.3.4.
    SERVICE_UNAVAILABLE = 5 . 3, "Service Unavailable";
    /// 5.04, §5.9.3.5.
    GATEWAY_TIMEOUT = 5 . 4, "Gateway Timeout";
    /// 5.05, §5.9.3.6.
    PROXYING_NOT_SUPPORTED = 5 . 5, "Proxying Not Supported";
    /// 5.08, RFC 8768.
    HOP_LIMIT_REACHED = 5 . 8, "Hop Limit Reached";

    /// 7.01, RFC 8323 §5.3.
    CSM = 7 . 1, "CSM";
    /// 7.02, RFC 8323 §5.4.
    PING = 7 . 2, "Ping";
    /// 7.03, RFC 8323 §5.4.
    PONG = 7 . 3, "Pong";
    /// 7.04, RFC 8323 §5.5.
    RELEASE = 7 . 4, "Release";
    /// 7.05, RFC 8323 §5.6.
    ABORT = 7 . 5, "Abort";
}

impl fmt::Display for Code {
    /// `2.05`, as RFC 7252 §3 writes codes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.class(), self.detail())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)?;
        self.name().map_or(Ok(()), |name| write!(f, " {name}"))
    }
}
