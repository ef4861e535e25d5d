//! Bounded queues, the memory budget, slow readers.

use mqtt_codec::{
    Packet, Properties, Property, Publish, QoS, ReasonCode, SubscriptionIdentifier, SubscriptionOptions,
};
use mqtt_core::{CloseReason, Config, ConnectionId, DropPolicy, Publication, Refused};

use crate::support::{
    AtLeastOnce, AtMostOnce, Bench, ExactlyOnce, Got, V3_1_1, V5, connect, persistent, publish, seconds,
};

/// A client with a session and a subscription to `a` that is off-line, and a publisher.
fn sleeper(change: impl FnOnce(&mut Config)) -> (Bench, ConnectionId) {
    let mut bench = Bench::with(change);
    let client = bench.connect(&persistent(V5, "s"));
    bench.subscribe(client, "a", ExactlyOnce);
    bench.close(client);
    let publisher = bench.connect(&connect(V5, "p"));
    (bench, publisher)
}

fn publish_all(bench: &mut Bench, publisher: ConnectionId, qos: QoS, payloads: &[&str]) {
    for payload in payloads {
        bench.publish(publisher, &publish("a", payload.as_bytes(), qos, 1));
    }
}

fn woken(bench: &mut Bench) -> Vec<String> {
    let client = bench.connect(&persistent(V5, "s"));
    bench.payloads(client)
}

#[test]
fn a_full_queue_drops_the_newest_or_the_oldest_and_counts_it() {
    for (policy, kept) in [(DropPolicy::Newest, ["1", "2"]), (DropPolicy::Oldest, ["3", "4"])] {
        let (mut bench, publisher) = sleeper(|config| {
            config.queue.messages = 2;
            config.queue.policy = policy;
        });
        publish_all(&mut bench, publisher, AtLeastOnce, &["1", "2", "3", "4"]);
        let answers = vec![Got::PubAck(1, ReasonCode::SUCCESS); 4];
        assert_eq!(bench.got(publisher), answers, "the broker has taken them");
        assert_eq!(woken(&mut bench), kept);
        assert_eq!(bench.broker.counters().dropped_queue_full, 2);
    }
}

#[test]
fn a_queue_is_bounded_in_bytes_too() {
    // Each message has 1 byte of topic and 9 of payload.
    let (mut bench, publisher) = sleeper(|config| config.queue.bytes = 20);
    publish_all(&mut bench, publisher, AtLeastOnce, &["message 1", "message 2", "message 3"]);
    assert_eq!(woken(&mut bench), ["message 1", "message 2"]);
    assert_eq!(bench.broker.counters().dropped_queue_full, 1);
}

#[test]
fn a_drained_queue_has_room_again() {
    let (mut bench, publisher) = sleeper(|config| config.queue.messages = 1);
    for round in ["1", "2"] {
        publish_all(&mut bench, publisher, AtMostOnce, &["never kept"]);
        publish_all(&mut bench, publisher, AtLeastOnce, &[round]);
        let client = bench.connect(&persistent(V5, "s"));
        let messages = bench.messages(client);
        assert_eq!(messages[0].payload, round.as_bytes());
        bench.puback(client, messages[0].packet_id.unwrap());
        bench.close(client);
    }
    assert_eq!(bench.broker.counters().dropped_queue_full, 0);
}

#[test]
fn a_message_that_many_wait_for_counts_once() {
    let mut bench = Bench::new();
    for number in 0..50 {
        let client = bench.connect(&persistent(V5, &format!("s{number}")));
        bench.subscribe(client, "a", AtLeastOnce);
        bench.close(client);
    }
    let publisher = bench.connect(&connect(V5, "p"));
    let before = bench.broker.gauges();
    bench.publish(publisher, &Publish { retain: true, ..publish("a", &[0; 5000], AtLeastOnce, 1) });
    let gauges = bench.broker.gauges();
    assert_eq!((gauges.messages, gauges.message_bytes), (1, 5001));
    // The places in fifty queues are counted one by one.
    assert!(gauges.memory - before.memory < 5500 + 50 * 96, "{gauges:?}");
}

