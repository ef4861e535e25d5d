//! A client whose server is the test: packets go in, and what the client sends is compared packet by packet.
#![allow(dead_code, reason = "each theme uses its part")]

use core::time::Duration;

use machine::Instant;
use mqtt_codec::{
    Acknowledge, ConnAck, Delivery, Direction, Disconnect, FrameRules, MAX_PACKET_SIZE, Packet,
    PacketIdentifier, PacketType, Properties, Property, ProtocolVersion, Publish, QoS, ReasonCode,
    ReasonCodes, SubAck, SubscriptionOptions, UnsubAck, next_frame,
};
use mqtt_core::client::{
    Action, Change, Client, Config, DisconnectReason, DropReason, Handle, Input, Message, Outcome,
};
use mqtt_core::{PropertyBuffer, RecordNumber};

pub use ProtocolVersion::{V3_1, V3_1_1, V5};
pub use QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};

pub const VERSIONS: [ProtocolVersion; 3] = [V3_1, V3_1_1, V5];
pub const PUBLISHED: Outcome = Outcome::Published(ReasonCode::SUCCESS);

/// A client, and all that it did since somebody looked.
pub struct Script {
    pub client: Client,
    pub now: Instant,
    version: ProtocolVersion,
    /// The host shall open a connection: to this server, or the configured one if empty.
    pub opening: Option<String>,
    /// The host was told to close the connection; it did.
    pub closed: bool,
    /// Bytes that may leave stay where they are.
    pub stalled: bool,
    /// Records are durable at once.
    pub auto_durable: bool,
    stream: Vec<u8>,
    pub messages: Vec<Message>,
    pub completed: Vec<(Handle, Outcome)>,
    pub connected: Vec<(bool, PropertyBuffer)>,
    pub disconnected: Vec<(DisconnectReason, PropertyBuffer, Option<Instant>)>,
    pub challenges: Vec<Box<[u8]>>,
    pub reauthenticated: usize,
    pub records: Vec<(RecordNumber, Vec<Change>)>,
}

pub fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub fn id(number: u16) -> PacketIdentifier {
    PacketIdentifier::new(number).unwrap()
}

pub fn ack(number: u16) -> Acknowledge<'static> {
    Acknowledge::success(id(number))
}

pub fn ack_with(number: u16, reason: ReasonCode) -> Acknowledge<'static> {
    Acknowledge { reason, ..ack(number) }
}

/// A client of this version that resumes its session, without keep alive.
pub fn keeping(version: ProtocolVersion) -> Config {
    let first_packet_id = PacketIdentifier::new(1);
    Config { clean_start: false, session_expiry: u32::MAX, first_packet_id, ..plain(version) }
}

/// A client of this version, without keep alive and topic aliases.
pub fn plain(version: ProtocolVersion) -> Config {
    Config {
        version,
        client_id: "c".into(),
        keep_alive: 0,
        max_outgoing_topic_aliases: 0,
        ..Config::default()
    }
}

pub fn delivery(qos: QoS, packet_id: u16, dup: bool) -> Delivery {
    match qos {
        AtMostOnce => Delivery::AtMostOnce,
        AtLeastOnce => Delivery::AtLeastOnce { packet_id: id(packet_id), dup },
        ExactlyOnce => Delivery::ExactlyOnce { packet_id: id(packet_id), dup },
    }
}

/// A PUBLISH to topic `t`.
pub fn publish(payload: &str, qos: QoS, packet_id: u16) -> Publish<'_> {
    Publish {
        delivery: delivery(qos, packet_id, false),
        retain: false,
        topic: "t",
        properties: Properties::NONE,
        payload: payload.as_bytes(),
    }
}

/// The same, sent again.
pub fn again(payload: &str, qos: QoS, packet_id: u16) -> Packet<'_> {
    Packet::Publish(Publish { delivery: delivery(qos, packet_id, true), ..publish(payload, qos, packet_id) })
}

pub fn first(payload: &str, qos: QoS, packet_id: u16) -> Packet<'_> {
    Packet::Publish(publish(payload, qos, packet_id))
}

impl Script {
    /// A client that wants a connection.
    pub fn new(config: Config) -> Self {
        let mut script = Self::idle(config);
        script.client.connect(script.now);
        script.drain();
        script
    }

