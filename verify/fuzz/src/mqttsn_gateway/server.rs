//! The MQTT side: connections of the gateway, to a broker or to a server that says what random bytes choose.

use machine::Instant;
use mqtt_codec::{
    Acknowledge, ConnAck, Delivery, Direction, FrameRules, MAX_PACKET_SIZE, Packet, PacketIdentifier,
    Properties, ProtocolVersion, Publish, QoS, ReasonCode, ReasonCodes, SubAck, UnsubAck, next_frame,
};
use mqtt_core::{Action, Broker, ConnectionId, Input, Publication};
use mqttsn_core::gateway::UpstreamId;
use topic_match::{Subscription, TopicName};

use super::clients::TOPICS;
use super::ledger::{Ledger, delivery_of};
use crate::Source;

pub(super) struct Server {
    broker: Option<Broker>,
    pub(super) connections: Vec<Connection>,
}

/// A connection that the gateway asked for.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Connection {
    pub(super) id: UpstreamId,
    pub(super) open: bool,
    /// Output was said, and not all has left.
    pub(super) announced: bool,
    pub(super) closing: bool,
    /// The server has closed it.
    pub(super) broken: bool,
    /// What the server has said and the gateway has not got.
    pub(super) to_gateway: Vec<u8>,
    at_broker: Option<ConnectionId>,
    from_gateway: Vec<u8>,
    /// What the gateway got, as far as it is not a whole packet.
    got: Vec<u8>,
    version: ProtocolVersion,
    /// After CONNECT.
    client_id: Option<String>,
    last: bool,
}

impl Connection {
    fn new(id: UpstreamId) -> Self {
        Self {
            id,
            open: false,
            announced: false,
            closing: false,
            broken: false,
            to_gateway: Vec::new(),
            at_broker: None,
            from_gateway: Vec::new(),
            got: Vec::new(),
            version: ProtocolVersion::V5,
            client_id: None,
            last: false,
        }
    }

    /// Whether there is something to be done for it.
    pub(super) fn waits(&self) -> bool {
        !self.open || self.announced || self.closing || self.broken || !self.to_gateway.is_empty()
    }

    fn rules(&self, direction: Direction, first: bool) -> FrameRules {
        FrameRules { direction, first, version: self.version, max_packet_size: MAX_PACKET_SIZE }
    }

    /// The gateway gets bytes: what they say to its clients.
    pub(super) fn gets(&mut self, bytes: &[u8], ledger: &mut Ledger) {
        let Some(client_id) = self.client_id.as_deref().filter(|_| !ledger.hostile) else { return };
        self.got.extend_from_slice(bytes);
        let mut rest = &self.got[..];
        loop {
            // CONNACK is read as any other.
            let connack = rest.first().is_some_and(|byte| byte >> 4 == 2);
            let frame = next_frame(rest, &self.rules(Direction::ServerToClient, connack));
            let Ok(Some(frame)) = frame else { break };
            if let Ok(packet) = Packet::decode(frame, self.version) {
                ledger.server_says(client_id, &packet);
            }
            rest = &rest[frame.len()..];
        }
        self.got = rest.to_vec();
    }
}

impl Server {
    pub(super) fn new(real: bool, now: Instant) -> Self {
        let config = mqtt_core::Config { sys_interval: core::time::Duration::ZERO, ..Default::default() };
        Self { broker: real.then(|| Broker::new(config, [3; 32], now)), connections: Vec::new() }
    }

    pub(super) fn asked_for(&mut self, id: UpstreamId) {
        assert!(self.connections.iter().all(|connection| connection.id != id), "{id:?} is there already");
        self.connections.push(Connection::new(id));
    }

    pub(super) fn opened(&mut self, index: usize, now: Instant) {
        let connection = &mut self.connections[index];
        connection.open = true;
        if let Some(broker) = &mut self.broker {
            connection.at_broker = broker.open(now).ok();
            connection.broken = connection.at_broker.is_none();
        }
    }

    pub(super) fn closed(&mut self, index: usize, now: Instant) {
        let connection = self.connections.remove(index);
        if let (Some(broker), Some(connection)) = (&mut self.broker, connection.at_broker) {
            broker.handle(Input::Closed { connection }, now);
        }
        self.settle(now);
    }

    pub(super) fn tick(&mut self, now: Instant) {
        if let Some(broker) = &mut self.broker {
            broker.handle(Input::Tick, now);
        }
        self.settle(now);
    }

