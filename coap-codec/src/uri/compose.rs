//! The URI of a request, from its options and its destination. RFC 7252 §6.5, RFC 8323 §8.

use core::fmt;

use super::path::write_path;
use super::percent::{check_characters, is_argument, is_reg_name, write_encoded};
use super::{Destination, Host, Scheme};
use crate::{OptionNumber, Options};

/// Why there is no URI for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ComposeError {
    /// Uri-Host is neither a name nor an address as a URI has them. RFC 7252 §6.5 step 2.
    #[error("the value of Uri-Host cannot be the host of a URI")]
    Host,
    /// Uri-Port does not fit 16 bits.
    #[error("the value of Uri-Port is not a port")]
    Port,
    /// Uri-Path is `.` or `..`, which would name another resource once read. RFC 7252 §5.10.1.
    #[error("the value of a Uri-Path option is `.` or `..`")]
    DotSegment,
    /// A value is not UTF-8. RFC 7252 §3.2.
    #[error("the value of an option is not UTF-8")]
    NotUtf8(OptionNumber),
    /// The writer refused.
    #[error(transparent)]
    Write(#[from] fmt::Error),
}

/// Writes the URI of a request that came to, or goes to, `destination`. Nothing of it is usable after an error.
///
/// With Proxy-Scheme, `scheme` is that option's. Proxy-Uri is a whole URI by itself and is not looked at.
///
/// # Errors
/// An option that no URI can have, or the writer's.
/// ```
/// use coap_codec::uri::{Destination, Scheme, compose};
/// use coap_codec::Options;
///
/// // Uri-Path "caf\u{e9}", Uri-Query "a&b"
/// let options = Options::decode(b"\xb5caf\xc3\xa9\x43a&b").unwrap();
/// let destination = Destination::from("[2001:db8::1]:61616".parse::<std::net::SocketAddr>().unwrap());
/// let mut uri = String::new();
/// compose(&mut uri, Scheme::Coap, &destination, options).unwrap();
/// assert_eq!(uri, "coap://[2001:db8::1]:61616/caf%C3%A9?a%26b");
/// ```
pub fn compose(
    out: &mut impl fmt::Write,
    scheme: Scheme,
    destination: &Destination<'_>,
    options: Options<'_>,
) -> Result<(), ComposeError> {
    check(options)?;
    write!(out, "{scheme}://")?;
    match options.get(OptionNumber::URI_HOST) {
        Some(host) => write_host(out, host)?,
        None => write!(out, "{}", without_zone(destination.host))?,
    }
    write_port(out, scheme, port(destination, options)?)?;
    write_path(out, options.uri_path().map(bytes))?;
    for (at, argument) in options.uri_query().enumerate() {
        out.write_char(if at == 0 { '?' } else { '&' })?;
        write_encoded(out, bytes(argument), is_argument)?;
    }
    Ok(())
}

/// Only when it is not the default, §6.5 step 5.
pub(super) fn write_port(out: &mut impl fmt::Write, scheme: Scheme, port: u16) -> fmt::Result {
    if port == scheme.default_port() { Ok(()) } else { write!(out, ":{port}") }
}

/// §5.10.1: no dot segments; §3.2: strings are UTF-8.
fn check(options: Options<'_>) -> Result<(), ComposeError> {
    if options.uri_path().any(|segment| matches!(segment, b"." | b"..")) {
        return Err(ComposeError::DotSegment);
    }
    let is_utf8 = |value: &[u8]| core::str::from_utf8(value).is_ok();
    if !options.uri_path().all(is_utf8) {
        return Err(ComposeError::NotUtf8(OptionNumber::URI_PATH));
    }
    if !options.uri_query().all(is_utf8) {
        return Err(ComposeError::NotUtf8(OptionNumber::URI_QUERY));
    }
    Ok(())
}

/// §6.5 step 2: only characters beyond ASCII are encoded; the rest has to be a host already.
fn write_host(out: &mut impl fmt::Write, value: &[u8]) -> Result<(), ComposeError> {
    let text = core::str::from_utf8(value).map_err(|_| ComposeError::NotUtf8(OptionNumber::URI_HOST))?;
    match Host::parse(text) {
        Ok(host @ (Host::Ipv4(_) | Host::Ipv6 { .. })) => Ok(write!(out, "{}", without_zone(host))?),
        _ if text.is_empty() || check_characters(text, 0, is_reg_name_or_beyond_ascii).is_err() => {
            Err(ComposeError::Host)
        }
        _ => Ok(write_encoded(out, bytes(value), |byte| byte.is_ascii())?),
    }
}

fn port(destination: &Destination<'_>, options: Options<'_>) -> Result<u16, ComposeError> {
    match options.uint(OptionNumber::URI_PORT) {
        Some(port) => u16::try_from(port).map_err(|_| ComposeError::Port),
        None => Ok(destination.port),
    }
}

/// A zone means something on one machine only, RFC 6874 §4.
fn without_zone(host: Host<'_>) -> Host<'_> {
    host.address().map_or(host, Host::from)
}

fn bytes(value: &[u8]) -> impl Iterator<Item = u8> {
    value.iter().copied()
}

const fn is_reg_name_or_beyond_ascii(byte: u8) -> bool {
    is_reg_name(byte) || !byte.is_ascii()
}
