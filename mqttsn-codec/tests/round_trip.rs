//! Every message comes back from its octets, and the octets from the message.

mod common;

use common::{RSMB, bytes_of, strategies};
use mqttsn_codec::{Datagram, Encapsulated, EncodeError, Packet};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5000))]

    #[test]
    fn message_to_octets_and_back(packet in strategies::packet()) {
        let bytes = bytes_of(&packet).expect("a valid message");
        prop_assert_eq!(Packet::decode_with(&bytes, &RSMB), Ok(packet));
        prop_assert_eq!(Datagram::decode(&bytes, &RSMB), Ok(Datagram::Packet(packet)));
        prop_assert_eq!(bytes[0] == 1, bytes.len() > 255, "the shortest Length that can be");
    }

    /// The longer Length says the same.
    #[test]
    fn both_forms_of_length(packet in strategies::packet()) {
        let bytes = bytes_of(&packet).expect("a valid message");
        if bytes[0] != 1 {
            let long = [&[1, 0, 0], &bytes[1..]].concat();
            let mut long = long;
            let len = long.len() as u16;
            long[1..3].copy_from_slice(&len.to_be_bytes());
            prop_assert_eq!(Packet::decode_with(&long, &RSMB), Ok(packet));
        }
    }

    #[test]
    fn encapsulation_and_back(encapsulated in strategies::encapsulated()) {
        let mut bytes = vec![0; encapsulated.encoded_len().expect("valid")];
        prop_assert_eq!(encapsulated.encode_to_slice(&mut bytes), Ok(bytes.len()));
        prop_assert_eq!(Encapsulated::decode(&bytes), Ok(encapsulated));
        prop_assert_eq!(Datagram::decode(&bytes, &RSMB), Ok(Datagram::Encapsulated(encapsulated)));
    }

    /// Whole or not at all.
    #[test]
    fn no_room_no_octet(packet in strategies::packet()) {
        let len = packet.encoded_len().expect("valid");
        let mut buffer = vec![0xEE; len - 1];
        prop_assert_eq!(packet.encode_to_slice(&mut buffer), Err(EncodeError::NoRoom));
        prop_assert!(buffer.iter().all(|byte| *byte == 0xEE));
    }
}
