//! SUBSCRIBE and UNSUBSCRIBE, whose a message is, and subscriptions made again (MQTT 5 §3.8 to §3.11).

use core::num::NonZeroU32;

use mqtt_codec::{
    Packet, PacketType, Properties, Property, Publish, QoS, ReasonCode, RetainHandling, Subscribe,
    SubscribeFilters, SubscriptionIdentifier, SubscriptionOptions,
};
use mqtt_core::Violation;
use mqtt_core::client::{Config, DisconnectReason, DropReason, Outcome};

use crate::script::{
    AtLeastOnce, AtMostOnce, ExactlyOnce, Script, V3_1, V3_1_1, V5, VERSIONS, id, keeping, plain, publish,
    seconds,
};

const GRANTED: [ReasonCode; 1] = [ReasonCode::GRANTED_QOS_2];

fn granted() -> Outcome {
    Outcome::Subscribed(GRANTED.to_vec())
}

fn delivered(script: &mut Script, topic: &str, identifiers: &[u32]) {
    let properties: Vec<_> = identifiers
        .iter()
        .map(|number| Property::SubscriptionIdentifier(SubscriptionIdentifier::new(*number).unwrap()))
        .collect();
    let properties = Properties::list(&properties);
    script.send(&Packet::Publish(Publish { topic, properties, ..publish("x", AtMostOnce, 1) }));
}

/// Identifier and filters of each SUBSCRIBE that went out.
fn subscribes(script: &mut Script) -> Vec<(u16, Vec<String>)> {
    script.look(|packet| match packet {
        Packet::Subscribe(subscribe) => {
            let filters = subscribe.filters.iter().map(|(filter, _)| filter.to_owned());
            (subscribe.packet_id.get(), filters.collect())
        }
        other => panic!("{other:?}"),
    })
}

#[test]
fn subscribe_with_all_options() {
    let options = SubscriptionOptions {
        maximum_qos: AtLeastOnce,
        no_local: true,
        retain_as_published: true,
        retain_handling: RetainHandling::SendIfNew,
    };
    let filters = [("a/#", options), ("$share/g/b", SubscriptionOptions::qos(ExactlyOnce))];
    for version in VERSIONS {
        let mut script = Script::connected(plain(version));
        let said = [Property::SubscriptionIdentifier(identifier(77)), Property::UserProperty("k", "v")];
        let handle = script.client.subscribe(&filters, Properties::list(&said), script.now).unwrap();
        script.drain();
        script.expect(&[Packet::Subscribe(Subscribe {
            packet_id: id(1),
            properties: Properties::list(&said),
            filters: SubscribeFilters::list(&filters),
        })]);
        let reasons = [ReasonCode::GRANTED_QOS_1, ReasonCode::GRANTED_QOS_0];
        script.suback(1, &reasons);
        assert_eq!(script.outcome(handle), Some(Outcome::Subscribed(reasons.to_vec())));
    }
}

fn identifier(number: u32) -> SubscriptionIdentifier {
    SubscriptionIdentifier::new(number).unwrap()
}

#[test]
fn unsubscribe_and_its_outcome() {
    for version in VERSIONS {
        let mut script = Script::connected(plain(version));
        let handle = script.unsubscribe("a");
        assert_eq!(script.types(), [PacketType::Unsubscribe]);
        script.unsuback(1, &[ReasonCode::NO_SUBSCRIPTION_EXISTED]);
        let reasons = if version == V5 { vec![ReasonCode::NO_SUBSCRIPTION_EXISTED] } else { vec![] };
        assert_eq!(script.outcome(handle), Some(Outcome::Unsubscribed(reasons)));
    }
}

#[test]
fn subscription_identifiers_say_whose_a_message_is() {
    let mut script = Script::connected(plain(V5));
    let [one, two] = ["a/#", "a/b"].map(|filter| script.subscribe(filter));
    script.suback(1, &GRANTED);
    script.suback(2, &GRANTED);
    for (identifiers, expected) in
        [(&[1][..], &[one][..]), (&[2], &[two]), (&[1, 2], &[one, two]), (&[9], &[])]
    {
        delivered(&mut script, "a/b", identifiers);
        let message = script.messages.pop().unwrap();
        assert_eq!(script.client.subscribers(&message), expected, "{identifiers:?}");
    }
}

