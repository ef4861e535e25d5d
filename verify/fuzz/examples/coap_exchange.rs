//! What an exchange costs, a confirmable GET and the 2.05 on its acknowledgement, through two endpoints in memory:
//! `cargo run --release -p fuzz --example coap_exchange -- 1000000`. For instructions, subtract two runs of different length under
//! `valgrind --tool=callgrind`.

use std::io::{Write, stdout};
use std::time::{Duration, SystemTime};

use coap_codec::Code;
use coap_core::{Action, Config, Endpoint, Input, Request, Resource, Response};
use machine::Instant;

const CLIENT: u32 = 1;
const SERVER: u32 = 2;

#[expect(clippy::disallowed_methods, reason = "it measures")]
fn main() -> Result<(), Box<dyn core::error::Error>> {
    let exchanges: u32 = std::env::args().nth(1).map_or(Ok(100_000), |number| number.parse())?;
    let mut client = Endpoint::new(Config::default(), [1; 32]);
    let mut server = Endpoint::new(Config::default(), [2; 32]);
    server.add_resource(Resource::new("sensor/temperature"))?;
    let mut now = Instant::from_micros(1_000_000);
    let (start, mut responses) = (SystemTime::now(), 0);
    for _ in 0..exchanges {
        let request = Request::new(Code::GET).path("sensor/temperature");
        client.request(SERVER, request, now)?;
        responses += u32::from(exchange(&mut client, &mut server, now)?);
        now += Duration::from_millis(100);
        client.handle(Input::Tick, now);
        server.handle(Input::Tick, now);
    }
    let each = start.elapsed()?.as_nanos() / u128::from(exchanges.max(1));
    Ok(writeln!(stdout(), "{responses} of {exchanges} answered, {each} ns each")?)
}

/// Carries datagrams until all is said; whether the response has come.
fn exchange(
    client: &mut Endpoint<u32>,
    server: &mut Endpoint<u32>,
    now: Instant,
) -> Result<bool, coap_core::Refused> {
    while let Some(action) = client.poll_action() {
        match action {
            Action::Send { datagram, .. } => {
                let input =
                    Input::Datagram { from: CLIENT, bytes: &datagram, multicast: false, verified: true };
                server.handle(input, now);
            }
            Action::Response { .. } => return Ok(true),
            _ => {}
        }
        while let Some(action) = server.poll_action() {
            match action {
                Action::Send { datagram, .. } => {
                    let input =
                        Input::Datagram { from: SERVER, bytes: &datagram, multicast: false, verified: true };
                    client.handle(input, now);
                }
                Action::Request(request) => {
                    let response = Response::new(Code::CONTENT).payload(&b"21.5"[..]);
                    server.respond(request.id, response, now)?;
                }
                _ => {}
            }
        }
    }
    Ok(false)
}
