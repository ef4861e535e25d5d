//! Maximum packet size, both ways (MQTT 5 §3.1.2.11.4, §3.2.2.3.6).

use std::num::NonZeroU32;

use mqtt_codec::{
    Connect, Malformed, Packet, Properties, Property, ReasonCode, Subscribe, SubscribeFilters,
    SubscriptionOptions, Unsubscribe, UnsubscribeFilters,
};
use mqtt_core::{CloseReason, ConnectionId, Violation};

use crate::support::{
    AtLeastOnce, AtMostOnce, Bench, ExactlyOnce, Got, V3_1_1, V5, connect, id, publish, with,
};

/// A client that takes packets of this size at the most.
fn small<'a>(size: &'a [Property<'a>; 1], client_id: &'a str) -> Connect<'a> {
    with(connect(V5, client_id), size)
}

fn limit(size: u32) -> [Property<'static>; 1] {
    [Property::MaximumPacketSize(NonZeroU32::new(size).unwrap())]
}

/// A broker whose CONNACK is 5 bytes long.
fn terse() -> Bench {
    Bench::with(|config| {
        config.receive_maximum = u16::MAX;
        config.topic_alias_maximum = 0;
        config.max_packet_size = mqtt_codec::MAX_PACKET_SIZE;
    })
}

fn given_up(bench: &mut Bench, client: ConnectionId) {
    assert_eq!(bench.got(client).last(), Some(&Got::Closed(CloseReason::ClientLimit)));
}

#[test]
fn a_publish_that_is_too_large_is_dropped_for_that_client_and_counts_as_sent() {
    // [MQTT-3.1.2-24, MQTT-3.1.2-25]; the packet is 20 bytes with QoS 1 or 2 and 18 with QoS 0.
    for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
        let exact = if qos == AtMostOnce { 18 } else { 20 };
        for (size, arrives) in [(exact, true), (exact - 1, false)] {
            let mut bench = terse();
            let client = bench.connect(&small(&limit(size), "c"));
            let other = bench.connect(&connect(V5, "other"));
            for subscriber in [client, other] {
                bench.subscribe(subscriber, "a", ExactlyOnce);
            }
            bench.publish(other, &publish("a", &[b'x'; 12], qos, 1));
            bench.publish(other, &publish("a", b"small", qos, 2));
            assert_eq!(bench.messages(client).len(), 1 + usize::from(arrives), "{qos:?}");
            assert_eq!(bench.messages(other).len(), 2);
            assert_eq!(bench.broker.counters().dropped_too_large, u64::from(!arrives));
        }
    }
}

#[test]
fn a_message_that_was_too_large_takes_no_quota_and_does_not_come_back() {
    let mut bench = terse();
    let properties = [limit(20)[0], Property::ReceiveMaximum(1.try_into().unwrap())];
    let client = bench.connect(&with(connect(V5, "c"), &properties));
    bench.subscribe(client, "a", ExactlyOnce);
    let other = bench.connect(&connect(V5, "other"));
    for (qos, number) in [(AtLeastOnce, 1), (ExactlyOnce, 2)] {
        bench.publish(other, &publish("a", &[b'x'; 50], qos, number));
    }
    bench.publish(other, &publish("a", b"x", AtLeastOnce, 3));
    assert_eq!(bench.payloads(client), ["x"]);
}

#[test]
fn an_alias_gives_way_where_the_packet_would_be_too_large_with_it() {
    let mut bench = terse();
    let properties = [limit(18)[0], Property::TopicAliasMaximum(1)];
    let client = bench.connect(&with(connect(V5, "c"), &properties));
    bench.subscribe(client, "a", AtMostOnce);
    bench.publish(client, &publish("a", &[b'x'; 12], AtMostOnce, 0));
    assert_eq!(bench.messages(client).len(), 1);
}

#[test]
fn suback_and_unsuback_that_are_too_large_end_the_connection() {
    // They cannot be made smaller, and the client must not be sent what it does not take.
    let filters = ["a", "b", "c", "d", "e", "f"];
    for size in [11, 10] {
        let mut bench = terse();
        let client = bench.connect(&small(&limit(size), "c"));
        let options = filters.map(|filter| (filter, SubscriptionOptions::qos(AtMostOnce)));
        let packet = Packet::Subscribe(Subscribe {
            packet_id: id(1),
            properties: Properties::NONE,
            filters: SubscribeFilters::list(&options),
        });
        bench.send(client, &packet);
        if size == 10 {
            given_up(&mut bench, client);
            continue;
        }
        assert!(matches!(bench.got(client)[..], [Got::SubAck(1, _)]));
        let filters: Vec<_> = filters.iter().chain(&["g"]).copied().collect();
        let filters = UnsubscribeFilters::list(&filters);
        let packet = Unsubscribe { packet_id: id(2), properties: Properties::NONE, filters };
        bench.send(client, &Packet::Unsubscribe(packet));
        given_up(&mut bench, client);
    }
}