#[test]
fn memory_is_given_back() {
    let (mut bench, publisher) = sleeper(|_| {});
    let before = bench.broker.gauges().memory;
    publish_all(&mut bench, publisher, ExactlyOnce, &["1"]);
    publish_all(&mut bench, publisher, AtLeastOnce, &["2"]);
    let client = bench.connect(&persistent(V5, "s"));
    for message in bench.messages(client) {
        let id = message.packet_id.unwrap();
        if message.qos == ExactlyOnce {
            bench.pubrec(client, id);
            assert_eq!(bench.broker.gauges().messages, 1, "after PUBREC the message itself is not needed");
            bench.pubcomp(client, id);
        } else {
            bench.puback(client, id);
        }
    }
    assert_eq!((bench.broker.gauges().messages, bench.broker.gauges().memory), (0, before));
}

#[test]
fn without_memory_a_publish_is_refused_as_far_as_the_version_can_say_so() {
    // 3.1.1 [MQTT-4.8.0-2]
    for (qos, answer) in [
        (AtMostOnce, None),
        (AtLeastOnce, Some(Got::PubAck(1, ReasonCode::QUOTA_EXCEEDED))),
        (ExactlyOnce, Some(Got::PubRec(1, ReasonCode::QUOTA_EXCEEDED))),
    ] {
        let (mut bench, publisher) = sleeper(|config| {
            config.max_memory = 1000;
            config.queue.offline_qos0 = true;
        });
        let old = bench.connect(&connect(V3_1_1, "old"));
        let large = [b'x'; 2000];
        bench.publish(publisher, &publish("a", &large, qos, 1));
        assert_eq!(bench.got(publisher), Vec::from_iter(answer));
        bench.publish(old, &publish("a", &large, qos, 1));
        let closed = (qos > AtMostOnce).then_some(Got::Closed(CloseReason::OutOfMemory));
        assert_eq!(bench.got(old), Vec::from_iter(closed));
        assert_eq!(bench.broker.counters().dropped_memory, 2);
        assert!(bench.broker.gauges().memory <= 1000);
        assert!(woken(&mut bench).is_empty());
    }
}

#[test]
fn without_memory_what_need_not_be_kept_still_flows() {
    let mut bench = Bench::with(|config| config.max_memory = 500);
    let client = bench.connect(&connect(V5, "c"));
    bench.subscribe(client, "a", AtMostOnce);
    bench.publish(client, &publish("a", &[b'x'; 600], AtLeastOnce, 1));
    assert_eq!(bench.got(client).len(), 2);
}

#[test]
fn without_memory_the_hosts_publish_is_refused_whole() {
    let (mut bench, _) = sleeper(|config| config.max_memory = 1000);
    let publication = Publication {
        topic: "a",
        qos: AtLeastOnce,
        retain: true,
        properties: mqtt_codec::Properties::NONE,
        payload: &[0; 2000],
    };
    assert_eq!(bench.broker.publish(&publication, bench.now), Err(Refused::Full));
    assert_eq!(bench.broker.gauges().retained, 0);
}

#[test]
fn half_a_packet_counts_and_is_given_back() {
    let mut bench = Bench::with(|config| config.max_memory = 10_000);
    let client = bench.connect(&connect(V5, "c"));
    let mut bytes = Vec::new();
    Packet::Publish(publish("a", &vec![0; 50_000], AtMostOnce, 0)).encode(V5, &mut bytes).unwrap();
    bench.send_bytes(client, &bytes[..3000]);
    let memory = bench.broker.gauges().memory;
    assert!((3000..=6100).contains(&memory), "room grows with what has come: {memory}");
    bench.send_bytes(client, &bytes[3000..40_000]);
    let closed = Got::Closed(CloseReason::OutOfMemory);
    assert_eq!(bench.got(client), [Got::Disconnect(ReasonCode::QUOTA_EXCEEDED), closed]);
    assert_eq!(bench.broker.gauges().memory, 0);
}

/// A subscriber to `a` that reads nothing, one that does, and a publisher.
fn slow_and_quick(qos: QoS) -> (Bench, ConnectionId, ConnectionId, ConnectionId) {
    let mut bench = Bench::with(|config| {
        config.output_high_water = 10_000;
        config.queue.messages = 50;
    });
    let [slow, quick] = ["slow", "quick"].map(|name| bench.connect(&connect(V5, name)));
    for client in [slow, quick] {
        bench.subscribe(client, "a", qos);
    }
    bench.stalled.push(slow);
    let publisher = bench.connect(&connect(V5, "p"));
    (bench, slow, quick, publisher)
}

