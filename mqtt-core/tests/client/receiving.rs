//! Messages from the server, and their acknowledgement (MQTT 5 §4.3, §4.5, §4.6).

use mqtt_codec::{Packet, PacketType, Properties, Property, Publish, ReasonCode};
use mqtt_core::client::{Config, DisconnectReason, Input};
use mqtt_core::{Refused, Violation};

use crate::script::{
    AtLeastOnce, AtMostOnce, ExactlyOnce, Script, V3_1_1, V5, VERSIONS, ack, ack_with, again, first, keeping,
    plain, publish,
};

fn manual() -> Config {
    Config { manual_acknowledgement: true, ..keeping(V5) }
}

/// Acknowledges the message with this place among those that came.
fn acknowledge(script: &mut Script, place: usize) {
    let delivery = script.messages[place].delivery.unwrap();
    script.client.acknowledge(delivery, script.now).unwrap();
    script.drain();
}

#[test]
fn each_qos_is_answered_in_its_way() {
    for version in VERSIONS {
        let mut script = Script::connected(plain(version));
        script.send(&first("0", AtMostOnce, 0));
        script.expect(&[]);
        script.send(&first("1", AtLeastOnce, 7));
        script.expect(&[Packet::PubAck(ack(7))]);
        script.send(&first("2", ExactlyOnce, 7));
        script.expect(&[Packet::PubRec(ack(7))]);
        script.send(&Packet::PubRel(ack(7)));
        script.expect(&[Packet::PubComp(ack(7))]);
        assert_eq!(script.payloads(), ["0", "1", "2"]);
    }
}

#[test]
fn a_message_is_handed_out_before_its_acknowledgement() {
    let mut script = Script::connected(plain(V5));
    let mut bytes = Vec::new();
    first("1", AtLeastOnce, 7).encode(V5, &mut bytes).unwrap();
    script.client.handle(Input::Bytes(&bytes), script.now);
    let kinds: Vec<_> = core::iter::from_fn(|| script.client.poll_action())
        .map(|action| matches!(action, mqtt_core::client::Action::Message(_)))
        .collect();
    assert_eq!(kinds, [true, false]);
}

#[test]
fn qos2_any_number_of_repeats_is_one_message_also_across_connections() {
    // mosquitto #3602, from the other side.
    for version in [V3_1_1, V5] {
        let mut script = Script::connected(keeping(version));
        script.send(&first("2", ExactlyOnce, 7));
        script.send(&again("2", ExactlyOnce, 7));
        script.send(&first("2", ExactlyOnce, 7));
        script.expect(&[Packet::PubRec(ack(7)); 3]);
        script.reconnect(true);
        script.send(&again("2", ExactlyOnce, 7));
        script.expect(&[Packet::PubRec(ack(7))]);
        assert_eq!(script.payloads(), ["2"]);
        script.send(&Packet::PubRel(ack(7)));
        script.expect(&[Packet::PubComp(ack(7))]);
        script.send(&again("new", ExactlyOnce, 7));
        assert_eq!(script.payloads(), ["new"], "after PUBCOMP the identifier is a new message");
    }
}

