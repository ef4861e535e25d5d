//! What the laws found, in the words of the protocol.

mod fleet;

use core::num::NonZeroU32;

use fleet::{Fleet, NOW, connect, delivery, publish, subscribe};
use mqtt_codec::{
    Direction, FrameRules, MAX_PACKET_SIZE, Packet, Property, ProtocolVersion, QoS, next_frame,
};
use mqtt_core::{Action, Admission, Answer, Ask, Config, ConnectionId, Input};

const V5: ProtocolVersion = ProtocolVersion::V5;

fn asking() -> Fleet {
    Fleet::new(Config { ask: Ask { connect: true, ..Ask::default() }, ..Config::default() })
}

fn output(fleet: &Fleet, connection: ConnectionId) -> Vec<u8> {
    fleet.broker.output(connection).flatten().copied().collect()
}

/// §3.2.2.3.18: it would be a Protocol Error.
#[test]
fn connack_has_no_authentication_data_without_a_method() {
    let mut fleet = asking();
    fleet.reading = false;
    let admission = Admission { authentication_data: Some(Box::from(&b"data"[..])), ..Admission::default() };
    fleet.answer = Some(Answer::Admit(admission));
    let connection =
        fleet.connect(&connect("client", &[Property::ReceiveMaximum(5.try_into().expect("not 0"))]));
    let bytes = output(&fleet, connection);
    let rules = FrameRules {
        direction: Direction::ServerToClient,
        first: true,
        version: V5,
        max_packet_size: MAX_PACKET_SIZE,
    };
    let frame = next_frame(&bytes, &rules).expect("valid").expect("whole");
    let Ok(Packet::ConnAck(connack)) = Packet::decode(frame, V5) else { panic!("{bytes:02X?}") };
    assert_eq!(connack.properties.authentication_data(), None);
}

/// \[MQTT-3.2.0-1\], also for a client that takes messages but no packet as large as CONNACK.
#[test]
fn no_message_comes_before_connack() {
    let mut fleet = Fleet::new(Config::default());
    let expiry = Property::SessionExpiryInterval(100);
    let before = fleet.connect(&connect("client", &[expiry]));
    fleet.send(before, &subscribe(&["t"], QoS::AtLeastOnce, V5));
    fleet.broker.handle(Input::Closed { connection: before }, NOW);
    let publisher = fleet.connect(&connect("publisher", &[]));
    fleet.send(publisher, &publish("t", b"", delivery(QoS::AtLeastOnce, 1), false));
    assert_eq!(fleet.broker.gauges().messages, 1);

    fleet.reading = false;
    let small = Property::MaximumPacketSize(NonZeroU32::new(10).expect("not 0"));
    let connection = fleet.open();
    let resume = connect("client", &[expiry, small]);
    fleet.send(connection, &without_clean_start(resume));
    assert!(output(&fleet, connection).is_empty());
    assert_eq!(fleet.broker.gauges().clients, 1, "the publisher; the other's connection is closed");
}

fn without_clean_start(mut connect: Vec<u8>) -> Vec<u8> {
    let flags = connect.iter().position(|byte| *byte == 5).expect("the version") + 1;
    connect[flags] &= !2;
    connect
}

#[test]
fn no_bytes_are_nothing_to_resume() {
    let mut fleet = asking();
    let connection = fleet.open();
    let bytes = connect("client", &[]);
    fleet.broker.handle(Input::Bytes { connection, bytes: &bytes }, NOW);
    fleet.broker.handle(Input::Bytes { connection, bytes: &[] }, NOW);
    let Some(Action::Ask { question, .. }) = fleet.broker.poll_action() else { panic!("a question") };
    fleet.broker.handle(Input::Answer { question, answer: Answer::Admit(Admission::default()) }, NOW);
    while let Some(action) = fleet.broker.poll_action() {
        assert!(!matches!(action, Action::Resume(_)), "{action:?}");
    }
}
