//! Laws of `mqttsn-codec` on arbitrary octets.

use core::fmt::Write;

use mqttsn_codec::{Datagram, Encapsulated, EncodeError, Malformed, Packet, Rules};

use crate::corpus::octets;

/// The rules under which everything is read: the default, the letter of the specification, all that is offered.
const RULES: [Rules; 3] = [
    Rules { max_client_id: 128, rsmb_qos_minus_one: false },
    Rules { max_client_id: mqttsn_codec::MAX_CLIENT_ID, rsmb_qos_minus_one: false },
    Rules { max_client_id: usize::MAX, rsmb_qos_minus_one: true },
];

/// Octets as a datagram, and as a message whose Length is right: what is decoded can be encoded, is no longer than it
/// came, is the same when it is decoded again, and does not change from then on; both forms of Length say the same; no
/// strict prefix is a datagram; an answer to what is malformed can be sent.
/// Returns in how many ways the octets are a message.
pub fn datagram(data: &[u8]) -> usize {
    let mut valid = 0;
    for rules in RULES {
        valid += usize::from(one_datagram(data, rules));
        if let Some((_, rest)) = data.split_first() {
            let (short, long) = with_lengths(rest);
            valid += usize::from(one_datagram(&short, rules));
            let decoded = Packet::decode_with(&short, &rules);
            if decoded != Err(Malformed::Encapsulated) && short[0] != 1 {
                assert_eq!(Packet::decode_with(&long, &rules), decoded, "{long:02X?}");
            }
        }
    }
    valid
}

/// MsgType and variable part with a Length in front, in the shorter form that is possible and in the longer one.
fn with_lengths(rest: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let rest = &rest[..rest.len().min(60_000)];
    let [high, low] = (rest.len() as u16 + 3).to_be_bytes();
    let long = [&[1, high, low], rest].concat();
    let short = match u8::try_from(rest.len() + 1) {
        Ok(length) => [&[length], rest].concat(),
        Err(_) => long.clone(),
    };
    (short, long)
}

fn one_datagram(data: &[u8], rules: Rules) -> bool {
    match Datagram::decode(data, &rules) {
        Ok(Datagram::Packet(packet)) => {
            assert_eq!(Packet::decode_with(data, &rules), Ok(packet));
            let bytes = encoded(&packet);
            assert!(bytes.len() <= data.len(), "longer than it came: {packet:?}");
            assert_eq!(Packet::decode_with(&bytes, &rules), Ok(packet), "from {data:02X?}");
            assert!(write!(Nowhere, "{packet:?}").is_ok());
            no_prefix_is_a_datagram(&bytes, rules);
            true
        }
        Ok(Datagram::Encapsulated(encapsulated)) => {
            assert_eq!(Packet::decode_with(data, &rules), Err(Malformed::Encapsulated));
            assert_eq!(Encapsulated::decode(data), Ok(encapsulated));
            let mut bytes = Vec::new();
            encapsulated.encode(&mut bytes).expect("what was decoded can be encoded");
            assert_eq!((encapsulated.encoded_len(), bytes.len()), (Ok(data.len()), data.len()));
            assert_eq!(Encapsulated::decode(&bytes), Ok(encapsulated));
            no_prefix_is_a_datagram(&bytes, rules);
            // A forwarder passes on what it does not understand, but never an encapsulation.
            let inner = Datagram::decode(encapsulated.message, &rules);
            assert!(!matches!(inner, Ok(Datagram::Encapsulated(_))), "nested: {data:02X?}");
            inner.is_ok() && one_datagram(encapsulated.message, rules)
        }
        Err(rule) => {
            assert!(!rule.section().is_empty(), "{rule:?}");
            if let Some(answer) = rule.answer() {
                let bytes = encoded(&answer);
                assert_eq!(Packet::decode(&bytes), Ok(answer), "an answer that can be read: {rule:?}");
            }
            false
        }
    }
}

fn encoded(packet: &Packet<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.encode(&mut bytes).expect("what was decoded can be encoded");
    assert_eq!(packet.encoded_len(), Ok(bytes.len()));

    let mut buffer = vec![0; bytes.len()];
    let short = &mut buffer[1..];
    assert_eq!(packet.encode_to_slice(short), Err(EncodeError::NoRoom));
    assert!(short.iter().all(|octet| *octet == 0), "whole or not at all");
    assert_eq!(packet.encode_to_slice(&mut buffer), Ok(bytes.len()));
    assert_eq!(buffer, bytes, "the same into any output");
    bytes
}

/// All short lengths, and some long ones.
fn no_prefix_is_a_datagram(bytes: &[u8], rules: Rules) {
    let len = bytes.len();
    for end in (0..len.min(24)).chain((24..len).step_by(61)).chain(len.checked_sub(1)) {
        assert!(Datagram::decode(&bytes[..end], &rules).is_err(), "{end} octets of {bytes:02X?}");
    }
}

/// The datagrams of the vectors of MQTT-SN, valid, invalid and captured.
pub fn seeds() -> Vec<Vec<u8>> {
    include_str!("../../../mqttsn-codec/tests/data/mqttsn.json")
        .split("\"hex\": \"")
        .skip(1)
        .filter_map(|text| text.split('"').next())
        .filter_map(octets)
        .collect()
}

struct Nowhere;

impl Write for Nowhere {
    fn write_str(&mut self, _: &str) -> core::fmt::Result {
        Ok(())
    }
}
