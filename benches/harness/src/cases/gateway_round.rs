//! mqttsn-core: a QoS 1 message of a client through an aggregating gateway and a broker to another client at QoS 0:
//! PUBLISH in, PUBLISH and PUBACK upstream and back, PUBACK and PUBLISH out.

use machine::Instant;
use mqtt_core::{Broker, ConnectionId};
use mqttsn_codec::{
    Connect, Delivery, MessageId, Packet, Publish, QoS, Register, Subscribe, SubscribeTopic, Topic, TopicId,
};
use mqttsn_core::gateway::{Action, Config, Gateway, Input, Mode, UpstreamId};

use crate::corpus::mqtt::TOPIC;
use crate::corpus::mqttsn::message_id;
use crate::corpus::payload;
use crate::{Case, case};

const PUBLISHER: u32 = 1;
const SUBSCRIBER: u32 = 2;

pub(super) fn cases() -> Vec<Case> {
    let one = |(name, mode): (&str, Mode)| {
        let mut network = Network::new(mode);
        let topic = network.meet();
        let data = payload(64);
        let mut number = 100;
        case("gateway_round", name, "ours", move |times| {
            for _ in 0..times {
                number = if number == u16::MAX { 1 } else { number + 1 };
                let delivery = Delivery::AtLeastOnce { message_id: message_id(number), dup: false };
                network.send(
                    PUBLISHER,
                    &Packet::Publish(Publish { delivery, retain: false, topic, data: &data }),
                );
                assert_eq!(network.sent, 2);
            }
        })
    };
    vec![
        one(("aggregating, QoS 1 to QoS 0", Mode::Aggregating)),
        one(("transparent, QoS 1 to QoS 0", Mode::Transparent)),
    ]
}

struct Network {
    gateway: Gateway<u32>,
    broker: Broker,
    connections: Vec<(UpstreamId, ConnectionId)>,
    now: Instant,
    /// Datagrams that the gateway sent since the last one of a client.
    sent: usize,
    /// The topic id in its last REGACK.
    topic_id: u16,
    datagram: Vec<u8>,
    wire: Vec<u8>,
    back: Vec<u8>,
}

impl Network {
    fn new(mode: Mode) -> Self {
        let now = Instant::from_micros(1_000_000);
        let broker =
            mqtt_core::Config { sys_interval: core::time::Duration::ZERO, ..mqtt_core::Config::default() };
        Self {
            gateway: Gateway::new(Config { mode, ..Config::default() }, 42, now),
            broker: Broker::new(broker, [1; 32], now),
            connections: Vec::new(),
            now,
            sent: 0,
            topic_id: 0,
            datagram: Vec::new(),
            wire: Vec::new(),
            back: Vec::new(),
        }
    }

    /// Both clients connect, one registers the topic, the other subscribes to all topics.
    fn meet(&mut self) -> Topic {
        self.carry();
        for (client, client_id) in [(PUBLISHER, "publisher"), (SUBSCRIBER, "subscriber")] {
            let connect = Connect { will: false, clean_session: true, duration: 3600, client_id };
            self.send(client, &Packet::Connect(connect));
        }
        let message_id: MessageId = message_id(1);
        let register = Register { topic_id: None, message_id, topic_name: TOPIC };
        self.send(PUBLISHER, &Packet::Register(register));
        let publisher_topic = TopicId::new(self.topic_id).expect("REGACK");
        let topic = SubscribeTopic::Name(TOPIC);
        self.send(
            SUBSCRIBER,
            &Packet::Subscribe(Subscribe { dup: false, qos: QoS::AtMostOnce, message_id, topic }),
        );
        // Subscriptions are collected for a while.
        self.now += core::time::Duration::from_millis(500);
        self.gateway.handle(Input::Tick, self.now);
        self.carry();
        Topic::Id(publisher_topic)
    }

    fn send(&mut self, from: u32, packet: &Packet<'_>) {
        self.datagram.clear();
        packet.encode(&mut self.datagram).expect("valid");
        self.sent = 0;
        self.gateway.handle(Input::Datagram { from, bytes: &self.datagram, broadcast: false }, self.now);
        self.carry();
    }

    fn carry(&mut self) {
        while let Some(action) = self.gateway.poll_action() {
            match action {
                Action::Send { datagram, .. } => {
                    self.sent += 1;
                    if let Ok(Packet::RegAck(regack)) = Packet::decode(&datagram) {
                        self.topic_id = regack.topic_id;
                    }
                }
                Action::Open { upstream, .. } => {
                    self.connections.push((upstream, self.broker.open(self.now).expect("room")));
                    self.gateway.handle(Input::Opened(upstream), self.now);
                }
                Action::Output(upstream) => self.carry_upstream(upstream),
                Action::Close(_) | Action::Broadcast { .. } | Action::Event(_) => {}
            }
        }
    }

    fn carry_upstream(&mut self, upstream: UpstreamId) {
        self.wire.clear();
        self.gateway.output(upstream).for_each(|chunk| self.wire.extend_from_slice(chunk));
        self.gateway.handle(Input::Sent { upstream, bytes: self.wire.len() }, self.now);
        let connection = self.connections.iter().find(|(id, _)| *id == upstream).expect("open").1;
        self.broker.handle(mqtt_core::Input::Bytes { connection, bytes: &self.wire }, self.now);
        while let Some(action) = self.broker.poll_action() {
            let mqtt_core::Action::Output(connection) = action else { continue };
            self.back.clear();
            self.broker.output(connection).for_each(|chunk| self.back.extend_from_slice(chunk));
            let bytes = self.back.len();
            self.broker.handle(mqtt_core::Input::Sent { connection, bytes }, self.now);
            let upstream = self.connections.iter().find(|(_, id)| *id == connection).expect("open").0;
            self.gateway.handle(Input::Bytes { upstream, bytes: &self.back }, self.now);
        }
    }
}
