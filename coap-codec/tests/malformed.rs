//! One test for each rule of form, and the reaction that each calls for.

mod common;

use coap_codec::stream::{self, Framing, next_frame};
use coap_codec::{
    Block, Code, EncodeError, Malformed, Message, MessageBuilder, MessageId, MessageType, OptionNumber,
    Options, Reaction, Rules,
};
use common::{LONG_TOKENS, decode, rule};

const ID: MessageId = MessageId::new(0x1234);

/// A message with this first byte and code, message ID 0x1234, and this rest.
fn datagram(first: u8, code: u8, rest: &[u8]) -> Vec<u8> {
    [&[first, code, 0x12, 0x34], rest].concat()
}

/// A GET with these bytes after the header.
fn get(rest: &[u8]) -> Vec<u8> {
    datagram(0x40, 0x01, rest)
}

fn reaction(bytes: &[u8]) -> Reaction {
    decode(bytes).expect_err("malformed").reaction
}

#[test]
fn less_than_a_header_is_dropped() {
    for len in 0..4 {
        let bytes = &get(&[])[..len];
        assert_eq!(rule(bytes), Malformed::NoHeader);
        assert_eq!(reaction(bytes), Reaction::Silence);
    }
}

#[test]
fn other_versions_are_ignored_silently() {
    for version in [0, 2, 3] {
        let bytes = datagram(version << 6, 0x01, &[]);
        assert_eq!(rule(&bytes), Malformed::UnknownVersion);
        assert_eq!(reaction(&bytes), Reaction::Silence);
    }
}

#[test]
fn only_confirmable_messages_are_reset() {
    // An option length of 15, in a message of each type that fits otherwise.
    let of_type = |first: u8, code: u8| reaction(&datagram(first, code, &[0x0F]));
    assert_eq!(of_type(0x40, 0x01), Reaction::Reset(ID));
    assert_eq!(of_type(0x50, 0x01), Reaction::Silence);
    assert_eq!(of_type(0x60, 0x45), Reaction::Silence);
    assert_eq!(of_type(0x70, 0x00), Reaction::Silence);
}

#[test]
fn an_empty_message_is_four_bytes() {
    for first in [0x40, 0x60, 0x70] {
        assert!(decode(&datagram(first, 0, &[])).is_ok());
        for rest in [&[0xFF, 1][..], &[0x10], &[0]] {
            assert_eq!(rule(&datagram(first, 0, rest)), Malformed::EmptyWithContent);
        }
        assert_eq!(rule(&datagram(first | 1, 0, &[7])), Malformed::EmptyWithContent);
        // A token length without a token.
        assert_eq!(rule(&datagram(first | 1, 0, &[])), Malformed::EmptyWithContent);
    }
    assert_eq!(reaction(&datagram(0x41, 0, &[7])), Reaction::Reset(ID));
}

#[test]
fn a_non_confirmable_message_is_not_empty() {
    assert_eq!(rule(&datagram(0x50, 0, &[])), Malformed::EmptyNonConfirmable);
    assert_eq!(reaction(&datagram(0x50, 0, &[])), Reaction::Silence);
}

#[test]
fn a_reset_is_empty() {
    for code in [0x01, 0x45, 0x84] {
        assert_eq!(rule(&datagram(0x70, code, &[])), Malformed::ResetWithContent);
    }
}

#[test]
fn an_acknowledgement_carries_no_request() {
    for code in 1..0x20 {
        assert_eq!(rule(&datagram(0x60, code, &[])), Malformed::RequestInAcknowledgement);
        assert_eq!(reaction(&datagram(0x60, code, &[])), Reaction::Silence);
    }
    assert!(decode(&datagram(0x60, 0x45, &[])).is_ok());
}

#[test]
fn classes_1_6_and_7_are_reserved_in_datagrams() {
    for code in 0..=255_u8 {
        let reserved = matches!(code >> 5, 1 | 6 | 7);
        assert_eq!(decode(&datagram(0x40, code, &[])).is_err(), reserved, "{code:02X}");
        if reserved {
            assert_eq!(rule(&datagram(0x40, code, &[])), Malformed::ReservedClass);
            assert_eq!(reaction(&datagram(0x40, code, &[])), Reaction::Reset(ID));
            assert_eq!(reaction(&datagram(0x60, code, &[])), Reaction::Silence);
        }
    }
}

