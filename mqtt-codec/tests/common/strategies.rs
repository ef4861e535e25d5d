//! Arbitrary valid packets. Their text is leaked: a test ends soon.

use super::{CONTEXTS, PLACES};
use core::num::{NonZeroU16, NonZeroU32};
use mqtt_codec::{
    Acknowledge, Auth, ConnAck, Connect, Delivery, Direction, Disconnect, Packet, PacketIdentifier,
    PacketType, Properties, Property, PropertyContext, ProtocolVersion, Publish, QoS, ReasonCode,
    ReasonCodes, RetainHandling, SubAck, Subscribe, SubscribeFilters, SubscriptionIdentifier,
    SubscriptionOptions, UnsubAck, Unsubscribe, UnsubscribeFilters, Will,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// Any valid packet of a version that travels in a direction.
pub(crate) fn packet(version: ProtocolVersion, direction: Direction) -> BoxedStrategy<Packet<'static>> {
    let acknowledge = |packet_type| acknowledge(version, packet_type);
    let both = prop_oneof![
        publish(version, direction).prop_map(Packet::Publish),
        acknowledge(PacketType::PubAck).prop_map(Packet::PubAck),
        acknowledge(PacketType::PubRec).prop_map(Packet::PubRec),
        acknowledge(PacketType::PubRel).prop_map(Packet::PubRel),
        acknowledge(PacketType::PubComp).prop_map(Packet::PubComp),
    ];
    let five = prop_oneof![disconnect(direction).prop_map(Packet::Disconnect), auth().prop_map(Packet::Auth)];
    let one_way = match direction {
        Direction::ClientToServer => prop_oneof![
            connect(version).prop_map(Packet::Connect),
            subscribe(version).prop_map(Packet::Subscribe),
            unsubscribe(version).prop_map(Packet::Unsubscribe),
            Just(Packet::PingReq),
            Just(Packet::Disconnect(Disconnect::default())),
        ]
        .boxed(),
        Direction::ServerToClient => prop_oneof![
            connack(version).prop_map(Packet::ConnAck),
            suback(version).prop_map(Packet::SubAck),
            unsuback(version).prop_map(Packet::UnsubAck),
            Just(Packet::PingResp),
        ]
        .boxed(),
    };
    if version == ProtocolVersion::V5 {
        prop_oneof![both, one_way, five].boxed()
    } else {
        prop_oneof![both, one_way].boxed()
    }
}

fn leak<T>(values: Vec<T>) -> &'static [T] {
    values.leak()
}

pub(crate) fn text() -> BoxedStrategy<&'static str> {
    prop_oneof![8 => "[a-zA-Z0-9/_ -]{0,24}", 2 => "\\PC{0,12}", 1 => "[a-z/]{120,300}"]
        .prop_map(|text: String| &*text.leak())
        .boxed()
}

fn topic_name() -> BoxedStrategy<&'static str> {
    prop_oneof!["[a-z0-9$/]{1,40}", "[^\u{0}+#]{1,20}", "[a-z/]{120,300}"]
        .prop_map(|text: String| &*text.leak())
        .boxed()
}

fn topic_filter() -> BoxedStrategy<&'static str> {
    prop_oneof!["[a-z0-9$/+#]{1,40}", "[^\u{0}]{1,20}"].prop_map(|text: String| &*text.leak()).boxed()
}

fn binary() -> BoxedStrategy<&'static [u8]> {
    vec(any::<u8>(), 0..40).prop_map(leak).boxed()
}

fn packet_id() -> BoxedStrategy<PacketIdentifier> {
    any::<NonZeroU16>().prop_map(PacketIdentifier::from).boxed()
}

fn qos() -> BoxedStrategy<QoS> {
    prop_oneof![Just(QoS::AtMostOnce), Just(QoS::AtLeastOnce), Just(QoS::ExactlyOnce)].boxed()
}

