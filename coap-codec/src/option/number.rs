//! Option numbers and the registry, RFC 7252 §5.4.6 and §12.2.

use core::fmt;
use core::ops::RangeInclusive;

/// The number of an option. Its low bits say what who does not know it has to do, §5.4.6.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OptionNumber(u16);

impl OptionNumber {
    /// The option of this number.
    #[inline]
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// Its number.
    #[inline]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Whether an endpoint that does not know it cannot use the message.
    #[inline]
    pub const fn is_critical(self) -> bool {
        self.0 & 1 != 0
    }

    /// Whether a proxy that does not know it cannot forward the message.
    #[inline]
    pub const fn is_unsafe_to_forward(self) -> bool {
        self.0 & 2 != 0
    }

    /// Whether it is no part of the cache key. Only what is safe to forward can be left out of that.
    #[inline]
    pub const fn is_no_cache_key(self) -> bool {
        self.0 & 0x1E == 0x1C
    }
}

/// What an option is, §5.10.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its number.
    pub number: OptionNumber,
    /// Its name in the registry.
    pub name: &'static str,
    /// What its value is.
    pub format: Format,
    /// The least bytes of a value.
    pub min_len: u16,
    /// The most bytes of a value.
    pub max_len: u16,
    /// Whether it can be in a message more than once.
    pub repeatable: bool,
}

impl Definition {
    /// Whether a value has a length that the option can have.
    #[inline]
    pub const fn allows(&self, len: usize) -> bool {
        len >= self.min_len as usize && len <= self.max_len as usize
    }
}

/// The format of option values, §3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Zero bytes.
    Empty,
    /// Any bytes.
    Opaque,
    /// A big-endian number.
    Uint,
    /// UTF-8.
    String,
}

