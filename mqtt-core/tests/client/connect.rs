//! CONNECT on the wire, and what CONNACK says (MQTT 5 §3.1, §3.2).

use core::num::{NonZeroU16, NonZeroU32};

use mqtt_codec::{Connect, Packet, PacketType, Properties, Property, QoS, ReasonCode, SubscriptionOptions};
use mqtt_core::client::{Config, DisconnectReason, DropReason, Input, Outcome, Will};
use mqtt_core::{PropertyBuffer, Publication, Violation};

use crate::script::{
    AtLeastOnce, AtMostOnce, ExactlyOnce, PUBLISHED, Script, V3_1, V3_1_1, V5, VERSIONS, first, keeping,
    plain, seconds,
};

fn retained(payload: &[u8], qos: QoS) -> Publication<'_> {
    Publication { retain: true, ..crate::support::publication("t", payload, qos) }
}

#[test]
fn the_smallest_connect() {
    for version in VERSIONS {
        let mut script =
            Script::new(Config { topic_alias_maximum: 0, receive_maximum: 65_535, ..plain(version) });
        script.open();
        let size = [Property::MaximumPacketSize(NonZeroU32::new(16 << 20).unwrap())];
        script.expect(&[Packet::Connect(Connect {
            version,
            clean_start: true,
            keep_alive: 0,
            properties: Properties::list(&size),
            client_id: "c",
            will: None,
            username: None,
            password: None,
        })]);
    }
}

#[test]
fn every_field_of_connect() {
    let will_properties = [Property::WillDelayInterval(5), Property::UserProperty("a", "1")];
    for version in VERSIONS {
        let mut script = Script::new(Config {
            clean_start: false,
            session_expiry: 77,
            keep_alive: 10,
            username: Some("user".into()),
            password: Some(b"secret".to_vec()),
            will: Some(Box::new(Will {
                topic: "gone".into(),
                payload: b"c".to_vec(),
                qos: ExactlyOnce,
                retain: true,
                properties: PropertyBuffer::new(will_properties).unwrap(),
            })),
            authentication: Some(Box::new(mqtt_core::Authentication {
                method: "m".into(),
                data: Some(b"d".to_vec()),
            })),
            connect_properties: PropertyBuffer::new([Property::UserProperty("k", "v")]).unwrap(),
            receive_maximum: 3,
            max_packet_size: 1000,
            topic_alias_maximum: 4,
            ..plain(version)
        });
        script.open();
        let properties = [
            Property::UserProperty("k", "v"),
            Property::SessionExpiryInterval(77),
            Property::ReceiveMaximum(NonZeroU16::new(3).unwrap()),
            Property::MaximumPacketSize(NonZeroU32::new(1000).unwrap()),
            Property::TopicAliasMaximum(4),
            Property::AuthenticationMethod("m"),
            Property::AuthenticationData(b"d"),
        ];
        script.expect(&[Packet::Connect(Connect {
            version,
            clean_start: false,
            keep_alive: 10,
            properties: Properties::list(&properties),
            client_id: "c",
            will: Some(mqtt_codec::Will {
                qos: ExactlyOnce,
                retain: true,
                properties: Properties::list(&will_properties),
                topic: "gone",
                payload: b"c",
            }),
            username: Some("user"),
            password: Some(b"secret"),
        })]);
    }
}

#[test]
fn connect_properties_give_way_to_the_fields_of_the_configuration() {
    let connect_properties = PropertyBuffer::new([
        Property::SessionExpiryInterval(1),
        Property::TopicAliasMaximum(1),
        Property::RequestProblemInformation(false),
    ]);
    let config = Config { connect_properties: connect_properties.unwrap(), session_expiry: 9, ..plain(V5) };
    let mut script = Script::new(config);
    script.open();
    let seen = script.look(|packet| match packet {
        Packet::Connect(connect) => {
            let properties = &connect.properties;
            assert_eq!(properties.request_problem_information(), Some(false));
            (properties.session_expiry_interval(), properties.topic_alias_maximum())
        }
        other => panic!("{other:?}"),
    });
    assert_eq!(seen, [(Some(9), Some(32))]);
}

