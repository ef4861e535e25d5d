//! What a client may not send: which DISCONNECT it gets, and that its connection ends (MQTT 5 §4.13).

use mqtt_codec::{Packet, ProtocolVersion, ReasonCode};
use mqtt_core::{CloseReason, ConnectionId};

use crate::support::{AtMostOnce, Bench, ExactlyOnce, Got, V3_1_1, V5, connect, publish};

/// Sends these bytes on a connection of this version; what came back.
fn answer(version: ProtocolVersion, bytes: &[u8]) -> Vec<Got> {
    let mut bench = Bench::new();
    let client = bench.connect(&connect(version, "c"));
    bench.send_bytes(client, bytes);
    bench.got(client)
}

/// Each is one rule, in bytes that clients of MQTT 5 may not send.
const MQTT5: [(&str, &[u8], ReasonCode); 36] = [
    ("reserved type 0 [X-2.1.2]", b"\x00\x00", ReasonCode::MALFORMED_PACKET),
    ("CONNACK [X-2.1.2]", b"\x20\x03\x00\x00\x00", ReasonCode::PROTOCOL_ERROR),
    ("SUBACK", b"\x90\x04\x00\x01\x00\x00", ReasonCode::PROTOCOL_ERROR),
    ("UNSUBACK", b"\xb0\x04\x00\x01\x00\x00", ReasonCode::PROTOCOL_ERROR),
    ("PINGRESP", b"\xd0\x00", ReasonCode::PROTOCOL_ERROR),
    ("QoS 3 [MQTT-3.3.1-4]", b"\x36\x06\x00\x01a\x00\x01\x00", ReasonCode::MALFORMED_PACKET),
    ("DUP with QoS 0 [MQTT-3.3.1-2]", b"\x38\x04\x00\x01a\x00", ReasonCode::MALFORMED_PACKET),
    ("packet identifier 0 [MQTT-2.2.1-3]", b"\x32\x06\x00\x01a\x00\x00\x00", ReasonCode::MALFORMED_PACKET),
    (
        "a wildcard in a topic name [MQTT-3.3.2-2, MQTT-4.7.0-1]",
        b"\x30\x04\x00\x01#\x00",
        ReasonCode::MALFORMED_PACKET,
    ),
    ("neither topic nor alias", b"\x30\x03\x00\x00\x00", ReasonCode::PROTOCOL_ERROR),
    ("U+0000 [MQTT-1.5.4-2]", b"\x30\x04\x00\x01\x00\x00", ReasonCode::MALFORMED_PACKET),
    (
        "a surrogate [MQTT-1.5.4-1, MQTT-3.3.2-1]",
        b"\x30\x06\x00\x03\xed\xa0\x80\x00",
        ReasonCode::MALFORMED_PACKET,
    ),
    (
        "subscription identifier in PUBLISH [MQTT-3.3.4-6]",
        b"\x30\x06\x00\x01a\x02\x0b\x01",
        ReasonCode::PROTOCOL_ERROR,
    ),
    ("a property twice", b"\x30\x08\x00\x01a\x04\x01\x00\x01\x00", ReasonCode::PROTOCOL_ERROR),
    ("a property of another packet", b"\x30\x07\x00\x01a\x03\x21\x00\x01", ReasonCode::MALFORMED_PACKET),
    ("an unknown property", b"\x30\x06\x00\x01a\x02\x7f\x01", ReasonCode::MALFORMED_PACKET),
    (
        "a wildcard in a response topic [MQTT-3.3.2-14]",
        b"\x30\x08\x00\x01a\x04\x08\x00\x01#",
        ReasonCode::MALFORMED_PACKET,
    ),
    ("flags of PUBREL [MQTT-3.6.1-1]", b"\x60\x02\x00\x01", ReasonCode::MALFORMED_PACKET),
    ("flags of SUBSCRIBE [MQTT-3.8.1-1]", b"\x80\x07\x00\x01\x00\x00\x01a\x00", ReasonCode::MALFORMED_PACKET),
    ("flags of UNSUBSCRIBE [MQTT-3.10.1-1]", b"\xa0\x06\x00\x01\x00\x00\x01a", ReasonCode::MALFORMED_PACKET),
    ("flags of DISCONNECT [MQTT-3.14.1-1]", b"\xe1\x00", ReasonCode::MALFORMED_PACKET),
    ("flags of AUTH [MQTT-3.15.1-1]", b"\xf1\x00", ReasonCode::MALFORMED_PACKET),
    ("SUBSCRIBE without a filter [MQTT-3.8.3-2]", b"\x82\x03\x00\x01\x00", ReasonCode::PROTOCOL_ERROR),
    ("UNSUBSCRIBE without a filter [MQTT-3.10.3-2]", b"\xa2\x03\x00\x01\x00", ReasonCode::PROTOCOL_ERROR),
    (
        "reserved subscription options [MQTT-3.8.3-5]",
        b"\x82\x07\x00\x01\x00\x00\x01a\xc0",
        ReasonCode::MALFORMED_PACKET,
    ),
    ("retain handling 3", b"\x82\x07\x00\x01\x00\x00\x01a\x30", ReasonCode::PROTOCOL_ERROR),
    ("a subscription with QoS 3", b"\x82\x07\x00\x01\x00\x00\x01a\x03", ReasonCode::PROTOCOL_ERROR),
    ("subscription identifier 0", b"\x82\x09\x00\x01\x02\x0b\x00\x00\x01a\x00", ReasonCode::PROTOCOL_ERROR),
    ("an empty filter [MQTT-4.7.3-1]", b"\x82\x06\x00\x01\x00\x00\x00\x00", ReasonCode::MALFORMED_PACKET),
    (
        "a reason that PUBACK does not have [MQTT-3.4.2-1]",
        b"\x40\x03\x00\x01\x8e",
        ReasonCode::MALFORMED_PACKET,
    ),
    (
        "an ill-formed response topic [MQTT-3.3.2-13]",
        b"\x30\x08\x00\x01a\x04\x08\x00\x01\xff",
        ReasonCode::MALFORMED_PACKET,
    ),
    (
        "an ill-formed content type [MQTT-3.3.2-19]",
        b"\x30\x08\x00\x01a\x04\x03\x00\x01\xff",
        ReasonCode::MALFORMED_PACKET,
    ),
    (
        "an ill-formed value of a user property [MQTT-1.5.7-1]",
        b"\x30\x0b\x00\x01a\x07\x26\x00\x01k\x00\x01\xff",
        ReasonCode::MALFORMED_PACKET,
    ),
    ("trailing bytes", b"\xc0\x01\x00", ReasonCode::MALFORMED_PACKET),
    ("a length of five bytes", b"\x30\xff\xff\xff\xff\x01", ReasonCode::MALFORMED_PACKET),
    ("a length that is not the shortest [MQTT-1.5.5-1]", b"\xc0\x80\x00", ReasonCode::MALFORMED_PACKET),
];

