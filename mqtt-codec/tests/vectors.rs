//! Packets byte by byte, after the figures and tables of the standards: bytes to value and value to bytes.

mod common;

use common::{bytes_of, id, read};
use core::num::{NonZeroU16, NonZeroU32};
use mqtt_codec::Direction::{ClientToServer as ToServer, ServerToClient as ToClient};
use mqtt_codec::ProtocolVersion::{V3_1, V3_1_1, V5};
use mqtt_codec::{
    Acknowledge, Auth, ConnAck, Connect, Delivery, Direction, Disconnect, Packet, Properties, Property,
    ProtocolVersion, Publish, QoS, ReasonCode, ReasonCodes, RetainHandling, SubAck, Subscribe,
    SubscribeFilters, SubscriptionIdentifier, SubscriptionOptions, UnsubAck, Unsubscribe, UnsubscribeFilters,
    Will,
};

#[track_caller]
fn same(version: ProtocolVersion, direction: Direction, bytes: &[u8], packet: Packet<'_>) {
    assert_eq!(read(bytes, version, direction), Ok(packet), "decode");
    assert_eq!(bytes_of(&packet, version).as_deref(), Ok(bytes), "encode");
}

/// Both versions of the older format.
#[track_caller]
fn same_in_3(direction: Direction, bytes: &[u8], packet: Packet<'_>) {
    same(V3_1, direction, bytes, packet);
    same(V3_1_1, direction, bytes, packet);
}

#[track_caller]
fn same_in_all(direction: Direction, bytes: &[u8], packet: Packet<'_>) {
    same_in_3(direction, bytes, packet);
    same(V5, direction, bytes, packet);
}

fn connect(version: ProtocolVersion, client_id: &str) -> Connect<'_> {
    Connect {
        version,
        clean_start: true,
        keep_alive: 10,
        properties: Properties::NONE,
        client_id,
        will: None,
        username: None,
        password: None,
    }
}

#[test]
fn connect_3_1() {
    let bytes = b"\x10\x14\0\x06MQIsdp\x03\x02\0\x0A\0\x06sensor";
    same(V3_1, ToServer, bytes, Packet::Connect(connect(V3_1, "sensor")));
    // The user name is announced and missing, which a server has to allow.
    let bytes = b"\x10\x14\0\x06MQIsdp\x03\x82\0\x0A\0\x06sensor";
    assert_eq!(read(bytes, V3_1, ToServer), Ok(Packet::Connect(connect(V3_1, "sensor"))));
    let long = b"\x10\x29\0\x06MQIsdp\x03\x02\0\x0A\0\x1Blonger-than-23-characters-x";
    same(V3_1, ToServer, long, Packet::Connect(connect(V3_1, "longer-than-23-characters-x")));
}

/// Figure 3.6 (3.1.1): flags 1100 1110, keep alive 10.
#[test]
fn connect_3_1_1() {
    let bytes = b"\x10\x24\0\x04MQTT\x04\xCE\0\x0A\0\x02id\0\x04will\0\x04gone\0\x04user\0\x02pw";
    let will = Will {
        qos: QoS::AtLeastOnce,
        retain: false,
        properties: Properties::NONE,
        topic: "will",
        payload: b"gone",
    };
    let packet =
        Connect { will: Some(will), username: Some("user"), password: Some(b"pw"), ..connect(V3_1_1, "id") };
    same(V3_1_1, ToServer, bytes, Packet::Connect(packet));

    let bytes = b"\x10\x0C\0\x04MQTT\x04\x02\0\x0A\0\0";
    same(V3_1_1, ToServer, bytes, Packet::Connect(connect(V3_1_1, "")));
    let bytes = b"\x10\x0E\0\x04MQTT\x04\0\0\0\0\x02id";
    let packet = Connect { clean_start: false, keep_alive: 0, ..connect(V3_1_1, "id") };
    same(V3_1_1, ToServer, bytes, Packet::Connect(packet));
}

