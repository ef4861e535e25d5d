//! One session for all clients: filters, fan-out, retained messages, loss of the link (MQTT-SN 1.2 §4.2).

use core::time::Duration;

use mqttsn_codec::{Packet, ReturnCode, Subscribe, SubscribeTopic, Topic};
use mqttsn_core::gateway::State;

use crate::support::{
    AtLeastOnce, AtMostOnce, Bench, CONGESTED, DISCONNECT, ExactlyOnce, PING, Sent, aggregating, connect, id,
    puback, publish, qos1, qos2, seconds,
};

fn bench() -> Bench {
    Bench::with(aggregating)
}

fn clients(count: u16) -> Bench {
    let mut bench = bench();
    for peer in 1..=count {
        bench.connect(peer, &format!("c{peer}"));
    }
    bench
}

fn settle_retained(bench: &mut Bench) {
    bench.advance(seconds(3));
    bench.subscribes();
}

#[test]
fn a_higher_qos_raises_the_subscription_and_a_lower_one_never_lowers_it() {
    let mut bench = clients(3);
    bench.subscribe(1, "t", AtMostOnce);
    assert_eq!(bench.subscribes(), [("t".into(), 0)]);
    bench.subscribe(2, "t", ExactlyOnce);
    assert_eq!(bench.subscribes(), [("t".into(), 2)]);
    bench.subscribe(3, "t", AtLeastOnce);
    settle_retained(&mut bench);
    bench.publish_at_broker("t", "m", 2);
    for (peer, qos) in [(1, 0), (2, 2), (3, 1)] {
        assert_eq!(bench.behave(peer).0, [("1".into(), "m".into(), qos)]);
    }
    bench.unsubscribe(2, "t");
    bench.advance(seconds(10));
    assert_eq!(bench.upstream(), []);
    bench.publish_at_broker("t", "n", 2);
    assert_eq!(bench.behave(3).0, [("1".into(), "n".into(), 1)]);
}

#[test]
fn each_client_gets_a_message_once_however_many_of_its_filters_match() {
    for overlapping in [mqtt_core::Overlapping::Once, mqtt_core::Overlapping::Each] {
        let mut bench = clients(3);
        let config =
            mqtt_core::Config { overlapping_subscriptions: overlapping, ..bench.broker.config().clone() };
        bench.broker.reconfigure(config, bench.now);
        bench.subscribe(1, "a/#", AtLeastOnce);
        bench.subscribe(1, "a/b", AtMostOnce);
        bench.subscribe(1, "+/b", ExactlyOnce);
        bench.subscribe(2, "a/b", AtLeastOnce);
        bench.subscribe(3, "#", AtMostOnce);
        settle_retained(&mut bench);
        bench.publish_at_broker("a/b", "m", 2);
        let got: Vec<_> = (1..=3).map(|peer| bench.behave(peer).0).collect();
        let qos: Vec<Vec<u8>> =
            got.iter().map(|list| list.iter().map(|(_, _, qos)| *qos).collect()).collect();
        assert_eq!(qos, [vec![2], vec![1], vec![0]], "{overlapping:?}");
    }
}

#[test]
fn a_late_joiner_gets_what_is_retained_and_nobody_else_gets_it_again() {
    let mut bench = clients(3);
    bench.publish_with("r/1", "kept", 1, true);
    bench.subscribe(1, "r/#", AtLeastOnce);
    assert_eq!(bench.payloads(1), ["kept"]);
    settle_retained(&mut bench);
    let suback = bench.subscribe_to(2, SubscribeTopic::Name("r/#"), AtMostOnce);
    assert_eq!(suback.return_code, ReturnCode::ACCEPTED);
    assert_eq!(bench.payloads(2), ["kept"]);
    assert_eq!(bench.subscribes(), [("r/#".into(), 1)], "asked again, at the QoS that there is");
    bench.expect(1, &[]);
    settle_retained(&mut bench);
    bench.publish_with("r/1", "new", 1, true);
    assert_eq!(bench.payloads(1), ["new"]);
    assert_eq!(bench.payloads(2), ["new"]);
    bench.subscribe(1, "r/#", AtLeastOnce);
    assert_eq!(bench.payloads(1), ["new"], "SUBSCRIBE again is retained messages again");
    bench.expect(2, &[]);
}

#[test]
fn a_retained_message_of_another_filter_is_not_for_those_who_joined_that() {
    let mut bench = clients(2);
    bench.publish_with("a/b", "kept", 1, true);
    bench.subscribe(1, "a/#", AtLeastOnce);
    settle_retained(&mut bench);
    assert_eq!(bench.payloads(1), ["kept"]);
    bench.subscribe(2, "a/b", AtLeastOnce);
    assert_eq!(bench.payloads(2), ["kept"]);
    bench.expect(1, &[]);
}

