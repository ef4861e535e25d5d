//! What survives a crash of the broker: records out, acknowledgements held back until they are durable, and all of it back
//! again (MQTT 5 §4.1, §4.4).

use mqtt_codec::{
    Connect, Packet, Properties, Property, Publish, QoS, SubscriptionIdentifier, SubscriptionOptions, Will,
};
use mqtt_core::{Action, Config, ConnectionId, Input, Record, RecordNumber, Refused};

use crate::support::{
    AtLeastOnce, AtMostOnce, Bench, ExactlyOnce, Got, MICROSECOND, V3_1_1, V5, connect, persistent, publish,
    seconds, will, with,
};

fn durable(config: &mut Config) {
    config.durable = true;
}

fn bench() -> Bench {
    Bench::with(durable)
}

/// The broker crashes, and is back after a while with nothing but the records.
fn crash(bench: &Bench, records: &[Record], downtime: u64) -> Bench {
    let mut later = Bench::with(durable);
    later.now = bench.now + seconds(downtime);
    let mut after = later.restored(records, durable);
    after.records.splice(0..0, records.iter().cloned());
    tick(&mut after);
    after
}

fn tick(bench: &mut Bench) {
    bench.broker.handle(Input::Tick, bench.now);
    bench.drain();
}

fn crash_at_once(bench: &Bench) -> Bench {
    crash(bench, &bench.records, 0)
}

fn expiring(expiry: u32) -> [Property<'static>; 1] {
    [Property::SessionExpiryInterval(expiry)]
}

/// A subscriber to `a` with a session that is off-line, and a publisher.
fn sleeper(bench: &mut Bench, qos: QoS) -> ConnectionId {
    let client = bench.connect(&persistent(V5, "s"));
    bench.subscribe(client, "a", qos);
    bench.close(client);
    bench.connect(&persistent(V5, "p"))
}

#[test]
fn a_session_expires_when_it_would_have_without_the_crash() {
    for (wait, there) in [(29, true), (30, false)] {
        let mut bench = bench();
        let client = bench.connect(&with(persistent(V5, "c"), &expiring(30)));
        bench.close(client);
        bench.advance(seconds(10));
        let mut after = crash(&bench, &bench.records, 10);
        after.advance(seconds(wait - 20));
        assert_eq!(after.session_present(&persistent(V5, "c")), there, "after {wait} s");
    }
}

#[test]
fn a_session_that_was_connected_starts_to_expire_with_the_restart() {
    for (wait, there) in [(29, true), (30, false)] {
        let mut bench = bench();
        bench.connect(&with(persistent(V5, "c"), &expiring(30)));
        bench.advance(seconds(100));
        let mut after = crash(&bench, &bench.records, 50);
        after.advance(seconds(wait));
        assert_eq!(after.session_present(&persistent(V5, "c")), there, "after {wait} s");
    }
}

#[test]
fn a_session_that_expired_during_the_downtime_is_gone() {
    let mut bench = bench();
    let client = bench.connect(&with(persistent(V5, "c"), &expiring(30)));
    bench.close(client);
    // Even for a client that is back before the first tick.
    let mut later = Bench::with(durable);
    later.now = bench.now + seconds(30);
    assert!(!later.restored(&bench.records, durable).session_present(&persistent(V5, "c")));

    let after = crash(&bench, &bench.records, 31);
    assert_eq!((after.broker.gauges().sessions, after.broker.counters().sessions_expired), (0, 1));
    // And that is on record, too.
    assert_eq!(crash_at_once(&after).broker.counters().sessions_expired, 0);
}

#[test]
fn a_message_goes_on_expiring() {
    let expiry = [Property::MessageExpiryInterval(100)];
    let properties = Properties::list(&expiry);
    for (downtime, expected) in [(59, &["MessageExpiryInterval(1)"][..]), (60, &[])] {
        let mut bench = bench();
        let publisher = sleeper(&mut bench, AtLeastOnce);
        bench.publish(publisher, &Publish { properties, ..publish("a", b"x", AtLeastOnce, 1) });
        bench.advance(seconds(40));
        let mut after = crash(&bench, &bench.records, downtime);
        let client = after.connect(&persistent(V5, "s"));
        let messages = after.messages(client);
        let left: Vec<_> = messages.iter().flat_map(|message| &message.properties).collect();
        assert_eq!(left, expected);
    }
}

