//! Retransmission, and another gateway (§6.13).

use mqttsn_codec::{Advertise, Packet, ReturnCode, SubscribeTopic, Topic};
use mqttsn_core::client::{Action, Config, DisconnectReason, Outcome, State};

use crate::support::*;

fn two() -> Config<u8> {
    Config { gateways: vec![GATEWAY, OTHER], ..config() }
}

#[test]
fn a_message_is_sent_n_retry_times_again() {
    let mut rig = Rig::new(Config { retries: 5, retry_interval: secs(2), ..config() });
    rig.client.connect(rig.now).unwrap();
    rig.advance(core::time::Duration::from_millis(11_999));
    rig.expect(&[connect(true, false); 6]);
    rig.told();
    rig.advance(core::time::Duration::from_millis(1));
    assert_eq!(rig.disconnections()[0].0, DisconnectReason::GatewayLost);
}

#[test]
fn another_gateway_comes_first_and_the_former_one_after_it() {
    let mut rig = Rig::connected(two());
    rig.subscribe("a", AtMostOnce);
    rig.forget_sent();
    rig.advance(secs(40));
    assert_eq!(rig.disconnections(), [(DisconnectReason::GatewayLost, Some(rig.now))]);
    let lost: Vec<_> = core::mem::take(&mut rig.sent).into_iter().filter(|(to, _)| *to == OTHER).collect();
    assert_eq!(lost, [(OTHER, encoded(&connect(true, false)))]);
    // The other one does not answer either: the former one again, but later.
    rig.advance(secs(40));
    let [(DisconnectReason::GatewayLost, Some(retry_at))] = rig.disconnections()[..] else {
        panic!("one end")
    };
    assert!(retry_at > rig.now);
    rig.forget_sent();
    rig.advance(retry_at - rig.now);
    rig.expect_to(GATEWAY, &[connect(true, false)]);
    rig.receive(&Packet::ConnAck(ReturnCode::ACCEPTED));
    rig.expect_to(GATEWAY, &[subscribe(2, SubscribeTopic::Name("a"), AtMostOnce, true)]);
}

#[test]
fn every_exchange_finds_out_that_the_gateway_is_lost() {
    let start: [fn(&mut Rig); 5] = [
        |rig| _ = rig.publish_to(mqttsn_core::client::PublishTopic::Short(short("ab")), AtLeastOnce, ""),
        |rig| _ = rig.publish_to(mqttsn_core::client::PublishTopic::Short(short("ab")), ExactlyOnce, ""),
        |rig| _ = rig.client.register("a", rig.now).unwrap(),
        |rig| _ = rig.subscribe("a", AtMostOnce),
        |rig| _ = rig.client.update_will(None, rig.now).unwrap(),
    ];
    for start in start {
        let mut rig = Rig::connected(two());
        start(&mut rig);
        rig.advance(secs(40));
        assert_eq!((rig.client.gateway(), rig.client.state()), (Some(&OTHER), State::Connecting));
        assert_eq!(rig.client.counters().retransmissions, 3);
    }
}

#[test]
fn congested_or_unwilling_gateways_are_passed_over() {
    for code in [ReturnCode::CONGESTION, ReturnCode::NOT_SUPPORTED] {
        let mut rig = Rig::new(two());
        rig.client.connect(rig.now).unwrap();
        rig.forget_sent();
        rig.receive(&Packet::ConnAck(code));
        assert_eq!(rig.disconnections(), [(DisconnectReason::Refused(code), Some(rig.now))]);
        rig.expect_to(OTHER, &[connect(true, false)]);
    }
}

/// Another gateway does not have the session: QoS 2 might arrive twice through it.
#[test]
fn a_persistent_session_does_not_move_with_the_client() {
    let mut rig = Rig::connected(Config { clean_session: false, ..two() });
    let handle = rig.publish_to(mqttsn_core::client::PublishTopic::Short(short("ab")), ExactlyOnce, "x");
    rig.advance(secs(40));
    rig.told();
    rig.forget_sent();
    rig.receive_from(OTHER, &Packet::ConnAck(ReturnCode::ACCEPTED));
    rig.expect_completed(&[(handle, Outcome::Interrupted)]);
    rig.expect_to(OTHER, &[]);
}