#[test]
fn each_broken_rule_has_its_reason_and_ends_the_connection() {
    // [MQTT-4.13.1-1, MQTT-4.13.2-1]
    for (rule, bytes, reason) in MQTT5 {
        let got = answer(V5, bytes);
        assert_eq!(got.first(), Some(&Got::Disconnect(reason)), "{rule}");
        assert!(matches!(got[1..], [Got::Closed(CloseReason::Malformed(_))]), "{rule}: {got:?}");
    }
}

#[test]
fn old_clients_are_told_nothing_and_closed() {
    // 3.1.1 [MQTT-4.8.0-1]
    let rules: [(&str, &[u8]); 9] = [
        ("AUTH does not exist", b"\xf0\x00"),
        ("QoS 3 [MQTT-3.3.1-4]", b"\x36\x05\x00\x01a\x00\x01"),
        ("flags [MQTT-2.2.2-2]", b"\xc1\x00"),
        ("flags of DISCONNECT [MQTT-3.14.1-1]", b"\xe1\x00"),
        ("flags of PUBREL [MQTT-3.6.1-1]", b"\x60\x02\x00\x01"),
        ("ill-formed UTF-8 [MQTT-1.5.3-1, MQTT-3.3.2-1]", b"\x30\x03\x00\x01\xff"),
        ("U+0000 [MQTT-1.5.3-2]", b"\x30\x03\x00\x01\x00"),
        ("a wildcard in a topic name [MQTT-3.3.2-2]", b"\x30\x03\x00\x01+"),
        ("QoS 3 in SUBSCRIBE [MQTT-3.8.3-4]", b"\x82\x06\x00\x01\x00\x01a\x03"),
    ];
    for (rule, bytes) in rules {
        let got = answer(V3_1_1, bytes);
        assert!(matches!(got[..], [Got::Closed(CloseReason::Malformed(_))]), "{rule}: {got:?}");
    }
}

#[test]
fn u_feff_is_a_character_like_any_other() {
    // [MQTT-1.5.4-3], 3.1.1 [MQTT-1.5.3-3]
    for version in [V3_1_1, V5] {
        let mut bench = Bench::new();
        let client = bench.connect(&connect(version, "c"));
        bench.subscribe(client, "\u{feff}a", AtMostOnce);
        bench.publish(client, &publish("a", b"", AtMostOnce, 0));
        bench.publish(client, &publish("\u{feff}a", b"", AtMostOnce, 0));
        assert_eq!(bench.messages(client)[0].topic, "\u{feff}a");
    }
}

