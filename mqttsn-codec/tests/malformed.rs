//! One row for each rule of form: octets that break it, and nothing else; and what a gateway answers.

mod common;

use common::{bytes_of, id, message};
use mqttsn_codec::Malformed::{self as M};
use mqttsn_codec::{
    Delivery, Encapsulated, EncodeError, GwInfo, MAX_MESSAGE_SIZE, MessageType as T, MinusOneTopic, Packet,
    PingReq, PubAck, Publish, PublishMinusOne, QoS, RegAck, ReturnCode, Rules, ShortTopic, SubAck, Topic,
    WillTopic,
};
use std::collections::BTreeSet;

type Row = (M, u8, &'static [u8]);

const fn type_3(message: T, topic_id: u16, message_id: u16) -> M {
    M::ReservedTopicIdType { message, topic_id, message_id }
}

const fn reserved(message: T, topic_id: u16, message_id: u16) -> M {
    M::ReservedTopicId { message, topic_id, message_id }
}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // types
    (M::ReservedMessageType(0x03), 0x03, &[]),
    (M::ReservedMessageType(0x11), 0x11, &[0, 1]),
    (M::ReservedMessageType(0x19), 0x19, &[]),
    (M::ReservedMessageType(0x1E), 0x1E, &[]),
    (M::ReservedMessageType(0xFD), 0xFD, &[]),
    (M::ReservedMessageType(0xFF), 0xFF, &[]),

    // every message one octet short
    (M::Truncated, 0x00, &[1, 3]),
    (M::Truncated, 0x01, &[]),
    (M::Truncated, 0x02, &[]),
    (M::Truncated, 0x04, &[4, 1, 0]),
    (M::Truncated, 0x05, &[]),
    (M::Truncated, 0x0A, &[0, 0, 0]),
    (M::Truncated, 0x0B, &[0, 1, 0, 1]),
    (M::Truncated, 0x0C, &[0, 0, 1, 0]),
    (M::Truncated, 0x0C, &[0x20, 0]),                     // the datagram that kills Paho's gateway and RSMB
    (M::Truncated, 0x0D, &[0, 1, 0, 1]),
    (M::Truncated, 0x0E, &[0]),
    (M::Truncated, 0x0F, &[]),
    (M::Truncated, 0x10, &[0]),
    (M::Truncated, 0x12, &[0, 0]),
    (M::Truncated, 0x13, &[0, 0, 1, 0, 1]),
    (M::Truncated, 0x14, &[0]),
    (M::Truncated, 0x15, &[0]),
    (M::Truncated, 0x18, &[0]),
    (M::Truncated, 0x1B, &[]),
    (M::Truncated, 0x1D, &[]),

    // and one octet long
    (M::OctetsAfterLastField, 0x00, &[1, 3, 4, 5]),
    (M::OctetsAfterLastField, 0x01, &[0, 0]),
    (M::OctetsAfterLastField, 0x05, &[0, 0]),
    (M::OctetsAfterLastField, 0x06, &[0]),
    (M::OctetsAfterLastField, 0x08, &[0]),
    (M::OctetsAfterLastField, 0x0B, &[0, 1, 0, 1, 0, 0]),
    (M::OctetsAfterLastField, 0x0D, &[0, 1, 0, 1, 0, 0]),
    (M::OctetsAfterLastField, 0x0E, &[0, 1, 0]),
    (M::OctetsAfterLastField, 0x0F, &[0, 1, 0]),
    (M::OctetsAfterLastField, 0x10, &[0, 1, 0]),
    (M::OctetsAfterLastField, 0x13, &[0, 0, 1, 0, 1, 0, 0]),
    (M::OctetsAfterLastField, 0x15, &[0, 1, 0]),
    (M::OctetsAfterLastField, 0x17, &[0]),
    (M::OctetsAfterLastField, 0x18, &[0, 1, 0]),
    (M::OctetsAfterLastField, 0x1B, &[0, 1]),
    (M::OctetsAfterLastField, 0x1D, &[0, 0, 0]),

    // text
    (M::NotUtf8, 0x04, &[4, 1, 0, 0, 0xC3, 0x28]),
    (M::NotUtf8, 0x07, &[0, 0xED, 0xA0, 0x80]),           // U+D800, a surrogate
    (M::NotUtf8, 0x0A, &[0, 0, 0, 1, 0xC1, 0x81]),        // an overlong 'A'
    (M::NotUtf8, 0x12, &[0, 0, 1, 0x80]),
    (M::NotUtf8, 0x14, &[0, 0, 1, b'a', 0xE2, 0x82]),
    (M::NotUtf8, 0x16, &[0xFE]),
    (M::NotUtf8, 0x1A, &[0, 0xFF]),
    (M::NullCharacter, 0x04, &[4, 1, 0, 0, 0]),
    (M::NullCharacter, 0x07, &[0, b'a', 0]),
    (M::NullCharacter, 0x0A, &[0, 0, 0, 1, 0, b'a']),
    (M::NullCharacter, 0x12, &[0, 0, 1, b'a', 0, b'b']),
    (M::NullCharacter, 0x14, &[0, 0, 1, 0xC3, 0xA4, 0]),
    (M::NullCharacter, 0x16, &[0]),
    (M::NullCharacter, 0x1A, &[0, 0]),

    // MsgId
    (M::MessageIdZero(T::Register), 0x0A, &[0, 0, 0, 0, b'a']),
    (M::MessageIdZero(T::RegAck), 0x0B, &[0, 1, 0, 0, 0]),
    (M::MessageIdZero(T::Publish), 0x0C, &[0x20, 0, 1, 0, 0]),
    (M::MessageIdZero(T::Publish), 0x0C, &[0x40, 0, 1, 0, 0]),
    (M::MessageIdZero(T::PubAck), 0x0D, &[0, 1, 0, 0, 0]),
    (M::MessageIdZero(T::PubComp), 0x0E, &[0, 0]),
    (M::MessageIdZero(T::PubRec), 0x0F, &[0, 0]),
    (M::MessageIdZero(T::PubRel), 0x10, &[0, 0]),
    (M::MessageIdZero(T::Subscribe), 0x12, &[0, 0, 0, b'a']),
    (M::MessageIdZero(T::SubAck), 0x13, &[0, 0, 1, 0, 0, 0]),
    (M::MessageIdZero(T::Unsubscribe), 0x14, &[0, 0, 0, b'a']),
    (M::MessageIdZero(T::UnsubAck), 0x15, &[0, 0]),

    // topics
    (type_3(T::Publish, 5, 7), 0x0C, &[0x23, 0, 5, 0, 7]),
    (type_3(T::Publish, 5, 0), 0x0C, &[0x03, 0, 5, 0, 7]),
    (type_3(T::Subscribe, 0, 7), 0x12, &[0x03, 0, 7, 0, 5]),
    (type_3(T::Unsubscribe, 0, 7), 0x14, &[0x03, 0, 7, 0, 5]),
    (reserved(T::Publish, 0, 7), 0x0C, &[0x20, 0, 0, 0, 7]),
    (reserved(T::Publish, 0xFFFF, 7), 0x0C, &[0x41, 0xFF, 0xFF, 0, 7]),
    (reserved(T::Publish, 0xFFFF, 0), 0x0C, &[0x00, 0xFF, 0xFF, 0, 0]),
    (reserved(T::Subscribe, 0, 7), 0x12, &[0x01, 0, 7, 0, 0]),
    (reserved(T::Unsubscribe, 0xFFFF, 7), 0x14, &[0x01, 0, 7, 0xFF, 0xFF]),
    (reserved(T::Register, 0xFFFF, 7), 0x0A, &[0xFF, 0xFF, 0, 7, b'a']),
    (M::TopicNotTwoOctets, 0x12, &[0x01, 0, 1, 5]),
    (M::TopicNotTwoOctets, 0x12, &[0x01, 0, 1]),
    (M::TopicNotTwoOctets, 0x12, &[0x02, 0, 1, b'a', b'b', b'c']),
    (M::TopicNotTwoOctets, 0x14, &[0x02, 0, 1, b'a']),
    (M::TopicNotTwoOctets, 0x14, &[0x01, 0, 1, 0, 0, 1]),

    // discovery
    (M::GatewayAddressLength, 0x02, &[1, 0]),
    (M::GatewayAddressLength, 0x02, &[1, 2, 9]),
    (M::GatewayAddressLength, 0x02, &[1, 1, 9, 9]),

    // CONNECT and will
    (M::UnsupportedProtocolId(0), 0x04, &[4, 0, 0, 0, b'a']),
    (M::UnsupportedProtocolId(2), 0x04, &[4, 2, 0, 0, b'a']),
    (M::WillQoSMinusOne, 0x07, &[0x60, b'a']),
    (M::WillQoSMinusOne, 0x1A, &[0x60, b'a']),
    (M::NoWillTopic, 0x07, &[0x20]),
    (M::NoWillTopic, 0x1A, &[0x00]),

    // QoS -1
    (M::QoSMinusOneTopicIdType, 0x0C, &[0x60, 0, 1, 0, 0, b'a']),
    (M::QoSMinusOneTopicIdType, 0x0C, &[0x63, 0, 1, 0, 0, b'a']),
    (M::QoSMinusOneTopicId, 0x0C, &[0x61, 0, 0, 0, 0, b'a']),
    (M::QoSMinusOneTopicId, 0x0C, &[0x61, 0xFF, 0xFF, 0, 0, b'a']),
    (M::SubscribeQoSMinusOne, 0x12, &[0x60, 0, 1, b'a']),
    (M::GrantedQoSMinusOne, 0x13, &[0x60, 0, 1, 0, 1, 0]),
];

