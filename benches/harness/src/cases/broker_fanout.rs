//! mqtt-core: one message to a hundred subscribers of a broker.

use machine::Instant;
use mqtt_codec::{
    Delivery, Packet, Properties, ProtocolVersion, QoS, Subscribe, SubscribeFilters, SubscriptionOptions,
};
use mqtt_core::{Action, Broker, Config, ConnectionId, Input};

use crate::corpus::mqtt::{TOPIC, encoded, identifier, plain_connect, publish};
use crate::corpus::payload;
use crate::{Case, stream_case};

const NOW: Instant = Instant::from_micros(1);
const VERSION: ProtocolVersion = ProtocolVersion::V3_1_1;
const SUBSCRIBERS: usize = 100;

pub(super) fn cases() -> Vec<Case> {
    let one = |(name, qos): (&str, QoS)| {
        let mut crowd = Crowd::new(qos);
        let delivery = match qos {
            QoS::AtMostOnce => Delivery::AtMostOnce,
            _ => Delivery::AtLeastOnce { packet_id: identifier(1), dup: false },
        };
        let message = encoded(&publish(delivery, Properties::NONE, &payload(64)), VERSION);
        stream_case(
            "broker_fanout",
            format!("1 to 100, {name}, 64 B, a delivery"),
            "ours",
            SUBSCRIBERS,
            move |times| {
                (0..times).for_each(|_| crowd.publish(&message, qos));
            },
        )
        .times(20)
    };
    [("QoS 0", QoS::AtMostOnce), ("QoS 1", QoS::AtLeastOnce)].into_iter().map(one).collect()
}

struct Crowd {
    broker: Broker,
    publisher: ConnectionId,
    subscribers: Vec<ConnectionId>,
    /// What the broker sent last.
    wire: Vec<u8>,
}

impl Crowd {
    fn new(qos: QoS) -> Self {
        let config = Config { sys_interval: core::time::Duration::ZERO, ..Config::default() };
        let mut broker = Broker::new(config, [1; 32], NOW);
        let publisher = broker.open(NOW).expect("room");
        let subscribers = (0..SUBSCRIBERS).map(|_| broker.open(NOW).expect("room")).collect();
        let mut crowd = Self { broker, publisher, subscribers, wire: Vec::new() };
        let filters = [("site/+/device/#", SubscriptionOptions::qos(qos))];
        let subscribe = Packet::Subscribe(Subscribe {
            packet_id: identifier(1),
            properties: Properties::NONE,
            filters: SubscribeFilters::list(&filters),
        });
        let subscribe = encoded(&subscribe, VERSION);
        crowd.send(publisher, &plain_connect("publisher", VERSION));
        for index in 0..SUBSCRIBERS {
            let subscriber = crowd.subscribers[index];
            crowd.send(subscriber, &plain_connect(&format!("subscriber {index}"), VERSION));
            crowd.send(subscriber, &subscribe);
        }
        crowd
    }

    fn publish(&mut self, message: &[u8], qos: QoS) {
        let before = self.broker.counters().publish_sent;
        self.send(self.publisher, message);
        assert_eq!(self.broker.counters().publish_sent, before + SUBSCRIBERS as u64);
        if qos == QoS::AtLeastOnce {
            // All subscribers have the same history, and so the same packet identifier.
            let identifier_at = 2 + 2 + TOPIC.len();
            let puback = [0x40, 2, self.wire[identifier_at], self.wire[identifier_at + 1]];
            for index in 0..SUBSCRIBERS {
                self.send(self.subscribers[index], &puback);
            }
        }
    }

    /// Bytes arrive; whatever the broker has to send is taken at once.
    fn send(&mut self, connection: ConnectionId, bytes: &[u8]) {
        assert_eq!(self.broker.handle(Input::Bytes { connection, bytes }, NOW), bytes.len());
        while let Some(action) = self.broker.poll_action() {
            if let Action::Output(connection) = action {
                let len = self.broker.output(connection).map(<[u8]>::len).sum();
                if connection != self.publisher {
                    self.wire.clear();
                    self.broker.output(connection).for_each(|chunk| self.wire.extend_from_slice(chunk));
                }
                self.broker.handle(Input::Sent { connection, bytes: len }, NOW);
            }
        }
    }
}