/// Figure 3-6 (5.0): as above with a session expiry interval of 10 seconds.
#[test]
fn connect_5() {
    let bytes = b"\x10\x36\0\x04MQTT\x05\xEE\0\x0A\x05\x11\0\0\0\x0A\0\x02id\
        \x0B\x18\0\0\0\x05\x01\x01\x03\0\x01t\0\x04will\0\x04gone\0\x04user\0\x02pw";
    let will_properties =
        [Property::WillDelayInterval(5), Property::PayloadFormatIndicator(true), Property::ContentType("t")];
    let will = Will {
        qos: QoS::AtLeastOnce,
        retain: true,
        properties: Properties::list(&will_properties),
        topic: "will",
        payload: b"gone",
    };
    let packet = Connect {
        properties: Properties::list(&[Property::SessionExpiryInterval(10)]),
        will: Some(will),
        username: Some("user"),
        password: Some(b"pw"),
        ..connect(V5, "id")
    };
    same(V5, ToServer, bytes, Packet::Connect(packet));

    // A password alone is new in 5.0.
    let bytes = b"\x10\x10\0\x04MQTT\x05\x42\0\x0A\0\0\0\0\x01p";
    same(V5, ToServer, bytes, Packet::Connect(Connect { password: Some(b"p"), ..connect(V5, "") }));
}

#[test]
fn every_property_of_connect_5() {
    let bytes = b"\x10\x38\0\x04MQTT\x05\x02\0\x0A\x29\
        \x11\xFF\xFF\xFF\xFF\x21\0\x0A\x27\0\0\x10\0\x22\0\x05\x19\x01\x17\0\x26\0\x01k\0\x01v\
        \x15\0\x05SCRAM\x16\0\x03\x01\x02\x03\0\x02id";
    let properties = [
        Property::SessionExpiryInterval(u32::MAX),
        Property::ReceiveMaximum(NonZeroU16::new(10).unwrap()),
        Property::MaximumPacketSize(NonZeroU32::new(4096).unwrap()),
        Property::TopicAliasMaximum(5),
        Property::RequestResponseInformation(true),
        Property::RequestProblemInformation(false),
        Property::UserProperty("k", "v"),
        Property::AuthenticationMethod("SCRAM"),
        Property::AuthenticationData(&[1, 2, 3]),
    ];
    let packet = Connect { properties: Properties::list(&properties), ..connect(V5, "id") };
    same(V5, ToServer, bytes, Packet::Connect(packet));

    let Ok(Packet::Connect(connect)) = read(bytes, V5, ToServer) else { panic!("a CONNECT") };
    let properties = connect.properties;
    assert_eq!(properties.session_expiry_interval(), Some(u32::MAX));
    assert_eq!(properties.receive_maximum(), NonZeroU16::new(10));
    assert_eq!(properties.maximum_packet_size(), NonZeroU32::new(4096));
    assert_eq!(properties.topic_alias_maximum(), Some(5));
    assert_eq!(properties.request_response_information(), Some(true));
    assert_eq!(properties.request_problem_information(), Some(false));
    assert_eq!(properties.authentication_method(), Some("SCRAM"));
    assert_eq!(properties.authentication_data(), Some(&[1, 2, 3][..]));
    assert_eq!(properties.content_type(), None);
}

