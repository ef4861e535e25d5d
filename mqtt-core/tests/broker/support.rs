//! A broker in virtual time, and clients that are no more than a list of what they got.
#![allow(dead_code, reason = "each test binary uses its part")]

mod packets;

use core::time::Duration;
use std::collections::BTreeMap;

use machine::Instant;
use mqtt_codec::{
    Acknowledge, Connect, Direction, Disconnect, FrameRules, MAX_PACKET_SIZE, Packet, Properties, Property,
    ProtocolVersion, Publish, QoS, ReasonCode, Subscribe, SubscribeFilters, SubscriptionOptions, Unsubscribe,
    UnsubscribeFilters, next_frame,
};
use mqtt_core::{Action, Answer, Broker, Config, ConnectionId, Input, Question, QuestionId, Record};

use self::packets::got;
pub use self::packets::{Got, Message, connect, delivery, id, persistent, publish, will, with};
pub use ProtocolVersion::{V3_1, V3_1_1, V5};
pub use QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};

/// A broker and its connections in virtual time.
pub struct Bench {
    pub broker: Broker,
    pub now: Instant,
    pub questions: Vec<(QuestionId, ConnectionId, Question)>,
    pub records: Vec<Record>,
    /// Connections whose bytes flow again, and clients that were let in.
    pub resumed: Vec<ConnectionId>,
    pub connected: Vec<String>,
    /// Says `Durable` for each record at once.
    pub auto_durable: bool,
    got: BTreeMap<ConnectionId, Vec<Got>>,
    versions: BTreeMap<ConnectionId, ProtocolVersion>,
    streams: BTreeMap<ConnectionId, Vec<u8>>,
    /// Connections whose output is left where it is.
    pub stalled: Vec<ConnectionId>,
}

pub const MICROSECOND: Duration = Duration::from_micros(1);

