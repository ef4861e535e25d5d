//! Valid packets of every type, version and direction: what mutation starts from.

use core::num::{NonZeroU16, NonZeroU32};

use mqtt_codec::{
    Acknowledge, Auth, ConnAck, Connect, Delivery, Direction, Disconnect, Packet, PacketIdentifier,
    Properties, Property, ProtocolVersion, Publish, QoS, ReasonCode, ReasonCodes, RetainHandling, SubAck,
    Subscribe, SubscribeFilters, SubscriptionIdentifier, SubscriptionOptions, UnsubAck, Unsubscribe,
    UnsubscribeFilters, Will,
};

use crate::codec::{DIRECTIONS, VERSIONS};

/// Encoded packets: each type that this version has in this direction, bare and with all that it can carry.
pub fn packets(version: ProtocolVersion, direction: Direction) -> Vec<Vec<u8>> {
    let mut encoded = Vec::new();
    for properties in [false, true] {
        for packet in bare(version, direction, properties) {
            let mut bytes = Vec::new();
            packet.encode(version, &mut bytes).expect("valid");
            encoded.push(bytes);
        }
    }
    encoded
}

/// The beginnings of connections of a version: the first packet, and then all the others in one piece.
pub fn streams(version: ProtocolVersion, direction: Direction) -> Vec<Vec<u8>> {
    let is_first = |packet: &&Vec<u8>| matches!(packet[0] >> 4, 1 | 2);
    let packets = packets(version, direction);
    let (firsts, others): (Vec<_>, Vec<_>) = packets.iter().partition(is_first);
    firsts
        .into_iter()
        .map(|first| [&[first], &others[..]].concat().into_iter().flatten().copied().collect())
        .collect()
}

/// The packets of all versions, in both directions.
pub fn all_packets() -> Vec<Vec<u8>> {
    let of = |version| DIRECTIONS.into_iter().flat_map(move |direction| packets(version, direction));
    VERSIONS.into_iter().flat_map(of).collect()
}

/// The beginnings of connections of all versions, in this direction.
pub fn all_streams(direction: Direction) -> Vec<Vec<u8>> {
    VERSIONS.into_iter().flat_map(|version| streams(version, direction)).collect()
}

/// Octets of the vectors in hexadecimal; `None` if it is something else, such as the beginning of a long one.
pub(crate) fn octets(hex: &str) -> Option<Vec<u8>> {
    let octet = |pair: &[u8]| u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok();
    hex.as_bytes().chunks(2).map(octet).collect()
}

fn id(number: u16) -> PacketIdentifier {
    PacketIdentifier::new(number).expect("not 0")
}

fn bare(version: ProtocolVersion, direction: Direction, full: bool) -> Vec<Packet<'static>> {
    let with =
        |list: &'static [Property<'static>]| if full { Properties::list(list) } else { Properties::NONE };
    let mut packets = both_ways(direction, with);
    match direction {
        Direction::ClientToServer => packets.extend(from_client(version, with, full)),
        Direction::ServerToClient => packets.extend(from_server(with, full)),
    }
    if version == ProtocolVersion::V5 {
        let reason = ReasonCode::CONTINUE_AUTHENTICATION;
        packets.push(Packet::Auth(Auth { reason, properties: Properties::list(AUTH) }));
        let list = if direction == Direction::ClientToServer { DISCONNECT } else { SERVER_DISCONNECT };
        let reason = ReasonCode::PROTOCOL_ERROR;
        packets.push(Packet::Disconnect(Disconnect { reason, properties: with(list) }));
    }
    packets
}

fn both_ways(
    direction: Direction,
    with: impl Fn(&'static [Property<'static>]) -> Properties<'static>,
) -> Vec<Packet<'static>> {
    let list = if direction == Direction::ClientToServer { PUBLISH } else { SERVER_PUBLISH };
    let publish = |delivery, retain| {
        Packet::Publish(Publish { delivery, retain, topic: "a/b", properties: with(list), payload: b"hello" })
    };
    let ack = |reason| Acknowledge { packet_id: id(7), reason, properties: with(REASON) };
    vec![
        publish(Delivery::AtMostOnce, true),
        publish(Delivery::AtLeastOnce { packet_id: id(1), dup: true }, false),
        publish(Delivery::ExactlyOnce { packet_id: id(65_535), dup: false }, true),
        Packet::PubAck(ack(ReasonCode::QUOTA_EXCEEDED)),
        Packet::PubRec(ack(ReasonCode::NO_MATCHING_SUBSCRIBERS)),
        Packet::PubRel(ack(ReasonCode::PACKET_IDENTIFIER_NOT_FOUND)),
        Packet::PubComp(ack(ReasonCode::SUCCESS)),
    ]
}

fn from_client(
    version: ProtocolVersion,
    with: impl Fn(&'static [Property<'static>]) -> Properties<'static>,
    full: bool,
) -> Vec<Packet<'static>> {
    let will =
        Will { qos: QoS::ExactlyOnce, retain: true, properties: with(WILL), topic: "w/é", payload: b"gone" };
    let connect = Connect {
        version,
        clean_start: !full,
        keep_alive: 60,
        properties: with(CONNECT),
        client_id: "client",
        will: full.then_some(will),
        username: full.then_some("user"),
        password: full.then_some(b"secret"),
    };
    let filters = if full { FILTERS } else { &FILTERS[..1] };
    let names = if full { NAMES } else { &NAMES[..1] };
    vec![
        Packet::Connect(connect),
        Packet::Subscribe(Subscribe {
            packet_id: id(2),
            properties: with(SUBSCRIBE),
            filters: SubscribeFilters::list(filters),
        }),
        Packet::Unsubscribe(Unsubscribe {
            packet_id: id(3),
            properties: with(USER),
            filters: UnsubscribeFilters::list(names),
        }),
        Packet::PingReq,
        Packet::Disconnect(Disconnect::default()),
    ]
}