#[test]
fn connack() {
    let accepted = ConnAck::default();
    same_in_3(ToClient, b"\x20\x02\0\0", Packet::ConnAck(accepted));
    same(V3_1_1, ToClient, b"\x20\x02\x01\0", Packet::ConnAck(ConnAck { session_present: true, ..accepted }));
    same(V5, ToClient, b"\x20\x03\x01\0\0", Packet::ConnAck(ConnAck { session_present: true, ..accepted }));
    // In 3.1 the first byte means nothing.
    assert_eq!(read(b"\x20\x02\x01\0", V3_1, ToClient), Ok(Packet::ConnAck(accepted)));
    let present = Packet::ConnAck(ConnAck { session_present: true, ..accepted });
    assert_eq!(bytes_of(&present, V3_1).as_deref(), Ok(&b"\x20\x02\0\0"[..]));

    for (code, reason) in [
        (1, ReasonCode::UNSUPPORTED_PROTOCOL_VERSION),
        (2, ReasonCode::CLIENT_IDENTIFIER_NOT_VALID),
        (3, ReasonCode::SERVER_UNAVAILABLE),
        (4, ReasonCode::BAD_USER_NAME_OR_PASSWORD),
        (5, ReasonCode::NOT_AUTHORIZED),
    ] {
        same_in_3(ToClient, &[0x20, 2, 0, code], Packet::ConnAck(ConnAck { reason, ..accepted }));
        same(V5, ToClient, &[0x20, 3, 0, reason.get(), 0], Packet::ConnAck(ConnAck { reason, ..accepted }));
    }
    let banned = Packet::ConnAck(ConnAck { reason: ReasonCode::BANNED, ..accepted });
    assert_eq!(bytes_of(&banned, V3_1_1).as_deref(), Ok(&b"\x20\x02\0\x03"[..]));
}

#[test]
fn every_property_of_connack_5() {
    let bytes = b"\x20\x45\0\0\x42\
        \x11\0\0\0\x3C\x21\0\x14\x24\x01\x25\x01\x27\0\x01\0\0\x12\0\x03abc\x22\0\x0A\x1F\0\x02ok\
        \x26\0\x01a\0\x01b\x28\x01\x29\x01\x2A\0\x13\0\x1E\x1A\0\x02r/\x1C\0\x03b:1\x15\0\x01m\x16\0\x01\xFF";
    let properties = [
        Property::SessionExpiryInterval(60),
        Property::ReceiveMaximum(NonZeroU16::new(20).unwrap()),
        Property::MaximumQoS(QoS::AtLeastOnce),
        Property::RetainAvailable(true),
        Property::MaximumPacketSize(NonZeroU32::new(65_536).unwrap()),
        Property::AssignedClientIdentifier("abc"),
        Property::TopicAliasMaximum(10),
        Property::ReasonString("ok"),
        Property::UserProperty("a", "b"),
        Property::WildcardSubscriptionAvailable(true),
        Property::SubscriptionIdentifiersAvailable(true),
        Property::SharedSubscriptionAvailable(false),
        Property::ServerKeepAlive(30),
        Property::ResponseInformation("r/"),
        Property::ServerReference("b:1"),
        Property::AuthenticationMethod("m"),
        Property::AuthenticationData(&[0xFF]),
    ];
    let packet = ConnAck { properties: Properties::list(&properties), ..ConnAck::default() };
    same(V5, ToClient, bytes, Packet::ConnAck(packet));
}

/// Figure 3.11 (3.1.1): topic `a/b`, packet identifier 10.
#[test]
fn publish() {
    let at = |delivery, retain| Publish {
        delivery,
        retain,
        topic: "a/b",
        properties: Properties::NONE,
        payload: b"hi",
    };
    let one = |dup| Delivery::AtLeastOnce { packet_id: id(10), dup };
    let two = |dup| Delivery::ExactlyOnce { packet_id: id(10), dup };
    for direction in [ToServer, ToClient] {
        same_in_3(direction, b"\x30\x07\0\x03a/bhi", Packet::Publish(at(Delivery::AtMostOnce, false)));
        same_in_3(direction, b"\x31\x07\0\x03a/bhi", Packet::Publish(at(Delivery::AtMostOnce, true)));
        same_in_3(direction, b"\x32\x09\0\x03a/b\0\x0Ahi", Packet::Publish(at(one(false), false)));
        same_in_3(direction, b"\x3A\x09\0\x03a/b\0\x0Ahi", Packet::Publish(at(one(true), false)));
        same_in_3(direction, b"\x3D\x09\0\x03a/b\0\x0Ahi", Packet::Publish(at(two(true), true)));
        same(V5, direction, b"\x30\x08\0\x03a/b\0hi", Packet::Publish(at(Delivery::AtMostOnce, false)));
        same(V5, direction, b"\x34\x0A\0\x03a/b\0\x0A\0hi", Packet::Publish(at(two(false), false)));
    }
    let empty = Publish { payload: b"", ..at(Delivery::AtMostOnce, true) };
    same_in_3(ToServer, b"\x31\x05\0\x03a/b", Packet::Publish(empty));
}

