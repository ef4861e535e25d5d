//! CONNECT in all its forms (MQTT-SN 1.2 §5.4.4, §6.2, §6.3).

use mqttsn_codec::{Connect, Packet, PingReq, ReturnCode, WillTopic};
use mqttsn_core::gateway::State;

use crate::support::{
    AtLeastOnce, AtMostOnce, Bench, CONGESTED, CONNACK, DISCONNECT, NOT_SUPPORTED, PING, Sent, aggregating,
    both, both_with, connect, hex, publish, qos1, seconds,
};

#[test]
fn a_client_connects() {
    both(|mut bench| {
        bench.connect(1, "c");
        bench.assert_state("c", State::Active);
        assert_eq!(bench.gateway.counters().connects_accepted, 1);
        bench.ask(1, &PING, &[Packet::PingResp]);
        bench.ask(1, &DISCONNECT, &[DISCONNECT]);
        bench.assert_state("c", State::Disconnected);
    });
}

#[test]
fn a_transparent_client_has_a_session_of_its_own_at_the_server() {
    let mut bench = Bench::new();
    bench.connect(1, "c");
    let connected = Sent::Connect { client_id: "c".into(), clean: true, will: None };
    assert_eq!(bench.upstream(), [connected]);
    assert_eq!(bench.connections(), 2, "and the gateway's own");
    bench.ask(1, &DISCONNECT, &[DISCONNECT]);
    assert_eq!(bench.connections(), 1);
}

#[test]
fn an_aggregated_client_has_none() {
    let mut bench = Bench::with(aggregating);
    for peer in 1..50 {
        bench.connect(peer, &format!("c{peer}"));
    }
    assert_eq!(bench.upstream(), []);
    assert_eq!(bench.connections(), 1);
}

#[test]
fn connack_waits_for_the_server() {
    let mut bench = Bench::new();
    bench.mute = true;
    bench.send(1, &Packet::Connect(connect("c")));
    bench.expect(1, &[]);
    bench.assert_state("c", State::Connecting);
    bench.ask(1, &PING, &[]);
    bench.advance(seconds(11));
    bench.expect(1, &[CONGESTED]);
    bench.assert_state("c", State::Disconnected);
}

#[test]
fn without_a_server_there_is_congestion() {
    both(|mut bench| {
        bench.cut();
        bench.ask(1, &Packet::Connect(connect("c")), &[CONGESTED]);
        bench.restore();
        bench.ask(1, &Packet::Connect(connect("c")), &[CONNACK]);
    });
}

#[test]
fn a_full_gateway_says_congestion() {
    both_with(
        |config| config.max_clients = 2,
        |mut bench| {
            bench.connect(1, "a");
            bench.connect(2, "b");
            bench.ask(3, &Packet::Connect(connect("c")), &[CONGESTED]);
            bench.ask(1, &DISCONNECT, &[DISCONNECT]);
            bench.advance(seconds(60));
            bench.connect(3, "c");
        },
    );
}

#[test]
fn a_client_id_of_more_than_23_characters_is_accepted_up_to_a_limit() {
    both_with(
        |config| config.max_client_id = 60,
        |mut bench| {
            bench.connect(1, &"x".repeat(24));
            bench.connect(2, &"x".repeat(60));
            bench.ask(3, &Packet::Connect(connect(&"x".repeat(61))), &[NOT_SUPPORTED]);
        },
    );
}

#[test]
fn an_empty_client_id_is_refused_unless_the_policy_allows_it() {
    both(|mut bench| bench.ask(1, &Packet::Connect(connect("")), &[NOT_SUPPORTED]));
    both_with(
        |config| config.assign_client_ids = true,
        |mut bench| {
            bench.connect(1, "");
            bench.connect(2, "");
            assert_eq!(bench.gateway.gauges().clients, 2);
        },
    );
}

#[test]
fn another_protocol_id_is_refused() {
    both(|mut bench| {
        bench.send_raw(1, &hex("0a 04 04 02 003c 64657631"));
        bench.expect(1, &[NOT_SUPPORTED]);
    });
}

#[test]
fn a_keep_alive_of_zero_is_not_supervised_below_the_idle_ceiling() {
    both_with(
        |config| config.idle_ceiling = seconds(10_000),
        |mut bench| {
            bench.ask(1, &Packet::Connect(Connect { duration: 0, ..connect("c") }), &[CONNACK]);
            bench.advance(seconds(9_999));
            bench.assert_state("c", State::Active);
            bench.advance(seconds(1));
            bench.assert_state("c", State::Lost);
        },
    );
}

#[test]
fn the_long_form_of_length_is_understood_on_a_short_message() {
    both(|mut bench| {
        bench.send_raw(1, &hex("01 000c 04 04 01 003c 64657631"));
        bench.expect(1, &[CONNACK]);
        bench.assert_state("dev1", State::Active);
    });
}

