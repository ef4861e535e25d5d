//! Everything is bounded, and what is dropped is counted.

use mqttsn_codec::{Advertise, Packet, ReturnCode, SubscribeTopic, Topic};
use mqttsn_core::client::{Config, Publication, PublishTopic, Refused};

use crate::support::*;

fn publication(data: &[u8]) -> Publication<'_> {
    Publication { topic: PublishTopic::Name("a"), qos: AtLeastOnce, retain: false, data }
}

#[test]
fn messages_and_their_octets() {
    let mut rig = Rig::new(Config { max_queued: 3, max_queued_octets: 10, ..config() });
    assert!(rig.client.publish(&publication(&[0; 6]), rig.now).is_ok());
    assert_eq!(rig.client.publish(&publication(&[0; 5]), rig.now), Err(Refused::Full));
    assert!(rig.client.publish(&publication(&[0; 4]), rig.now).is_ok());
    assert!(rig.client.publish(&publication(&[]), rig.now).is_ok());
    assert_eq!(rig.client.publish(&publication(&[]), rig.now), Err(Refused::Full));
    // What leaves makes room.
    rig.client.connect(rig.now).unwrap();
    rig.accept();
    rig.receive(&reg_ack(1, 1, ReturnCode::ACCEPTED));
    rig.receive(&puback(2, 1, ReturnCode::ACCEPTED));
    rig.receive(&puback(3, 1, ReturnCode::ACCEPTED));
    rig.receive(&puback(4, 1, ReturnCode::ACCEPTED));
    assert_eq!(rig.client.unfinished(), 0);
    assert!(rig.client.publish(&publication(&[0; 10]), rig.now).is_ok());
}

#[test]
fn what_the_network_does_not_carry() {
    let mut rig = Rig::new(Config { max_message_size: 60, ..config() });
    assert!(rig.client.publish(&publication(&[0; 53]), rig.now).is_ok());
    assert_eq!(rig.client.publish(&publication(&[0; 54]), rig.now), Err(Refused::TooLong));
    let (fits, long) = ("a".repeat(54), "a".repeat(55));
    assert!(rig.client.register(&fits, rig.now).is_ok());
    assert_eq!(rig.client.register(&long, rig.now), Err(Refused::TooLong));
    let named = Publication { topic: PublishTopic::Name(&long), ..publication(b"") };
    assert_eq!(rig.client.publish(&named, rig.now), Err(Refused::TooLong));
    let filter = "a".repeat(56);
    assert_eq!(
        rig.client.subscribe(SubscribeTopic::Name(&filter), AtMostOnce, rig.now),
        Err(Refused::TooLong)
    );
}

#[test]
fn requests_and_subscriptions() {
    let mut rig = Rig::new(Config { max_requests: 3, max_subscriptions: 2, ..config() });
    rig.subscribe("a", AtMostOnce);
    rig.subscribe("b", AtMostOnce);
    let third = rig.client.subscribe(SubscribeTopic::Name("c"), AtMostOnce, rig.now);
    assert_eq!(third, Err(Refused::Full));
    rig.client.register("x", rig.now).unwrap();
    assert_eq!(rig.client.register("y", rig.now), Err(Refused::Full));
    assert_eq!(rig.client.unsubscribe(SubscribeTopic::Name("a"), rig.now), Err(Refused::Full));
}

#[test]
fn gateways() {
    let mut rig = Rig::new(Config { max_gateways: 3, discovery: true, ..config() });
    for gateway in 2..6 {
        rig.receive_from(gateway, &Packet::Advertise(Advertise { gateway_id: gateway, duration: 60 }));
    }
    assert_eq!(rig.client.gateways().count(), 3);
    assert_eq!(rig.client.counters().dropped_gateways, 2);
}

#[test]
fn released_qos_2_messages() {
    let mut rig = Rig::connected(config());
    let short = Topic::Short(short("ab"));
    for message in 1..=17 {
        rig.receive(&publish(ExactlyOnce, message, short, false, "x"));
    }
    assert_eq!((rig.messages().len(), rig.client.counters().forgotten_incoming), (17, 1));
    rig.receive(&publish(ExactlyOnce, 2, short, true, "x"));
    assert_eq!(rig.messages().len(), 0, "the others are remembered");
}

/// Attempt after attempt fails before the subscriptions can be made: they do not pile up.
#[test]
fn resubscriptions_do_not_grow() {
    let mut rig = Rig::connected(Config { max_subscriptions: 2, ..config() });
    for (message, filter) in [(1, "a"), (2, "b")] {
        rig.subscribe(filter, AtMostOnce);
        rig.receive(&suback(message, message, AtMostOnce, ReturnCode::ACCEPTED));
    }
    for _ in 0..20 {
        rig.receive(&Packet::Disconnect(mqttsn_codec::Disconnect { duration: None }));
        rig.forget_sent();
        let wait = rig.client.next_deadline().map_or(secs(0), |at| at - rig.now);
        rig.advance(wait);
        rig.receive(&Packet::ConnAck(ReturnCode::ACCEPTED));
    }
    rig.forget_sent();
    for message in 3..60 {
        rig.receive(&suback(message, 9, AtMostOnce, ReturnCode::ACCEPTED));
    }
    assert!(rig.sent.len() <= 2, "{}", rig.sent.len());
}
