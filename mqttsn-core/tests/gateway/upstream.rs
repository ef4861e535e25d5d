//! The connections to the server of a transparent gateway (MQTT-SN 1.2 §4.1): acknowledged late, lost, resumed, taken over.

use mqttsn_codec::{Connect, Delivery, Packet, ReturnCode, SubscribeTopic, Topic};
use mqttsn_core::gateway::{Event, Input, QueueConfig, State};

use crate::support::{
    AtLeastOnce, AtMostOnce, Bench, CONGESTED, CONNACK, DISCONNECT, ExactlyOnce, PING, Sent, connect, puback,
    publish, qos1, qos2, seconds,
};

#[test]
fn a_message_is_acknowledged_to_the_server_when_the_client_has_it() {
    let mut bench = Bench::new();
    bench.connect(1, "c");
    bench.subscribe(1, "t", ExactlyOnce);
    for (qos, acknowledgement) in [(1, mqtt_codec::PacketType::PubAck), (2, mqtt_codec::PacketType::PubRec)] {
        bench.sent.clear();
        bench.publish_at_broker("t", "m", qos);
        bench.advance(seconds(5));
        assert_eq!(bench.sent, [], "the client has not answered");
        bench.take(1);
        bench.advance(seconds(5));
        bench.behave(1);
        assert!(bench.sent.contains(&Sent::Other(acknowledgement)), "{:?}", bench.sent);
    }
}

#[test]
fn the_server_keeps_what_a_sleepers_queue_has_no_room_for() {
    let queue = QueueConfig { messages: 10, ..QueueConfig::default() };
    let mut bench = Bench::with(|config| config.queue = queue);
    bench.connect(1, "c");
    bench.subscribe(1, "t", AtLeastOnce);
    bench.sleep(1, 1000);
    for number in 0..50 {
        bench.publish_at_broker("t", &number.to_string(), 1);
    }
    bench.wake(1, "c");
    let mut payloads = bench.payloads(1);
    bench.wake(1, "c");
    payloads.extend(bench.payloads(1));
    let all: Vec<_> = (0..50).map(|number| number.to_string()).collect();
    assert_eq!(payloads, all, "none is lost, none comes twice, in order");
    assert_eq!(bench.gateway.counters().dropped(), 0);
}

#[test]
fn a_client_is_acknowledged_when_the_server_has_the_message() {
    let mut bench = Bench::new();
    bench.connect(1, "c");
    let topic = Topic::Id(bench.register(1, "up"));
    bench.mute = true;
    bench.ask(1, &publish(topic, "1", qos1(1)), &[]);
    bench.ask(
        1,
        &publish(topic, "1", Delivery::AtLeastOnce { message_id: crate::support::id(1), dup: true }),
        &[],
    );
    bench.ask(1, &publish(topic, "2", qos2(2)), &[]);
    bench.mute = false;
    bench.break_connections();
    bench.advance(seconds(5));
    let mut got = bench.take(1);
    got.sort();
    let got: Vec<_> = got.iter().map(|datagram| Packet::decode(datagram).unwrap()).collect();
    assert_eq!(got, [Packet::PubRec(crate::support::id(2)), puback(1, 1, 0)]);
    let payloads: Vec<_> = bench.seen().into_iter().map(|(_, payload, ..)| payload).collect();
    assert_eq!(payloads, ["1", "2"]);
}

#[test]
fn a_lost_link_is_made_again_and_nothing_is_lost() {
    let mut bench = Bench::new();
    bench.connect(1, "c");
    let up = Topic::Id(bench.register(1, "up"));
    bench.subscribe(1, "down", AtLeastOnce);
    bench.publish_at_broker("down", "0", 1);
    bench.cut();
    bench.ask(1, &PING, &[Packet::PingResp]);
    bench.publish_at_broker("down", "1", 1);
    bench.ask(1, &publish(up, "up", qos1(1)), &[]);
    let suback = bench.subscribe_to(1, SubscribeTopic::Name("x"), AtMostOnce);
    assert_eq!(suback.return_code, ReturnCode::CONGESTION);
    bench.down = false;
    bench.advance(seconds(9));
    bench.take(1);
    bench.advance(seconds(10));
    let payloads = bench.payloads(1);
    assert!(payloads.contains(&"0".into()) && payloads.contains(&"1".into()), "{payloads:?}");
    assert!(bench.seen().iter().any(|(_, payload, ..)| payload == "up"));
    bench.assert_state("c", State::Active);
}

