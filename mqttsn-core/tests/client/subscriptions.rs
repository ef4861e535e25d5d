//! Subscriptions (§6.9).

use mqttsn_codec::{Disconnect, Packet, ReturnCode, SubscribeTopic, Topic, Unsubscribe};
use mqttsn_core::client::{Config, Outcome, Refused};

use crate::support::*;

const A: SubscribeTopic<'static> = SubscribeTopic::Name("a");

#[test]
fn suback_tells_the_id_of_a_name() {
    let mut rig = Rig::connected(config());
    let handle = rig.subscribe("s/a", AtLeastOnce);
    rig.expect(&[subscribe(1, SubscribeTopic::Name("s/a"), AtLeastOnce, false)]);
    rig.receive(&suback(1, 6, AtMostOnce, ReturnCode::ACCEPTED));
    let topic_id = Some(topic(6));
    rig.expect_completed(&[(handle, Outcome::Subscribed { qos: AtMostOnce, topic_id })]);
    rig.receive(&publish(AtMostOnce, 0, Topic::Id(topic(6)), false, "hi"));
    assert_eq!(rig.messages()[0].topic.name(), Some("s/a"));
}

#[test]
fn wildcards_short_names_and_predefined_ids() {
    let mut rig = Rig::connected(config());
    let wildcard = rig.subscribe("w/+", ExactlyOnce);
    let short_name = rig.client.subscribe(SubscribeTopic::Short(short("sh")), AtMostOnce, rig.now).unwrap();
    let predefined = rig.client.subscribe(SubscribeTopic::Predefined(topic(4)), AtMostOnce, rig.now).unwrap();
    rig.expect(&[subscribe(1, SubscribeTopic::Name("w/+"), ExactlyOnce, false)]);
    rig.receive(&suback(1, 0, ExactlyOnce, ReturnCode::ACCEPTED));
    rig.expect(&[subscribe(2, SubscribeTopic::Short(short("sh")), AtMostOnce, false)]);
    rig.receive(&suback(2, 0x7368, AtMostOnce, ReturnCode::ACCEPTED));
    rig.expect(&[subscribe(3, SubscribeTopic::Predefined(topic(4)), AtMostOnce, false)]);
    rig.receive(&suback(3, 4, AtMostOnce, ReturnCode::ACCEPTED));
    rig.expect_completed(&[
        (wildcard, Outcome::Subscribed { qos: ExactlyOnce, topic_id: None }),
        (short_name, Outcome::Subscribed { qos: AtMostOnce, topic_id: None }),
        (predefined, Outcome::Subscribed { qos: AtMostOnce, topic_id: Some(topic(4)) }),
    ]);
}

#[test]
fn unsubscribe_and_unsuback() {
    let mut rig = Rig::connected(config());
    rig.subscribe("a", AtMostOnce);
    let handle = rig.client.unsubscribe(A, rig.now).unwrap();
    rig.expect(&[subscribe(1, A, AtMostOnce, false)]);
    rig.receive(&suback(1, 6, AtMostOnce, ReturnCode::ACCEPTED));
    let unsubscribe = Packet::Unsubscribe(Unsubscribe { message_id: id(2), topic: A });
    rig.expect(&[unsubscribe]);
    rig.advance(secs(10));
    rig.expect(&[unsubscribe]);
    rig.told();
    // A SUBACK is no answer to it.
    rig.receive(&suback(2, 6, AtMostOnce, ReturnCode::ACCEPTED));
    rig.expect_completed(&[]);
    rig.receive(&Packet::UnsubAck(id(2)));
    rig.expect_completed(&[(handle, Outcome::Unsubscribed)]);
}

#[test]
fn a_subscribe_that_is_sent_again_says_so() {
    let mut rig = Rig::connected(config());
    rig.subscribe("a", AtMostOnce);
    rig.forget_sent();
    rig.advance(secs(10));
    rig.expect(&[subscribe(1, A, AtMostOnce, true)]);
}

#[test]
fn a_rejection_is_told() {
    let mut rig = Rig::connected(config());
    let handle = rig.subscribe("a", AtMostOnce);
    rig.receive(&suback(1, 0, AtMostOnce, ReturnCode::NOT_SUPPORTED));
    rig.expect_completed(&[(handle, Outcome::Rejected(ReturnCode::NOT_SUPPORTED))]);
}

#[test]
fn subscriptions_are_made_again_with_a_new_connection() {
    let mut rig = Rig::connected(config());
    let handle = rig.subscribe("a", AtLeastOnce);
    rig.receive(&suback(1, 6, AtLeastOnce, ReturnCode::ACCEPTED));
    rig.expect_completed(&[(handle, Outcome::Subscribed { qos: AtLeastOnce, topic_id: Some(topic(6)) })]);
    rig.receive(&Packet::Disconnect(Disconnect { duration: None }));
    rig.accept();
    rig.expect(&[subscribe(2, A, AtLeastOnce, false)]);
    rig.receive(&suback(2, 7, AtLeastOnce, ReturnCode::ACCEPTED));
    rig.expect_completed(&[]);
    rig.receive(&publish(AtMostOnce, 0, Topic::Id(topic(7)), false, "hi"));
    assert_eq!(rig.messages().len(), 1);
    // The next connection does not get it.
    rig.receive(&Packet::PubComp(id(99)));
    rig.receive(&Packet::Disconnect(Disconnect { duration: None }));
    rig.accept();
    rig.receive(&suback(3, 0, AtMostOnce, ReturnCode::NOT_SUPPORTED));
    rig.expect_completed(&[(handle, Outcome::Rejected(ReturnCode::NOT_SUPPORTED))]);
}

#[test]
fn subscriptions_need_not_be_made_again() {
    let mut rig = Rig::connected(Config { clean_session: false, resubscribe: false, ..config() });
    rig.subscribe("a", AtLeastOnce);
    rig.receive(&suback(1, 6, AtLeastOnce, ReturnCode::ACCEPTED));
    rig.receive(&Packet::Disconnect(Disconnect { duration: None }));
    rig.accept();
    rig.expect(&[]);
    // The gateway announces the id again (§6.10).
    let (topic_id, message_id) = (Some(topic(6)), id(9));
    rig.receive(&Packet::Register(mqttsn_codec::Register { topic_id, message_id, topic_name: "a" }));
    rig.receive(&publish(AtMostOnce, 0, Topic::Id(topic(6)), false, "hi"));
    assert_eq!(rig.messages()[0].topic.name(), Some("a"));
}

#[test]
fn a_request_that_the_end_of_the_connection_interrupts_comes_again() {
    let mut rig = Rig::connected(config());
    let handle = rig.subscribe("a", AtLeastOnce);
    rig.receive(&Packet::Disconnect(Disconnect { duration: None }));
    rig.accept();
    rig.expect(&[subscribe(2, A, AtLeastOnce, true)]);
    rig.receive(&suback(2, 6, AtLeastOnce, ReturnCode::ACCEPTED));
    rig.expect_completed(&[(handle, Outcome::Subscribed { qos: AtLeastOnce, topic_id: Some(topic(6)) })]);
}

#[test]
fn filters_that_are_none_are_refused() {
    let mut rig = Rig::connected(config());
    for filter in ["", "a/#/b", "a+", "\0"] {
        let refused = rig.client.subscribe(SubscribeTopic::Name(filter), AtMostOnce, rig.now);
        assert_eq!(refused, Err(Refused::InvalidTopic), "{filter}");
    }
    let refused = rig.client.unsubscribe(SubscribeTopic::Short(short("a#")), rig.now);
    assert_eq!(refused, Err(Refused::InvalidTopic));
}
