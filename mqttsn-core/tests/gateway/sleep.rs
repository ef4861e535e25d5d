//! Sleeping clients and supervision (MQTT-SN 1.2 §6.11, §6.12, §6.14, §7.2).

use core::time::Duration;

use mqttsn_codec::{Connect, Delivery, Disconnect, Packet, PingReq, Topic};
use mqttsn_core::gateway::{DropPolicy, QueueConfig, State};

use crate::support::{
    AtLeastOnce, AtMostOnce, Bench, CONNACK, DISCONNECT, ExactlyOnce, PING, both, both_with, connect, puback,
    publish, qos1, seconds,
};

const MICROSECOND: Duration = Duration::from_micros(1);

fn short_of(span: Duration) -> Duration {
    span.saturating_sub(MICROSECOND)
}

/// A sleeper with 200 waiting messages under a bound of 100.
fn two_hundred(policy: DropPolicy, test: impl Fn(Bench)) {
    let queue = QueueConfig { messages: 100, policy, ..QueueConfig::default() };
    both_with(
        |config| config.queue = queue,
        |mut bench| {
            bench.connect(1, "c");
            bench.subscribe(1, "t", AtLeastOnce);
            bench.sleep(1, 1000);
            for number in 0..200 {
                bench.publish_at_broker("t", &number.to_string(), u8::from(number % 2 == 1));
            }
            bench.expect(1, &[]);
            test(bench);
        },
    );
}

