//! What a server may not send, and taking leave (MQTT 5 §3.14, §4.13).

use mqtt_codec::{
    Connect, Disconnect, Malformed, Packet, PacketType, Properties, Property, ProtocolVersion, ReasonCode,
    Subscribe, SubscribeFilters, SubscriptionOptions, Unsubscribe, UnsubscribeFilters,
};
use mqtt_core::Violation;
use mqtt_core::client::{Config, DisconnectReason, Input};

use crate::script::{
    AtLeastOnce, ExactlyOnce, Script, V3_1_1, V5, VERSIONS, ack, first, id, keeping, plain, seconds,
};

/// What only clients send.
fn client_packets(version: ProtocolVersion) -> Vec<Vec<u8>> {
    let filters = [("a", SubscriptionOptions::default())];
    let connect = Connect {
        version,
        clean_start: true,
        keep_alive: 0,
        properties: Properties::NONE,
        client_id: "x",
        will: None,
        username: None,
        password: None,
    };
    let subscribe = Subscribe {
        packet_id: id(1),
        properties: Properties::NONE,
        filters: SubscribeFilters::list(&filters),
    };
    let unsubscribe = Unsubscribe {
        packet_id: id(1),
        properties: Properties::NONE,
        filters: UnsubscribeFilters::list(&["a"]),
    };
    [
        Packet::Connect(connect),
        Packet::Subscribe(subscribe),
        Packet::Unsubscribe(unsubscribe),
        Packet::PingReq,
    ]
    .iter()
    .map(|packet| {
        let mut bytes = Vec::new();
        packet.encode(version, &mut bytes).unwrap();
        bytes
    })
    .collect()
}

#[test]
fn what_only_clients_send_ends_the_connection_at_any_time() {
    for version in VERSIONS {
        for bytes in client_packets(version) {
            let mut script = Script::connected(plain(version));
            script.input(Input::Bytes(&bytes));
            script.expect_disconnect(ReasonCode::PROTOCOL_ERROR);
            assert!(matches!(
                script.reason(),
                Some(DisconnectReason::Malformed(Malformed::WrongDirection(_)))
            ));

            let mut script = Script::new(plain(version));
            script.open();
            script.types();
            script.input(Input::Bytes(&bytes));
            assert_eq!(script.types(), [], "no DISCONNECT before CONNACK");
            assert!(matches!(script.reason(), Some(DisconnectReason::Malformed(_))));
        }
    }
}

#[test]
fn connack_comes_first_and_once() {
    for version in VERSIONS {
        for packet in [first("x", AtLeastOnce, 1), Packet::PingResp, Packet::PubAck(ack(1))] {
            let mut script = Script::new(plain(version));
            script.open();
            script.send(&packet);
            assert_eq!(
                script.reason(),
                Some(DisconnectReason::Malformed(Malformed::FirstPacketNotConnAck)),
                "{packet:?}"
            );
            assert_eq!(script.messages, []);
        }
        let mut script = Script::connected(plain(version));
        script.connack(false, &[]);
        script.expect_disconnect(ReasonCode::PROTOCOL_ERROR);
        assert_eq!(script.reason(), Some(DisconnectReason::Malformed(Malformed::SecondConnAck)));
    }
}

#[test]
fn a_malformed_packet_is_answered_with_its_reason_and_closed() {
    for (version, bytes, reason) in [
        (V5, &b"\x36\x06\0\x01a\0\x01\0"[..], ReasonCode::MALFORMED_PACKET),
        (V5, b"\x30\x05\0\x02a\xFF\0", ReasonCode::MALFORMED_PACKET),
        (V5, b"\x30\x04\0\x01\0\0", ReasonCode::MALFORMED_PACKET),
        (V5, b"\x30\x05\0\x02a#\0", ReasonCode::MALFORMED_PACKET),
        (V5, b"\x41\x02\0\x01", ReasonCode::MALFORMED_PACKET),
        (V5, b"\x40\x03\0\x01\x92", ReasonCode::MALFORMED_PACKET),
        (V5, b"\x30\x03\0\0\0", ReasonCode::PROTOCOL_ERROR),
        (V5, b"\xE1\0", ReasonCode::MALFORMED_PACKET),
        (V5, b"\xE0\x07\0\x05\x11\0\0\0\x01", ReasonCode::PROTOCOL_ERROR),
        (V5, b"\xF1\0", ReasonCode::MALFORMED_PACKET),
        (V5, b"\x30\x81\x80\x80\x80\x01", ReasonCode::MALFORMED_PACKET),
        (V3_1_1, b"\x36\x05\0\x01a\0\x01", ReasonCode::MALFORMED_PACKET),
        (V3_1_1, b"\xE0\0", ReasonCode::PROTOCOL_ERROR),
        (V3_1_1, b"\xF0\0", ReasonCode::PROTOCOL_ERROR),
    ] {
        let mut script = Script::connected(plain(version));
        script.input(Input::Bytes(bytes));
        script.expect_disconnect(reason);
        assert!(matches!(script.reason(), Some(DisconnectReason::Malformed(_))), "{bytes:?}");
        assert_eq!(script.messages, []);
    }
}

#[test]
fn a_malformed_connack_is_closed_without_a_word() {
    for bytes in [&b"\x20\x03\x02\0\0"[..], b"\x20\x03\x01\x87\0", b"\x20\x03\0\x01\0", b"\x20\x02\0\0"] {
        let mut script = Script::new(plain(V5));
        script.open();
        script.types();
        script.input(Input::Bytes(bytes));
        script.expect(&[]);
        assert!(
            script.closed && matches!(script.reason(), Some(DisconnectReason::Malformed(_))),
            "{bytes:?}"
        );
    }
}