#[test]
fn joiners_while_retained_messages_are_expected_are_served_together_afterwards() {
    let mut bench = clients(5);
    bench.publish_with("r", "kept", 1, true);
    bench.subscribe(1, "r", AtLeastOnce);
    assert_eq!(bench.subscribes().len(), 1);
    for peer in 2..=5 {
        bench.subscribe(peer, "r", AtLeastOnce);
    }
    assert_eq!(bench.subscribes(), []);
    bench.advance(seconds(3));
    assert_eq!(bench.subscribes().len(), 1);
    for peer in 1..=5 {
        assert_eq!(bench.payloads(peer), ["kept"], "{peer}");
    }
}

#[test]
fn a_later_joiner_is_answered_at_once() {
    let mut bench = clients(2);
    bench.subscribe(1, "t", AtLeastOnce);
    let topic = SubscribeTopic::Name("t");
    bench.send(2, &Packet::Subscribe(Subscribe { dup: false, qos: AtMostOnce, message_id: id(1), topic }));
    assert!(matches!(Packet::decode(&bench.take(2)[0]), Ok(Packet::SubAck(_))));
}

#[test]
fn subscribe_that_comes_again_before_suback_is_one_subscription() {
    let mut bench = clients(1);
    let topic = SubscribeTopic::Name("t");
    for dup in [false, true, true] {
        bench.send(1, &Packet::Subscribe(Subscribe { dup, qos: AtMostOnce, message_id: id(1), topic }));
    }
    bench.advance(seconds(1));
    assert_eq!(bench.take(1).len(), 1);
    assert_eq!(bench.subscribes().len(), 1);
}

#[test]
fn a_subscription_that_the_server_refuses_is_refused_and_harms_nobody() {
    let mut bench = clients(2);
    bench.subscribe(2, "t", AtLeastOnce);
    let config = mqtt_core::Config { wildcard_subscriptions: false, ..bench.broker.config().clone() };
    bench.broker.reconfigure(config, bench.now);
    bench.break_connections();
    bench.advance(seconds(5));
    bench.subscribes();
    let suback = bench.subscribe_to(1, SubscribeTopic::Name("a/#"), AtMostOnce);
    assert_eq!(suback.return_code, ReturnCode::NOT_SUPPORTED);
    assert_eq!(bench.gateway.gauges().filters, 1);
    bench.publish_at_broker("t", "m", 1);
    assert_eq!(bench.payloads(2), ["m"]);
}

#[test]
fn shared_subscriptions_are_not_for_many_clients_in_one_session() {
    let mut bench = clients(1);
    let suback = bench.subscribe_to(1, SubscribeTopic::Name("$share/g/t"), AtMostOnce);
    assert_eq!(suback.return_code, ReturnCode::NOT_SUPPORTED);
    let mut bench = Bench::new();
    bench.connect(1, "c");
    let suback = bench.subscribe_to(1, SubscribeTopic::Name("$share/g/t"), AtMostOnce);
    assert_eq!((suback.return_code, suback.topic_id), (ReturnCode::ACCEPTED, 0));
    bench.publish_at_broker("t", "m", 0);
    assert_eq!(bench.payloads(1), ["m"]);
}

#[test]
fn message_ids_of_clients_are_mapped_and_each_gets_its_own_back() {
    let mut bench = clients(20);
    for peer in 1..=20 {
        bench.register(peer, "up");
    }
    // The server answers nobody yet.
    bench.mute = true;
    for peer in 1..=20 {
        bench.send(peer, &publish(Topic::Id(crate::support::topic(1)), "m", qos1(7)));
        bench.expect(peer, &[]);
    }
    bench.mute = false;
    bench.break_connections();
    bench.advance(seconds(5));
    for peer in 1..=20 {
        bench.expect(peer, &[puback(1, 7, 0)]);
    }
    assert_eq!(bench.seen().len(), 20);
}

#[test]
fn the_link_breaks_and_comes_back() {
    let mut bench = clients(2);
    let topic = bench.register(1, "up");
    bench.subscribe(2, "down/#", AtLeastOnce);
    bench.cut();
    bench.ask(1, &PING, &[Packet::PingResp]);
    bench.ask(3, &Packet::Connect(connect("late")), &[CONGESTED]);
    bench.send(1, &publish(Topic::Id(topic), "one", qos1(1)));
    bench.expect(1, &[]);
    let suback = bench.subscribe_to(1, SubscribeTopic::Name("other"), AtMostOnce);
    assert_eq!(suback.return_code, ReturnCode::CONGESTION);
    let suback = bench.subscribe_to(2, SubscribeTopic::Name("down/#"), AtMostOnce);
    assert_eq!(suback.return_code, ReturnCode::ACCEPTED, "that is there already");
    bench.publish_at_broker("down/1", "missed?", 1);
    bench.restore();
    bench.expect(1, &[puback(topic.get(), 1, 0)]);
    assert_eq!(bench.seen()[1].1, "one");
    bench.publish_at_broker("down/1", "after", 1);
    assert_eq!(bench.payloads(2), ["missed?", "after"], "the server kept the session");
}