#[test]
fn every_property_of_publish_5() {
    let bytes = b"\x32\x3E\0\0\0\x01\x35\
        \x01\x01\x02\0\0\x0E\x10\x23\0\x07\x08\0\x03r/1\x09\0\x02\xCA\xFE\x26\0\x01k\0\x02v1\x26\0\x01k\0\x02v2\
        \x0B\x01\x0B\xFF\xFF\xFF\x7F\x03\0\x06text/x1234";
    let identifier = |number| Property::SubscriptionIdentifier(SubscriptionIdentifier::new(number).unwrap());
    let properties = [
        Property::PayloadFormatIndicator(true),
        Property::MessageExpiryInterval(3600),
        Property::TopicAlias(NonZeroU16::new(7).unwrap()),
        Property::ResponseTopic("r/1"),
        Property::CorrelationData(&[0xCA, 0xFE]),
        Property::UserProperty("k", "v1"),
        Property::UserProperty("k", "v2"),
        identifier(1),
        identifier(SubscriptionIdentifier::MAX),
        Property::ContentType("text/x"),
    ];
    let packet = Publish {
        delivery: Delivery::AtLeastOnce { packet_id: id(1), dup: false },
        retain: false,
        topic: "",
        properties: Properties::list(&properties),
        payload: b"1234",
    };
    same(V5, ToClient, bytes, Packet::Publish(packet));

    let Ok(Packet::Publish(publish)) = read(bytes, V5, ToClient) else { panic!("a PUBLISH") };
    assert!(publish.properties.user_properties().eq([("k", "v1"), ("k", "v2")]));
    assert!(
        publish.properties.subscription_identifiers().map(SubscriptionIdentifier::get).eq([1, 268_435_455])
    );
    assert_eq!(publish.properties.encoded(), &bytes[7..60]);
}

/// Non-normative comment of §1.5.4: `A` followed by U+2A6D4, and U+FEFF, which stays what it is.
#[test]
fn text_beyond_ascii() {
    for (bytes, topic) in [
        (&b"\x30\x07\0\x05A\xF0\xAA\x9B\x94"[..], "A\u{2A6D4}"),
        (b"\x30\x06\0\x04\xEF\xBB\xBFa", "\u{FEFF}a"),
        (b"\x30\x0E\0\x0Ctemperatur/\x7F".as_slice(), "temperatur/\u{7F}"),
        (b"\x30\x0E\0\x0Ck\xC3\xBCche/\xC2\xB0C/1", "küche/°C/1"),
    ] {
        let packet = Publish {
            delivery: Delivery::AtMostOnce,
            retain: false,
            topic,
            properties: Properties::NONE,
            payload: b"",
        };
        same_in_3(ToServer, bytes, Packet::Publish(packet));
    }
}

#[test]
fn acknowledgements() {
    type Name = for<'a> fn(Acknowledge<'a>) -> Packet<'a>;
    let names: [(u8, Name, ReasonCode); 4] = [
        (0x40, |packet| Packet::PubAck(packet), ReasonCode::NO_MATCHING_SUBSCRIBERS),
        (0x50, |packet| Packet::PubRec(packet), ReasonCode::QUOTA_EXCEEDED),
        (0x62, |packet| Packet::PubRel(packet), ReasonCode::PACKET_IDENTIFIER_NOT_FOUND),
        (0x70, |packet| Packet::PubComp(packet), ReasonCode::PACKET_IDENTIFIER_NOT_FOUND),
    ];
    for (first_byte, name, reason) in names {
        for direction in [ToServer, ToClient] {
            let success = Acknowledge::success(id(0x1234));
            same_in_all(direction, &[first_byte, 2, 0x12, 0x34], name(success));
            let with_reason = Acknowledge { reason, ..success };
            same(V5, direction, &[first_byte, 3, 0x12, 0x34, reason.get()], name(with_reason));
            let properties = Properties::list(&[Property::ReasonString("no")]);
            let bytes = [first_byte, 9, 0x12, 0x34, reason.get(), 5, 0x1F, 0, 2, b'n', b'o'];
            same(V5, direction, &bytes, name(Acknowledge { properties, ..with_reason }));

            // Longer forms say the same.
            for longer in [&[first_byte, 3, 0x12, 0x34, 0][..], &[first_byte, 4, 0x12, 0x34, 0, 0]] {
                assert_eq!(read(longer, V5, direction), Ok(name(success)));
            }
            // What 3.x cannot say is left out.
            let shortest = &[first_byte, 2, 0x12, 0x34][..];
            assert_eq!(
                bytes_of(&name(Acknowledge { properties, ..with_reason }), V3_1_1).as_deref(),
                Ok(shortest)
            );
        }
    }
}

