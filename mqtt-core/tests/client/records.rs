//! A client's session in records: what is held back until they are durable, and a restart after any of them.

use std::collections::BTreeSet;

use mqtt_codec::{Packet, PacketType, Property, ReasonCode};
use mqtt_core::Refused;
use mqtt_core::client::{Change, Config, Handle, Input, Outcome};

use crate::script::{
    AtLeastOnce, AtMostOnce, ExactlyOnce, PUBLISHED, Script, V3_1_1, V5, ack, again, first, keeping, plain,
    seconds,
};
use crate::support::Net;

fn durable() -> Config {
    Config { durable: true, ..keeping(V5) }
}

/// A client with these records of an earlier run, let in again.
fn restarted(changes: Vec<Change>, config: Config) -> (Script, Vec<Handle>) {
    let mut script = Script::idle(config);
    let handles = script.client.restore(changes, script.now).unwrap();
    script.client.connect(script.now);
    script.drain();
    script.accept(true);
    (script, handles)
}

#[test]
fn a_client_without_records_writes_none() {
    let mut script = Script::connected(keeping(V5));
    script.publish("1", AtLeastOnce);
    script.send(&first("2", ExactlyOnce, 1));
    assert!(script.records.is_empty());
}

#[test]
fn what_relies_on_a_record_waits_until_it_is_durable() {
    let mut script = Script::connected(durable());
    script.auto_durable = false;
    script.publish("2", ExactlyOnce);
    script.expect(&[]);
    let up_to = script.client.last_record();
    script.input(Input::Durable { up_to });
    script.expect(&[first("2", ExactlyOnce, 1)]);

    script.send(&Packet::PubRec(ack(1)));
    script.expect(&[]);
    let up_to = script.client.last_record();
    script.input(Input::Durable { up_to });
    script.expect(&[Packet::PubRel(ack(1))]);

    script.send(&first("in", ExactlyOnce, 9));
    assert_eq!(script.payloads(), ["in"], "the application need not wait");
    script.expect(&[]);
    let up_to = script.client.last_record();
    script.input(Input::Durable { up_to });
    script.expect(&[Packet::PubRec(ack(9))]);
}

#[test]
fn the_numbers_of_records_have_no_gaps_and_an_event_is_one_record() {
    let mut script = Script::connected(durable());
    for payload in ["1", "2", "3"] {
        script.publish(payload, AtLeastOnce);
    }
    script.send(&Packet::PubAck(ack(1)));
    script.subscribe("a");
    script.suback(1, &[ReasonCode::GRANTED_QOS_0]);
    let numbers: Vec<_> = script.records.iter().map(|(number, _)| number.0).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
}

#[test]
fn a_restarted_client_goes_on_where_it_was() {
    let mut script = Script::connected(durable());
    for (payload, qos) in [("1", AtLeastOnce), ("2", ExactlyOnce), ("3", ExactlyOnce), ("0", AtMostOnce)] {
        script.publish(payload, qos);
    }
    script.send(&Packet::PubRec(ack(2)));
    script.send(&first("in", ExactlyOnce, 9));
    script.cut();
    script.publish("4", AtLeastOnce);
    let changes = script.changes(script.records.len());

    let (mut script, handles) = restarted(changes, durable());
    script.expect(&[
        again("1", AtLeastOnce, 1),
        again("3", ExactlyOnce, 3),
        Packet::PubRel(ack(2)),
        first("4", AtLeastOnce, 4),
    ]);
    script.send(&again("in", ExactlyOnce, 9));
    script.expect(&[Packet::PubRec(ack(9))]);
    assert_eq!(script.payloads(), [""; 0], "it was handed out in the earlier run");
    for packet in
        [Packet::PubAck(ack(1)), Packet::PubComp(ack(2)), Packet::PubRec(ack(3)), Packet::PubAck(ack(4))]
    {
        script.send(&packet);
    }
    script.send(&Packet::PubComp(ack(3)));
    assert_eq!(handles.len(), 4, "one for each message, in order");
    assert!(handles.is_sorted() && handles.iter().all(|handle| script.outcome(*handle) == Some(PUBLISHED)));
    assert_eq!(script.client.unfinished(), 0);
}

#[test]
fn subscriptions_survive_a_restart() {
    let mut script = Script::connected(durable());
    script.subscribe("a");
    script.subscribe("b");
    script.suback(1, &[ReasonCode::GRANTED_QOS_2]);
    script.suback(2, &[ReasonCode::GRANTED_QOS_2]);
    script.unsubscribe("b");
    script.unsuback(1, &[ReasonCode::SUCCESS]);
    let changes = script.changes(script.records.len());
    let (mut script, _) = restarted(changes, durable());
    script.expect(&[]);
    script.reconnect(false);
    assert_eq!(script.types(), [PacketType::Subscribe]);
}

#[test]
fn an_assigned_client_identifier_survives_a_restart() {
    let nameless = || Config { client_id: String::new(), ..durable() };
    let mut script = Script::new(nameless());
    script.accept_with(false, &[Property::AssignedClientIdentifier("given")]);
    let (script, _) = restarted(script.changes(1), nameless());
    assert_eq!(script.client.client_id(), "given");
}

