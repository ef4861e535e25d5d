//! One row for each rule of form: bytes that break it, and nothing else.

mod common;

use common::{CONTEXTS, PLACES, VERSIONS, packet, read};
use mqtt_codec::Direction::{ClientToServer as ToServer, ServerToClient as ToClient};
use mqtt_codec::Malformed::{self as M};
use mqtt_codec::ProtocolVersion::{V3_1, V3_1_1, V5};
use mqtt_codec::{
    Direction, FrameRules, MAX_PACKET_SIZE, PacketType as T, Properties, ProtocolVersion, ReasonCode,
    next_frame,
};
use std::collections::BTreeSet;

type Row = (M, ProtocolVersion, Direction, u8, &'static [u8]);

/// CONNECT up to the client identifier, of the version whose level it has.
macro_rules! connect {
    ($level:literal, $flags:literal, $($rest:literal)*) => {
        &[0, 4, b'M', b'Q', b'T', b'T', $level, $flags, 0, 10, $($rest),*]
    };
}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // fixed header
    (M::ReservedPacketType, V5, ToServer, 0x00, &[]),
    (M::ReservedPacketType, V3_1_1, ToServer, 0xF0, &[]),
    (M::ReservedPacketType, V3_1, ToClient, 0xF0, &[]),
    (M::WrongDirection(T::PingResp), V5, ToServer, 0xD0, &[]),
    (M::WrongDirection(T::SubAck), V3_1_1, ToServer, 0x90, &[0, 1, 0]),
    (M::WrongDirection(T::UnsubAck), V3_1_1, ToServer, 0xB0, &[0, 1]),
    (M::WrongDirection(T::PingReq), V5, ToClient, 0xC0, &[]),
    (M::WrongDirection(T::Subscribe), V5, ToClient, 0x82, &[0, 1, 0, 0, 1, b'a', 0]),
    (M::WrongDirection(T::Unsubscribe), V5, ToClient, 0xA2, &[0, 1, 0, 0, 1, b'a']),
    (M::WrongDirection(T::Disconnect), V3_1_1, ToClient, 0xE0, &[]),
    (M::FixedHeaderFlags(T::Connect), V3_1_1, ToServer, 0x11, connect!(4, 2, 0 0)),
    (M::FixedHeaderFlags(T::ConnAck), V5, ToClient, 0x28, &[0, 0, 0]),
    (M::FixedHeaderFlags(T::PubAck), V5, ToServer, 0x42, &[0, 1]),
    (M::FixedHeaderFlags(T::PubRec), V3_1_1, ToServer, 0x51, &[0, 1]),
    (M::FixedHeaderFlags(T::PubRel), V5, ToServer, 0x60, &[0, 1]),
    (M::FixedHeaderFlags(T::PubRel), V3_1_1, ToServer, 0x6A, &[0, 1]),
    (M::FixedHeaderFlags(T::PubComp), V5, ToServer, 0x72, &[0, 1]),
    (M::FixedHeaderFlags(T::Subscribe), V5, ToServer, 0x80, &[0, 1, 0, 0, 1, b'a', 0]),
    (M::FixedHeaderFlags(T::Unsubscribe), V3_1, ToServer, 0xA3, &[0, 1, 0, 1, b'a']),
    (M::FixedHeaderFlags(T::PingReq), V5, ToServer, 0xC1, &[]),
    (M::FixedHeaderFlags(T::Disconnect), V3_1_1, ToServer, 0xE8, &[]),
    (M::FixedHeaderFlags(T::Auth), V5, ToServer, 0xF2, &[]),
    (M::PublishQoS3, V5, ToServer, 0x36, &[0, 1, b'a', 0, 1, 0]),
    (M::DupAtQoS0, V3_1_1, ToServer, 0x38, &[0, 1, b'a']),

    // fields
    (M::Truncated, V5, ToServer, 0x30, &[]),
    (M::Truncated, V5, ToServer, 0x30, &[0]),
    (M::Truncated, V5, ToServer, 0x30, &[0, 9, b'a']),
    (M::Truncated, V5, ToServer, 0x30, &[0, 1, b'a']),
    (M::Truncated, V5, ToServer, 0x30, &[0, 1, b'a', 2, 0x01]),
    (M::Truncated, V5, ToServer, 0x30, &[0, 1, b'a', 1, 0x01, 1]),
    (M::Truncated, V5, ToServer, 0x30, &[0, 1, b'a', 0x80]),
    (M::Truncated, V3_1_1, ToServer, 0x32, &[0, 1, b'a', 0]),
    (M::Truncated, V3_1_1, ToServer, 0x40, &[0]),
    (M::Truncated, V3_1_1, ToServer, 0x82, &[0, 1, 0, 1, b'a']),
    (M::Truncated, V3_1_1, ToClient, 0x20, &[0]),
    (M::Truncated, V3_1_1, ToServer, 0x10, connect!(4, 0xC2, 0 1 b'c' 0 1 b'u')),
    (M::Truncated, V3_1, ToServer, 0x10, b"\0\x06MQIsdp\x03\x82\0\x0A\0\x01c\0"),
    (M::TrailingBytes, V3_1_1, ToServer, 0x10, connect!(4, 2, 0 1 b'c' 0)),
    (M::TrailingBytes, V3_1_1, ToClient, 0x20, &[0, 0, 0]),
    (M::TrailingBytes, V3_1_1, ToServer, 0x40, &[0, 1, 0]),
    (M::TrailingBytes, V5, ToServer, 0x40, &[0, 1, 0, 0, 0]),
    (M::TrailingBytes, V3_1_1, ToClient, 0xB0, &[0, 1, 0]),
    (M::TrailingBytes, V5, ToServer, 0xC0, &[0]),
    (M::TrailingBytes, V3_1, ToClient, 0xD0, &[0]),
    (M::TrailingBytes, V3_1_1, ToServer, 0xE0, &[0]),
    (M::TrailingBytes, V5, ToServer, 0xE0, &[0, 0, 0]),
    (M::VariableByteIntegerTooLong, V5, ToServer, 0x30, &[0, 1, b'a', 0xFF, 0xFF, 0xFF, 0xFF, 1]),
    (M::VariableByteIntegerTooLong, V5, ToClient, 0x30, &[0, 1, b'a', 6, 0x0B, 0xFF, 0xFF, 0xFF, 0xFF, 1]),
    (M::VariableByteIntegerNotShortest, V5, ToServer, 0x30, &[0, 1, b'a', 0x80, 0x00]),
    (M::VariableByteIntegerNotShortest, V5, ToClient, 0x30, &[0, 1, b'a', 4, 0x0B, 0x81, 0x80, 0x00]),
    (M::NotUtf8, V5, ToServer, 0x30, &[0, 2, b'a', 0xFF, 0]),
    (M::NotUtf8, V3_1_1, ToServer, 0x30, &[0, 3, 0xED, 0xA0, 0x80]),                   // U+D800, a surrogate
    (M::NotUtf8, V3_1_1, ToServer, 0x30, &[0, 2, 0xC1, 0x81]),                         // an overlong 'A'
    (M::NotUtf8, V3_1_1, ToServer, 0x82, &[0, 1, 0, 1, 0x80, 0]),
    (M::NotUtf8, V3_1_1, ToServer, 0xA2, &[0, 1, 0, 2, 0xE2, 0x82]),
    (M::NotUtf8, V3_1_1, ToServer, 0x10, connect!(4, 2, 0 1 0xFE)),
    (M::NotUtf8, V5, ToServer, 0x30, &[0, 1, b'a', 4, 0x03, 0, 1, 0xFF]),
    (M::NullCharacter, V3_1_1, ToServer, 0x30, &[0, 3, b'a', 0, b'b']),
    (M::NullCharacter, V5, ToServer, 0x30, &[0, 1, b'a', 7, 0x26, 0, 1, b'k', 0, 1, 0]),
    (M::NullCharacter, V3_1_1, ToServer, 0x82, &[0, 1, 0, 1, 0, 0]),
    (M::NullCharacter, V3_1_1, ToServer, 0xA2, &[0, 1, 0, 1, 0]),
    (M::NullCharacter, V3_1_1, ToServer, 0x10, connect!(4, 0x82, 0 1 b'c' 0 1 0)),
    (M::PacketIdentifierZero, V3_1_1, ToServer, 0x32, &[0, 1, b'a', 0, 0]),
    (M::PacketIdentifierZero, V5, ToServer, 0x34, &[0, 1, b'a', 0, 0, 0]),
    (M::PacketIdentifierZero, V3_1_1, ToServer, 0x40, &[0, 0]),
    (M::PacketIdentifierZero, V5, ToServer, 0x62, &[0, 0]),
    (M::PacketIdentifierZero, V3_1_1, ToServer, 0x82, &[0, 0, 0, 1, b'a', 0]),
    (M::PacketIdentifierZero, V5, ToServer, 0xA2, &[0, 0, 0, 0, 1, b'a']),
    (M::PacketIdentifierZero, V3_1_1, ToClient, 0x90, &[0, 0, 0]),
    (M::PacketIdentifierZero, V3_1_1, ToClient, 0xB0, &[0, 0]),
    (M::UndefinedReasonCode(T::ConnAck), V5, ToClient, 0x20, &[0, 0x01, 0]),
    (M::UndefinedReasonCode(T::ConnAck), V3_1_1, ToClient, 0x20, &[0, 6]),
    (M::UndefinedReasonCode(T::PubAck), V5, ToServer, 0x40, &[0, 1, 0x92]),
    (M::UndefinedReasonCode(T::PubRec), V5, ToServer, 0x50, &[0, 1, 0x01]),
    (M::UndefinedReasonCode(T::PubRel), V5, ToServer, 0x62, &[0, 1, 0x80]),
    (M::UndefinedReasonCode(T::PubComp), V5, ToServer, 0x70, &[0, 1, 0x10]),
    (M::UndefinedReasonCode(T::SubAck), V5, ToClient, 0x90, &[0, 1, 0, 3]),
    (M::UndefinedReasonCode(T::SubAck), V3_1_1, ToClient, 0x90, &[0, 1, 0, 0x87]),
    (M::UndefinedReasonCode(T::SubAck), V3_1, ToClient, 0x90, &[0, 1, 0x80]),
    (M::UndefinedReasonCode(T::UnsubAck), V5, ToClient, 0xB0, &[0, 1, 0, 0x10]),
    (M::UndefinedReasonCode(T::Disconnect), V5, ToServer, 0xE0, &[0x84]),
    (M::UndefinedReasonCode(T::Auth), V5, ToServer, 0xF0, &[0x80, 0]),
    (M::NoReasonCodes(T::SubAck), V5, ToClient, 0x90, &[0, 1, 0]),
    (M::NoReasonCodes(T::SubAck), V3_1_1, ToClient, 0x90, &[0, 1]),
    (M::NoReasonCodes(T::UnsubAck), V5, ToClient, 0xB0, &[0, 1, 0]),

    // topics
    (M::EmptyTopicName, V3_1_1, ToServer, 0x30, &[0, 0]),
    (M::EmptyTopicName, V5, ToServer, 0x30, &[0, 1, b'a', 3, 0x08, 0, 0]),
    (M::EmptyTopicName, V3_1_1, ToServer, 0x10, connect!(4, 6, 0 1 b'c' 0 0 0 0)),
    (M::WildcardInTopicName, V3_1_1, ToServer, 0x30, &[0, 3, b'a', b'/', b'#']),
    (M::WildcardInTopicName, V5, ToServer, 0x30, &[0, 3, b'+', b'/', b'a', 0]),
    (M::WildcardInTopicName, V5, ToServer, 0x30, b"\0\x0C\xC3\xA9/234567/9+\0"),
    (M::WildcardInTopicName, V3_1_1, ToServer, 0x10, connect!(4, 6, 0 1 b'c' 0 1 b'#' 0 0)),
    (M::NoTopic, V5, ToServer, 0x30, &[0, 0, 0]),
    (M::EmptyTopicFilter, V3_1_1, ToServer, 0x82, &[0, 1, 0, 0, 0]),
    (M::EmptyTopicFilter, V5, ToServer, 0xA2, &[0, 1, 0, 0, 0]),
    (M::NoTopicFilters(T::Subscribe), V3_1_1, ToServer, 0x82, &[0, 1]),
    (M::NoTopicFilters(T::Unsubscribe), V5, ToServer, 0xA2, &[0, 1, 0]),

    // CONNECT and CONNACK
    (M::UnsupportedProtocolName, V3_1_1, ToServer, 0x10, b"\0\x04mqtt\x04\x02\0\x0A\0\0"),
    (M::UnsupportedProtocolLevel(6), V5, ToServer, 0x10, connect!(6, 2, 0 0 0)),
    (M::UnsupportedProtocolLevel(0x84), V5, ToServer, 0x10, connect!(0x84, 2, 0 0)),   // a bridge of mosquitto
    (M::UnsupportedProtocolLevel(4), V3_1, ToServer, 0x10, b"\0\x06MQIsdp\x04\x02\0\x0A\0\x01c"),
    (M::UnsupportedProtocolLevel(3), V3_1_1, ToServer, 0x10, connect!(3, 2, 0 1 b'c')),
    (M::ReservedConnectFlag, V3_1_1, ToServer, 0x10, connect!(4, 3, 0 0)),
    (M::ReservedConnectFlag, V5, ToServer, 0x10, connect!(5, 3, 0 0 0)),
    (M::WillQoSWithoutWill, V5, ToServer, 0x10, connect!(5, 0x0A, 0 0 0)),
    (M::WillRetainWithoutWill, V3_1_1, ToServer, 0x10, connect!(4, 0x22, 0 0)),
    (M::WillQoS3, V3_1_1, ToServer, 0x10, connect!(4, 0x1E, 0 0 0 1 b'a' 0 0)),
    (M::PasswordWithoutUserName, V3_1_1, ToServer, 0x10, connect!(4, 0x42, 0 0 0 1 b'p')),
    (M::EmptyClientIdentifier, V3_1_1, ToServer, 0x10, connect!(4, 0, 0 0)),
    (M::EmptyClientIdentifier, V3_1, ToServer, 0x10, b"\0\x06MQIsdp\x03\x02\0\x0A\0\0"),
    (M::ReservedAcknowledgeFlags, V3_1_1, ToClient, 0x20, &[2, 0]),
    (M::ReservedAcknowledgeFlags, V5, ToClient, 0x20, &[0x81, 0, 0]),
    (M::SessionPresentWithError, V3_1_1, ToClient, 0x20, &[1, 5]),
    (M::SessionPresentWithError, V5, ToClient, 0x20, &[1, 0x87, 0]),

    // SUBSCRIBE
    (M::ReservedSubscriptionOptions, V5, ToServer, 0x82, &[0, 1, 0, 0, 1, b'a', 0x40]),
    (M::ReservedSubscriptionOptions, V3_1_1, ToServer, 0x82, &[0, 1, 0, 1, b'a', 0x04]),
    (M::SubscriptionQoS3, V5, ToServer, 0x82, &[0, 1, 0, 0, 1, b'a', 3]),
    (M::SubscriptionQoS3, V3_1_1, ToServer, 0x82, &[0, 1, 0, 1, b'a', 3]),
    (M::RetainHandling3, V5, ToServer, 0x82, &[0, 1, 0, 0, 1, b'a', 0x30]),
    (M::NoLocalOnSharedSubscription, V5, ToServer, 0x82, b"\0\x01\0\0\x0A$share/g/a\x04"),

    // properties
    (M::UnknownProperty(0x04), V5, ToServer, 0x30, &[0, 1, b'a', 2, 0x04, 0]),
    (M::UnknownProperty(0x2B), V5, ToServer, 0x30, &[0, 1, b'a', 2, 0x2B, 0]),
    (M::UnknownProperty(0x81), V5, ToServer, 0x30, &[0, 1, b'a', 3, 0x81, 0x00, 1]),
    (M::MisplacedProperty(0x11), V5, ToServer, 0x30, &[0, 1, b'a', 5, 0x11, 0, 0, 0, 1]),
    (M::MisplacedProperty(0x0B), V5, ToServer, 0xA2, &[0, 1, 2, 0x0B, 1, 0, 1, b'a']),
    (M::DuplicateProperty(0x01), V5, ToServer, 0x30, &[0, 1, b'a', 4, 0x01, 0, 0x01, 0]),
    (M::DuplicateProperty(0x0B), V5, ToServer, 0x82, &[0, 1, 4, 0x0B, 1, 0x0B, 2, 0, 1, b'a', 0]),
    (M::DuplicateProperty(0x21), V5, ToServer, 0x10, connect!(5, 2, 6 0x21 0 1 0x21 0 1 0 0)),
    (M::NeitherZeroNorOne(0x01), V5, ToServer, 0x30, &[0, 1, b'a', 2, 0x01, 2]),
    (M::NeitherZeroNorOne(0x17), V5, ToServer, 0x10, connect!(5, 2, 2 0x17 2 0 0)),
    (M::NeitherZeroNorOne(0x19), V5, ToServer, 0x10, connect!(5, 2, 2 0x19 0xFF 0 0)),
    (M::NeitherZeroNorOne(0x24), V5, ToClient, 0x20, &[0, 0, 2, 0x24, 2]),
    (M::NeitherZeroNorOne(0x2A), V5, ToClient, 0x20, &[0, 0, 2, 0x2A, 2]),
    (M::ReceiveMaximumZero, V5, ToServer, 0x10, connect!(5, 2, 3 0x21 0 0 0 0)),
    (M::MaximumPacketSizeZero, V5, ToClient, 0x20, &[0, 0, 5, 0x27, 0, 0, 0, 0]),
    (M::TopicAliasZero, V5, ToServer, 0x30, &[0, 0, 3, 0x23, 0, 0]),
    (M::SubscriptionIdentifierZero, V5, ToServer, 0x82, &[0, 1, 2, 0x0B, 0, 0, 1, b'a', 0]),
    (M::WildcardInResponseTopic, V5, ToServer, 0x30, &[0, 1, b'a', 4, 0x08, 0, 1, b'+']),
    (M::SubscriptionIdentifierFromClient, V5, ToServer, 0x30, &[0, 1, b'a', 2, 0x0B, 1]),
    (M::SessionExpiryFromServer, V5, ToClient, 0xE0, &[0, 5, 0x11, 0, 0, 0, 1]),
    (M::AuthenticationDataWithoutMethod, V5, ToServer, 0x10, connect!(5, 2, 4 0x16 0 1 1 0 0)),
    (M::AuthenticationDataWithoutMethod, V5, ToClient, 0x20, &[0, 0, 3, 0x16, 0, 0]),
    (M::AuthenticationMethodMissing, V5, ToServer, 0xF0, &[0x18, 0]),
    (M::AuthenticationMethodMissing, V5, ToServer, 0xF0, &[0x18]),
    (M::AuthenticationMethodMissing, V5, ToServer, 0xF0, &[0x18, 3, 0x16, 0, 0]),
];

