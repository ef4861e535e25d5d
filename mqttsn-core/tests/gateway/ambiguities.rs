//! What MQTT-SN 1.2 leaves open, row by row of the table in the knowledge base; CONNECT has a file of its own.

use mqttsn_codec::{
    Connect, Delivery, Disconnect, Packet, PingReq, Publish, RegAck, Register, ReturnCode, ShortTopic,
    SubAck, Subscribe, SubscribeTopic, Topic, Unsubscribe,
};
use mqttsn_core::gateway::{QueueConfig, State};

use crate::support::{
    AtLeastOnce, AtMostOnce, Bench, CONNACK, DISCONNECT, ExactlyOnce, PING, both, both_with, connect, hex,
    id, puback, publish, qos1, qos2, regack, seconds, topic,
};

#[test]
fn connect_while_asleep_only_wakes_and_flushes_what_has_waited() {
    for clean_session in [true, false] {
        both(|mut bench| {
            bench.connect(1, "c");
            bench.subscribe(1, "t", AtLeastOnce);
            bench.sleep(1, 100);
            bench.publish_at_broker("t", "waiting", 1);
            bench.expect(1, &[]);
            bench.advance(seconds(10));
            bench.send(1, &Packet::Connect(Connect { clean_session, ..connect("c") }));
            let got = bench.take(1);
            assert_eq!(Packet::decode(&got[0]), Ok(CONNACK));
            // With CleanSession, the client may have forgotten the topic id.
            match Packet::decode(&got[1]).unwrap() {
                Packet::Register(Register { topic_id: Some(topic_id), message_id, .. }) if clean_session => {
                    bench.send(1, &regack(topic_id.get(), message_id, 0));
                }
                Packet::Publish(_) if !clean_session => {}
                other => panic!("{other:?}"),
            }
            bench.assert_state("c", State::Active);
            bench.publish_at_broker("t", "more", 1);
            bench.advance(seconds(10));
            let mut payloads = bench.payloads(1);
            payloads.dedup();
            assert_eq!(payloads, ["waiting", "more"]);
        });
    }
}

#[test]
fn pingreq_without_id_while_asleep_wakes() {
    both(|mut bench| {
        bench.connect(1, "c");
        bench.subscribe(1, "t", AtMostOnce);
        bench.sleep(1, 100);
        bench.publish_at_broker("t", "m", 0);
        bench.send(1, &PING);
        assert_eq!(bench.behave(1), (vec![("1".into(), "m".into(), 0)], true));
        bench.assert_state("c", State::Asleep);
    });
}

#[test]
fn pingreq_with_id_while_active_is_answered() {
    both(|mut bench| {
        bench.connect(1, "c");
        bench.ask(1, &Packet::PingReq(PingReq { client_id: Some("c") }), &[Packet::PingResp]);
        bench.assert_state("c", State::Active);
    });
}

#[test]
fn an_unknown_sender_is_told_to_connect_at_a_limited_rate() {
    both(|mut bench| {
        let subscribe =
            Subscribe { dup: false, qos: AtMostOnce, message_id: id(1), topic: SubscribeTopic::Name("t") };
        let register = Register { topic_id: None, message_id: id(1), topic_name: "t" };
        bench.ask(1, &PING, &[DISCONNECT]);
        bench.ask(1, &publish(Topic::Id(topic(1)), "m", qos1(1)), &[DISCONNECT]);
        bench.ask(1, &Packet::Subscribe(subscribe), &[DISCONNECT]);
        bench.ask(1, &Packet::Register(register), &[DISCONNECT]);
        bench.ask(1, &Packet::Disconnect(Disconnect { duration: Some(5) }), &[DISCONNECT]);
        bench.ask(1, &PING, &[]);
        assert_eq!(bench.gateway.counters().strangers_limited, 1);
        bench.advance(seconds(1));
        bench.ask(1, &PING, &[DISCONNECT]);
        // Two gateways must not keep each other busy.
        for packet in [DISCONNECT, CONNACK, Packet::PingResp, puback(1, 1, 0), Packet::UnsubAck(id(1))] {
            bench.ask(2, &packet, &[]);
        }
    });
}

#[test]
fn answers_to_unknown_senders_are_limited_all_together() {
    both_with(
        |config| config.strangers.answers = 10,
        |mut bench| {
            for peer in 100..200 {
                bench.send(peer, &PING);
            }
            assert_eq!(bench.gateway.counters().sent, 10);
        },
    );
}

