//! Sleep (§6.14).

use mqttsn_codec::{Disconnect, Packet, PingReq, ReturnCode, SubscribeTopic, Topic};
use mqttsn_core::client::{Action, Config, DisconnectReason, Outcome, Refused, State};

use crate::support::*;

const WAKE: Packet<'static> = Packet::PingReq(PingReq { client_id: Some("dev1") });
const SHORT: Topic = Topic::Short(mqttsn_codec::ShortTopic(*b"ab"));

const fn disconnect(duration: Option<u16>) -> Packet<'static> {
    Packet::Disconnect(Disconnect { duration })
}

/// Sleeps for 80 s at a time.
fn asleep(config: Config<u8>) -> Rig {
    let mut rig = Rig::connected(config);
    rig.client.sleep(80, rig.now).unwrap();
    rig.expect(&[disconnect(Some(80))]);
    rig.receive(&disconnect(None));
    assert_eq!((rig.client.state(), rig.told()), (State::Asleep, vec![Action::Asleep]));
    rig
}

#[test]
fn the_client_asks_before_the_gateway_misses_it() {
    let mut rig = asleep(Config { keep_alive: 20, ..config() });
    rig.advance(secs(69));
    rig.expect(&[]);
    rig.advance(secs(1));
    rig.expect(&[WAKE]);
    assert_eq!((rig.client.state(), rig.told()), (State::Awake, vec![Action::Awake]));
    rig.receive(&Packet::PingResp);
    assert_eq!((rig.client.state(), rig.told()), (State::Asleep, vec![Action::Asleep]));
    rig.advance(secs(70));
    rig.expect(&[WAKE]);
}

#[test]
fn messages_come_while_awake_and_pingresp_has_time() {
    let mut rig = asleep(config());
    rig.client.check(rig.now).unwrap();
    rig.expect(&[WAKE]);
    for message in 1..6 {
        rig.advance(secs(9));
        rig.receive(&publish(AtLeastOnce, message, SHORT, false, "x"));
        rig.expect(&[puback(message, SHORT.field(), ReturnCode::ACCEPTED)]);
    }
    assert_eq!(rig.messages().len(), 5);
    rig.receive(&Packet::PingResp);
    assert_eq!(rig.client.state(), State::Asleep);
}

#[test]
fn a_check_without_an_answer_ends_in_sleep_and_two_in_a_new_connection() {
    let mut rig = asleep(config());
    rig.client.check(rig.now).unwrap();
    rig.advance(secs(39));
    rig.expect(&[WAKE; 4]);
    rig.told();
    rig.advance(secs(1));
    assert_eq!(rig.told(), [Action::Asleep]);
    rig.advance(secs(70 + 40));
    assert_eq!(rig.client.counters().failed_checks, 2);
    let lost = rig.disconnections();
    assert_eq!(lost[0].0, DisconnectReason::GatewayLost);
    rig.advance(secs(10));
    assert_eq!(rig.client.state(), State::Connecting);
}

#[test]
fn an_answer_makes_up_for_a_failed_check() {
    let mut rig = asleep(config());
    rig.client.check(rig.now).unwrap();
    rig.advance(secs(40));
    rig.client.check(rig.now).unwrap();
    rig.receive(&Packet::PingResp);
    rig.client.check(rig.now).unwrap();
    rig.advance(secs(40));
    assert_eq!(rig.client.state(), State::Asleep);
}

#[test]
fn waking_keeps_the_session() {
    let mut rig = asleep(config());
    rig.publish("a", AtMostOnce, "later");
    rig.expect(&[]);
    rig.client.wake(rig.now).unwrap();
    rig.expect(&[connect(false, false)]);
    rig.receive(&Packet::ConnAck(ReturnCode::ACCEPTED));
    assert_eq!(rig.told(), [Action::Connected { gateway: GATEWAY, resumed: true }]);
    rig.expect(&[register(id(1), "a")]);
}