#[test]
fn each_rule_is_named() {
    for (rule, version, direction, first_byte, body) in ROWS {
        let bytes = packet(*first_byte, body);
        assert_eq!(read(&bytes, *version, *direction), Err(*rule), "{version:?} {direction:?} {bytes:02X?}");
    }
}

/// Rules of the stream, which depend on more than the packet: tests/framing.rs shows them.
const OF_THE_STREAM: [M; 5] = [
    M::FirstPacketNotConnect,
    M::SecondConnect,
    M::FirstPacketNotConnAck,
    M::SecondConnAck,
    M::PacketTooLarge,
];

#[test]
fn statements_are_those_of_the_standard() {
    let known: BTreeSet<(&str, &str)> = include_str!("data/mqtt-conformance.tsv")
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut fields = line.split('\t');
            Some((fields.next()?, fields.next()?))
        })
        .collect();
    assert_eq!(known.len(), 394);
    for rule in ROWS.iter().map(|row| row.0).chain(OF_THE_STREAM) {
        for (version, name) in [(V3_1_1, "3.1.1"), (V5, "5.0")] {
            let statement = rule.statement_in(version);
            let numbered = known.contains(&(name, statement));
            assert!(numbered || statement.starts_with("X-"), "{rule:?}: {statement} of {name}");
        }
        assert_eq!(rule.statement(), rule.statement_in(V5));
        assert_eq!(rule.statement_in(V3_1), rule.statement_in(V3_1_1));
    }
}

