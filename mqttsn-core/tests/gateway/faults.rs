//! What killed or broke other gateways: nothing happens here, and nobody else is touched.

use mqttsn_codec::{
    Connect, Delivery, Packet, Register, ReturnCode, SubAck, Subscribe, SubscribeTopic, Topic,
};
use mqttsn_core::gateway::{Action, Config, DropPolicy, Input, QueueConfig, State};

use crate::support::{
    AtLeastOnce, AtMostOnce, Bench, CONNACK, PING, Sent, aggregating, both, both_with, connect, hex, id,
    puback, publish, qos1, regack, seconds,
};

/// A client that has nothing to do with it, and that must not notice.
fn bystander(bench: &mut Bench) {
    bench.connect(9, "bystander");
    bench.subscribe(9, "news", AtLeastOnce);
}

fn is_well(bench: &mut Bench) {
    bench.ask(9, &PING, &[Packet::PingResp]);
    bench.publish_at_broker("news", "still here", 1);
    assert_eq!(bench.payloads(9), ["still here"]);
}

#[test]
fn a_truncated_publish() {
    both(|mut bench| {
        bystander(&mut bench);
        bench.connect(1, "c");
        for datagram in ["04 0c 20 00", "02 0c", "06 0c 20 0001 00", "03 0c 62", "01 0005 0c 20"] {
            bench.send_raw(1, &hex(datagram));
            bench.expect(1, &[]);
        }
        assert_eq!(bench.gateway.counters().malformed, 5);
        bench.ask(1, &PING, &[Packet::PingResp]);
        is_well(&mut bench);
    });
}

#[test]
fn an_empty_will_topic() {
    both(|mut bench| {
        bystander(&mut bench);
        bench.ask(1, &Packet::Connect(Connect { will: true, ..connect("c") }), &[Packet::WillTopicReq]);
        bench.send_raw(1, &hex("02 07"));
        bench.expect(1, &[CONNACK]);
        // And where nobody has asked for it.
        bench.send_raw(1, &hex("02 07"));
        bench.send_raw(2, &hex("02 07"));
        is_well(&mut bench);
    });
}

#[test]
fn a_message_of_2000_bytes_from_the_broker() {
    both(|mut bench| {
        bystander(&mut bench);
        bench.connect(1, "c");
        bench.subscribe(1, "big", AtLeastOnce);
        bench.publish_at_broker("big", &"x".repeat(2000), 1);
        bench.publish_at_broker("big", "small", 1);
        assert_eq!(bench.payloads(1), ["small"], "what is too long is dropped in silence (§6.10)");
        assert_eq!(bench.gateway.counters().dropped_too_large, 1);
        is_well(&mut bench);
    });
}

/// A server of MQTT 3.1.1 cannot be told what is too large, and sends a retained message on each connection.
#[test]
fn a_retained_message_larger_than_anything_does_not_break_the_link() {
    let old = |config: &mut Config| {
        config.upstream.version = mqtt_codec::ProtocolVersion::V3_1_1;
        config.upstream.max_packet_size = 100;
    };
    both_with(old, |mut bench| {
        bystander(&mut bench);
        bench.publish_with("big", &"x".repeat(200_000), 1, true);
        bench.connect(1, "c");
        bench.events.clear();
        bench.subscribe(1, "#", AtLeastOnce);
        bench.advance(seconds(3));
        bench.publish_with("big", &"y".repeat(200_000), 2, true);
        bench.publish_at_broker("small", "small", 1);
        assert_eq!(bench.payloads(1), ["small"]);
        assert_eq!(bench.gateway.counters().dropped_too_large, 2);
        assert_eq!(bench.events, [], "no connection has ended");
        is_well(&mut bench);
    });
}

#[test]
fn what_is_too_large_drives_nothing_out_of_a_sleepers_queue() {
    let queue = QueueConfig { bytes: 3000, policy: DropPolicy::Oldest, ..QueueConfig::default() };
    both_with(
        |config| config.queue = queue,
        |mut bench| {
            bench.connect(1, "c");
            bench.subscribe(1, "t", AtLeastOnce);
            bench.sleep(1, 60);
            for payload in ["1", "2", &"x".repeat(2940)] {
                bench.publish_at_broker("t", payload, 1);
            }
            bench.wake(1, "c");
            assert_eq!(bench.payloads(1), ["1", "2"]);
            assert_eq!(bench.gateway.counters().dropped_too_large, 1);
        },
    );
}

