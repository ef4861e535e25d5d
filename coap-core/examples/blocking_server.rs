//! A server on a blocking socket: `cargo run -p coap-core --example blocking_server -- 127.0.0.1:5683` serves `/hello`, which can
//! be got, put and observed.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, SystemTime};

use coap_codec::{Code, ContentFormat, OptionNumber};
use coap_core::{Action, Config, Endpoint, IncomingRequest, Input, Resource, Response};
use machine::Instant;

fn main() -> Result<(), Box<dyn core::error::Error>> {
    let socket = UdpSocket::bind(std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:5683".into()))?;
    // A program gives the seed 32 bytes of entropy.
    let mut endpoint = Endpoint::new(Config::default(), [0; 32]);
    let methods = [Code::GET, Code::PUT];
    endpoint.add_resource(Resource::new("hello").methods(&methods).title("A greeting").observable())?;
    serve(&socket, &mut endpoint, || true)
}

/// Serves until told otherwise, which is asked after each datagram and at least every second.
///
/// # Errors
/// What the socket says, and the endpoint.
pub fn serve(
    socket: &UdpSocket,
    endpoint: &mut Endpoint<SocketAddr>,
    mut go_on: impl FnMut() -> bool,
) -> Result<(), Box<dyn core::error::Error>> {
    let (mut greeting, mut buffer) = (b"hello".to_vec(), [0; 2048]);
    while go_on() {
        while let Some(action) = endpoint.poll_action() {
            match action {
                Action::Send { to, datagram } => _ = socket.send_to(&datagram, to),
                Action::Request(request) => {
                    endpoint.respond(request.id, answer(&request, &mut greeting), now())?;
                    if request.method == Code::PUT {
                        endpoint.changed(request.resource, now());
                    }
                }
                _ => {}
            }
        }
        let wait = endpoint.next_deadline().map_or(Duration::from_secs(1), |at| at - now());
        socket.set_read_timeout(Some(wait.clamp(Duration::from_millis(1), Duration::from_secs(1))))?;
        match socket.recv_from(&mut buffer) {
            Ok((len, from)) => {
                let verified = from.ip().is_loopback();
                endpoint.handle(
                    Input::Datagram { from, bytes: &buffer[..len], multicast: false, verified },
                    now(),
                );
            }
            Err(_) => endpoint.handle(Input::Tick, now()),
        }
    }
    Ok(())
}

fn answer(request: &IncomingRequest<SocketAddr>, greeting: &mut Vec<u8>) -> Response {
    if request.method == Code::PUT {
        *greeting = request.payload.to_vec();
        return Response::new(Code::CHANGED);
    }
    let format = ContentFormat::TEXT_PLAIN.get();
    Response::new(Code::CONTENT)
        .with_uint(OptionNumber::CONTENT_FORMAT, format.into())
        .payload(greeting.clone())
}

#[expect(clippy::disallowed_methods, reason = "a host asks the clock")]
fn now() -> Instant {
    Instant::EPOCH + SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