#[test]
fn publish_to_an_unknown_id_is_refused_at_every_qos() {
    both(|mut bench| {
        bench.connect(1, "c");
        let unknown = Topic::Id(topic(77));
        bench.ask(1, &publish(unknown, "m", Delivery::AtMostOnce), &[puback(77, 0, 2)]);
        bench.ask(1, &publish(unknown, "m", qos1(5)), &[puback(77, 5, 2)]);
        bench.ask(1, &publish(unknown, "m", qos2(6)), &[puback(77, 6, 2)]);
        let predefined = Topic::Predefined(topic(8));
        bench.ask(1, &publish(predefined, "m", qos1(7)), &[puback(8, 7, 2)]);
        for _ in 0..100 {
            bench.send(1, &publish(unknown, "m", Delivery::AtMostOnce));
        }
        assert!(bench.take(1).len() < 10, "at QoS 0 not without end");
        assert_eq!(bench.seen(), []);
    });
}

#[test]
fn the_two_octets_of_a_short_name_are_kept_and_echoed() {
    both(|mut bench| {
        bench.connect(1, "c");
        let short = ShortTopic(*b"ab");
        bench.ask(1, &publish(Topic::Short(short), "m", qos1(1)), &[puback(0x6162, 1, 0)]);
        assert_eq!(bench.seen(), [("ab".into(), "m".into(), 1, false)]);
        let suback = bench.subscribe_to(1, SubscribeTopic::Short(short), AtLeastOnce);
        assert_eq!((suback.topic_id, suback.return_code.get()), (0x6162, 0));
        bench.publish_at_broker("ab", "n", 1);
        assert_eq!(bench.behave(1).0, [("ab".into(), "n".into(), 1)]);
        for name in [*b"a#", *b"+b", *b"a\0", [0xff, 0xfe]] {
            let name = ShortTopic(name);
            bench.ask(1, &publish(Topic::Short(name), "m", qos1(1)), &[puback(name.field(), 1, 2)]);
        }
    });
}

#[test]
fn suback_says_the_granted_qos_and_has_no_other_flags() {
    both(|mut bench| {
        bench.connect(1, "c");
        bench.send_raw(1, &hex("08 12 e0 0001 61 2f 62"));
        bench.expect(1, &[]);
        for (qos, flags) in [(AtMostOnce, 0x00), (AtLeastOnce, 0x20), (ExactlyOnce, 0x40)] {
            let topic = SubscribeTopic::Name("a/b");
            bench.send(1, &Packet::Subscribe(Subscribe { dup: true, qos, message_id: id(2), topic }));
            bench.advance(seconds(3));
            let got = bench.take(1);
            assert_eq!(got[0][..3], [0x08, 0x13, flags]);
        }
    });
}

#[test]
fn the_same_filter_twice_has_the_same_id() {
    both(|mut bench| {
        bench.connect(1, "c");
        let first = bench.subscribe(1, "a/b", AtLeastOnce);
        assert_eq!(bench.subscribe(1, "a/b", AtLeastOnce), first);
        assert_eq!(bench.register(1, "a/b").get(), first);
        assert_ne!(bench.subscribe(1, "a/c", AtLeastOnce), first);
        assert_eq!(bench.subscribe(1, "a/+", AtLeastOnce), 0, "a filter with wildcards has none");
    });
}

#[test]
fn subscribe_to_an_unknown_predefined_id_is_refused() {
    both(|mut bench| {
        bench.connect(1, "c");
        let suback = bench.subscribe_to(1, SubscribeTopic::Predefined(topic(9)), AtMostOnce);
        assert_eq!(suback.return_code, ReturnCode::INVALID_TOPIC_ID);
        let unsubscribe = Unsubscribe { message_id: id(4), topic: SubscribeTopic::Predefined(topic(9)) };
        bench.ask(1, &Packet::Unsubscribe(unsubscribe), &[Packet::UnsubAck(id(4))]);
    });
}

#[test]
fn unsubscribe_from_what_is_no_filter_is_answered_and_goes_nowhere() {
    both(|mut bench| {
        bench.connect(1, "c");
        bench.upstream();
        let unsubscribe = Unsubscribe { message_id: id(4), topic: SubscribeTopic::Name("a/#/b") };
        bench.ask(1, &Packet::Unsubscribe(unsubscribe), &[Packet::UnsubAck(id(4))]);
        assert_eq!(bench.upstream(), []);
    });
}

#[test]
fn register_of_a_wildcard_or_an_empty_name_is_refused() {
    both(|mut bench| {
        bench.connect(1, "c");
        for name in ["t/+", "#", "", "$SYS/broker", &"x".repeat(1025)] {
            assert_eq!(bench.register_refused(1, name), 3, "{name}");
        }
    });
}