#[test]
fn a_configuration_that_makes_no_connect_is_said_and_not_tried_again() {
    let wildcard = Will {
        topic: "a/#".into(),
        payload: Vec::new(),
        qos: AtMostOnce,
        retain: false,
        properties: PropertyBuffer::default(),
    };
    let misplaced = PropertyBuffer::new([Property::ServerKeepAlive(1)]).unwrap();
    for config in [
        Config { client_id: String::new(), ..keeping(V3_1_1) },
        Config { client_id: String::new(), ..plain(V3_1) },
        Config { password: Some(b"p".to_vec()), ..plain(V3_1_1) },
        Config { will: Some(Box::new(wildcard)), ..plain(V5) },
        Config { connect_properties: misplaced, ..plain(V5) },
    ] {
        let mut script = Script::new(config.clone());
        script.open();
        assert_eq!(script.types(), [], "{config:?}");
        let (reason, _, retry_at) = script.disconnected.pop().unwrap();
        assert!(matches!(reason, DisconnectReason::InvalidConfig(_)), "{reason:?}");
        assert_eq!((retry_at, script.client.next_deadline(), script.closed), (None, None, true));
    }
}

#[test]
fn nothing_is_sent_between_connect_and_connack() {
    let mut script = Script::new(plain(V5));
    script.open();
    script.publish("x", AtLeastOnce);
    script.publish("y", AtMostOnce);
    script.subscribe("a");
    assert_eq!(script.types(), [PacketType::Connect]);
    script.connack(false, &[]);
    assert_eq!(script.types(), [PacketType::Subscribe, PacketType::Publish, PacketType::Publish]);
}

#[test]
fn clean_start_is_for_the_first_connection_and_clean_session_for_each() {
    for (version, clean, flags) in [
        (V5, true, [true, false]),
        (V5, false, [false, false]),
        (V3_1_1, true, [true, true]),
        (V3_1_1, false, [false, false]),
        (V3_1, true, [true, true]),
    ] {
        let mut script = Script::new(Config { clean_start: clean, ..plain(version) });
        for expected in flags {
            script.open();
            let seen = script.look(|packet| match packet {
                Packet::Connect(connect) => connect.clean_start,
                other => panic!("{other:?}"),
            });
            assert_eq!(seen, [expected], "{version:?}");
            script.connack(false, &[]);
            script.cut();
            script.advance(seconds(60));
        }
    }
}

#[test]
fn a_session_that_nobody_asked_for_ends_the_connection() {
    for version in [V3_1_1, V5] {
        let mut script = Script::new(plain(version));
        script.accept(true);
        assert_eq!(script.types(), []);
        assert_eq!(script.reason(), Some(DisconnectReason::Violation(Violation::SessionNotAskedFor)));
        assert_eq!(script.connected, []);
        assert!(script.closed);
    }
}

