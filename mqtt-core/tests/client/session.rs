//! Messages and subscriptions across connections.

use core::time::Duration;

use mqtt_codec::{
    Properties, Property, ProtocolVersion, ReasonCode, SubscriptionIdentifier, SubscriptionOptions,
};
use mqtt_core::client::{Config, DisconnectReason, DropReason, Outcome};

use crate::support::{AtLeastOnce, AtMostOnce, ExactlyOnce, Net};

fn keeping(version: ProtocolVersion, client_id: &str) -> Config {
    Config {
        version,
        client_id: client_id.into(),
        clean_start: false,
        session_expiry: u32::MAX,
        ..Config::default()
    }
}

fn clean(version: ProtocolVersion, client_id: &str) -> Config {
    Config { version, client_id: client_id.into(), ..Config::default() }
}

const VERSIONS: [ProtocolVersion; 3] = [ProtocolVersion::V3_1, ProtocolVersion::V3_1_1, ProtocolVersion::V5];

#[test]
fn each_qos_completes_and_arrives_once() {
    for version in VERSIONS {
        let mut net = Net::new();
        let subscriber = net.join(clean(version, "s"));
        let publisher = net.join(clean(version, "p"));
        net.subscribe(subscriber, "a/+", ExactlyOnce);
        for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
            let handle = net.publish(publisher, "a/b", b"x", qos);
            assert_eq!(net.outcome(publisher, handle), Some(&Outcome::Published(ReasonCode::SUCCESS)));
            let message = net.peers[subscriber].messages.remove(0);
            assert_eq!((message.topic(), message.qos, message.dup), ("a/b", qos, false));
        }
        assert_eq!(net.peers[subscriber].messages, []);
        assert_eq!(net.peers[publisher].client.unfinished(), 0);
    }
}

#[test]
fn messages_published_without_a_connection_go_out_in_order_and_keep_their_handles() {
    for version in VERSIONS {
        let mut net = Net::new();
        let subscriber = net.join(clean(version, "s"));
        let publisher = net.join(keeping(version, "p"));
        net.subscribe(subscriber, "a", ExactlyOnce);
        net.peers[publisher].unreachable = true;
        let handles: Vec<_> = ["1", "2", "3"]
            .into_iter()
            .zip([AtLeastOnce, ExactlyOnce, AtLeastOnce])
            .map(|(payload, qos)| net.publish(publisher, "a", payload.as_bytes(), qos))
            .collect();
        net.cut(publisher);
        let late = net.publish(publisher, "a", b"4", AtMostOnce);
        assert!(handles.iter().all(|handle| net.outcome(publisher, *handle).is_none()));
        net.peers[publisher].unreachable = false;
        net.advance(Duration::from_secs(120));
        assert_eq!(net.payloads(subscriber), ["1", "2", "3", "4"], "{version:?}");
        for handle in handles.into_iter().chain([late]) {
            assert!(matches!(net.outcome(publisher, handle), Some(Outcome::Published(_))), "{version:?}");
        }
        assert_eq!(net.peers[publisher].connected.last(), Some(&true));
    }
}

#[test]
fn subscriptions_are_made_again_when_the_server_has_lost_the_session() {
    for version in VERSIONS {
        let mut net = Net::new();
        let subscriber = net.join(clean(version, "s"));
        let publisher = net.join(clean(version, "p"));
        let handle = net.subscribe(subscriber, "a/#", AtLeastOnce);
        net.cut(subscriber);
        assert!(matches!(net.peers[subscriber].disconnected[..], [DisconnectReason::TransportClosed]));
        net.advance(Duration::from_secs(3));
        net.publish(publisher, "a/b", b"x", AtLeastOnce);
        let message = net.peers[subscriber].messages.remove(0);
        assert_eq!(net.peers[subscriber].client.subscribers(&message), [handle]);
    }
}