#[test]
fn token_lengths_above_8_are_refused() {
    for nibble in 9..16 {
        let bytes = datagram(0x40 | nibble, 0x01, &[0; 600]);
        assert_eq!(rule(&bytes), Malformed::TokenTooLong, "{nibble}");
        let long = Message::decode(&bytes, &LONG_TOKENS);
        if nibble == 15 {
            assert_eq!(long.unwrap_err().rule, Malformed::TokenTooLong);
        } else {
            assert_eq!(long.unwrap().token.len(), [9, 10, 11, 12, 13, 269][usize::from(nibble) - 9]);
        }
    }
}

#[test]
fn a_reader_says_how_long_tokens_may_be() {
    let bytes = datagram(0x45, 0x01, b"token");
    assert!(Message::decode(&bytes, &Rules { max_token_len: 5 }).is_ok());
    let rejected = Message::decode(&bytes, &Rules { max_token_len: 4 }).unwrap_err();
    assert_eq!(rejected.rule, Malformed::TokenTooLong);
}

#[test]
fn a_token_ends_inside_the_message() {
    for nibble in 1..9 {
        let short = &[0; 8][..usize::from(nibble) - 1];
        assert_eq!(rule(&datagram(0x40 | nibble, 0x01, short)), Malformed::TokenTruncated);
    }
    for rest in [&[][..], &[0], &[0; 13]] {
        let bytes = datagram(0x4D, 0x01, rest);
        let whole = rest.len() == 14;
        assert_eq!(Message::decode(&bytes, &LONG_TOKENS).is_ok(), whole);
    }
    for rest in [&[][..], &[0], &[0, 0], &[0; 270]] {
        let bytes = datagram(0x4E, 0x01, rest);
        assert_eq!(Message::decode(&bytes, &LONG_TOKENS).unwrap_err().rule, Malformed::TokenTruncated);
    }
}

#[test]
fn an_option_delta_of_15_is_the_payload_marker_or_an_error() {
    for len in 0..15 {
        assert_eq!(rule(&get(&[0xF0 | len, 1, 2, 3])), Malformed::OptionDelta15);
    }
    assert_eq!(decode(&get(&[0xFF, 1, 2, 3])).unwrap().payload, [1, 2, 3]);
}

#[test]
fn an_option_length_of_15_is_an_error() {
    for delta in 0..15 {
        assert_eq!(rule(&get(&[delta << 4 | 0x0F, 1, 2, 3])), Malformed::OptionLength15);
    }
}

#[test]
fn an_option_ends_inside_the_message() {
    // A value; each extension of delta and length.
    for rest in [&[0xB1][..], &[0xBC, 1], &[0xD0], &[0xE0], &[0xE0, 1], &[0x0D], &[0x0E], &[0x0E, 1]] {
        assert_eq!(rule(&get(rest)), Malformed::OptionTruncated, "{rest:02X?}");
    }
    // Lengths of 13, 269 and the most that can be said, one byte short.
    for (header, len) in [(&[0xBD, 0][..], 13), (&[0xBE, 0, 0], 269), (&[0xBE, 0xFF, 0xFF], 65_804)] {
        let mut rest = header.to_vec();
        rest.resize(header.len() + len - 1, 0);
        assert_eq!(rule(&get(&rest)), Malformed::OptionTruncated);
        rest.push(0);
        let bytes = get(&rest);
        assert_eq!(decode(&bytes).unwrap().options.iter().next().unwrap().value.len(), len);
    }
}

#[test]
fn option_numbers_end_at_65535() {
    let last = [0xE0, 0xFE, 0xF2]; // 0xFEF2 + 269 = 65535
    let bytes = get(&last);
    assert_eq!(decode(&bytes).unwrap().options.iter().next().unwrap().number.get(), 65_535);
    for more in [&[0x10][..], &[0xC0], &[0xD0, 0], &[0xE0, 0, 0]] {
        assert_eq!(rule(&get(&[&last, more].concat())), Malformed::OptionNumberTooLarge, "{more:02X?}");
    }
    assert!(decode(&get(&[&last[..], &[0]].concat())).is_ok(), "the same number again");
    assert_eq!(rule(&get(&[0xE0, 0xFF, 0xFF])), Malformed::OptionNumberTooLarge);
}

