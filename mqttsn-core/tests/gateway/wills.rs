//! Wills: kept, changed, deleted, published when a client is lost (MQTT-SN 1.2 §5.4.22, §6.3, §6.4).

use mqttsn_codec::{Connect, Packet, ReturnCode, WillTopic};
use mqttsn_core::gateway::State;

use crate::support::{
    AtLeastOnce, AtMostOnce, Bench, CONNACK, DISCONNECT, Seen, aggregating, both, connect, seconds,
};

fn will(topic: &str, payload: &str, qos: u8) -> Seen {
    (topic.into(), payload.into(), qos, false)
}

fn lose(bench: &mut Bench) {
    bench.advance(seconds(91));
    bench.assert_state("c", State::Lost);
}

fn update(bench: &mut Bench, topic: Option<&str>, answer: u8) {
    let topic = topic.map(|topic| WillTopic { qos: AtMostOnce, retain: false, topic });
    bench.ask(1, &Packet::WillTopicUpd(topic), &[Packet::WillTopicResp(ReturnCode::new(answer))]);
}

fn update_message(bench: &mut Bench, message: &[u8], answer: u8) {
    bench.ask(1, &Packet::WillMsgUpd(message), &[Packet::WillMsgResp(ReturnCode::new(answer))]);
}

#[test]
fn a_lost_client_has_its_will_published() {
    both(|mut bench| {
        bench.connect_with_will(1, "c", "w", b"gone");
        lose(&mut bench);
        assert_eq!(bench.seen(), [will("w", "gone", 1)]);
        assert_eq!(bench.gateway.counters().wills_published, 1);
        bench.advance(seconds(1000));
        assert_eq!(bench.seen(), []);
    });
}

#[test]
fn a_lost_sleeper_too() {
    both(|mut bench| {
        bench.connect_with_will(1, "c", "w", b"gone");
        bench.sleep(1, 1000);
        bench.advance(seconds(1101));
        assert_eq!(bench.seen(), [will("w", "gone", 1)]);
    });
}

#[test]
fn a_client_that_takes_leave_has_not() {
    both(|mut bench| {
        bench.connect_with_will(1, "c", "w", b"gone");
        bench.ask(1, &DISCONNECT, &[DISCONNECT]);
        bench.advance(seconds(1000));
        assert_eq!(bench.seen(), []);
    });
}

#[test]
fn a_will_can_be_changed() {
    both(|mut bench| {
        bench.connect_with_will(1, "c", "w", b"gone");
        update(&mut bench, Some("w2"), 0);
        update_message(&mut bench, b"changed", 0);
        lose(&mut bench);
        assert_eq!(bench.seen(), [will("w2", "changed", 0)]);
        bench.advance(seconds(10));
        assert_eq!(bench.connections(), 1, "the client's connection is gone");
        assert_eq!(bench.gateway.counters().wills_published, 1);
    });
}

#[test]
fn either_half_alone() {
    both(|mut bench| {
        bench.connect_with_will(1, "c", "w", b"gone");
        update_message(&mut bench, b"changed", 0);
        lose(&mut bench);
        assert_eq!(bench.seen(), [will("w", "changed", 1)]);
    });
}

#[test]
fn a_will_can_be_deleted() {
    both(|mut bench| {
        bench.connect_with_will(1, "c", "w", b"gone");
        update(&mut bench, None, 0);
        update_message(&mut bench, b"no topic", 3);
        lose(&mut bench);
        assert_eq!(bench.seen(), []);
        bench.advance(seconds(10));
        assert_eq!(bench.connections(), 1);
    });
}

#[test]
fn a_will_topic_that_is_no_topic_name_is_refused_and_changes_nothing() {
    both(|mut bench| {
        bench.connect_with_will(1, "c", "w", b"gone");
        update(&mut bench, Some("w/+"), 3);
        update_message(&mut bench, &[0; 2000], 3);
        lose(&mut bench);
        assert_eq!(bench.seen(), [will("w", "gone", 1)]);
    });
}

/// §6.3: what the two flags of CONNECT do to a stored will.
#[test]
fn clean_session_and_will_decide_about_a_stored_will() {
    for (clean_session, prompted, expected) in [
        (true, None, None),
        (true, Some("new"), Some("new")),
        (false, None, Some("old")),
        (false, Some("new"), Some("new")),
        (false, Some(""), None),
    ] {
        both(|mut bench| {
            let first = Connect { will: true, clean_session: false, ..connect("c") };
            bench.ask(1, &Packet::Connect(first), &[Packet::WillTopicReq]);
            let topic = WillTopic { qos: AtLeastOnce, retain: false, topic: "w" };
            bench.ask(1, &Packet::WillTopic(Some(topic)), &[Packet::WillMsgReq]);
            bench.ask(1, &Packet::WillMsg(b"old"), &[CONNACK]);
            bench.ask(1, &DISCONNECT, &[DISCONNECT]);
            bench.advance(seconds(100));

            let second = Connect { will: prompted.is_some(), clean_session, ..connect("c") };
            match prompted {
                None => bench.ask(1, &Packet::Connect(second), &[CONNACK]),
                Some("") => {
                    bench.ask(1, &Packet::Connect(second), &[Packet::WillTopicReq]);
                    bench.ask(1, &Packet::WillTopic(None), &[CONNACK]);
                }
                Some(message) => {
                    bench.ask(1, &Packet::Connect(second), &[Packet::WillTopicReq]);
                    bench.ask(1, &Packet::WillTopic(Some(topic)), &[Packet::WillMsgReq]);
                    bench.ask(1, &Packet::WillMsg(message.as_bytes()), &[CONNACK]);
                }
            }
            lose(&mut bench);
            let expected: Vec<_> = expected.map(|message| will("w", message, 1)).into_iter().collect();
            assert_eq!(bench.seen(), expected, "clean session {clean_session}, will {prompted:?}");
        });
    }
}

#[test]
fn the_will_of_an_aggregated_client_waits_for_the_server() {
    let mut bench = Bench::with(aggregating);
    bench.connect_with_will(1, "c", "w", b"gone");
    bench.cut();
    lose(&mut bench);
    assert_eq!(bench.seen(), []);
    bench.down = false;
    bench.advance(seconds(61));
    assert_eq!(bench.seen(), [will("w", "gone", 1)]);
}
