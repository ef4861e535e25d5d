//! The table of a plugtest: a client, a server with its resources, and a wire that can lose what the tester picks.

use std::time::Duration;

use coap_codec::{Code, Message, MessageType, OptionNumber, Options, Rules};
use coap_core::{Action, Config, Endpoint, Failure, Handle, Input, OptionList, Request, Response};
use machine::{Instant, Random};
use simulation::net::datagram::{Network, Weather};

use crate::demo::Demo;

pub const CLIENT: u8 = 1;
pub const SERVER: u8 = 2;

/// A datagram on the wire, lost or not.
#[derive(Clone, Debug)]
pub struct Wire {
    pub from: u8,
    pub at: Instant,
    pub lost: bool,
    pub message_type: MessageType,
    pub code: Code,
    pub id: u16,
    pub token: Vec<u8>,
    pub payload: Vec<u8>,
    pub bytes: Vec<u8>,
    options: OptionList,
}

impl Wire {
    fn parse(from: u8, at: Instant, bytes: &[u8]) -> Self {
        let message = Message::decode(bytes, &Rules::default()).expect("well-formed");
        Self {
            from,
            at,
            lost: false,
            message_type: message.message_type,
            code: message.code,
            id: message.message_id.get(),
            token: message.token.into(),
            payload: message.payload.into(),
            bytes: bytes.into(),
            options: OptionList::from(message.options),
        }
    }

    pub fn options(&self) -> Options<'_> {
        self.options.view()
    }

    pub fn block1(&self) -> Option<(u32, bool, u8)> {
        self.options()
            .block1()
            .map(|block| block.unwrap())
            .map(|block| (block.num(), block.more(), block.size_exponent()))
    }

    pub fn block2(&self) -> Option<(u32, bool, u8)> {
        self.options()
            .block2()
            .map(|block| block.unwrap())
            .map(|block| (block.num(), block.more(), block.size_exponent()))
    }

    /// The path that it asks for.
    pub fn path(&self) -> Vec<String> {
        texts(self.options().uri_path())
    }
}

pub fn texts<'a>(values: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
    values.map(|value| String::from_utf8(value.to_vec()).unwrap()).collect()
}

pub struct Table {
    pub client: Endpoint<u8>,
    pub server: Endpoint<u8>,
    pub now: Instant,
    /// All that was sent, in order.
    pub log: Vec<Wire>,
    /// What the client showed: responses, notifications, failures.
    pub shown: Vec<Action<u8>>,
    /// Says what is lost.
    pub lose: Box<dyn FnMut(&Wire) -> bool>,
    demo: Demo,
    network: Network<u8>,
    seen: usize,
}

impl Table {
    pub fn new() -> Self {
        Self::with(Config::default())
    }

    /// With another server.
    pub fn with(config: Config) -> Self {
        let now = Instant::from_micros(1_000_000);
        let mut server = Endpoint::new(config, [2; 32]);
        let demo = Demo::new(&mut server, true, now).unwrap();
        Self {
            client: Endpoint::new(Config::default(), [1; 32]),
            server,
            now,
            log: Vec::new(),
            shown: Vec::new(),
            lose: Box::new(|_| false),
            demo,
            network: Network::new(Weather::FAIR, Random::from_u64(1)),
            seen: 0,
        }
    }

    /// The client is asked for a request; the outcome and the messages of it.
    pub fn exchange(&mut self, request: Request) -> (Response, Vec<Wire>) {
        let handle = self.ask(request);
        self.run(Duration::from_secs(100));
        (self.response_to(handle), self.news())
    }

    pub fn ask(&mut self, request: Request) -> Handle {
        self.client.request(SERVER, request, self.now).unwrap()
    }

    /// The last response that the client showed for a request.
    pub fn response_to(&self, wanted: Handle) -> Response {
        let response = |action: &Action<u8>| match action {
            Action::Response { handle, response, .. } if *handle == wanted => Some(response.clone()),
            _ => None,
        };
        self.shown.iter().rev().find_map(response).unwrap_or_else(|| panic!("no response: {:?}", self.shown))
    }

    /// All responses and notifications that the client showed.
    pub fn responses(&self) -> Vec<Response> {
        let response = |action: &Action<u8>| match action {
            Action::Response { response, .. } => Some(response.clone()),
            _ => None,
        };
        self.shown.iter().filter_map(response).collect()
    }

