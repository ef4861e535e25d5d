//! Option numbers and the registry, RFC 7252 §5.4.6 and §12.2.

use core::fmt;

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

    /// What the registry says, `None` when the number is not registered.
    #[inline]
    pub fn definition(self) -> Option<&'static Definition> {
        let index = DEFINITIONS.binary_search_by_key(&self, |definition| definition.number).ok()?;
        DEFINITIONS.get(index)
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

/// Every registered option, by number.
pub static DEFINITIONS: &[Definition] = REGISTRY;

macro_rules! options {
    ($($(#[$doc:meta])* $constant:ident = $number:literal, $name:literal, $format:ident, $min:literal..=$max:literal $(, $repeatable:ident)?;)*) => {
        impl OptionNumber {
            $($(#[$doc])* pub const $constant: Self = Self($number);)*
        }

        const REGISTRY: &[Definition] = &[$(Definition {
            number: OptionNumber($number),
            name: $name,
            format: Format::$format,
            min_len: $min,
            max_len: $max,
            repeatable: options!(@ $($repeatable)?),
        },)*];
    };
    (@) => { false };
    (@ repeatable) => { true };
}

options! {
    /// RFC 7252 §5.10.8.1.
    IF_MATCH = 1, "If-Match", Opaque, 0..=8, repeatable;
    /// RFC 7252 §5.10.1.
    URI_HOST = 3, "Uri-Host", String, 1..=255;
    /// RFC 7252 §5.10.6. Repeatable in requests only.
    ETAG = 4, "ETag", Opaque, 1..=8, repeatable;
    /// RFC 7252 §5.10.8.2.
    IF_NONE_MATCH = 5, "If-None-Match", Empty, 0..=0;
    /// RFC 7641 §2.
    OBSERVE = 6, "Observe", Uint, 0..=3;
    /// RFC 7252 §5.10.1.
    URI_PORT = 7, "Uri-Port", Uint, 0..=2;
    /// RFC 7252 §5.10.7.
    LOCATION_PATH = 8, "Location-Path", String, 0..=255, repeatable;
    /// RFC 8613 §2.
    OSCORE = 9, "OSCORE", Opaque, 0..=255;
    /// RFC 7252 §5.10.1.
    URI_PATH = 11, "Uri-Path", String, 0..=255, repeatable;
    /// RFC 7252 §5.10.3.
    CONTENT_FORMAT = 12, "Content-Format", Uint, 0..=2;
    /// draft-ietf-core-uri-path-abbrev; the number is requested.
    URI_PATH_ABBREV = 13, "Uri-Path-Abbrev", Uint, 0..=4;
    /// RFC 7252 §5.10.5.
    MAX_AGE = 14, "Max-Age", Uint, 0..=4;
    /// RFC 7252 §5.10.1.
    URI_QUERY = 15, "Uri-Query", String, 0..=255, repeatable;
    /// RFC 8768 §3.
    HOP_LIMIT = 16, "Hop-Limit", Uint, 1..=1;
    /// RFC 7252 §5.10.4.
    ACCEPT = 17, "Accept", Uint, 0..=2;
    /// RFC 9177 §4.1.
    Q_BLOCK1 = 19, "Q-Block1", Uint, 0..=3;
    /// RFC 7252 §5.10.7.
    LOCATION_QUERY = 20, "Location-Query", String, 0..=255, repeatable;
    /// RFC 9668 §3.1.
    EDHOC = 21, "EDHOC", Empty, 0..=0;
    /// RFC 7959 §2.1.
    BLOCK2 = 23, "Block2", Uint, 0..=3;
    /// RFC 7959 §2.1.
    BLOCK1 = 27, "Block1", Uint, 0..=3;
    /// RFC 7959 §4.
    SIZE2 = 28, "Size2", Uint, 0..=4;
    /// RFC 9177 §4.1.
    Q_BLOCK2 = 31, "Q-Block2", Uint, 0..=3, repeatable;
    /// RFC 7252 §5.10.2.
    PROXY_URI = 35, "Proxy-Uri", String, 1..=1034;
    /// RFC 7252 §5.10.2.
    PROXY_SCHEME = 39, "Proxy-Scheme", String, 1..=255;
    /// RFC 7252 §5.10.9, RFC 7959 §4.
    SIZE1 = 60, "Size1", Uint, 0..=4;
    /// draft-ietf-core-href.
    PROXY_CRI = 235, "Proxy-Cri", Opaque, 1..=1023;
    /// draft-ietf-core-href.
    PROXY_SCHEME_NUMBER = 239, "Proxy-Scheme-Number", Uint, 0..=3;
    /// RFC 9175 §2.2.1.
    ECHO = 252, "Echo", Opaque, 1..=40;
    /// RFC 7967 §2.
    NO_RESPONSE = 258, "No-Response", Uint, 0..=1;
    /// RFC 9175 §3.2.1.
    REQUEST_TAG = 292, "Request-Tag", Opaque, 0..=8, repeatable;
    /// Open Connectivity Foundation.
    OCF_ACCEPT_CONTENT_FORMAT_VERSION = 2049, "OCF-Accept-Content-Format-Version", Uint, 2..=2;
    /// Open Connectivity Foundation.
    OCF_CONTENT_FORMAT_VERSION = 2053, "OCF-Content-Format-Version", Uint, 2..=2;
    /// ETSI TS 102 226; its length is not registered.
    SCP82_PARAMS = 2055, "SCP82-Params", Opaque, 0..=65535;
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
