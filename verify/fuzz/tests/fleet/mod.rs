//! Many clients of one broker, and a host that allocates nothing of its own.
#![allow(dead_code, reason = "each test binary uses a part")]

use core::time::Duration;

use machine::Instant;
use mqtt_codec::{
    Connect, Delivery, Packet, PacketIdentifier, Properties, Property, ProtocolVersion, Publish, QoS,
    Subscribe, SubscribeFilters, SubscriptionOptions,
};
use mqtt_core::{Action, Answer, Broker, Config, ConnectionId, Input};

pub(crate) const NOW: Instant = Instant::from_micros(1);

pub(crate) struct Fleet {
    pub(crate) broker: Broker,
    /// Whether clients read what they are sent.
    pub(crate) reading: bool,
    /// What questions are answered with; without it they stay open.
    pub(crate) answer: Option<Answer>,
}

impl Fleet {
    pub(crate) fn new(config: Config) -> Self {
        let config = Config { sys_interval: Duration::ZERO, ..config };
        Self { broker: Broker::new(config, [1; 32], NOW), reading: true, answer: None }
    }

    pub(crate) fn open(&mut self) -> ConnectionId {
        self.broker.open(NOW).expect("room")
    }

    /// Returns how many bytes were taken.
    pub(crate) fn send(&mut self, connection: ConnectionId, bytes: &[u8]) -> usize {
        let taken = self.broker.handle(Input::Bytes { connection, bytes }, NOW);
        while let Some(action) = self.broker.poll_action() {
            match (action, &self.answer) {
                (Action::Output(connection), _) if self.reading => self.read(connection),
                (Action::Ask { question, .. }, Some(answer)) => {
                    let answer = answer.clone();
                    self.broker.handle(Input::Answer { question, answer }, NOW);
                }
                _ => {}
            }
        }
        taken
    }

    fn read(&mut self, connection: ConnectionId) {
        let bytes = self.broker.output(connection).map(<[u8]>::len).sum();
        self.broker.handle(Input::Sent { connection, bytes }, NOW);
    }

    /// Opens a connection and lets a client in.
    pub(crate) fn connect(&mut self, connect: &[u8]) -> ConnectionId {
        let connection = self.open();
        let before = self.broker.counters().connects_accepted;
        self.send(connection, connect);
        assert_eq!(self.broker.counters().connects_accepted, before + 1);
        connection
    }
}

pub(crate) fn encoded(packet: &Packet<'_>, version: ProtocolVersion) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.encode(version, &mut bytes).expect("valid");
    bytes
}

/// CONNECT of 5.0 with these properties, or of 3.1.1 without any.
pub(crate) fn connect(client_id: &str, properties: &[Property<'_>]) -> Vec<u8> {
    let version = if properties.is_empty() { ProtocolVersion::V3_1_1 } else { ProtocolVersion::V5 };
    let connect = Connect {
        version,
        clean_start: true,
        keep_alive: 60,
        properties: Properties::list(properties),
        client_id,
        will: None,
        username: None,
        password: None,
    };
    encoded(&Packet::Connect(connect), version)
}

pub(crate) fn id(number: u16) -> PacketIdentifier {
    PacketIdentifier::new(number).expect("not 0")
}

pub(crate) fn delivery(qos: QoS, number: u16) -> Delivery {
    match qos {
        QoS::AtMostOnce => Delivery::AtMostOnce,
        QoS::AtLeastOnce => Delivery::AtLeastOnce { packet_id: id(number), dup: false },
        QoS::ExactlyOnce => Delivery::ExactlyOnce { packet_id: id(number), dup: false },
    }
}

pub(crate) fn publish(topic: &str, payload: &[u8], delivery: Delivery, retain: bool) -> Vec<u8> {
    let publish = Publish { delivery, retain, topic, properties: Properties::NONE, payload };
    encoded(&Packet::Publish(publish), ProtocolVersion::V3_1_1)
}

/// SUBSCRIBE, as 3.1.1 and 5.0 have it.
pub(crate) fn subscribe(filters: &[&str], qos: QoS, version: ProtocolVersion) -> Vec<u8> {
    let filters: Vec<_> = filters.iter().map(|filter| (*filter, SubscriptionOptions::qos(qos))).collect();
    let subscribe = Subscribe {
        packet_id: id(1),
        properties: Properties::NONE,
        filters: SubscribeFilters::list(&filters),
    };
    encoded(&Packet::Subscribe(subscribe), version)
}
