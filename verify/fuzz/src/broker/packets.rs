//! Valid packets from a client over few names and numbers, so that clients have to do with each other.

use core::num::{NonZeroU16, NonZeroU32};

use mqtt_codec::{
    Acknowledge, Auth, Connect, Delivery, Disconnect, Packet, PacketIdentifier, Properties, Property,
    ProtocolVersion, Publish, QoS, ReasonCode, RetainHandling, Subscribe, SubscribeFilters,
    SubscriptionIdentifier, SubscriptionOptions, Unsubscribe, UnsubscribeFilters, Will,
};

use crate::Source;
use crate::codec::VERSIONS;

const CLIENTS: [&str; 5] = ["a", "b", "c", "", "a long client identifier"];
pub(super) const TOPICS: [&str; 8] = ["t", "t/u", "t/u/v", "$x/y", "é", "/", "$SYS/broker/uptime", "t//"];
const FILTERS: [&str; 14] = [
    "#",
    "t",
    "t/#",
    "+",
    "+/+",
    "t/u",
    "t/+/v",
    "/",
    "$share/g/#",
    "$share/g/t/u",
    "$share/h/t/#",
    "$SYS/#",
    "$x/+",
    "é",
];
const INVALID_FILTERS: [&str; 3] = ["t/#/v", "$share/g", "+t"];
static ZEROS: [u8; 3000] = [0; 3000];

/// CONNECT of any version.
pub(super) fn connect(source: &mut Source<'_>) -> (ProtocolVersion, Vec<u8>) {
    let version = source.pick(&VERSIONS);
    let session = Property::SessionExpiryInterval(source.pick(&[0, 5, u32::MAX, 50]));
    let all = [
        Property::ReceiveMaximum(NonZeroU16::MIN),
        Property::MaximumPacketSize(
            NonZeroU32::new(source.pick(&[100, 3, 30, 2000])).unwrap_or(NonZeroU32::MIN),
        ),
        Property::TopicAliasMaximum(source.pick(&[1, 3, u16::MAX])),
        Property::RequestResponseInformation(true),
        Property::RequestProblemInformation(false),
        Property::AuthenticationMethod("m"),
        Property::AuthenticationData(b"data"),
    ];
    let (few, bits) = (source.once_in(2), source.byte());
    let mut list = vec![session];
    list.extend(
        all.iter().enumerate().filter(|(index, _)| few && bits >> index & 1 != 0).map(|(_, one)| *one),
    );
    if !source.once_in(4) {
        list.retain(|property| *property != all[5]);
    }
    if !list.contains(&all[5]) {
        list.retain(|property| *property != all[6]);
    }
    let will_properties =
        [Property::WillDelayInterval(source.pick(&[0, 2, 1000])), Property::MessageExpiryInterval(3)];
    let will = Will {
        qos: qos(source),
        retain: source.once_in(3),
        properties: Properties::list(&will_properties[..source.below(3)]),
        topic: source.pick(&TOPICS),
        payload: b"will",
    };
    let connect = Connect {
        version,
        clean_start: source.once_in(3),
        keep_alive: source.pick(&[0, 1, 60]),
        properties: Properties::list(&list),
        client_id: if version == ProtocolVersion::V5 {
            source.pick(&CLIENTS)
        } else {
            source.pick(&CLIENTS[..3])
        },
        will: source.once_in(3).then_some(will),
        username: source.once_in(4).then_some("user"),
        password: None,
    };
    (version, encoded(&Packet::Connect(connect), version))
}

/// Any other packet; empty when what was drawn is no valid one.
pub(super) fn packet(source: &mut Source<'_>, version: ProtocolVersion) -> Vec<u8> {
    let packet_id = id(source);
    let user = [Property::UserProperty("name", "value")];
    let properties = Properties::list(if source.once_in(8) { &user } else { &[] });
    let acknowledge = Acknowledge { packet_id, reason: ReasonCode::SUCCESS, properties };
    match source.below(48) {
        0..=23 => publish(source, version, packet_id),
        24..=35 => subscribe(source, version, packet_id),
        36..=38 => {
            let filters = [filter(source), filter(source)];
            let filters = UnsubscribeFilters::list(&filters[..=source.below(2)]);
            encoded(&Packet::Unsubscribe(Unsubscribe { packet_id, properties, filters }), version)
        }
        39 => encoded(&Packet::PubAck(acknowledge), version),
        40 => {
            let reason = source.mostly(&[ReasonCode::SUCCESS, ReasonCode::QUOTA_EXCEEDED]);
            encoded(&Packet::PubRec(Acknowledge { reason, ..acknowledge }), version)
        }
        41 | 42 => encoded(&Packet::PubRel(acknowledge), version),
        43 => encoded(&Packet::PubComp(acknowledge), version),
        44 | 45 => encoded(&Packet::PingReq, version),
        46 => {
            let reason = source.pick(&[ReasonCode::SUCCESS, ReasonCode::DISCONNECT_WITH_WILL_MESSAGE]);
            let expiry = [Property::SessionExpiryInterval(source.pick(&[0, 7]))];
            let properties = Properties::list(if source.once_in(2) { &expiry } else { &[] });
            encoded(&Packet::Disconnect(Disconnect { reason, properties }), version)
        }
        _ => {
            let reason = source.pick(&[ReasonCode::CONTINUE_AUTHENTICATION, ReasonCode::RE_AUTHENTICATE]);
            let properties = [
                Property::AuthenticationMethod(source.mostly(&["m", "n"])),
                Property::AuthenticationData(b"more"),
            ];
            encoded(&Packet::Auth(Auth { reason, properties: Properties::list(&properties) }), version)
        }
    }
}