#[test]
fn subscriptions_are_made_again_when_the_server_has_lost_the_session() {
    let mut bench = clients(2);
    bench.subscribe(1, "a/#", AtLeastOnce);
    bench.subscribe(2, "b", AtMostOnce);
    bench.replace_broker();
    bench.subscribes();
    bench.restore();
    let mut subscribes = bench.subscribes();
    subscribes.sort();
    assert_eq!(subscribes, [("a/#".into(), 1), ("b".into(), 0)]);
    bench.publish_at_broker("a/1", "m", 1);
    assert_eq!(bench.payloads(1), ["m"]);
}

#[test]
fn a_full_queue_to_the_server_is_congestion() {
    let mut bench = Bench::with(|config| {
        aggregating(config);
        config.upstream.max_shared_queued = 2;
    });
    bench.connect(1, "c");
    let topic = Topic::Id(bench.register(1, "up"));
    bench.cut();
    bench.ask(1, &publish(topic, "1", qos1(1)), &[]);
    bench.ask(1, &publish(topic, "2", qos2(2)), &[]);
    bench.ask(1, &publish(topic, "3", qos1(3)), &[puback(1, 3, 1)]);
    bench.ask(1, &publish(topic, "4", qos2(4)), &[puback(1, 4, 1)]);
    bench.restore();
    bench.expect(1, &[puback(1, 1, 0), Packet::PubRec(id(2))]);
    bench.ask(1, &publish(topic, "3", qos1(3)), &[puback(1, 3, 0)]);
}

#[test]
fn messages_of_one_client_under_way_are_bounded() {
    let mut bench = clients(1);
    let topic = Topic::Id(bench.register(1, "up"));
    bench.mute = true;
    for number in 1..=8 {
        bench.ask(1, &publish(topic, "m", qos1(number)), &[]);
    }
    bench.ask(1, &publish(topic, "m", qos1(9)), &[puback(1, 9, 1)]);
}

#[test]
fn a_session_that_is_kept_collects_messages_while_its_client_is_away() {
    let mut bench = bench();
    bench.connect_persistent(1, "c");
    bench.subscribe(1, "t", AtLeastOnce);
    bench.ask(1, &DISCONNECT, &[DISCONNECT]);
    for number in 0..150 {
        bench.publish_at_broker("t", &number.to_string(), 1);
    }
    bench.publish_at_broker("t", "zero", 0);
    bench.advance(Duration::from_secs(100));
    bench.send(1, &Packet::Connect(mqttsn_codec::Connect { clean_session: false, ..connect("c") }));
    bench.assert_state("c", State::Active);
    let got = bench.take(1);
    assert!(got.len() == 2, "CONNACK, REGISTER");
    let Ok(Packet::Register(register)) = Packet::decode(&got[1]) else { panic!("{got:?}") };
    bench.send(1, &crate::support::regack(1, register.message_id, 0));
    let payloads = bench.payloads(1);
    assert_eq!((payloads.len(), payloads[0].as_str(), payloads[99].as_str()), (100, "50", "149"));
    assert_eq!(bench.gateway.counters().dropped_queue_full, 50);
    assert_eq!(bench.gateway.counters().dropped_qos0, 1);
}

#[test]
fn a_clean_connect_takes_all_subscriptions_back() {
    let mut bench = bench();
    bench.connect_persistent(1, "c");
    bench.subscribe(1, "t", AtLeastOnce);
    bench.subscribe(1, "u/#", AtLeastOnce);
    bench.ask(1, &DISCONNECT, &[DISCONNECT]);
    bench.advance(seconds(10));
    bench.upstream();
    bench.connect(1, "c");
    bench.advance(seconds(1));
    let mut upstream = bench.upstream();
    upstream.sort_by_key(|sent| format!("{sent:?}"));
    assert_eq!(upstream, [Sent::Unsubscribe("t".into()), Sent::Unsubscribe("u/#".into())]);
    assert_eq!(bench.gateway.gauges().filters, 0);
}

#[test]
fn subscriptions_that_come_and_go_within_a_moment_never_reach_the_server() {
    let mut bench = clients(1);
    let topic = SubscribeTopic::Name("t");
    bench.send(1, &Packet::Subscribe(Subscribe { dup: false, qos: AtMostOnce, message_id: id(1), topic }));
    bench.send(1, &Packet::Unsubscribe(mqttsn_codec::Unsubscribe { message_id: id(2), topic }));
    bench.advance(seconds(1));
    assert_eq!(bench.upstream(), []);
    assert_eq!(bench.gateway.gauges().filters, 0);
}

