//! No message and no option allocates, in either direction.
#![cfg(feature = "bytes")]

mod common;

use coap_codec::stream::{self, Framing, next_frame};
use coap_codec::{Message, MessageBuilder, OptionNumber};
use common::{LONG_TOKENS, strategies};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

/// Reads everything that the message has, and writes it in every way.
fn use_up(bytes: &[u8], options: &[(u16, Vec<u8>)], buffer: &mut [u8], out: &mut Vec<u8>) -> usize {
    let message = Message::decode(bytes, &LONG_TOKENS).unwrap();
    out.clear();
    message.encode(out).unwrap();

    let Message { message_type, code, message_id, token, payload, .. } = message;
    let mut builder = MessageBuilder::new(buffer, message_type, code, message_id, token).unwrap();
    for (number, value) in options {
        builder.option(OptionNumber::new(*number), value).unwrap();
    }
    builder.payload(payload).unwrap();
    let built = builder.finish().unwrap();
    assert_eq!(built, bytes);

    let Message { options, .. } = message;
    let checked = usize::from(options.check(|_| true).is_ok());
    let typed = options.uri_path().count() + options.etags().count() + options.observe().map_or(0, |_| 1);
    checked + typed + options.iter().map(|option| option.value.len()).sum::<usize>()
}

fn use_up_stream(message: &stream::Message<'_>, out: &mut Vec<u8>) {
    for framing in [Framing::Tcp, Framing::WebSocket] {
        out.clear();
        message.encode(framing, out).unwrap();
        let rules =
            stream::Rules { framing, max_token_len: LONG_TOKENS.max_token_len, max_message_size: 1 << 20 };
        let (frame, _) = next_frame(out, &rules).unwrap().unwrap();
        assert_eq!(stream::Message::decode(frame).unwrap(), *message);
    }
}

#[test]
fn decode_and_encode_allocate_nothing() {
    let mut runner = TestRunner::deterministic();
    let any = strategies::message(true);
    for _ in 0..1000 {
        let owned = any.new_tree(&mut runner).unwrap().current();
        let (bytes, block) = (owned.bytes(), owned.block());
        let mut buffer = vec![0; bytes.len()];
        let mut out = Vec::with_capacity(bytes.len() + 8);
        let datagram = owned.message(&block);
        let on_stream = stream::Message {
            code: datagram.code,
            token: datagram.token,
            options: datagram.options,
            payload: datagram.payload,
        };
        let count = allocation_counter::measure(|| {
            core::hint::black_box(use_up(&bytes, &owned.options, &mut buffer, &mut out));
            use_up_stream(&on_stream, &mut out);
        });
        assert_eq!(count.count_total, 0, "{owned:?}");
    }
}

#[test]
fn the_counter_counts() {
    let count = allocation_counter::measure(|| drop(core::hint::black_box(vec![1_u8; 10])));
    assert_eq!(count.count_total, 1);
}
