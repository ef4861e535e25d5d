//! A gateway between clients that are no more than a list of what they got, and a real broker; all in virtual time.
#![allow(dead_code, reason = "each theme uses its part")]

use core::time::Duration;
use std::collections::BTreeMap;

use machine::Instant;
use mqtt_codec::{
    Direction, FrameRules, MAX_PACKET_SIZE, PacketType, Properties, ProtocolVersion, next_frame,
};
use mqtt_core::{Broker, ConnectionId, Publication};
use mqttsn_codec::{
    Connect, Delivery, Disconnect, MessageId, Packet, PingReq, PubAck, Publish, RegAck, Register, ReturnCode,
    SubAck, Subscribe, SubscribeTopic, Topic, TopicId, Unsubscribe,
};
use mqttsn_core::gateway::{Action, Address, Config, Event, Gateway, Input, Mode, State, UpstreamId};

pub use mqttsn_codec::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};

pub type Peer = u16;

/// What the gateway sent to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    Connect { client_id: String, clean: bool, will: Option<(String, Vec<u8>)> },
    Subscribe(String, u8),
    Unsubscribe(String),
    Publish(String, Vec<u8>, u8),
    Other(PacketType),
}

/// A message as it came to the observer: topic, payload, QoS, retained.
pub type Seen = (String, String, u8, bool);

struct Connection {
    id: ConnectionId,
    stream: Vec<u8>,
    version: ProtocolVersion,
}

pub struct Bench {
    pub gateway: Gateway<Peer>,
    pub broker: Broker,
    pub now: Instant,
    connections: BTreeMap<UpstreamId, Connection>,
    /// Connections that cannot be opened.
    pub down: bool,
    /// The server takes CONNECT and says nothing.
    pub mute: bool,
    inbox: BTreeMap<Peer, Vec<Vec<u8>>>,
    pub broadcasts: Vec<(u8, Vec<u8>)>,
    pub events: Vec<Event<Peer>>,
    pub sent: Vec<Sent>,
    observer: mqtt_core::client::Client,
    observer_connection: Option<ConnectionId>,
    seen: Vec<Seen>,
}

pub fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub fn id(number: u16) -> MessageId {
    MessageId::new(number).unwrap()
}

pub fn topic(number: u16) -> TopicId {
    TopicId::new(number).unwrap()
}

pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().filter(|c| !c.is_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(&String::from_iter(pair), 16).unwrap()).collect()
}

pub fn aggregating(config: &mut Config) {
    config.mode = Mode::Aggregating;
}

/// Both modes, one after the other.
pub fn both(test: impl Fn(Bench)) {
    test(Bench::new());
    test(Bench::with(aggregating));
}

/// Both modes, with what `change` says.
pub fn both_with(change: impl Fn(&mut Config), test: impl Fn(Bench)) {
    test(Bench::with(&change));
    test(Bench::with(|config| {
        aggregating(config);
        change(config);
    }));
}

pub fn connect(client_id: &str) -> Connect<'_> {
    Connect { will: false, clean_session: true, duration: 60, client_id }
}

pub fn publish(topic: Topic, data: &str, delivery: Delivery) -> Packet<'_> {
    Packet::Publish(Publish { delivery, retain: false, topic, data: data.as_bytes() })
}

pub fn qos1(number: u16) -> Delivery {
    Delivery::AtLeastOnce { message_id: id(number), dup: false }
}

pub fn qos2(number: u16) -> Delivery {
    Delivery::ExactlyOnce { message_id: id(number), dup: false }
}

pub fn puback(topic_id: u16, number: u16, code: u8) -> Packet<'static> {
    let message_id = MessageId::new(number);
    Packet::PubAck(PubAck { topic_id, message_id, return_code: ReturnCode::new(code) })
}

pub fn regack(topic_id: u16, message_id: MessageId, code: u8) -> Packet<'static> {
    Packet::RegAck(RegAck { topic_id, message_id, return_code: ReturnCode::new(code) })
}