#[test]
fn a_retained_message_that_expired_during_the_downtime_does_not_uncover_an_older_one() {
    let expiry = [Property::MessageExpiryInterval(10)];
    let mut bench = bench();
    let publisher = bench.connect(&connect(V5, "p"));
    let retained = Publish { retain: true, ..publish("a", b"old", AtMostOnce, 1) };
    bench.publish(publisher, &retained);
    bench.publish(publisher, &Publish { payload: b"new", properties: Properties::list(&expiry), ..retained });
    assert_eq!(crash_at_once(&bench).broker.gauges().retained, 1);
    assert_eq!(crash(&bench, &bench.records, 10).broker.gauges().retained, 0);
}

#[test]
fn retained_messages_come_back_and_cleared_ones_do_not() {
    let mut bench = bench();
    let publisher = bench.connect(&connect(V3_1_1, "p"));
    for (topic, payload) in [("a", "1"), ("b", "1"), ("a", "2"), ("b", ""), ("c", "3"), ("$app/x", "4")] {
        let retained = Publish { retain: true, ..publish(topic, payload.as_bytes(), AtLeastOnce, 1) };
        bench.publish(publisher, &retained);
    }
    let mut after = crash_at_once(&bench);
    let client = after.connect(&connect(V3_1_1, "c"));
    after.subscribe(client, "#", AtLeastOnce);
    let got = after.messages(client);
    assert!(got.iter().all(|message| message.retain && message.qos == AtLeastOnce));
    let got: Vec<_> =
        got.iter().map(|message| (message.topic.as_str(), message.payload.as_slice())).collect();
    assert_eq!(got, [("a", b"2".as_slice()), ("c", b"3")]);
    after.subscribe(client, "$app/#", AtLeastOnce);
    assert_eq!(after.payloads(client), ["4"]);
}

#[test]
fn a_will_keeps_its_delay() {
    let delayed = [Property::WillDelayInterval(60)];
    let last = Will { properties: Properties::list(&delayed), ..will("a", b"gone") };
    // Lost 20 s before the broker is back; or connected until the crash.
    for (lost_before, wait) in [(true, 40), (false, 60)] {
        let mut bench = bench();
        sleeper(&mut bench, AtLeastOnce);
        let client = bench.connect(&Connect { will: Some(last), ..persistent(V5, "w") });
        if lost_before {
            bench.close(client);
        }
        bench.advance(seconds(10));
        let mut after = crash(&bench, &bench.records, 10);
        after.advance_short_of(seconds(wait));
        assert_eq!(after.broker.counters().wills_published, 0);
        after.advance(MICROSECOND);
        let client = after.connect(&persistent(V5, "s"));
        assert_eq!(after.payloads(client), ["gone"]);
        // Once is enough.
        assert_eq!(crash_at_once(&after).broker.counters().wills_published, 0);
    }
}

#[test]
fn a_will_without_delay_is_published_at_the_restart_even_if_its_client_is_quick() {
    let mut bench = bench();
    sleeper(&mut bench, AtLeastOnce);
    bench.connect(&Connect { will: Some(will("a", b"gone")), ..persistent(V5, "w") });
    // No tick between.
    let mut after = bench.restored(&bench.records, durable);
    after.connect(&persistent(V5, "w"));
    let client = after.connect(&persistent(V5, "s"));
    assert_eq!(after.payloads(client), ["gone"]);
}

#[test]
fn a_will_that_was_taken_back_stays_so() {
    let mut bench = bench();
    sleeper(&mut bench, AtLeastOnce);
    let client = bench.connect(&Connect { will: Some(will("a", b"gone")), ..persistent(V5, "w") });
    bench.disconnect(client, mqtt_codec::ReasonCode::SUCCESS);
    assert_eq!(crash_at_once(&bench).broker.counters().wills_published, 0);
}

#[test]
fn subscriptions_come_back_with_their_options() {
    let mut bench = bench();
    let client = bench.connect(&persistent(V5, "c"));
    let identifier = [Property::SubscriptionIdentifier(SubscriptionIdentifier::new(7).unwrap())];
    let options = SubscriptionOptions { retain_as_published: true, ..SubscriptionOptions::qos(AtLeastOnce) };
    bench.subscribe_with(client, "a/+", options, &identifier);
    let local = SubscriptionOptions { no_local: true, ..SubscriptionOptions::qos(ExactlyOnce) };
    bench.subscribe_with(client, "b", local, &[]);
    bench.subscribe(client, "c", AtLeastOnce);
    bench.unsubscribe(client, "c");

    let mut after = crash_at_once(&bench);
    assert_eq!(after.broker.gauges().subscriptions, 2);
    let client = after.connect(&persistent(V5, "c"));
    let other = after.connect(&connect(V5, "p"));
    let retained = Publish { retain: true, ..publish("a/1", b"x", ExactlyOnce, 1) };
    after.publish(other, &retained);
    after.publish(client, &publish("b", b"own", AtLeastOnce, 1));
    after.publish(client, &publish("c", b"no more", AtLeastOnce, 2));
    let got = after.messages(client);
    assert_eq!(got.len(), 1, "{got:?}");
    assert_eq!((got[0].qos, got[0].retain), (AtLeastOnce, true));
    assert_eq!(got[0].properties, [format!("{:?}", identifier[0])]);
}

