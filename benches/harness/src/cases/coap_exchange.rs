//! coap-core: a confirmable GET and the 2.05 on its acknowledgement, through two endpoints in memory.

use std::time::Duration;

use coap_codec::Code;
use coap_core::{Action, Config, Endpoint, Input, Request, Resource, Response};
use machine::Instant;

use crate::{Case, case};

const CLIENT: u32 = 1;
const SERVER: u32 = 2;

pub(super) fn cases() -> Vec<Case> {
    let mut pair = Pair::new();
    // Long enough for what is remembered to be forgotten at the rate at which it comes.
    (0..4000).for_each(|_| pair.exchange());
    vec![
        case("coap_exchange", "GET and 2.05", "ours", move |times| (0..times).for_each(|_| pair.exchange()))
            .times(200),
    ]
}

struct Pair {
    client: Endpoint<u32>,
    server: Endpoint<u32>,
    now: Instant,
}

impl Pair {
    fn new() -> Self {
        let mut server = Endpoint::new(Config::default(), [2; 32]);
        server.add_resource(Resource::new("sensor/temperature")).expect("room");
        Self {
            client: Endpoint::new(Config::default(), [1; 32]),
            server,
            now: Instant::from_micros(1_000_000),
        }
    }

    fn exchange(&mut self) {
        let request = Request::new(Code::GET).path("sensor/temperature");
        self.client.request(SERVER, request, self.now).expect("room");
        assert!(self.carry(), "no response");
        self.now += Duration::from_millis(100);
        self.client.handle(Input::Tick, self.now);
        self.server.handle(Input::Tick, self.now);
    }

    /// Carries datagrams until the response has come.
    fn carry(&mut self) -> bool {
        while let Some(action) = self.client.poll_action() {
            match action {
                Action::Send { datagram, .. } => {
                    self.server.handle(datagram_from(CLIENT, &datagram), self.now);
                }
                Action::Response { .. } => return true,
                _ => {}
            }
            while let Some(action) = self.server.poll_action() {
                match action {
                    Action::Send { datagram, .. } => {
                        self.client.handle(datagram_from(SERVER, &datagram), self.now);
                    }
                    Action::Request(request) => {
                        let response = Response::new(Code::CONTENT).payload(&b"21.5"[..]);
                        self.server.respond(request.id, response, self.now).expect("open");
                    }
                    _ => {}
                }
            }
        }
        false
    }
}

fn datagram_from(from: u32, bytes: &[u8]) -> Input<'_, u32> {
    Input::Datagram { from, bytes, multicast: false, verified: true }
}