/// One property of every identifier, each with any value that it may have.
fn one_of_each() -> BoxedStrategy<Vec<Property<'static>>> {
    let publish =
        (any::<bool>(), any::<u32>(), text(), topic_name(), binary(), 1..=SubscriptionIdentifier::MAX);
    let session =
        (any::<u32>(), text(), any::<u16>(), text(), binary(), any::<bool>(), any::<u32>(), any::<bool>());
    let server =
        (text(), text(), text(), any::<NonZeroU16>(), any::<u16>(), any::<NonZeroU16>(), any::<[bool; 6]>());
    (publish, session, server, any::<NonZeroU32>(), text(), text())
        .prop_map(|(publish, session, server, size, name, value)| {
            vec![
                Property::PayloadFormatIndicator(publish.0),
                Property::MessageExpiryInterval(publish.1),
                Property::ContentType(publish.2),
                Property::ResponseTopic(publish.3),
                Property::CorrelationData(publish.4),
                Property::SubscriptionIdentifier(SubscriptionIdentifier::new(publish.5).expect("in range")),
                Property::SessionExpiryInterval(session.0),
                Property::AssignedClientIdentifier(session.1),
                Property::ServerKeepAlive(session.2),
                Property::AuthenticationMethod(session.3),
                Property::AuthenticationData(session.4),
                Property::RequestProblemInformation(session.5),
                Property::WillDelayInterval(session.6),
                Property::RequestResponseInformation(session.7),
                Property::ResponseInformation(server.0),
                Property::ServerReference(server.1),
                Property::ReasonString(server.2),
                Property::ReceiveMaximum(server.3),
                Property::TopicAliasMaximum(server.4),
                Property::TopicAlias(server.5),
                Property::MaximumQoS(if server.6[0] { QoS::AtLeastOnce } else { QoS::AtMostOnce }),
                Property::RetainAvailable(server.6[1]),
                Property::UserProperty(name, value),
                Property::MaximumPacketSize(size),
                Property::WildcardSubscriptionAvailable(server.6[2]),
                Property::SubscriptionIdentifiersAvailable(server.6[3]),
                Property::SharedSubscriptionAvailable(server.6[4]),
            ]
        })
        .boxed()
}

/// Some properties that belong here, in any order, user properties also more than once.
pub(crate) fn property_list(context: PropertyContext) -> BoxedStrategy<Vec<Property<'static>>> {
    let some = (one_of_each(), any::<u32>(), vec((text(), text()), 0..3), any::<bool>());
    some.prop_map(move |(all, chosen, pairs, empty)| {
        if empty && context != PropertyContext::Auth {
            return Vec::new();
        }
        let belongs = |property: &Property<'_>| {
            PLACES
                .iter()
                .any(|(number, places)| *number == property.identifier() && places.contains(&context))
        };
        let mut list: Vec<_> = all
            .into_iter()
            .enumerate()
            .filter(|(index, property)| {
                let is_method = matches!(property, Property::AuthenticationMethod(_));
                belongs(property) && (chosen >> index & 1 == 1 || is_method)
            })
            .map(|(_, property)| property)
            .collect();
        list.extend(pairs.into_iter().map(|(name, value)| Property::UserProperty(name, value)));
        list
    })
    .prop_shuffle()
    .boxed()
}

/// Properties for a packet; none before 5.0.
pub(crate) fn properties(
    version: ProtocolVersion,
    context: PropertyContext,
) -> BoxedStrategy<Properties<'static>> {
    assert!(CONTEXTS.contains(&context));
    if version < ProtocolVersion::V5 {
        return Just(Properties::NONE).boxed();
    }
    property_list(context).prop_map(|list| Properties::list(leak(list))).boxed()
}

fn reason(packet_type: PacketType, version: ProtocolVersion) -> BoxedStrategy<ReasonCode> {
    let codes: Vec<ReasonCode> = (0..=u8::MAX)
        .map(ReasonCode::new)
        .filter(|code| code.allowed_in(packet_type))
        .filter(|code| match (packet_type, version) {
            (_, ProtocolVersion::V5) => true,
            (PacketType::ConnAck, _) => matches!(code.get(), 0 | 0x84..=0x88),
            (PacketType::SubAck, ProtocolVersion::V3_1_1) => matches!(code.get(), 0..=2 | 0x80),
            (PacketType::SubAck, _) => code.get() <= 2,
            _ => *code == ReasonCode::SUCCESS,
        })
        .collect();
    proptest::sample::select(codes).boxed()
}

pub(crate) fn connect(version: ProtocolVersion) -> BoxedStrategy<Connect<'static>> {
    let will =
        (qos(), any::<bool>(), properties(version, PropertyContext::Will), topic_name(), binary()).prop_map(
            |(qos, retain, properties, topic, payload)| Will { qos, retain, properties, topic, payload },
        );
    let fields = (
        any::<bool>(),
        any::<u16>(),
        properties(version, PropertyContext::Connect),
        text(),
        option::of(will),
        option::of(text()),
        option::of(binary()),
    );
    fields
        .prop_map(move |(clean_start, keep_alive, properties, client_id, will, username, password)| {
            let client_id =
                if client_id.is_empty() && version < ProtocolVersion::V5 { "device" } else { client_id };
            let password = password.filter(|_| username.is_some() || version == ProtocolVersion::V5);
            Connect { version, clean_start, keep_alive, properties, client_id, will, username, password }
        })
        .boxed()
}

pub(crate) fn connack(version: ProtocolVersion) -> BoxedStrategy<ConnAck<'static>> {
    (any::<bool>(), reason(PacketType::ConnAck, version), properties(version, PropertyContext::ConnAck))
        .prop_map(move |(session_present, reason, properties)| ConnAck {
            session_present: session_present
                && reason == ReasonCode::SUCCESS
                && version > ProtocolVersion::V3_1,
            reason,
            properties,
        })
        .boxed()
}

