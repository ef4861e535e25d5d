//! Messages out of a byte stream, however it is cut.
#![cfg(feature = "bytes")]

mod common;

use coap_codec::stream::{Framing, Message, Rules, next_frame};
use coap_codec::{Malformed, Options};
use common::owned::plain_block;
use common::strategies;
use proptest::prelude::*;

const RULES: Rules = Rules { framing: Framing::Tcp, max_token_len: 300, max_message_size: 10_000 };

/// What a reader makes of a stream that comes in pieces: each message encoded again, and how it ended.
fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, Option<Malformed>) {
    let (mut kept, mut messages) = (Vec::new(), Vec::new());
    for piece in pieces {
        kept.extend_from_slice(piece);
        loop {
            match next_frame(&kept, &RULES).and_then(|next| next.map(one).transpose()) {
                Ok(Some((message, len))) => {
                    messages.push(message);
                    kept.drain(..len);
                }
                Ok(None) => break,
                Err(rule) => return (messages, Some(rule)),
            }
        }
    }
    (messages, None)
}

fn one((frame, len): (coap_codec::stream::Frame<'_>, usize)) -> Result<(Vec<u8>, usize), Malformed> {
    let message = Message::decode(frame)?;
    let mut bytes = Vec::new();
    message.encode(Framing::Tcp, &mut bytes).expect("what was decoded can be encoded");
    assert_eq!(bytes.len(), len, "lengths have one form each");
    Ok((bytes, len))
}

fn stream() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let message = strategies::message(true).prop_map(|owned| {
        let block = plain_block(&owned.sorted());
        let options = Options::decode(&block).unwrap();
        let message = Message { code: owned.code, token: &owned.token, options, payload: &owned.payload };
        let mut bytes = Vec::new();
        message.encode(Framing::Tcp, &mut bytes).unwrap();
        bytes
    });
    proptest::collection::vec(message, 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_fragmentation_gives_the_same_messages(messages in stream(), size in 1..200_usize) {
        let bytes = messages.concat();
        let whole = (messages, None);
        prop_assert_eq!(&read(core::iter::once(&bytes[..])), &whole);
        prop_assert_eq!(&read(bytes.chunks(1)), &whole);
        prop_assert_eq!(&read(bytes.chunks(size)), &whole);
    }

    /// An answer is final: more bytes change nothing but `None`.
    #[test]
    fn more_bytes_change_nothing_but_none(
        bytes in proptest::collection::vec(any::<u8>(), 0..40),
        max_message_size in 2..60_usize,
        max_token_len in prop_oneof![Just(8_usize), Just(20)],
    ) {
        let rules = Rules { max_message_size, max_token_len, ..RULES };
        let whole = next_frame(&bytes, &rules);
        let mut decided = false;
        for cut in 0..=bytes.len() {
            let answer = next_frame(&bytes[..cut], &rules);
            decided |= answer != Ok(None);
            prop_assert_eq!(answer, if decided { whole } else { Ok(None) });
        }
    }
}

#[test]
fn a_prefix_of_a_message_is_incomplete() {
    let bytes = [0x61, 0x45, 0x7F, 0xC1, 0x32, 0xFF, b'a', b'b', b'c'];
    for cut in 0..bytes.len() {
        assert_eq!(next_frame(&bytes[..cut], &RULES), Ok(None));
    }
    assert!(matches!(next_frame(&bytes, &RULES), Ok(Some((_, 9)))));
}
