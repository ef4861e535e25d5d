//! QoS 1 and 2 in both directions, across reconnections (MQTT 5 §4.3, §4.4, §4.6).

use crate::support::{
    AtLeastOnce, AtMostOnce, Bench, ExactlyOnce, Got, V3_1, V3_1_1, V5, connect, id, persistent, publish,
};
use mqtt_codec::{Acknowledge, Packet, Properties, Publish, ReasonCode};
use mqtt_core::{Answer, CloseReason, Violation};

#[test]
fn each_qos_arrives_with_the_lesser_of_both() {
    // [MQTT-3.8.4-8, MQTT-4.3.1-1, MQTT-4.3.2-1, MQTT-4.3.2-2, MQTT-4.3.3-1, MQTT-4.3.3-2, MQTT-2.2.1-2], 3.1.1 [MQTT-2.3.1-5]
    for version in [V3_1_1, V5] {
        for sent in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
            for granted in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
                let mut bench = Bench::new();
                let subscriber = bench.connect(&connect(version, "s"));
                let publisher = bench.connect(&connect(version, "p"));
                bench.subscribe(subscriber, "a/#", granted);
                bench.publish(publisher, &publish("a/b", b"x", sent, 5));
                let messages = bench.messages(subscriber);
                assert_eq!(messages.len(), 1);
                assert_eq!(messages[0].qos, sent.min(granted));
                assert!(!messages[0].dup && !messages[0].retain);
            }
        }
    }
}

#[test]
fn qos2_any_number_of_repeats_is_one_delivery() {
    // [MQTT-4.3.3-8, MQTT-4.3.3-10, MQTT-4.3.3-11, MQTT-2.2.1-5]; mosquitto #3602
    let mut bench = Bench::new();
    let subscriber = bench.connect(&connect(V5, "s"));
    let publisher = bench.connect(&connect(V5, "p"));
    bench.subscribe(subscriber, "a", AtMostOnce);
    for _ in 0..4 {
        bench.publish(publisher, &publish("a", b"x", ExactlyOnce, 9));
    }
    assert_eq!(bench.got(publisher), vec![Got::PubRec(9, ReasonCode::SUCCESS); 4]);
    bench.pubrel(publisher, 9);
    bench.pubrel(publisher, 9);
    assert_eq!(
        bench.got(publisher),
        [Got::PubComp(9, ReasonCode::SUCCESS), Got::PubComp(9, ReasonCode::PACKET_IDENTIFIER_NOT_FOUND)]
    );
    assert_eq!(bench.payloads(subscriber), ["x"]);
}

#[test]
fn unacknowledged_messages_are_sent_again_in_order_with_dup() {
    // [MQTT-3.3.1-1, MQTT-4.3.2-3, MQTT-4.3.3-3, MQTT-4.4.0-1]; vernemq #496, paho.mqtt.golang #788
    let mut bench = Bench::new();
    let subscriber = bench.connect(&persistent(V5, "s"));
    let publisher = bench.connect(&connect(V5, "p"));
    bench.subscribe(subscriber, "a", ExactlyOnce);
    for (packet_id, payload) in (1..).zip([b"1", b"2", b"3", b"4"]) {
        bench.publish(publisher, &publish("a", payload, ExactlyOnce, packet_id));
    }
    let first = bench.messages(subscriber);
    bench.pubrec(subscriber, first[1].packet_id.unwrap());
    bench.close(subscriber);
    bench.publish(publisher, &publish("a", b"5", ExactlyOnce, 9));

    let subscriber = bench.connect(&persistent(V5, "s"));
    let again = bench.got(subscriber);
    let expected: Vec<_> = [(0, true), (2, true), (3, true)]
        .map(|(index, dup)| Got::Publish(crate::support::Message { dup, ..first[index].clone() }))
        .into();
    assert_eq!(again[..3], expected);
    assert_eq!(again[3], Got::PubRel(first[1].packet_id.unwrap(), ReasonCode::SUCCESS));
    assert!(matches!(&again[4], Got::Publish(message) if message.payload == b"5" && !message.dup));
    assert_eq!(again.len(), 5);
}