pub(crate) fn publish(version: ProtocolVersion, direction: Direction) -> BoxedStrategy<Publish<'static>> {
    let context = match direction {
        Direction::ClientToServer => PropertyContext::PublishToServer,
        Direction::ServerToClient => PropertyContext::PublishToClient,
    };
    let delivery = prop_oneof![
        Just(Delivery::AtMostOnce),
        (packet_id(), any::<bool>()).prop_map(|(packet_id, dup)| Delivery::AtLeastOnce { packet_id, dup }),
        (packet_id(), any::<bool>()).prop_map(|(packet_id, dup)| Delivery::ExactlyOnce { packet_id, dup }),
    ];
    let payload = prop_oneof![binary(), vec(any::<u8>(), 0..20_000).prop_map(leak)];
    (delivery, any::<bool>(), topic_name(), any::<bool>(), properties(version, context), payload)
        .prop_map(|(delivery, retain, topic, alias_only, properties, payload)| {
            let topic = if alias_only && properties.topic_alias().is_some() { "" } else { topic };
            Publish { delivery, retain, topic, properties, payload }
        })
        .boxed()
}

fn acknowledge(version: ProtocolVersion, packet_type: PacketType) -> BoxedStrategy<Acknowledge<'static>> {
    (packet_id(), reason(packet_type, version), properties(version, PropertyContext::Acknowledgement))
        .prop_map(|(packet_id, reason, properties)| Acknowledge { packet_id, reason, properties })
        .boxed()
}

pub(crate) fn subscribe(version: ProtocolVersion) -> BoxedStrategy<Subscribe<'static>> {
    let handling = prop_oneof![
        Just(RetainHandling::SendAtSubscribe),
        Just(RetainHandling::SendIfNew),
        Just(RetainHandling::DoNotSend)
    ];
    let filter = (topic_filter(), qos(), any::<bool>(), any::<bool>(), handling).prop_map(
        move |(filter, maximum_qos, no_local, retain_as_published, retain_handling)| {
            let no_local = no_local && !filter.starts_with("$share/");
            let all = SubscriptionOptions { maximum_qos, no_local, retain_as_published, retain_handling };
            (filter, if version == ProtocolVersion::V5 { all } else { SubscriptionOptions::qos(maximum_qos) })
        },
    );
    (packet_id(), properties(version, PropertyContext::Subscribe), vec(filter, 1..10))
        .prop_map(|(packet_id, properties, filters)| {
            let filters = SubscribeFilters::list(leak(filters));
            Subscribe { packet_id, properties, filters }
        })
        .boxed()
}

fn unsubscribe(version: ProtocolVersion) -> BoxedStrategy<Unsubscribe<'static>> {
    (packet_id(), properties(version, PropertyContext::Unsubscribe), vec(topic_filter(), 1..10))
        .prop_map(|(packet_id, properties, filters)| {
            let filters = UnsubscribeFilters::list(leak(filters));
            Unsubscribe { packet_id, properties, filters }
        })
        .boxed()
}

fn suback(version: ProtocolVersion) -> BoxedStrategy<SubAck<'static>> {
    let reasons = vec(reason(PacketType::SubAck, version), 1..10);
    (packet_id(), properties(version, PropertyContext::Acknowledgement), reasons)
        .prop_map(|(packet_id, properties, reasons)| {
            let reasons = ReasonCodes::list(leak(reasons));
            SubAck { packet_id, properties, reasons }
        })
        .boxed()
}

fn unsuback(version: ProtocolVersion) -> BoxedStrategy<UnsubAck<'static>> {
    let reasons = vec(reason(PacketType::UnsubAck, version), 1..10);
    (packet_id(), properties(version, PropertyContext::Acknowledgement), reasons)
        .prop_map(move |(packet_id, properties, reasons)| {
            let some = ReasonCodes::list(leak(reasons));
            let reasons = if version == ProtocolVersion::V5 { some } else { ReasonCodes::NONE };
            UnsubAck { packet_id, properties, reasons }
        })
        .boxed()
}

fn disconnect(direction: Direction) -> BoxedStrategy<Disconnect<'static>> {
    let context = match direction {
        Direction::ClientToServer => PropertyContext::DisconnectToServer,
        Direction::ServerToClient => PropertyContext::DisconnectToClient,
    };
    (reason(PacketType::Disconnect, ProtocolVersion::V5), properties(ProtocolVersion::V5, context))
        .prop_map(|(reason, properties)| Disconnect { reason, properties })
        .boxed()
}

fn auth() -> BoxedStrategy<Auth<'static>> {
    (reason(PacketType::Auth, ProtocolVersion::V5), properties(ProtocolVersion::V5, PropertyContext::Auth))
        .prop_map(|(reason, properties)| Auth { reason, properties })
        .boxed()
}