#[test]
fn reason_codes_of_the_rules() {
    let code = |rule: M| rule.reason_code();
    assert_eq!(code(M::Truncated), ReasonCode::MALFORMED_PACKET);
    assert_eq!(code(M::NotUtf8), ReasonCode::MALFORMED_PACKET);
    assert_eq!(code(M::PublishQoS3), ReasonCode::MALFORMED_PACKET);
    assert_eq!(code(M::DuplicateProperty(1)), ReasonCode::PROTOCOL_ERROR);
    assert_eq!(code(M::ReceiveMaximumZero), ReasonCode::PROTOCOL_ERROR);
    assert_eq!(code(M::SecondConnect), ReasonCode::PROTOCOL_ERROR);
    assert_eq!(code(M::UnsupportedProtocolLevel(6)), ReasonCode::UNSUPPORTED_PROTOCOL_VERSION);
    assert_eq!(code(M::EmptyClientIdentifier), ReasonCode::CLIENT_IDENTIFIER_NOT_VALID);
    assert_eq!(code(M::EmptyClientIdentifier).to_connect_return_code(), 2);
    assert_eq!(code(M::TopicAliasZero), ReasonCode::TOPIC_ALIAS_INVALID);
    assert_eq!(code(M::PacketTooLarge), ReasonCode::PACKET_TOO_LARGE);
    for (rule, ..) in ROWS {
        assert!(code(*rule).is_error(), "{rule:?}");
        let tells = code(*rule).allowed_in(T::Disconnect) || code(*rule).allowed_in(T::ConnAck);
        assert!(tells, "{rule:?}");
    }
}

