//! What the MQTT-SN gateway and client allocate for a message, and what peers make the gateway hold.
#![allow(clippy::print_stdout, reason = "what is measured is for reading, too")]

use core::time::Duration;

use allocation_counter::measure;
use machine::Instant;
use mqtt_codec::{
    Acknowledge, Delivery as MqttDelivery, Direction, FrameRules, MAX_PACKET_SIZE, Packet as MqttPacket,
    PacketIdentifier, Properties, ProtocolVersion, Publish as MqttPublish, next_frame,
};
use mqttsn_codec::{
    Connect, Delivery, Disconnect, MessageId, Packet, PubAck, Publish, QoS, RegAck, Register, ReturnCode,
    Subscribe, SubscribeTopic, Topic, TopicId,
};
use mqttsn_core::client::{self, Client, Publication, PublishTopic};
use mqttsn_core::gateway::{Action, Config, Gateway, Input, Mode, StrangerLimits, UpstreamId};

const NOW: Instant = Instant::from_micros(1_000_000);
const MESSAGES: u64 = 1000;
const MANY: u32 = 1000;
const TOPIC: &str = "site/7/temperature";
const MODES: [Mode; 2] = [Mode::Transparent, Mode::Aggregating];
/// CONNACK that lets the gateway in, without a session.
const CONNACK: &[u8] = &[0x20, 3, 0, 0, 0];

/// A gateway between a client and a server that are buffers: nothing of them allocates.
struct Bench {
    gateway: Gateway<u32>,
    /// The connection that carries messages.
    upstream: Option<UpstreamId>,
    datagram: Vec<u8>,
    /// The last packet that went to the server.
    packet: Vec<u8>,
    now: Instant,
    sent: u64,
}

impl Bench {
    fn new(config: Config) -> Self {
        let gateway = Gateway::new(config, 1, NOW);
        let (datagram, packet) = (Vec::with_capacity(2000), Vec::with_capacity(2000));
        let mut bench = Self { gateway, upstream: None, datagram, packet, now: NOW, sent: 0 };
        bench.settle();
        bench
    }

    fn send(&mut self, from: u32, packet: &Packet<'_>) {
        let mut bytes = [0; 200];
        let len = packet.encode_to_slice(&mut bytes).expect("it fits");
        self.gateway.handle(Input::Datagram { from, bytes: &bytes[..len], broadcast: false }, self.now);
        self.settle();
    }

    fn server(&mut self, packet: &MqttPacket<'_>) {
        let mut bytes = [0; 200];
        let len = packet.encode_to_slice(ProtocolVersion::V5, &mut bytes).expect("it fits");
        let upstream = self.upstream.expect("a connection");
        self.gateway.handle(Input::Bytes { upstream, bytes: &bytes[..len] }, self.now);
        self.settle();
    }

    /// Connections are let in; all else is taken and left unanswered.
    fn settle(&mut self) {
        while let Some(action) = self.gateway.poll_action() {
            match action {
                Action::Open { upstream, .. } => {
                    self.upstream = Some(upstream);
                    self.gateway.handle(Input::Opened(upstream), self.now);
                    self.gateway.handle(Input::Bytes { upstream, bytes: CONNACK }, self.now);
                }
                Action::Output(upstream) => {
                    self.packet.clear();
                    self.gateway.output(upstream).for_each(|piece| self.packet.extend_from_slice(piece));
                    let bytes = self.packet.len();
                    self.gateway.handle(Input::Sent { upstream, bytes }, self.now);
                }
                Action::Send { datagram, .. } => {
                    self.sent += 1;
                    self.datagram.clear();
                    self.datagram.extend_from_slice(&datagram);
                }
                _ => {}
            }
        }
    }

    fn connect(&mut self, from: u32, client_id: &str) {
        let connect = Connect { will: false, clean_session: true, duration: 60_000, client_id };
        self.send(from, &Packet::Connect(connect));
    }

    fn register(&mut self, from: u32, topic_name: &str) -> TopicId {
        self.send(
            from,
            &Packet::Register(Register { topic_id: None, message_id: MessageId::MIN, topic_name }),
        );
        match Packet::decode(&self.datagram) {
            Ok(Packet::RegAck(RegAck { topic_id, .. })) => TopicId::new(topic_id).expect("accepted"),
            other => panic!("{other:?}"),
        }
    }