#[test]
fn each_rule_is_told_by_its_name() {
    for (rule, msg_type, body) in ROWS {
        let bytes = message(*msg_type, body);
        assert_eq!(Packet::decode(&bytes), Err(*rule), "{bytes:02X?}");
        let [length, rest @ ..] = &bytes[..] else { unreachable!() };
        let long = [&[1, 0, length + 2], rest].concat();
        assert_eq!(Packet::decode(&long), Err(*rule), "with the longer Length: {long:02X?}");
    }
}

/// Text is looked at a word at a time: wherever the octet stands, however long the text, the answer is the same.
#[test]
fn text_is_checked_at_every_position() {
    const REGISTER: u8 = 0x0A;
    for length in 1..=40 {
        for position in 0..length {
            let with = |octets: &[u8]| {
                let mut text = vec![b'a'; length];
                text[position..][..octets.len()].copy_from_slice(octets);
                message(REGISTER, &[&[0, 1, 0, 1], &text[..]].concat())
            };
            assert_eq!(Packet::decode(&with(&[0])), Err(M::NullCharacter), "{position} of {length}");
            assert_eq!(Packet::decode(&with(&[0x80])), Err(M::NotUtf8), "{position} of {length}");
            assert!(Packet::decode(&with(&[0x01])).is_ok(), "{position} of {length}");
            if position + 2 <= length {
                assert!(Packet::decode(&with("é".as_bytes())).is_ok(), "{position} of {length}");
                assert_eq!(Packet::decode(&with(&[0xC3, 0])), Err(M::NotUtf8), "{position} of {length}");
            }
        }
    }
}