#[test]
fn a_topic_name_too_long_to_register() {
    both(|mut bench| {
        bench.connect(1, "c");
        bench.subscribe(1, "#", AtLeastOnce);
        bench.publish_at_broker(&"t".repeat(1500), "m", 1);
        bench.publish_at_broker("short enough", "n", 1);
        assert_eq!(bench.payloads(1), ["n"]);
        assert_eq!(bench.gateway.counters().dropped_too_large, 1);
    });
}

#[test]
fn the_topic_of_a_publish_is_not_overwritten() {
    both(|mut bench| {
        bench.connect(1, "c");
        let topic = bench.register(1, "some/topic");
        for number in 1..=5 {
            let packet = publish(Topic::Id(topic), "m", qos1(number));
            bench.ask(1, &packet, &[puback(topic.get(), number, 0)]);
        }
        assert!(bench.seen().iter().all(|(topic, ..)| topic == "some/topic"));
    });
}

#[test]
fn an_invalid_filter_never_reaches_the_server() {
    both(|mut bench| {
        bystander(&mut bench);
        bench.connect(1, "c");
        bench.upstream();
        for filter in
            ["a/#/b", "", "a#", "+a", "a/b+/c", &"x".repeat(1025), &"a/".repeat(200), &"+/".repeat(20)]
        {
            let suback = bench.subscribe_to(1, SubscribeTopic::Name(filter), AtMostOnce);
            assert_eq!(suback.return_code, ReturnCode::NOT_SUPPORTED, "{filter}");
        }
        assert_eq!(bench.upstream(), []);
        is_well(&mut bench);
    });
}

#[test]
fn three_clients_on_one_filter_make_one_subscription_at_the_highest_qos() {
    let mut bench = Bench::with(aggregating);
    let qos = [AtMostOnce, AtLeastOnce, AtMostOnce];
    for (peer, qos) in (1..).zip(qos) {
        bench.connect(peer, &format!("c{peer}"));
        let topic = SubscribeTopic::Name("dd/#");
        bench.send(peer, &Packet::Subscribe(Subscribe { dup: false, qos, message_id: id(1), topic }));
    }
    bench.advance(seconds(5));
    assert_eq!(bench.subscribes(), [("dd/#".into(), 1)]);
    for (peer, qos) in (1..).zip(qos) {
        let got = bench.take(peer);
        match Packet::decode(&got[0]).unwrap() {
            Packet::SubAck(suback) => assert_eq!((suback.qos, suback.return_code.get()), (qos, 0)),
            other => panic!("{other:?}"),
        }
    }
    bench.publish_at_broker("dd/1", "m", 2);
    for (peer, qos) in (1..).zip(qos) {
        assert_eq!(bench.behave(peer).0, [("dd/1".into(), "m".into(), qos as u8)], "each its own QoS");
    }
    bench.unsubscribe(1, "dd/#");
    bench.ask(3, &crate::support::DISCONNECT, &[crate::support::DISCONNECT]);
    bench.advance(seconds(70));
    assert_eq!(bench.upstream(), [], "one leaving harms nobody");
    bench.publish_at_broker("dd/1", "n", 1);
    assert_eq!(bench.payloads(1), [""; 0]);
    assert_eq!(bench.payloads(2), ["n"]);
    bench.unsubscribe(2, "dd/#");
    assert_eq!(bench.upstream(), [Sent::Unsubscribe("dd/#".into())]);
}

#[test]
fn a_message_of_256_octets_has_a_length_that_says_so() {
    both(|mut bench| {
        bench.connect(1, "c");
        bench.subscribe(1, "t", AtMostOnce);
        for len in 245..=255 {
            bench.publish_at_broker("t", &"x".repeat(len), 0);
            let got = bench.take(1);
            let Ok(Packet::Publish(publish)) = Packet::decode(&got[0]) else { panic!("{got:?}") };
            assert_eq!(publish.data.len(), len);
        }
    });
}

