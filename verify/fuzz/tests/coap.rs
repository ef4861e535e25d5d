//! What a CoAP endpoint allocates, and how much memory peers can make it hold.
#![allow(clippy::print_stdout, reason = "what is measured is for reading, too")]

use core::time::Duration;

use allocation_counter::measure;
use coap_codec::{Code, Message, MessageId, MessageType, OptionNumber};
use coap_core::{Action, Config, Endpoint, Input, Limits, OptionList, Request, Resource, Response};
use machine::{Instant, Random};

const SERVER: u32 = 0;
const EXCHANGES: u64 = 1000;
const MANY: usize = 1000;

/// A client and a server in memory; the application answers at once.
struct Pair {
    client: Endpoint<u32>,
    server: Endpoint<u32>,
    now: Instant,
    request: Request,
    responses: u64,
}

impl Pair {
    fn new(request: Request) -> Self {
        let mut server = Endpoint::new(Config::default(), [1; 32]);
        let resource = Resource::new("sensor/temperature").methods(&[Code::GET, Code::PUT]).observable();
        server.add_resource(resource).expect("the path is free");
        let client = Endpoint::new(Config::default(), [2; 32]);
        Self { client, server, now: Instant::from_micros(1_000_000), request, responses: 0 }
    }

    /// One request, with its path, and one response; a second later the next.
    fn exchange(&mut self) {
        self.client.request(SERVER, self.request.clone(), self.now).expect("there is room");
        loop {
            let mut idle = true;
            while let Some(action) = self.client.poll_action() {
                idle = false;
                match action {
                    Action::Send { datagram, .. } => arrive(&mut self.server, 1, &datagram, self.now),
                    Action::Response { .. } => self.responses += 1,
                    _ => {}
                }
            }
            while let Some(action) = self.server.poll_action() {
                idle = false;
                match action {
                    Action::Send { datagram, .. } => arrive(&mut self.client, SERVER, &datagram, self.now),
                    Action::Request(request) => {
                        let response = Response::new(Code::CONTENT).payload(&b"21.5"[..]);
                        self.server.respond(request.id, response, self.now).expect("it is open");
                    }
                    _ => {}
                }
            }
            if idle {
                break;
            }
        }
        self.now += Duration::from_secs(1);
        self.client.handle(Input::Tick, self.now);
        self.server.handle(Input::Tick, self.now);
    }
}

fn arrive(at: &mut Endpoint<u32>, from: u32, bytes: &[u8], now: Instant) {
    at.handle(Input::Datagram { from, bytes, multicast: false, verified: true }, now);
}

fn get() -> Request {
    Request::new(Code::GET).path("sensor/temperature")
}

/// The answer that is kept for repetitions, and the payload of the response; the same for the payload of the request, at the client for as
/// long as it is kept and at the server.
#[test]
fn an_exchange() {
    for (what, request, most) in
        [("GET", get(), 1), ("PUT", Request { method: Code::PUT, ..get() }.payload(&b"20"[..]), 3)]
    {
        let mut pair = Pair::new(request);
        (0..EXCHANGES).for_each(|_| pair.exchange());
        pair.responses = 0;
        let info = measure(|| (0..EXCHANGES).for_each(|_| pair.exchange()));
        assert_eq!(pair.responses, EXCHANGES);
        let each = info.count_total.div_ceil(EXCHANGES);
        println!("{what} and its response: {} allocations in {EXCHANGES} exchanges", info.count_total);
        assert!(each <= most, "{each} allocations an exchange");
    }
}

/// Bytes that an endpoint holds after many peers did the same, for each.
fn held(config: Config, mut each: impl FnMut(&mut Endpoint<u32>, u32)) -> usize {
    let mut endpoint = Endpoint::new(config, [3; 32]);
    endpoint.add_resource(Resource::new("x").observable()).expect("the path is free");
    let info = measure(|| {
        for peer in 1..=MANY as u32 {
            each(&mut endpoint, peer);
            while endpoint.poll_action().is_some() {}
        }
    });
    usize::try_from(info.bytes_current).expect("something is held") / MANY
}

const NOW: Instant = Instant::from_micros(1_000_000);

fn datagram(message_type: MessageType, code: Code, id: u16, options: &OptionList, payload: &[u8]) -> Vec<u8> {
    let options = options.view();
    let message =
        Message { message_type, code, message_id: MessageId::new(id), token: b"tokn", options, payload };
    let mut bytes = Vec::new();
    message.encode(&mut bytes).expect("it fits");
    bytes
}

fn options(path: &str, observe: bool) -> OptionList {
    let mut options = OptionList::new();
    options.add(OptionNumber::URI_PATH, path.as_bytes());
    if observe {
        options.add_uint(OptionNumber::OBSERVE, 0);
    }
    options
}

/// Answers the request that came with a short text.
fn answer(endpoint: &mut Endpoint<u32>) {
    while let Some(action) = endpoint.poll_action() {
        if let Action::Request(request) = action {
            let response = Response::new(Code::CONTENT).payload(&b"21.5"[..]);
            endpoint.respond(request.id, response, NOW).expect("it is open");
        }
    }
}

