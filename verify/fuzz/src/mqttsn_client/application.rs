//! What an application wants of its client: sensible or not, at any time.

use mqttsn_codec::{MinusOneTopic, QoS, ShortTopic, SubscribeTopic, TopicId};
use mqttsn_core::client::{Publication, PublishTopic, Refused};

use super::config::{qos, will};
use super::host::{Host, Kind};
use super::messages::NAMES;
use crate::Source;

const FILTERS: [&str; 7] = ["a", "b/c", "#", "b/+", "a filter that takes quite some room", "a/#/b", ""];

pub(super) fn wish(host: &mut Host, source: &mut Source<'_>) {
    let now = host.now;
    match source.below(24) {
        0 | 1 => {
            let connected = host.client.connect(now);
            assert!(!matches!(connected, Err(Refused::Full | Refused::NotConnected)), "{connected:?}");
            host.called("connect", connected);
        }
        2 => {
            host.client.disconnect(now);
            host.called("disconnect", Ok(()));
        }
        3 | 4 => {
            let slept = host.client.sleep(source.mostly(&[30, 0, 1, 600]), now);
            host.called("sleep", slept);
        }
        5 => {
            let checked = host.client.check(now);
            host.called("check", checked);
        }
        6 => {
            let woken = host.client.wake(now);
            host.called("wake", woken);
        }
        7..=9 => {
            let (topic, qos) = (subscription(source), qos(source));
            let handle = host.client.subscribe(topic, qos, now);
            host.began(handle, Kind::Subscribe);
        }
        10 => {
            let handle = host.client.unsubscribe(subscription(source), now);
            host.began(handle, Kind::Unsubscribe);
        }
        11 | 12 => {
            let handle = host.client.register(source.pick(&NAMES), now);
            host.began(handle, Kind::Register);
        }
        13 => {
            let new = source.once_in(2).then(|| will(source));
            let handle = host.client.update_will(new, now);
            host.began(handle, Kind::Will);
        }
        14 => {
            host.client.search(now);
            host.called("search", Ok(()));
        }
        15 => minus_one(host, source),
        _ => publish(host, source),
    }
}

fn subscription(source: &mut Source<'_>) -> SubscribeTopic<'static> {
    match source.below(6) {
        0 => SubscribeTopic::Predefined(TopicId::MIN),
        1 => SubscribeTopic::Short(short(source)),
        _ => SubscribeTopic::Name(source.pick(&FILTERS)),
    }
}

fn short(source: &mut Source<'_>) -> ShortTopic {
    ShortTopic(source.mostly(&[*b"ab", *b"a+", [0xC3, 0x28], *b"\0a"]))
}

fn publish(host: &mut Host, source: &mut Source<'_>) {
    let qos = qos(source);
    let topic = match source.below(6) {
        0 => PublishTopic::Predefined(TopicId::MIN),
        1 => PublishTopic::Short(short(source)),
        _ => PublishTopic::Name(source.pick(&NAMES)),
    };
    let data = &[b'x'; 2000][..source.mostly(&[5, 0, 20, 300, 2000])];
    let publication = Publication { topic, qos, retain: source.once_in(4), data };
    let handle = host.client.publish(&publication, host.now);
    host.began(handle, Kind::Publish(qos));
}

fn minus_one(host: &mut Host, source: &mut Source<'_>) {
    let topic = match source.below(3) {
        0 => MinusOneTopic::Predefined(TopicId::MAX),
        1 => MinusOneTopic::Short(short(source)),
        _ => MinusOneTopic::Name(source.pick(&NAMES)),
    };
    let to = source.pick(&[1, 9]);
    host.ledger.told.insert(to);
    let sent = host.client.publish_minus_one(to, topic, source.once_in(2), &[b'x'; 40][..source.below(41)]);
    host.called("publish_minus_one", sent);
}

/// Which ends a handle can have.
pub(super) fn may_end(kind: Kind, outcome: &str, queue_qos0: bool) -> bool {
    match outcome {
        "Published" => matches!(kind, Kind::Publish(_)),
        "Subscribed" => kind == Kind::Subscribe,
        "Unsubscribed" => kind == Kind::Unsubscribe,
        "Registered" => kind == Kind::Register,
        "WillUpdated" => kind == Kind::Will,
        "Interrupted" => kind == Kind::Publish(QoS::ExactlyOnce),
        "NotConnected" => kind == Kind::Publish(QoS::AtMostOnce) && !queue_qos0,
        "Rejected" => kind != Kind::Unsubscribe,
        "Unanswered" => true,
        _ => false,
    }
}