#[test]
fn filters_say_whose_a_message_is_where_there_are_no_identifiers() {
    for version in VERSIONS {
        let mut script = Script::connected(plain(version));
        let [one, two, shared] = ["a/#", "+/b", "$share/g/b/+"].map(|filter| script.subscribe(filter));
        for packet_id in 1..=3 {
            script.suback(packet_id, &GRANTED);
        }
        for (topic, expected) in
            [("a/b", &[one, two][..]), ("a", &[one]), ("b/c", &[shared]), ("x", &[]), ("$a/b", &[])]
        {
            delivered(&mut script, topic, &[]);
            let message = script.messages.pop().unwrap();
            assert_eq!(script.client.subscribers(&message), expected, "{topic}");
        }
    }
}

#[test]
fn a_message_may_come_before_its_suback() {
    for version in [V3_1_1, V5] {
        let mut script = Script::connected(plain(version));
        let handle = script.subscribe("a");
        delivered(&mut script, "a", &[1]);
        let message = script.messages.pop().unwrap();
        assert_eq!(script.client.subscribers(&message), [handle]);
    }
}

#[test]
fn what_was_refused_or_taken_back_gets_nothing() {
    let mut script = Script::connected(plain(V5));
    script.subscribe("a");
    script.subscribe("b");
    script.suback(1, &[ReasonCode::NOT_AUTHORIZED]);
    script.suback(2, &GRANTED);
    script.unsubscribe("b");
    script.types();
    script.unsuback(1, &[ReasonCode::SUCCESS]);
    for topic in ["a", "b"] {
        delivered(&mut script, topic, &[]);
        let message = script.messages.pop().unwrap();
        assert_eq!(script.client.subscribers(&message), []);
    }
    script.reconnect(false);
    script.expect(&[]);
}

#[test]
fn requests_that_were_not_answered_are_asked_again_in_order() {
    for session_present in [false, true] {
        let mut script = Script::connected(keeping(V5));
        let subscribe = script.subscribe("a");
        let unsubscribe = script.unsubscribe("b");
        assert_eq!(script.types(), [PacketType::Subscribe, PacketType::Unsubscribe]);
        script.cut();
        let late = script.subscribe("c");
        script.advance(seconds(60));
        script.accept(session_present);
        assert_eq!(script.types(), [PacketType::Subscribe, PacketType::Unsubscribe, PacketType::Subscribe]);
        for packet_id in [1, 3] {
            script.suback(packet_id, &GRANTED);
        }
        script.unsuback(2, &[ReasonCode::SUCCESS]);
        assert_eq!(script.outcome(subscribe), Some(granted()));
        assert_eq!(script.outcome(unsubscribe), Some(Outcome::Unsubscribed(vec![ReasonCode::SUCCESS])));
        assert_eq!(script.outcome(late), Some(granted()));
    }
}

#[test]
fn subscriptions_are_made_again_with_their_options_when_the_session_is_lost() {
    for version in VERSIONS {
        let mut script = Script::connected(keeping(version));
        script.subscribe("a");
        script.subscribe("b");
        script.suback(1, &GRANTED);
        script.suback(2, &GRANTED);
        script.unsubscribe("c");
        script.types();
        script.reconnect(false);
        let types = script.types();
        assert_eq!(
            types,
            [PacketType::Subscribe, PacketType::Subscribe, PacketType::Unsubscribe],
            "{version:?}"
        );
        let completed = script.completed.len();
        script.suback(1, &GRANTED);
        script.suback(2, &GRANTED);
        assert_eq!(script.completed.len(), completed, "the application has its outcome");
    }
}

#[test]
fn what_waits_to_be_taken_back_is_not_made_again_first() {
    for sent_before in [false, true] {
        let mut script = Script::connected(keeping(V5));
        for (number, filter) in (1..).zip(["a", "b"]) {
            script.subscribe(filter);
            script.suback(number, &GRANTED);
        }
        script.types();
        let handle = if sent_before {
            let handle = script.unsubscribe("a");
            script.cut();
            handle
        } else {
            script.cut();
            script.unsubscribe("a")
        };
        script.types();
        script.advance(seconds(60));
        script.accept(false);
        let mut filters = Vec::new();
        let types = script.look(|packet| {
            if let Packet::Subscribe(subscribe) = packet {
                filters.extend(subscribe.filters.iter().map(|(filter, _)| filter.to_owned()));
            }
            packet.packet_type()
        });
        assert_eq!(types, [PacketType::Subscribe, PacketType::Unsubscribe], "{sent_before}");
        assert_eq!(filters, ["b"]);
        script.suback(1, &GRANTED);
        script.unsuback(2, &[ReasonCode::NO_SUBSCRIPTION_EXISTED]);
        let reasons = vec![ReasonCode::NO_SUBSCRIPTION_EXISTED];
        assert_eq!(script.outcome(handle), Some(Outcome::Unsubscribed(reasons)));
        script.reconnect(false);
        assert_eq!(subscribes(&mut script), [(1, vec!["b".to_owned()])]);
    }
}