macro_rules! options {
    ($($(#[$doc:meta])* $constant:ident = $name:literal, $number:literal, $format:ident, $len:expr, $often:ident;)*) => {
        impl OptionNumber {
            $($(#[$doc])* pub const $constant: Self = Self($number);)*

            /// What the registry says, `None` when the number is not registered.
            #[inline]
            pub const fn definition(self) -> Option<&'static Definition> {
                match self.0 {
                    $($number => Some(const { &define($number, $name, Format::$format, $len, Often::$often) }),)*
                    _ => None,
                }
            }
        }

        /// Every registered option, by number.
        pub static DEFINITIONS: &[Definition] =
            &[$(define($number, $name, Format::$format, $len, Often::$often),)*];
    };
}

/// How often an option can be in a message.
#[derive(Clone, Copy)]
enum Often {
    Once,
    Repeatable,
}

const fn define(
    number: u16,
    name: &'static str,
    format: Format,
    len: RangeInclusive<u16>,
    often: Often,
) -> Definition {
    let (number, repeatable) = (OptionNumber(number), matches!(often, Often::Repeatable));
    Definition { number, name, format, min_len: *len.start(), max_len: *len.end(), repeatable }
}

options! {
    /// RFC 7252 §5.10.8.1.
    IF_MATCH = "If-Match", 1, Opaque, 0..=8, Repeatable;
    /// RFC 7252 §5.10.1.
    URI_HOST = "Uri-Host", 3, String, 1..=255, Once;
    /// RFC 7252 §5.10.6. Repeatable in requests only.
    ETAG = "ETag", 4, Opaque, 1..=8, Repeatable;
    /// RFC 7252 §5.10.8.2.
    IF_NONE_MATCH = "If-None-Match", 5, Empty, 0..=0, Once;
    /// RFC 7641 §2.
    OBSERVE = "Observe", 6, Uint, 0..=3, Once;
    /// RFC 7252 §5.10.1.
    URI_PORT = "Uri-Port", 7, Uint, 0..=2, Once;
    /// RFC 7252 §5.10.7.
    LOCATION_PATH = "Location-Path", 8, String, 0..=255, Repeatable;
    /// RFC 8613 §2.
    OSCORE = "OSCORE", 9, Opaque, 0..=255, Once;
    /// RFC 7252 §5.10.1.
    URI_PATH = "Uri-Path", 11, String, 0..=255, Repeatable;
    /// RFC 7252 §5.10.3.
    CONTENT_FORMAT = "Content-Format", 12, Uint, 0..=2, Once;
    /// draft-ietf-core-uri-path-abbrev; the number is requested.
    URI_PATH_ABBREV = "Uri-Path-Abbrev", 13, Uint, 0..=4, Once;
    /// RFC 7252 §5.10.5.
    MAX_AGE = "Max-Age", 14, Uint, 0..=4, Once;
    /// RFC 7252 §5.10.1.
    URI_QUERY = "Uri-Query", 15, String, 0..=255, Repeatable;
    /// RFC 8768 §3.
    HOP_LIMIT = "Hop-Limit", 16, Uint, 1..=1, Once;
    /// RFC 7252 §5.10.4.
    ACCEPT = "Accept", 17, Uint, 0..=2, Once;
    /// RFC 9177 §4.1.
    Q_BLOCK1 = "Q-Block1", 19, Uint, 0..=3, Once;
    /// RFC 7252 §5.10.7.
    LOCATION_QUERY = "Location-Query", 20, String, 0..=255, Repeatable;
    /// RFC 9668 §3.1.
    EDHOC = "EDHOC", 21, Empty, 0..=0, Once;
    /// RFC 7959 §2.1.
    BLOCK2 = "Block2", 23, Uint, 0..=3, Once;
    /// RFC 7959 §2.1.
    BLOCK1 = "Block1", 27, Uint, 0..=3, Once;
    /// RFC 7959 §4.
    SIZE2 = "Size2", 28, Uint, 0..=4, Once;
    /// RFC 9177 §4.1.
    Q_BLOCK2 = "Q-Block2", 31, Uint, 0..=3, Repeatable;
    /// RFC 7252 §5.10.2.
    PROXY_URI = "Proxy-Uri", 35, String, 1..=1034, Once;
    /// RFC 7252 §5.10.2.
    PROXY_SCHEME = "Proxy-Scheme", 39, String, 1..=255, Once;
    /// RFC 7252 §5.10.9, RFC 7959 §4.
    SIZE1 = "Size1", 60, Uint, 0..=4, Once;
    /// draft-ietf-core-href.
    PROXY_CRI = "Proxy-Cri", 235, Opaque, 1..=1023, Once;
    /// draft-ietf-core-href.
    PROXY_SCHEME_NUMBER = "Proxy-Scheme-Number", 239, Uint, 0..=3, Once;
    /// RFC 9175 §2.2.1.
    ECHO = "Echo", 252, Opaque, 1..=40, Once;
    /// RFC 7967 §2.
    NO_RESPONSE = "No-Response", 258, Uint, 0..=1, Once;
    /// RFC 9175 §3.2.1.
    REQUEST_TAG = "Request-Tag", 292, Opaque, 0..=8, Repeatable;
    /// Open Connectivity Foundation.
    OCF_ACCEPT_CONTENT_FORMAT_VERSION = "OCF-Accept-Content-Format-Version", 2049, Uint, 2..=2, Once;
    /// Open Connectivity Foundation.
    OCF_CONTENT_FORMAT_VERSION = "OCF-Content-Format-Version", 2053, Uint, 2..=2, Once;
    /// ETSI TS 102 226; its length is not registered.
    SCP82_PARAMS = "SCP82-Params", 2055, Opaque, 0..=65535, Once;
}

impl fmt::Display for OptionNumber {
    /// The name, or the number when it has none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.definition() {
            Some(definition) => f.pad(definition.name),
            None => fmt::Display::fmt(&self.0, f),
        }
    }
}

impl fmt::Debug for OptionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.definition() {
            Some(definition) => write!(f, "{} ({})", definition.name, self.0),
            None => fmt::Debug::fmt(&self.0, f),
        }
    }
}
