//! URIs of CoAP: a URI to the options of a request (RFC 7252 §6.4) and back (§6.5), also for TCP and WebSockets (RFC 8323 §8).
//!
//! [`Uri::parse`] follows RFC 3986 to the letter: percent-encodings are whole, an IPv6 literal stands in brackets, its zone begins
//! with `%25` (RFC 6874). What CoAP does not allow is refused with the place of the fault: user information, fragments, values
//! above 255 bytes or that are not UTF-8 once decoded.
//! ```
//! use coap_codec::uri::{Host, Scheme, Uri};
//!
//! let uri = Uri::parse("coap://Example.com/.well-known/core?rt=light&if=%26")?;
//! assert_eq!(uri.scheme, Scheme::Coap);
//! assert_eq!(uri.port_or_default(), 5683);
//!
//! let mut scratch = [0; 255];
//! let mut seen = Vec::new();
//! uri.for_each_option(&mut scratch, |number, value| {
//!     seen.push((number.get(), String::from_utf8_lossy(value).into_owned()));
//!     Ok::<(), ()>(())
//! }).unwrap();
//! let expected = [(3, "example.com"), (11, ".well-known"), (11, "core"), (15, "rt=light"), (15, "if=&")];
//! assert_eq!(seen, expected.map(|(number, text)| (number, text.to_string())));
//! # Ok::<(), coap_codec::uri::InvalidUri>(())
//! ```
//! An error knows where it is, so that a command line can point at it:
//! ```
//! use coap_codec::uri::Uri;
//!
//! let error = Uri::parse("coap://host/a%2").unwrap_err();
//! assert_eq!(error.offset, 13);
//! assert_eq!(error.to_string(), "at byte 13: `%` is not followed by two hexadecimal digits");
//! ```

mod compose;
mod error;
mod host;
mod options;
mod path;
mod percent;
mod scheme;

use core::fmt;

use nom::Parser;
use nom::bytes::complete::{tag, take_till, take_while};
use nom::character::complete::{char, satisfy};
use nom::combinator::{opt, recognize};
use nom::sequence::{pair, preceded, terminated};

pub use compose::{ComposeError, compose};
pub use error::{InvalidUri, UriFault};
pub use host::{Destination, Host};
pub use options::{RequestOptions, UriOption, UriOptionValue};
pub use path::{Arguments, MAX_PATH_LEN, Path, Query, Segments};
pub use percent::PercentEncoded;
pub(crate) use percent::{DecodedBytes, write_encoded};
pub use scheme::Scheme;

/// The longest value of Uri-Host, Uri-Path and Uri-Query. RFC 7252 §5.10, Table 4.
pub const MAX_VALUE_LEN: usize = 255;

/// What a leaf of the grammar returns; which rule was broken is the caller's to say.
type Parsed<'a, T> = nom::IResult<&'a str, T, ()>;

/// An absolute URI of one of CoAP's schemes, checked as a whole.
///
/// Two are equal when they lead to the same request (RFC 7252 §6.3); `Display` writes the normal form.
/// ```
/// use coap_codec::uri::Uri;
///
/// let uri = Uri::parse("coap://EXAMPLE.com:/%7esensors/x/../temp.xml")?;
/// assert_eq!(uri.to_string(), "coap://example.com/~sensors/temp.xml");
/// assert_eq!(uri, Uri::parse("coap://example.com:5683/~sensors/temp.xml")?);
/// # Ok::<(), coap_codec::uri::InvalidUri>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Uri<'a> {
    /// Which transport, and whether it is secured.
    pub scheme: Scheme,
    /// Where the server is: an address or a name to look up.
    pub host: Host<'a>,
    /// The port as written; an empty one is `None`.
    pub port: Option<u16>,
    /// The path, of which the segments are asked for with [`Path::segments`].
    pub path: Path<'a>,
    /// What follows `?`; an empty query is there, and is one empty argument.
    pub query: Option<Query<'a>>,
}

impl<'a> Uri<'a> {
    /// Parses an absolute URI. RFC 7252 §6.4 steps 1 to 4, RFC 3986 §3.
    ///
    /// # Errors
    /// The first broken rule, with its place.
    pub fn parse(text: &'a str) -> Result<Self, InvalidUri> {
        let at = |rest: &str| text.len() - rest.len();
        let (rest, scheme) = scheme_name(text).map_err(|_| UriFault::NoScheme.at(0))?;
        let scheme = Scheme::from_name(scheme).ok_or(UriFault::UnknownScheme.at(0))?;
        let (rest, authority) = authority(rest).map_err(|_| UriFault::NoAuthority.at(at(rest)))?;
        let authority_offset = at(rest) - authority.len();
        let (rest, path) = until_query(rest).map_err(|_| UriFault::Character.at(at(rest)))?;
        let path_offset = at(rest) - path.len();
        let (rest, query) = query(rest).map_err(|_| UriFault::Character.at(at(rest)))?;
        let query_offset = at(rest) - query.map_or(0, str::len);
        if !rest.is_empty() {
            return Err(UriFault::Fragment.at(at(rest)));
        }
        let (host, port) = host::host_and_port(authority, authority_offset)?;
        let path = Path::parse_at(path, path_offset)?;
        let query = query.map(|query| Query::parse_at(query, query_offset)).transpose()?;
        Ok(Self { scheme, host, port, path, query })
    }

    /// The port to send to: the written one or the scheme's default. RFC 7252 §6.4 step 6.
    pub fn port_or_default(&self) -> u16 {
        self.port.unwrap_or(self.scheme.default_port())
    }

    /// The segments of the path, one per Uri-Path, percent-decoded on demand; none for the root. RFC 7252 §6.4 step 8.
    pub fn path_segments(&self) -> Segments<'a> {
        self.path.segments()
    }

    /// The arguments of the query, one per Uri-Query, percent-decoded on demand. RFC 7252 §6.4 step 9.
    pub fn query_arguments(&self) -> Arguments<'a> {
        self.query.map(Query::arguments).unwrap_or_default()
    }
}

impl PartialEq for Uri<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.scheme == other.scheme
            && self.host == other.host
            && self.port_or_default() == other.port_or_default()
            && self.path == other.path
            && self.query == other.query
    }
}

impl Eq for Uri<'_> {}

/// The normal form of RFC 7252 §6.3: lowercase, no default port, no dot segments, only needed percent-encodings.
impl fmt::Display for Uri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        compose::write_port(f, self.scheme, self.port_or_default())?;
        write!(f, "{}", self.path)?;
        self.query.map_or(Ok(()), |query| write!(f, "?{query}"))
    }
}

/// `scheme ":"`, RFC 3986 §3.1.
fn scheme_name(input: &str) -> Parsed<'_, &str> {
    let letter = satisfy(|first| first.is_ascii_alphabetic());
    let others = take_while(|next: char| next.is_ascii_alphanumeric() || matches!(next, '+' | '-' | '.'));
    terminated(recognize(pair(letter, others)), char(':')).parse_complete(input)
}

/// `"//" authority`, RFC 3986 §3.2.
fn authority(input: &str) -> Parsed<'_, &str> {
    preceded(tag("//"), take_till(|next| matches!(next, '/' | '?' | '#'))).parse_complete(input)
}

fn until_query(input: &str) -> Parsed<'_, &str> {
    take_till(|next| matches!(next, '?' | '#'))(input)
}

/// `[ "?" query ]`, RFC 3986 §3.4.
fn query(input: &str) -> Parsed<'_, Option<&str>> {
    opt(preceded(char('?'), take_till(|next| next == '#'))).parse_complete(input)
}