/// mbed-coap's CVE-2020-12887: a sum of deltas that wraps around is no smaller number.
#[test]
fn many_deltas_do_not_wrap_around() {
    let rest = [0xE0, 0xFF, 0xFF].repeat(70_000);
    assert_eq!(rule(&get(&rest)), Malformed::OptionNumberTooLarge);
}

#[test]
fn a_payload_follows_the_marker() {
    for rest in [&[0xFF][..], &[0xB1, b'a', 0xFF]] {
        assert_eq!(rule(&get(rest)), Malformed::NoPayloadAfterMarker);
    }
    assert_eq!(decode(&get(&[0xFF, 0xFF])).unwrap().payload, [0xFF]);
}

#[test]
fn a_block_of_options_has_no_payload() {
    assert_eq!(Options::decode(&[0xB1, b'a', 0xFF, 1]), Err(Malformed::UnexpectedPayload));
    assert_eq!(Options::decode(&[0xFF]), Err(Malformed::UnexpectedPayload));
    assert_eq!(Options::decode(&[0x1F]), Err(Malformed::OptionLength15));
    assert_eq!(Options::decode(&[]), Ok(Options::EMPTY));
}

#[test]
fn a_block_option_has_at_most_three_bytes() {
    assert_eq!(Block::decode(&[0, 0, 0, 0]), Err(Malformed::BlockTooLong));
    let options = Options::decode(&[0xD4, 10, 1, 2, 3, 4]).unwrap(); // number 23
    assert_eq!(options.block2(), Some(Err(Malformed::BlockTooLong)));
    assert_eq!(options.block1(), None);
}

fn from_stream(bytes: &[u8], framing: Framing) -> Result<Option<Code>, Malformed> {
    match next_frame(bytes, &stream::Rules::new(framing))? {
        Some((frame, _)) => stream::Message::decode(frame).map(|message| Some(message.code)),
        None => Ok(None),
    }
}

#[test]
fn a_message_that_is_too_large_is_refused_before_it_came() {
    let refused = Err(Malformed::MessageTooLarge);
    assert_eq!(from_stream(&[0xE0, 0x03, 0x6F], Framing::Tcp), Ok(None)); // 4 + 1148 = 1152
    assert_eq!(from_stream(&[0xE0, 0x03, 0x70], Framing::Tcp), refused);
    assert_eq!(from_stream(&[0xE1, 0x03, 0x6F], Framing::Tcp), refused, "the token counts");
    assert_eq!(from_stream(&[0xF0, 0xFF, 0xFF, 0xFF, 0xFF], Framing::Tcp), refused);
    let mut message = vec![0x00, 0x45, 0xFF];
    message.resize(1152, b'x');
    assert!(from_stream(&message, Framing::WebSocket).is_ok());
    message.push(b'x');
    assert_eq!(from_stream(&message, Framing::WebSocket), refused);
}

#[test]
fn a_web_socket_says_the_length_alone() {
    assert_eq!(from_stream(&[0x10, 0x45, 0x00], Framing::WebSocket), Err(Malformed::LengthInWebSocket));
    assert_eq!(from_stream(&[], Framing::WebSocket), Err(Malformed::NoHeader));
    assert_eq!(from_stream(&[0x00], Framing::WebSocket), Err(Malformed::NoHeader));
    assert_eq!(from_stream(&[0x02, 0x45, 0], Framing::WebSocket), Err(Malformed::TokenTruncated));
}

#[test]
fn a_stream_has_the_rules_of_tokens_and_options() {
    for nibble in 9..16 {
        assert_eq!(from_stream(&[nibble, 0x45], Framing::Tcp), Err(Malformed::TokenTooLong));
        assert_eq!(from_stream(&[nibble, 0x45], Framing::WebSocket), Err(Malformed::TokenTooLong));
    }
    assert_eq!(from_stream(&[0x10, 0x45, 0xFF], Framing::Tcp), Err(Malformed::NoPayloadAfterMarker));
    assert_eq!(from_stream(&[0x10, 0x45, 0xB1], Framing::Tcp), Err(Malformed::OptionTruncated));
    assert_eq!(from_stream(&[0x00, 0x20], Framing::Tcp), Err(Malformed::ReservedClass));
    assert_eq!(from_stream(&[0x00, 0xC0], Framing::Tcp), Err(Malformed::ReservedClass));
    assert_eq!(from_stream(&[0x00, 0x00], Framing::Tcp), Ok(Some(Code::EMPTY)));
    assert_eq!(from_stream(&[0x01, 0x00, 7], Framing::Tcp), Err(Malformed::EmptyWithContent));
    assert_eq!(from_stream(&[0x00, 0xE1], Framing::Tcp), Ok(Some(Code::CSM)));
}