#[test]
fn a_resumed_session_has_its_subscriptions() {
    let mut script = Script::connected(keeping(V3_1_1));
    script.subscribe("a");
    script.suback(1, &GRANTED);
    script.types();
    script.reconnect(true);
    script.expect(&[]);
}

#[test]
fn subscriptions_are_made_again_until_the_server_has_granted_them() {
    let mut script = Script::connected(keeping(V5));
    script.subscribe("a");
    script.suback(1, &GRANTED);
    script.types();
    // The session is lost, and the connection breaks before the server has read SUBSCRIBE: the session that it has now
    // knows no subscription.
    script.reconnect(false);
    assert_eq!(subscribes(&mut script), [(1, vec!["a".to_owned()])]);
    script.reconnect(true);
    assert_eq!(subscribes(&mut script), [(1, vec!["a".to_owned()])]);
    script.reconnect(false);
    assert_eq!(subscribes(&mut script), [(1, vec!["a".to_owned()])], "once, not twice");
    script.suback(1, &GRANTED);
    script.reconnect(true);
    script.expect(&[]);
}

/// The session ended while the connection was away; the CONNECT that began a new one was not answered, so that the next one
/// finds a session.
#[test]
fn subscriptions_are_made_again_when_the_session_may_be_that_of_an_unanswered_connect() {
    let mut script = Script::connected(keeping(V5));
    script.subscribe("a");
    script.suback(1, &GRANTED);
    script.cut();
    script.advance(seconds(60));
    script.open();
    script.types();
    script.reconnect(true);
    assert_eq!(subscribes(&mut script), [(1, vec!["a".to_owned()])]);
    script.suback(1, &GRANTED);
    script.reconnect(true);
    script.expect(&[]);
}

#[test]
fn nothing_is_made_again_when_it_shall_not_be() {
    let mut script = Script::connected(Config { resubscribe: false, ..keeping(V5) });
    script.subscribe("a");
    script.suback(1, &GRANTED);
    script.types();
    script.reconnect(false);
    script.expect(&[]);
}

#[test]
fn a_server_of_3_1_does_not_tell_and_is_asked_again() {
    let mut script = Script::connected(keeping(V3_1));
    script.subscribe("a");
    script.suback(1, &GRANTED);
    script.publish("2", ExactlyOnce);
    script.types();
    script.reconnect(false);
    assert_eq!(script.types(), [PacketType::Subscribe, PacketType::Publish]);
    assert_eq!(script.completed.len(), 1, "the message under way is not given up");
}

#[test]
fn an_answer_that_does_not_fit_ends_the_connection_and_the_request_is_asked_again() {
    type Answer = fn(&mut Script);
    let answers: [Answer; 3] = [
        |script| script.suback(1, &[ReasonCode::GRANTED_QOS_0, ReasonCode::GRANTED_QOS_0]),
        |script| script.unsuback(1, &[ReasonCode::SUCCESS]),
        |script| script.suback(9, &GRANTED),
    ];
    for answer in answers {
        let mut script = Script::connected(plain(V5));
        let handle = script.subscribe("a");
        script.types();
        answer(&mut script);
        script.expect_disconnect(ReasonCode::PROTOCOL_ERROR);
        assert_eq!(script.reason(), Some(DisconnectReason::Violation(Violation::AcknowledgementOutOfPlace)));
        script.advance(seconds(60));
        script.accept(true);
        assert_eq!(subscribes(&mut script), [(1, vec!["a".to_owned()])]);
        script.suback(1, &GRANTED);
        assert_eq!(script.outcome(handle), Some(granted()));
    }
}

#[test]
fn an_unsuback_needs_a_code_for_each_filter() {
    let mut script = Script::connected(plain(V5));
    let handle = script.client.unsubscribe(&["a", "b"], Properties::NONE, script.now).unwrap();
    script.drain();
    script.types();
    script.unsuback(1, &[ReasonCode::SUCCESS]);
    script.expect_disconnect(ReasonCode::PROTOCOL_ERROR);
    assert_eq!(script.outcome(handle), None);
}

#[test]
fn a_request_that_is_too_large_for_the_server_is_dropped() {
    let mut script = Script::new(plain(V5));
    script.accept_with(false, &[Property::MaximumPacketSize(NonZeroU32::new(12).unwrap())]);
    let handle = script.subscribe("a/long/filter");
    assert_eq!(script.dropped(handle), Some(DropReason::TooLarge));
    script.publish("", QoS::AtLeastOnce);
    assert_eq!(script.types(), [PacketType::Publish]);
}