/// A table that has just grown is twice as large as what is in it.
#[test]
fn what_is_remembered() {
    let con = MessageType::Confirmable;
    let get = datagram(con, Code::GET, 1, &options("x", false), &[]);
    let observe = datagram(con, Code::GET, 1, &options("x", true), &[]);
    let exchange = held(Config::default(), |endpoint, peer| {
        arrive(endpoint, peer, &get, NOW);
        answer(endpoint);
    });
    let ten = held(Config::default(), |endpoint, peer| {
        for id in 0..10 {
            arrive(endpoint, peer, &datagram(con, Code::GET, id, &options("x", false), &[]), NOW);
            answer(endpoint);
        }
    });
    let unanswered = held(Config::default(), |endpoint, peer| arrive(endpoint, peer, &get, NOW));
    let observer = held(Config::default(), |endpoint, peer| {
        arrive(endpoint, peer, &observe, NOW);
        answer(endpoint);
    });
    let later = NOW + Duration::from_secs(200);
    let idle = {
        let mut done = 0;
        held(Config::default(), |endpoint, peer| {
            endpoint.ping(peer, NOW).expect("there is room");
            let sent = core::iter::from_fn(|| endpoint.poll_action()).find_map(|action| match action {
                Action::Send { datagram, .. } => Some(datagram.to_vec()),
                _ => None,
            });
            let mut pong = sent.expect("a ping");
            pong[0] = 0x70;
            arrive(endpoint, peer, &pong, NOW);
            done += 1;
            if done == MANY {
                endpoint.handle(Input::Tick, later);
            }
        })
    };
    let request = held(Config::default(), |endpoint, peer| {
        endpoint.request(peer, Request::new(Code::GET).path("x"), NOW).expect("there is room");
    });
    let each = ten.saturating_sub(exchange) / 9;
    println!(
        "a peer that is silent: {idle} bytes; with one exchange: {exchange} bytes, each more: {each} bytes"
    );
    println!("an observer, with its peer and registration: {observer} bytes");
    println!("a request of a peer, not answered yet, with its peer: {unanswered} bytes");
    println!("a request of its own, with its peer: {request} bytes");
    assert!(idle <= 400 && exchange <= 700 && each <= 250, "{idle}, {exchange}, {each}");
    assert!(observer <= 1500 && unanswered <= 1500 && request <= 1800, "{observer}, {unanswered}, {request}");
}

/// The most that is held while peers do their worst, and the sum of what the limits allow.
#[test]
fn hostile_peers() {
    let limits = Limits {
        peers: 200,
        outgoing: 200,
        remembered: 1000,
        remembered_bytes: 100_000,
        unanswered: 100,
        bodies: 200_000,
        observers: 100,
        ..Limits::default()
    };
    // For each of a table what one of them takes as measured above, with room to grow; and what counts in bytes.
    let bound = 1500 * (limits.peers + limits.outgoing + limits.unanswered + limits.observers)
        + 300 * limits.remembered
        + 2 * (limits.remembered_bytes + limits.bodies)
        + limits.unanswered * 1200;
    let config = Config { limits, ..Config::default() };
    let mut endpoint = Endpoint::new(config, [4; 32]);
    let methods = &[Code::GET, Code::PUT, Code::POST, Code::FETCH];
    endpoint.add_resource(Resource::new("x").methods(methods).observable()).expect("the path is free");
    let resource = endpoint.add_resource(Resource::new("y").observable()).expect("the path is free");
    let mut random = Random::from_u64(5);
    let (mut now, mut questions) = (NOW, Vec::with_capacity(100_000));
    let info = measure(|| {
        for _ in 0..100_000 {
            let bytes = attack(&mut random);
            let from = random.below(1000) as u32;
            let verified = random.below(2) == 0;
            endpoint.handle(Input::Datagram { from, bytes: &bytes, multicast: false, verified }, now);
            if random.below(50) == 0 {
                endpoint.changed(resource, now);
            }
            while let Some(action) = endpoint.poll_action() {
                if let Action::Request(request) = action {
                    questions.push(request.id);
                }
            }
            if random.below(3) == 0
                && let Some(id) = questions.pop()
            {
                let response = Response::new(Code::CONTENT).payload(vec![7; 1000]);
                _ = endpoint.respond(id, response, now);
            }
            now += Duration::from_millis(random.below(100));
            endpoint.handle(Input::Tick, now);
        }
    });
    println!("hostile peers: {} bytes at the most, {bound} allowed", info.bytes_max);
    let counters = endpoint.counters();
    assert!(counters.dropped_full > 1000 && counters.forgotten_early > 1000, "a weak attack: {counters:?}");
    assert!(info.bytes_max <= bound as u64, "{}", info.bytes_max);
}

/// Requests with large options and bodies, parts of bodies that never become whole, registrations under ever new tokens, garbage.
fn attack(random: &mut Random) -> Vec<u8> {
    let mut list = options(if random.below(2) == 0 { "x" } else { "y" }, random.below(2) == 0);
    if random.below(2) == 0 {
        list.add(OptionNumber::URI_QUERY, &[b'q'; 200]);
    }
    let mut payload = vec![7; random.below(1000) as usize];
    if random.below(3) == 0 {
        list.add_uint(OptionNumber::BLOCK1, random.below(2) << 4 | 0xE);
        payload.resize(1024, 7);
    }
    let code = [Code::GET, Code::PUT, Code::POST, Code::FETCH][random.below(4) as usize];
    let message_type =
        if random.below(2) == 0 { MessageType::Confirmable } else { MessageType::NonConfirmable };
    let mut token = [0; 8];
    random.fill(&mut token);
    let message = Message {
        message_type,
        code,
        message_id: MessageId::new(random.next_u32() as u16),
        token: &token[..random.below(9) as usize],
        options: list.view(),
        payload: &payload,
    };
    let mut bytes = Vec::new();
    message.encode(&mut bytes).expect("it fits");
    if random.below(10) == 0 {
        let at = random.below(bytes.len() as u64) as usize;
        bytes[at] ^= 1 << random.below(8);
    }
    bytes
}