    /// Bytes of the gateway: whole, valid packets that belong there. The server answers.
    pub(super) fn receive(
        &mut self,
        index: usize,
        bytes: &[u8],
        source: &mut Source<'_>,
        ledger: &mut Ledger,
        dropped: u64,
        now: Instant,
    ) -> Vec<String> {
        let mut names = Vec::new();
        let connection = &mut self.connections[index];
        connection.from_gateway.extend_from_slice(bytes);
        let buffer = core::mem::take(&mut connection.from_gateway);
        let mut rest = &buffer[..];
        loop {
            let rules = connection.rules(Direction::ClientToServer, connection.client_id.is_none());
            let frame = match next_frame(rest, &rules) {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(rule) => panic!("the gateway sends {rest:02X?}: {rule:?}"),
            };
            let packet = Packet::decode(frame, connection.version);
            let packet = packet.unwrap_or_else(|rule| panic!("the gateway sends {frame:02X?}: {rule:?}"));
            assert!(!connection.last, "after DISCONNECT comes {packet:?}");
            if let Packet::Connect(connect) = &packet {
                connection.version = connect.version;
                connection.client_id = Some(connect.client_id.into());
            }
            connection.last = matches!(packet, Packet::Disconnect(_));
            is_clean(&packet);
            let client_id = connection.client_id.as_deref().unwrap_or_default();
            ledger.server_is_told(client_id, &packet, dropped);
            names.push(format!("{:?}", packet.packet_type()));
            if self.broker.is_none() {
                let reply = reply(&packet, connection.version, source);
                connection.to_gateway.extend(reply);
            }
            rest = &rest[frame.len()..];
        }
        connection.from_gateway = rest.to_vec();
        if let (Some(broker), Some(at_broker)) = (&mut self.broker, connection.at_broker) {
            broker.handle(Input::Bytes { connection: at_broker, bytes }, now);
        }
        self.settle(now);
        names
    }

    /// Somebody publishes: at the broker, or out of nothing.
    pub(super) fn publish(&mut self, source: &mut Source<'_>, ledger: &mut Ledger, now: Instant) {
        let topic = source.pick(&TOPICS);
        let (qos, retain) = (qos(source), source.once_in(4));
        let payload = ledger.tagged(Some(topic));
        let payload = if source.once_in(16) { vec![b'x'; 1500] } else { payload };
        if let Some(broker) = &mut self.broker {
            let publication =
                Publication { topic, qos, retain, properties: Properties::NONE, payload: &payload };
            assert_eq!(broker.publish(&publication, now), Ok(()));
        } else if !self.connections.is_empty() {
            let index = source.below(self.connections.len());
            let connection = &mut self.connections[index];
            let id =
                PacketIdentifier::new(1 + u16::from(source.byte()) % 16).unwrap_or(PacketIdentifier::MIN);
            let delivery = delivery_of(qos, id, source.once_in(8));
            let publish =
                Publish { delivery, retain, topic, properties: Properties::NONE, payload: &payload };
            if connection.client_id.is_some() {
                connection.to_gateway.extend(encoded(&Packet::Publish(publish), connection.version));
            }
        }
        self.settle(now);
    }

    fn settle(&mut self, now: Instant) {
        let Some(broker) = &mut self.broker else { return };
        while let Some(action) = broker.poll_action() {
            let place = |id| move |connection: &&mut Connection| connection.at_broker == Some(id);
            match action {
                Action::Output(id) => {
                    let bytes: Vec<u8> = broker.output(id).flatten().copied().collect();
                    broker.handle(Input::Sent { connection: id, bytes: bytes.len() }, now);
                    if let Some(connection) = self.connections.iter_mut().find(place(id)) {
                        connection.to_gateway.extend(bytes);
                    }
                }
                Action::Close { connection: id, .. } => {
                    let bytes: Vec<u8> = broker.output(id).flatten().copied().collect();
                    broker.handle(Input::Closed { connection: id }, now);
                    if let Some(connection) = self.connections.iter_mut().find(place(id)) {
                        connection.to_gateway.extend(bytes);
                        (connection.at_broker, connection.broken) = (None, true);
                    }
                }
                _ => {}
            }
        }
    }
}

