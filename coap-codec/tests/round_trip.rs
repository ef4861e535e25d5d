//! Every message comes back from its bytes, and the bytes from the message.
#![cfg(feature = "bytes")]

mod common;

use coap_codec::stream::{self, Framing, next_frame};
use coap_codec::{
    Block, Code, EncodeError, Malformed, Message, MessageBuilder, MessageId, MessageType, OptionNumber,
    OptionsWriter, Rules, UintValue,
};
use common::owned::{Owned, inserted, plain_block};
use common::{LONG_TOKENS, list, strategies};
use proptest::prelude::*;

/// Where a builder is told of the payload.
fn built(owned: &Owned, payload_after: usize, buffer: &mut [u8]) -> Result<usize, EncodeError> {
    let Owned { message_type, code, message_id, token, options, payload } = owned;
    let mut builder = MessageBuilder::new(buffer, *message_type, *code, *message_id, token)?;
    for (index, (number, value)) in options.iter().enumerate() {
        if index == payload_after {
            builder.payload(b"replaced later")?.payload(payload)?;
        }
        builder.option(OptionNumber::new(*number), value)?;
    }
    if payload_after >= options.len() {
        builder.payload(payload)?;
    }
    let len = builder.len();
    let message = builder.finish()?;
    assert_eq!(message.len(), len);
    Ok(len)
}