#[test]
fn each_small_packet_is_sent_or_the_connection_ends() {
    // mosquitto #3596: the limit holds for acknowledgements, too. PINGRESP has 2 bytes, PUBACK with a reason 5.
    let mut bench = terse();
    let client = bench.connect(&small(&limit(5), "c"));
    bench.send(client, &Packet::PingReq);
    bench.publish(client, &publish("a", b"", AtLeastOnce, 1));
    bench.publish(client, &publish("a", b"", ExactlyOnce, 2));
    bench.pubrel(client, 2);
    let none = ReasonCode::NO_MATCHING_SUBSCRIBERS;
    let expected =
        [Got::PingResp, Got::PubAck(1, none), Got::PubRec(2, none), Got::PubComp(2, ReasonCode::SUCCESS)];
    assert_eq!(bench.got(client), expected);
}

#[test]
fn pubrel_and_auth_have_no_room_for_a_reason() {
    // [MQTT-3.6.2-2, MQTT-3.6.2-3, MQTT-3.15.2-2, MQTT-3.15.2-3]
    let mut bench = Bench::with(|config| config.ask.connect = true);
    let properties = [Property::AuthenticationMethod("m")];
    let (client, _) = bench.try_connect(&with(connect(V5, "c"), &properties));
    bench.answer(mqtt_core::Answer::Continue(Box::from(&b"data"[..])));
    // Header, reason, length; method and data with their identifiers and lengths.
    assert_eq!(bench.broker.counters().bytes_sent, 2 + 1 + 1 + (3 + 1) + (3 + 4));
    assert!(matches!(bench.got(client)[..], [Got::Auth(ReasonCode::CONTINUE_AUTHENTICATION, _)]));

    let mut bench = Bench::new();
    let client = bench.connect(&connect(V5, "c"));
    bench.subscribe(client, "a", ExactlyOnce);
    bench.publish(client, &publish("a", b"", ExactlyOnce, 1));
    let sent = bench.messages(client)[0].packet_id.unwrap();
    for (packet_id, size, reason) in
        [(sent, 4, ReasonCode::SUCCESS), (99, 5, ReasonCode::PACKET_IDENTIFIER_NOT_FOUND)]
    {
        let before = bench.broker.counters().bytes_sent;
        bench.pubrec(client, packet_id);
        assert_eq!(bench.got(client), [Got::PubRel(packet_id, reason)]);
        assert_eq!(bench.broker.counters().bytes_sent - before, size);
    }
}

#[test]
fn a_connack_that_is_too_large_is_not_sent() {
    let mut bench = terse();
    let (_, got) = bench.try_connect(&small(&limit(4), "c"));
    assert_eq!(got, [Got::Closed(CloseReason::ClientLimit)]);
    bench.connect(&small(&limit(5), "c"));
}

#[test]
fn the_reason_string_of_disconnect_gives_way() {
    // [MQTT-3.14.2-4]: user properties are never sent.
    // [MQTT-3.14.2-3]
    for (size, length) in [(1000, true), (5, false)] {
        let mut bench = terse();
        let client = bench.connect(&small(&limit(size), "c"));
        bench.send(client, &Packet::Connect(connect(V5, "c")));
        let got = bench.got(client);
        assert_eq!(got[0], Got::Disconnect(ReasonCode::PROTOCOL_ERROR));
        assert!(matches!(
            got[1],
            Got::Closed(
                CloseReason::Violation(Violation::SecondConnect)
                    | CloseReason::Malformed(Malformed::SecondConnect)
            )
        ));
        assert_eq!(bench.broker.counters().bytes_sent > 10, length);
    }
}

#[test]
fn a_packet_above_the_brokers_limit_is_refused_by_its_header() {
    for (version, told) in [(V5, true), (V3_1_1, false)] {
        let mut bench = Bench::with(|config| config.max_packet_size = 1000);
        let client = bench.connect(&connect(version, "c"));
        let mut bytes = Vec::new();
        Packet::Publish(publish("a", &[0; 2000], AtMostOnce, 0)).encode(version, &mut bytes).unwrap();
        bench.send_bytes(client, &bytes[..3]);
        let got = bench.got(client);
        assert_eq!(got.contains(&Got::Disconnect(ReasonCode::PACKET_TOO_LARGE)), told);
        assert_eq!(got.last(), Some(&Got::Closed(CloseReason::Malformed(Malformed::PacketTooLarge))));
    }
}

#[test]
fn a_packet_of_exactly_the_brokers_limit_is_taken() {
    let mut bench = Bench::with(|config| config.max_packet_size = 100);
    let client = bench.connect(&connect(V3_1_1, "c"));
    bench.subscribe(client, "a", AtMostOnce);
    bench.publish(client, &publish("a", &[b'x'; 95], AtMostOnce, 0));
    assert_eq!(bench.messages(client)[0].payload.len(), 95);
    bench.publish(client, &publish("a", &[b'x'; 96], AtMostOnce, 0));
    assert!(matches!(bench.got(client)[..], [Got::Closed(_)]));
}