#[test]
fn a_session_of_an_earlier_connection_is_resumed() {
    let mut script = Script::connected(plain(V5));
    script.reconnect(true);
    assert_eq!(script.connected.iter().map(|(present, _)| *present).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn an_assigned_client_identifier_is_used_from_then_on() {
    let mut script = Script::new(Config { client_id: String::new(), ..keeping(V5) });
    script.accept_with(false, &[Property::AssignedClientIdentifier("given")]);
    assert_eq!(script.client.client_id(), "given");
    script.cut();
    script.advance(seconds(60));
    script.open();
    let named = script.look(|packet| match packet {
        Packet::Connect(connect) => connect.client_id.to_owned(),
        other => panic!("{other:?}"),
    });
    assert_eq!(named, ["given"]);
}

#[test]
fn the_properties_of_connack_reach_the_application() {
    let mut script = Script::new(plain(V5));
    let said =
        [Property::ReasonString("fine"), Property::UserProperty("a", "1"), Property::UserProperty("a", "2")];
    script.accept_with(false, &said);
    assert!(script.connected[0].1.get().iter().eq(said));
}

#[test]
fn a_refusal_is_told_with_its_reason_and_tried_again_later() {
    for version in VERSIONS {
        let mut script = Script::new(plain(version));
        script.open();
        script.types();
        script.refuse(ReasonCode::NOT_AUTHORIZED, &[Property::ReasonString("no")]);
        assert_eq!(script.types(), []);
        assert!(script.closed);
        let (reason, properties, retry_at) = script.disconnected.pop().unwrap();
        assert_eq!(reason, DisconnectReason::Refused(ReasonCode::NOT_AUTHORIZED));
        assert_eq!(properties.get().reason_string(), (version == V5).then_some("no"));
        assert!(retry_at.is_some());
    }
}

#[test]
fn a_server_that_knows_no_mqtt_5_refuses_in_its_own_form() {
    let mut script = Script::new(plain(V5));
    script.open();
    script.input(Input::Bytes(&[0x20, 2, 0, 1]));
    assert!(script.closed);
    let expected = DisconnectReason::Refused(ReasonCode::UNSUPPORTED_PROTOCOL_VERSION);
    assert_eq!(script.reason(), Some(expected));
}

#[test]
fn nothing_larger_than_the_servers_maximum_packet_size_is_sent() {
    // mqtt-protocol-core #63: what is not sent keeps no identifier.
    let mut script = Script::new(plain(V5));
    script.accept_with(false, &[Property::MaximumPacketSize(NonZeroU32::new(20).unwrap())]);
    let large = "x".repeat(20);
    let handles = [AtMostOnce, AtLeastOnce, ExactlyOnce].map(|qos| script.publish(&large, qos));
    for handle in handles {
        assert_eq!(script.dropped(handle), Some(DropReason::TooLarge));
    }
    let filter = "f".repeat(20);
    let subscribe = script.subscribe(&filter);
    let unsubscribe = script.unsubscribe(&filter);
    assert_eq!(script.dropped(subscribe), Some(DropReason::TooLarge));
    assert_eq!(script.dropped(unsubscribe), Some(DropReason::TooLarge));
    script.expect(&[]);
    // The identifiers are free again, and what fits goes out: 2 + 3 + 2 + 1 + 12 bytes.
    script.publish("exactly----!", AtLeastOnce);
    let mut sizes = script.look(|packet| packet.encoded_len(V5).unwrap());
    assert_eq!(sizes.pop(), Some(20));
    assert_eq!(script.client.unfinished(), 1);

    let words = "w".repeat(30);
    let properties = [Property::ReasonString(&words)];
    script.client.disconnect(ReasonCode::UNSPECIFIED_ERROR, Properties::list(&properties), script.now);
    script.drain();
    script.expect(&[Packet::Disconnect(mqtt_codec::Disconnect::new(ReasonCode::UNSPECIFIED_ERROR))]);
}

#[test]
fn a_limit_of_one_connection_does_not_hold_for_the_next() {
    let mut script = Script::new(plain(V5));
    script.accept_with(false, &[Property::MaximumPacketSize(NonZeroU32::new(20).unwrap())]);
    script.reconnect(false);
    let handle = script.publish(&"x".repeat(20), AtMostOnce);
    assert_eq!(script.outcome(handle), Some(PUBLISHED));
}

#[test]
fn maximum_qos_and_retain_available_are_honoured() {
    let mut script = Script::new(plain(V5));
    script.accept_with(false, &[Property::MaximumQoS(AtLeastOnce), Property::RetainAvailable(false)]);
    let two = script.publish("2", ExactlyOnce);
    let kept =
        [AtMostOnce, AtLeastOnce].map(|qos| script.client.publish(&retained(b"r", qos), script.now).unwrap());
    script.drain();
    assert_eq!(script.dropped(two), Some(DropReason::QoSNotSupported));
    assert_eq!(kept.map(|handle| script.dropped(handle)), [Some(DropReason::RetainNotSupported); 2]);
    script.expect(&[]);
    script.publish("1", AtLeastOnce);
    script.expect(&[first("1", AtLeastOnce, 1)]);
    // Subscribing with a higher QoS is allowed.
    script.subscribe("a");
    assert_eq!(script.types(), [PacketType::Subscribe]);
}

#[test]
fn what_a_resumed_server_takes_no_more_is_not_sent_again() {
    let mut script = Script::new(keeping(V5));
    script.accept(false);
    let two = script.publish("2", ExactlyOnce);
    let kept = script.client.publish(&retained(b"r", AtLeastOnce), script.now).unwrap();
    let one = script.publish("1", AtLeastOnce);
    script.cut();
    script.types();
    script.advance(seconds(60));
    script.accept_with(true, &[Property::MaximumQoS(AtLeastOnce), Property::RetainAvailable(false)]);
    script.expect(&[crate::script::again("1", AtLeastOnce, 3)]);
    assert_eq!(script.dropped(two), Some(DropReason::QoSNotSupported));
    assert_eq!(script.dropped(kept), Some(DropReason::RetainNotSupported));
    assert_eq!(script.outcome(one), None);
}

#[test]
fn subscriptions_that_the_server_does_not_have_are_not_asked_for() {
    for (missing, filter) in [
        (Property::WildcardSubscriptionAvailable(false), "a/+"),
        (Property::SharedSubscriptionAvailable(false), "$share/g/a"),
    ] {
        let mut script = Script::new(plain(V5));
        script.accept_with(false, &[missing, Property::SubscriptionIdentifiersAvailable(false)]);
        let handle = script.subscribe(filter);
        assert_eq!(script.dropped(handle), Some(DropReason::SubscriptionNotSupported));
        let plain = script.subscribe("a");
        let identifiers = script.look(|packet| match packet {
            Packet::Subscribe(subscribe) => subscribe.properties.subscription_identifiers().count(),
            other => panic!("{other:?}"),
        });
        assert_eq!(identifiers, [0]);
        script.suback(1, &[ReasonCode::GRANTED_QOS_2]);
        assert_eq!(script.outcome(plain), Some(Outcome::Subscribed(vec![ReasonCode::GRANTED_QOS_2])));
    }
}

#[test]
fn what_breaks_the_form_is_refused_at_once() {
    for version in VERSIONS {
        let mut script = Script::connected(plain(version));
        let no_local = SubscriptionOptions { no_local: true, ..SubscriptionOptions::default() };
        let now = script.now;
        for filters in [
            &[][..],
            &[("", no_local)],
            &[("a#", no_local)],
            &[("+a", no_local)],
            &[("a\0", no_local)],
            &[("$share/g/a", no_local)],
        ] {
            assert!(script.client.subscribe(filters, Properties::NONE, now).is_err(), "{filters:?}");
        }
        for filters in [&[][..], &[""], &["a/#/b"], &["$share//a"]] {
            assert!(script.client.unsubscribe(filters, Properties::NONE, now).is_err(), "{filters:?}");
        }
        let long = "x".repeat(65_536);
        for topic in ["", "a/+", "#", "a\0", &long] {
            let publication = crate::support::publication(topic, b"", AtMostOnce);
            assert!(script.client.publish(&publication, now).is_err());
        }
        for property in
            [Property::ResponseTopic("a/+"), Property::ServerKeepAlive(1), Property::ReasonString("no")]
        {
            let properties = [property];
            let properties = Properties::list(&properties);
            let publication =
                Publication { properties, ..crate::support::publication("t", b"", AtLeastOnce) };
            assert!(script.client.publish(&publication, now).is_err(), "{property:?}");
            assert!(script.client.unsubscribe(&["a"], properties, now).is_err(), "{property:?}");
        }
        script.drain();
        script.expect(&[]);
        assert_eq!(script.client.unfinished(), 0);
    }
}