    /// The identifier of the packet that the server got last, which is a PUBLISH or SUBSCRIBE.
    fn packet_id(&self) -> PacketIdentifier {
        let rules = FrameRules {
            direction: Direction::ClientToServer,
            first: false,
            version: ProtocolVersion::V5,
            max_packet_size: MAX_PACKET_SIZE,
        };
        let frame = next_frame(&self.packet, &rules).expect("valid").expect("whole");
        match MqttPacket::decode(frame, ProtocolVersion::V5).expect("valid") {
            MqttPacket::Publish(MqttPublish {
                delivery: MqttDelivery::AtLeastOnce { packet_id, .. },
                ..
            }) => packet_id,
            MqttPacket::Subscribe(subscribe) => subscribe.packet_id,
            other => panic!("{other:?}"),
        }
    }

    /// A second later: deadlines move, and counts of strangers begin anew.
    fn tick(&mut self) {
        self.now += Duration::from_secs(1);
        self.gateway.handle(Input::Tick, self.now);
        self.settle();
    }
}

/// No keep-alive towards the server: PINGREQ is no part of what is measured.
fn config(mode: Mode) -> Config {
    let mut config = Config { mode, ..Config::default() };
    config.upstream.keep_alive = 0;
    config
}

/// Allocations per message, once everything is warm.
fn per_message(what: &str, mut one: impl FnMut()) -> u64 {
    (0..MESSAGES).for_each(|_| one());
    let info = measure(|| (0..MESSAGES).for_each(|_| one()));
    println!("{what}: {} allocations for {MESSAGES} messages", info.count_total);
    info.count_total.div_ceil(MESSAGES)
}

/// PUBLISH of a client, PUBACK of the server.
fn from_client(mode: Mode, qos: QoS) -> u64 {
    let mut bench = Bench::new(config(mode));
    bench.connect(1, "c");
    let topic = Topic::Id(bench.register(1, TOPIC));
    let mut message_id = MessageId::MIN;
    per_message(&format!("{mode:?}, {qos:?}, to the server"), || {
        let delivery = match qos {
            QoS::AtMostOnce => Delivery::AtMostOnce,
            _ => Delivery::AtLeastOnce { message_id, dup: false },
        };
        bench.send(1, &Packet::Publish(Publish { delivery, retain: false, topic, data: b"21.5" }));
        if qos != QoS::AtMostOnce {
            let before = bench.sent;
            bench.server(&MqttPacket::PubAck(Acknowledge::success(bench.packet_id())));
            assert_eq!(bench.sent, before + 1, "PUBACK");
        }
        message_id = message_id.next();
        bench.tick();
    })
}

/// PUBLISH of the server, PUBACK of the client.
fn to_client(mode: Mode, qos: QoS) -> u64 {
    let mut bench = Bench::new(config(mode));
    bench.connect(1, "c");
    let (message_id, topic) = (MessageId::MIN, SubscribeTopic::Name(TOPIC));
    bench.send(1, &Packet::Subscribe(Subscribe { dup: false, qos, message_id, topic }));
    bench.tick();
    let reasons = [mqtt_codec::ReasonCode::new(qos as u8)];
    let reasons = mqtt_codec::ReasonCodes::list(&reasons);
    let packet_id = bench.packet_id();
    bench.server(&MqttPacket::SubAck(mqtt_codec::SubAck {
        packet_id,
        properties: Properties::NONE,
        reasons,
    }));
    (0..5).for_each(|_| bench.tick());
    let packet_id = PacketIdentifier::MIN;
    let delivery = match qos {
        QoS::AtMostOnce => MqttDelivery::AtMostOnce,
        _ => MqttDelivery::AtLeastOnce { packet_id, dup: false },
    };
    let publish =
        MqttPublish { delivery, retain: false, topic: TOPIC, properties: Properties::NONE, payload: b"21.5" };
    per_message(&format!("{mode:?}, {qos:?}, to a client"), || {
        let before = bench.sent;
        bench.server(&MqttPacket::Publish(publish));
        assert_eq!(bench.sent, before + 1, "PUBLISH");
        if qos != QoS::AtMostOnce {
            let Ok(Packet::Publish(got)) = Packet::decode(&bench.datagram) else { panic!("PUBLISH") };
            let (topic_id, message_id) = (got.topic.field(), got.delivery.message_id());
            bench
                .send(1, &Packet::PubAck(PubAck { topic_id, message_id, return_code: ReturnCode::ACCEPTED }));
        }
        bench.tick();
    })
}