#[test]
fn a_slow_reader_holds_a_bounded_amount_and_delays_nobody() {
    for size in [500, 5_000] {
        let (mut bench, slow, quick, publisher) = slow_and_quick(AtMostOnce);
        for number in 0..1000 {
            bench.publish(publisher, &publish("a", &vec![b'x'; size], AtMostOnce, 0));
            assert_eq!(bench.messages(quick).len(), 1, "{number}");
        }
        let waiting: usize = bench.broker.output(slow).map(<[u8]>::len).sum();
        assert!(waiting < 10_000 + 2 * size, "{waiting}");
        assert!(bench.broker.gauges().messages <= 53);
        let dropped = bench.broker.counters().dropped_queue_full;
        bench.unstall(slow);
        assert_eq!(bench.messages(slow).len() as u64, 1000 - dropped);
    }
}

#[test]
fn a_slow_reader_gets_what_was_kept_in_order() {
    let (mut bench, slow, _, publisher) = slow_and_quick(AtLeastOnce);
    for number in 0..60 {
        bench.publish(publisher, &publish("a", format!("{number:0500}").as_bytes(), AtLeastOnce, 1));
    }
    bench.unstall(slow);
    let numbers: Vec<u32> = bench.payloads(slow).iter().map(|text| text.parse().unwrap()).collect();
    assert_eq!(numbers, (0..60).collect::<Vec<_>>());
}

#[test]
fn a_client_that_reads_no_answers_is_not_read_from() {
    let mut bench = Bench::with(|config| config.output_high_water = 1000);
    let client = bench.connect(&connect(V5, "c"));
    bench.stalled.push(client);
    let pings = b"\xc0\x00".repeat(100_000);
    let mut taken = bench.send_bytes(client, &pings);
    assert!(taken < 3000, "{taken}");
    assert_eq!(bench.send_bytes(client, &pings[taken..]), 0);
    bench.unstall(client);
    assert_eq!(bench.resumed, [client]);
    while taken < pings.len() {
        taken += bench.send_bytes(client, &pings[taken..]);
    }
    assert_eq!(bench.got(client).len(), 100_000);
}

#[test]
fn subscriptions_count_towards_the_memory_limit() {
    let mut bench = Bench::with(|config| config.max_memory = 10_000);
    let client = bench.connect(&connect(V5, "c"));
    let reasons: Vec<_> = (0..100)
        .map(|number| {
            let filter = format!("{number:0100}");
            bench.subscribe_with(client, &filter, SubscriptionOptions::qos(AtMostOnce), &[]);
            bench.got(client).remove(0)
        })
        .collect();
    assert_eq!(reasons[0], Got::SubAck(77, vec![ReasonCode::GRANTED_QOS_0]));
    assert_eq!(reasons[99], Got::SubAck(77, vec![ReasonCode::QUOTA_EXCEEDED]));
    bench.close(client);
    assert_eq!(bench.broker.gauges().memory, 0);
}