    /// A client that wants none.
    pub fn idle(config: Config) -> Self {
        let now = Instant::from_micros(1_000_000);
        let version = config.version;
        Self {
            client: Client::new(config, 7, now),
            now,
            version,
            opening: None,
            closed: false,
            stalled: false,
            auto_durable: true,
            stream: Vec::new(),
            messages: Vec::new(),
            completed: Vec::new(),
            connected: Vec::new(),
            disconnected: Vec::new(),
            challenges: Vec::new(),
            reauthenticated: 0,
            records: Vec::new(),
        }
    }

    /// A client that the server has let in.
    pub fn connected(config: Config) -> Self {
        let mut script = Self::new(config);
        script.accept(false);
        script
    }

    /// The connection opens; CONNECT is left to be looked at.
    pub fn open(&mut self) {
        assert!(self.opening.take().is_some(), "the client wants a connection");
        self.closed = false;
        self.input(Input::Opened);
    }

    /// Opens the connection and lets the client in.
    pub fn accept(&mut self, session_present: bool) {
        self.accept_with(session_present, &[]);
    }

    pub fn accept_with(&mut self, session_present: bool, properties: &[Property<'_>]) {
        self.open();
        assert_eq!(self.types(), [PacketType::Connect]);
        self.connack(session_present, properties);
    }

    pub fn connack(&mut self, session_present: bool, properties: &[Property<'_>]) {
        let properties = Properties::list(properties);
        let reason = ReasonCode::SUCCESS;
        self.send(&Packet::ConnAck(ConnAck { session_present, reason, properties }));
    }

    pub fn refuse(&mut self, reason: ReasonCode, properties: &[Property<'_>]) {
        let properties = Properties::list(properties);
        self.send(&Packet::ConnAck(ConnAck { session_present: false, reason, properties }));
    }

    /// The server sends a packet.
    pub fn send(&mut self, packet: &Packet<'_>) {
        let mut bytes = Vec::new();
        packet.encode(self.version, &mut bytes).unwrap();
        self.input(Input::Bytes(&bytes));
    }

    pub fn suback(&mut self, packet_id: u16, reasons: &[ReasonCode]) {
        let reasons = ReasonCodes::list(reasons);
        self.send(&Packet::SubAck(SubAck {
            packet_id: id(packet_id),
            properties: Properties::NONE,
            reasons,
        }));
    }

    pub fn unsuback(&mut self, packet_id: u16, reasons: &[ReasonCode]) {
        let reasons = if self.version == V5 { ReasonCodes::list(reasons) } else { ReasonCodes::NONE };
        let properties = Properties::NONE;
        self.send(&Packet::UnsubAck(UnsubAck { packet_id: id(packet_id), properties, reasons }));
    }

    pub fn input(&mut self, input: Input<'_>) {
        self.client.handle(input, self.now);
        self.drain();
    }

    /// The connection breaks.
    pub fn cut(&mut self) {
        self.input(Input::Closed);
    }

    /// The connection breaks, and the next one is let in after the back-off.
    pub fn reconnect(&mut self, session_present: bool) {
        self.cut();
        self.stream.clear();
        self.advance(seconds(60));
        self.accept(session_present);
    }

    pub fn publish(&mut self, payload: &str, qos: QoS) -> Handle {
        let publication = crate::support::publication("t", payload.as_bytes(), qos);
        let handle = self.client.publish(&publication, self.now).unwrap();
        self.drain();
        handle
    }

    pub fn subscribe(&mut self, filter: &str) -> Handle {
        let filters = [(filter, SubscriptionOptions::qos(ExactlyOnce))];
        let handle = self.client.subscribe(&filters, Properties::NONE, self.now).unwrap();
        self.drain();
        handle
    }

    pub fn unsubscribe(&mut self, filter: &str) -> Handle {
        let handle = self.client.unsubscribe(&[filter], Properties::NONE, self.now).unwrap();
        self.drain();
        handle
    }

    pub fn disconnect(&mut self, reason: ReasonCode) {
        self.client.disconnect(reason, Properties::NONE, self.now);
        self.drain();
    }

    /// Lets time pass, ticking at every deadline on the way, until the client wants to open a connection.
    pub fn advance(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(next) = self.client.next_deadline().filter(|next| *next <= end) {
            assert!(next >= self.now);
            self.now = next;
            self.input(Input::Tick);
            assert!(self.client.next_deadline().is_none_or(|next| next > self.now), "nothing is left behind");
            if self.opening.is_some() {
                return;
            }
        }
        self.now = end;
    }

    /// What the client sent since the last look is exactly this.
    #[track_caller]
    pub fn expect(&mut self, packets: &[Packet<'_>]) {
        let mut expected = Vec::new();
        for packet in packets {
            packet.encode(self.version, &mut expected).unwrap();
        }
        let sent = core::mem::take(&mut self.stream);
        let shown = |bytes| frames(bytes, self.version, |packet| format!("{packet:?}"));
        assert_eq!(shown(&sent), shown(&expected));
        assert_eq!(sent, expected);
    }

    /// The types of what the client sent since the last look.
    #[expect(clippy::redundant_closure_for_method_calls, reason = "the method is not general enough")]
    pub fn types(&mut self) -> Vec<PacketType> {
        self.look(|packet| packet.packet_type())
    }

    /// What `view` sees in each packet that the client sent since the last look.
    pub fn look<T>(&mut self, view: impl FnMut(&Packet<'_>) -> T) -> Vec<T> {
        frames(&core::mem::take(&mut self.stream), self.version, view)
    }

    /// The client says DISCONNECT with this reason (in MQTT 5) and closes.
    #[track_caller]
    pub fn expect_disconnect(&mut self, reason: ReasonCode) {
        let expected = if self.version == V5 { vec![Some(reason)] } else { vec![] };
        let sent = self.look(|packet| match packet {
            Packet::Disconnect(Disconnect { reason, .. }) => Some(*reason),
            _ => None,
        });
        assert_eq!(sent, expected);
        assert!(self.closed);
    }

    /// Why the last connection ended.
    pub fn reason(&self) -> Option<DisconnectReason> {
        self.disconnected.last().map(|(reason, ..)| *reason)
    }

    pub fn outcome(&self, handle: Handle) -> Option<Outcome> {
        let mut outcomes = self.completed.iter().filter(|(done, _)| *done == handle);
        let outcome = outcomes.next().map(|(_, outcome)| outcome.clone());
        assert!(outcomes.next().is_none(), "{handle:?} completed twice");
        outcome
    }

    pub fn dropped(&self, handle: Handle) -> Option<DropReason> {
        match self.outcome(handle) {
            Some(Outcome::Dropped(reason)) => Some(reason),
            _ => None,
        }
    }

    pub fn payloads(&mut self) -> Vec<String> {
        let messages = core::mem::take(&mut self.messages).into_iter();
        messages.map(|message| String::from_utf8(message.payload().to_vec()).unwrap()).collect()
    }

    /// All changes that were recorded, up to a record.
    pub fn changes(&self, records: usize) -> Vec<Change> {
        self.records[..records].iter().flat_map(|(_, changes)| changes.clone()).collect()
    }

    pub fn drain(&mut self) {
        while let Some(action) = self.client.poll_action() {
            match action {
                Action::Open { server } => self.opening = Some(server.map_or_else(String::new, Into::into)),
                Action::Output => self.take_output(),
                Action::Close => {
                    self.take_output();
                    self.closed = true;
                    self.client.handle(Input::Closed, self.now);
                }
                Action::Connected { session_present, properties } => {
                    self.connected.push((session_present, properties));
                }
                Action::Disconnected { reason, properties, retry_at } => {
                    self.disconnected.push((reason, properties, retry_at));
                }
                Action::Message(message) => self.messages.push(message),
                Action::Completed { handle, outcome } => self.completed.push((handle, outcome)),
                Action::Authenticate { data } => self.challenges.push(data),
                Action::Reauthenticated => self.reauthenticated += 1,
                Action::Record { number, changes } => {
                    self.records.push((number, changes));
                    if self.auto_durable {
                        self.client.handle(Input::Durable { up_to: number }, self.now);
                    }
                }
            }
        }
    }

    /// Writes what may leave.
    pub fn take_output(&mut self) {
        while !self.stalled {
            let bytes: Vec<u8> = self.client.output().flatten().copied().collect();
            if bytes.is_empty() {
                break;
            }
            self.stream.extend_from_slice(&bytes);
            self.client.handle(Input::Sent(bytes.len()), self.now);
        }
    }
}

fn frames<T>(bytes: &[u8], version: ProtocolVersion, mut view: impl FnMut(&Packet<'_>) -> T) -> Vec<T> {
    let mut seen = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let direction = Direction::ClientToServer;
        let rules =
            FrameRules { direction, first: rest[0] == 0x10, version, max_packet_size: MAX_PACKET_SIZE };
        let frame = next_frame(rest, &rules).unwrap().expect("whole packets");
        rest = &rest[frame.len()..];
        seen.push(view(&Packet::decode(frame, version).unwrap()));
    }
    seen
}