#[test]
fn the_first_run_begins_as_configured_and_later_ones_resume() {
    let clean = |changes: Vec<Change>| {
        let mut script = Script::idle(Config { durable: true, ..plain(V5) });
        script.client.restore(changes, script.now).unwrap();
        script.client.connect(script.now);
        script.drain();
        script.open();
        script.look(|packet| match packet {
            Packet::Connect(connect) => connect.clean_start,
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(clean(Vec::new()), [true]);
    let mut script = Script::connected(durable());
    script.publish("1", AtLeastOnce);
    assert_eq!(clean(script.changes(1)), [false]);
}

#[test]
fn order_survives_a_lost_session_and_a_restart() {
    let mut script = Script::connected(durable());
    for payload in ["1", "2", "3"] {
        script.publish(payload, AtLeastOnce);
    }
    script.cut();
    script.publish("4", AtLeastOnce);
    script.advance(seconds(60));
    script.open();
    let asked = script.records.len();
    script.connack(false, &[]);
    // The records that say what became of the queue, but nothing of what was sent then.
    let lost = script.records[asked..].iter().flat_map(|(_, changes)| changes.clone());
    let lost = lost.take_while(|change| !matches!(change, Change::Sent { .. }));
    let changes = script.changes(asked).into_iter().chain(lost).collect();
    let (mut script, handles) = restarted(changes, durable());
    let payloads = script.look(|packet| match packet {
        Packet::Publish(publish) => publish.payload.to_vec(),
        other => panic!("{other:?}"),
    });
    assert_eq!(payloads, [b"1", b"2", b"3", b"4"]);
    assert_eq!(handles.len(), 4);
    for (place, handle) in (1..).zip(handles) {
        script.send(&Packet::PubAck(ack(place)));
        assert_eq!(script.outcome(handle), Some(PUBLISHED), "in the order in which they were published");
    }
}

#[test]
fn restoring_comes_before_anything_else() {
    let mut script = Script::new(durable());
    assert_eq!(script.client.restore([], script.now), Err(Refused::AlreadyRunning));
    let mut script = Script::idle(durable());
    script.publish("x", AtLeastOnce);
    assert_eq!(script.client.restore([], script.now), Err(Refused::AlreadyRunning));
}

/// Publishes through a broker, crashes after any record, and goes on: QoS 1 at least once, QoS 2 exactly once, in order.
#[test]
fn a_crash_after_any_record_loses_and_doubles_nothing() {
    for version in [V3_1_1, V5] {
        let config = Config { client_id: "p".into(), durable: true, ..keeping(version) };
        for crash_after in 0.. {
            let mut net = Net::new();
            let subscriber = net.join(Config { client_id: "s".into(), ..plain(version) });
            net.subscribe(subscriber, "#", ExactlyOnce);
            let publisher = net.join(config.clone());
            net.peers[publisher].crash_after = Some(crash_after);
            for payload in ["1", "2", "3", "4"] {
                net.peers[publisher].publish_unless_crashed("two", payload, ExactlyOnce, net.now);
                net.peers[publisher].publish_unless_crashed("one", payload, AtLeastOnce, net.now);
                net.settle();
            }
            let crashed = net.peers[publisher].crashed;
            net.restart(publisher, config.clone());
            net.advance(seconds(120));
            let stored = net.peers[publisher].stored_topics();
            let messages = core::mem::take(&mut net.peers[subscriber].messages);
            let arrived = |topic: &str| -> Vec<String> {
                let of_topic = messages.iter().filter(|message| message.topic() == topic);
                of_topic.map(|message| String::from_utf8_lossy(message.payload()).into()).collect()
            };
            let two = arrived("two");
            assert!(two.is_sorted() && two.iter().collect::<BTreeSet<_>>().len() == two.len(), "{two:?}");
            assert_eq!(two.len(), stored.iter().filter(|topic| *topic == "two").count(), "{crash_after}");
            let one: BTreeSet<_> = arrived("one").into_iter().collect();
            assert!(one.len() >= stored.iter().filter(|topic| *topic == "one").count(), "{crash_after}");
            assert_eq!(net.peers[publisher].client.unfinished(), 0);
            if !crashed {
                assert!(crash_after > 16, "every message leaves several records");
                break;
            }
        }
    }
}

#[test]
fn the_outcome_of_a_restored_message_is_its_servers() {
    let mut script = Script::connected(durable());
    script.publish("1", AtLeastOnce);
    let (mut script, handles) = restarted(script.changes(1), durable());
    script.send(&Packet::PubAck(crate::script::ack_with(1, ReasonCode::NOT_AUTHORIZED)));
    assert_eq!(script.outcome(handles[0]), Some(Outcome::Published(ReasonCode::NOT_AUTHORIZED)));
}

#[test]
fn same_seed_same_inputs_same_times_same_actions_and_bytes() {
    let run = |seed| {
        let mut client = mqtt_core::client::Client::new(durable(), seed, machine::Instant::from_micros(1));
        let mut log = Vec::new();
        let mut now = machine::Instant::from_micros(1);
        client.connect(now);
        for round in 0..20_u8 {
            client.handle(Input::Opened, now);
            client.handle(Input::Bytes(&[0x20, 3, u8::from(round > 0), 0, 0]), now);
            for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
                let payload = [round];
                let publication = crate::support::publication("t", &payload, qos);
                log.push(format!("{:?}", client.publish(&publication, now)));
            }
            client.handle(Input::Durable { up_to: client.last_record() }, now);
            log.push(format!("{:?}", client.output().flatten().copied().collect::<Vec<_>>()));
            client.handle(Input::Closed, now);
            while let Some(action) = client.poll_action() {
                log.push(format!("{action:?}"));
            }
            now = client.next_deadline().unwrap();
            client.handle(Input::Tick, now);
        }
        log
    };
    assert_eq!(run(3), run(3));
    assert_ne!(run(3), run(4), "the seed decides the back-off");
}
