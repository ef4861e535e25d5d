//! Addresses to listen on.

use core::fmt;
use core::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::io;
use std::net::ToSocketAddrs;

use coap_codec::uri::{Host, Uri};
use thiserror::Error;

use super::super::transport::{Interface, PORT, Socket};

/// `udp://ADDRESS[:PORT]`: an address, or all addresses of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listen {
    addresses: Vec<SocketAddr>,
    text: String,
}

#[derive(Debug, Error)]
pub(super) enum InvalidListen {
    #[error("expected udp://ADDRESS[:PORT], such as udp://127.0.0.1:5683, udp://[::1] or udp://[::]")]
    Syntax,
    #[error("only udp:// can be listened on")]
    Scheme,
    #[error("this machine has no network interface {0}")]
    Interface(String),
    #[error("cannot find the address: {0}")]
    Unknown(io::Error),
}

impl Listen {
    pub(super) fn parse(text: &str) -> Result<Self, InvalidListen> {
        let authority = match text.split_once("://") {
            Some(("udp", authority)) => authority,
            Some(_) => return Err(InvalidListen::Scheme),
            None => return Err(InvalidListen::Syntax),
        };
        // The authority of a URI is what is wanted: brackets, zones and ports.
        let uri = format!("coap://{authority}");
        let uri = Uri::parse(&uri).map_err(|_| InvalidListen::Syntax)?;
        if !uri.path.encoded().is_empty() || uri.query.is_some() {
            return Err(InvalidListen::Syntax);
        }
        let port = uri.port.unwrap_or(PORT);
        Ok(Self { addresses: addresses(&uri.host, port)?, text: text.to_owned() })
    }

    /// Loopback, IPv4 and IPv6.
    pub(super) fn loopback() -> [Self; 2] {
        ["udp://127.0.0.1", "udp://[::1]"]
            .map(|text| Self::parse(text).expect("written in the form that is parsed"))
    }

    /// Opens a socket for each of its addresses. Must be called within a tokio runtime.
    pub(super) fn open(&self) -> io::Result<Vec<Socket>> {
        let mut sockets = Vec::new();
        for &address in &self.addresses {
            sockets.extend(Socket::listen(address)?);
        }
        Ok(sockets)
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A network interface that there is.
pub(super) fn interface(name: &str) -> Result<String, InvalidListen> {
    Interface::index(name).map_err(|_| InvalidListen::Interface(name.to_owned()))?;
    Ok(name.to_owned())
}

fn addresses(host: &Host<'_>, port: u16) -> Result<Vec<SocketAddr>, InvalidListen> {
    match host {
        Host::Ipv4(address) => Ok(vec![SocketAddr::new(IpAddr::V4(*address), port)]),
        Host::Ipv6 { address, zone } => {
            let zone = zone.as_ref().map(ToString::to_string);
            let index = zone.map(|name| Interface::index(&name).map_err(|_| InvalidListen::Interface(name)));
            let scope = index.transpose()?.unwrap_or(0);
            Ok(vec![SocketAddr::V6(SocketAddrV6::new(*address, port, 0, scope))])
        }
        Host::Name(name) => {
            let found =
                (name.to_string().as_str(), port).to_socket_addrs().map_err(InvalidListen::Unknown)?;
            Ok(found.collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_uris() {
        let parse = |text| Listen::parse(text).map(|listen| listen.addresses).ok();
        assert_eq!(parse("udp://127.0.0.1"), Some(vec!["127.0.0.1:5683".parse().unwrap()]));
        assert_eq!(parse("udp://[::]:0"), Some(vec!["[::]:0".parse().unwrap()]));
        for text in
            ["127.0.0.1", "tcp://127.0.0.1", "udp://", "udp://::1", "udp://127.0.0.1:x", "udp://127.0.0.1/a"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