/// A property of this number with a value that is fine.
fn good_property(number: u8) -> Vec<u8> {
    let value: &[u8] = match number {
        0x01 | 0x0B | 0x17 | 0x19 | 0x24 | 0x25 | 0x28..=0x2A => &[1],
        0x13 | 0x21..=0x23 => &[0, 1],
        0x02 | 0x11 | 0x18 | 0x27 => &[0, 0, 0, 1],
        0x26 => &[0, 1, b'n', 0, 1, b'v'],
        _ => &[0, 1, b'x'],
    };
    [&[number], value].concat()
}

#[test]
fn every_property_in_every_place() {
    const METHOD: [u8; 4] = [0x15, 0, 1, b'm'];
    for (number, places) in PLACES {
        for context in CONTEXTS {
            let mut block = good_property(number);
            if PLACES.iter().any(|(n, at)| *n == 0x15 && at.contains(&context)) && number != 0x15 {
                block.extend(METHOD);
            }
            let valid = Properties::validate(&block, context);
            assert_eq!(valid.is_ok(), places.contains(&context), "{number:#04x} {context:?} {valid:?}");
            let Ok(valid) = valid else { continue };
            assert_eq!(valid.iter().next().map(|property| property.identifier()), Some(number));

            let twice = [good_property(number), block.clone()].concat();
            let again =
                number == 0x26 || (number == 0x0B && context == mqtt_codec::PropertyContext::PublishToClient);
            let expected = if again { None } else { Some(M::DuplicateProperty(number)) };
            assert_eq!(Properties::validate(&twice, context).err(), expected, "{number:#04x} {context:?}");

            for cut in 1..good_property(number).len() {
                let cut = Properties::validate(&block[..cut], context);
                assert_eq!(cut.err(), Some(M::Truncated), "{number:#04x} {context:?}");
            }
        }
    }
    for number in (0..=u8::MAX).filter(|number| PLACES.iter().all(|(known, _)| known != number)) {
        for context in CONTEXTS {
            let block = [number, 0, 0, 0, 0];
            assert_eq!(Properties::validate(&block, context), Err(M::UnknownProperty(number)));
        }
    }
}