/// Topics and filters are what the standard wants.
fn is_clean(packet: &Packet<'_>) {
    match packet {
        Packet::Connect(connect) => {
            assert!(!connect.client_id.is_empty());
            let will = connect.will.as_ref();
            assert!(will.is_none_or(|will| TopicName::new(will.topic).is_ok()), "{packet:?}");
        }
        Packet::Publish(publish) => assert!(TopicName::new(publish.topic).is_ok(), "{packet:?}"),
        Packet::Subscribe(subscribe) => {
            let valid = subscribe.filters.iter().all(|(filter, _)| Subscription::parse(filter).is_ok());
            assert!(valid, "{packet:?}");
        }
        Packet::Unsubscribe(unsubscribe) => {
            let valid = unsubscribe.filters.iter().all(|filter| Subscription::parse(filter).is_ok());
            assert!(valid, "{packet:?}");
        }
        Packet::PubAck(_)
        | Packet::PubRec(_)
        | Packet::PubRel(_)
        | Packet::PubComp(_)
        | Packet::PingReq
        | Packet::Disconnect(_) => {}
        packet => panic!("a client does not send {packet:?}"),
    }
}

/// What a server says to a packet, mostly as the client would like it.
fn reply(packet: &Packet<'_>, version: ProtocolVersion, source: &mut Source<'_>) -> Vec<u8> {
    let properties = Properties::NONE;
    let v5 = version == ProtocolVersion::V5;
    let error = source.mostly(&[ReasonCode::SUCCESS, ReasonCode::QUOTA_EXCEEDED, ReasonCode::NOT_AUTHORIZED]);
    let acknowledge = |packet_id| Acknowledge {
        packet_id,
        reason: if v5 { error } else { ReasonCode::SUCCESS },
        properties,
    };
    let reply = match packet {
        Packet::Connect(connect) => {
            let present = !connect.clean_start && source.once_in(2);
            let reasons = [
                ReasonCode::SUCCESS,
                ReasonCode::SERVER_UNAVAILABLE,
                ReasonCode::NOT_AUTHORIZED,
                ReasonCode::UNSUPPORTED_PROTOCOL_VERSION,
                ReasonCode::CLIENT_IDENTIFIER_NOT_VALID,
            ];
            let reason = source.mostly(&reasons);
            let session_present = present && !reason.is_error();
            Packet::ConnAck(ConnAck { session_present, reason, properties })
        }
        Packet::Publish(publish) => match publish.delivery {
            Delivery::AtMostOnce => return Vec::new(),
            Delivery::AtLeastOnce { packet_id, .. } => Packet::PubAck(acknowledge(packet_id)),
            Delivery::ExactlyOnce { packet_id, .. } => Packet::PubRec(acknowledge(packet_id)),
        },
        Packet::PubRec(ack) if !ack.reason.is_error() => Packet::PubRel(Acknowledge::success(ack.packet_id)),
        Packet::PubRel(ack) => Packet::PubComp(Acknowledge::success(ack.packet_id)),
        Packet::Subscribe(subscribe) => {
            let refused = source.once_in(8);
            let reasons: Vec<_> = subscribe
                .filters
                .iter()
                .map(|(_, options)| match options.maximum_qos {
                    _ if refused => ReasonCode::UNSPECIFIED_ERROR,
                    QoS::AtMostOnce => ReasonCode::SUCCESS,
                    QoS::AtLeastOnce => ReasonCode::GRANTED_QOS_1,
                    QoS::ExactlyOnce => ReasonCode::GRANTED_QOS_2,
                })
                .collect();
            let reasons = ReasonCodes::list(&reasons);
            let packet_id = subscribe.packet_id;
            return encoded(&Packet::SubAck(SubAck { packet_id, properties, reasons }), version);
        }
        Packet::Unsubscribe(unsubscribe) => {
            let reasons: Vec<_> = unsubscribe.filters.iter().map(|_| ReasonCode::SUCCESS).collect();
            let reasons = if v5 { ReasonCodes::list(&reasons) } else { ReasonCodes::NONE };
            let packet_id = unsubscribe.packet_id;
            return encoded(&Packet::UnsubAck(UnsubAck { packet_id, properties, reasons }), version);
        }
        Packet::PingReq => Packet::PingResp,
        _ => return Vec::new(),
    };
    encoded(&reply, version)
}

fn qos(source: &mut Source<'_>) -> QoS {
    source.pick(&[QoS::AtLeastOnce, QoS::ExactlyOnce, QoS::AtMostOnce])
}

/// Nothing, where no packet of this version can say it.
fn encoded(packet: &Packet<'_>, version: ProtocolVersion) -> Vec<u8> {
    let mut bytes = Vec::new();
    _ = packet.encode(version, &mut bytes);
    bytes
}
