//! Two endpoints and a wire between them that a test can cut; and an endpoint against single messages.

use std::collections::VecDeque;
use std::time::Duration;

use coap_codec::{Code, Message, MessageId, MessageType, Options, Rules};
use coap_core::{Action, Config, Endpoint, IncomingRequest, Input, OptionList, Response};
use machine::Instant;

/// The address of the client, and of the server.
pub const CLIENT: u8 = 1;
pub const SERVER: u8 = 2;

/// A message that a test looks at or sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wire {
    pub message_type: MessageType,
    pub code: Code,
    pub id: u16,
    pub token: Vec<u8>,
    pub options: OptionList,
    pub payload: Vec<u8>,
}

impl Wire {
    pub fn new(message_type: MessageType, code: Code, id: u16, token: &[u8]) -> Self {
        Self { message_type, code, id, token: token.into(), options: OptionList::new(), payload: Vec::new() }
    }

    pub fn parse(datagram: &[u8]) -> Self {
        let message =
            Message::decode(datagram, &Rules::default()).expect("what an endpoint sends is well-formed");
        Self {
            message_type: message.message_type,
            code: message.code,
            id: message.message_id.get(),
            token: message.token.into(),
            options: OptionList::from(message.options),
            payload: message.payload.into(),
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let message = Message {
            message_type: self.message_type,
            code: self.code,
            message_id: MessageId::new(self.id),
            token: &self.token,
            options: self.options(),
            payload: &self.payload,
        };
        message.encode(&mut bytes).unwrap();
        bytes
    }

    pub fn options(&self) -> Options<'_> {
        self.options.view()
    }
}

/// One endpoint under test; the test plays its peers.
pub struct Lone {
    pub endpoint: Endpoint<u8>,
    pub now: Instant,
    /// What it sent, and to whom.
    pub sent: VecDeque<(u8, Wire)>,
    /// What it reported, but for what it sent.
    pub reported: VecDeque<Action<u8>>,
}

impl Lone {
    pub fn new(config: Config) -> Self {
        Self {
            endpoint: Endpoint::new(config, [7; 32]),
            now: Instant::from_micros(1_000_000),
            sent: VecDeque::new(),
            reported: VecDeque::new(),
        }
    }

    pub fn drain(&mut self) {
        while let Some(action) = self.endpoint.poll_action() {
            match action {
                Action::Send { to, datagram } => self.sent.push_back((to, Wire::parse(&datagram))),
                other => self.reported.push_back(other),
            }
        }
    }

    pub fn receive(&mut self, from: u8, wire: &Wire) {
        self.receive_bytes(from, &wire.bytes());
    }

    pub fn receive_bytes(&mut self, from: u8, bytes: &[u8]) {
        self.endpoint.handle(Input::Datagram { from, bytes, multicast: false, verified: true }, self.now);
        self.drain();
    }

    /// Time passes, with a tick at each deadline.
    pub fn wait(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(at) = self.endpoint.next_deadline().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.endpoint.handle(Input::Tick, self.now);
            self.drain();
            let next = self.endpoint.next_deadline();
            assert!(next.is_none_or(|next| next > self.now), "a deadline stays behind");
        }
        self.now = end;
    }

    /// The only message that was sent since last asked.
    pub fn only_sent(&mut self) -> Wire {
        self.drain();
        assert_eq!(self.sent.len(), 1, "sent: {:?}", self.sent);
        self.sent.pop_front().unwrap().1
    }

    pub fn nothing_sent(&mut self) {
        self.drain();
        assert!(self.sent.is_empty(), "sent: {:?}", self.sent);
    }

    pub fn only_request(&mut self) -> IncomingRequest<u8> {
        self.drain();
        let requests: Vec<_> = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests.into_iter().next().unwrap()
    }

    pub fn requests(&mut self) -> Vec<IncomingRequest<u8>> {
        let mut requests = Vec::new();
        self.reported.retain(|action| match action {
            Action::Request(request) => {
                requests.push(request.clone());
                false
            }
            _ => true,
        });
        requests
    }

    pub fn respond(&mut self, request: &IncomingRequest<u8>, response: Response) {
        self.endpoint.respond(request.id, response, self.now).unwrap();
        self.drain();
    }
}

