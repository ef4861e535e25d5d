//! Where clients connect: addresses, sockets and the loop that accepts.

use alloc::rc::Rc;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::io;
use std::net::ToSocketAddrs;

use mio::net::TcpListener;
use thiserror::Error;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tracing::{debug, warn};

use super::engine::Engine;

/// The port of MQTT without TLS.
const DEFAULT_PORT: u16 = 1883;

/// An address to listen on: `tcp://host[:port]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    addresses: Vec<SocketAddr>,
    text: String,
}

#[derive(Debug, Error)]
pub(crate) enum InvalidEndpoint {
    #[error("{0}: expected tcp://ADDRESS[:PORT], such as tcp://127.0.0.1:1883 or tcp://[::1]:1883")]
    Syntax(String),
    #[error("{text}: cannot find the address: {source}")]
    Unknown { text: String, source: io::Error },
}

impl Endpoint {
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidEndpoint> {
        let syntax = || InvalidEndpoint::Syntax(text.to_owned());
        let authority = text.strip_prefix("tcp://").ok_or_else(syntax)?;
        let (host, port) = split_port(authority).ok_or_else(syntax)?;
        let addresses = match host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => (host, port)
                .to_socket_addrs()
                .map_err(|source| InvalidEndpoint::Unknown { text: text.to_owned(), source })?
                .collect(),
        };
        Ok(Self { addresses, text: text.to_owned() })
    }

    /// Loopback, IPv4 and IPv6.
    pub(crate) fn loopback() -> [Self; 2] {
        ["tcp://127.0.0.1:1883", "tcp://[::1]:1883"]
            .map(|text| Self::parse(text).expect("written in the form that is parsed"))
    }

    pub(crate) fn is_loopback(&self) -> bool {
        self.addresses.iter().all(|address| address.ip().is_loopback())
    }

    /// Opens a socket for each of its addresses.
    pub(crate) fn listen(&self) -> io::Result<Vec<TcpListener>> {
        self.addresses.iter().map(|&address| TcpListener::bind(address)).collect()
    }
}

impl core::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.text)
    }
}

/// `host`, `host:port`, `[v6]` or `[v6]:port`.
fn split_port(authority: &str) -> Option<(&str, u16)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => authority.find(':').map_or((authority, ""), |at| authority.split_at(at)),
    };
    let port = match port {
        "" => DEFAULT_PORT,
        port => port.strip_prefix(':')?.parse().ok()?,
    };
    (!host.is_empty()).then_some((host, port))
}

/// Accepts connections until the task is dropped.
pub(crate) async fn accept(listener: AsyncFd<TcpListener>, engine: Rc<Engine>) {
    /// Out of file descriptors or memory: waiting is all that helps.
    const PAUSE: Duration = Duration::from_millis(100);
    loop {
        match listener.async_io(Interest::READABLE, TcpListener::accept).await {
            Ok((stream, peer)) => {
                // Without it, delayed acknowledgements make 40 ms of latency at QoS 1 and 2.
                if let Err(error) = stream.set_nodelay(true) {
                    debug!(%peer, %error, "TCP_NODELAY refused");
                }
                engine.open(stream, peer);
            }
            Err(error) if is_of_one_connection(&error) => {
                debug!(%error, "a connection ended before it was accepted");
            }
            Err(error) => {
                warn!(%error, "cannot accept connections at the moment");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, expected) in [
            ("tcp://127.0.0.1:0", "127.0.0.1:0"),
            ("tcp://0.0.0.0", "0.0.0.0:1883"),
            ("tcp://[::1]:8883", "[::1]:8883"),
            ("tcp://[::]", "[::]:1883"),
        ] {
            assert_eq!(Endpoint::parse(text).unwrap().addresses, [expected.parse().unwrap()], "{text}");
        }
        for text in [
            "",
            "127.0.0.1:1883",
            "tcp://",
            "tcp://:1883",
            "tcp://a:b",
            "tcp://[::1",
            "tcp://::1",
            "tcp://[::1]1",
        ] {
            assert!(matches!(Endpoint::parse(text), Err(InvalidEndpoint::Syntax(_))), "{text}");
        }
        assert!(Endpoint::loopback().iter().all(Endpoint::is_loopback));
        assert!(!Endpoint::parse("tcp://0.0.0.0").unwrap().is_loopback());
        assert!(Endpoint::parse("tcp://localhost").unwrap().is_loopback());
    }
}