/// Tables of §3: CONNACK 3-1, PUBACK 3-4, PUBREC 3-5, PUBREL 3-6, PUBCOMP 3-7, SUBACK 3-8, UNSUBACK 3-9,
/// DISCONNECT 3-13 (with 0x8C of table 2-6), AUTH 3-11.
#[test]
fn every_reason_code_in_every_packet() {
    let tables: [(T, u8, &[u8]); 9] = [
        (
            T::ConnAck,
            0x20,
            &[
                0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95,
                0x97, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F,
            ],
        ),
        (T::PubAck, 0x40, &[0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]),
        (T::PubRec, 0x50, &[0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]),
        (T::PubRel, 0x62, &[0x00, 0x92]),
        (T::PubComp, 0x70, &[0x00, 0x92]),
        (T::SubAck, 0x90, &[0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2]),
        (T::UnsubAck, 0xB0, &[0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91]),
        (
            T::Disconnect,
            0xE0,
            &[
                0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0x93,
                0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2,
            ],
        ),
        (T::Auth, 0xF0, &[0x00, 0x18, 0x19]),
    ];
    for (packet_type, first_byte, codes) in tables {
        for code in 0..=u8::MAX {
            let body: &[u8] = match packet_type {
                T::ConnAck => &[0, code, 0],
                T::SubAck | T::UnsubAck => &[0, 1, 0, code],
                T::Disconnect => &[code],
                T::Auth => &[code, 4, 0x15, 0, 1, b'm'],
                _ => &[0, 1, code],
            };
            let bytes = packet(first_byte, body);
            let expected =
                if codes.contains(&code) { None } else { Some(M::UndefinedReasonCode(packet_type)) };
            assert_eq!(read(&bytes, V5, ToClient).err(), expected, "{packet_type:?} {code:#04x}");
            assert_eq!(ReasonCode::new(code).allowed_in(packet_type), expected.is_none());
            let named = ReasonCode::new(code).name() != "Reserved";
            assert!(named || expected.is_some());
        }
    }
}

