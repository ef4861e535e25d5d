//! Every vector: decoded to what stands beside it, encoded to the same octets, or refused.

mod common;

use common::fields::fields;
use common::{RSMB, bytes_of, hex, list, to_hex, vectors};
use mqttsn_codec::{Datagram, Malformed, MessageType, MinusOneTopic, Packet, Rules};
use serde_json::Value;
use std::collections::BTreeSet;

fn encoded(datagram: &Datagram<'_>) -> Vec<u8> {
    match datagram {
        Datagram::Packet(packet) => bytes_of(packet).expect("what was decoded can be encoded"),
        Datagram::Encapsulated(encapsulated) => {
            let mut bytes = vec![0; encapsulated.encoded_len().expect("valid")];
            assert_eq!(encapsulated.encode_to_slice(&mut bytes), Ok(bytes.len()));
            bytes
        }
    }
}

/// The octets with the shorter Length, where they need no longer one.
fn minimal(bytes: Vec<u8>) -> Vec<u8> {
    match &bytes[..] {
        [1, high, low, rest @ ..] if u16::from_be_bytes([*high, *low]) <= 257 => {
            let mut shorter = vec![bytes.len() as u8 - 2];
            shorter.extend_from_slice(rest);
            shorter
        }
        _ => bytes,
    }
}

#[test]
fn valid_vectors_are_what_they_say() {
    let vectors = vectors();
    let mut types = BTreeSet::new();
    let valid = list(&vectors, "vectors").iter().filter(|vector| vector["valid"] == true);
    for vector in valid {
        let (name, bytes) = (&vector["name"], hex(vector));
        let datagram = Packet::decode_any(&bytes).unwrap_or_else(|rule| panic!("{name}: {rule}"));
        assert_eq!(fields(&datagram), vector["decoded"], "{name}");
        assert_eq!(to_hex(&encoded(&datagram)), to_hex(&minimal(bytes.clone())), "{name}");
        if let Datagram::Packet(packet) = datagram {
            types.insert(packet.message_type());
            assert_eq!(Packet::decode(&bytes), Ok(packet), "{name}");
        } else {
            assert_eq!(Packet::decode(&bytes), Err(Malformed::Encapsulated), "{name}");
        }
    }
    assert_eq!(types.len(), MessageType::ALL.len(), "every type has a vector");
}

#[test]
fn invalid_vectors_are_refused() {
    let vectors = vectors();
    let mut seen = 0;
    for vector in list(&vectors, "vectors").iter().filter(|vector| vector["valid"] == false) {
        let (name, bytes) = (vector["name"].as_str().expect("a name"), hex(vector));
        let rule = Packet::decode_any(&bytes).expect_err(name);
        assert_eq!(rule, rule_of(name), "{name}");
        seen += 1;
    }
    assert_eq!(seen, 27);
}

fn rule_of(name: &str) -> Malformed {
    use Malformed as M;
    match name {
        "bad_empty" | "bad_one" | "bad_len1_short" | "bad_encap_len2" | "bad_encap_noinner" => {
            M::TruncatedHeader
        }
        "bad_len0" | "bad_3octet_len2" => M::LengthTooSmall,
        // The Length of `bad_tit3` is wrong, too; the type alone is in the test of malformed messages.
        "bad_len_long" | "bad_tit3" => M::LengthBeyondDatagram,
        "bad_trailing" | "bad_two_msgs" => M::TrailingOctets,
        "bad_type03" => M::ReservedMessageType(0x03),
        "bad_type11" => M::ReservedMessageType(0x11),
        "bad_type19" => M::ReservedMessageType(0x19),
        "bad_typeff" => M::ReservedMessageType(0xFF),
        "bad_publish_trunc" | "bad_connect_trunc" | "bad_sub_trunc" | "bad_register_trunc"
        | "bad_puback_trunc" | "bad_connack_noRC" | "bad_disc_odd" => M::Truncated,
        "bad_sub_predef_1octet" | "bad_sub_short_3octets" => M::TopicNotTwoOctets,
        "bad_willtopic_flags_only" => M::NoWillTopic,
        "bad_encap_nested" => M::NestedEncapsulation,
        "bad_register_utf8" => M::NotUtf8,
        _ => panic!("an invalid vector without a rule: {name}"),
    }
}