#[test]
fn what_the_server_sends_again_on_a_new_link_does_not_wait_twice() {
    let mut bench = Bench::new();
    bench.connect(1, "c");
    bench.subscribe(1, "t", AtLeastOnce);
    bench.sleep(1, 1000);
    for number in 0..20 {
        bench.publish_at_broker("t", &number.to_string(), 1 + number % 2);
    }
    for _ in 0..3 {
        bench.break_connections();
        bench.advance(seconds(5));
    }
    bench.wake(1, "c");
    let mut payloads: Vec<_> =
        bench.payloads(1).iter().map(|payload| payload.parse::<u8>().unwrap()).collect();
    payloads.sort_unstable();
    assert_eq!(payloads, (0..20).collect::<Vec<_>>());
    assert_eq!(bench.gateway.counters().dropped(), 0);
}

#[test]
fn a_session_that_is_kept_is_the_servers() {
    let mut bench = Bench::new();
    bench.connect_persistent(1, "c");
    bench.subscribe(1, "t", ExactlyOnce);
    bench.ask(1, &DISCONNECT, &[DISCONNECT]);
    assert_eq!(bench.connections(), 1, "the client's is closed");
    bench.publish_at_broker("t", "m", 2);
    bench.sent.clear();
    bench.send(1, &Packet::Connect(Connect { clean_session: false, ..connect("c") }));
    let resumed = Sent::Connect { client_id: "c".into(), clean: false, will: None };
    assert_eq!(bench.upstream(), [resumed]);
    let got = bench.take(1);
    assert_eq!(Packet::decode(&got[0]), Ok(CONNACK));
    bench.advance(seconds(10));
    assert_eq!(bench.payloads(1), ["m"]);
}

#[test]
fn a_clean_connect_begins_a_clean_session_at_the_server() {
    let mut bench = Bench::new();
    bench.connect_persistent(1, "c");
    bench.subscribe(1, "t", AtLeastOnce);
    bench.ask(1, &DISCONNECT, &[DISCONNECT]);
    bench.publish_at_broker("t", "m", 1);
    bench.advance(seconds(10));
    bench.upstream();
    bench.connect(1, "c");
    let clean = Sent::Connect { client_id: "c".into(), clean: true, will: None };
    assert_eq!(bench.upstream(), [clean]);
    bench.advance(seconds(10));
    bench.expect(1, &[]);
    // And while it is active.
    bench.subscribe(1, "t", AtLeastOnce);
    bench.advance(seconds(10));
    bench.connect(1, "c");
    assert_eq!(bench.connections(), 2);
    bench.publish_at_broker("t", "m", 1);
    bench.expect(1, &[]);
}

#[test]
fn a_client_whose_session_another_one_takes_over_is_told_to_connect_again() {
    let mut bench = Bench::new();
    bench.connect(1, "c");
    bench.connect_at_broker(b'c');
    bench.expect(1, &[DISCONNECT]);
    bench.assert_state("c", State::Disconnected);
    bench.advance(seconds(50));
    assert_eq!(bench.connections(), 1, "and does not fight for it");
    assert!(bench.events.iter().any(|event| matches!(event, Event::Disconnected { .. })));
}

#[test]
fn a_client_that_connects_while_the_server_is_away_is_refused_at_once() {
    let mut bench = Bench::new();
    bench.cut();
    bench.ask(1, &Packet::Connect(Connect { clean_session: false, ..connect("c") }), &[CONGESTED]);
    bench.assert_state("c", State::Disconnected);
    bench.restore();
    bench.ask(1, &Packet::Connect(Connect { clean_session: false, ..connect("c") }), &[CONNACK]);
}

