//! The host and port of a URI, and where a request is sent.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use nom::Parser;
use nom::bytes::complete::{tag, take_till};
use nom::character::complete::char;
use nom::sequence::delimited;

use super::Parsed;
use super::error::{InvalidUri, UriFault};
use super::percent::{PercentEncoded, is_reg_name, is_unreserved, write_encoded};

/// The host of a URI. RFC 3986 §3.2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host<'a> {
    /// An IPv4 address.
    Ipv4(Ipv4Addr),
    /// An IPv6 address.
    Ipv6 {
        /// The address between the brackets.
        address: Ipv6Addr,
        /// The interface that a link-local address belongs to, RFC 6874: of meaning on this machine only, never sent.
        zone: Option<PercentEncoded<'a>>,
    },
    /// A name to look up, in lowercase when decoded. The only kind of host that needs Uri-Host.
    Name(PercentEncoded<'a>),
}

impl<'a> Host<'a> {
    /// Parses a host as a URI has it: an IPv6 address in brackets.
    ///
    /// # Errors
    /// The first broken rule, with its place.
    pub fn parse(text: &'a str) -> Result<Self, InvalidUri> {
        Self::parse_at(text, 0)
    }

    /// The address, when the host is one.
    pub fn address(&self) -> Option<IpAddr> {
        match *self {
            Self::Ipv4(address) => Some(IpAddr::V4(address)),
            Self::Ipv6 { address, .. } => Some(IpAddr::V6(address)),
            Self::Name(_) => None,
        }
    }

    /// The name, when the host is one.
    pub fn name(&self) -> Option<PercentEncoded<'a>> {
        match *self {
            Self::Name(name) => Some(name),
            Self::Ipv4(_) | Self::Ipv6 { .. } => None,
        }
    }

    fn parse_at(text: &'a str, offset: usize) -> Result<Self, InvalidUri> {
        if text.is_empty() {
            return Err(UriFault::EmptyHost.at(offset));
        }
        if text.starts_with('[') {
            let (rest, literal) = ip_literal(text).map_err(|_| UriFault::Ipv6.at(offset))?;
            if !rest.is_empty() {
                return Err(UriFault::Character.at(offset + text.len() - rest.len()));
            }
            return ipv6(literal, offset + 1);
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::Ipv4(address));
        }
        PercentEncoded::parse(text, offset, is_reg_name).map(|name| Self::Name(name.in_lowercase()))
    }

    /// Whether both are the same as the value of Uri-Host: zones do not count.
    pub(super) fn is_default_for(&self, other: &Host<'_>) -> bool {
        match (self.address(), other.address()) {
            (Some(address), Some(other)) => address == other,
            (None, None) => self.name() == other.name(),
            _ => false,
        }
    }
}

/// In the form of a URI: brackets, RFC 5952 for the address, percent-encodings where needed.
impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Ipv4(address) => write!(f, "{address}"),
            Self::Ipv6 { address, zone: None } => write!(f, "[{address}]"),
            Self::Ipv6 { address, zone: Some(zone) } => {
                write!(f, "[{address}%25")?;
                write_encoded(f, zone.bytes(), is_unreserved)?;
                f.write_str("]")
            }
            Self::Name(name) => write_encoded(f, name.bytes(), is_reg_name),
        }
    }
}

impl From<IpAddr> for Host<'_> {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::Ipv4(address),
            IpAddr::V6(address) => Self::Ipv6 { address, zone: None },
        }
    }
}

/// Where a request goes: the defaults of Uri-Host and Uri-Port. RFC 7252 §5.10.1.
///
/// The host is the destination's address; for TLS with SNI the name in it, for WebSockets the one in `Host`. RFC 8323 §8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination<'a> {
    /// The default of Uri-Host.
    pub host: Host<'a>,
    /// The default of Uri-Port.
    pub port: u16,
}

impl From<SocketAddr> for Destination<'_> {
    fn from(address: SocketAddr) -> Self {
        Self { host: address.ip().into(), port: address.port() }
    }
}

/// `host [ ":" port ]`, RFC 7252 §6.1.
pub(super) fn host_and_port(authority: &str, offset: usize) -> Result<(Host<'_>, Option<u16>), InvalidUri> {
    if let Some(at) = authority.find('@') {
        return Err(UriFault::UserInfo.at(offset + at));
    }
    if authority.parse::<Ipv6Addr>().is_ok() {
        return Err(UriFault::NoBrackets.at(offset));
    }
    let host_len = match authority.find(']') {
        Some(bracket) => {
            bracket
                + authority
                    .get(bracket..)
                    .and_then(|rest| rest.find(':'))
                    .unwrap_or(authority.len() - bracket)
        }
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at_checked(host_len).unwrap_or((authority, ""));
    let host = Host::parse_at(host, offset)?;
    let Some(digits) = port.strip_prefix(':').filter(|digits| !digits.is_empty()) else {
        return Ok((host, None));
    };
    let is_number = digits.bytes().all(|digit| digit.is_ascii_digit());
    let number = digits.parse().ok().filter(|_| is_number);
    number.map(|number| (host, Some(number))).ok_or(UriFault::Port.at(offset + host_len + 1))
}

/// `"[" IPv6address "]"`, of which the inside is looked at later.
fn ip_literal(input: &str) -> Parsed<'_, &str> {
    delimited(char('['), take_till(|next| next == ']'), char(']')).parse_complete(input)
}

/// `IPv6address [ "%25" ZoneID ]`, RFC 6874 §2.
fn ipv6(literal: &str, offset: usize) -> Result<Host<'_>, InvalidUri> {
    let (address, zone) =
        literal.split_at_checked(literal.find('%').unwrap_or(literal.len())).unwrap_or((literal, ""));
    let zone_offset = offset + address.len();
    let address = address.parse().map_err(|_| UriFault::Ipv6.at(offset))?;
    if zone.is_empty() {
        return Ok(Host::Ipv6 { address, zone: None });
    }
    let (zone, _) = zone_mark(zone).map_err(|_| UriFault::Zone.at(zone_offset))?;
    if zone.is_empty() {
        return Err(UriFault::Zone.at(zone_offset));
    }
    let zone = PercentEncoded::parse(zone, zone_offset + 3, is_unreserved)?;
    Ok(Host::Ipv6 { address, zone: Some(zone) })
}

fn zone_mark(input: &str) -> Parsed<'_, &str> {
    tag("%25")(input)
}
