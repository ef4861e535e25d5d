//! coap-codec: decode is parse and drop; encode writes the decoded message, build puts it together option by option.

use std::hint::black_box;

use coap_codec::{Message, MessageBuilder, Rules};

use crate::corpus::coap::{MESSAGE_ID, TOKEN, samples};
use crate::{Case, case, repeat};

pub(super) fn parse() -> Vec<Case> {
    let mut cases = Vec::new();
    for sample in samples() {
        let bytes = sample.bytes.clone();
        cases.push(case("parse_coap", sample.name, "ours", move |times| {
            repeat(times, || Message::decode(black_box(&bytes[..]), &Rules::DEFAULT));
        }));
        let bytes = sample.bytes;
        cases.push(case("parse_coap", format!("{}, options read", sample.name), "ours", move |times| {
            repeat(times, || {
                let message = Message::decode(black_box(&bytes[..]), &Rules::DEFAULT).expect("valid");
                message.options.iter().for_each(|option| _ = black_box(&option));
                message
            });
        }));
    }
    cases
}

pub(super) fn encode() -> Vec<Case> {
    let mut cases = Vec::new();
    for sample in samples() {
        let (bytes, mut buffer) = (sample.bytes.leak(), vec![0; 2000]);
        let message = Message::decode(bytes, &Rules::DEFAULT).expect("valid");
        cases.push(case("encode_coap", sample.name, "ours", move |times| {
            repeat(times, || black_box(&message).encode_to_slice(black_box(&mut buffer[..])).expect("room"));
        }));
        let mut buffer = vec![0; 2000];
        cases.push(case("encode_coap", format!("{}, built", sample.name), "ours", move |times| {
            repeat(times, || {
                let buffer = black_box(&mut buffer[..]);
                let (message_type, code) = black_box((sample.message_type, sample.code));
                let mut builder =
                    MessageBuilder::new(buffer, message_type, code, MESSAGE_ID, black_box(TOKEN))
                        .expect("room");
                for (number, value) in black_box(&sample.options) {
                    builder.option(*number, value).expect("room");
                }
                builder.payload(&sample.payload).expect("room");
                builder.finish().expect("room").len()
            });
        }));
    }
    cases
}