#[rustfmt::skip]
const DATAGRAMS: &[(M, &[u8])] = &[
    (M::TruncatedHeader, &[]),
    (M::TruncatedHeader, &[2]),
    (M::TruncatedHeader, &[1]),
    (M::TruncatedHeader, &[1, 0, 3]),                     // reads one octet too far in a known decoder
    (M::LengthTooSmall, &[0, 0x16]),
    (M::LengthTooSmall, &[1, 0, 2, 0x16]),
    (M::LengthTooSmall, &[1, 0, 3, 0x16]),
    (M::LengthBeyondDatagram, &[3, 0x16]),
    (M::LengthBeyondDatagram, &[1, 0, 5, 0x16]),
    (M::LengthBeyondDatagram, &[1, 0xFF, 0xFF, 0x16]),
    (M::TrailingOctets, &[2, 0x16, 0]),
    (M::TrailingOctets, &[2, 0x16, 2, 0x16]),
    (M::TrailingOctets, &[1, 0, 4, 0x16, 0]),
    (M::Encapsulated, &[3, 0xFE, 0, 2, 0x16]),
    (M::LongEncapsulation, &[1, 0, 5, 0xFE, 0, 2, 0x16]),
];

#[test]
fn each_rule_of_the_header() {
    for (rule, bytes) in DATAGRAMS {
        assert_eq!(Packet::decode(bytes), Err(*rule), "{bytes:02X?}");
    }
}