#[test]
fn a_fan_out_is_said_once_for_each_connection_and_leaves_in_one_piece() {
    let mut bench = Bench::new();
    let clients: Vec<_> = (0..20)
        .map(|number| {
            let client = bench.connect(&connect(V5, &format!("c{number}")));
            bench.subscribe(client, "a", AtMostOnce);
            client
        })
        .collect();
    let mut bytes = Vec::new();
    for payload in [vec![b'x'; 10], vec![b'y'; 5000], vec![b'z'; 10]] {
        Packet::Publish(publish("a", &payload, AtMostOnce, 0)).encode(V5, &mut bytes).unwrap();
    }
    bench.broker.handle(mqtt_core::Input::Bytes { connection: clients[0], bytes: &bytes }, bench.now);
    let mut outputs = Vec::new();
    while let Some(action) = bench.broker.poll_action() {
        match action {
            mqtt_core::Action::Output(connection) => outputs.push(connection),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(outputs, clients);
    // Small packets are copied together, the large payload is lent: head, payload, rest.
    let chunks: Vec<Vec<&[u8]>> =
        clients.iter().map(|client| bench.broker.output(*client).collect()).collect();
    let payload = chunks[0][1].as_ptr();
    for chunks in chunks {
        assert_eq!((chunks.len(), chunks[1].as_ptr(), chunks[1].len()), (3, payload, 5000));
    }
}

#[test]
fn the_identifiers_of_overlapping_subscriptions_count() {
    let (mut bench, publisher) = sleeper(|_| {});
    let client = bench.connect(&persistent(V5, "many"));
    let filters: Vec<String> = (0..256_u32)
        .map(|wild| (0..8).map(|level| if wild >> level & 1 == 0 { "a/" } else { "+/" }).collect())
        .collect();
    for (number, filter) in (1..).zip(&filters) {
        let identifier = Property::SubscriptionIdentifier(SubscriptionIdentifier::new(number).unwrap());
        bench.subscribe_with(client, filter, SubscriptionOptions::qos(AtLeastOnce), &[identifier]);
    }
    bench.close(client);
    let before = bench.broker.gauges();
    bench.publish(publisher, &publish("a/a/a/a/a/a/a/a/", b"", AtLeastOnce, 1));
    let more = bench.broker.gauges().memory - before.memory;
    assert!((4 * 256..4 * 256 + 500).contains(&more), "{more}");
    let client = bench.connect(&persistent(V5, "many"));
    let message = bench.messages(client).remove(0);
    assert_eq!(message.properties.len(), 256);
    bench.puback(client, message.packet_id.unwrap());
    assert_eq!(bench.broker.gauges().memory, before.memory);
}

#[test]
fn retained_messages_that_fill_the_memory_can_still_be_read() {
    let mut bench = Bench::with(|config| config.max_memory = 20_000);
    let publisher = bench.connect(&connect(V5, "p"));
    let client = bench.connect(&connect(V5, "s"));
    bench.subscribe(client, "a", AtLeastOnce);
    bench.unsubscribe(client, "a");
    let mut kept = 0;
    while bench.broker.counters().dropped_memory + bench.broker.counters().dropped_retained_full == 0 {
        kept = bench.broker.gauges().retained;
        let topic = format!("r/{kept}");
        bench.publish(publisher, &Publish { retain: true, ..publish(&topic, b"x", AtMostOnce, 0) });
    }
    assert!(kept > 20);
    // Room for a subscription, but for nothing else.
    let room = bench.broker.gauges().memory as usize + 200;
    let more = Config { max_memory: room, ..bench.broker.config().clone() };
    bench.broker.reconfigure(more, bench.now);
    bench.subscribe(client, "r/#", AtLeastOnce);
    assert_eq!(bench.messages(client).len(), kept as usize);
}

#[test]
fn large_properties_are_lent_like_a_large_payload() {
    let mut bench = Bench::new();
    let clients = [("a", V5), ("b", V5), ("c", V3_1_1)];
    let clients = clients.map(|(name, version)| bench.connect(&connect(version, name)));
    for client in clients {
        bench.subscribe(client, "a", AtMostOnce);
    }
    let (text, payload) = ("x".repeat(3000), [b'y'; 900]);
    let properties = [Property::MessageExpiryInterval(9), Property::UserProperty("key", &text)];
    let message =
        Publish { properties: Properties::list(&properties), ..publish("a", &payload, AtMostOnce, 0) };
    let mut bytes = Vec::new();
    Packet::Publish(message).encode(V5, &mut bytes).unwrap();
    bench.broker.handle(mqtt_core::Input::Bytes { connection: clients[0], bytes: &bytes }, bench.now);

    let chunks = clients.map(|client| bench.broker.output(client).collect::<Vec<_>>());
    let lent = chunks[0][1];
    assert_eq!(lent.len(), 1 + 2 + 3 + 2 + 3000 + 900);
    assert_eq!((chunks[1].len(), chunks[1][1].as_ptr(), chunks[1][1].len()), (2, lent.as_ptr(), lent.len()));
    assert_eq!(chunks[2].len(), 1, "no properties before MQTT 5, and a payload that is not worth it");
    bench.drain();
    for client in clients {
        let got = bench.messages(client).remove(0);
        assert_eq!(got.payload, payload);
        let expected = if client == clients[2] { 0 } else { 2 };
        assert_eq!(got.properties.len(), expected);
    }
}

#[test]
fn an_endless_qos1_flow_leaves_nothing_behind() {
    let mut bench = Bench::new();
    let client = bench.connect(&connect(V5, "c"));
    bench.subscribe(client, "a", AtLeastOnce);
    let before = bench.broker.gauges();
    for _ in 0..2000 {
        bench.publish(client, &publish("a", b"x", AtLeastOnce, 1));
        for message in bench.messages(client) {
            bench.puback(client, message.packet_id.unwrap());
        }
    }
    bench.advance(seconds(1));
    assert_eq!(bench.broker.gauges(), before);
}