#[test]
fn a_broken_rule_ends_one_connection_only_and_what_came_before_counts() {
    let mut bench = Bench::new();
    let other = bench.connect(&connect(V5, "other"));
    bench.subscribe(other, "a", AtMostOnce);
    let client = bench.connect(&connect(V5, "c"));
    let mut bytes = Vec::new();
    Packet::Publish(publish("a", b"before", AtMostOnce, 0)).encode(V5, &mut bytes).unwrap();
    bytes.extend_from_slice(b"\xc0\x01\x00");
    Packet::Publish(publish("a", b"after", AtMostOnce, 0)).encode(V5, &mut bytes).unwrap();
    assert_eq!(bench.send_bytes(client, &bytes), bytes.len());
    assert_eq!(bench.payloads(other), ["before"]);
    assert_eq!(bench.broker.counters().malformed, 1);
}

#[test]
fn every_packet_cut_anywhere_is_awaited_and_counts_once_it_is_whole() {
    // [MQTT-4.2-1]
    let mut bytes = Vec::new();
    let packets = [Packet::Publish(publish("a", b"payload", ExactlyOnce, 300)), Packet::PingReq];
    for packet in packets {
        packet.encode(V5, &mut bytes).unwrap();
    }
    for cut in 0..=bytes.len() {
        let mut bench = Bench::new();
        let client = bench.connect(&connect(V5, "c"));
        for part in [&bytes[..cut], &bytes[cut..]] {
            assert_eq!(bench.send_bytes(client, part), part.len());
        }
        assert_eq!(bench.got(client), [Got::PubRec(300, ReasonCode::NO_MATCHING_SUBSCRIBERS), Got::PingResp]);
        assert_eq!(bench.broker.gauges().memory, 0);
    }
}

#[test]
fn a_topic_with_too_many_levels_is_refused() {
    let mut bench = Bench::with(|config| config.max_topic_levels = 4);
    let client: ConnectionId = bench.connect(&connect(V5, "c"));
    bench.publish(client, &publish("1/2/3/4", b"", AtMostOnce, 0));
    assert!(bench.got(client).is_empty());
    bench.publish(client, &publish("1/2/3/4/5", b"", AtMostOnce, 0));
    assert_eq!(bench.got(client)[0], Got::Disconnect(ReasonCode::TOPIC_NAME_INVALID));
}

#[test]
fn a_connect_that_breaks_a_rule_gets_no_connack_and_leaves_nothing() {
    // [MQTT-3.1.4-1]; the properties and the client identifier `c` follow keep alive 0.
    let rules: [(&str, u8, &[u8]); 9] = [
        ("the reserved flag [MQTT-3.1.2-3]", 0x01, b"\x00\x00\x01c"),
        ("will QoS without a will [MQTT-3.1.2-11]", 0x08, b"\x00\x00\x01c"),
        ("will retain without a will [MQTT-3.1.2-13]", 0x20, b"\x00\x00\x01c"),
        ("will QoS 3 [MQTT-3.1.2-12]", 0x1c, b"\x00\x00\x01c\x00\x00\x01w\x00\x00"),
        ("receive maximum 0", 0x02, b"\x03\x21\x00\x00\x00\x01c"),
        ("maximum packet size 0", 0x02, b"\x05\x27\x00\x00\x00\x00\x00\x01c"),
        ("a property twice", 0x02, b"\x06\x21\x00\x01\x21\x00\x01\x00\x01c"),
        ("request problem information 2", 0x02, b"\x02\x17\x02\x00\x01c"),
        ("authentication data without a method", 0x02, b"\x04\x16\x00\x01x\x00\x01c"),
    ];
    for (rule, flags, rest) in rules {
        let mut bytes = b"\x10\x00\x00\x04MQTT\x05\x00\x00\x00".to_vec();
        bytes.extend_from_slice(rest);
        (bytes[1], bytes[9]) = (bytes.len() as u8 - 2, flags);
        let mut bench = Bench::new();
        let client = bench.open();
        bench.send_bytes(client, &bytes);
        let got = bench.got(client);
        assert!(matches!(got[..], [Got::Closed(CloseReason::Malformed(_))]), "{rule}: {got:?}");
        assert_eq!((bench.broker.gauges().sessions, bench.broker.gauges().memory), (0, 0));
    }
}
