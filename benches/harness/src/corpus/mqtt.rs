//! MQTT 3.1.1 and 5.0 from a client.

use mqtt_codec::{
    Acknowledge, Connect, Delivery, Direction, FrameRules, MAX_PACKET_SIZE, Packet, PacketIdentifier,
    Properties, Property, ProtocolVersion, Publish, QoS, Subscribe, SubscribeFilters, SubscriptionOptions,
    Will,
};

use super::payload;

/// The topic of every message: 30 bytes.
pub const TOPIC: &str = "site/s0100/device/d000123/temp";
/// The versions that are measured, with the names they have in the tables.
pub const VERSIONS: [(&str, ProtocolVersion); 2] =
    [("v311", ProtocolVersion::V3_1_1), ("v5", ProtocolVersion::V5)];
/// Packets of the stream.
pub const STREAM_PACKETS: usize = 1000;
/// Bytes that arrive at a time in the fragmented stream.
pub const FRAGMENT: usize = 100;

/// A packet of the corpus.
#[derive(Clone)]
pub struct Sample {
    /// Its name in the tables.
    pub name: &'static str,
    /// The whole packet.
    pub bytes: Vec<u8>,
}

/// What the reader of the connection expects: everything but CONNECT comes after it.
pub const fn rules(version: ProtocolVersion, first: bool) -> FrameRules {
    FrameRules { direction: Direction::ClientToServer, first, version, max_packet_size: MAX_PACKET_SIZE }
}

/// All packets of one version, the stream not among them.
pub fn samples(version: ProtocolVersion) -> Vec<Sample> {
    let (small, large) = (payload(64), payload(64 << 10));
    let properties = eight_properties();
    let mut samples = vec![
        sample("connect_will_user_pass", version, &connect(version)),
        sample("publish_q0_64B", version, &publish(Delivery::AtMostOnce, Properties::NONE, &small)),
        sample("publish_q1_64B", version, &publish(once(), Properties::NONE, &small)),
    ];
    if version == ProtocolVersion::V5 {
        let packet = publish(once(), Properties::list(&properties), &small);
        samples.push(sample("publish_q1_8props", version, &packet));
    }
    samples.extend([
        sample("publish_q1_64KiB", version, &publish(once(), Properties::NONE, &large)),
        sample("subscribe_x8", version, &subscribe(&eight_filters())),
        sample("puback", version, &Packet::PubAck(Acknowledge::success(identifier(10)))),
        sample("pingreq", version, &Packet::PingReq),
    ]);
    samples
}

/// A thousand packets: of twenty, eight PUBLISH of QoS 0 and five of QoS 1, four PUBACK, two PINGREQ, one SUBSCRIBE. In
/// 5.0 one PUBLISH of twenty has eight properties.
pub fn stream(version: ProtocolVersion) -> Vec<Vec<u8>> {
    const ORDER: &[u8; 20] = b"01a0p1a00s10a0p18a00";
    let samples = samples(version);
    let find = |name: &str| {
        let named = |sample: &&Sample| sample.name == name;
        samples.iter().find(named).map(|sample| sample.bytes.clone())
    };
    let packet = |kind: u8| match kind {
        b'0' => find("publish_q0_64B"),
        b'8' => find("publish_q1_8props").or_else(|| find("publish_q1_64B")),
        b'a' => find("puback"),
        b'p' => find("pingreq"),
        b's' => find("subscribe_x8"),
        _ => find("publish_q1_64B"),
    };
    (0..STREAM_PACKETS).filter_map(|index| packet(ORDER[index % ORDER.len()])).collect()
}

fn sample(name: &'static str, version: ProtocolVersion, packet: &Packet<'_>) -> Sample {
    Sample { name, bytes: encoded(packet, version) }
}

/// The bytes of a packet.
pub fn encoded(packet: &Packet<'_>, version: ProtocolVersion) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.encode(version, &mut bytes).expect("valid");
    bytes
}

/// A packet identifier.
pub fn identifier(number: u16) -> PacketIdentifier {
    PacketIdentifier::new(number).expect("not 0")
}

fn once() -> Delivery {
    Delivery::AtLeastOnce { packet_id: identifier(10), dup: false }
}

fn connect(version: ProtocolVersion) -> Packet<'static> {
    Packet::Connect(Connect {
        version,
        clean_start: true,
        keep_alive: 60,
        properties: Properties::NONE,
        client_id: "device-000123",
        will: Some(Will {
            qos: QoS::AtLeastOnce,
            retain: true,
            properties: Properties::NONE,
            topic: "site/s0100/device/d000123/state",
            payload: b"offline",
        }),
        username: Some("user-000123"),
        password: Some(b"correct horse battery"),
    })
}

/// The bytes of a CONNECT with nothing but a client identifier.
pub fn plain_connect(client_id: &str, version: ProtocolVersion) -> Vec<u8> {
    let connect = Connect {
        version,
        clean_start: true,
        keep_alive: 60,
        properties: Properties::NONE,
        client_id,
        will: None,
        username: None,
        password: None,
    };
    encoded(&Packet::Connect(connect), version)
}

/// A PUBLISH to [`TOPIC`].
pub fn publish<'a>(delivery: Delivery, properties: Properties<'a>, payload: &'a [u8]) -> Packet<'a> {
    Packet::Publish(Publish { delivery, retain: false, topic: TOPIC, properties, payload })
}

fn eight_properties() -> [Property<'static>; 8] {
    [
        Property::PayloadFormatIndicator(true),
        Property::MessageExpiryInterval(3600),
        Property::TopicAlias(std::num::NonZeroU16::MIN),
        Property::ResponseTopic("site/s0100/answers"),
        Property::CorrelationData(b"0123456789abcdef"),
        Property::ContentType("text/plain"),
        Property::UserProperty("unit", "degC"),
        Property::UserProperty("trace", "4bf92f3577b34da6"),
    ]
}

fn eight_filters() -> Vec<(&'static str, SubscriptionOptions)> {
    let filters = [
        "site/s0100/device/d000123/command",
        "site/s0100/device/d000123/config/#",
        "site/s0100/device/+/alarm",
        "site/s0100/broadcast",
        "site/+/time",
        "firmware/stable/#",
        "site/s0100/device/d000123/temp/set",
        "site/s0100/neighbours/+/+/state",
    ];
    filters.into_iter().map(|filter| (filter, SubscriptionOptions::qos(QoS::AtLeastOnce))).collect()
}

fn subscribe<'a>(filters: &'a [(&'a str, SubscriptionOptions)]) -> Packet<'a> {
    Packet::Subscribe(Subscribe {
        packet_id: identifier(10),
        properties: Properties::NONE,
        filters: SubscribeFilters::list(filters),
    })
}