#[test]
fn nothing_is_sent_again_without_a_reconnection() {
    // [MQTT-4.4.0-1]
    let mut bench = Bench::new();
    let subscriber = bench.connect(&connect(V5, "s"));
    let publisher = bench.connect(&connect(V5, "p"));
    bench.subscribe(subscriber, "a", AtLeastOnce);
    bench.publish(publisher, &publish("a", b"x", AtLeastOnce, 1));
    assert_eq!(bench.messages(subscriber).len(), 1);
    bench.advance(crate::support::seconds(3600));
    assert_eq!(bench.messages(subscriber).len(), 0);
}

#[test]
fn dup_of_a_publisher_is_not_passed_on() {
    // [MQTT-3.3.1-3]
    for version in [V3_1, V3_1_1, V5] {
        let mut bench = Bench::new();
        let subscriber = bench.connect(&connect(version, "s"));
        let publisher = bench.connect(&connect(version, "p"));
        bench.subscribe(subscriber, "a", AtLeastOnce);
        let delivery = mqtt_codec::Delivery::AtLeastOnce { packet_id: crate::support::id(4), dup: true };
        let packet = Publish { delivery, ..publish("a", b"x", AtLeastOnce, 4) };
        bench.send(publisher, &Packet::Publish(packet));
        assert!(!bench.messages(subscriber)[0].dup);
    }
}

#[test]
fn each_qos_is_answered_in_its_way() {
    // [MQTT-4.3.2-4], 3.1.1 [MQTT-4.3.2-2, MQTT-2.3.1-6]; the delivery comes before the acknowledgement.
    // [MQTT-3.3.4-1]
    for version in [V3_1, V3_1_1, V5] {
        let mut bench = Bench::new();
        let client = bench.connect(&connect(version, "c"));
        bench.subscribe(client, "other", AtMostOnce);
        bench.publish(client, &publish("other", b"", AtMostOnce, 0));
        assert!(matches!(bench.got(client)[..], [Got::Publish(_)]));
        bench.publish(client, &publish("other", b"", AtLeastOnce, 1));
        assert_eq!(bench.got(client)[1..], [Got::PubAck(1, ReasonCode::SUCCESS)]);
        bench.publish(client, &publish("other", b"", ExactlyOnce, 2));
        assert_eq!(bench.got(client)[1..], [Got::PubRec(2, ReasonCode::SUCCESS)]);
        bench.pubrel(client, 2);
        assert_eq!(bench.got(client), [Got::PubComp(2, ReasonCode::SUCCESS)]);
    }
}

#[test]
fn pubrel_for_an_unknown_identifier_is_answered() {
    for (version, reason) in [(V5, ReasonCode::PACKET_IDENTIFIER_NOT_FOUND), (V3_1_1, ReasonCode::SUCCESS)] {
        let mut bench = Bench::new();
        let client = bench.connect(&connect(version, "c"));
        bench.pubrel(client, 12);
        assert_eq!(bench.got(client), [Got::PubComp(12, reason)]);
    }
}

#[test]
fn qos2_identifier_is_a_new_message_after_pubcomp() {
    // [MQTT-4.3.3-12]
    let mut bench = Bench::new();
    let client = bench.connect(&connect(V5, "c"));
    bench.subscribe(client, "a", AtMostOnce);
    for payload in [b"1", b"2"] {
        bench.publish(client, &publish("a", payload, ExactlyOnce, 9));
        bench.pubrel(client, 9);
    }
    assert_eq!(bench.payloads(client), ["1", "2"]);
}

#[test]
fn qos1_identifier_is_a_new_message_after_puback_whatever_dup_says() {
    // [MQTT-4.3.2-5]
    let mut bench = Bench::new();
    let client = bench.connect(&connect(V5, "c"));
    bench.subscribe(client, "a", AtMostOnce);
    for dup in [false, true] {
        let delivery = mqtt_codec::Delivery::AtLeastOnce { packet_id: id(4), dup };
        bench.publish(client, &Publish { delivery, ..publish("a", b"x", AtLeastOnce, 4) });
    }
    assert_eq!(bench.payloads(client).len(), 2);
}

