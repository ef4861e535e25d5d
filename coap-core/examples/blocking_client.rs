//! A client on a blocking socket: `cargo run -p coap-core --example blocking_client -- 127.0.0.1:5683 /hello` gets a
//! resource and prints it.

use std::io::{ErrorKind, Write, stdout};
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, SystemTime};

use coap_codec::Code;
use coap_core::{Action, Config, Endpoint, Input, Request};
use machine::Instant;

fn main() -> Result<(), Box<dyn core::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let server: SocketAddr = arguments.next().unwrap_or_else(|| "127.0.0.1:5683".into()).parse()?;
    let path = arguments.next().unwrap_or_else(|| "/hello".into());
    let socket = UdpSocket::bind(if server.is_ipv6() { "[::]:0" } else { "0.0.0.0:0" })?;
    let outcome = request(&socket, server, Request::new(Code::GET).path(&path), [0; 32])?;
    Ok(writeln!(stdout(), "{outcome:?}")?)
}

/// Sends a request and waits for its end: retransmissions, separate responses and blocks are the endpoint's affair. A program
/// gives the seed 32 bytes of entropy.
///
/// # Errors
/// What the socket says, and the endpoint.
pub fn request(
    socket: &UdpSocket,
    server: SocketAddr,
    request: Request,
    seed: [u8; 32],
) -> Result<Action<SocketAddr>, Box<dyn core::error::Error>> {
    let (mut endpoint, mut buffer) = (Endpoint::new(Config::default(), seed), [0; 2048]);
    let asked = endpoint.request(server, request, now())?;
    loop {
        while let Some(action) = endpoint.poll_action() {
            match action {
                // A datagram that is not sent is as good as one that is lost.
                Action::Send { to, datagram } => _ = socket.send_to(&datagram, to),
                Action::Response { handle, more: false, .. } | Action::Failed { handle, .. }
                    if handle == asked =>
                {
                    return Ok(action);
                }
                _ => {}
            }
        }
        // Never zero: that would be no time-out at all.
        let wait = endpoint.next_deadline().map(|at| (at - now()).max(Duration::from_millis(1)));
        socket.set_read_timeout(wait)?;
        match socket.recv_from(&mut buffer) {
            Ok((len, from)) => {
                let bytes = &buffer[..len];
                endpoint.handle(Input::Datagram { from, bytes, multicast: false, verified: false }, now());
            }
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                endpoint.handle(Input::Unreachable { peer: server }, now());
            }
            Err(_) => endpoint.handle(Input::Tick, now()),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a host asks the clock")]
fn now() -> Instant {
    Instant::EPOCH + SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
