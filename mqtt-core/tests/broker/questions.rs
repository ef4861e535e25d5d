//! What the host decides: publishing, subscribing, delivering; and what waits for it meanwhile.

use mqtt_codec::{Packet, Publish, ReasonCode, SubscriptionOptions};
use mqtt_core::{Answer, Checks, ConnectionId, Question};

use crate::support::{
    AtLeastOnce, AtMostOnce, Bench, ExactlyOnce, Got, V3_1_1, V5, connect, persistent, publish, seconds,
};

fn asking(publish: bool, subscribe: bool, deliver: bool) -> Bench {
    Bench::with(|config| config.ask.checks = Checks { publish, subscribe, deliver })
}

/// A broker that asks before deliveries only, a subscriber to `#`, and a publisher.
fn delivering() -> (Bench, ConnectionId, ConnectionId) {
    let mut bench = asking(false, false, true);
    let subscriber = bench.connect(&persistent(V5, "s"));
    bench.subscribe(subscriber, "#", ExactlyOnce);
    let publisher = bench.connect(&connect(V5, "p"));
    (bench, subscriber, publisher)
}

fn deny() -> Answer {
    Answer::Deny(ReasonCode::NOT_AUTHORIZED)
}

fn topics_asked(bench: &Bench) -> Vec<&str> {
    let questions = bench.questions.iter();
    questions
        .map(|(_, _, question)| match question {
            Question::Deliver { topic } | Question::Publish { topic, .. } => topic.as_str(),
            Question::Subscribe { filter, .. } => filter.as_str(),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn a_publish_waits_for_the_answer_and_then_goes_on() {
    let mut bench = asking(true, false, false);
    let watcher = bench.connect(&connect(V5, "w"));
    bench.subscribe(watcher, "#", AtMostOnce);
    let client = bench.connect(&connect(V5, "c"));
    bench.publish(client, &Publish { retain: true, ..publish("a", b"x", AtLeastOnce, 1) });
    let expected = Question::Publish { topic: "a".into(), qos: AtLeastOnce, retain: true };
    assert_eq!(bench.questions[0].2, expected);
    assert!(bench.got(client).is_empty() && bench.got(watcher).is_empty());
    bench.answer(Answer::Allow);
    assert_eq!(bench.got(client), [Got::PubAck(1, ReasonCode::SUCCESS)]);
    assert_eq!(bench.payloads(watcher), ["x"]);
    assert_eq!(bench.broker.gauges().retained, 1);
}

#[test]
fn a_publish_that_is_denied_is_answered_with_the_reason_where_there_is_one() {
    // 3.1.1 [MQTT-3.3.5-2]: acknowledged as if all were well.
    for (version, reason) in [(V5, ReasonCode::NOT_AUTHORIZED), (V3_1_1, ReasonCode::SUCCESS)] {
        let mut bench = asking(true, false, false);
        let watcher = bench.connect(&connect(V5, "w"));
        bench.subscribe(watcher, "#", AtMostOnce);
        let client = bench.connect(&connect(version, "c"));
        for (qos, packet_id) in [(AtMostOnce, 0), (AtLeastOnce, 1), (ExactlyOnce, 2)] {
            bench.publish(client, &publish("a", b"x", qos, packet_id));
            bench.answer(deny());
        }
        assert_eq!(bench.got(client), [Got::PubAck(1, reason), Got::PubRec(2, reason)]);
        assert!(bench.messages(watcher).is_empty());
        assert_eq!(bench.broker.counters().dropped_publish_denied, 3);
    }
}

#[test]
fn a_denied_qos2_identifier_is_free_at_once_in_mqtt_5_and_after_pubrel_in_3_1_1() {
    // [MQTT-4.3.3-9]
    for (version, asked_again) in [(V5, 1), (V3_1_1, 0)] {
        let mut bench = asking(true, false, false);
        let client = bench.connect(&connect(version, "c"));
        bench.publish(client, &publish("a", b"x", ExactlyOnce, 2));
        bench.answer(deny());
        bench.publish(client, &publish("a", b"x", ExactlyOnce, 2));
        assert_eq!(bench.questions.len(), asked_again);
    }
}

#[test]
fn packets_behind_a_question_wait_in_order_and_nobody_elses_do() {
    let mut bench = asking(true, true, false);
    let client = bench.connect(&connect(V5, "c"));
    let mut bytes = Vec::new();
    for packet in [
        Packet::Publish(publish("a", b"1", AtLeastOnce, 1)),
        Packet::Publish(publish("a", b"2", AtLeastOnce, 2)),
        Packet::PingReq,
    ] {
        packet.encode(V5, &mut bytes).unwrap();
    }
    let mut taken = bench.send_bytes(client, &bytes);
    assert_eq!(topics_asked(&bench), ["a"]);
    assert_eq!(bench.send_bytes(client, &bytes[taken..]), 0);
    let other = bench.connect(&connect(V5, "other"));
    bench.send(other, &Packet::PingReq);
    assert_eq!(bench.got(other), [Got::PingResp]);

    bench.answer(Answer::Allow);
    assert_eq!(core::mem::take(&mut bench.resumed), [client]);
    taken += bench.send_bytes(client, &bytes[taken..]);
    bench.answer(deny());
    bench.send_bytes(client, &bytes[taken..]);
    let expected = [
        Got::PubAck(1, ReasonCode::NO_MATCHING_SUBSCRIBERS),
        Got::PubAck(2, ReasonCode::NOT_AUTHORIZED),
        Got::PingResp,
    ];
    assert_eq!(bench.got(client), expected);
}

#[test]
fn each_filter_is_asked_for_and_the_suback_comes_when_all_are_decided() {
    let mut bench = asking(false, true, false);
    for (version, denied) in [(V5, ReasonCode::NOT_AUTHORIZED), (V3_1_1, ReasonCode::UNSPECIFIED_ERROR)] {
        let client = bench.connect(&connect(version, "c"));
        let filters = ["a", "$share/g/b", "c"].map(|filter| (filter, SubscriptionOptions::qos(ExactlyOnce)));
        let subscribe = mqtt_codec::Subscribe {
            packet_id: crate::support::id(5),
            properties: mqtt_codec::Properties::NONE,
            filters: mqtt_codec::SubscribeFilters::list(&filters),
        };
        bench.send(client, &Packet::Subscribe(subscribe));
        for (filter, answer) in [("a", Answer::Allow), ("$share/g/b", deny()), ("c", Answer::Allow)] {
            assert_eq!(bench.questions[0].2, Question::Subscribe { filter: filter.into(), qos: ExactlyOnce });
            assert!(bench.got(client).is_empty());
            bench.answer(answer);
        }
        let granted = ReasonCode::GRANTED_QOS_2;
        assert_eq!(bench.got(client), [Got::SubAck(5, vec![granted, denied, granted])]);
        assert_eq!(bench.broker.gauges().subscriptions, 2);
    }
}

#[test]
fn what_is_invalid_anyway_is_not_asked_for() {
    let mut bench = asking(true, true, false);
    let client = bench.connect(&connect(V5, "c"));
    bench.subscribe_with(client, &"a/".repeat(200), SubscriptionOptions::qos(AtMostOnce), &[]);
    assert_eq!(bench.got(client), [Got::SubAck(77, vec![ReasonCode::TOPIC_FILTER_INVALID])]);
    assert!(bench.questions.is_empty());
}

#[test]
fn deliveries_are_asked_for_one_after_the_other_in_order() {
    let (mut bench, subscriber, publisher) = delivering();
    for (topic, qos) in [("a", AtMostOnce), ("b", AtLeastOnce), ("c", ExactlyOnce)] {
        bench.publish(publisher, &publish(topic, topic.as_bytes(), qos, 1));
    }
    for (topic, answer) in [("a", Answer::Allow), ("b", deny()), ("c", Answer::Allow)] {
        assert_eq!(topics_asked(&bench), [topic]);
        bench.answer(answer);
    }
    assert_eq!(bench.payloads(subscriber), ["a", "c"]);
    assert_eq!(bench.broker.counters().dropped_deliver_denied, 1);
    assert!(bench.questions.is_empty());
}

#[test]
fn an_open_question_about_a_delivery_holds_up_no_packet_of_the_client() {
    let (mut bench, subscriber, publisher) = delivering();
    bench.publish(publisher, &publish("a", b"x", AtMostOnce, 0));
    bench.send(subscriber, &Packet::PingReq);
    assert_eq!(bench.got(subscriber), [Got::PingResp]);
}

#[test]
fn retained_and_queued_messages_are_asked_for_when_they_are_delivered() {
    // CVE-2018-12546: rights that were revoked meanwhile count.
    let (mut bench, subscriber, publisher) = delivering();
    bench.close(subscriber);
    bench.publish(publisher, &Publish { retain: true, ..publish("r", b"r", AtLeastOnce, 1) });
    let subscriber = bench.connect(&persistent(V5, "s"));
    assert_eq!(topics_asked(&bench), ["r"]);
    bench.answer(deny());
    bench.subscribe(subscriber, "r", AtLeastOnce);
    assert_eq!(topics_asked(&bench), ["r"]);
    bench.answer(deny());
    assert!(bench.messages(subscriber).is_empty());
    assert_eq!(bench.broker.counters().dropped_deliver_denied, 2);
}

#[test]
fn an_undecided_delivery_is_asked_for_again_on_the_next_connection() {
    let (mut bench, subscriber, publisher) = delivering();
    bench.publish(publisher, &publish("a", b"x", AtLeastOnce, 1));
    bench.close(subscriber);
    let subscriber = bench.connect(&persistent(V5, "s"));
    assert_eq!(bench.questions.len(), 2);
    bench.answer(Answer::Allow);
    assert!(bench.messages(subscriber).is_empty(), "the first question is no longer open");
    bench.answer(Answer::Allow);
    assert_eq!(bench.payloads(subscriber), ["x"]);
}

#[test]
fn an_answer_counts_for_the_message_it_was_asked_for() {
    // The queue drops its oldest message, the one in question, for a newer one.
    let mut bench = Bench::with(|config| {
        config.ask.checks.deliver = true;
        config.queue.messages = 1;
        config.queue.policy = mqtt_core::DropPolicy::Oldest;
    });
    let subscriber = bench.connect(&connect(V5, "s"));
    bench.subscribe(subscriber, "#", AtLeastOnce);
    bench.publish(subscriber, &publish("public", b"1", AtLeastOnce, 1));
    bench.publish(subscriber, &publish("secret", b"2", AtLeastOnce, 2));
    bench.got(subscriber);
    let asked = topics_asked(&bench).len();
    bench.answer(Answer::Allow);
    assert!(bench.messages(subscriber).is_empty());
    let question = bench.questions.last().map(|(_, _, question)| question.clone());
    assert_eq!(question, Some(Question::Deliver { topic: "secret".into() }), "{asked}");
    for _ in 0..bench.questions.len() {
        bench.answer(deny());
    }
    assert!(bench.messages(subscriber).is_empty());
}

#[test]
fn an_allowed_delivery_that_waits_for_quota_is_not_asked_for_twice() {
    let mut bench = Bench::with(|config| {
        config.ask.checks.deliver = true;
        config.max_inflight = 1;
    });
    let client = bench.connect(&connect(V5, "c"));
    bench.subscribe(client, "#", AtLeastOnce);
    for payload in [b"1", b"2"] {
        bench.publish(client, &publish("a", payload, AtLeastOnce, 1));
    }
    bench.answer(Answer::Allow);
    bench.answer(Answer::Allow);
    let sent = bench.messages(client);
    assert_eq!((sent.len(), bench.questions.len()), (1, 0));
    bench.puback(client, sent[0].packet_id.unwrap());
    assert_eq!(bench.payloads(client), ["2"]);
}

#[test]
fn a_message_may_expire_while_it_is_asked_for() {
    let (mut bench, subscriber, publisher) = delivering();
    let expiry = [mqtt_codec::Property::MessageExpiryInterval(5)];
    let properties = mqtt_codec::Properties::list(&expiry);
    bench.publish(publisher, &Publish { properties, ..publish("a", b"x", AtLeastOnce, 1) });
    bench.advance(seconds(10));
    bench.answer(Answer::Allow);
    assert!(bench.messages(subscriber).is_empty());
    bench.publish(publisher, &publish("b", b"y", AtLeastOnce, 2));
    bench.answer(Answer::Allow);
    assert_eq!(bench.payloads(subscriber), ["y"]);
}

#[test]
fn repeated_and_foreign_answers_are_ignored() {
    let mut bench = asking(true, false, false);
    let client = bench.connect(&connect(V5, "c"));
    bench.publish(client, &publish("a", b"x", AtLeastOnce, 1));
    let (question, ..) = bench.questions[0].clone();
    bench.answer(Answer::Allow);
    for answer in [Answer::Allow, deny(), Answer::Continue(Box::new([]))] {
        bench.broker.handle(mqtt_core::Input::Answer { question, answer }, bench.now);
    }
    bench.drain();
    assert_eq!(bench.got(client).len(), 1);
}