#[test]
fn topic_ids_and_subscriptions_survive_sleep() {
    let mut rig = Rig::connected(Config { resubscribe: false, ..config() });
    rig.know("a", 1);
    rig.subscribe("s", AtMostOnce);
    rig.receive(&suback(2, 6, AtMostOnce, ReturnCode::ACCEPTED));
    rig.client.sleep(80, rig.now).unwrap();
    rig.receive(&disconnect(None));
    rig.client.wake(rig.now).unwrap();
    rig.accept();
    rig.expect(&[]);
    rig.publish("a", AtMostOnce, "x");
    rig.expect(&[publish(AtMostOnce, 0, Topic::Id(topic(1)), false, "x")]);
    rig.receive(&publish(AtMostOnce, 0, Topic::Id(topic(6)), false, "hi"));
    assert_eq!(rig.messages()[0].topic.name(), Some("s"));
}

/// The gateway may have ended the session meanwhile, or begun anew, and CONNACK does not tell.
#[test]
fn subscriptions_are_made_again_after_sleep() {
    let mut rig = Rig::connected(config());
    rig.subscribe("s", AtMostOnce);
    rig.receive(&suback(1, 6, AtMostOnce, ReturnCode::ACCEPTED));
    rig.client.sleep(80, rig.now).unwrap();
    rig.receive(&disconnect(None));
    rig.client.wake(rig.now).unwrap();
    rig.accept();
    rig.expect(&[subscribe(2, SubscribeTopic::Name("s"), AtMostOnce, false)]);
}

#[test]
fn a_message_under_way_goes_on_after_sleep() {
    let mut rig = Rig::connected(config());
    let handle = rig.publish_to(mqttsn_core::client::PublishTopic::Short(short("ab")), ExactlyOnce, "x");
    rig.expect(&[publish(ExactlyOnce, 1, SHORT, false, "x")]);
    rig.client.sleep(80, rig.now).unwrap();
    rig.expect(&[disconnect(Some(80))]);
    rig.receive(&disconnect(None));
    rig.client.wake(rig.now).unwrap();
    rig.accept();
    rig.expect(&[publish(ExactlyOnce, 1, SHORT, true, "x")]);
    rig.receive(&Packet::PubRec(id(1)));
    rig.receive(&Packet::PubComp(id(1)));
    rig.expect_completed(&[(handle, Outcome::Published)]);
}

#[test]
fn the_duration_can_be_changed_and_sleep_can_end_for_good() {
    let mut rig = asleep(config());
    rig.client.sleep(800, rig.now).unwrap();
    rig.expect(&[disconnect(Some(800))]);
    rig.receive(&disconnect(None));
    rig.receive(&disconnect(None));
    rig.advance(secs(699));
    rig.expect(&[]);
    rig.client.disconnect(rig.now);
    rig.expect(&[disconnect(None)]);
    rig.receive(&disconnect(None));
    assert_eq!(rig.client.state(), State::Disconnected);
}

#[test]
fn falling_asleep_is_told_again_and_a_silent_gateway_is_lost() {
    let mut rig = Rig::connected(config());
    rig.client.sleep(80, rig.now).unwrap();
    rig.advance(secs(39));
    rig.expect(&[disconnect(Some(80)); 4]);
    // Messages that were on their way still arrive.
    rig.receive(&publish(AtMostOnce, 0, SHORT, false, "x"));
    assert_eq!(rig.messages().len(), 1);
    rig.advance(secs(1));
    assert_eq!(rig.disconnections()[0].0, DisconnectReason::GatewayLost);
}

#[test]
fn a_gateway_that_lost_the_sleeper_says_so() {
    let mut rig = asleep(config());
    rig.client.check(rig.now).unwrap();
    rig.forget_sent();
    rig.receive(&disconnect(None));
    assert_eq!(rig.disconnections()[0].0, DisconnectReason::ByGateway);
    rig.advance(secs(10));
    rig.expect(&[connect(true, false)]);
}

#[test]
fn only_who_is_connected_can_sleep() {
    let mut rig = Rig::new(config());
    assert_eq!(rig.client.sleep(80, rig.now), Err(Refused::NotConnected));
    assert_eq!(rig.client.check(rig.now), Err(Refused::NotConnected));
    assert_eq!(rig.client.wake(rig.now), Err(Refused::NotConnected));
    let mut rig = Rig::connected(config());
    assert_eq!(rig.client.check(rig.now), Err(Refused::NotConnected));
    assert_eq!(rig.client.wake(rig.now), Err(Refused::NotConnected));
}