#[test]
fn qos2_repeats_are_no_second_delivery_across_connections() {
    // 3.1.1 [MQTT-4.3.3-2]
    for version in [V3_1_1, V5] {
        let mut bench = Bench::new();
        let subscriber = bench.connect(&connect(V5, "s"));
        bench.subscribe(subscriber, "a", AtMostOnce);
        let client = bench.connect(&persistent(version, "c"));
        bench.publish(client, &publish("a", b"x", ExactlyOnce, 9));
        bench.close(client);
        let client = bench.connect(&persistent(version, "c"));
        bench.publish(client, &publish("a", b"x", ExactlyOnce, 9));
        bench.pubrel(client, 9);
        let answers = [Got::PubRec(9, ReasonCode::SUCCESS), Got::PubComp(9, ReasonCode::SUCCESS)];
        assert_eq!(bench.got(client), answers);
        assert_eq!(bench.payloads(subscriber), ["x"]);
    }
}

#[test]
fn a_qos2_message_whose_question_was_open_when_the_connection_broke_is_passed_on_when_repeated() {
    let mut bench = Bench::with(|config| config.ask.checks.publish = true);
    let subscriber = bench.connect(&connect(V5, "s"));
    bench.subscribe(subscriber, "a", AtMostOnce);
    let client = bench.connect(&persistent(V5, "c"));
    bench.publish(client, &publish("a", b"x", ExactlyOnce, 9));
    bench.close(client);
    bench.questions.clear();
    let client = bench.connect(&persistent(V5, "c"));
    bench.publish(client, &publish("a", b"x", ExactlyOnce, 9));
    bench.answer(Answer::Allow);
    assert_eq!(bench.payloads(subscriber), ["x"]);
}

#[test]
fn a_qos2_message_that_could_not_be_kept_is_passed_on_when_repeated() {
    let mut bench = Bench::new();
    let sleeper = bench.connect(&persistent(V5, "s"));
    bench.subscribe(sleeper, "a", ExactlyOnce);
    bench.close(sleeper);
    let client = bench.connect(&persistent(V3_1_1, "c"));
    let roomy = bench.broker.config().clone();
    let full = mqtt_core::Config { max_memory: 1, ..roomy.clone() };
    let now = bench.now;
    bench.broker.reconfigure(full, now);
    bench.publish(client, &publish("a", b"x", ExactlyOnce, 9));
    assert_eq!(bench.got(client), [Got::Closed(CloseReason::OutOfMemory)]);

    bench.broker.reconfigure(roomy, now);
    let client = bench.connect(&persistent(V3_1_1, "c"));
    bench.publish(client, &publish("a", b"x", ExactlyOnce, 9));
    let sleeper = bench.connect(&persistent(V5, "s"));
    assert_eq!(bench.payloads(sleeper), ["x"]);
}

#[test]
fn a_pubrec_that_comes_again_gets_pubrel_again_and_the_message_is_never_sent_again() {
    // 3.1.1 [MQTT-4.3.3-1]
    // [MQTT-4.3.3-4, MQTT-4.3.3-5, MQTT-4.3.3-6]
    let mut bench = Bench::new();
    let client = bench.connect(&persistent(V3_1_1, "c"));
    bench.subscribe(client, "a", ExactlyOnce);
    bench.publish(client, &publish("a", b"x", ExactlyOnce, 9));
    let sent = bench.messages(client)[0].packet_id.unwrap();
    let release = Got::PubRel(sent, ReasonCode::SUCCESS);
    bench.pubrec(client, sent);
    bench.pubrec(client, sent);
    assert_eq!(bench.got(client), [release.clone(), release.clone()]);
    for _ in 0..2 {
        bench.close(client);
        let client = bench.connect(&persistent(V3_1_1, "c"));
        assert_eq!(bench.got(client), std::slice::from_ref(&release));
    }
    let client = bench.connect(&persistent(V3_1_1, "c"));
    bench.pubcomp(client, sent);
    let client = bench.connect(&persistent(V3_1_1, "c"));
    assert!(bench.got(client).is_empty());
}

