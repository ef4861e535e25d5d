//! No strict prefix of a datagram is a datagram, and nothing that arrives makes a reader panic.

mod common;

use common::{RSMB, bytes_of, hex, list, strategies, vectors};
use mqttsn_codec::{Datagram, Encapsulated, Packet};
use proptest::collection::vec;
use proptest::prelude::*;

fn no_prefix(bytes: &[u8]) {
    for end in 0..bytes.len() {
        let prefix = &bytes[..end];
        assert!(Datagram::decode(prefix, &RSMB).is_err(), "{prefix:02X?} of {bytes:02X?}");
        assert!(Packet::decode_with(prefix, &RSMB).is_err());
        assert!(Encapsulated::decode(prefix).is_err());
    }
}

/// Decodes as any reader would, and encodes what was decoded.
fn poke(bytes: &[u8]) {
    for rules in [RSMB, mqttsn_codec::Rules::default()] {
        match Datagram::decode(bytes, &rules) {
            Ok(Datagram::Packet(packet)) => {
                let again = bytes_of(&packet).expect("what was decoded can be encoded");
                assert!(again.len() <= bytes.len(), "no longer than it came");
                assert_eq!(Packet::decode_with(&again, &rules), Ok(packet));
            }
            Ok(Datagram::Encapsulated(encapsulated)) => {
                assert_eq!(encapsulated.encoded_len(), Ok(bytes.len()));
                poke(encapsulated.message);
            }
            Err(rule) => assert!(rule.answer().is_none_or(|answer| answer.encoded_len().is_ok())),
        }
    }
}

#[test]
fn of_vectors() {
    let vectors = vectors();
    let valid = list(&vectors, "vectors").iter().filter(|vector| vector["valid"] == true);
    valid.for_each(|vector| no_prefix(&hex(vector)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn of_any_message(packet in strategies::packet()) {
        no_prefix(&bytes_of(&packet).expect("valid"));
    }

    #[test]
    fn of_any_encapsulation(encapsulated in strategies::encapsulated()) {
        let mut bytes = vec![0; encapsulated.encoded_len().expect("valid")];
        encapsulated.encode_to_slice(&mut bytes).expect("valid");
        no_prefix(&bytes);
    }

    #[test]
    fn any_octets(bytes in vec(any::<u8>(), 0..40)) {
        poke(&bytes);
    }

    #[test]
    fn any_variable_part(msg_type in 0..0x20_u8, body in vec(prop_oneof![0..4_u8, any::<u8>()], 0..40)) {
        poke(&common::message(msg_type, &body));
    }

    #[test]
    fn messages_with_a_few_octets_changed(
        packet in strategies::packet(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = bytes_of(&packet).expect("valid");
        for (index, octet) in changes {
            let index = index.index(bytes.len());
            bytes[index] = octet;
        }
        poke(&bytes);
    }
}