#[test]
fn a_shared_subscription_and_what_waits_for_it_come_back() {
    let mut bench = bench();
    let member = bench.connect(&persistent(V5, "m"));
    bench.subscribe(member, "$share/g/a", AtLeastOnce);
    bench.close(member);
    let publisher = bench.connect(&connect(V5, "p"));
    bench.publish(publisher, &publish("a", b"1", AtLeastOnce, 1));
    let mut after = crash_at_once(&bench);
    let publisher = after.connect(&connect(V5, "p"));
    after.publish(publisher, &publish("a", b"2", AtLeastOnce, 1));
    let member = after.connect(&persistent(V5, "m"));
    assert_eq!(after.payloads(member), ["1", "2"]);
    assert_eq!(after.broker.gauges().shared_subscriptions, 1);
}

#[test]
fn what_was_in_flight_goes_on_where_it_was_and_the_queue_follows() {
    let mut bench = bench();
    let small = [Property::SessionExpiryInterval(u32::MAX), Property::ReceiveMaximum(3.try_into().unwrap())];
    let small = with(persistent(V5, "s"), &small);
    let subscriber = bench.connect(&small);
    bench.subscribe(subscriber, "a", ExactlyOnce);
    let publisher = bench.connect(&connect(V5, "p"));
    for (id, payload) in (1..).zip([b"1", b"2", b"3", b"4", b"5"]) {
        let qos = if payload == b"3" { AtLeastOnce } else { ExactlyOnce };
        bench.publish(publisher, &publish("a", payload, qos, id));
    }
    let first = bench.messages(subscriber);
    bench.pubrec(subscriber, first[0].packet_id.unwrap());

    let mut after = crash_at_once(&bench);
    let subscriber = after.connect(&small);
    let got = after.got(subscriber);
    let [Got::Publish(second), Got::Publish(third), Got::PubRel(released, _)] = got.as_slice() else {
        panic!("{got:?}")
    };
    assert_eq!(Some(*released), first[0].packet_id);
    assert!(second.dup && third.dup);
    assert_eq!((second.packet_id, &second.payload), (first[1].packet_id, &first[1].payload));
    assert_eq!((third.packet_id, &third.payload), (first[2].packet_id, &first[2].payload));
    after.pubcomp(subscriber, *released);
    after.puback(subscriber, third.packet_id.unwrap());
    let rest = after.messages(subscriber);
    assert!(rest.iter().all(|message| !message.dup));
    assert_eq!(rest.iter().map(|message| message.payload.as_slice()).collect::<Vec<_>>(), [b"4", b"5"]);
}

#[test]
fn a_qos_2_message_from_a_client_is_passed_on_once_across_crashes() {
    let mut bench = bench();
    let publisher = sleeper(&mut bench, ExactlyOnce);
    bench.publish(publisher, &publish("a", b"x", ExactlyOnce, 9));
    let mut after = crash_at_once(&bench);
    let publisher = after.connect(&persistent(V5, "p"));
    after.publish(publisher, &publish("a", b"x", ExactlyOnce, 9));
    assert_eq!(after.got(publisher), [Got::PubRec(9, mqtt_codec::ReasonCode::SUCCESS)]);
    after.pubrel(publisher, 9);
    let mut after = crash_at_once(&after);
    let publisher = after.connect(&persistent(V5, "p"));
    after.publish(publisher, &publish("a", b"y", ExactlyOnce, 9));
    let subscriber = after.connect(&persistent(V5, "s"));
    assert_eq!(after.payloads(subscriber), ["x", "y"]);
}

#[test]
fn messages_of_several_runs_are_not_mixed_up() {
    let mut bench = bench();
    let publisher = sleeper(&mut bench, AtLeastOnce);
    bench.publish(publisher, &publish("a", b"1", AtLeastOnce, 1));
    for payload in [b"2", b"3", b"4"] {
        bench = crash_at_once(&bench);
        let publisher = bench.connect(&persistent(V5, "p"));
        bench.publish(publisher, &publish("a", payload, AtLeastOnce, 1));
    }
    let mut after = crash_at_once(&bench);
    let subscriber = after.connect(&persistent(V5, "s"));
    assert_eq!(after.payloads(subscriber), ["1", "2", "3", "4"]);
}