#[test]
fn a_server_without_mqtt_5_is_spoken_to_in_3_1_1() {
    let mut bench = Bench::with(|config| config.qos_minus_one = mqttsn_core::gateway::MinusOnePolicy::Off);
    bench.mute = true;
    bench.send(1, &Packet::Connect(connect("c")));
    bench.mute = false;
    bench.refuse_as_old_server();
    bench.expect(1, &[CONNACK]);
    bench.subscribe(1, "t", AtLeastOnce);
    bench.publish_at_broker("t", "m", 1);
    assert_eq!(bench.payloads(1), ["m"]);
    bench.connect(2, "d");
    assert_eq!(bench.gateway.counters().connects_accepted, 2);
}

#[test]
fn identifiers_at_the_server_can_have_a_prefix() {
    let mut bench = Bench::with(|config| config.upstream.client_id_prefix = "sn/".into());
    bench.connect(1, "c");
    let connected = Sent::Connect { client_id: "sn/c".into(), clean: true, will: None };
    assert_eq!(bench.upstream(), [connected]);
}

#[test]
fn a_disconnected_client_leaves_nothing_behind() {
    let mut bench = Bench::new();
    for round in 0..50 {
        bench.connect(1, &format!("c{round}"));
        bench.subscribe(1, "t", AtLeastOnce);
        bench.ask(1, &DISCONNECT, &[DISCONNECT]);
    }
    bench.advance(seconds(61));
    let gauges = bench.gateway.gauges();
    assert_eq!((gauges.clients, gauges.upstreams, gauges.buffered), (0, 1, 0));
}

#[test]
fn the_end_of_a_connection_that_the_gateway_gives_up_is_no_news() {
    let mut bench = Bench::new();
    bench.connect_with_will(1, "c", "w", b"gone");
    bench.advance(seconds(91));
    bench.assert_state("c", State::Lost);
    let news = |event: &Event<_>| matches!(event, Event::UpstreamDisconnected { .. });
    assert!(!bench.events.iter().any(news), "{:?}", bench.events);
    bench.break_connections();
    assert!(bench.events.iter().any(news));
}

#[test]
fn new_ids_are_no_negative_numbers_for_clients_that_read_them_so() {
    let mut bench = Bench::with(|config| config.random_ids = true);
    for peer in 1..=50 {
        bench.connect(peer, &format!("c{peer}"));
        assert!(bench.register(peer, "t").get() < 0x8000);
        bench.subscribe(peer, "u", AtLeastOnce);
        bench.publish_at_broker("u", "m", 1);
        let got = bench.take(peer);
        let Ok(Packet::Publish(publish)) = Packet::decode(&got[0]) else { panic!("{got:?}") };
        let Delivery::AtLeastOnce { message_id, .. } = publish.delivery else { panic!("{publish:?}") };
        assert!(message_id.get() < 0x8000);
    }
}

/// A new session waits until the connection of the last one is closed. A client that has gone meanwhile does not come back to an
/// address where another one is by then.
#[test]
fn who_has_gone_while_the_last_connection_was_being_closed_is_not_connected() {
    let mut bench = Bench::new();
    bench.connect(1, "c");
    bench.events.clear();
    for connect in [Connect { duration: 61, ..connect("c") }, connect("d")] {
        let mut bytes = Vec::new();
        Packet::Connect(connect).encode(&mut bytes).unwrap();
        // The host does nothing in between.
        let datagram = Input::Datagram { from: 1, bytes: &bytes, broadcast: false };
        bench.gateway.handle(datagram, bench.now);
    }
    bench.settle();
    bench.expect(1, &[CONNACK]);
    bench.assert_state("c", State::Disconnected);
    bench.assert_state("d", State::Active);
    assert!(
        !bench
            .events
            .iter()
            .any(|event| matches!(event, Event::Connected { client_id, .. } if **client_id == *"c"))
    );
}