#[test]
fn every_prefix_of_a_message_and_every_octet_changed() {
    both(|mut bench| {
        bystander(&mut bench);
        bench.connect(1, "c");
        let topic = bench.register(1, "a");
        let subscribe =
            Subscribe { dup: false, qos: AtLeastOnce, message_id: id(5), topic: SubscribeTopic::Name("b") };
        let messages = [
            publish(Topic::Id(topic), "m", qos1(1)),
            Packet::Subscribe(subscribe),
            Packet::Register(mqttsn_codec::Register { topic_id: None, message_id: id(6), topic_name: "r" }),
            puback(1, 1, 0),
            Packet::Connect(connect("other")),
        ];
        for message in messages {
            let mut whole = Vec::new();
            message.encode(&mut whole).unwrap();
            for len in 0..whole.len() {
                bench.send_raw(2, &whole[..len]);
            }
            for at in 0..whole.len() {
                for flip in [0x01, 0x80, 0xff] {
                    let mut changed = whole.clone();
                    changed[at] ^= flip;
                    bench.send_raw(1, &changed);
                }
            }
        }
        bench.advance(seconds(1));
        is_well(&mut bench);
    });
}

#[test]
fn quirks_of_peers_are_tolerated() {
    both(|mut bench| {
        bench.connect(1, "c");
        bench.subscribe(1, "t", AtLeastOnce);
        bench.publish_at_broker("t", "1", 1);
        bench.publish_at_broker("t", "2", 1);
        let got = bench.take(1);
        let Ok(Packet::Publish(publish)) = Packet::decode(&got[0]) else { panic!("{got:?}") };
        let Delivery::AtLeastOnce { message_id, .. } = publish.delivery else { panic!("{publish:?}") };
        bench.send(1, &puback(0, message_id.get(), 0));
        assert_eq!(bench.payloads(1), ["2"], "PUBACK with topic id 0 is as good as any");
        // QoS 0 with a MsgId.
        let topic = bench.register(1, "up");
        bench.send_raw(1, &hex(&format!("08 0c 00 {:04x} 1234 6d", topic.get())));
        assert_eq!(bench.seen().last().unwrap().1, "m");
        bench.assert_state("c", State::Active);
    });
}

/// A copy of a QoS 2 message that the network held back, while the client has sent others.
#[test]
fn a_late_copy_of_a_qos_2_message_is_known_after_many_others() {
    both(|mut bench| {
        bench.connect(1, "a");
        let topic = Topic::Short(mqttsn_codec::ShortTopic(*b"ab"));
        let data: Vec<String> = (1..=16).map(|number| format!("{number}")).collect();
        for (number, data) in (1..).zip(&data) {
            bench.send(1, &publish(topic, data, crate::support::qos2(number)));
            bench.send(1, &Packet::PubRel(id(number)));
        }
        bench.seen();
        for (number, data) in (1..).zip(&data) {
            bench.send(1, &publish(topic, data, crate::support::qos2(number)));
        }
        assert_eq!(bench.seen(), []);
    });
}

/// Each has a `MsgId` that the other client may use as well: it would take them for its own.
#[test]
fn what_the_server_says_to_a_client_is_not_for_the_one_that_took_its_place() {
    both(|mut bench| {
        bench.connect_persistent(1, "c");
        let topic_id = bench.register(1, "t");
        bench.advance(seconds(10));
        let now = bench.now;
        let connect = Packet::Connect(connect("d"));
        let publish = publish(Topic::Id(topic_id), "m", qos1(4));
        let subscribe = Packet::Subscribe(Subscribe {
            dup: false,
            qos: AtLeastOnce,
            message_id: id(5),
            topic: SubscribeTopic::Name("t/#"),
        });
        for packet in [publish, subscribe, connect] {
            let mut bytes = Vec::new();
            packet.encode(&mut bytes).unwrap();
            bench.gateway.handle(Input::Datagram { from: 1, bytes: &bytes, broadcast: false }, now);
        }
        bench.settle();
        bench.advance(seconds(1));
        bench.assert_state("c", State::Lost);
        bench.expect(1, &[CONNACK]);
    });
}

