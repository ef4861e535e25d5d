//! Addresses on the command line.

use core::fmt;
use core::net::SocketAddr;
use std::io;
use std::net::ToSocketAddrs;

use thiserror::Error;

/// The port of gateways. There is no registered one; other gateways listen on 1883, 1884, 1885 or 10000.
pub(crate) const PORT: u16 = 1885;
/// The port of groups, as Paho's gateway has it.
pub(crate) const GROUP_PORT: u16 = 1883;

/// `udp://ADDRESS[:PORT]`: an address, or all addresses of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) addresses: Vec<SocketAddr>,
    text: String,
}

#[derive(Debug, Error)]
pub(crate) enum InvalidAddress {
    #[error("expected udp://ADDRESS[:PORT], such as udp://127.0.0.1:1885 or udp://[::]")]
    Endpoint,
    #[error("expected ADDRESS[:PORT], such as 225.1.1.1, 225.1.1.1:1883, [ff02::1234] or 255.255.255.255")]
    Group,
    #[error("neither a group nor the broadcast address")]
    NoGroup,
    #[error("cannot find the address: {0}")]
    Unknown(io::Error),
}

impl Endpoint {
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidAddress> {
        let authority = text.strip_prefix("udp://").ok_or(InvalidAddress::Endpoint)?;
        let (host, port) = host_and_port(authority, PORT).ok_or(InvalidAddress::Endpoint)?;
        Ok(Self { addresses: resolve(host, port)?, text: text.to_owned() })
    }

    pub(crate) fn is_loopback(&self) -> bool {
        self.addresses.iter().all(|address| address.ip().is_loopback())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// For clap: a multicast group, or an address of IPv4 that reaches everybody.
pub(crate) fn group(text: &str) -> Result<SocketAddr, InvalidAddress> {
    let (host, port) = host_and_port(text, GROUP_PORT).ok_or(InvalidAddress::Group)?;
    let address = resolve(host, port)?.first().copied().ok_or(InvalidAddress::Group)?;
    let for_all = match address {
        SocketAddr::V4(address) => address.ip().is_multicast() || address.ip().octets()[3] == 255,
        SocketAddr::V6(address) => address.ip().is_multicast(),
    };
    if for_all { Ok(address) } else { Err(InvalidAddress::NoGroup) }
}

/// The addresses of a host, which may be an address itself.
pub(crate) fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, InvalidAddress> {
    Ok((host, port).to_socket_addrs().map_err(InvalidAddress::Unknown)?.collect())
}

/// `host`, `host:port`, `[v6]` or `[v6]:port`.
fn host_and_port(text: &str, default: u16) -> Option<(&str, u16)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => text.find(':').map_or((text, ""), |at| text.split_at(at)),
    };
    let port = match port {
        "" => default,
        port => port.strip_prefix(':')?.parse().ok()?,
    };
    (!host.is_empty() && !host.contains('/')).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints() {
        let parse = |text| Endpoint::parse(text).map(|endpoint| endpoint.addresses).ok();
        assert_eq!(parse("udp://127.0.0.1"), Some(vec!["127.0.0.1:1885".parse().unwrap()]));
        assert_eq!(parse("udp://[::]:0"), Some(vec!["[::]:0".parse().unwrap()]));
        for text in
            ["127.0.0.1", "tcp://127.0.0.1", "udp://", "udp://::1", "udp://127.0.0.1:x", "udp://127.0.0.1/a"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
        assert!(Endpoint::parse("udp://localhost").unwrap().is_loopback());
        assert!(!Endpoint::parse("udp://[::]").unwrap().is_loopback());
    }

    #[test]
    fn groups() {
        let parse = |text| group(text).map_err(|error| error.to_string());
        assert_eq!(parse("225.1.1.1"), Ok("225.1.1.1:1883".parse().unwrap()));
        assert_eq!(parse("[ff02::1]:5"), Ok("[ff02::1]:5".parse().unwrap()));
        assert_eq!(parse("255.255.255.255"), Ok("255.255.255.255:1883".parse().unwrap()));
        assert_eq!(parse("127.0.0.1"), Err("neither a group nor the broadcast address".into()));
        assert!(parse("225.1.1.1/").unwrap_err().starts_with("expected ADDRESS"));
    }
}