#[test]
fn messages_that_are_done_take_no_memory_while_records_are_read() {
    let little = |config: &mut Config| {
        durable(config);
        config.max_memory = 20_000;
    };
    let mut bench = bench();
    let subscriber = bench.connect(&persistent(V5, "s"));
    bench.subscribe(subscriber, "a", AtLeastOnce);
    let publisher = bench.connect(&connect(V5, "p"));
    for _ in 0..100 {
        bench.publish(publisher, &publish("a", &[b'x'; 1000], AtLeastOnce, 1));
        let id = bench.messages(subscriber)[0].packet_id.unwrap();
        bench.puback(subscriber, id);
    }
    bench.close(subscriber);
    bench.publish(publisher, &publish("a", b"waits", AtLeastOnce, 1));
    let mut after = bench.restored(&bench.records, little);
    assert_eq!(after.broker.counters().dropped_memory, 0);
    let subscriber = after.connect(&persistent(V5, "s"));
    assert_eq!(after.payloads(subscriber), ["waits"]);
}

#[test]
fn what_is_promised_waits_for_the_storage() {
    let mut bench = bench();
    let publisher = sleeper(&mut bench, ExactlyOnce);
    bench.auto_durable = false;
    let mut written = bench.records.len() as u64;
    let packets: [Packet<'_>; 3] = [
        Packet::Publish(publish("a", b"1", AtLeastOnce, 1)),
        Packet::Publish(publish("a", b"2", ExactlyOnce, 2)),
        Packet::PubRel(mqtt_codec::Acknowledge::success(crate::support::id(2))),
    ];
    for packet in packets {
        bench.send(publisher, &packet);
        assert_eq!(bench.got(publisher), [], "{packet:?} was answered before anything was durable");
        written += 1;
        bench.broker.handle(Input::Durable { up_to: RecordNumber(written) }, bench.now);
        bench.drain();
        assert_eq!(bench.got(publisher).len(), 1, "{packet:?}");
    }
    let options = SubscriptionOptions::qos(AtLeastOnce);
    bench.subscribe_with(publisher, "b", options, &[]);
    bench.unsubscribe(publisher, "b");
    bench.send(publisher, &Packet::PingReq);
    assert_eq!(bench.got(publisher), []);
    bench.broker.handle(Input::Durable { up_to: RecordNumber(written + 2) }, bench.now);
    bench.drain();
    assert_eq!(bench.got(publisher).len(), 3);
}

#[test]
fn a_client_is_let_in_once_its_session_is_durable() {
    let mut bench = bench();
    bench.auto_durable = false;
    let client = bench.open();
    bench.send(client, &Packet::Connect(persistent(V5, "c")));
    assert_eq!(bench.got(client), []);
    bench.broker.handle(Input::Durable { up_to: RecordNumber(1) }, bench.now);
    bench.drain();
    assert!(matches!(bench.got(client).as_slice(), [Got::ConnAck { session_present: false, .. }]));
}

#[test]
fn sessions_that_end_with_their_connection_leave_no_records_and_wait_for_none() {
    let mut bench = bench();
    bench.auto_durable = false;
    let client = bench.connect(&connect(V5, "c"));
    bench.subscribe(client, "a", ExactlyOnce);
    bench.publish(client, &publish("a", b"x", ExactlyOnce, 1));
    let got = bench.got(client);
    assert!(matches!(got.as_slice(), [Got::Publish(_), Got::PubRec(1, _)]), "{got:?}");
    bench.close(client);
    assert_eq!(bench.records, []);
}

#[test]
fn without_durability_there_are_no_records() {
    let mut bench = Bench::new();
    let publisher = sleeper(&mut bench, ExactlyOnce);
    bench.publish(publisher, &publish("a", b"x", ExactlyOnce, 1));
    assert_eq!(bench.records, []);
}

#[test]
fn records_are_numbered_without_gaps() {
    let mut bench = bench();
    let client = bench.open();
    bench.broker.handle(Input::Closed { connection: client }, bench.now);
    let connection = bench.broker.open(bench.now).unwrap();
    let mut bytes = Vec::new();
    Packet::Connect(persistent(V5, "c")).encode(V5, &mut bytes).unwrap();
    for id in 1..5 {
        Packet::Publish(publish("a", b"x", ExactlyOnce, id)).encode(V5, &mut bytes).unwrap();
    }
    bench.broker.handle(Input::Bytes { connection, bytes: &bytes }, bench.now);
    let numbers: Vec<_> = core::iter::from_fn(|| bench.broker.poll_action())
        .filter_map(|action| if let Action::Record { number, .. } = action { Some(number.0) } else { None })
        .collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
}

#[test]
fn only_a_new_broker_can_be_restored() {
    let mut bench = bench();
    bench.open();
    assert_eq!(bench.broker.restore([], bench.now), Err(Refused::AlreadyRunning));
}