#[test]
fn subscription_identifiers_are_the_clients_unless_given_or_turned_off() {
    let mut net = Net::new();
    let publisher = net.join(clean(ProtocolVersion::V5, "p"));
    let config = |client_id: &str, on: bool| Config {
        subscription_identifiers: on,
        ..clean(ProtocolVersion::V5, client_id)
    };
    let (own, none, given) =
        (net.join(config("own", true)), net.join(config("none", false)), net.join(config("given", false)));
    let seven = [Property::SubscriptionIdentifier(SubscriptionIdentifier::new(7).unwrap())];
    for (peer, properties, expected) in [
        (own, Properties::NONE, vec![1, 2]),
        (none, Properties::NONE, vec![]),
        (given, Properties::list(&seven), vec![7]),
    ] {
        let options = SubscriptionOptions::qos(AtLeastOnce);
        let handles = ["a/#", "a/+"].map(|filter| {
            let client = &mut net.peers[peer].client;
            client.subscribe(&[(filter, options)], properties, net.now).unwrap()
        });
        net.settle();
        // The second time, after the subscriptions were made again.
        for _ in 0..2 {
            net.publish(publisher, "a/b", b"x", AtLeastOnce);
            let messages = core::mem::take(&mut net.peers[peer].messages);
            let mut identifiers: Vec<_> = messages
                .iter()
                .flat_map(|message| message.properties().subscription_identifiers())
                .map(SubscriptionIdentifier::get)
                .collect();
            identifiers.sort_unstable();
            identifiers.dedup();
            assert_eq!(identifiers, expected);
            assert_eq!(net.peers[peer].client.subscribers(&messages[0]), handles);
            assert!(messages.iter().all(|message| message.packet_id.is_some()));
            net.cut(peer);
            net.advance(Duration::from_secs(3));
        }
    }
}

#[test]
fn a_lost_session_sends_qos1_again_and_tells_of_qos2() {
    let mut net = Net::new();
    let publisher = net.join(clean(ProtocolVersion::V5, "p"));
    let subscriber = net.join(clean(ProtocolVersion::V5, "s"));
    net.subscribe(subscriber, "a", ExactlyOnce);
    net.peers[publisher].unreachable = true;
    let first = net.publish(publisher, "a", b"1", AtLeastOnce);
    let second = net.publish(publisher, "a", b"2", ExactlyOnce);
    net.cut(publisher);
    net.peers[publisher].unreachable = false;
    net.advance(Duration::from_secs(10));
    assert_eq!(net.outcome(publisher, first), Some(&Outcome::Published(ReasonCode::SUCCESS)));
    assert_eq!(net.outcome(publisher, second), Some(&Outcome::Dropped(DropReason::SessionLost)));
    assert_eq!(net.payloads(subscriber), ["1"]);
}

#[test]
fn a_silent_connection_is_kept_alive_and_a_dead_one_given_up() {
    let mut net = Net::new();
    let peer = net.join(Config {
        keep_alive: 10,
        ping_timeout: Duration::from_secs(4),
        ..clean(ProtocolVersion::V3_1_1, "c")
    });
    net.advance(Duration::from_secs(1000));
    assert_eq!(net.peers[peer].disconnected, []);
    net.peers[peer].unreachable = true;
    net.advance(Duration::from_secs(25));
    assert_eq!(net.peers[peer].disconnected[0], DisconnectReason::PingTimeout);
    net.peers[peer].unreachable = false;
    net.advance(Duration::from_secs(120));
    assert!(net.peers[peer].client.is_connected());
}

/// The server has received a QoS 2 message that nobody released, and the client that sent it has no memory: its packet
/// identifier is not that of the next client's first message.
#[test]
fn a_new_message_is_not_taken_for_one_of_a_forgotten_run() {
    for version in VERSIONS {
        let mut net = Net::new();
        let subscriber = net.join(clean(version, "s"));
        net.subscribe(subscriber, "t", ExactlyOnce);
        let first = net.join(keeping(version, "p"));
        net.publish_and_vanish(first, "t", b"of the first run");
        let second = net.join(keeping(version, "p"));
        assert_eq!(net.peers[second].connected, [version > ProtocolVersion::V3_1], "{version:?}");
        let handle = net.publish(second, "t", b"of the second", ExactlyOnce);
        assert!(matches!(net.outcome(second, handle), Some(Outcome::Published(_))));
        assert_eq!(net.payloads(subscriber), ["of the first run", "of the second"], "{version:?}");
    }
}
