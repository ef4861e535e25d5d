//! How much memory clients can make the broker hold.
#![allow(clippy::print_stdout, reason = "what is measured is for reading, too")]

mod fleet;

use allocation_counter::measure;
use fleet::{Fleet, connect, subscribe};
use fuzz::codec::with_length;
use machine::Random;
use mqtt_codec::{Connect, Packet, Properties, Property, ProtocolVersion, QoS, Will};
use mqtt_core::{Answer, Ask, Config, ConnectionId};

const CONNECTIONS: usize = 1000;

/// Bytes held per connection after each of many did the same.
fn held(config: Config, answer: Option<Answer>, each: impl Fn(&mut Fleet, ConnectionId, usize)) -> usize {
    let mut fleet = Fleet::new(config);
    fleet.reading = false;
    fleet.answer = answer;
    let info = measure(|| {
        for number in 0..CONNECTIONS {
            let connection = fleet.open();
            each(&mut fleet, connection, number);
        }
    });
    usize::try_from(info.bytes_current).expect("something is held") / CONNECTIONS
}

/// Sends these bytes in pieces of this size.
fn sends(bytes: &[u8], size: usize) -> usize {
    held(Config::default(), None, |fleet, connection, _| {
        for piece in bytes.chunks(size) {
            fleet.send(connection, piece);
        }
    })
}

/// A CONNECT of 3072 bytes: the largest that is accepted.
fn largest_connect() -> Vec<u8> {
    let properties = [Property::AuthenticationMethod("method"), Property::AuthenticationData(&[7; 500])];
    let will = Will {
        qos: QoS::AtLeastOnce,
        retain: true,
        properties: Properties::NONE,
        topic: "will",
        payload: &[7; 1000],
    };
    let mut connect = Connect {
        version: ProtocolVersion::V5,
        clean_start: false,
        keep_alive: 60,
        properties: Properties::list(&properties),
        client_id: &"c".repeat(500),
        will: Some(will),
        username: Some("user"),
        password: Some(&[]),
    };
    let bytes = fleet::encoded(&Packet::Connect(connect), ProtocolVersion::V5);
    let rest = vec![7; 3072 - bytes.len()];
    connect.password = Some(&rest);
    fleet::encoded(&Packet::Connect(connect), ProtocolVersion::V5)
}

/// At most 4 KiB, whatever a connection that has sent nothing valid has sent, however slowly.
#[test]
fn nothing_valid() {
    let connect = largest_connect();
    assert_eq!(connect.len(), 3072);
    let mut garbage = vec![0; 5000];
    Random::from_u64(1).fill(&mut garbage);
    let cases: [(&str, &[u8]); 8] = [
        ("nothing", &[]),
        ("one byte", &connect[..1]),
        ("a huge announcement", &[0x10, 0xFF, 0xFF, 0xFF, 0x7F, 0, 4]),
        ("the largest that may be announced", &connect[..3]),
        ("all of CONNECT but its last byte", &connect[..3071]),
        ("a CONNECT that is malformed", &with_length(0x10, &[0xFF; 3000])),
        ("an unknown version", &with_length(0x10, b"\0\x04MQTT\x09\x02\0\0\0\0")),
        ("garbage", &garbage),
    ];
    for (what, bytes) in cases {
        for size in [usize::MAX, 1, 2, 500, 2049] {
            let held = sends(bytes, size);
            println!("{what}, {size} bytes at a time: {held} bytes");
            assert!(held <= 4096, "{what}: {held} bytes");
        }
    }
}

/// A client that the host has not let in yet holds what it said in CONNECT.
#[test]
fn not_let_in_yet() {
    let connect = largest_connect();
    let config = || Config { ask: Ask { connect: true, ..Ask::default() }, ..Config::default() };
    let waiting = held(config(), None, |fleet, connection, _| {
        assert_eq!(fleet.send(connection, &connect), connect.len());
        assert_eq!(fleet.send(connection, &connect), 0, "the rest waits with the host");
    });
    println!("waiting for the host: {waiting} bytes");
    assert!(waiting <= 4096, "{waiting} bytes");
    let answer = Some(Answer::Continue(Box::from(&[0; 100][..])));
    let authenticating = held(config(), answer, |fleet, connection, _| {
        fleet.send(connection, &connect);
        fleet.send(connection, &with_length(0xF0, &[0x18; 3000])[..2900]);
    });
    println!("authenticating: {authenticating} bytes");
    assert!(authenticating <= 8192, "{authenticating} bytes");
}

#[test]
fn idle_clients() {
    let idle = |number| connect(&format!("client {number}"), &[]);
    for (what, filter) in [("without", None), ("with", Some("site/+/temperature"))] {
        let held = held(Config::default(), None, |fleet, connection, number| {
            fleet.reading = true;
            fleet.send(connection, &idle(number));
            if let Some(filter) = filter {
                fleet.send(connection, &subscribe(&[filter], QoS::AtLeastOnce, ProtocolVersion::V3_1_1));
            }
        });
        println!("an idle client {what} a subscription: {held} bytes");
        assert!(held <= 900, "{held} bytes");
    }
}