pub const DISCONNECT: Packet<'static> = Packet::Disconnect(Disconnect { duration: None });
pub const CONNACK: Packet<'static> = Packet::ConnAck(ReturnCode::ACCEPTED);
pub const CONGESTED: Packet<'static> = Packet::ConnAck(ReturnCode::CONGESTION);
pub const NOT_SUPPORTED: Packet<'static> = Packet::ConnAck(ReturnCode::NOT_SUPPORTED);
pub const PING: Packet<'static> = Packet::PingReq(PingReq { client_id: None });

impl Bench {
    /// A transparent gateway, its connection up.
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut bench = Self::unsettled(change);
        bench.settle();
        bench.sent.clear();
        bench.events.clear();
        bench
    }

    /// A gateway that has not even opened its connection.
    pub fn unsettled(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config { random_ids: false, ..Config::default() };
        change(&mut config);
        let now = Instant::from_micros(1_000_000);
        let broker_config =
            mqtt_core::Config { sys_interval: Duration::ZERO, ..mqtt_core::Config::default() };
        let observer = mqtt_core::client::Config { client_id: "observer".into(), ..Default::default() };
        let mut bench = Self {
            gateway: Gateway::new(config, 1, now),
            broker: Broker::new(broker_config, [3; 32], now),
            now,
            connections: BTreeMap::new(),
            down: false,
            mute: false,
            inbox: BTreeMap::new(),
            broadcasts: Vec::new(),
            events: Vec::new(),
            sent: Vec::new(),
            observer: mqtt_core::client::Client::new(observer, 5, now),
            observer_connection: None,
            seen: Vec::new(),
        };
        bench.observer.connect(now);
        let options = mqtt_codec::SubscriptionOptions {
            retain_as_published: true,
            ..mqtt_codec::SubscriptionOptions::qos(mqtt_codec::QoS::ExactlyOnce)
        };
        bench.observer.subscribe(&[("#", options)], Properties::NONE, now).unwrap();
        bench.settle_observer();
        bench
    }

    // Clients.

    pub fn send_raw(&mut self, from: Peer, bytes: &[u8]) {
        self.gateway.handle(Input::Datagram { from, bytes, broadcast: false }, self.now);
        self.settle();
    }

    pub fn send(&mut self, from: Peer, packet: &Packet<'_>) {
        let mut bytes = Vec::new();
        packet.encode(&mut bytes).unwrap();
        self.send_raw(from, &bytes);
    }

    /// Datagrams that a client got since the last call.
    pub fn take(&mut self, peer: Peer) -> Vec<Vec<u8>> {
        self.inbox.remove(&peer).unwrap_or_default()
    }

    /// What a client got since the last call is this and nothing else.
    #[track_caller]
    pub fn expect(&mut self, peer: Peer, packets: &[Packet<'_>]) {
        let got = self.take(peer);
        let got: Vec<_> = got.iter().map(|datagram| Packet::decode(datagram).unwrap()).collect();
        assert_eq!(got, packets, "peer {peer}");
    }

    /// Sends, and expects this answer.
    #[track_caller]
    pub fn ask(&mut self, peer: Peer, packet: &Packet<'_>, answer: &[Packet<'_>]) {
        self.take(peer);
        self.send(peer, packet);
        self.expect(peer, answer);
    }

    #[track_caller]
    pub fn connect(&mut self, peer: Peer, client_id: &str) {
        self.ask(peer, &Packet::Connect(connect(client_id)), &[CONNACK]);
    }

    /// With a session that outlives the connection.
    #[track_caller]
    pub fn connect_persistent(&mut self, peer: Peer, client_id: &str) {
        let connect = Connect { clean_session: false, ..connect(client_id) };
        self.ask(peer, &Packet::Connect(connect), &[CONNACK]);
    }

    #[track_caller]
    pub fn connect_with_will(&mut self, peer: Peer, client_id: &str, will: &str, message: &[u8]) {
        let connect = Connect { will: true, ..connect(client_id) };
        self.ask(peer, &Packet::Connect(connect), &[Packet::WillTopicReq]);
        let will = mqttsn_codec::WillTopic { qos: AtLeastOnce, retain: false, topic: will };
        self.ask(peer, &Packet::WillTopic(Some(will)), &[Packet::WillMsgReq]);
        self.ask(peer, &Packet::WillMsg(message), &[CONNACK]);
    }

    #[track_caller]
    pub fn register(&mut self, peer: Peer, topic_name: &str) -> TopicId {
        self.take(peer);
        self.send(peer, &Packet::Register(Register { topic_id: None, message_id: id(900), topic_name }));
        let got = self.take(peer);
        match Packet::decode(&got[0]).unwrap() {
            Packet::RegAck(RegAck { topic_id, return_code: ReturnCode::ACCEPTED, .. }) => topic(topic_id),
            other => panic!("{other:?}"),
        }
    }

    /// The return code of REGACK.
    pub fn register_refused(&mut self, peer: Peer, topic_name: &str) -> u8 {
        self.take(peer);
        self.send(peer, &Packet::Register(Register { topic_id: None, message_id: id(901), topic_name }));
        let got = self.take(peer);
        match Packet::decode(&got[0]).unwrap() {
            Packet::RegAck(regack) => regack.return_code.get(),
            other => panic!("{other:?}"),
        }
    }

    /// Subscribes, lets the time pass in which subscriptions are collected, and returns SUBACK; other messages stay.
    #[track_caller]
    pub fn subscribe_to(&mut self, peer: Peer, topic: SubscribeTopic<'_>, qos: mqttsn_codec::QoS) -> SubAck {
        self.take(peer);
        let subscribe = Subscribe { dup: false, qos, message_id: id(902), topic };
        self.send(peer, &Packet::Subscribe(subscribe));
        self.advance(Duration::from_millis(100));
        let inbox = self.inbox.entry(peer).or_default();
        let place =
            inbox.iter().position(|datagram| matches!(Packet::decode(datagram), Ok(Packet::SubAck(_))));
        let datagram = inbox.remove(place.expect("SUBACK"));
        match Packet::decode(&datagram).unwrap() {
            Packet::SubAck(suback) => {
                assert_eq!(suback.message_id, id(902));
                suback
            }
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    pub fn subscribe(&mut self, peer: Peer, filter: &str, qos: mqttsn_codec::QoS) -> u16 {
        let suback = self.subscribe_to(peer, SubscribeTopic::Name(filter), qos);
        assert_eq!((suback.return_code, suback.qos), (ReturnCode::ACCEPTED, qos));
        suback.topic_id
    }

    #[track_caller]
    pub fn unsubscribe(&mut self, peer: Peer, filter: &str) {
        let topic = SubscribeTopic::Name(filter);
        self.ask(
            peer,
            &Packet::Unsubscribe(Unsubscribe { message_id: id(903), topic }),
            &[Packet::UnsubAck(id(903))],
        );
        self.advance(Duration::from_millis(100));
    }

    #[track_caller]
    pub fn sleep(&mut self, peer: Peer, duration: u16) {
        let sleep = Disconnect { duration: Some(duration) };
        self.ask(peer, &Packet::Disconnect(sleep), &[DISCONNECT]);
    }

    pub fn wake(&mut self, peer: Peer, client_id: &str) {
        self.send(peer, &Packet::PingReq(PingReq { client_id: Some(client_id) }));
    }

    /// A client that behaves: REGISTER and messages are acknowledged until nothing comes any more. Returns the topics by
    /// their names as far as it was told, the payloads and the QoS; and whether PINGRESP came, last.
    pub fn behave(&mut self, peer: Peer) -> (Vec<(String, String, u8)>, bool) {
        let (mut messages, mut names, mut over) = (Vec::new(), BTreeMap::new(), false);
        loop {
            let datagrams = self.take(peer);
            if datagrams.is_empty() {
                return (messages, over);
            }
            for datagram in datagrams {
                over = false;
                match Packet::decode(&datagram).unwrap() {
                    Packet::Register(register) => {
                        let topic_id = register.topic_id.unwrap().get();
                        names.insert(Topic::Id(topic(topic_id)), register.topic_name.to_owned());
                        self.send(peer, &regack(topic_id, register.message_id, 0));
                    }
                    Packet::Publish(publish) => {
                        let name = match publish.topic {
                            Topic::Short(short) => short.as_str().unwrap().to_owned(),
                            other => {
                                names.get(&other).cloned().unwrap_or_else(|| format!("{}", other.field()))
                            }
                        };
                        let payload = String::from_utf8(publish.data.to_vec()).unwrap();
                        messages.push((name, payload, publish.delivery.qos() as u8));
                        match publish.delivery {
                            Delivery::AtMostOnce => {}
                            Delivery::AtLeastOnce { message_id, .. } => {
                                self.send(peer, &puback(publish.topic.field(), message_id.get(), 0));
                            }
                            Delivery::ExactlyOnce { message_id, .. } => {
                                self.send(peer, &Packet::PubRec(message_id));
                            }
                        }
                    }
                    Packet::PubRel(id) => self.send(peer, &Packet::PubComp(id)),
                    Packet::PingResp => over = true,
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    pub fn payloads(&mut self, peer: Peer) -> Vec<String> {
        self.behave(peer).0.into_iter().map(|(_, payload, _)| payload).collect()
    }

    #[track_caller]
    pub fn assert_state(&self, client_id: &str, state: State) {
        assert_eq!(self.gateway.state(client_id), Some(state));
    }

    pub fn address(&self, client_id: &str) -> Option<Address<Peer>> {
        self.gateway.address(client_id).cloned()
    }

    // The server.

    /// Someone publishes at the broker.
    pub fn publish_at_broker(&mut self, topic: &str, payload: &str, qos: u8) {
        self.publish_with(topic, payload, qos, false);
    }

    pub fn publish_with(&mut self, topic: &str, payload: &str, qos: u8, retain: bool) {
        let qos = mqtt_codec::QoS::try_from(qos).unwrap();
        let (properties, payload) = (Properties::NONE, payload.as_bytes());
        self.broker.publish(&Publication { topic, qos, retain, properties, payload }, self.now).unwrap();
        self.settle();
    }

    /// What came to somebody who subscribes to everything, since the last call.
    pub fn seen(&mut self) -> Vec<Seen> {
        core::mem::take(&mut self.seen)
    }

    /// What was sent to the server since the last call, but for PINGREQ and acknowledgements.
    pub fn upstream(&mut self) -> Vec<Sent> {
        let mut sent = core::mem::take(&mut self.sent);
        sent.retain(|sent| !matches!(sent, Sent::Other(_)));
        sent
    }

    /// SUBSCRIBEs to the server since the last call.
    pub fn subscribes(&mut self) -> Vec<(String, u8)> {
        let sent = core::mem::take(&mut self.sent).into_iter();
        sent.filter_map(
            |sent| if let Sent::Subscribe(filter, qos) = sent { Some((filter, qos)) } else { None },
        )
        .collect()
    }

    /// All connections to the server break, and no new one can be made.
    pub fn cut(&mut self) {
        self.down = true;
        self.break_connections();
    }

    /// All connections to the server break.
    pub fn break_connections(&mut self) {
        let all: Vec<_> = self.connections.keys().copied().collect();
        for upstream in all {
            self.close(upstream);
        }
        self.settle();
    }

    /// The server is there again, and time enough passes for all to come back.
    pub fn restore(&mut self) {
        self.down = false;
        self.advance(seconds(10));
    }

    /// The gateway ends without a word, and another one takes its place.
    pub fn restart_gateway(&mut self) {
        self.break_connections();
        let config = self.gateway.config().clone();
        self.gateway = Gateway::new(config, self.now.as_micros(), self.now);
        self.settle();
    }

    /// The server is one that knows MQTT 3.1.1 only: it refuses what has been said so far, and closes.
    pub fn refuse_as_old_server(&mut self) {
        let all: Vec<_> = self.connections.keys().copied().collect();
        for upstream in all {
            self.gateway.handle(Input::Bytes { upstream, bytes: &[0x20, 2, 0, 1] }, self.now);
            self.close(upstream);
        }
        self.settle();
    }

    /// An MQTT client (3.1.1) connects to the broker itself, with this identifier of one letter.
    pub fn connect_at_broker(&mut self, client_id: u8) {
        let connection = self.broker.open(self.now).unwrap();
        let bytes = [&b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01"[..], &[client_id]].concat();
        self.broker.handle(mqtt_core::Input::Bytes { connection, bytes: &bytes }, self.now);
        self.settle();
    }

    /// Another server, which knows nobody, takes the place of the first.
    pub fn replace_broker(&mut self) {
        self.cut();
        self.observer_connection = None;
        self.broker = Broker::new(self.broker.config().clone(), [9; 32], self.now);
        self.observer.handle(mqtt_core::client::Input::Closed, self.now);
        self.settle();
    }

    pub fn connections(&self) -> usize {
        self.connections.len()
    }

    // Time.

    /// When something happens next by itself.
    pub fn next_deadline(&self) -> Option<Instant> {
        let all = [self.gateway.next_deadline(), self.broker.next_deadline(), self.observer.next_deadline()];
        all.into_iter().flatten().min()
    }

    /// Lets time pass, ticking at every deadline on the way.
    pub fn advance(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(next) = self.next_deadline().filter(|next| *next <= end) {
            self.now = next.max(self.now);
            self.gateway.handle(Input::Tick, self.now);
            self.broker.handle(mqtt_core::Input::Tick, self.now);
            self.observer.handle(mqtt_core::client::Input::Tick, self.now);
            self.settle();
            let left = self.gateway.next_deadline();
            assert!(left.is_none_or(|left| left > self.now), "after a tick no deadline is left behind");
        }
        self.now = end;
    }

    // What a host does.

    pub fn settle(&mut self) {
        loop {
            let mut idle = true;
            while let Some(action) = self.gateway.poll_action() {
                idle = false;
                self.perform(action);
            }
            while let Some(action) = self.broker.poll_action() {
                idle = false;
                self.perform_broker(&action);
            }
            self.settle_observer();
            if idle {
                return;
            }
        }
    }

    fn perform(&mut self, action: Action<Peer>) {
        match action {
            Action::Send { to, datagram } => self.inbox.entry(to).or_default().push(datagram.to_vec()),
            Action::Broadcast { radius, datagram } => self.broadcasts.push((radius, datagram.to_vec())),
            Action::Open { upstream, .. } if self.down => {
                self.gateway.handle(Input::Closed(upstream), self.now);
            }
            Action::Open { upstream, .. } => {
                let id = self.broker.open(self.now).unwrap();
                let connection = Connection { id, stream: Vec::new(), version: ProtocolVersion::V5 };
                self.connections.insert(upstream, connection);
                self.gateway.handle(Input::Opened(upstream), self.now);
            }
            Action::Output(upstream) => self.carry(upstream),
            Action::Close(upstream) => {
                self.carry(upstream);
                self.close(upstream);
            }
            Action::Event(event) => self.events.push(event),
        }
    }

    fn close(&mut self, upstream: UpstreamId) {
        if let Some(connection) = self.connections.remove(&upstream) {
            self.broker.handle(mqtt_core::Input::Closed { connection: connection.id }, self.now);
            self.gateway.handle(Input::Closed(upstream), self.now);
        }
    }

    /// From the gateway to the broker.
    fn carry(&mut self, upstream: UpstreamId) {
        let bytes: Vec<u8> = self.gateway.output(upstream).flatten().copied().collect();
        self.gateway.handle(Input::Sent { upstream, bytes: bytes.len() }, self.now);
        let Some(connection) = self.connections.get_mut(&upstream) else { return };
        connection.stream.extend_from_slice(&bytes);
        note(connection, &mut self.sent);
        if !self.mute {
            let input = mqtt_core::Input::Bytes { connection: connection.id, bytes: &bytes };
            assert_eq!(self.broker.handle(input, self.now), bytes.len());
        }
    }

    fn perform_broker(&mut self, action: &mqtt_core::Action) {
        match *action {
            mqtt_core::Action::Output(connection) => {
                let bytes: Vec<u8> = self.broker.output(connection).flatten().copied().collect();
                self.broker.handle(mqtt_core::Input::Sent { connection, bytes: bytes.len() }, self.now);
                let mut all = self.connections.iter();
                if self.observer_connection == Some(connection) {
                    self.observer.handle(mqtt_core::client::Input::Bytes(&bytes), self.now);
                } else if let Some((&upstream, _)) = all.find(|(_, open)| open.id == connection) {
                    self.gateway.handle(Input::Bytes { upstream, bytes: &bytes }, self.now);
                }
            }
            mqtt_core::Action::Close { connection, .. } => {
                self.perform_broker(&mqtt_core::Action::Output(connection));
                let found = self.connections.iter().find(|(_, open)| open.id == connection);
                if let Some(upstream) = found.map(|(upstream, _)| *upstream) {
                    self.close(upstream);
                }
            }
            _ => {}
        }
    }

    fn settle_observer(&mut self) {
        while let Some(action) = self.observer.poll_action() {
            match action {
                mqtt_core::client::Action::Open { .. } => {
                    self.observer_connection = Some(self.broker.open(self.now).unwrap());
                    self.observer.handle(mqtt_core::client::Input::Opened, self.now);
                }
                mqtt_core::client::Action::Output => {
                    let bytes: Vec<u8> = self.observer.output().flatten().copied().collect();
                    self.observer.handle(mqtt_core::client::Input::Sent(bytes.len()), self.now);
                    let connection = self.observer_connection.unwrap();
                    self.broker.handle(mqtt_core::Input::Bytes { connection, bytes: &bytes }, self.now);
                    while let Some(action) = self.broker.poll_action() {
                        self.perform_broker(&action);
                    }
                }
                mqtt_core::client::Action::Message(message) => {
                    let payload = String::from_utf8_lossy(message.payload()).into_owned();
                    self.seen.push((message.topic().into(), payload, message.qos as u8, message.retain));
                }
                _ => {}
            }
        }
    }
}

/// Reads what the gateway sends.
fn note(connection: &mut Connection, sent: &mut Vec<Sent>) {
    loop {
        let rules = FrameRules {
            direction: Direction::ClientToServer,
            first: connection.stream.first() == Some(&0x10),
            version: connection.version,
            max_packet_size: MAX_PACKET_SIZE,
        };
        let Some(frame) = next_frame(&connection.stream, &rules).unwrap() else { return };
        let len = frame.len();
        if connection.stream.first() == Some(&0x10) && connection.stream.get(8) == Some(&4) {
            connection.version = ProtocolVersion::V3_1_1;
        }
        let packet = mqtt_codec::Packet::decode(frame, connection.version).unwrap();
        sent.push(match &packet {
            mqtt_codec::Packet::Connect(connect) => Sent::Connect {
                client_id: connect.client_id.into(),
                clean: connect.clean_start,
                will: connect.will.map(|will| (will.topic.into(), will.payload.to_vec())),
            },
            mqtt_codec::Packet::Publish(publish) => {
                Sent::Publish(publish.topic.into(), publish.payload.to_vec(), publish.delivery.qos() as u8)
            }
            mqtt_codec::Packet::Subscribe(subscribe) => {
                let (filter, options) = subscribe.filters.iter().next().unwrap();
                Sent::Subscribe(filter.into(), options.maximum_qos as u8)
            }
            mqtt_codec::Packet::Unsubscribe(unsubscribe) => {
                Sent::Unsubscribe(unsubscribe.filters.iter().next().unwrap().into())
            }
            other => Sent::Other(other.packet_type()),
        });
        connection.stream.drain(..len);
    }
}