/// Short ones are copied in other ways than long ones.
#[test]
fn every_length_of_token_and_value() {
    let bytes: Vec<u8> = (1..=40).collect();
    for len in 0..=bytes.len() {
        let part = bytes[..len].to_vec();
        let options = vec![(4, part.clone()), (4 + 13, part.clone()), (4 + 13 + 269, part.clone())];
        let owned = Owned {
            message_type: MessageType::Confirmable,
            code: Code::GET,
            message_id: MessageId::new(0x1234),
            token: part.clone(),
            options,
            payload: part,
        };
        let mut buffer = vec![0xEE; 300];
        let len = built(&owned, usize::MAX, &mut buffer).unwrap();
        assert_eq!(buffer[..len], owned.bytes());
        assert!(buffer[len..].iter().all(|byte| *byte == 0xEE), "nothing else is touched");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn message_to_bytes_and_back(owned in strategies::message(true)) {
        let block = owned.block();
        let message = owned.message(&block);
        let mut bytes = Vec::new();
        message.encode(&mut bytes).unwrap();
        prop_assert_eq!(&bytes, &owned.bytes());
        prop_assert_eq!(bytes.len(), message.encoded_len());
        let decoded = Message::decode(&bytes, &LONG_TOKENS);
        prop_assert_eq!(decoded, Ok(message));
        prop_assert_eq!(list(decoded.unwrap().options), owned.sorted());
    }

    /// Deltas, lengths and token lengths have one form each: what can be decoded was encoded canonically.
    #[test]
    fn bytes_to_message_and_back(bytes in proptest::collection::vec(any::<u8>(), 0..60), long in any::<bool>()) {
        let mut bytes = bytes;
        if let Some(first) = bytes.first_mut() {
            *first = *first & 0x3F | 0x40;
        }
        let rules = if long { LONG_TOKENS } else { Rules::DEFAULT };
        if let Ok(message) = Message::decode(&bytes, &rules) {
            let mut again = Vec::new();
            message.encode(&mut again).unwrap();
            prop_assert_eq!(bytes, again);
        }
    }

    #[test]
    fn a_builder_takes_options_in_any_order(owned in strategies::message(true), payload_after in 0..14_usize) {
        let expected = owned.bytes();
        let mut buffer = vec![0xEE; expected.len() + 20];
        let len = built(&owned, payload_after, &mut buffer).unwrap();
        prop_assert_eq!(&buffer[..len], &expected);
        // A payload that was replaced has been in the buffer, too.
        let behind = if payload_after < owned.options.len() { len + 15 } else { len };
        prop_assert!(buffer.iter().skip(behind).all(|byte| *byte == 0xEE), "nothing else is touched");
    }

    #[test]
    fn an_options_writer_and_insertion_agree(options in strategies::options()) {
        let mut sorted = options.clone();
        sorted.sort_by_key(|(number, _)| *number);
        let expected = plain_block(&sorted);
        prop_assert_eq!(&inserted(&options), &expected);

        let mut buffer = vec![0; expected.len()];
        let mut writer = OptionsWriter::new(&mut buffer);
        for (number, value) in &options {
            writer.option(OptionNumber::new(*number), value).unwrap();
        }
        prop_assert_eq!(writer.options().encoded(), &expected);
        prop_assert_eq!(writer.finish().encoded(), &expected);
    }

    /// Without room nothing changes.
    #[test]
    fn a_builder_without_room_keeps_what_it_has(owned in strategies::message(false), missing in 1..40_usize) {
        let expected = owned.bytes();
        let mut buffer = vec![0; expected.len().saturating_sub(missing)];
        let Ok(mut builder) = MessageBuilder::new(
            &mut buffer, owned.message_type, owned.code, owned.message_id, &owned.token,
        ) else { return Ok(()) };
        let mut kept = Owned { options: vec![], payload: vec![], ..owned.clone() };
        for (number, value) in &owned.options {
            match builder.option(OptionNumber::new(*number), value) {
                Ok(_) => kept.options.push((*number, value.clone())),
                Err(error) => prop_assert_eq!(error, EncodeError::NoRoom),
            }
        }
        prop_assert_eq!(builder.finish().unwrap(), kept.bytes());
    }

    #[test]
    fn whole_or_not_at_all(owned in strategies::message(true), missing in 1..10_usize) {
        let block = owned.block();
        let message = owned.message(&block);
        let len = message.encoded_len();
        let mut buffer = vec![0xEE; len];
        let short = &mut buffer[..len.saturating_sub(missing)];
        prop_assert_eq!(message.encode_to_slice(short), Err(EncodeError::NoRoom));
        prop_assert!(short.iter().all(|byte| *byte == 0xEE));
        prop_assert_eq!(message.encode_to_slice(&mut buffer), Ok(len));
        prop_assert_eq!(buffer, owned.bytes());
    }

    /// A prefix is malformed when it ends inside the header, the token, an option or right after the payload marker. Where
    /// it ends between options or inside the payload it is another message: a datagram does not say how long it is.
    #[test]
    fn prefixes(owned in strategies::message(true)) {
        let bytes = owned.bytes();
        let sorted = owned.sorted();
        let end_of = |count: usize| {
            let shorter = Owned { options: sorted[..count].to_vec(), payload: vec![], ..owned.clone() };
            shorter.bytes().len()
        };
        let ends: Vec<usize> = (0..=sorted.len()).map(end_of).collect();
        for cut in 0..bytes.len() {
            let decoded = Message::decode(&bytes[..cut], &LONG_TOKENS);
            let expected = if cut < 4 {
                Err(Malformed::NoHeader)
            } else if cut < ends[0] {
                Err(Malformed::TokenTruncated)
            } else if let Some(count) = ends.iter().position(|end| *end == cut) {
                Ok((sorted[..count].to_vec(), &[][..]))
            } else if cut < *ends.last().unwrap() {
                Err(Malformed::OptionTruncated)
            } else if cut == *ends.last().unwrap() + 1 {
                Err(Malformed::NoPayloadAfterMarker)
            } else {
                Ok((sorted.clone(), &owned.payload[..cut - 1 - *ends.last().unwrap()]))
            };
            let seen = decoded
                .map(|message| (list(message.options), message.payload))
                .map_err(|rejected| rejected.rule);
            prop_assert_eq!(seen, expected, "cut at {} of {}", cut, bytes.len());
        }
    }

    #[test]
    fn streams(owned in strategies::message(true), web_socket in any::<bool>()) {
        let framing = if web_socket { Framing::WebSocket } else { Framing::Tcp };
        let block = owned.block();
        let datagram = owned.message(&block);
        let message = stream::Message {
            code: datagram.code, token: datagram.token, options: datagram.options, payload: datagram.payload,
        };
        let mut bytes = Vec::new();
        message.encode(framing, &mut bytes).unwrap();
        prop_assert_eq!(bytes.len(), message.encoded_len(framing));
        let rules = stream::Rules {
            framing, max_token_len: LONG_TOKENS.max_token_len, max_message_size: bytes.len(),
        };
        let (frame, len) = next_frame(&bytes, &rules).unwrap().expect("whole");
        prop_assert_eq!(len, bytes.len());
        prop_assert_eq!(stream::Message::decode(frame), Ok(message));
        let mut short = vec![0xEE; len - 1];
        prop_assert_eq!(message.encode_to_slice(framing, &mut short), Err(EncodeError::NoRoom));
        prop_assert!(short.iter().all(|byte| *byte == 0xEE));
    }

    #[test]
    fn numbers(number in any::<u64>(), shift in 0..64_u32) {
        let number = number >> shift;
        let value = UintValue::new(number);
        prop_assert!(value.first() != Some(&0), "no leading zero");
        prop_assert_eq!(value.len(), (64 - number.leading_zeros()).div_ceil(8) as usize);
        let mut buffer = [0; 16];
        let mut writer = OptionsWriter::new(&mut buffer);
        writer.uint_option(OptionNumber::new(9999), number).unwrap();
        prop_assert_eq!(writer.options().uint(OptionNumber::new(9999)), Some(number));
    }

    #[test]
    fn blocks(num in 0..=Block::MAX_NUM, more in any::<bool>(), exponent in 0..8_u8) {
        let block = Block::new(num, more, exponent).unwrap();
        prop_assert_eq!((block.num(), block.more(), block.size_exponent()), (num, more, exponent));
        prop_assert_eq!(Block::decode(&block.value()), Ok(block));
        prop_assert_eq!(block.size(), if exponent == 7 { 1024 } else { 1 << (exponent + 4) });
        prop_assert_eq!(block.offset(), num as usize * block.size());
    }
}

#[test]
fn block_numbers_and_sizes_have_an_end() {
    assert_eq!(Block::new(Block::MAX_NUM + 1, false, 0), None);
    assert_eq!(Block::new(0, false, 8), None);
    assert_eq!(Block::new(3, true, 3).unwrap().to_string(), "3/1/128");
}

#[test]
fn a_block_that_was_written_can_be_gone_on_with() {
    let options = [
        (OptionNumber::URI_PATH, &b"a"[..]),
        (OptionNumber::SIZE1, &[1, 2]),
        (OptionNumber::URI_PATH, &[b'b'; 300]),
        (OptionNumber::ETAG, b"e"),
        (OptionNumber::NO_RESPONSE, &[2]),
    ];
    let (mut at_once, mut in_pieces) = ([0; 400], [0; 400]);
    let mut writer = OptionsWriter::new(&mut at_once);
    let mut len = 0;
    for (number, value) in options {
        writer.option(number, value).unwrap();
        let mut resumed = OptionsWriter::resume(&mut in_pieces, len);
        resumed.option(number, value).unwrap();
        len = resumed.finish().encoded().len();
        assert_eq!(in_pieces[..len], *writer.options().encoded());
    }
    // Without room the block stays as it was.
    let mut full = OptionsWriter::resume(&mut in_pieces[..len], len);
    assert_eq!(full.option(OptionNumber::ETAG, b"f").err(), Some(EncodeError::NoRoom));
    assert_eq!(full.options().encoded(), writer.options().encoded());
}
