//! What libFuzzer runs: each law with the bytes that it starts from.

use machine::Random;
use mqtt_codec::Direction::ClientToServer;

use crate::codec::{DIRECTIONS, VERSIONS};
use crate::{broker, coap_codec, coap_endpoint, codec, corpus, indexes};
use crate::{mqttsn_client, mqttsn_codec, mqttsn_gateway, topics};

/// One law.
pub struct Target {
    /// The name of its file in `libfuzzer/fuzz_targets`.
    pub name: &'static str,
    /// Panics when the bytes break the law.
    pub law: fn(&[u8]),
    /// Bytes from which mutation gets far soon.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

macro_rules! targets {
    ($($name:ident: $law:path, $seeds:expr;)*) => {
        &[$(Target { name: stringify!($name), law: |data| _ = $law(data), seeds: $seeds }),*]
    };
}

/// All of them.
pub const TARGETS: &[Target] = targets! {
    broker: broker::broker, || courses(1000);
    coap_endpoint: coap_endpoint::endpoint, || courses(1000);
    coap_message: coap_codec::message, coap_codec::seeds::datagrams;
    coap_stream: coap_codec::stream, || after::<6>(coap_codec::seeds::streams());
    coap_text: coap_codec::text, coap_codec::seeds::texts;
    mqttsn_client: mqttsn_client::client, || courses(1000);
    mqttsn_gateway: mqttsn_gateway::gateway, || courses(400);
    mqttsn_packet: mqttsn_codec::datagram, mqttsn_codec::seeds;
    packet: codec::packet, corpus::all_packets;
    pieces: broker::pieces, || after::<4>(corpus::all_streams(ClientToServer));
    properties: codec::properties, properties;
    retained: indexes::retained, || courses(1000);
    stream: codec::stream, streams;
    subscriptions: indexes::subscriptions, || courses(1000);
    topic: topics::topic, topics;
};

/// Courses of events of which chance decides, up to so many bytes long.
fn courses(longest: usize) -> Vec<Vec<u8>> {
    let mut random = Random::from_u64(1);
    let mut course = |number| {
        let mut data = vec![0; longest * number / 40];
        random.fill(&mut data);
        data
    };
    (1..=40).map(&mut course).collect()
}

/// Behind bytes that say how a stream is cut, and under which rules it is read.
fn after<const HEAD: usize>(streams: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    streams.into_iter().map(|stream| [&[0; HEAD], &stream[..]].concat()).collect()
}

/// Behind the fixed header of a packet is every property.
fn properties() -> Vec<Vec<u8>> {
    let tails = |packet: Vec<u8>| {
        (0..packet.len()).step_by(3).map(|from| packet[from..].to_vec()).collect::<Vec<_>>()
    };
    DIRECTIONS
        .into_iter()
        .flat_map(|direction| corpus::packets(VERSIONS[2], direction))
        .flat_map(tails)
        .collect()
}

/// The first byte says whose direction it is.
fn streams() -> Vec<Vec<u8>> {
    let of = |direction| {
        let head = [u8::from(direction != ClientToServer), 0, 0, 2, 0, 30];
        corpus::all_streams(direction).into_iter().map(move |stream| [&head, &stream[..]].concat())
    };
    DIRECTIONS.into_iter().flat_map(of).collect()
}

/// A filter and a name with 0xFF between them.
fn topics() -> Vec<Vec<u8>> {
    let pairs: [(&str, &str); 6] = [
        ("a/+/c/#", "a/b/c/d"),
        ("#", "$SYS/x"),
        ("$share/group/+/b", "a/b"),
        ("a/#", "a"),
        ("+/é", "/é"),
        ("$share//a", "a//b"),
    ];
    pairs.map(|(filter, name)| [filter.as_bytes(), b"\xFF", name.as_bytes()].concat()).to_vec()
}