/// What peers sent that is not decoded, and why.
const REFUSED: &[(&str, Malformed)] = &[
    // What a prober sent to see how gateways take it.
    (
        "080c230001001378",
        Malformed::ReservedTopicIdType { message: MessageType::Publish, topic_id: 1, message_id: 19 },
    ),
    ("030300", Malformed::ReservedMessageType(0x03)),
    ("0211", Malformed::ReservedMessageType(0x11)),
];

#[test]
fn captured_datagrams_are_what_they_were_taken_for() {
    let vectors = vectors();
    let mut refused = BTreeSet::new();
    for captured in list(&vectors, "captured") {
        let Some(bytes) = whole(captured) else { continue };
        let text = to_hex(&bytes);
        let decoded = Datagram::decode(&bytes, &RSMB);
        if let Some((_, rule)) = REFUSED.iter().find(|(hex, _)| *hex == text) {
            assert_eq!(decoded, Err(*rule), "{text}");
            refused.insert(text);
            continue;
        }
        let datagram = decoded.unwrap_or_else(|rule| panic!("{text}: {rule}"));
        agrees(&datagram, &captured["decoded"], &text);
    }
    assert_eq!(refused.len(), REFUSED.len(), "no line of the list is idle");
}

/// The octets, unless the capture has an ellipsis in them.
fn whole(captured: &Value) -> Option<Vec<u8>> {
    let cut = captured["hex"].as_str().expect("hex").contains(|digit: char| !digit.is_ascii_hexdigit());
    (!cut).then(|| hex(captured))
}

/// The names of the captured fields, and ours.
const NAMES: &[(&str, &str)] = &[
    ("tid", "topic_id"),
    ("mid", "msg_id"),
    ("rc", "return_code"),
    ("dur", "duration"),
    ("gw", "gw_id"),
    ("name", "topic_name"),
    ("ctrl", "ctrl"),
    ("node", "node_id"),
    ("data", "data"),
];

fn agrees(datagram: &Datagram<'_>, decoded: &Value, text: &str) {
    let ours = fields(datagram);
    if let Datagram::Encapsulated(encapsulated) = datagram {
        assert_eq!(decoded["type"], "ENCAP", "{text}");
        match Packet::decode_with(encapsulated.message, &RSMB) {
            Ok(packet) => agrees(&Datagram::Packet(packet), &decoded["inner"], text),
            Err(rule) => assert!(REFUSED.iter().any(|(_, refused)| *refused == rule), "{text}: {rule}"),
        }
    } else {
        assert_eq!(ours["type"], decoded["type"], "{text}");
    }
    for (theirs, name) in NAMES {
        let Some(value) = decoded.get(*theirs) else { continue };
        if *theirs == "data" && value.as_str().is_some_and(|data| data.contains("2e2e2e28")) {
            continue; // abbreviated there
        }
        assert_eq!(&ours[*name], value, "{theirs} of {text}");
    }
    if let (Some(theirs), Datagram::Packet(packet)) = (decoded.get("flags"), datagram) {
        let flags = &ours["flags"];
        assert_eq!(flags["qos"], theirs["qos"], "{text}");
        if packet.message_type() == MessageType::Publish {
            assert_eq!(flags["dup"], theirs["dup"] == 1, "{text}");
            assert_eq!(flags["retain"], theirs["ret"] == 1, "{text}");
            assert_eq!(flags["topic_id_type"], theirs["tt"], "{text}");
        }
    }
    if let Some(client_id) = decoded.get("cid").and_then(Value::as_str) {
        let theirs = (!client_id.is_empty()).then_some(client_id);
        assert_eq!(ours["client_id"].as_str().map(|id| to_hex(id.as_bytes())).as_deref(), theirs, "{text}");
    }
}

#[test]
fn rsmb_reads_the_topic_name_from_the_data() {
    // Measured: topic `m`, payload `1n`.
    let bytes = [0x0A, 0x0C, 0x60, 0x00, 0x01, 0x00, 0x00, b'm', b'1', b'n'];
    assert_eq!(Packet::decode(&bytes), Err(Malformed::QoSMinusOneTopicIdType), "off by default");
    let rules = Rules { rsmb_qos_minus_one: true, ..Rules::default() };
    let Ok(Packet::PublishMinusOne(publish)) = Packet::decode_with(&bytes, &rules) else {
        panic!("a PUBLISH of QoS -1")
    };
    assert_eq!((publish.topic, publish.data), (MinusOneTopic::Name("m"), &b"1n"[..]));
    assert_eq!(bytes_of(&Packet::PublishMinusOne(publish)), Ok(bytes.to_vec()));
}