/// QoS 0 and QoS 1. The MQTT client of a transparent gateway's client keeps no buffers while it is idle; that is what it costs.
#[test]
fn messages_through_the_gateway() {
    let levels = [QoS::AtMostOnce, QoS::AtLeastOnce];
    for (mode, most_up, most_down) in [(MODES[0], [0, 1], [4, 5]), (MODES[1], [0, 1], [5, 6])] {
        let up = levels.map(|qos| from_client(mode, qos));
        assert!(up.iter().zip(most_up).all(|(each, most)| *each <= most), "{mode:?} to the server: {up:?}");
        let down = levels.map(|qos| to_client(mode, qos));
        assert!(
            down.iter().zip(most_down).all(|(each, most)| *each <= most),
            "{mode:?} to a client: {down:?}"
        );
    }
}

/// A client of this crate, whose gateway is a few bytes.
#[test]
fn messages_of_a_client() {
    for (qos, most) in [(QoS::AtMostOnce, 3), (QoS::AtLeastOnce, 5)] {
        let config = client::Config {
            client_id: "c".into(),
            gateways: vec![1_u32],
            discovery: false,
            keep_alive: 0,
            ..client::Config::default()
        };
        let mut client = Client::new(config, 1, NOW);
        let (mut now, mut ended) = (NOW, 0);
        client.connect(now).expect("a good configuration");
        let mut one = || {
            let publication =
                Publication { topic: PublishTopic::Name(TOPIC), qos, retain: false, data: b"21.5" };
            client.publish(&publication, now).expect("room");
            while let Some(action) = client.poll_action() {
                let datagram = match action {
                    client::Action::Send { datagram, .. } => datagram,
                    client::Action::Completed { .. } => {
                        ended += 1;
                        continue;
                    }
                    _ => continue,
                };
                let return_code = ReturnCode::ACCEPTED;
                let answer = match Packet::decode(&datagram).expect("valid") {
                    Packet::Connect(_) => Packet::ConnAck(return_code),
                    Packet::Register(Register { message_id, .. }) => {
                        Packet::RegAck(RegAck { topic_id: 1, message_id, return_code })
                    }
                    Packet::Publish(Publish {
                        delivery: Delivery::AtLeastOnce { message_id, .. }, ..
                    }) => Packet::PubAck(PubAck { topic_id: 1, message_id: Some(message_id), return_code }),
                    _ => continue,
                };
                let mut bytes = [0; 10];
                let len = answer.encode_to_slice(&mut bytes).expect("it fits");
                client.handle(client::Input::Datagram { from: 1, datagram: &bytes[..len] }, now);
            }
            now += Duration::from_secs(1);
            client.handle(client::Input::Tick, now);
        };
        let each = per_message(&format!("{qos:?} of a client"), &mut one);
        assert_eq!(ended, 2 * MESSAGES);
        assert!(each <= most, "{each} allocations a message");
    }
}

/// Bytes that a gateway holds after many peers did the same, for each.
fn held(config: Config, mut each: impl FnMut(&mut Bench, u32)) -> i64 {
    let mut bench = Bench::new(config);
    let info = measure(|| (1..=MANY).for_each(|peer| each(&mut bench, peer)));
    info.bytes_current / i64::from(MANY)
}

fn client_id(peer: u32) -> String {
    format!("sensor-{peer:06}")
}

#[test]
fn memory_of_peers() {
    for mode in MODES {
        let stranger = held(config(mode), |bench, peer| {
            bench.send(peer, &Packet::PingReq(mqttsn_codec::PingReq { client_id: None }));
        });
        let connected = held(config(mode), |bench, peer| bench.connect(peer, &client_id(peer)));
        let sleeper = held(config(mode), |bench, peer| {
            bench.connect(peer, &client_id(peer));
            bench.send(peer, &Packet::Disconnect(Disconnect { duration: Some(600) }));
        });
        println!("{mode:?}: a stranger {stranger} bytes, a client {connected}, one that sleeps {sleeper}");
        // An MQTT client that has just spoken keeps its buffers until its keep-alive comes.
        let most = if mode == Mode::Transparent { 2304 } else { 640 };
        assert!(stranger <= 100 && connected <= most && sleeper <= most, "{mode:?}");
    }
    // However many there are.
    let few = StrangerLimits { addresses: 10, ..StrangerLimits::default() };
    let stranger = held(Config { strangers: few, ..config(Mode::Aggregating) }, |bench, peer| {
        bench.send(peer, &Packet::PingReq(mqttsn_codec::PingReq { client_id: None }));
    });
    assert!(stranger <= 10, "beyond the limit: {stranger}");
}