/// The server's CONNACK is awaited when another client takes the place.
#[test]
fn a_client_that_is_displaced_while_it_connects_refuses_nobody() {
    let mut bench = Bench::new();
    let now = bench.now;
    for client_id in ["c", "d"] {
        let mut bytes = Vec::new();
        Packet::Connect(connect(client_id)).encode(&mut bytes).unwrap();
        bench.gateway.handle(Input::Datagram { from: 1, bytes: &bytes, broadcast: false }, now);
    }
    bench.settle();
    bench.expect(1, &[CONNACK]);
    bench.assert_state("d", State::Active);
}

/// The server does not answer PINGREQ, and the client is lost with a will, at once.
#[test]
fn a_connection_is_closed_once() {
    let mut bench = Bench::with(|config| config.upstream.keep_alive = 1);
    bench.connect_with_will(1, "c", "w", b"gone");
    bench.mute = true;
    bench.advance(seconds(1));
    let later = bench.now + seconds(1000);
    bench.gateway.handle(Input::Tick, later);
    let actions: Vec<_> = core::iter::from_fn(|| bench.gateway.poll_action()).collect();
    let closed: Vec<_> = actions.iter().filter(|action| matches!(action, Action::Close(_))).collect();
    let mut once = closed.clone();
    once.dedup();
    assert_eq!(closed.len(), 2, "the client's and the gateway's own: {actions:?}");
    assert_eq!(closed, once);
}

/// Its will is to go out, so there is no DISCONNECT; but the host may need more than one write.
#[test]
fn output_that_leaves_on_a_connection_that_is_given_up_does_not_come_again() {
    let mut bench = Bench::new();
    bench.connect_with_will(1, "c", "w", b"gone");
    let mut bytes = Vec::new();
    publish(Topic::Short(mqttsn_codec::ShortTopic(*b"ab")), "m", Delivery::AtMostOnce)
        .encode(&mut bytes)
        .unwrap();
    bench.gateway.handle(Input::Datagram { from: 1, bytes: &bytes, broadcast: false }, bench.now);
    bench.gateway.handle(Input::Tick, bench.now + seconds(1000));
    let actions: Vec<_> = core::iter::from_fn(|| bench.gateway.poll_action()).collect();
    let upstream = actions.iter().rev().find_map(|action| match action {
        Action::Close(upstream) => Some(*upstream),
        _ => None,
    });
    let upstream = upstream.expect("the client is lost");
    let output = |bench: &Bench| bench.gateway.output(upstream).flatten().copied().collect::<Vec<u8>>();
    let whole = output(&bench);
    bench.gateway.handle(Input::Sent { upstream, bytes: 2 }, bench.now + seconds(1000));
    assert_eq!(output(&bench), whole[2..]);
}

/// All topic ids are in use, be it that one is to be told with a SUBACK that has not come.
#[test]
fn the_topic_id_of_a_subscription_is_not_given_away_before_its_suback() {
    let change = |config: &mut mqttsn_core::gateway::Config| config.max_topics = 1;
    both_with(change, |mut bench| {
        bench.connect(1, "c");
        let topic = SubscribeTopic::Name("a/b");
        let subscribe =
            Packet::Subscribe(Subscribe { dup: false, qos: AtLeastOnce, message_id: id(5), topic });
        let register = Packet::Register(Register { topic_id: None, message_id: id(6), topic_name: "other" });
        for packet in [subscribe, register] {
            let mut bytes = Vec::new();
            packet.encode(&mut bytes).unwrap();
            bench.gateway.handle(Input::Datagram { from: 1, bytes: &bytes, broadcast: false }, bench.now);
        }
        bench.settle();
        bench.advance(seconds(1));
        let (message_id, return_code) = (id(5), ReturnCode::ACCEPTED);
        let suback = SubAck { qos: AtLeastOnce, topic_id: 1, message_id, return_code };
        bench.expect(1, &[regack(0, id(6), 1), Packet::SubAck(suback)]);
    });
}