#[test]
fn qos1_identifier_is_a_new_message_after_puback_whatever_dup_says() {
    let mut script = Script::connected(plain(V5));
    script.send(&first("a", AtLeastOnce, 7));
    script.send(&again("b", AtLeastOnce, 7));
    script.expect(&[Packet::PubAck(ack(7)); 2]);
    assert_eq!(script.messages.iter().map(|message| message.dup).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn a_lost_session_forgets_the_identifiers_of_qos2() {
    let mut script = Script::connected(plain(V5));
    script.send(&first("old", ExactlyOnce, 7));
    script.reconnect(false);
    script.send(&first("new", ExactlyOnce, 7));
    assert_eq!(script.payloads(), ["old", "new"]);
}

#[test]
fn pubrel_for_an_unknown_identifier_is_answered() {
    for version in VERSIONS {
        let mut script = Script::connected(plain(version));
        script.send(&Packet::PubRel(ack(7)));
        script.expect(&[Packet::PubComp(ack_with(7, ReasonCode::PACKET_IDENTIFIER_NOT_FOUND))]);
    }
}

#[test]
fn too_many_unreleased_messages_are_answered_0x93() {
    let mut script = Script::connected(Config { receive_maximum: 2, ..plain(V5) });
    for id in [1, 2, 1] {
        script.send(&first("x", ExactlyOnce, id));
    }
    script.types();
    script.send(&first("x", ExactlyOnce, 3));
    script.expect_disconnect(ReasonCode::RECEIVE_MAXIMUM_EXCEEDED);
    assert_eq!(script.payloads(), ["x", "x"]);

    // Both kinds count together.
    let mut script = Script::connected(Config { receive_maximum: 2, ..manual() });
    script.send(&first("1", AtLeastOnce, 1));
    script.send(&first("2", ExactlyOnce, 2));
    script.send(&first("3", AtLeastOnce, 3));
    script.expect_disconnect(ReasonCode::RECEIVE_MAXIMUM_EXCEEDED);
    assert_eq!(script.reason(), Some(DisconnectReason::Violation(Violation::ReceiveMaximumExceeded)));
}

#[test]
fn a_server_that_reads_no_answers_is_given_up_before_they_fill_the_memory() {
    let mut script = Script::connected(Config { max_memory: 20_000, ..plain(V3_1_1) });
    script.stalled = true;
    let large = "x".repeat(10_000);
    script.publish(&large, AtMostOnce);
    let waiting = |script: &Script| script.client.output().map(<[u8]>::len).sum::<usize>();
    for number in 1..=u16::MAX {
        script.send(&first("x", AtLeastOnce, number));
        assert!(waiting(&script) < 100_000);
    }
    assert_eq!(script.reason(), Some(DisconnectReason::Stalled));
    assert!(script.messages.len() > 20_000, "a slow reader is not a hostile one");
}

#[test]
fn all_of_a_message_reaches_the_application() {
    let properties = [
        Property::PayloadFormatIndicator(true),
        Property::MessageExpiryInterval(9),
        Property::UserProperty("b", "2"),
        Property::UserProperty("a", "1"),
        Property::ResponseTopic("r"),
        Property::CorrelationData(b"\0\xFF"),
        Property::ContentType("\u{FEFF}text"),
    ];
    let mut script = Script::connected(plain(V5));
    script.send(&Packet::Publish(Publish {
        retain: true,
        properties: Properties::list(&properties),
        ..publish("payload", AtLeastOnce, 1)
    }));
    let message = script.messages.pop().unwrap();
    assert_eq!((message.topic(), message.payload(), message.retain), ("t", &b"payload"[..], true));
    assert_eq!((message.qos, message.dup, message.delivery), (AtLeastOnce, false, None));
    assert!(message.properties().iter().eq(properties));
}

#[test]
fn a_packet_in_any_pieces_is_one_packet() {
    for version in [V3_1_1, V5] {
        let mut bytes = Vec::new();
        first(&"x".repeat(300), AtLeastOnce, 7).encode(version, &mut bytes).unwrap();
        first("y", AtLeastOnce, 8).encode(version, &mut bytes).unwrap();
        for size in [1, 2, 3, 5, 100, bytes.len() - 1] {
            let mut script = Script::connected(plain(version));
            bytes.chunks(size).for_each(|piece| script.input(Input::Bytes(piece)));
            script.expect(&[Packet::PubAck(ack(7)), Packet::PubAck(ack(8))]);
        }
    }
}

#[test]
fn answers_keep_the_order_of_the_messages() {
    for version in VERSIONS {
        let mut script = Script::connected(plain(version));
        script.stalled = true;
        for (id, qos) in
            [(9, AtLeastOnce), (3, ExactlyOnce), (7, AtLeastOnce), (1, ExactlyOnce), (5, AtLeastOnce)]
        {
            script.send(&first("x", qos, id));
        }
        script.stalled = false;
        script.take_output();
        script.expect(&[
            Packet::PubAck(ack(9)),
            Packet::PubRec(ack(3)),
            Packet::PubAck(ack(7)),
            Packet::PubRec(ack(1)),
            Packet::PubAck(ack(5)),
        ]);
    }
}

#[test]
fn manual_acknowledgements_go_out_in_the_order_of_the_messages() {
    let mut script = Script::connected(manual());
    for (id, qos) in [(1, AtLeastOnce), (2, ExactlyOnce), (3, AtMostOnce), (4, AtLeastOnce), (5, ExactlyOnce)]
    {
        script.send(&first("x", qos, id));
    }
    script.expect(&[]);
    assert_eq!(script.messages[2].delivery, None, "QoS 0 needs none");
    acknowledge(&mut script, 3);
    acknowledge(&mut script, 4);
    acknowledge(&mut script, 1);
    script.expect(&[]);
    acknowledge(&mut script, 0);
    script.expect(&[
        Packet::PubAck(ack(1)),
        Packet::PubRec(ack(2)),
        Packet::PubAck(ack(4)),
        Packet::PubRec(ack(5)),
    ]);
    let delivery = script.messages[0].delivery.unwrap();
    assert_eq!(script.client.acknowledge(delivery, script.now), Err(Refused::NoConnection), "once is enough");
}

#[test]
fn a_qos1_message_that_the_old_connection_brought_cannot_be_acknowledged_on_the_new_one() {
    // rumqtt #341.
    let mut script = Script::connected(manual());
    script.send(&first("1", AtLeastOnce, 1));
    script.reconnect(true);
    let delivery = script.messages[0].delivery.unwrap();
    assert_eq!(script.client.acknowledge(delivery, script.now), Err(Refused::NoConnection));
    script.expect(&[]);
    script.send(&again("1", AtLeastOnce, 1));
    acknowledge(&mut script, 1);
    script.expect(&[Packet::PubAck(ack(1))]);
}

#[test]
fn a_qos2_message_that_the_old_connection_brought_is_acknowledged_on_the_new_one() {
    let mut script = Script::connected(manual());
    script.send(&first("2", ExactlyOnce, 2));
    script.reconnect(true);
    script.send(&again("2", ExactlyOnce, 2));
    script.expect(&[]);
    acknowledge(&mut script, 0);
    script.expect(&[Packet::PubRec(ack(2))]);
    assert_eq!(script.payloads(), ["2"]);
}

#[test]
fn a_qos2_message_that_is_acknowledged_off_line_is_answered_when_it_comes_again() {
    let mut script = Script::connected(manual());
    script.send(&first("2", ExactlyOnce, 2));
    script.cut();
    acknowledge(&mut script, 0);
    script.advance(crate::script::seconds(60));
    script.accept(true);
    script.send(&again("2", ExactlyOnce, 2));
    script.expect(&[Packet::PubRec(ack(2))]);
    assert_eq!(script.payloads(), ["2"]);
}

#[test]
fn an_acknowledged_qos2_message_is_not_held_up_by_one_that_the_connection_took_along() {
    let mut script = Script::connected(manual());
    script.send(&first("1", AtLeastOnce, 1));
    script.send(&first("2", ExactlyOnce, 2));
    acknowledge(&mut script, 1);
    script.reconnect(true);
    script.send(&again("2", ExactlyOnce, 2));
    script.expect(&[Packet::PubRec(ack(2))]);
}

#[test]
fn a_pubrel_before_the_pubrec_is_out_of_place() {
    let mut script = Script::connected(manual());
    script.send(&first("2", ExactlyOnce, 2));
    script.send(&Packet::PubRel(ack(2)));
    script.expect_disconnect(ReasonCode::PROTOCOL_ERROR);
    assert_eq!(script.reason(), Some(DisconnectReason::Violation(Violation::AcknowledgementOutOfPlace)));
}

#[test]
fn a_lost_session_leaves_nothing_to_acknowledge() {
    let mut script = Script::connected(manual());
    script.send(&first("2", ExactlyOnce, 2));
    script.reconnect(false);
    let delivery = script.messages[0].delivery.unwrap();
    assert_eq!(script.client.acknowledge(delivery, script.now), Err(Refused::NoConnection));
    script.send(&first("other", ExactlyOnce, 2));
    acknowledge(&mut script, 1);
    assert_eq!(script.types(), [PacketType::PubRec]);
}