#[test]
fn the_reserved_topic_id_type_is_malformed_and_refused_where_a_msg_id_is_known() {
    both(|mut bench| {
        bench.connect(1, "c");
        bench.send_raw(1, &hex("08 0c 23 0005 0007 6d"));
        bench.expect(1, &[puback(5, 7, 3)]);
        bench.send_raw(1, &hex("08 0c 03 0005 0000 6d"));
        bench.expect(1, &[]);
        bench.send_raw(1, &hex("07 12 03 0009 6162"));
        let suback = SubAck {
            qos: AtMostOnce,
            topic_id: 0,
            message_id: id(9),
            return_code: ReturnCode::NOT_SUPPORTED,
        };
        bench.expect(1, &[Packet::SubAck(suback)]);
        bench.send_raw(2, &hex("08 0c 23 0005 0007 6d"));
        bench.expect(2, &[]);
    });
}

#[test]
fn msg_id_0_at_qos_1_and_2_is_dropped() {
    both(|mut bench| {
        bench.connect(1, "c");
        let topic = bench.register(1, "a").get();
        for flags in ["20", "40"] {
            bench.send_raw(1, &hex(&format!("08 0c {flags} {topic:04x} 0000 6d")));
        }
        bench.expect(1, &[]);
        assert_eq!(bench.seen(), []);
        assert_eq!(bench.gateway.counters().malformed, 2);
    });
}

#[test]
fn a_rejected_register_stops_that_topic_until_the_next_subscribe() {
    both(|mut bench| {
        bench.connect(1, "c");
        bench.subscribe(1, "t/+", AtLeastOnce);
        bench.advance(seconds(3));
        bench.publish_at_broker("t/1", "a", 1);
        let got = bench.take(1);
        let Ok(Packet::Register(register)) = Packet::decode(&got[0]) else { panic!("{got:?}") };
        assert_eq!(register.topic_name, "t/1");
        let topic_id = register.topic_id.unwrap().get();
        bench.ask(1, &regack(topic_id, register.message_id, 3), &[]);
        bench.publish_at_broker("t/1", "b", 1);
        bench.expect(1, &[]);
        bench.publish_at_broker("t/2", "c", 1);
        assert_eq!(bench.behave(1).0, [("t/2".into(), "c".into(), 1)], "that topic only");
        assert_eq!(bench.gateway.counters().dropped_refused, 2);
        bench.subscribe(1, "t/+", AtLeastOnce);
        bench.publish_at_broker("t/1", "d", 1);
        assert_eq!(bench.payloads(1), ["d"]);
    });
}

#[test]
fn puback_invalid_topic_id_makes_the_gateway_register_again_and_resend() {
    both(|mut bench| {
        bench.connect(1, "c");
        let topic_id = bench.subscribe(1, "t", AtLeastOnce);
        bench.publish_at_broker("t", "m", 1);
        let got = bench.take(1);
        let Ok(Packet::Publish(first)) = Packet::decode(&got[0]) else { panic!("{got:?}") };
        let message_id = first.delivery.message_id().unwrap().get();
        bench.send(1, &puback(topic_id, message_id, 2));
        let got = bench.take(1);
        let Ok(Packet::Register(register)) = Packet::decode(&got[0]) else { panic!("{got:?}") };
        assert_eq!((register.topic_name, got.len()), ("t", 1), "and waits for REGACK");
        bench.send(1, &regack(topic_id, register.message_id, 0));
        assert_eq!(bench.payloads(1), ["m"]);
        // At QoS 0 the message is lost, but not the next one.
        bench.send(1, &puback(topic_id, 0, 2));
        bench.publish_at_broker("t", "n", 0);
        assert_eq!(bench.behave(1).0, [("t".into(), "n".into(), 0)]);
    });
}