#[test]
fn filters_that_come_and_go_faster_than_the_server_answers_are_within_the_limit() {
    let mut bench = Bench::with(|config| {
        aggregating(config);
        config.upstream.max_filters = 1;
    });
    bench.connect(1, "c");
    bench.subscribe(1, "t", AtMostOnce);
    settle_retained(&mut bench);
    bench.mute = true;
    bench.unsubscribe(1, "t");
    bench.advance(seconds(6));
    assert_eq!(bench.subscribe_to(1, SubscribeTopic::Name("u"), AtMostOnce).return_code.get(), 1);
    assert_eq!(bench.gateway.gauges().filters, 1);
}

#[test]
fn a_server_without_mqtt_5_is_spoken_to_in_3_1_1() {
    let mut bench = Bench::unsettled(aggregating);
    bench.mute = true;
    bench.settle();
    bench.mute = false;
    bench.refuse_as_old_server();
    assert!(bench.gateway.is_upstream_connected());
    bench.connect(1, "c");
    bench.publish_with("a/b", "kept", 1, true);
    bench.subscribe(1, "a/#", AtLeastOnce);
    assert_eq!(bench.payloads(1), ["kept"]);
    bench.subscribe(1, "a/b", AtMostOnce);
    bench.advance(seconds(3));
    bench.behave(1);
    bench.publish_at_broker("a/b", "m", 1);
    assert_eq!(bench.payloads(1), ["m"]);
}

#[test]
fn a_server_that_turns_out_to_be_an_older_one_gets_all_subscriptions() {
    let mut bench = clients(2);
    bench.subscribe(1, "a/#", AtLeastOnce);
    bench.subscribe(2, "b", ExactlyOnce);
    settle_retained(&mut bench);
    let topic = bench.register(1, "up");
    bench.mute = true;
    bench.ask(1, &publish(Topic::Id(topic), "m", qos1(1)), &[]);
    bench.break_connections();
    bench.advance(seconds(2));
    bench.subscribes();
    bench.mute = false;
    bench.refuse_as_old_server();
    bench.advance(seconds(1));
    bench.expect(1, &[puback(topic.get(), 1, 1)]);
    let mut subscribes = bench.subscribes();
    subscribes.sort();
    assert_eq!(subscribes, [("a/#".into(), 1), ("b".into(), 2)]);
    bench.publish_at_broker("a/1", "m", 1);
    assert_eq!(bench.payloads(1), ["m"]);
}

/// A client has a filter, and asks for another one that overlaps: until the server has that, messages come by the first.
#[test]
fn a_subscription_on_its_way_to_the_server_takes_no_message_from_another_one() {
    let mut bench = Bench::with(aggregating);
    bench.connect(1, "a");
    bench.subscribe(1, "t/1", AtLeastOnce);
    let (message_id, topic) = (id(7), SubscribeTopic::Name("t/+"));
    bench.send(1, &Packet::Subscribe(Subscribe { dup: false, qos: ExactlyOnce, message_id, topic }));
    bench.publish_at_broker("t/1", "now", 1);
    assert_eq!(bench.payloads(1), ["now"]);
}

/// Somebody has the filter with QoS 1, and two ask for QoS 2 while the server is being asked: neither is told QoS 1.
#[test]
fn what_was_granted_before_is_no_answer_while_a_subscription_is_raised() {
    let mut bench = Bench::with(aggregating);
    bench.connect(1, "a");
    bench.connect(2, "b");
    bench.subscribe(1, "t", AtLeastOnce);
    bench.mute = true;
    let subscribe =
        Subscribe { dup: false, qos: ExactlyOnce, message_id: id(7), topic: SubscribeTopic::Name("t") };
    for peer in [1, 2] {
        bench.send(peer, &Packet::Subscribe(subscribe));
        bench.advance(core::time::Duration::from_millis(100));
        bench.expect(peer, &[]);
    }
}

/// The filter was given up, and the server has not answered UNSUBSCRIBE: who asks for it again has nothing yet.
#[test]
fn what_is_being_given_up_is_no_answer() {
    let mut bench = Bench::with(aggregating);
    bench.connect(1, "a");
    bench.subscribe(1, "t", AtLeastOnce);
    settle_retained(&mut bench);
    bench.mute = true;
    bench.unsubscribe(1, "t");
    bench.advance(core::time::Duration::from_millis(100));
    let topic = SubscribeTopic::Name("t");
    bench.send(1, &Packet::Subscribe(Subscribe { dup: false, qos: AtLeastOnce, message_id: id(77), topic }));
    bench.advance(core::time::Duration::from_millis(100));
    bench.expect(1, &[]);
}
