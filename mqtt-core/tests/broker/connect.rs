//! CONNECT and CONNACK (MQTT 5 §3.1, §3.2).

use mqtt_codec::{Connect, Malformed, Packet, PacketType, Property, QoS, ReasonCode, Will};
use mqtt_core::{CloseReason, Refused, Violation};

use crate::support::{
    AtLeastOnce, AtMostOnce, Bench, ExactlyOnce, Got, MICROSECOND, V3_1, V3_1_1, V5, connect, persistent,
    publish, seconds, will, with,
};

fn refused(reason: ReasonCode) -> [Got; 2] {
    let connack = Got::ConnAck { reason, session_present: false, properties: "[]".into() };
    [connack, Got::Closed(CloseReason::Refused(reason))]
}

#[test]
fn three_versions_share_a_broker_and_exchange_messages() {
    // [MQTT-3.1.4-5], 3.1.1 [MQTT-3.1.4-4]
    let mut bench = Bench::new();
    let clients = [V3_1, V3_1_1, V5].map(|version| bench.connect(&connect(version, &format!("{version:?}"))));
    for client in clients {
        bench.subscribe(client, "all", ExactlyOnce);
    }
    for client in clients {
        bench.publish(client, &publish("all", b"x", ExactlyOnce, 1));
    }
    for client in clients {
        assert_eq!(bench.messages(client).len(), 3);
    }
}

#[test]
fn connack_is_the_first_packet_and_comes_once() {
    // [MQTT-3.2.0-1, MQTT-3.2.0-2]; queued messages come after it.
    let mut bench = Bench::new();
    let client = bench.connect(&persistent(V5, "c"));
    bench.subscribe(client, "a", AtLeastOnce);
    bench.close(client);
    let publisher = bench.connect(&connect(V5, "p"));
    bench.publish(publisher, &publish("a", b"x", AtLeastOnce, 1));
    let (_, got) = bench.try_connect(&persistent(V5, "c"));
    assert!(matches!(got[..], [Got::ConnAck { session_present: true, .. }, Got::Publish(_)]), "{got:?}");
}

#[test]
fn the_first_packet_must_be_connect() {
    // [MQTT-3.14.0-1]: and no DISCONNECT goes out before CONNACK.
    // sol #17: nothing is answered before CONNECT. [MQTT-3.1.0-1]
    for packet in [
        Packet::PingReq,
        Packet::Publish(publish("a", b"x", AtLeastOnce, 1)),
        Packet::Disconnect(mqtt_codec::Disconnect::new(ReasonCode::SUCCESS)),
    ] {
        let mut bench = Bench::new();
        let client = bench.open();
        bench.send(client, &packet);
        let closed = CloseReason::Malformed(Malformed::FirstPacketNotConnect);
        assert_eq!(bench.got(client), [Got::Closed(closed)]);
    }
}

#[test]
fn a_second_connect_is_a_protocol_error() {
    // [MQTT-3.1.0-2]
    for (version, told) in [(V5, true), (V3_1_1, false)] {
        let mut bench = Bench::new();
        let client = bench.connect(&connect(version, "c"));
        bench.send(client, &Packet::Connect(connect(version, "c")));
        let got = bench.got(client);
        assert_eq!(got.contains(&Got::Disconnect(ReasonCode::PROTOCOL_ERROR)), told);
        assert!(matches!(
            got.last(),
            Some(Got::Closed(
                CloseReason::Violation(Violation::SecondConnect)
                    | CloseReason::Malformed(Malformed::SecondConnect)
            ))
        ));
    }
}

#[test]
fn a_whole_connect_must_come_within_the_connect_timeout() {
    let mut bench = Bench::with(|config| config.connect_timeout = seconds(10));
    let silent = bench.open();
    let slow = bench.open();
    bench.advance(seconds(5));
    bench.send_bytes(slow, b"\x10\x0d\x00\x04MQTT");
    bench.advance_short_of(seconds(5));
    assert_eq!((bench.got(silent), bench.got(slow)), (vec![], vec![]));
    bench.advance(MICROSECOND);
    let closed = [Got::Closed(CloseReason::ConnectTimeout)];
    assert_eq!(bench.got(silent), closed);
    assert_eq!(bench.got(slow), closed);
}

#[test]
fn connect_in_single_bytes_is_connect() {
    let mut bench = Bench::new();
    let client = bench.open();
    let mut bytes = Vec::new();
    Packet::Connect(connect(V5, "c")).encode(V5, &mut bytes).unwrap();
    for byte in &bytes {
        assert_eq!(bench.send_bytes(client, &[*byte]), 1);
    }
    assert!(matches!(bench.got(client)[..], [Got::ConnAck { reason: ReasonCode::SUCCESS, .. }]));
}