#[test]
fn a_second_connect_while_active_is_answered_and_changes_nothing() {
    both(|mut bench| {
        bench.connect(1, "c");
        bench.upstream();
        for _ in 0..3 {
            bench.ask(1, &Packet::Connect(connect("c")), &[CONNACK]);
        }
        bench.advance(seconds(10));
        bench.ask(1, &Packet::Connect(connect("c")), &[CONNACK]);
        assert_eq!(bench.upstream(), []);
        assert_eq!(bench.gateway.counters().connects_repeated, 4);

        // A copy that the network delivers late takes nothing away.
        let topic = bench.register(1, "a");
        bench.subscribe(1, "x", AtLeastOnce);
        bench.ask(1, &Packet::Connect(connect("c")), &[CONNACK]);
        bench.ask(
            1,
            &publish(mqttsn_codec::Topic::Id(topic), "m", qos1(1)),
            &[crate::support::puback(topic.get(), 1, 0)],
        );
        bench.publish_at_broker("x", "1", 0);
        assert_eq!(bench.payloads(1), ["1"]);
    });
}

#[test]
fn a_client_that_restarts_begins_anew() {
    both(|mut bench| {
        bench.connect(1, "c");
        bench.subscribe(1, "x", AtLeastOnce);
        bench.advance(seconds(20));
        bench.ask(1, &Packet::Connect(connect("c")), &[CONNACK]);
        bench.advance(seconds(1));
        bench.publish_at_broker("x", "1", 1);
        assert_eq!(bench.payloads(1), [""; 0], "the subscription is gone with the session");
    });
}

#[test]
fn the_will_is_asked_for_and_a_connect_that_comes_again_is_answered_at_each_step() {
    both(|mut bench| {
        let connect = Connect { will: true, ..connect("c") };
        let topic = Packet::WillTopic(Some(WillTopic { qos: AtMostOnce, retain: false, topic: "w" }));
        bench.ask(1, &Packet::Connect(connect), &[Packet::WillTopicReq]);
        bench.ask(1, &Packet::Connect(connect), &[Packet::WillTopicReq]);
        bench.ask(1, &Packet::WillMsg(b"m"), &[]);
        bench.ask(1, &topic, &[Packet::WillMsgReq]);
        bench.ask(1, &topic, &[Packet::WillMsgReq]);
        bench.ask(1, &Packet::Connect(connect), &[Packet::WillTopicReq]);
        bench.ask(1, &Packet::WillMsg(b"m"), &[CONNACK]);
        bench.ask(1, &Packet::WillMsg(b"m"), &[CONNACK]);
        assert_eq!(bench.gateway.counters().connects_accepted, 1);
    });
}

#[test]
fn an_empty_will_topic_deletes_the_will_and_harms_nobody() {
    both(|mut bench| {
        bench.connect(2, "other");
        bench.ask(1, &Packet::Connect(Connect { will: true, ..connect("c") }), &[Packet::WillTopicReq]);
        bench.send_raw(1, &hex("02 07"));
        bench.expect(1, &[CONNACK]);
        bench.advance(seconds(91));
        bench.assert_state("c", State::Lost);
        assert_eq!(bench.seen(), []);
    });
}

#[test]
fn a_will_topic_that_is_no_topic_name_is_refused() {
    both(|mut bench| {
        for topic in ["a/+", "#", "$SYS/x"] {
            bench.ask(1, &Packet::Connect(Connect { will: true, ..connect("c") }), &[Packet::WillTopicReq]);
            let will = WillTopic { qos: AtMostOnce, retain: false, topic };
            bench.ask(1, &Packet::WillTopic(Some(will)), &[NOT_SUPPORTED]);
        }
        assert_eq!(bench.gateway.state("c"), None);
    });
}

#[test]
fn half_open_handshakes_are_bounded_and_end_by_themselves() {
    both_with(
        |config| config.max_handshakes = 2,
        |mut bench| {
            let with_will = |client_id| Packet::Connect(Connect { will: true, ..connect(client_id) });
            bench.ask(1, &with_will("a"), &[Packet::WillTopicReq]);
            bench.ask(2, &with_will("b"), &[Packet::WillTopicReq]);
            bench.ask(3, &with_will("c"), &[CONGESTED]);
            bench.advance(seconds(60));
            bench.ask(3, &with_will("c"), &[Packet::WillTopicReq]);
            bench.ask(1, &Packet::WillMsg(b"late"), &[DISCONNECT]);
        },
    );
}

#[test]
fn a_handshake_does_not_touch_the_session_before_it_is_complete() {
    both(|mut bench| {
        bench.connect(1, "c");
        bench.ask(2, &Packet::Connect(Connect { will: true, ..connect("c") }), &[Packet::WillTopicReq]);
        bench.ask(1, &PING, &[Packet::PingResp]);
        assert_eq!(bench.address("c").unwrap().peer, 1);
    });
}

