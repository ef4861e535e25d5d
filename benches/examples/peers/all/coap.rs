//! coap-message-implementations: options and payload; header and token are left to others there.

use std::hint::black_box;

use coap_message::{MessageOption, MinimalWritableMessage, ReadableMessage};
use coap_message_implementations::inmemory::{Message, MessageMut};
use harness::corpus::coap::{TOKEN, samples};
use harness::{Case, case, repeat};

const WHO: &str = "coap-message-implementations 0.2.0";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for sample in samples() {
        let bytes = sample.bytes.clone();
        cases.push(case("parse_coap", sample.name, WHO, move |times| {
            repeat(times, || {
                let bytes = black_box(&bytes[..]);
                let message = Message::new_from_slice(bytes[1], &bytes[4 + TOKEN.len()..]);
                message.options().for_each(|option| _ = black_box((option.number(), option.value())));
                black_box(message.payload());
            });
        }));
        let mut buffer = vec![0; 2000];
        cases.push(case("encode_coap", sample.name, WHO, move |times| {
            repeat(times, || {
                let (code, tail) = black_box(&mut buffer[..]).split_first_mut().expect("room");
                let mut message = MessageMut::new_in_slice(code, tail);
                message.set_code(black_box(sample.code.as_byte()));
                for (number, value) in black_box(&sample.options) {
                    message.add_option(number.get(), value).expect("room");
                }
                message.set_payload(&sample.payload).expect("room");
                message.finish().0
            });
        }));
    }
    cases
}
