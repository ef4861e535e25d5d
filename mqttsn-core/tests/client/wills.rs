//! The will: its handshake and its changes (§6.2, §6.3, §6.4).

use mqttsn_codec::{Packet, ReturnCode, WillTopic};
use mqttsn_core::client::{Config, Outcome, Refused, State, Will};

use crate::support::*;

const TOPIC: WillTopic<'static> = WillTopic { qos: AtLeastOnce, retain: true, topic: "will/t" };

fn will() -> Will {
    Will { topic: "will/t".into(), message: b"bye".to_vec(), qos: AtLeastOnce, retain: true }
}

fn with_will() -> Config<u8> {
    Config { will: Some(will()), ..config() }
}

#[test]
fn the_gateway_asks_for_topic_and_message() {
    let mut rig = Rig::new(with_will());
    rig.client.connect(rig.now).unwrap();
    rig.expect(&[connect(true, true)]);
    rig.receive(&Packet::WillTopicReq);
    rig.expect(&[Packet::WillTopic(Some(TOPIC))]);
    // The question comes again when its answer was lost, and the answer when the next question was.
    rig.receive(&Packet::WillTopicReq);
    rig.expect(&[Packet::WillTopic(Some(TOPIC))]);
    rig.advance(secs(10));
    rig.expect(&[Packet::WillTopic(Some(TOPIC))]);
    rig.receive(&Packet::WillMsgReq);
    rig.expect(&[Packet::WillMsg(b"bye")]);
    rig.advance(secs(10));
    rig.expect(&[Packet::WillMsg(b"bye")]);
    rig.receive(&Packet::ConnAck(ReturnCode::ACCEPTED));
    assert_eq!(rig.client.state(), State::Active);
    assert_eq!(rig.client.next_deadline(), None);
}

#[test]
fn an_update_is_two_messages_that_are_sent_until_answered() {
    let mut rig = Rig::connected(with_will());
    let new = Will { message: b"ciao".to_vec(), ..will() };
    let handle = rig.client.update_will(Some(new), rig.now).unwrap();
    let both = [Packet::WillTopicUpd(Some(TOPIC)), Packet::WillMsgUpd(b"ciao")];
    rig.expect(&both);
    rig.advance(secs(10));
    rig.expect(&both);
    rig.receive(&Packet::WillMsgResp(ReturnCode::ACCEPTED));
    rig.expect_completed(&[]);
    rig.receive(&Packet::WillTopicResp(ReturnCode::ACCEPTED));
    rig.expect_completed(&[(handle, Outcome::WillUpdated)]);
    assert_eq!(rig.client.next_deadline(), None);
}

#[test]
fn a_rejected_update_is_told() {
    let mut rig = Rig::connected(with_will());
    let handle = rig.client.update_will(Some(will()), rig.now).unwrap();
    rig.receive(&Packet::WillTopicResp(ReturnCode::NOT_SUPPORTED));
    rig.receive(&Packet::WillMsgResp(ReturnCode::ACCEPTED));
    rig.expect_completed(&[(handle, Outcome::Rejected(ReturnCode::NOT_SUPPORTED))]);
}

#[test]
fn an_empty_update_deletes() {
    let mut rig = Rig::connected(with_will());
    let handle = rig.client.update_will(None, rig.now).unwrap();
    rig.expect(&[Packet::WillTopicUpd(None)]);
    rig.receive(&Packet::WillTopicResp(ReturnCode::ACCEPTED));
    rig.expect_completed(&[(handle, Outcome::WillUpdated)]);
}

#[test]
fn updates_follow_each_other_and_the_newest_counts() {
    let mut rig = Rig::connected(with_will());
    let first = rig.client.update_will(None, rig.now).unwrap();
    rig.expect(&[Packet::WillTopicUpd(None)]);
    let second = rig.client.update_will(Some(will()), rig.now).unwrap();
    let third = rig.client.update_will(None, rig.now).unwrap();
    rig.expect(&[]);
    rig.receive(&Packet::WillTopicResp(ReturnCode::ACCEPTED));
    rig.expect(&[Packet::WillTopicUpd(None)]);
    rig.expect_completed(&[(first, Outcome::WillUpdated)]);
    rig.receive(&Packet::WillTopicResp(ReturnCode::ACCEPTED));
    rig.expect_completed(&[(second, Outcome::WillUpdated), (third, Outcome::WillUpdated)]);
}

/// §6.3: CleanSession false, Will true and an empty WILLTOPIC delete what the gateway has kept.
#[test]
fn a_will_is_deleted_while_connecting() {
    let mut rig = Rig::new(Config { clean_session: false, ..with_will() });
    let handle = rig.client.update_will(None, rig.now).unwrap();
    rig.client.connect(rig.now).unwrap();
    rig.expect(&[connect(false, true)]);
    rig.receive(&Packet::WillTopicReq);
    rig.expect(&[Packet::WillTopic(None)]);
    rig.receive(&Packet::ConnAck(ReturnCode::ACCEPTED));
    rig.expect_completed(&[(handle, Outcome::WillUpdated)]);
    rig.expect(&[]);
}

#[test]
fn an_update_that_the_end_of_the_connection_interrupts_comes_with_the_next() {
    let mut rig = Rig::connected(Config { clean_session: false, ..config() });
    let handle = rig.client.update_will(Some(will()), rig.now).unwrap();
    rig.forget_sent();
    rig.receive(&Packet::Disconnect(mqttsn_codec::Disconnect { duration: None }));
    rig.expect(&[connect(false, true)]);
    rig.receive(&Packet::WillTopicReq);
    rig.receive(&Packet::WillMsgReq);
    rig.expect(&[Packet::WillTopic(Some(TOPIC)), Packet::WillMsg(b"bye")]);
    rig.receive(&Packet::ConnAck(ReturnCode::ACCEPTED));
    rig.expect_completed(&[(handle, Outcome::WillUpdated)]);
}

#[test]
fn a_gateway_that_forgets_the_client_in_the_middle_is_asked_again() {
    let mut rig = Rig::new(with_will());
    rig.client.connect(rig.now).unwrap();
    rig.receive(&Packet::WillTopicReq);
    rig.receive(&Packet::WillMsgReq);
    rig.forget_sent();
    // It began anew, and asks for the topic again.
    rig.receive(&Packet::WillTopicReq);
    rig.expect(&[Packet::WillTopic(Some(TOPIC))]);
}

#[test]
fn bad_wills_are_refused() {
    let mut rig = Rig::connected(Config { max_message_size: 60, ..config() });
    let mut update = |topic: &str, message: &[u8]| {
        let will = Will { topic: topic.into(), message: message.to_vec(), ..will() };
        rig.client.update_will(Some(will), rig.now)
    };
    assert_eq!(update("", b""), Err(Refused::InvalidTopic));
    assert_eq!(update("a/#", b""), Err(Refused::InvalidTopic));
    assert_eq!(update(&"a".repeat(58), b""), Err(Refused::TooLong));
    assert_eq!(update("a", &[0; 59]), Err(Refused::TooLong));
    assert!(update(&"a".repeat(57), &[0; 58]).is_ok());
}