/// What the wire between two endpoints does with a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Pass,
    Lose,
    Twice,
}

type Wiring = dyn FnMut(u8, &Wire) -> Fate;
type Application = dyn FnMut(&mut Endpoint<u8>, IncomingRequest<u8>, Instant);

/// A client, a server, and the wire between them.
pub struct Pair {
    pub client: Endpoint<u8>,
    pub server: Endpoint<u8>,
    pub now: Instant,
    /// All that went over the wire, lost or not: from whom.
    pub log: Vec<(u8, Wire)>,
    /// What the client reported.
    pub outcomes: Vec<Action<u8>>,
    /// What the server reported, but for requests.
    pub server_reports: Vec<Action<u8>>,
    pub verified: bool,
    pub fate: Box<Wiring>,
    pub application: Box<Application>,
}

impl Pair {
    pub fn new(application: impl FnMut(&mut Endpoint<u8>, IncomingRequest<u8>, Instant) + 'static) -> Self {
        Self::with(Config::default(), Config::default(), application)
    }

    pub fn with(
        client: Config,
        server: Config,
        application: impl FnMut(&mut Endpoint<u8>, IncomingRequest<u8>, Instant) + 'static,
    ) -> Self {
        Self {
            client: Endpoint::new(client, [1; 32]),
            server: Endpoint::new(server, [2; 32]),
            now: Instant::from_micros(1_000_000),
            log: Vec::new(),
            outcomes: Vec::new(),
            server_reports: Vec::new(),
            verified: true,
            fate: Box::new(|_, _| Fate::Pass),
            application: Box::new(application),
        }
    }

    /// Moves everything that can move without time passing.
    pub fn settle(&mut self) {
        loop {
            let mut idle = true;
            while let Some(action) = self.client.poll_action() {
                idle = false;
                match action {
                    Action::Send { datagram, .. } => self.carry(CLIENT, &datagram),
                    other => self.outcomes.push(other),
                }
            }
            while let Some(action) = self.server.poll_action() {
                idle = false;
                match action {
                    Action::Send { datagram, .. } => self.carry(SERVER, &datagram),
                    Action::Request(request) => (self.application)(&mut self.server, request, self.now),
                    other => self.server_reports.push(other),
                }
            }
            if idle {
                return;
            }
        }
    }

    fn carry(&mut self, from: u8, datagram: &[u8]) {
        let wire = Wire::parse(datagram);
        let fate = (self.fate)(from, &wire);
        self.log.push((from, wire));
        let copies = match fate {
            Fate::Lose => 0,
            Fate::Pass => 1,
            Fate::Twice => 2,
        };
        for _ in 0..copies {
            let to = if from == CLIENT { &mut self.server } else { &mut self.client };
            to.handle(
                Input::Datagram { from, bytes: datagram, multicast: false, verified: self.verified },
                self.now,
            );
        }
    }

    /// Time passes, with a tick at each deadline.
    pub fn wait(&mut self, span: Duration) {
        self.settle();
        let end = self.now + span;
        while let Some(at) =
            [self.client.next_deadline(), self.server.next_deadline()].into_iter().flatten().min()
        {
            if at > end {
                break;
            }
            self.now = self.now.max(at);
            self.client.handle(Input::Tick, self.now);
            self.server.handle(Input::Tick, self.now);
            self.settle();
        }
        self.now = end;
    }

    /// The responses so far.
    pub fn responses(&self) -> Vec<Response> {
        let response = |action: &Action<u8>| match action {
            Action::Response { response, .. } => Some(response.clone()),
            _ => None,
        };
        self.outcomes.iter().filter_map(response).collect()
    }

    /// The log as short lines: who, type, code.
    pub fn trace(&self) -> Vec<String> {
        let line = |(from, wire): &(u8, Wire)| {
            let who = if *from == CLIENT { ">" } else { "<" };
            format!("{who} {} {}", wire.message_type, wire.code)
        };
        self.log.iter().map(line).collect()
    }
}
