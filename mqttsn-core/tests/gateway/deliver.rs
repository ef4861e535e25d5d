//! Messages to clients: REGISTER before PUBLISH, one at a time, sent again, each QoS to its end (MQTT-SN 1.2 §6.10, §6.13).

use mqttsn_codec::{Connect, Delivery, Packet, Publish, Topic};
use mqttsn_core::gateway::State;

use crate::support::{
    AtLeastOnce, AtMostOnce, Bench, CONNACK, DISCONNECT, ExactlyOnce, PING, both, both_with, connect, id,
    puback, regack, seconds,
};

fn only(bench: &mut Bench) -> Vec<u8> {
    let mut got = bench.take(1);
    assert_eq!(got.len(), 1, "{got:?}");
    got.remove(0)
}

fn register(bench: &mut Bench) -> (u16, mqttsn_codec::MessageId, String) {
    match Packet::decode(&only(bench)).unwrap() {
        Packet::Register(register) => {
            (register.topic_id.unwrap().get(), register.message_id, register.topic_name.to_owned())
        }
        other => panic!("{other:?}"),
    }
}

fn published(bench: &mut Bench) -> (Delivery, Topic, String) {
    match Packet::decode(&only(bench)).unwrap() {
        Packet::Publish(Publish { delivery, topic, data, .. }) => {
            (delivery, topic, String::from_utf8(data.to_vec()).unwrap())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn publish_waits_for_regack() {
    both(|mut bench| {
        bench.connect(1, "c");
        bench.subscribe(1, "t/#", ExactlyOnce);
        bench.advance(seconds(3));
        for qos in 0..3 {
            bench.publish_at_broker(&format!("t/{qos}"), "m", qos);
            let (topic_id, message_id, name) = register(&mut bench);
            assert_eq!(name, format!("t/{qos}"));
            bench.ask(1, &regack(topic_id, id(message_id.get() + 100), 0), &[]);
            bench.send(1, &regack(topic_id, message_id, 0));
            let (delivery, topic, _) = published(&mut bench);
            assert_eq!((delivery.qos() as u8, topic.field()), (qos, topic_id));
            match delivery {
                Delivery::AtMostOnce => {}
                Delivery::AtLeastOnce { message_id, .. } => {
                    bench.ask(1, &puback(topic_id, message_id.get(), 0), &[]);
                }
                Delivery::ExactlyOnce { message_id, .. } => {
                    bench.ask(1, &Packet::PubRec(message_id), &[Packet::PubRel(message_id)]);
                    bench.ask(1, &Packet::PubRec(message_id), &[Packet::PubRel(message_id)]);
                    bench.ask(1, &Packet::PubComp(message_id), &[]);
                    bench.ask(1, &Packet::PubRec(message_id), &[Packet::PubRel(message_id)]);
                }
            }
            bench.publish_at_broker(&format!("t/{qos}"), "again", 0);
            assert_eq!(published(&mut bench).1, topic, "told once");
        }
    });
}

#[test]
fn one_message_is_under_way_at_a_time_and_the_order_is_kept() {
    both(|mut bench| {
        bench.connect(1, "c");
        bench.subscribe(1, "t", AtLeastOnce);
        for number in 0..6 {
            bench.publish_at_broker("t", &number.to_string(), u8::from(number % 3 == 0));
        }
        assert_eq!(published(&mut bench).2, "0");
        bench.advance(seconds(1));
        bench.expect(1, &[]);
        assert_eq!(bench.gateway.gauges().buffered, 5 * (2 + 32));
        bench.advance(seconds(9));
        assert_eq!(bench.payloads(1), ["0", "1", "2", "3", "4", "5"]);
    });
}

#[test]
fn what_is_not_answered_is_sent_again_with_dup_and_then_waits_for_a_sign_of_life() {
    both(|mut bench| {
        bench.connect(1, "c");
        bench.subscribe(1, "t", AtLeastOnce);
        bench.publish_at_broker("t", "m", 1);
        let (first, ..) = published(&mut bench);
        assert!(!first.dup());
        for _ in 0..4 {
            bench.advance(seconds(10));
            let (again, ..) = published(&mut bench);
            assert_eq!((again.dup(), again.message_id()), (true, first.message_id()));
        }
        bench.advance(seconds(30));
        bench.expect(1, &[]);
        bench.send(1, &PING);
        let got = bench.take(1);
        assert_eq!(Packet::decode(&got[0]), Ok(Packet::PingResp));
        assert!(matches!(Packet::decode(&got[1]), Ok(Packet::Publish(_))));
        bench.send(1, &puback(1, first.message_id().unwrap().get(), 0));
        bench.advance(seconds(50));
        bench.expect(1, &[]);
        assert_eq!(bench.gateway.counters().retransmitted, 4);
    });
}

#[test]
fn register_and_pubrel_are_sent_again_too() {
    both(|mut bench| {
        bench.connect(1, "c");
        bench.subscribe(1, "t/+", ExactlyOnce);
        bench.advance(seconds(3));
        bench.publish_at_broker("t/1", "m", 2);
        let first = register(&mut bench);
        bench.advance(seconds(10));
        assert_eq!(register(&mut bench), first);
        bench.send(1, &regack(first.0, first.1, 0));
        let (delivery, ..) = published(&mut bench);
        let message_id = delivery.message_id().unwrap();
        bench.ask(1, &Packet::PubRec(message_id), &[Packet::PubRel(message_id)]);
        bench.advance(seconds(10));
        bench.expect(1, &[Packet::PubRel(message_id)]);
        bench.ask(1, &Packet::PubComp(message_id), &[]);
        bench.advance(seconds(20));
        bench.expect(1, &[]);
    });
}

#[test]
fn a_resumed_session_is_told_of_its_topic_ids_again_and_gets_what_it_missed() {
    both(|mut bench| {
        bench.connect_persistent(1, "c");
        let topic_id = bench.subscribe(1, "t", ExactlyOnce);
        bench.advance(seconds(3));
        bench.publish_at_broker("t", "before", 0);
        assert_eq!(published(&mut bench).1.field(), topic_id);
        bench.ask(1, &DISCONNECT, &[DISCONNECT]);
        for (payload, qos) in [("0", 0), ("1", 1), ("2", 2)] {
            bench.publish_at_broker("t", payload, qos);
        }
        bench.advance(seconds(1000));
        bench.expect(1, &[]);
        bench.send(1, &Packet::Connect(Connect { clean_session: false, ..connect("c") }));
        let got = bench.take(1);
        assert_eq!(Packet::decode(&got[0]), Ok(CONNACK));
        let Ok(Packet::Register(register)) = Packet::decode(&got[1]) else { panic!("{got:?}") };
        assert_eq!((register.topic_name, register.topic_id.unwrap().get()), ("t", topic_id));
        bench.send(1, &regack(topic_id, register.message_id, 0));
        let messages = bench.behave(1).0;
        let payloads: Vec<_> = messages.iter().map(|(_, payload, _)| payload.as_str()).collect();
        assert_eq!(payloads, ["1", "2"]);
    });
}

/// The client has the message, but the gateway does not know; then the client comes back.
#[test]
fn an_interrupted_qos_2_message_is_finished_under_its_own_id() {
    both(|mut bench| {
        bench.connect_persistent(1, "c");
        bench.subscribe(1, "t", ExactlyOnce);
        bench.publish_at_broker("t", "m", 2);
        let (first, ..) = published(&mut bench);
        bench.ask(1, &DISCONNECT, &[DISCONNECT]);
        bench.advance(seconds(100));
        bench.send(1, &Packet::Connect(Connect { clean_session: false, ..connect("c") }));
        let got = bench.take(1);
        let Ok(Packet::Register(register)) = Packet::decode(&got[1]) else { panic!("{got:?}") };
        bench.send(1, &regack(1, register.message_id, 0));
        let (again, ..) = published(&mut bench);
        assert_eq!((again.message_id(), again.dup()), (first.message_id(), true));
        let message_id = again.message_id().unwrap();
        bench.ask(1, &Packet::PubRec(message_id), &[Packet::PubRel(message_id)]);
        bench.ask(1, &Packet::PubComp(message_id), &[]);
        bench.advance(seconds(30));
        bench.expect(1, &[]);
    });
}

#[test]
fn the_session_of_a_client_that_stays_away_expires() {
    both_with(
        |config| config.session_expiry = seconds(1000),
        |mut bench| {
            bench.connect_persistent(1, "c");
            bench.subscribe(1, "t", AtLeastOnce);
            bench.ask(1, &DISCONNECT, &[DISCONNECT]);
            bench.advance(seconds(999));
            bench.assert_state("c", State::Disconnected);
            bench.advance(seconds(1));
            assert_eq!(bench.gateway.state("c"), None);
            assert_eq!(bench.gateway.counters().sessions_expired, 1);
            bench.connect_persistent(1, "c");
            bench.publish_at_broker("t", "m", 1);
            bench.expect(1, &[]);
        },
    );
}

#[test]
fn ids_for_wildcards_give_way_when_there_are_too_many_and_those_of_the_client_do_not() {
    both_with(
        |config| config.max_topics = 3,
        |mut bench| {
            bench.connect(1, "c");
            let own = bench.register(1, "own");
            bench.subscribe(1, "t/#", AtMostOnce);
            bench.advance(seconds(3));
            for round in 0..3 {
                for number in 0..5 {
                    let (topic, payload) = (format!("t/{number}"), format!("{round}"));
                    bench.publish_at_broker(&topic, &payload, 1);
                    assert_eq!(bench.behave(1).0, [(topic, payload, 0)]);
                }
            }
            assert_eq!(bench.register(1, "own"), own);
            bench.register(1, "x");
            bench.register(1, "y");
            assert_eq!(bench.register_refused(1, "z"), 1, "congestion");
            bench.publish_at_broker("t/1", "m", 1);
            bench.expect(1, &[]);
            assert_eq!(bench.gateway.counters().dropped_no_topic_id, 1);
        },
    );
}

#[test]
fn topic_ids_of_different_clients_have_nothing_to_do_with_each_other() {
    both(|mut bench| {
        bench.connect(1, "a");
        bench.connect(2, "b");
        let (a, b) = (bench.register(1, "topic/of/a"), bench.register(2, "topic/of/b"));
        assert_eq!(a, b);
        bench.send(1, &crate::support::publish(Topic::Id(a), "m", Delivery::AtMostOnce));
        bench.send(2, &crate::support::publish(Topic::Id(b), "m", Delivery::AtMostOnce));
        let topics: Vec<_> = bench.seen().into_iter().map(|(topic, ..)| topic).collect();
        assert_eq!(topics, ["topic/of/a", "topic/of/b"]);
    });
}

#[test]
fn the_most_repetitions_that_can_be_configured_come_to_an_end() {
    let change = |config: &mut mqttsn_core::gateway::Config| {
        (config.retries, config.retry) = (u8::MAX, core::time::Duration::from_millis(1));
    };
    both_with(change, |mut bench| {
        bench.connect(1, "c");
        bench.subscribe(1, "long topic", AtLeastOnce);
        bench.publish_at_broker("long topic", "m", 1);
        bench.advance(seconds(2));
        assert_eq!(bench.take(1).len(), 1 + usize::from(u8::MAX));
    });
}