fn numbers(range: impl Iterator<Item = u32>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

#[test]
fn a_sleeper_gets_the_newest_100_of_200_and_pingresp() {
    two_hundred(DropPolicy::Oldest, |mut bench| {
        bench.wake(1, "c");
        let (messages, over) = bench.behave(1);
        assert!(over, "PINGRESP ends it");
        let payloads: Vec<_> = messages.into_iter().map(|(_, payload, _)| payload).collect();
        // The server of a transparent client keeps what it may not send: nothing that it sent is lost but by the policy.
        assert_eq!(payloads[payloads.len() - 100..], numbers(100..200));
        assert_eq!(payloads.len() as u64 + bench.gateway.counters().dropped(), 200);
        assert_eq!(bench.gateway.counters().dropped_queue_full, bench.gateway.counters().dropped());
        bench.assert_state("c", State::Asleep);
        assert_eq!(bench.gateway.gauges().buffered, 0);
        bench.wake(1, "c");
        bench.expect(1, &[Packet::PingResp]);
    });
}

#[test]
fn a_sleeper_gets_the_oldest_where_the_policy_says_so() {
    two_hundred(DropPolicy::Newest, |mut bench| {
        bench.wake(1, "c");
        let payloads = bench.payloads(1);
        assert_eq!(payloads[..100], numbers(0..100));
        assert_eq!(payloads.len() as u64 + bench.gateway.counters().dropped(), 200);
    });
}

#[test]
fn qos_0_gives_way_first_where_the_policy_says_so() {
    two_hundred(DropPolicy::QoS0First, |mut bench| {
        bench.wake(1, "c");
        assert_eq!(bench.payloads(1), numbers((0..200).filter(|number| number % 2 == 1)));
        assert_eq!(bench.gateway.counters().dropped_queue_full, 100);
    });
}

#[test]
fn the_queue_is_bounded_in_bytes_too() {
    let queue = QueueConfig { bytes: 1000, ..QueueConfig::default() };
    both_with(
        |config| config.queue = queue,
        |mut bench| {
            bench.connect(1, "c");
            bench.subscribe(1, "t", AtMostOnce);
            bench.sleep(1, 1000);
            for number in 0..9 {
                bench.publish_at_broker("t", &format!("{number}{}", "x".repeat(200)), 0);
            }
            bench.publish_at_broker("t", &"y".repeat(1000), 0);
            assert!(bench.gateway.gauges().buffered <= 1000);
            bench.wake(1, "c");
            let first: Vec<_> = bench.payloads(1).iter().map(|payload| payload[..1].to_owned()).collect();
            assert_eq!(first, ["5", "6", "7", "8"]);
            assert_eq!(bench.gateway.counters().dropped_queue_full, 6);
        },
    );
}

#[test]
fn all_queues_together_are_bounded() {
    both_with(
        |config| config.max_buffered = 1000,
        |mut bench| {
            for peer in 1..=3 {
                bench.connect(peer, &format!("c{peer}"));
                bench.subscribe(peer, "t", AtMostOnce);
                bench.sleep(peer, 1000);
            }
            for _ in 0..10 {
                bench.publish_at_broker("t", &"x".repeat(100), 0);
            }
            assert!(bench.gateway.gauges().buffered <= 1000);
            assert_eq!(bench.gateway.counters().dropped_memory, 30 - 7);
            for peer in 1..=3 {
                bench.wake(peer, &format!("c{peer}"));
                bench.behave(peer);
            }
            assert_eq!(bench.gateway.gauges().buffered, 0);
        },
    );
}

#[test]
fn what_was_delivered_is_not_delivered_again_on_the_next_wake() {
    both(|mut bench| {
        bench.connect(1, "c");
        bench.subscribe(1, "t", ExactlyOnce);
        bench.sleep(1, 1000);
        for (payload, qos) in [("zero", 0), ("one", 1), ("two", 2)] {
            bench.publish_at_broker("t", payload, qos);
        }
        bench.wake(1, "c");
        assert_eq!(bench.payloads(1), ["zero", "one", "two"]);
        bench.wake(1, "c");
        bench.expect(1, &[Packet::PingResp]);
    });
}

#[test]
fn a_sleeper_that_does_not_answer_sleeps_on_and_keeps_its_messages() {
    both(|mut bench| {
        bench.connect(1, "c");
        bench.subscribe(1, "t", AtLeastOnce);
        bench.sleep(1, 1000);
        bench.publish_at_broker("t", "m", 1);
        bench.wake(1, "c");
        bench.assert_state("c", State::Awake);
        bench.advance(seconds(51));
        let got = bench.take(1);
        assert_eq!(got.len(), 6, "once, four times more, and PINGRESP");
        bench.assert_state("c", State::Asleep);
        bench.advance(seconds(500));
        bench.expect(1, &[]);
        bench.wake(1, "c");
        assert_eq!(bench.behave(1).0.len(), 1);
    });
}

#[test]
fn pingreq_that_comes_again_while_awake_makes_the_gateway_send_again() {
    both(|mut bench| {
        bench.connect(1, "c");
        bench.subscribe(1, "t", AtLeastOnce);
        bench.sleep(1, 1000);
        bench.publish_at_broker("t", "m", 1);
        bench.wake(1, "c");
        bench.take(1);
        bench.wake(1, "c");
        let got = bench.take(1);
        let Ok(Packet::Publish(publish)) = Packet::decode(&got[0]) else { panic!("{got:?}") };
        assert!(publish.delivery.dup());
        assert_eq!(got.len(), 1);
    });
}

#[test]
fn a_sleeper_may_publish_without_standing_up() {
    both(|mut bench| {
        bench.connect(1, "c");
        let topic = bench.register(1, "up");
        bench.sleep(1, 100);
        bench.ask(1, &publish(Topic::Id(topic), "m", qos1(1)), &[puback(topic.get(), 1, 0)]);
        bench.assert_state("c", State::Asleep);
    });
}

#[test]
fn the_sleep_duration_can_be_changed_and_left() {
    both(|mut bench| {
        bench.connect(1, "c");
        bench.sleep(1, 10);
        bench.sleep(1, 1000);
        bench.advance(seconds(1000));
        bench.assert_state("c", State::Asleep);
        bench.ask(1, &DISCONNECT, &[DISCONNECT]);
        bench.assert_state("c", State::Disconnected);
        bench.ask(1, &Packet::PingReq(PingReq { client_id: Some("c") }), &[DISCONNECT]);
    });
}

#[test]
fn a_duration_of_zero_is_a_leave() {
    both(|mut bench| {
        bench.connect(1, "c");
        bench.ask(1, &Packet::Disconnect(Disconnect { duration: Some(0) }), &[DISCONNECT]);
        bench.assert_state("c", State::Disconnected);
    });
}

#[test]
fn a_disconnect_that_comes_again_is_acknowledged_again() {
    both(|mut bench| {
        bench.connect(1, "c");
        for _ in 0..3 {
            bench.ask(1, &DISCONNECT, &[DISCONNECT]);
        }
        bench.advance(seconds(60));
        bench.ask(1, &DISCONNECT, &[]);
    });
}

#[test]
fn silence_is_tolerated_for_half_a_duration_more_up_to_a_minute_and_a_tenth_above() {
    for (duration, limit) in [(10, 15), (60, 90), (100, 110), (1000, 1100)] {
        both(|mut bench| {
            bench.ask(1, &Packet::Connect(Connect { duration, ..connect("c") }), &[CONNACK]);
            bench.connect(2, "s");
            bench.sleep(2, duration);
            bench.advance(short_of(seconds(limit)));
            bench.assert_state("c", State::Active);
            bench.assert_state("s", State::Asleep);
            bench.advance(MICROSECOND);
            bench.assert_state("c", State::Lost);
            bench.assert_state("s", State::Lost);
        });
    }
}

#[test]
fn every_message_is_a_sign_of_life() {
    both(|mut bench| {
        bench.connect(1, "c");
        for _ in 0..10 {
            bench.advance(seconds(80));
            bench.ask(1, &PING, &[Packet::PingResp]);
        }
        bench.sleep(1, 60);
        for _ in 0..10 {
            bench.advance(seconds(80));
            bench.wake(1, "c");
            bench.expect(1, &[Packet::PingResp]);
        }
        bench.assert_state("c", State::Asleep);
        bench.advance(seconds(90));
        bench.assert_state("c", State::Lost);
        bench.ask(1, &PING, &[DISCONNECT]);
    });
}

#[test]
fn the_servers_keep_alive_is_kept_for_a_sleeper() {
    let mut bench = Bench::new();
    bench.connect(1, "c");
    bench.subscribe(1, "t", AtLeastOnce);
    bench.sleep(1, 60_000);
    bench.advance(seconds(50_000));
    bench.publish_at_broker("t", "m", 1);
    bench.wake(1, "c");
    assert_eq!(bench.payloads(1), ["m"]);
    assert!(bench.upstream().iter().all(|sent| !matches!(sent, crate::support::Sent::Unsubscribe(_))));
}

#[test]
fn messages_that_come_while_awake_are_delivered_before_pingresp() {
    both(|mut bench| {
        bench.connect(1, "c");
        bench.subscribe(1, "t", AtLeastOnce);
        bench.sleep(1, 1000);
        bench.publish_at_broker("t", "1", 1);
        bench.wake(1, "c");
        bench.publish_at_broker("t", "2", 1);
        let got = bench.take(1);
        assert_eq!(got.len(), 1);
        let Ok(Packet::Publish(publish)) = Packet::decode(&got[0]) else { panic!("{got:?}") };
        let Delivery::AtLeastOnce { message_id, .. } = publish.delivery else { panic!("{publish:?}") };
        bench.send(1, &puback(publish.topic.field(), message_id.get(), 0));
        let (messages, over) = bench.behave(1);
        assert_eq!((messages.len(), messages[0].1.as_str(), over), (1, "2", true));
    });
}

#[test]
fn a_client_that_is_congested_is_left_alone_for_a_while() {
    both(|mut bench| {
        bench.connect(1, "c");
        bench.subscribe(1, "t", AtLeastOnce);
        bench.sleep(1, 10_000);
        bench.publish_at_broker("t", "m", 1);
        bench.wake(1, "c");
        let got = bench.take(1);
        let Ok(Packet::Publish(publish)) = Packet::decode(&got[0]) else { panic!("{got:?}") };
        let message_id = publish.delivery.message_id().unwrap().get();
        bench.ask(1, &puback(1, message_id, 1), &[Packet::PingResp]);
        bench.assert_state("c", State::Asleep);
        bench.wake(1, "c");
        assert_eq!(bench.payloads(1), ["m"]);
    });
}

/// A client that connects with CleanSession while it is taken to be asleep may know no topic ids any more.
#[test]
fn topic_ids_are_told_again_to_a_sleeper_that_connects_anew() {
    both(|mut bench| {
        bench.connect(1, "a");
        bench.subscribe(1, "t/+", AtMostOnce);
        bench.publish_at_broker("t/1", "1", 0);
        assert_eq!(bench.payloads(1), ["1"]);
        bench.sleep(1, 100);
        bench.advance(seconds(10));
        bench.connect(1, "a");
        bench.publish_at_broker("t/1", "2", 0);
        let told = bench.take(1);
        assert!(matches!(Packet::decode(&told[0]), Ok(Packet::Register(_))), "{told:?}");
    });
}
