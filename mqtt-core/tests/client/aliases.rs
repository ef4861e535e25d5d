//! Topic aliases both ways (MQTT 5 §3.3.2.3.4).

use core::num::NonZeroU16;

use mqtt_codec::{Packet, Properties, Property, Publish, ReasonCode};
use mqtt_core::Violation;
use mqtt_core::client::{Config, DisconnectReason};

use crate::script::{AtLeastOnce, AtMostOnce, Script, V5, keeping, plain, publish, seconds};

fn maximum(aliases: u16) -> [Property<'static>; 1] {
    [Property::TopicAliasMaximum(aliases)]
}

/// Topic and alias of each PUBLISH that went out.
fn named(script: &mut Script) -> Vec<(String, Option<u16>)> {
    script.look(|packet| match packet {
        Packet::Publish(publish) => {
            (publish.topic.to_owned(), publish.properties.topic_alias().map(NonZeroU16::get))
        }
        other => panic!("{other:?}"),
    })
}

fn to(script: &mut Script, topic: &str) {
    script.client.publish(&crate::support::publication(topic, b"", AtMostOnce), script.now).unwrap();
    script.drain();
}

fn server_publishes(script: &mut Script, topic: &str, alias: u16) {
    let properties = [Property::TopicAlias(NonZeroU16::new(alias).unwrap())];
    let properties = Properties::list(&properties);
    script.send(&Packet::Publish(Publish { topic, properties, ..publish("x", AtMostOnce, 1) }));
}

fn topics(script: &mut Script) -> Vec<String> {
    script.messages.drain(..).map(|message| message.topic().to_owned()).collect()
}

#[test]
fn a_server_that_allows_aliases_gets_them_and_no_more_than_it_allows() {
    let mut script = Script::new(Config { max_outgoing_topic_aliases: 9, ..plain(V5) });
    script.accept_with(false, &maximum(2));
    for topic in ["a", "b", "c", "a", "b", "c"] {
        to(&mut script, topic);
    }
    let expected = [("a", Some(1)), ("b", Some(2)), ("c", None), ("", Some(1)), ("", Some(2)), ("c", None)];
    assert_eq!(named(&mut script), expected.map(|(topic, alias)| (topic.to_owned(), alias)));
}

#[test]
fn a_server_that_allows_none_gets_none() {
    for properties in [&[][..], &maximum(0)] {
        let mut script = Script::new(Config { max_outgoing_topic_aliases: 9, ..plain(V5) });
        script.accept_with(false, properties);
        to(&mut script, "a");
        to(&mut script, "a");
        assert_eq!(named(&mut script), [("a".to_owned(), None), ("a".to_owned(), None)]);
    }
}

#[test]
fn outgoing_aliases_end_with_their_connection() {
    let mut script = Script::new(Config { max_outgoing_topic_aliases: 9, ..keeping(V5) });
    script.accept_with(false, &maximum(5));
    script.publish("1", AtLeastOnce);
    script.publish("2", AtLeastOnce);
    assert_eq!(named(&mut script), [("t".to_owned(), Some(1)), (String::new(), Some(1))]);
    script.cut();
    script.advance(seconds(60));
    script.accept_with(true, &maximum(5));
    assert_eq!(named(&mut script), [("t".to_owned(), Some(1)), (String::new(), Some(1))]);
    script.cut();
    script.advance(seconds(60));
    script.accept(true);
    assert_eq!(named(&mut script), [("t".to_owned(), None), ("t".to_owned(), None)]);
}

#[test]
fn the_server_may_set_use_and_change_every_alias_up_to_the_maximum() {
    let mut script = Script::connected(Config { topic_alias_maximum: 3, ..plain(V5) });
    for alias in 1..=3 {
        server_publishes(&mut script, &format!("t{alias}"), alias);
        server_publishes(&mut script, "", alias);
    }
    server_publishes(&mut script, "new", 2);
    server_publishes(&mut script, "", 2);
    assert_eq!(topics(&mut script), ["t1", "t1", "t2", "t2", "t3", "t3", "new", "new"]);
    assert_eq!(script.reason(), None);
}

#[test]
fn an_unsolicited_or_unknown_alias_is_answered_0x94() {
    // MQTT.js #2060 (GHSA-c8jq-r765-cq7g).
    for (allowed, topic, alias) in
        [(3, "a", 4), (3, "", 4), (3, "", 1), (0, "a", 1), (0, "", 1), (3, "a", u16::MAX)]
    {
        let mut script = Script::connected(Config { topic_alias_maximum: allowed, ..plain(V5) });
        server_publishes(&mut script, topic, alias);
        script.expect_disconnect(ReasonCode::TOPIC_ALIAS_INVALID);
        assert_eq!(script.reason(), Some(DisconnectReason::Violation(Violation::TopicAliasInvalid)));
        assert_eq!(script.messages, []);
    }
}

#[test]
fn alias_zero_is_answered_0x94() {
    let mut script = Script::connected(plain(V5));
    script.input(mqtt_core::client::Input::Bytes(&[0x30, 7, 0, 1, b'a', 3, 0x23, 0, 0]));
    script.expect_disconnect(ReasonCode::TOPIC_ALIAS_INVALID);
}

#[test]
fn incoming_aliases_end_with_their_connection() {
    // mqtt_cpp #660.
    let mut script = Script::connected(keeping(V5));
    server_publishes(&mut script, "a", 1);
    script.reconnect(true);
    server_publishes(&mut script, "", 1);
    script.expect_disconnect(ReasonCode::TOPIC_ALIAS_INVALID);
}

#[test]
fn a_repeated_qos2_publish_sets_its_alias_all_the_same() {
    let mut script = Script::connected(plain(V5));
    let properties = [Property::TopicAlias(NonZeroU16::new(1).unwrap())];
    for topic in ["a", "b"] {
        let properties = Properties::list(&properties);
        let publish = Publish { topic, properties, ..publish("x", crate::script::ExactlyOnce, 5) };
        script.send(&Packet::Publish(publish));
    }
    server_publishes(&mut script, "", 1);
    assert_eq!(topics(&mut script), ["a", "b"]);
}