#[test]
fn an_unsupported_level_is_answered_and_an_unknown_protocol_is_not() {
    // [MQTT-3.1.2-1, MQTT-3.1.2-2]
    let mut bench = Bench::new();
    let client = bench.open();
    bench.reads(client, V3_1_1);
    bench.send_bytes(client, b"\x10\x0d\x00\x04MQTT\x09\x02\x00\x00\x00\x01a");
    let got = bench.got(client);
    let reason = ReasonCode::UNSUPPORTED_PROTOCOL_VERSION;
    assert!(matches!(&got[0], Got::ConnAck { reason: told, .. } if *told == reason), "{got:?}");
    assert!(matches!(got[1], Got::Closed(CloseReason::Malformed(Malformed::UnsupportedProtocolLevel(9)))));

    let client = bench.open();
    bench.send_bytes(client, b"\x10\x0d\x00\x04SQTT\x04\x02\x00\x00\x00\x01a");
    let closed = CloseReason::Malformed(Malformed::UnsupportedProtocolName);
    assert_eq!(bench.got(client), [Got::Closed(closed)]);
}

#[test]
fn a_malformed_connect_leaves_nothing_behind() {
    // CVE-2021-34431, CVE-2023-3592: no partial state. [MQTT-3.1.4-1]
    let mut bench = Bench::new();
    let client = bench.open();
    bench.send_bytes(client, b"\x10\x0d\x00\x04MQTT\x04\x03\x00\x00\x00\x01a");
    let closed = CloseReason::Malformed(Malformed::ReservedConnectFlag);
    assert_eq!(bench.got(client), [Got::Closed(closed)]);
    bench.close(client);
    let gauges = bench.broker.gauges();
    assert_eq!((gauges.connections, gauges.sessions, gauges.memory), (0, 0, 0));
}

#[test]
fn a_large_packet_before_connect_is_refused_by_its_header() {
    // CVE-2023-0809: neither type nor length may make the broker wait for, or hold, a large first packet.
    for header in [&b"\x10\xff\xff\xff\x7f"[..], b"\x30\xff\xff\xff\x7f", b"\x20\x7f"] {
        let mut bench = Bench::new();
        let client = bench.open();
        bench.send_bytes(client, header);
        assert!(matches!(bench.got(client)[..], [Got::Closed(CloseReason::Malformed(_))]), "{header:?}");
        assert_eq!(bench.broker.gauges().memory, 0);
    }
}

#[test]
fn a_packet_that_only_servers_send_is_refused_by_its_header() {
    // CVE-2021-28166: CONNACK from a client.
    let mut bench = Bench::new();
    let client = bench.connect(&connect(V5, "c"));
    bench.send_bytes(client, b"\x20");
    let closed = CloseReason::Malformed(Malformed::WrongDirection(PacketType::ConnAck));
    assert_eq!(bench.got(client), [Got::Disconnect(ReasonCode::PROTOCOL_ERROR), Got::Closed(closed)]);
}

#[test]
fn an_empty_client_identifier_gets_an_unused_one() {
    // [MQTT-3.1.3-6, MQTT-3.1.3-7, MQTT-3.2.2-16]
    let mut bench = Bench::new();
    let (_, first) = bench.connack(&connect(V5, ""));
    let (_, second) = bench.connack(&connect(V5, ""));
    assert!(first.contains("AssignedClientIdentifier(\"auto-") && first != second, "{first}");
    bench.connect(&connect(V3_1_1, ""));
    assert_eq!(bench.broker.gauges().clients, 3);
}

#[test]
fn an_assigned_client_identifier_names_its_session() {
    let mut bench = Bench::new();
    let (client, properties) = bench.connack(&persistent(V5, ""));
    bench.close(client);
    let id = properties.split('"').nth(1).unwrap().to_owned();
    assert!(bench.session_present(&persistent(V5, &id)));
}

#[test]
fn an_empty_client_identifier_is_refused_where_it_is_not_allowed() {
    // [MQTT-3.1.3-8]
    let mut bench = Bench::with(|config| config.assign_client_ids = false);
    let reason = ReasonCode::CLIENT_IDENTIFIER_NOT_VALID;
    for version in [V3_1_1, V5] {
        assert_eq!(bench.try_connect(&connect(version, "")).1, refused(reason));
    }
}

#[test]
fn an_empty_client_identifier_with_clean_session_0_is_refused() {
    // 3.1.1 [MQTT-3.1.3-8]
    let mut bench = Bench::new();
    let client = bench.open();
    bench.reads(client, V3_1_1);
    bench.send_bytes(client, b"\x10\x0c\x00\x04MQTT\x04\x00\x00\x00\x00\x00");
    let got = bench.got(client);
    let told = ReasonCode::CLIENT_IDENTIFIER_NOT_VALID;
    assert!(matches!(&got[0], Got::ConnAck { reason, .. } if *reason == told), "{got:?}");
    assert!(matches!(got[1], Got::Closed(_)));
}

#[test]
fn client_identifiers_have_a_longest_length() {
    // [MQTT-3.1.3-5]: 23 letters and digits are always accepted.
    let mut bench = Bench::with(|config| config.max_client_id_size = 23);
    bench.connect(&connect(V3_1, "0123456789abcdefghijKLM"));
    let (_, got) = bench.try_connect(&connect(V5, "0123456789abcdefghijKLMN"));
    assert_eq!(got, refused(ReasonCode::CLIENT_IDENTIFIER_NOT_VALID));
}