/// Figures 3.22 and 3-20: `a/b` with QoS 1, `c/d` with QoS 2.
#[test]
fn subscribe() {
    let filters = [
        ("a/b", SubscriptionOptions::qos(QoS::AtLeastOnce)),
        ("c/d", SubscriptionOptions::qos(QoS::ExactlyOnce)),
    ];
    let packet = Subscribe {
        packet_id: id(10),
        properties: Properties::NONE,
        filters: SubscribeFilters::list(&filters),
    };
    same_in_3(ToServer, b"\x82\x0E\0\x0A\0\x03a/b\x01\0\x03c/d\x02", Packet::Subscribe(packet));
    same(V5, ToServer, b"\x82\x0F\0\x0A\0\0\x03a/b\x01\0\x03c/d\x02", Packet::Subscribe(packet));
}

#[test]
fn subscribe_5_with_options() {
    let bytes = b"\x82\x13\0\x0A\x03\x0B\x80\x01\0\x01#\x2C\0\x01+\x18\0\x02$a\x02";
    let options = |maximum_qos, no_local, retain_as_published, retain_handling| SubscriptionOptions {
        maximum_qos,
        no_local,
        retain_as_published,
        retain_handling,
    };
    let filters = [
        ("#", options(QoS::AtMostOnce, true, true, RetainHandling::DoNotSend)),
        ("+", options(QoS::AtMostOnce, false, true, RetainHandling::SendIfNew)),
        ("$a", options(QoS::ExactlyOnce, false, false, RetainHandling::SendAtSubscribe)),
    ];
    let properties = [Property::SubscriptionIdentifier(SubscriptionIdentifier::new(128).unwrap())];
    let packet = Subscribe {
        packet_id: id(10),
        properties: Properties::list(&properties),
        filters: SubscribeFilters::list(&filters),
    };
    same(V5, ToServer, bytes, Packet::Subscribe(packet));

    // 3.x gets what it knows, from a list and from decoded bytes.
    let expected = &b"\x82\x0F\0\x0A\0\x01#\0\0\x01+\0\0\x02$a\x02"[..];
    assert_eq!(bytes_of(&Packet::Subscribe(packet), V3_1_1).as_deref(), Ok(expected));
    let decoded = read(bytes, V5, ToServer).unwrap();
    assert_eq!(bytes_of(&decoded, V3_1_1).as_deref(), Ok(expected));
}

/// Figure 3.26 and what 5.0 adds.
#[test]
fn suback() {
    let ack = |reasons| SubAck { packet_id: id(10), properties: Properties::NONE, reasons };
    let granted = [ReasonCode::GRANTED_QOS_0, ReasonCode::GRANTED_QOS_2, ReasonCode::UNSPECIFIED_ERROR];
    let packet = Packet::SubAck(ack(ReasonCodes::list(&granted)));
    same(V3_1_1, ToClient, b"\x90\x05\0\x0A\0\x02\x80", packet);
    same(V5, ToClient, b"\x90\x06\0\x0A\0\0\x02\x80", packet);
    same(V3_1, ToClient, b"\x90\x04\0\x0A\0\x02", Packet::SubAck(ack(ReasonCodes::bytes(&[0, 2]))));

    let refused = Packet::SubAck(ack(ReasonCodes::bytes(&[1, 0x87, 0x9E])));
    same(V5, ToClient, b"\x90\x06\0\x0A\0\x01\x87\x9E", refused);
    assert_eq!(bytes_of(&refused, V3_1_1).as_deref(), Ok(&b"\x90\x05\0\x0A\x01\x80\x80"[..]));
    assert_eq!(bytes_of(&refused, V3_1).as_deref(), Ok(&b"\x90\x05\0\x0A\x01\0\0"[..]));
}