#[test]
fn a_packet_above_the_clients_maximum_is_refused_by_its_header() {
    let mut script = Script::connected(Config { max_packet_size: 100, ..plain(V5) });
    script.input(Input::Bytes(&[0x30, 99]));
    script.expect_disconnect(ReasonCode::PACKET_TOO_LARGE);
    let mut script = Script::connected(Config { max_packet_size: 100, ..plain(V5) });
    script.input(Input::Bytes(&[0x30, 98]));
    assert_eq!(script.reason(), None);
}

#[test]
fn acknowledgements_of_the_wrong_kind_are_a_protocol_error() {
    let qos1 = [Packet::PubRec(ack(1)), Packet::PubComp(ack(1))];
    let qos2 = [Packet::PubAck(ack(1)), Packet::PubComp(ack(1))];
    for (qos, packets) in [(AtLeastOnce, qos1), (ExactlyOnce, qos2)] {
        for packet in packets {
            let mut script = Script::connected(plain(V5));
            script.publish("x", qos);
            script.types();
            script.send(&packet);
            script.expect_disconnect(ReasonCode::PROTOCOL_ERROR);
            assert_eq!(
                script.reason(),
                Some(DisconnectReason::Violation(Violation::AcknowledgementOutOfPlace))
            );
        }
    }
    // Of a request.
    let mut script = Script::connected(plain(V5));
    script.subscribe("a");
    script.types();
    script.send(&Packet::PubAck(ack(1)));
    script.expect_disconnect(ReasonCode::PROTOCOL_ERROR);
}

#[test]
fn the_servers_disconnect_is_told_with_its_reason() {
    let properties = [Property::ReasonString("bye"), Property::UserProperty("a", "1")];
    let mut script = Script::connected(plain(V5));
    let reason = ReasonCode::SERVER_SHUTTING_DOWN;
    script.send(&Packet::Disconnect(Disconnect { reason, properties: Properties::list(&properties) }));
    script.expect(&[]);
    assert!(script.closed);
    assert_eq!(script.reason(), Some(DisconnectReason::Server(reason)));
    assert!(script.disconnected[0].1.get().iter().eq(properties));
}

#[test]
fn disconnect_says_its_reason_closes_and_is_the_last_packet() {
    for version in VERSIONS {
        let mut script = Script::connected(keeping(version));
        let now = script.now;
        script.client.disconnect(ReasonCode::DISCONNECT_WITH_WILL_MESSAGE, Properties::NONE, now);
        script.client.publish(&crate::support::publication("t", b"x", AtLeastOnce), now).unwrap();
        script.client.handle(Input::Bytes(&[0x40, 2, 0, 1]), now);
        script.client.handle(Input::Tick, now);
        script.client.disconnect(ReasonCode::NORMAL_DISCONNECTION, Properties::NONE, now);
        script.drain();
        script.expect(&[Packet::Disconnect(Disconnect::new(ReasonCode::DISCONNECT_WITH_WILL_MESSAGE))]);
        assert!(script.closed);
        assert_eq!(script.reason(), Some(DisconnectReason::Requested));
        assert_eq!(script.client.next_deadline(), None, "nobody wants a connection");
        script.client.connect(now);
        script.drain();
        script.accept(version != crate::script::V3_1);
        assert_eq!(script.types(), [PacketType::Publish]);
    }
}

#[test]
fn disconnect_does_not_raise_a_session_expiry_of_zero() {
    let properties = [Property::SessionExpiryInterval(9), Property::UserProperty("a", "1")];
    for (config, kept) in [(plain(V5), &properties[1..]), (keeping(V5), &properties[..])] {
        let mut script = Script::connected(config);
        let reason = ReasonCode::NORMAL_DISCONNECTION;
        script.client.disconnect(reason, Properties::list(&properties), script.now);
        script.drain();
        script.expect(&[Packet::Disconnect(Disconnect { reason, properties: Properties::list(kept) })]);
    }
}

#[test]
fn disconnecting_at_any_other_time_just_ends_it() {
    let mut script = Script::new(plain(V5));
    script.disconnect(ReasonCode::NORMAL_DISCONNECTION);
    assert!(script.closed, "while it opens");
    let mut script = Script::new(plain(V5));
    script.open();
    script.types();
    script.disconnect(ReasonCode::NORMAL_DISCONNECTION);
    script.expect(&[]);
    assert!(script.closed, "before CONNACK");
    let mut script = Script::connected(plain(V5));
    script.cut();
    script.disconnect(ReasonCode::NORMAL_DISCONNECTION);
    script.advance(seconds(1000));
    assert_eq!(script.opening, None, "during the back-off");
}

#[test]
fn what_comes_after_the_end_is_ignored() {
    let mut script = Script::connected(plain(V5));
    let mut bytes = vec![0x30, 3, 0, 0, 0];
    first("x", AtLeastOnce, 1).encode(V5, &mut bytes).unwrap();
    script.input(Input::Bytes(&bytes));
    script.input(Input::Bytes(&bytes));
    script.input(Input::Opened);
    script.input(Input::Closed);
    script.expect_disconnect(ReasonCode::PROTOCOL_ERROR);
    assert_eq!((script.messages.len(), script.disconnected.len()), (0, 1));
}

#[test]
fn the_reason_string_gives_way_to_the_servers_maximum_packet_size() {
    let mut script = Script::new(plain(V5));
    script.accept_with(false, &[Property::MaximumPacketSize(core::num::NonZeroU32::new(10).unwrap())]);
    script.input(Input::Bytes(&[0x30, 3, 0, 0, 0]));
    script.expect(&[Packet::Disconnect(Disconnect::new(ReasonCode::PROTOCOL_ERROR))]);
}