pub fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl Bench {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// A broker without `$SYS`, and what `change` says.
    pub fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config { sys_interval: Duration::ZERO, ..Config::default() };
        change(&mut config);
        let now = Instant::from_micros(1_000_000);
        Self {
            broker: Broker::new(config, [7; 32], now),
            now,
            questions: Vec::new(),
            records: Vec::new(),
            resumed: Vec::new(),
            connected: Vec::new(),
            auto_durable: true,
            got: BTreeMap::new(),
            versions: BTreeMap::new(),
            streams: BTreeMap::new(),
            stalled: Vec::new(),
        }
    }

    /// A broker restored from these records, at the same time.
    pub fn restored(&self, records: &[Record], config: impl FnOnce(&mut Config)) -> Self {
        let mut bench = Self::with(config);
        bench.now = self.now;
        bench.broker.restore(records.to_vec(), self.now).unwrap();
        bench.drain();
        bench
    }

    pub fn open(&mut self) -> ConnectionId {
        let connection = self.broker.open(self.now).unwrap();
        self.got.insert(connection, Vec::new());
        self.streams.insert(connection, Vec::new());
        connection
    }

    /// Opens a connection, sends CONNECT, and forgets a CONNACK that says success.
    pub fn connect(&mut self, connect: &Connect<'_>) -> ConnectionId {
        let connection = self.open();
        self.send(connection, &Packet::Connect(*connect));
        let got = self.got(connection);
        assert!(matches!(got.first(), Some(Got::ConnAck { reason: ReasonCode::SUCCESS, .. })), "{got:?}");
        self.got.get_mut(&connection).unwrap().extend_from_slice(&got[1..]);
        connection
    }

    /// Opens a connection, sends CONNECT, and returns all that came back.
    pub fn try_connect(&mut self, connect: &Connect<'_>) -> (ConnectionId, Vec<Got>) {
        let connection = self.open();
        self.send(connection, &Packet::Connect(*connect));
        (connection, self.got(connection))
    }

    /// The properties of the CONNACK to this CONNECT, which says success.
    pub fn connack(&mut self, connect: &Connect<'_>) -> (ConnectionId, String) {
        let (connection, got) = self.try_connect(connect);
        match got.into_iter().next() {
            Some(Got::ConnAck { reason: ReasonCode::SUCCESS, properties, .. }) => (connection, properties),
            other => panic!("{other:?}"),
        }
    }

    /// Connects and says whether a session was present.
    pub fn session_present(&mut self, connect: &Connect<'_>) -> bool {
        let (_, got) = self.try_connect(connect);
        matches!(got[0], Got::ConnAck { reason: ReasonCode::SUCCESS, session_present: true, .. })
    }

    pub fn send(&mut self, connection: ConnectionId, packet: &Packet<'_>) {
        if let Packet::Connect(connect) = packet {
            self.versions.insert(connection, connect.version);
        }
        let mut bytes = Vec::new();
        packet.encode(self.version(connection), &mut bytes).unwrap();
        self.send_bytes(connection, &bytes);
    }

    /// What comes for this connection is to be read as this version, although its CONNECT was raw bytes.
    pub fn reads(&mut self, connection: ConnectionId, version: ProtocolVersion) {
        self.versions.insert(connection, version);
    }

    /// Returns how many bytes were taken.
    pub fn send_bytes(&mut self, connection: ConnectionId, bytes: &[u8]) -> usize {
        let taken = self.broker.handle(Input::Bytes { connection, bytes }, self.now);
        self.drain();
        taken
    }

    pub fn publish(&mut self, connection: ConnectionId, publish: &Publish<'_>) {
        self.send(connection, &Packet::Publish(*publish));
    }

    /// Subscribes with plain options, and checks and forgets the SUBACK.
    pub fn subscribe(&mut self, connection: ConnectionId, filter: &str, qos: QoS) {
        let before = self.peek(connection).len();
        self.subscribe_with(connection, filter, SubscriptionOptions::qos(qos), &[]);
        let got = self.got.get_mut(&connection).unwrap();
        let suback = got.remove(before);
        assert_eq!(suback, Got::SubAck(77, vec![ReasonCode::new(qos as u8)]), "{filter}");
    }

    pub fn subscribe_with(
        &mut self,
        connection: ConnectionId,
        filter: &str,
        options: SubscriptionOptions,
        properties: &[Property<'_>],
    ) {
        let filters = [(filter, options)];
        let subscribe = Subscribe {
            packet_id: id(77),
            properties: Properties::list(properties),
            filters: SubscribeFilters::list(&filters),
        };
        self.send(connection, &Packet::Subscribe(subscribe));
    }

    pub fn unsubscribe(&mut self, connection: ConnectionId, filter: &str) {
        let filters = UnsubscribeFilters::list(core::slice::from_ref(&filter));
        let unsubscribe = Unsubscribe { packet_id: id(78), properties: Properties::NONE, filters };
        self.send(connection, &Packet::Unsubscribe(unsubscribe));
    }

    pub fn disconnect(&mut self, connection: ConnectionId, reason: ReasonCode) {
        self.send(connection, &Packet::Disconnect(Disconnect::new(reason)));
        self.close(connection);
    }

    /// The network connection ends without a DISCONNECT.
    pub fn close(&mut self, connection: ConnectionId) {
        self.broker.handle(Input::Closed { connection }, self.now);
        self.drain();
    }

    pub fn puback(&mut self, connection: ConnectionId, packet_id: u16) {
        self.send(connection, &Packet::PubAck(Acknowledge::success(id(packet_id))));
    }

    pub fn pubrec(&mut self, connection: ConnectionId, packet_id: u16) {
        self.send(connection, &Packet::PubRec(Acknowledge::success(id(packet_id))));
    }

    pub fn pubrel(&mut self, connection: ConnectionId, packet_id: u16) {
        self.send(connection, &Packet::PubRel(Acknowledge::success(id(packet_id))));
    }

    pub fn pubcomp(&mut self, connection: ConnectionId, packet_id: u16) {
        self.send(connection, &Packet::PubComp(Acknowledge::success(id(packet_id))));
    }

    /// Answers the oldest question.
    pub fn answer(&mut self, answer: Answer) {
        let (question, _, _) = self.questions.remove(0);
        self.broker.handle(Input::Answer { question, answer }, self.now);
        self.drain();
    }

    /// Lets time pass, ticking at every deadline on the way.
    pub fn advance(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(deadline) = self.broker.next_deadline().filter(|deadline| *deadline <= end) {
            self.now = deadline.max(self.now);
            self.broker.handle(Input::Tick, self.now);
            self.drain();
            let next = self.broker.next_deadline();
            assert!(next.is_none_or(|next| next > self.now), "after a tick no deadline is left behind");
        }
        self.now = end;
    }

    /// Lets all but the last microsecond of this time pass; [`MICROSECOND`] is what is left.
    pub fn advance_short_of(&mut self, span: Duration) {
        self.advance(span.saturating_sub(MICROSECOND));
    }

    /// What a connection got since the last call.
    pub fn got(&mut self, connection: ConnectionId) -> Vec<Got> {
        core::mem::take(self.got.get_mut(&connection).unwrap())
    }

    pub fn peek(&self, connection: ConnectionId) -> &[Got] {
        &self.got[&connection]
    }

    /// The messages a connection got since the last call; everything else is forgotten.
    pub fn messages(&mut self, connection: ConnectionId) -> Vec<Message> {
        let got = self.got(connection).into_iter();
        got.filter_map(|got| if let Got::Publish(message) = got { Some(message) } else { None }).collect()
    }

    /// The payloads of these messages, as text.
    pub fn payloads(&mut self, connection: ConnectionId) -> Vec<String> {
        let messages = self.messages(connection).into_iter();
        messages.map(|message| String::from_utf8(message.payload).unwrap()).collect()
    }

    /// Takes a stalled connection's output after all.
    pub fn unstall(&mut self, connection: ConnectionId) {
        self.stalled.retain(|stalled| *stalled != connection);
        self.take_output(connection);
        self.drain();
    }

    pub fn drain(&mut self) {
        while let Some(action) = self.broker.poll_action() {
            match action {
                Action::Output(connection) => self.take_output(connection),
                Action::Close { connection, reason } => {
                    self.take_output(connection);
                    self.got.get_mut(&connection).unwrap().push(Got::Closed(reason));
                }
                Action::Ask { question, connection, about } => {
                    self.questions.push((question, connection, about));
                }
                Action::Record { number, record } => {
                    self.records.push(record);
                    if self.auto_durable {
                        self.broker.handle(Input::Durable { up_to: number }, self.now);
                    }
                }
                Action::Resume(connection) => self.resumed.push(connection),
                Action::Connected { client_id, .. } => self.connected.push((*client_id).into()),
            }
        }
    }

    fn take_output(&mut self, connection: ConnectionId) {
        while !self.stalled.contains(&connection) {
            let bytes: Vec<u8> = self.broker.output(connection).flatten().copied().collect();
            if bytes.is_empty() {
                break;
            }
            self.broker.handle(Input::Sent { connection, bytes: bytes.len() }, self.now);
            self.streams.get_mut(&connection).unwrap().extend_from_slice(&bytes);
        }
        self.decode_output(connection);
    }

    fn decode_output(&mut self, connection: ConnectionId) {
        let version = self.version(connection);
        let stream = self.streams.get_mut(&connection).unwrap();
        let mut taken = 0;
        loop {
            let rules = FrameRules {
                direction: Direction::ServerToClient,
                first: matches!(stream.get(taken), Some(0x20)),
                version,
                max_packet_size: MAX_PACKET_SIZE,
            };
            let Some(frame) = next_frame(&stream[taken..], &rules).unwrap() else { break };
            taken += frame.len();
            let packet = Packet::decode(frame, version).unwrap();
            self.got.get_mut(&connection).unwrap().push(got(&packet));
        }
        stream.drain(..taken);
    }

    fn version(&self, connection: ConnectionId) -> ProtocolVersion {
        self.versions.get(&connection).copied().unwrap_or(V5)
    }
}