fn from_server(
    with: impl Fn(&'static [Property<'static>]) -> Properties<'static>,
    full: bool,
) -> Vec<Packet<'static>> {
    let reasons = if full { REASONS } else { &REASONS[..1] };
    let (packet_id, reasons) = (id(2), ReasonCodes::list(reasons));
    let unsubscribed = ReasonCodes::list(&[ReasonCode::SUCCESS]);
    vec![
        Packet::ConnAck(ConnAck {
            session_present: full,
            reason: ReasonCode::SUCCESS,
            properties: with(CONNACK),
        }),
        Packet::SubAck(SubAck { packet_id, properties: with(REASON), reasons }),
        Packet::UnsubAck(UnsubAck { packet_id, properties: with(REASON), reasons: unsubscribed }),
        Packet::PingResp,
    ]
}

const FILTERS: &[(&str, SubscriptionOptions)] = &[
    ("a/+/#", SubscriptionOptions::qos(QoS::AtLeastOnce)),
    ("$share/group/a/b", SubscriptionOptions::qos(QoS::ExactlyOnce)),
    (
        "#",
        SubscriptionOptions {
            maximum_qos: QoS::AtMostOnce,
            no_local: true,
            retain_as_published: true,
            retain_handling: RetainHandling::SendIfNew,
        },
    ),
];
const NAMES: &[&str] = &["a/+/#", "$share/group/a/b", "nobody"];
const REASONS: &[ReasonCode] =
    &[ReasonCode::GRANTED_QOS_1, ReasonCode::GRANTED_QOS_2, ReasonCode::UNSPECIFIED_ERROR];

const USER: &[Property<'_>] = &[Property::UserProperty("name", "value"), Property::UserProperty("", "")];
const REASON: &[Property<'_>] = &[Property::ReasonString("because"), Property::UserProperty("name", "value")];
const CONNECT: &[Property<'_>] = &[
    Property::SessionExpiryInterval(100),
    Property::ReceiveMaximum(NonZeroU16::MAX),
    Property::MaximumPacketSize(NonZeroU32::MAX),
    Property::TopicAliasMaximum(10),
    Property::RequestResponseInformation(true),
    Property::RequestProblemInformation(false),
    Property::UserProperty("name", "value"),
    Property::AuthenticationMethod("method"),
    Property::AuthenticationData(b"data"),
];
const WILL: &[Property<'_>] = &[
    Property::WillDelayInterval(5),
    Property::PayloadFormatIndicator(true),
    Property::MessageExpiryInterval(60),
    Property::ContentType("text"),
    Property::ResponseTopic("answer/here"),
    Property::CorrelationData(&[0, 255]),
    Property::UserProperty("name", "value"),
];
const CONNACK: &[Property<'_>] = &[
    Property::SessionExpiryInterval(100),
    Property::ReceiveMaximum(NonZeroU16::MIN),
    Property::MaximumQoS(QoS::AtLeastOnce),
    Property::RetainAvailable(false),
    Property::MaximumPacketSize(NonZeroU32::MIN),
    Property::AssignedClientIdentifier("given"),
    Property::TopicAliasMaximum(3),
    Property::ReasonString("because"),
    Property::UserProperty("name", "value"),
    Property::WildcardSubscriptionAvailable(false),
    Property::SubscriptionIdentifiersAvailable(false),
    Property::SharedSubscriptionAvailable(false),
    Property::ServerKeepAlive(30),
    Property::ResponseInformation("prefix"),
    Property::ServerReference("elsewhere"),
    Property::AuthenticationMethod("method"),
    Property::AuthenticationData(b"data"),
];
const PUBLISH: &[Property<'_>] = &[
    Property::PayloadFormatIndicator(true),
    Property::MessageExpiryInterval(60),
    Property::TopicAlias(NonZeroU16::MIN),
    Property::ContentType("text"),
    Property::ResponseTopic("answer/here"),
    Property::CorrelationData(&[0, 255]),
    Property::UserProperty("name", "value"),
];
const SERVER_PUBLISH: &[Property<'_>] = &[
    Property::TopicAlias(NonZeroU16::MIN),
    Property::SubscriptionIdentifier(
        SubscriptionIdentifier::new(SubscriptionIdentifier::MAX).expect("in range"),
    ),
    Property::SubscriptionIdentifier(SubscriptionIdentifier::new(1).expect("in range")),
];
const SUBSCRIBE: &[Property<'_>] = &[
    Property::SubscriptionIdentifier(SubscriptionIdentifier::new(300).expect("in range")),
    Property::UserProperty("name", "value"),
];
const DISCONNECT: &[Property<'_>] = &[Property::SessionExpiryInterval(0), Property::ReasonString("because")];
const SERVER_DISCONNECT: &[Property<'_>] = &[Property::ServerReference("elsewhere")];
const AUTH: &[Property<'_>] = &[
    Property::AuthenticationMethod("method"),
    Property::AuthenticationData(b"data"),
    Property::ReasonString("because"),
];
