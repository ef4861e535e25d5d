//! What becomes of a message because of its options alone (RFC 7252 §5.4, §5.10).

use alloc::string::String;

use coap_codec::{Code, ContentFormat, OptionFault, OptionNumber, Options};

#[cfg(test)]
mod tests;

/// Reserved for more Location-* options (RFC 7252 §5.10.7).
const RESERVED_LOCATION: [OptionNumber; 4] =
    [OptionNumber::new(128), OptionNumber::new(132), OptionNumber::new(136), OptionNumber::new(140)];

const LOCATION: Present = Present::listed(&[OptionNumber::LOCATION_PATH, OptionNumber::LOCATION_QUERY]);
const PROXY: Present = Present::listed(&[OptionNumber::PROXY_URI, OptionNumber::PROXY_SCHEME]);

/// Why a request is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// 4.02: a critical option is not understood, has a wrong length, or comes too often (§5.4.1, §5.4.3, §5.4.5).
    Option(OptionFault),
    /// 4.02: a reserved option beside Location-Path or Location-Query (§5.10.7).
    ReservedLocation(OptionNumber),
    /// 5.05: this is no proxy (§5.10.2).
    Proxy,
    /// 4.00: a path segment "." or ".." (§5.10.1).
    DotSegment,
}

impl Rejection {
    /// The response code.
    pub(crate) const fn code(self) -> Code {
        match self {
            Self::Option(_) | Self::ReservedLocation(_) => Code::BAD_OPTION,
            Self::Proxy => Code::PROXYING_NOT_SUPPORTED,
            Self::DotSegment => Code::BAD_REQUEST,
        }
    }

    /// The words of the diagnostic payload. The option itself is not sent back, as the client would have to reject the answer for
    /// it. (Put together without `core::fmt`, which nothing else here needs.)
    pub(crate) fn words(self) -> String {
        let (number, fault) = match self {
            Self::Option(fault) => (fault.number, fault.kind.as_str()),
            Self::ReservedLocation(number) => (number, "reserved"),
            Self::Proxy => return "not a proxy".into(),
            Self::DotSegment => return "dot segment in the path".into(),
        };
        ["option ", &decimal(number.get()), ": ", fault].concat()
    }
}

fn decimal(number: u16) -> String {
    let digit = |place: u16| char::from(b'0' + (number / place % 10) as u8);
    let places = [10_000, 1000, 100, 10, 1].into_iter();
    places.filter(|place| number >= *place || *place == 1).map(digit).collect()
}

/// Which options a message has, found in one pass: what it does not have need not be looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Present {
    /// By number, those below 64.
    low: u64,
    /// Whether there are others, which are not told apart.
    high: bool,
}

impl Present {
    /// The options of a message.
    pub(crate) fn of(options: Options<'_>) -> Self {
        options.iter().fold(Self::listed(&[]), |seen, option| seen.with(option.number))
    }

    /// These.
    pub(crate) const fn listed(numbers: &[OptionNumber]) -> Self {
        let (mut listed, mut rest) = (Self { low: 0, high: false }, numbers);
        while let [first, others @ ..] = rest {
            listed = listed.with(*first);
            rest = others;
        }
        listed
    }

    /// Whether one of those may be there, perhaps with a value that it cannot have.
    #[inline]
    pub(crate) const fn meets(self, those: Self) -> bool {
        self.low & those.low != 0 || self.high && those.high
    }

    #[inline]
    const fn with(self, number: OptionNumber) -> Self {
        match number.get() {
            low @ 0..64 => Self { low: self.low | 1 << low, ..self },
            _ => Self { high: true, ..self },
        }
    }
}

/// Looks at the options of a request. `known` says which critical options the resource's application understands beside those
/// of the endpoint.
///
/// # Errors
/// Why it is not served.
pub(crate) fn check_request(
    options: Options<'_>,
    present: Present,
    mut known: impl FnMut(OptionNumber) -> bool,
) -> Result<(), Rejection> {
    let mut is_proxy = |number| options.iter().any(|option| option.number == number) && !known(number);
    if present.meets(PROXY) && (is_proxy(OptionNumber::PROXY_URI) || is_proxy(OptionNumber::PROXY_SCHEME)) {
        return Err(Rejection::Proxy);
    }
    options.check(|number| in_requests(number) || known(number)).map_err(Rejection::Option)?;
    if present.meets(LOCATION) {
        let location =
            options.contains(OptionNumber::LOCATION_PATH) || options.contains(OptionNumber::LOCATION_QUERY);
        let reserved = RESERVED_LOCATION.into_iter().find(|number| options.contains(*number));
        if let Some(reserved) = reserved.filter(|_| location) {
            return Err(Rejection::ReservedLocation(reserved));
        }
    }
    Ok(())
}