#[rustfmt::skip]
const ENCAPSULATIONS: &[(M, &[u8])] = &[
    (M::NotEncapsulated, &[2, 0x16]),
    (M::NotEncapsulated, &[1, 0, 4, 0x16]),
    (M::TruncatedHeader, &[]),
    (M::TruncatedHeader, &[3]),
    (M::TruncatedHeader, &[3, 0xFE]),
    (M::LengthTooSmall, &[0, 0xFE, 0, 2, 0x16]),
    (M::LengthTooSmall, &[2, 0xFE, 0, 2, 0x16]),
    (M::LengthBeyondDatagram, &[9, 0xFE, 0, 2, 0x16]),
    (M::LongEncapsulation, &[1, 0, 5, 0xFE, 0, 2, 0x16]),
    (M::TruncatedHeader, &[5, 0xFE, 0, 0, 7]),            // nothing inside
    (M::TrailingOctets, &[3, 0xFE, 0, 2, 0x16, 0]),
    (M::LengthBeyondDatagram, &[3, 0xFE, 0, 3, 0x16]),
    (M::NestedEncapsulation, &[3, 0xFE, 0, 3, 0xFE, 0, 2, 0x16]),
    (M::NestedEncapsulation, &[3, 0xFE, 0, 1, 0, 5, 0xFE, 0, 2, 0x16]),
];

#[test]
fn each_rule_of_encapsulation() {
    for (rule, bytes) in ENCAPSULATIONS {
        assert_eq!(Encapsulated::decode(bytes), Err(*rule), "{bytes:02X?}");
    }
}

#[test]
fn client_ids_are_as_long_as_the_reader_allows() {
    let connect = message(0x04, &[&[4, 1, 0, 0][..], &[b'a'; 24]].concat());
    let ping = message(0x16, &[b'a'; 24]);
    let letter = Rules { max_client_id: mqttsn_codec::MAX_CLIENT_ID, ..Rules::default() };
    assert!(Packet::decode(&connect).is_ok() && Packet::decode(&ping).is_ok());
    assert_eq!(Packet::decode_with(&connect, &letter), Err(M::ClientIdTooLong(T::Connect)));
    assert_eq!(Packet::decode_with(&ping, &letter), Err(M::ClientIdTooLong(T::PingReq)));
    let more = Rules { max_client_id: 24, ..letter };
    assert!(Packet::decode_with(&connect, &more).is_ok());
}

#[test]
fn rsmb_names_stay_within_the_data() {
    let rules = common::RSMB;
    for (field, data) in [(0, &b"ab"[..]), (3, b"ab"), (0xFFFF, b"ab")] {
        let [high, low] = u16::to_be_bytes(field);
        let bytes = message(0x0C, &[&[0x60, high, low, 0, 0], data].concat());
        assert_eq!(Packet::decode_with(&bytes, &rules), Err(M::QoSMinusOneTopicName));
    }
    let bytes = message(0x0C, &[0x60, 0, 1, 0, 0, 0xFF]);
    assert_eq!(Packet::decode_with(&bytes, &rules), Err(M::NotUtf8));
    let bytes = message(0x0C, &[0x60, 0, 1, 0, 0, 0]);
    assert_eq!(Packet::decode_with(&bytes, &rules), Err(M::NullCharacter));
}

