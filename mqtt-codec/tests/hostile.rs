//! Bytes that nobody meant well with: no panic, and work that the size of the input bounds.

mod common;

use common::{CONTEXTS, VERSIONS, bytes_of, packet, strategies};
use mqtt_codec::{
    Direction, EncodeError, FrameRules, MAX_PACKET_SIZE, Malformed, Packet, Properties, ProtocolVersion,
    next_frame,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// Decodes as any reader would and uses everything that a packet offers.
fn poke(input: &[u8]) {
    for version in VERSIONS {
        for direction in [Direction::ClientToServer, Direction::ServerToClient] {
            for first in [false, true] {
                let rules = FrameRules { direction, first, version, max_packet_size: MAX_PACKET_SIZE };
                let Ok(Some(frame)) = next_frame(input, &rules) else { continue };
                let Ok(packet) = Packet::decode(frame, version) else { continue };
                assert!(!format!("{packet:?}").is_empty());
                let bytes = bytes_of(&packet, version).expect("a decoded packet can be encoded");
                assert!(bytes.len() <= frame.len(), "no longer than it came");
                for other in VERSIONS {
                    let _ = bytes_of(&packet, other);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn any_bytes(input in vec(any::<u8>(), 0..200)) {
        poke(&input);
    }

    #[test]
    fn any_body_of_any_type(first_byte in any::<u8>(), body in vec(prop_oneof![0..4_u8, any::<u8>()], 0..60)) {
        poke(&packet(first_byte, &body));
    }

    #[test]
    fn valid_packets_with_a_few_bytes_changed(
        valid in strategies::packet(ProtocolVersion::V5, Direction::ClientToServer),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = bytes_of(&valid, ProtocolVersion::V5).unwrap();
        for (index, byte) in changes {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        poke(&bytes);
    }

    #[test]
    fn any_block_of_properties(block in vec(prop_oneof![0..0x2B_u8, any::<u8>()], 0..60)) {
        for context in CONTEXTS {
            let valid = Properties::validate(&block, context).is_ok();
            let properties = Properties::assume_valid(&block);
            let read = properties.iter().count();
            prop_assert!(read <= block.len());
            let _ = (properties.reason_string(), properties.topic_alias(), properties.shared_subscription_available());
            if valid {
                let len: usize = properties.iter().map(|property| property.encoded_len().unwrap()).sum();
                prop_assert_eq!(len, block.len(), "the iterator shows all of a valid block");
            }
        }
    }
}

/// Every length field of the packet says that there is more than there is.
#[test]
fn lengths_that_lie() {
    let cases: &[(u8, &[u8])] = &[
        (0x10, b"\xFF\xFFMQTT\x05\x02\0\0\0\0\0"),
        (0x10, b"\0\x04MQTT\x05\x02\0\0\xFF\xFF\xFF\x7F"),
        (0x10, b"\0\x04MQTT\x05\x02\0\0\0\xFF\xFF"),
        (0x10, b"\0\x04MQTT\x05\xC2\0\0\0\0\x01c\xFF\xFF"),
        (0x30, b"\xFF\xFF"),
        (0x30, b"\0\x01a\xFF\xFF\xFF\x7F"),
        (0x30, b"\0\x01a\x05\x26\xFF\xFFab"),
        (0x30, b"\0\x01a\x06\x26\0\x01a\xFF\xFF"),
        (0x30, b"\0\x01a\x04\x09\xFF\xFF\0"),
        (0x82, b"\0\x01\0\xFF\xFFa\0"),
        (0x82, b"\0\x01\x7F\0\x01a\0"),
        (0xA2, b"\0\x01\0\xFF\xFFa"),
        (0x40, b"\0\x01\0\xFF\xFF\xFF\x7F"),
        (0xE0, b"\0\x7F"),
        (0xF0, b"\x18\x05\x15\xFF\xFFab"),
    ];
    for (first_byte, body) in cases {
        let bytes = packet(*first_byte, body);
        let read = common::from_client(&bytes, ProtocolVersion::V5);
        assert_eq!(read, Err(Malformed::Truncated), "{bytes:02X?}");
    }
}

#[test]
fn values_that_are_too_long_are_not_encoded() {
    let long = "x".repeat(65_536);
    let fits = &long[1..];
    for (topic, expected) in [(fits, Ok(2 + 3 + 65_535)), (&long[..], Err(EncodeError::TooLong))] {
        let publish = mqtt_codec::Publish {
            delivery: mqtt_codec::Delivery::AtMostOnce,
            retain: false,
            topic,
            properties: Properties::NONE,
            payload: &[],
        };
        assert_eq!(publish.encoded_len(ProtocolVersion::V3_1_1), expected.map(|len| len + 1));
    }
    let huge = vec![0; 268_435_455 - 2];
    for (payload, fits) in [(&huge[..], false), (&huge[1..], true)] {
        let publish = mqtt_codec::Publish {
            delivery: mqtt_codec::Delivery::AtMostOnce,
            retain: false,
            topic: "a",
            properties: Properties::NONE,
            payload,
        };
        let len = publish.encoded_len(ProtocolVersion::V3_1_1);
        assert_eq!(len, if fits { Ok(MAX_PACKET_SIZE as usize) } else { Err(EncodeError::TooLong) });
    }
}

#[test]
fn what_the_rules_forbid_is_not_encoded() {
    use mqtt_codec::{Auth, ConnAck, Delivery, Property, Publish, QoS, ReasonCode};
    let v5 = ProtocolVersion::V5;
    let connack =
        ConnAck { session_present: true, reason: ReasonCode::NOT_AUTHORIZED, properties: Properties::NONE };
    assert_eq!(connack.encoded_len(v5), Err(Malformed::SessionPresentWithError.into()));
    let auth = Auth { reason: ReasonCode::CONTINUE_AUTHENTICATION, properties: Properties::NONE };
    assert_eq!(auth.encoded_len(v5), Err(Malformed::AuthenticationMethodMissing.into()));
    let mut out = Vec::new();
    let maximum = Property::MaximumQoS(QoS::ExactlyOnce).encode(&mut out);
    assert_eq!((maximum, out.len()), (Err(Malformed::NeitherZeroNorOne(0x24).into()), 0));

    let publish = Publish {
        delivery: Delivery::AtMostOnce,
        retain: false,
        topic: "a/b",
        properties: Properties::NONE,
        payload: &[7; 10],
    };
    // Room is needed for what is written, and nothing is written without.
    for (room, fits) in [(7, false), (8, true)] {
        let mut space = [0; 8];
        let mut head = &mut space[..room];
        let written = publish.encode_head(v5, &mut head);
        assert_eq!((written, head.len()), if fits { (Ok(()), 0) } else { (Err(EncodeError::NoRoom), 7) });
        let mut start = &mut space[..room];
        let written = publish.encode_start(v5, &mut start);
        assert_eq!((written, start.len()), if fits { (Ok(()), 0) } else { (Err(EncodeError::NoRoom), 7) });
    }
    let mut none: &mut [u8] = &mut [0; 4];
    assert_eq!(Property::MessageExpiryInterval(1).encode(&mut none), Err(EncodeError::NoRoom));
}

/// A block whose length takes four bytes, among the longest fields of MQTT.
#[test]
fn properties_as_long_as_a_packet() {
    let name = "n".repeat(65_535);
    let mut block = Vec::new();
    for _ in 0..20 {
        mqtt_codec::Property::UserProperty(&name, &name).encode(&mut block).expect("room");
    }
    let properties =
        Properties::validate(&block, mqtt_codec::PropertyContext::PublishToServer).expect("valid");
    let publish = mqtt_codec::Publish {
        delivery: mqtt_codec::Delivery::AtMostOnce,
        retain: false,
        topic: "a",
        properties,
        payload: &[],
    };
    let mut bytes = Vec::new();
    publish.encode(ProtocolVersion::V5, &mut bytes).expect("room");
    let Ok(mqtt_codec::Packet::Publish(read)) = common::from_client(&bytes, ProtocolVersion::V5) else {
        panic!("not read back");
    };
    assert_eq!((read.properties.encoded(), read.payload), (&block[..], &[][..]));
}