#[test]
fn what_would_be_malformed_is_not_encoded() {
    let mut buffer = [0; 64];
    let refused = |rule| Err(EncodeError::Malformed(rule));
    let empty = |message_type| Message::empty(message_type, ID);
    let non = empty(MessageType::NonConfirmable);
    assert_eq!(non.encode_to_slice(&mut buffer), refused(Malformed::EmptyNonConfirmable));
    let with_payload = Message { payload: b"x", ..empty(MessageType::Acknowledgement) };
    assert_eq!(with_payload.encode_to_slice(&mut buffer), refused(Malformed::EmptyWithContent));
    let with_token = Message { token: b"x", ..empty(MessageType::Confirmable) };
    assert_eq!(with_token.encode_to_slice(&mut buffer), refused(Malformed::EmptyWithContent));
    let request = Message { code: Code::GET, ..empty(MessageType::Acknowledgement) };
    assert_eq!(request.encode_to_slice(&mut buffer), refused(Malformed::RequestInAcknowledgement));
    let reset = Message { code: Code::CONTENT, ..empty(MessageType::Reset) };
    assert_eq!(reset.encode_to_slice(&mut buffer), refused(Malformed::ResetWithContent));
    let signal = Message { code: Code::PING, ..empty(MessageType::Confirmable) };
    assert_eq!(signal.encode_to_slice(&mut buffer), refused(Malformed::ReservedClass));
    assert_eq!(buffer, [0; 64], "nothing was written");

    let con = MessageType::Confirmable;
    assert_eq!(
        MessageBuilder::new(&mut buffer, con, Code::EMPTY, ID, b"x").map(drop),
        Err(EncodeError::Malformed(Malformed::EmptyWithContent))
    );
    let mut ping = MessageBuilder::new(&mut buffer, con, Code::EMPTY, ID, &[]).unwrap();
    assert!(ping.option(OptionNumber::URI_PATH, b"a").is_err());
    assert!(ping.payload(b"a").is_err());
    assert_eq!(ping.finish().unwrap(), datagram(0x40, 0, &[]));
}

#[test]
fn what_cannot_be_said_is_too_long() {
    let mut buffer = vec![0; 140_000];
    let long = vec![0; 65_805];
    let head = (MessageType::Confirmable, Code::GET, ID);
    assert_eq!(
        MessageBuilder::new(&mut buffer, head.0, head.1, head.2, &long).map(drop),
        Err(EncodeError::TooLong)
    );
    let message = Message { code: Code::GET, token: &long, ..Message::empty(head.0, ID) };
    assert_eq!(message.encode_to_slice(&mut buffer), Err(EncodeError::TooLong));

    let mut builder = MessageBuilder::new(&mut buffer, head.0, head.1, head.2, &long[1..]).unwrap();
    assert_eq!(builder.option(OptionNumber::URI_PATH, &long).map(drop), Err(EncodeError::TooLong));
    builder.option(OptionNumber::URI_PATH, &long[1..]).unwrap();
    let bytes = builder.finish().unwrap();
    let message = Message::decode(bytes, &LONG_TOKENS).unwrap();
    assert_eq!(message.token.len(), 65_804);
    assert_eq!(message.options.iter().next().unwrap().value.len(), 65_804);
}

#[test]
fn garbage_has_no_place_for_an_option() {
    let mut buffer = [0xFF; 8];
    let error = coap_codec::insert_option(&mut buffer, 4, OptionNumber::URI_PATH, b"a");
    assert_eq!(error, Err(EncodeError::Malformed(Malformed::UnexpectedPayload)));
    assert_eq!(
        coap_codec::insert_option(&mut buffer, 9, OptionNumber::URI_PATH, b"a"),
        Err(EncodeError::NoRoom)
    );
    assert_eq!(buffer, [0xFF; 8]);
}