/// What the specification does not use, or peers leave dirty, says nothing.
#[test]
fn bits_without_a_meaning_are_not_looked_at() {
    for (clean, dirty) in [
        (message(0x04, &[0x04, 1, 0, 0, b'a']), message(0x04, &[0xF7, 1, 0, 0, b'a'])),
        (message(0x07, &[0x30, b'a']), message(0x07, &[0xBF, b'a'])),
        (message(0x0C, &[0x10, 0, 1, 0, 0]), message(0x0C, &[0x9C, 0, 1, 0, 9])), // MsgId at QoS 0, too
        (message(0x0C, &[0x61, 0, 1, 0, 0]), message(0x0C, &[0xED, 0, 1, 0, 9])),
        (message(0x12, &[0xA0, 0, 1, b'a']), message(0x12, &[0xBC, 0, 1, b'a'])),
        (message(0x13, &[0x20, 0, 1, 0, 1, 0]), message(0x13, &[0xBF, 0, 1, 0, 1, 0])),
        (message(0x13, &[0x00, 0, 1, 0, 1, 2]), message(0x13, &[0x64, 0, 1, 0, 1, 2])),
        (message(0x14, &[0x00, 0, 1, b'a']), message(0x14, &[0xFC, 0, 1, b'a'])),
        (message(0x1B, &[3]), message(0x1B, &[3, 0])),
        (message(0x1D, &[0]), message(0x1D, &[0, 0])),
    ] {
        let packet = Packet::decode(&dirty).expect("valid");
        assert_eq!(Packet::decode(&clean), Ok(packet));
        assert_eq!(bytes_of(&packet), Ok(clean), "and they are not passed on");
    }
    let control = Encapsulated::decode(&[3, 0xFE, 0xFD, 2, 0x16]).expect("valid");
    assert_eq!(control.radius, 1);
}

#[test]
fn reserved_return_codes_are_rejections() {
    let bytes = message(0x05, &[0xAB]);
    let Ok(Packet::ConnAck(code)) = Packet::decode(&bytes) else { panic!("valid") };
    assert!(!code.is_accepted());
    assert_eq!((code.get(), code.name()), (0xAB, "reserved"));
}

#[test]
fn what_a_gateway_answers() {
    let not_supported = ReturnCode::NOT_SUPPORTED;
    let invalid = ReturnCode::INVALID_TOPIC_ID;
    let puback = |topic_id, message_id, return_code| {
        Some(Packet::PubAck(PubAck { topic_id, message_id, return_code }))
    };
    let suback = |return_code| {
        Some(Packet::SubAck(SubAck { qos: QoS::AtMostOnce, topic_id: 0, message_id: id(7), return_code }))
    };
    for (rule, answer) in [
        (M::UnsupportedProtocolId(2), Some(Packet::ConnAck(not_supported))),
        (M::ClientIdTooLong(T::Connect), Some(Packet::ConnAck(not_supported))),
        (M::ClientIdTooLong(T::PingReq), None),
        (type_3(T::Publish, 5, 7), puback(5, Some(id(7)), not_supported)),
        (type_3(T::Publish, 5, 0), None),
        (type_3(T::Subscribe, 0, 7), suback(not_supported)),
        (type_3(T::Unsubscribe, 0, 7), None),
        (reserved(T::Publish, 0, 7), puback(0, Some(id(7)), invalid)),
        (reserved(T::Publish, 0xFFFF, 0), puback(0xFFFF, None, invalid)),
        (reserved(T::Subscribe, 0, 7), suback(invalid)),
        (
            reserved(T::Register, 0xFFFF, 7),
            Some(Packet::RegAck(RegAck { topic_id: 0xFFFF, message_id: id(7), return_code: invalid })),
        ),
        (M::Truncated, None),
        (M::NotUtf8, None),
        (M::QoSMinusOneTopicId, None),
    ] {
        assert_eq!(rule.answer(), answer, "{rule:?}");
        if let Some(packet) = answer {
            assert!(bytes_of(&packet).is_ok(), "it can be sent: {packet:?}");
        }
    }
}