/// Else PUBREL would follow, and the message would count as published that no gateway has.
#[test]
fn a_gateway_that_did_not_get_the_message_does_not_answer_for_it() {
    let mut rig = Rig::connected(Config { clean_session: false, ..two() });
    rig.publish_to(mqttsn_core::client::PublishTopic::Short(short("ab")), ExactlyOnce, "x");
    rig.advance(secs(40));
    assert_eq!(rig.client.gateway(), Some(&OTHER));
    for answer in [Packet::PubRec(id(1)), Packet::PubComp(id(1)), puback(1, 0, ReturnCode::NOT_SUPPORTED)] {
        rig.receive_from(OTHER, &answer);
    }
    assert_eq!(rig.client.counters().out_of_place, 3);
    rig.advance(secs(60));
    assert_eq!(rig.client.gateway(), Some(&GATEWAY));
    rig.forget_sent();
    rig.receive(&Packet::ConnAck(ReturnCode::ACCEPTED));
    rig.expect(&[publish(ExactlyOnce, 1, Topic::Short(short("ab")), true, "x")]);
}

#[test]
fn a_gateway_that_turns_up_ends_the_waiting() {
    let mut rig = Rig::new(Config { discovery: true, ..config() });
    rig.client.connect(rig.now).unwrap();
    rig.receive(&Packet::ConnAck(ReturnCode::CONGESTION));
    rig.forget_sent();
    assert_eq!(rig.client.state(), State::Searching);
    rig.receive_from(OTHER, &Packet::Advertise(Advertise { gateway_id: 9, duration: 900 }));
    rig.expect_to(OTHER, &[connect(true, false)]);
    assert!(rig.told().contains(&Action::GatewayFound { gateway_id: 9, address: OTHER }));
}

#[test]
fn waiting_grows_up_to_its_bound() {
    let mut rig = Rig::new(Config { congestion_wait: secs(100), ..config() });
    rig.client.connect(rig.now).unwrap();
    let mut waits = Vec::new();
    for _ in 0..8 {
        rig.receive(&Packet::ConnAck(ReturnCode::NOT_SUPPORTED));
        let Some((_, Some(retry_at))) = rig.disconnections().pop() else { panic!("an end") };
        waits.push((retry_at - rig.now).as_secs());
        rig.advance(retry_at - rig.now);
    }
    assert!(waits[0] <= 10 && waits[7] >= 50 && waits.iter().all(|wait| *wait <= 100), "{waits:?}");
}

/// Gateways exist that answer CONNECT, but not everything.
#[test]
fn what_is_never_answered_is_given_up() {
    let start: [fn(&mut Rig) -> mqttsn_core::client::Handle; 4] = [
        |rig| rig.client.register("a", rig.now).unwrap(),
        |rig| rig.subscribe("a", AtMostOnce),
        |rig| rig.client.unsubscribe(SubscribeTopic::Name("a"), rig.now).unwrap(),
        |rig| rig.client.update_will(None, rig.now).unwrap(),
    ];
    for start in start {
        let mut rig = Rig::connected(config());
        let handle = start(&mut rig);
        for _ in 0..4 {
            rig.expect_completed(&[]);
            rig.advance(secs(40));
            let at = rig.client.next_deadline().unwrap();
            rig.drain();
            rig.events.retain(|action| matches!(action, Action::Completed { .. }));
            rig.advance(at - rig.now);
            rig.receive(&Packet::ConnAck(ReturnCode::ACCEPTED));
        }
        rig.expect_completed(&[(handle, Outcome::Unanswered)]);
        rig.forget_sent();
        rig.advance(secs(1000));
        rig.expect(&[]);
    }
}

/// One copy was taken in the session that is over, another one came too late for that and was refused: what was refused may
/// have arrived all the same.
#[test]
fn a_late_refusal_does_not_make_a_qos_2_message_come_twice() {
    for code in [ReturnCode::CONGESTION, ReturnCode::INVALID_TOPIC_ID] {
        let mut rig = Rig::connected(config());
        rig.know("a", 5);
        let handle = rig.publish("a", ExactlyOnce, "1");
        rig.advance(secs(40));
        assert_eq!(rig.disconnections()[0].0, DisconnectReason::GatewayLost);
        rig.receive(&puback(2, 5, code));
        rig.advance(secs(10));
        assert_eq!(rig.client.state(), State::Connecting);
        rig.receive(&puback(2, 5, code));
        rig.forget_sent();
        rig.receive(&Packet::ConnAck(ReturnCode::ACCEPTED));
        rig.expect(&[]);
        rig.expect_completed(&[(handle, Outcome::Interrupted)]);
    }
}