#[test]
fn a_negative_puback_or_pubrec_ends_the_message() {
    // [MQTT-4.4.0-2]
    for (qos, packet) in [
        (AtLeastOnce, Packet::PubAck as fn(Acknowledge<'static>) -> Packet<'static>),
        (ExactlyOnce, Packet::PubRec),
    ] {
        let mut bench = Bench::new();
        let client = bench.connect(&persistent(V5, "c"));
        bench.subscribe(client, "a", qos);
        bench.publish(client, &publish("a", b"x", qos, 9));
        let packet_id = id(bench.messages(client)[0].packet_id.unwrap());
        let reason = ReasonCode::NOT_AUTHORIZED;
        bench.send(client, &packet(Acknowledge { packet_id, reason, properties: Properties::NONE }));
        let client = bench.connect(&persistent(V5, "c"));
        assert!(bench.got(client).is_empty(), "{qos:?}");
    }
}

#[test]
fn acknowledgements_of_the_wrong_kind_are_a_protocol_error_and_unknown_ones_are_not() {
    let mut bench = Bench::new();
    let client = bench.connect(&connect(V5, "c"));
    bench.puback(client, 400);
    bench.pubcomp(client, 400);
    assert!(bench.got(client).is_empty());
    bench.pubrec(client, 400);
    assert_eq!(bench.got(client), [Got::PubRel(400, ReasonCode::PACKET_IDENTIFIER_NOT_FOUND)]);
    bench.subscribe(client, "a", AtLeastOnce);
    bench.publish(client, &publish("a", b"x", AtLeastOnce, 9));
    let sent = bench.messages(client)[0].packet_id.unwrap();
    bench.pubcomp(client, sent);
    let closed = CloseReason::Violation(Violation::AcknowledgementOutOfPlace);
    assert_eq!(bench.got(client), [Got::Disconnect(ReasonCode::PROTOCOL_ERROR), Got::Closed(closed)]);
}

#[test]
fn packet_identifiers_in_flight_are_distinct_and_not_zero() {
    // 3.1.1 [MQTT-2.3.1-4]
    // [MQTT-2.2.1-4]
    let mut bench = Bench::new();
    let client = bench.connect(&connect(V3_1_1, "c"));
    bench.subscribe(client, "a", AtLeastOnce);
    for number in 1..=500 {
        bench.publish(client, &publish("a", b"x", AtLeastOnce, number));
    }
    let mut ids: Vec<_> = bench.messages(client).iter().map(|message| message.packet_id.unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), ids[0] > 0), (500, true));
}

#[test]
fn new_messages_never_overtake_what_waits_from_before() {
    // [MQTT-4.6.0-5, MQTT-4.6.0-6]: resent first, then the queue, then what is new.
    let mut bench = Bench::with(|config| config.max_inflight = 2);
    let subscriber = bench.connect(&persistent(V3_1_1, "s"));
    bench.subscribe(subscriber, "a", AtLeastOnce);
    let publisher = bench.connect(&connect(V5, "p"));
    for number in 1..=5u16 {
        bench.publish(publisher, &publish("a", number.to_string().as_bytes(), AtLeastOnce, number));
    }
    bench.close(subscriber);
    let subscriber = bench.connect(&persistent(V3_1_1, "s"));
    bench.publish(publisher, &publish("a", b"6", AtLeastOnce, 6));
    let mut payloads = Vec::new();
    loop {
        let messages = bench.messages(subscriber);
        if messages.is_empty() {
            break;
        }
        for message in messages {
            bench.puback(subscriber, message.packet_id.unwrap());
            payloads.push(String::from_utf8(message.payload).unwrap());
        }
    }
    assert_eq!(payloads, ["1", "2", "3", "4", "5", "6"]);
}