#[test]
fn a_connect_from_another_address_moves_the_client() {
    both(|mut bench| {
        bench.connect_persistent(1, "c");
        bench.subscribe(1, "x", AtMostOnce);
        bench.connect_persistent(2, "c");
        assert_eq!(bench.address("c").unwrap().peer, 2);
        bench.take(1);
        bench.publish_at_broker("x", "1", 0);
        assert_eq!(bench.payloads(2), ["1"]);
        bench.expect(1, &[]);
        bench.ask(1, &PING, &[DISCONNECT]);
        assert_eq!(bench.gateway.counters().clients_moved, 1);
    });
}

#[test]
fn a_pingreq_from_another_address_moves_the_client_only_by_policy() {
    both(|mut bench| {
        bench.connect(1, "c");
        bench.sleep(1, 100);
        bench.ask(2, &Packet::PingReq(PingReq { client_id: Some("c") }), &[DISCONNECT]);
        assert_eq!(bench.address("c").unwrap().peer, 1);
        bench.assert_state("c", State::Asleep);
    });
    both_with(
        |config| config.rebind_on_ping = true,
        |mut bench| {
            bench.connect(1, "c");
            bench.sleep(1, 100);
            bench.ask(2, &Packet::PingReq(PingReq { client_id: Some("c") }), &[Packet::PingResp]);
            assert_eq!(bench.address("c").unwrap().peer, 2);
            bench.ask(2, &Packet::PingReq(PingReq { client_id: Some("nobody") }), &[DISCONNECT]);
        },
    );
}

#[test]
fn another_client_at_the_same_address_takes_its_place() {
    both(|mut bench| {
        bench.connect_with_will(1, "old", "gone", b"old");
        bench.connect(1, "new");
        bench.assert_state("old", State::Lost);
        assert_eq!(bench.seen(), [("gone".into(), "old".into(), 1, false)]);
        bench.ask(1, &PING, &[Packet::PingResp]);
    });
}

#[test]
fn a_refusal_of_the_server_is_told() {
    let mut bench = Bench::new();
    let config = mqtt_core::Config { max_client_id_size: 5, ..bench.broker.config().clone() };
    bench.broker.reconfigure(config, bench.now);
    bench.ask(1, &Packet::Connect(connect("too-long")), &[NOT_SUPPORTED]);
    bench.assert_state("too-long", State::Disconnected);
    assert_eq!(bench.connections(), 1);
    assert_eq!(bench.gateway.counters().connects_refused, 1);
    assert!(ReturnCode::NOT_SUPPORTED.get() == 3);
}

#[test]
fn a_copy_of_connect_does_not_wake_a_sleeper() {
    both(|mut bench| {
        bench.connect(1, "c");
        bench.sleep(1, 1000);
        bench.ask(1, &Packet::Connect(connect("c")), &[CONNACK]);
        bench.assert_state("c", State::Asleep);
        bench.advance(seconds(5));
        bench.ask(1, &Packet::Connect(connect("c")), &[CONNACK]);
        bench.assert_state("c", State::Active);
    });
}

#[test]
fn a_client_without_an_identifier_keeps_the_one_it_was_given() {
    both_with(
        |config| config.assign_client_ids = true,
        |mut bench| {
            for _ in 0..3 {
                bench.connect(1, "");
                bench.advance(seconds(20));
            }
            assert_eq!(bench.gateway.gauges().clients, 1);
        },
    );
}

#[test]
fn a_client_cannot_take_the_gateways_own_session() {
    let mut bench = Bench::with(|config| config.upstream.client_id = "gateway".into());
    bench.ask(1, &Packet::Connect(connect("gateway")), &[NOT_SUPPORTED]);
    assert!(bench.gateway.is_upstream_connected());
}

#[test]
fn topic_ids_of_different_sessions_begin_at_different_numbers() {
    both_with(
        |config| config.random_ids = true,
        |mut bench| {
            let ids: Vec<_> = (1..=5)
                .map(|peer| {
                    bench.connect(peer, &format!("c{peer}"));
                    bench.register(peer, "a")
                })
                .collect();
            let mut distinct = ids.clone();
            distinct.sort_unstable();
            distinct.dedup();
            assert_eq!(distinct.len(), ids.len(), "{ids:?}");
            let packet = publish(mqttsn_codec::Topic::Id(ids[1]), "m", qos1(1));
            bench.ask(2, &packet, &[crate::support::puback(ids[1].get(), 1, 0)]);
        },
    );
}

#[test]
fn a_gateway_that_shuts_down_says_so() {
    both(|mut bench| {
        bench.connect_with_will(1, "a", "gone", b"a");
        bench.connect_persistent(2, "b");
        bench.sleep(2, 100);
        let now = bench.now;
        bench.gateway.shutdown(now);
        bench.settle();
        bench.expect(1, &[DISCONNECT]);
        bench.expect(2, &[]);
        assert_eq!(bench.connections(), 0);
        assert_eq!(bench.seen(), []);
    });
}