#[test]
fn connack_announces_the_limits_that_are_not_what_clients_assume() {
    // [MQTT-3.2.2-9]
    let (_, plain) = Bench::with(|config| {
        config.receive_maximum = u16::MAX;
        config.max_packet_size = mqtt_codec::MAX_PACKET_SIZE;
        config.topic_alias_maximum = 0;
    })
    .connack(&connect(V5, "c"));
    assert_eq!(plain, "[]");
    let mut bench = Bench::with(|config| {
        config.receive_maximum = 5;
        config.max_packet_size = 5000;
        config.topic_alias_maximum = 6;
        config.max_qos = QoS::AtLeastOnce;
        config.max_session_expiry = 77;
        config.max_keep_alive = 60;
        config.retain_available = false;
        config.wildcard_subscriptions = false;
        config.subscription_identifiers = false;
        config.shared_subscriptions = false;
    });
    let (_, announced) = bench.connack(&persistent(V5, "c"));
    for limit in [
        "ReceiveMaximum(5)",
        "MaximumPacketSize(5000)",
        "TopicAliasMaximum(6)",
        "MaximumQoS(AtLeastOnce)",
        "SessionExpiryInterval(77)",
        "ServerKeepAlive(60)",
        "RetainAvailable(false)",
        "WildcardSubscriptionAvailable(false)",
        "SubscriptionIdentifiersAvailable(false)",
        "SharedSubscriptionAvailable(false)",
    ] {
        assert!(announced.contains(limit), "{limit} in {announced}");
    }
}

#[test]
fn a_will_beyond_the_brokers_capabilities_is_refused() {
    // [MQTT-3.2.2-12, MQTT-3.2.2-13]
    let mut bench = Bench::with(|config| {
        config.max_qos = AtMostOnce;
        config.retain_available = false;
        config.max_topic_levels = 3;
    });
    let qos0 = Will { qos: AtMostOnce, ..will("w", b"") };
    for (will, reason) in [
        (will("w", b""), ReasonCode::QOS_NOT_SUPPORTED),
        (Will { retain: true, ..qos0 }, ReasonCode::RETAIN_NOT_SUPPORTED),
        (Will { topic: "1/2/3/4", ..qos0 }, ReasonCode::TOPIC_NAME_INVALID),
        (Will { topic: "$SYS/broker/version", ..qos0 }, ReasonCode::NOT_AUTHORIZED),
    ] {
        let connect = Connect { will: Some(will), ..connect(V5, "c") };
        assert_eq!(bench.try_connect(&connect).1, refused(reason));
    }
    bench.connect(&Connect { will: Some(qos0), ..connect(V5, "c") });
}

#[test]
fn after_a_refused_connect_nothing_is_processed() {
    // [MQTT-3.1.4-6], 3.1.1 [MQTT-3.1.4-5]
    for version in [V3_1_1, V5] {
        let mut bench = Bench::with(|config| config.assign_client_ids = false);
        let watcher = bench.connect(&connect(V5, "w"));
        bench.subscribe(watcher, "a", AtMostOnce);
        let client = bench.open();
        bench.reads(client, version);
        let mut bytes = Vec::new();
        Packet::Connect(connect(version, "")).encode(version, &mut bytes).unwrap();
        Packet::Publish(publish("a", b"x", AtMostOnce, 0)).encode(version, &mut bytes).unwrap();
        assert_eq!(bench.send_bytes(client, &bytes), bytes.len());
        assert!(bench.messages(watcher).is_empty());
    }
}

#[test]
fn connections_and_sessions_have_a_largest_number() {
    // [MQTT-3.2.2-6, MQTT-3.2.2-7], 3.1.1 [MQTT-3.2.2-4, MQTT-3.2.2-5]
    let mut bench = Bench::with(|config| {
        config.max_connections = 2;
        config.max_sessions = 1;
    });
    let first = bench.connect(&persistent(V5, "a"));
    assert_eq!(bench.try_connect(&connect(V5, "b")).1, refused(ReasonCode::QUOTA_EXCEEDED));
    let now = bench.now;
    assert_eq!(bench.broker.open(now), Err(Refused::Full));
    bench.close(first);
    bench.connect(&persistent(V5, "a"));
    assert_eq!(bench.broker.counters().connections_refused, 1);
}

#[test]
fn response_information_is_given_on_request_only() {
    // [MQTT-3.1.2-28]
    let mut bench = Bench::with(|config| config.response_topic_prefix = Some("replies/".into()));
    let (_, silent) = bench.connack(&connect(V5, "c"));
    assert!(!silent.contains("ResponseInformation"));
    let request = [Property::RequestResponseInformation(true)];
    let (_, told) = bench.connack(&with(connect(V5, "c"), &request));
    assert!(told.contains("ResponseInformation(\"replies/c\")"), "{told}");
    let (_, none) = Bench::new().connack(&with(connect(V5, "c"), &request));
    assert!(!none.contains("ResponseInformation"));
}