/// Figure 3.28: `a/b` and `c/d`.
#[test]
fn unsubscribe_and_unsuback() {
    let packet = Unsubscribe {
        packet_id: id(10),
        properties: Properties::NONE,
        filters: UnsubscribeFilters::list(&["a/b", "c/d"]),
    };
    same_in_3(ToServer, b"\xA2\x0C\0\x0A\0\x03a/b\0\x03c/d", Packet::Unsubscribe(packet));
    same(V5, ToServer, b"\xA2\x0D\0\x0A\0\0\x03a/b\0\x03c/d", Packet::Unsubscribe(packet));

    let ack = |reasons| UnsubAck { packet_id: id(10), properties: Properties::NONE, reasons };
    same_in_3(ToClient, b"\xB0\x02\0\x0A", Packet::UnsubAck(ack(ReasonCodes::NONE)));
    let reasons = [ReasonCode::SUCCESS, ReasonCode::NO_SUBSCRIPTION_EXISTED];
    let packet = Packet::UnsubAck(ack(ReasonCodes::list(&reasons)));
    same(V5, ToClient, b"\xB0\x05\0\x0A\0\0\x11", packet);
    assert_eq!(bytes_of(&packet, V3_1_1).as_deref(), Ok(&b"\xB0\x02\0\x0A"[..]));
}

#[test]
fn ping() {
    same_in_all(ToServer, b"\xC0\0", Packet::PingReq);
    same_in_all(ToClient, b"\xD0\0", Packet::PingResp);
}

#[test]
fn disconnect() {
    let normal = Disconnect::new(ReasonCode::NORMAL_DISCONNECTION);
    same_in_all(ToServer, b"\xE0\0", Packet::Disconnect(normal));
    same(V5, ToClient, b"\xE0\0", Packet::Disconnect(normal));
    let with_will = Disconnect::new(ReasonCode::DISCONNECT_WITH_WILL_MESSAGE);
    same(V5, ToServer, b"\xE0\x01\x04", Packet::Disconnect(with_will));
    let properties = [Property::SessionExpiryInterval(0)];
    let packet = Disconnect { properties: Properties::list(&properties), ..normal };
    same(V5, ToServer, b"\xE0\x07\0\x05\x11\0\0\0\0", Packet::Disconnect(packet));
    let properties = [Property::ServerReference("b"), Property::ReasonString("r")];
    let moved =
        Disconnect { reason: ReasonCode::USE_ANOTHER_SERVER, properties: Properties::list(&properties) };
    same(V5, ToClient, b"\xE0\x0A\x9C\x08\x1C\0\x01b\x1F\0\x01r", Packet::Disconnect(moved));
    for longer in [&b"\xE0\x01\0"[..], b"\xE0\x02\0\0"] {
        assert_eq!(read(longer, V5, ToServer), Ok(Packet::Disconnect(normal)));
    }
}

#[test]
fn auth() {
    same(V5, ToClient, b"\xF0\0", Packet::Auth(Auth::default()));
    let properties = [Property::AuthenticationMethod("m"), Property::AuthenticationData(b"12")];
    let packet =
        Auth { reason: ReasonCode::CONTINUE_AUTHENTICATION, properties: Properties::list(&properties) };
    for direction in [ToServer, ToClient] {
        same(V5, direction, b"\xF0\x0B\x18\x09\x15\0\x01m\x16\0\x0212", Packet::Auth(packet));
    }
}