fn publish(source: &mut Source<'_>, version: ProtocolVersion, packet_id: PacketIdentifier) -> Vec<u8> {
    let dup = source.once_in(8);
    let delivery = match qos(source) {
        QoS::AtMostOnce => Delivery::AtMostOnce,
        QoS::AtLeastOnce => Delivery::AtLeastOnce { packet_id, dup },
        QoS::ExactlyOnce => Delivery::ExactlyOnce { packet_id, dup },
    };
    let alias = NonZeroU16::new(source.mostly(&[1, 2, 33])).unwrap_or(NonZeroU16::MIN);
    let all = [
        Property::TopicAlias(alias),
        Property::MessageExpiryInterval(source.pick(&[0, 1, 1000])),
        Property::ResponseTopic("answer"),
        Property::UserProperty("name", "value"),
    ];
    let (few, bits) = (source.once_in(3), source.byte());
    let list: Vec<_> = all
        .iter()
        .enumerate()
        .filter(|(index, _)| few && bits >> index & 1 != 0)
        .map(|(_, one)| *one)
        .collect();
    let aliased = few && bits & 1 != 0 && source.once_in(2);
    let publish = Publish {
        delivery,
        retain: source.once_in(4),
        topic: if aliased { "" } else { source.pick(&TOPICS) },
        properties: Properties::list(&list),
        payload: &ZEROS[..source.mostly(&[5, 0, 150, 1024, 1025, 3000])],
    };
    encoded(&Packet::Publish(publish), version)
}

fn subscribe(source: &mut Source<'_>, version: ProtocolVersion, packet_id: PacketIdentifier) -> Vec<u8> {
    let handlings = [RetainHandling::SendAtSubscribe, RetainHandling::SendIfNew, RetainHandling::DoNotSend];
    let mut subscription = || {
        let options = SubscriptionOptions {
            maximum_qos: qos(source),
            no_local: source.once_in(6),
            retain_as_published: source.once_in(3),
            retain_handling: source.mostly(&handlings),
        };
        (filter(source), options)
    };
    let filters = [subscription(), subscription(), subscription()];
    let identifier = SubscriptionIdentifier::new(source.pick(&[1, 2, SubscriptionIdentifier::MAX]));
    let identifier = identifier.filter(|_| source.once_in(3)).map(Property::SubscriptionIdentifier);
    let subscribe = Subscribe {
        packet_id,
        properties: Properties::list(identifier.as_slice()),
        filters: SubscribeFilters::list(&filters[..=source.below(3)]),
    };
    encoded(&Packet::Subscribe(subscribe), version)
}

fn id(source: &mut Source<'_>) -> PacketIdentifier {
    let number = source.pick(&[1, 2, 3, 4, 5, 1, 2, u16::MAX]);
    PacketIdentifier::new(number).unwrap_or(PacketIdentifier::MIN)
}

fn filter(source: &mut Source<'_>) -> &'static str {
    if source.once_in(64) { source.pick(&INVALID_FILTERS) } else { source.pick(&FILTERS) }
}

fn qos(source: &mut Source<'_>) -> QoS {
    source.pick(&[QoS::AtLeastOnce, QoS::ExactlyOnce, QoS::AtMostOnce])
}

/// The client's part of a delivery: what it answers to a packet that it got, if anything.
pub(super) fn reply(packet: &Packet<'_>, version: ProtocolVersion) -> Vec<u8> {
    let reply = match packet {
        Packet::Publish(Publish { delivery: Delivery::AtLeastOnce { packet_id, .. }, .. }) => {
            Packet::PubAck(Acknowledge::success(*packet_id))
        }
        Packet::Publish(Publish { delivery: Delivery::ExactlyOnce { packet_id, .. }, .. }) => {
            Packet::PubRec(Acknowledge::success(*packet_id))
        }
        Packet::PubRec(ack) => Packet::PubRel(Acknowledge::success(ack.packet_id)),
        Packet::PubRel(ack) => Packet::PubComp(Acknowledge::success(ack.packet_id)),
        _ => return Vec::new(),
    };
    encoded(&reply, version)
}

fn encoded(packet: &Packet<'_>, version: ProtocolVersion) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What this version cannot say is left unsaid.
    _ = packet.encode(version, &mut bytes);
    bytes
}