    pub fn failures(&self) -> Vec<Failure> {
        let failure = |action: &Action<u8>| match action {
            Action::Failed { failure, .. } => Some(*failure),
            _ => None,
        };
        self.shown.iter().filter_map(failure).collect()
    }

    /// What was sent since last asked.
    pub fn news(&mut self) -> Vec<Wire> {
        let news = self.log[self.seen..].to_vec();
        self.seen = self.log.len();
        news
    }

    /// Time passes.
    pub fn run(&mut self, span: Duration) {
        let end = self.now + span;
        self.drain();
        while let Some(at) = self.next_deadline().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            while let Some(arrival) = self.network.poll(self.now) {
                let to = if arrival.to == CLIENT { &mut self.client } else { &mut self.server };
                let from = arrival.from;
                to.handle(
                    Input::Datagram { from, bytes: &arrival.bytes, multicast: false, verified: true },
                    self.now,
                );
            }
            self.client.handle(Input::Tick, self.now);
            self.server.handle(Input::Tick, self.now);
            self.demo.tick(&mut self.server, self.now);
            self.drain();
        }
        self.now = end;
    }

    /// The client is switched off and on: it has forgotten everything.
    pub fn reboot_client(&mut self) {
        self.client = Endpoint::new(Config::default(), [9; 32]);
    }

    /// The server is switched off and on: it has forgotten everything.
    pub fn reboot_server(&mut self) {
        self.server = Endpoint::new(Config::default(), [8; 32]);
        self.demo = Demo::new(&mut self.server, true, self.now).unwrap();
    }

    fn next_deadline(&self) -> Option<Instant> {
        let ends = [self.client.next_deadline(), self.server.next_deadline()];
        ends.into_iter().chain([self.demo.next_deadline(), self.network.next_deadline()]).flatten().min()
    }

    fn drain(&mut self) {
        loop {
            if let Some(action) = self.client.poll_action() {
                match action {
                    Action::Send { to, datagram } => self.send(CLIENT, to, &datagram),
                    Action::Progress { .. } | Action::Acknowledged { .. } => {}
                    other => self.shown.push(other),
                }
            } else if let Some(action) = self.server.poll_action() {
                match self.demo.take(action, &mut self.server, self.now) {
                    Some(Action::Send { to, datagram }) => self.send(SERVER, to, &datagram),
                    Some(Action::Request(request)) => panic!("not the demo's: {request:?}"),
                    _ => {}
                }
            } else {
                return;
            }
        }
    }

    fn send(&mut self, from: u8, to: u8, datagram: &[u8]) {
        let mut wire = Wire::parse(from, self.now, datagram);
        wire.lost = (self.lose)(&wire);
        if !wire.lost {
            self.network.send(from, to, datagram, self.now);
        }
        self.log.push(wire);
    }
}

pub fn get(path: &str) -> Request {
    Request::new(Code::GET).path(path)
}

/// With a body of plain text.
pub fn with_text(method: Code, path: &str, text: &str) -> Request {
    Request::new(method).path(path).with_uint(OptionNumber::CONTENT_FORMAT, 0).payload(text.to_owned())
}

/// Request and piggybacked response, as most descriptions have them: same message id and token.
pub fn piggybacked(messages: &[Wire]) -> (&Wire, &Wire) {
    let [request, response] = messages else { panic!("{messages:?}") };
    assert_eq!((request.from, request.message_type), (CLIENT, MessageType::Confirmable));
    assert_eq!((response.from, response.message_type), (SERVER, MessageType::Acknowledgement));
    assert_eq!((response.id, &response.token), (request.id, &request.token));
    (request, response)
}

/// Request and response in non-confirmable messages: same token, a message id of the server's.
pub fn non_confirmable(messages: &[Wire]) -> (&Wire, &Wire) {
    let [request, response] = messages else { panic!("{messages:?}") };
    assert_eq!((request.from, request.message_type), (CLIENT, MessageType::NonConfirmable));
    assert_eq!((response.from, response.message_type), (SERVER, MessageType::NonConfirmable));
    assert_eq!(response.token, request.token);
    (request, response)
}
