//! Every packet of every version comes back from its bytes, and the bytes from the packet.
#![cfg(feature = "bytes")]

mod common;

use common::{VERSIONS, bytes_of, read, strategies};
use mqtt_codec::{Direction, Packet, Properties, Property, PropertyContext, ProtocolVersion, Publish};
use proptest::prelude::*;

const DIRECTIONS: [Direction; 2] = [Direction::ClientToServer, Direction::ServerToClient];

fn block_of<'a>(properties: impl Iterator<Item = Property<'a>>) -> Vec<u8> {
    let mut block = Vec::new();
    for property in properties {
        property.encode(&mut block).unwrap();
    }
    block
}

fn any_packet() -> impl Strategy<Value = (ProtocolVersion, Direction, Packet<'static>)> {
    (0..3_usize, 0..2_usize).prop_flat_map(|(version, direction)| {
        let (version, direction) = (VERSIONS[version], DIRECTIONS[direction]);
        strategies::packet(version, direction).prop_map(move |packet| (version, direction, packet))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn packet_to_bytes_and_back((version, direction, packet) in any_packet()) {
        let bytes = bytes_of(&packet, version).expect("a valid packet");
        let decoded = read(&bytes, version, direction);
        prop_assert_eq!(decoded, Ok(packet));
        prop_assert_eq!(bytes_of(&decoded.unwrap(), version), Ok(bytes));
    }

    #[test]
    fn head_and_payload_make_a_publish(publish in strategies::publish(ProtocolVersion::V5, Direction::ServerToClient)) {
        let mut bytes = Vec::new();
        publish.encode_head(ProtocolVersion::V5, &mut bytes).unwrap();
        bytes.extend_from_slice(publish.payload);
        prop_assert_eq!(bytes_of(&Packet::Publish(publish), ProtocolVersion::V5), Ok(bytes));
    }

    /// What a server does with a message that it keeps: properties and payload in one piece.
    #[test]
    fn start_and_the_rest_in_one_piece_make_a_publish(
        publish in strategies::publish(ProtocolVersion::V5, Direction::ServerToClient),
        version in prop_oneof![Just(ProtocolVersion::V3_1_1), Just(ProtocolVersion::V5)],
        expiry in any::<u32>(),
    ) {
        let block = block_of(publish.properties.iter());
        let more = [Property::MessageExpiryInterval(expiry)];
        let publish = Publish { properties: Properties::assume_valid(&block).and(&more), ..publish };
        let whole = bytes_of(&Packet::Publish(publish), version);
        let mut bytes = Vec::new();
        let started = publish.encode_start(version, &mut bytes);
        prop_assert_eq!(started, whole.as_ref().map(drop).map_err(|error| *error));
        if version == ProtocolVersion::V5 {
            bytes.extend_from_slice(&block);
        }
        bytes.extend_from_slice(publish.payload);
        if let Ok(whole) = whole {
            prop_assert_eq!(bytes, whole);
        }
    }

    /// What a server does: own list and stored block make one sequence.
    #[test]
    fn a_block_with_a_list_before_it(
        stored in strategies::property_list(PropertyContext::Will),
        alias in any::<core::num::NonZeroU16>(),
    ) {
        let block = block_of(stored.iter().copied());
        let more = [Property::TopicAlias(alias), Property::UserProperty("from", "here")];
        let both = Properties::assume_valid(&block).and(&more);
        prop_assert!(both.iter().eq(more.iter().chain(&stored).copied()));
        prop_assert_eq!(both.encoded(), &block[..]);
        prop_assert_eq!(both.topic_alias(), Some(alias));

        let flat = block_of(both.iter());
        prop_assert_eq!(both.encoded_len(), Ok(flat.len()));
        let validated = Properties::validate(&flat, PropertyContext::PublishToClient);
        let allowed = !stored.iter().any(|property| matches!(property, Property::WillDelayInterval(_)));
        prop_assert_eq!(validated.is_ok(), allowed);
    }

    /// A getter finds what the iterator shows.
    #[test]
    fn getters_agree_with_the_iterator(list in strategies::property_list(PropertyContext::ConnAck)) {
        let block = block_of(list.iter().copied());
        for properties in [Properties::list(&list), Properties::validate(&block, PropertyContext::ConnAck).unwrap()] {
            prop_assert!(properties.iter().eq(list.iter().copied()));
            prop_assert_eq!(
                properties.server_keep_alive(),
                list.iter().find_map(|p| match p { Property::ServerKeepAlive(v) => Some(*v), _ => None })
            );
            prop_assert_eq!(
                properties.reason_string(),
                list.iter().find_map(|p| match p { Property::ReasonString(v) => Some(*v), _ => None })
            );
            prop_assert_eq!(
                properties.maximum_qos(),
                list.iter().find_map(|p| match p { Property::MaximumQoS(v) => Some(*v), _ => None })
            );
            prop_assert_eq!(
                properties.user_properties().count(),
                list.iter().filter(|p| matches!(p, Property::UserProperty(..))).count()
            );
            prop_assert_eq!(properties.will_delay_interval(), None);
        }
    }
}