/// All 256 first bytes in all twelve states of a reader, against a second statement of the rules.
#[test]
fn every_first_byte() {
    for version in VERSIONS {
        for first in [false, true] {
            for byte in 0..=u8::MAX {
                let (number, flags) = (byte >> 4, byte & 0x0F);
                let flags_fine = match number {
                    3 => flags & 0b0110 != 0b0110 && flags & 0b1110 != 0b1000,
                    6 | 8 | 10 => flags == 0b0010 || (version == V3_1 && flags == 0b1010),
                    _ => flags == 0,
                };
                let from_client = if first { number == 1 } else { matches!(number, 3..=8 | 10 | 12 | 14) };
                let from_client = from_client || (number == 15 && version == V5 && !first);
                let from_server = if first { number == 2 } else { matches!(number, 3..=7 | 9 | 11 | 13) };
                let from_server = from_server
                    || (number == 15 && version == V5)
                    || (number == 14 && version == V5 && !first);
                for (direction, place_fine) in [(ToServer, from_client), (ToClient, from_server)] {
                    let rules = FrameRules { direction, first, version, max_packet_size: MAX_PACKET_SIZE };
                    let input = [byte];
                    let judged = next_frame(&input, &rules);
                    assert_eq!(judged.is_ok(), place_fine && flags_fine, "{byte:#04x} {rules:?} {judged:?}");
                    assert!(!matches!(judged, Ok(Some(_))), "one byte is no packet");
                }
            }
        }
    }
}