/// A segment that no path may have (§5.10.1).
pub(crate) fn is_dot_segment(segment: &[u8]) -> bool {
    matches!(segment, b"." | b"..")
}

/// Whether a response can be used: a critical option that is not understood, or wrong, makes it one to reject (§5.4.1).
/// Options that are defined for requests only count as not understood (§5.4).
///
/// # Errors
/// What is wrong with which option.
pub(crate) fn check_response(options: Options<'_>) -> Result<(), OptionFault> {
    options.check(|number| matches!(number, OptionNumber::BLOCK1 | OptionNumber::BLOCK2))
}

/// Critical options of requests that an endpoint deals with, or that tell the application which resource is meant.
const fn in_requests(number: OptionNumber) -> bool {
    matches!(
        number,
        OptionNumber::IF_MATCH
            | OptionNumber::URI_HOST
            | OptionNumber::IF_NONE_MATCH
            | OptionNumber::URI_PORT
            | OptionNumber::URI_PATH
            | OptionNumber::URI_QUERY
            | OptionNumber::ACCEPT
            | OptionNumber::BLOCK1
            | OptionNumber::BLOCK2
    )
}

/// What a request makes its being done depend on (RFC 7252 §5.10.4, §5.10.6.2, §5.10.8). An application that knows the state of
/// its resource asks these before it does anything.
///
/// ```
/// use coap_core::{OptionList, Preconditions};
/// use coap_codec::{Code, OptionNumber};
///
/// let mut options = OptionList::new();
/// options.add(OptionNumber::IF_MATCH, b"v1");
/// let preconditions = Preconditions::of(options.view());
/// assert_eq!(preconditions.check(Some(b"v1")), Ok(()));
/// assert_eq!(preconditions.check(Some(b"v2")), Err(Code::PRECONDITION_FAILED));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Preconditions<'a> {
    options: Options<'a>,
}

impl<'a> Preconditions<'a> {
    /// The conditions of a request with these options.
    pub const fn of(options: Options<'a>) -> Self {
        Self { options }
    }

    /// If-Match and If-None-Match (§5.10.8). `etag` is the entity-tag of the resource as it is now: `None` if there is no such
    /// resource, empty if there is one without a tag.
    ///
    /// # Errors
    /// 4.12: the method must not be performed.
    pub fn check(&self, etag: Option<&[u8]>) -> Result<(), Code> {
        let mut wanted = self.options.if_match().peekable();
        let matches = |value: &[u8]| etag.is_some_and(|etag| value.is_empty() || value == etag);
        let fails = wanted.peek().is_some() && !wanted.any(matches);
        if fails || self.options.if_none_match() && etag.is_some() {
            return Err(Code::PRECONDITION_FAILED);
        }
        Ok(())
    }

    /// Whether the client has the representation with this entity-tag, so that 2.03 without payload can take the place of 2.05
    /// (§5.10.6.2).
    pub fn has(&self, etag: &[u8]) -> bool {
        self.options.etags().any(|value| value == etag)
    }

    /// Whether the client takes a representation in this format (§5.10.4).
    ///
    /// # Errors
    /// 4.06.
    pub fn accepts(&self, format: ContentFormat) -> Result<(), Code> {
        match self.options.accept() {
            Some(accepted) if accepted != format => Err(Code::NOT_ACCEPTABLE),
            _ => Ok(()),
        }
    }
}

/// Whether 2.03 takes the place of a response to a request with these options: 2.05 to GET, with an entity-tag that the client
/// has named. The response then loses payload and Content-Format, and keeps ETag and Max-Age (§5.9.1.3).
pub(crate) fn is_validated(method: Code, request: Options<'_>, code: Code, response: Options<'_>) -> bool {
    let named = |etag| Preconditions::of(request).has(etag);
    method == Code::GET && code == Code::CONTENT && response.etag().is_some_and(named)
}