#[test]
fn a_client_that_never_understands_a_topic_id_does_not_hold_up_others() {
    both(|mut bench| {
        bench.connect(1, "c");
        let topic_id = bench.subscribe(1, "t", AtLeastOnce);
        bench.subscribe(1, "u", AtLeastOnce);
        bench.publish_at_broker("t", "m", 1);
        bench.publish_at_broker("u", "n", 1);
        for _ in 0..10 {
            for datagram in bench.take(1) {
                match Packet::decode(&datagram).unwrap() {
                    Packet::Register(register) => {
                        bench.send(1, &regack(topic_id, register.message_id, 0));
                    }
                    Packet::Publish(Publish { data: b"m", delivery, .. }) => {
                        bench.send(1, &puback(topic_id, delivery.message_id().unwrap().get(), 2));
                    }
                    Packet::Publish(publish) => {
                        assert_eq!(publish.data, b"n");
                        return;
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        panic!("the second message never came");
    });
}

#[test]
fn pubrel_is_answered_always() {
    both(|mut bench| {
        bench.connect(1, "c");
        let topic = bench.register(1, "a");
        bench.ask(1, &publish(Topic::Id(topic), "m", qos2(3)), &[Packet::PubRec(id(3))]);
        for _ in 0..3 {
            bench.ask(1, &Packet::PubRel(id(3)), &[Packet::PubComp(id(3))]);
        }
        bench.ask(1, &Packet::PubRel(id(99)), &[Packet::PubComp(id(99))]);
    });
}

#[test]
fn a_qos_2_message_that_comes_again_before_pubrel_is_published_once() {
    both(|mut bench| {
        bench.connect(1, "c");
        let topic = bench.register(1, "a");
        for dup in [false, true, true] {
            let delivery = Delivery::ExactlyOnce { message_id: id(3), dup };
            bench.ask(1, &publish(Topic::Id(topic), "m", delivery), &[Packet::PubRec(id(3))]);
        }
        bench.ask(1, &Packet::PubRel(id(3)), &[Packet::PubComp(id(3))]);
        assert_eq!(bench.seen(), [("a".into(), "m".into(), 2, false)]);
        bench.ask(1, &publish(Topic::Id(topic), "n", qos2(3)), &[Packet::PubRec(id(3))]);
        assert_eq!(bench.seen().len(), 1, "the id is free again");
    });
}

#[test]
fn length_must_equal_the_datagram() {
    both(|mut bench| {
        bench.connect(1, "c");
        for datagram in ["03 16", "02 16 00", "04 16 63", "01 0003 16", "01 0005 16"] {
            bench.send_raw(1, &hex(datagram));
            bench.expect(1, &[]);
        }
        assert_eq!(bench.gateway.counters().malformed, 5);
        bench.send_raw(1, &hex("02 16"));
        bench.expect(1, &[Packet::PingResp]);
    });
}

#[test]
fn qos_0_for_a_sleeper_is_kept_or_not_as_the_policy_says() {
    for kept in [true, false] {
        let queue = QueueConfig { qos0_asleep: kept, ..QueueConfig::default() };
        both_with(
            |config| config.queue = queue,
            |mut bench| {
                bench.connect(1, "c");
                bench.subscribe(1, "t", AtLeastOnce);
                bench.sleep(1, 100);
                bench.publish_at_broker("t", "zero", 0);
                bench.publish_at_broker("t", "one", 1);
                bench.wake(1, "c");
                let expected = if kept { vec!["zero", "one"] } else { vec!["one"] };
                assert_eq!(bench.payloads(1), expected);
                assert_eq!(bench.gateway.counters().dropped_qos0, u64::from(!kept));
            },
        );
    }
}

#[test]
fn regack_echoes_the_msg_id_and_brings_the_id() {
    both(|mut bench| {
        bench.connect(1, "c");
        let register = Packet::Register(Register { topic_id: None, message_id: id(0x1234), topic_name: "t" });
        let regack = RegAck { topic_id: 1, message_id: id(0x1234), return_code: ReturnCode::ACCEPTED };
        bench.ask(1, &register, &[Packet::RegAck(regack)]);
        bench.ask(1, &register, &[Packet::RegAck(regack)]);
    });
}

#[test]
fn a_gateway_has_no_use_for_what_gateways_send() {
    let mut bench = Bench::new();
    bench.connect(1, "c");
    for packet in [CONNACK, Packet::WillTopicReq, Packet::WillMsgReq, Packet::UnsubAck(id(1))] {
        bench.ask(1, &packet, &[]);
    }
    assert_eq!(bench.gateway.counters().unexpected, 4);
}

/// A copy of UNSUBSCRIBE, or of SUBSCRIBE, that the network held back until the client had changed its mind.
#[test]
fn a_late_copy_of_a_request_does_not_undo_the_next_one() {
    both(|mut bench| {
        bench.connect(1, "a");
        let topic = SubscribeTopic::Name("t");
        let ask =
            |message_id| Packet::Subscribe(Subscribe { dup: false, qos: AtLeastOnce, message_id, topic });
        let leave = |message_id| Packet::Unsubscribe(Unsubscribe { message_id, topic });
        for packet in [ask(id(1)), leave(id(2)), ask(id(3)), leave(id(2)), ask(id(1))] {
            bench.send(1, &packet);
            bench.advance(core::time::Duration::from_millis(100));
        }
        bench.take(1);
        bench.publish_at_broker("t", "stays", 1);
        assert_eq!(bench.payloads(1), ["stays"]);
        for packet in [leave(id(4)), ask(id(3)), ask(id(1))] {
            bench.send(1, &packet);
            bench.advance(core::time::Duration::from_millis(100));
        }
        bench.take(1);
        bench.publish_at_broker("t", "gone", 1);
        assert_eq!(bench.payloads(1), [""; 0]);
        // Long afterwards, the MsgId is free again.
        bench.advance(seconds(10));
        bench.send(1, &ask(id(1)));
        bench.advance(seconds(1));
        bench.take(1);
        bench.publish_at_broker("t", "back", 1);
        assert_eq!(bench.payloads(1), ["back"]);
    });
}