#[test]
fn what_would_be_malformed_is_not_encoded() {
    let long = vec![0; MAX_MESSAGE_SIZE - 4 - 5 + 1];
    let publish = |data| {
        let topic = Topic::Short(ShortTopic(*b"ab"));
        Packet::Publish(Publish { delivery: Delivery::AtMostOnce, retain: false, topic, data })
    };
    assert_eq!(publish(&long).encoded_len(), Err(EncodeError::TooLong));
    assert_eq!(publish(&long[1..]).encoded_len(), Ok(MAX_MESSAGE_SIZE));
    let minus_one = |topic| Packet::PublishMinusOne(PublishMinusOne { retain: false, topic, data: &[] });
    let will = WillTopic { qos: QoS::AtMostOnce, retain: false, topic: "" };
    let accepted = PubAck { topic_id: 1, message_id: None, return_code: ReturnCode::ACCEPTED };
    for (packet, error) in [
        (Packet::GwInfo(GwInfo { gateway_id: 1, address: Some(&[]) }), M::GatewayAddressLength.into()),
        (Packet::GwInfo(GwInfo { gateway_id: 1, address: Some(&[0; 256]) }), EncodeError::TooLong),
        (Packet::PingReq(PingReq { client_id: Some("") }), M::EmptyClientId.into()),
        (Packet::WillTopic(Some(will)), M::NoWillTopic.into()),
        (Packet::WillTopicUpd(Some(will)), M::NoWillTopic.into()),
        (minus_one(MinusOneTopic::Name("")), M::QoSMinusOneTopicName.into()),
        (Packet::PubAck(accepted), M::MessageIdZero(T::PubAck).into()),
    ] {
        assert_eq!(bytes_of(&packet), Err(error), "{packet:?}");
    }
    let encapsulated =
        |radius, wireless_node_id, message| Encapsulated { radius, wireless_node_id, message }.encoded_len();
    let ping = &[2, 0x16][..];
    assert_eq!(encapsulated(0, &[0; 252], ping), Ok(257));
    assert_eq!(encapsulated(0, &[0; 253], ping), Err(EncodeError::TooLong));
    assert_eq!(encapsulated(4, &[], ping), Err(EncodeError::Radius));
    assert_eq!(encapsulated(0, &[], &[2]), Err(M::TruncatedHeader.into()));
    assert_eq!(encapsulated(0, &[], &[3, 0xFE, 0, 2, 0x16]), Err(M::NestedEncapsulation.into()));
}

#[test]
fn every_rule_has_a_section_and_a_row() {
    let rules = ROWS.iter().map(|row| row.0).chain(DATAGRAMS.iter().chain(ENCAPSULATIONS).map(|row| row.0));
    let mut names: BTreeSet<String> = rules
        .map(|rule| {
            assert!(rule.section().starts_with(['5', '6']), "{rule:?}");
            assert!(!rule.to_string().is_empty());
            format!("{rule:?}").split(['(', ' ']).next().expect("a name").to_owned()
        })
        .collect();
    // These need other rules, or an encoder.
    names.extend(["ClientIdTooLong", "EmptyClientId", "QoSMinusOneTopicName"].map(String::from));
    let source = include_str!("../src/error.rs");
    let (rules, _) = source.split_once("impl Malformed").expect("the rules come first");
    assert_eq!(names.len(), rules.matches("#[error(").count(), "{names:?}");
}
