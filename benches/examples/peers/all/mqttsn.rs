//! mqtt-sn: its messages own their text, in buffers of a fixed size, and are written by value.

use std::hint::black_box;

use byte::{TryRead, TryWrite};
use harness::corpus::mqttsn::samples;
use harness::{Case, case, repeat};
use mqtt_sn::Message;

const WHO: &str = "mqtt-sn 0.2.2";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for sample in samples() {
        let Ok((message, _)) = Message::try_read(&sample.bytes, ()) else { continue };
        let mut buffer = vec![0; 2000];
        if message.clone().try_write(&mut buffer, ()) == Ok(sample.bytes.len()) {
            cases.push(case("encode_mqttsn", sample.name, WHO, move |times| {
                repeat(times, || black_box(&message).clone().try_write(black_box(&mut buffer), ()));
            }));
        }
        let bytes = sample.bytes;
        cases.push(case("parse_mqttsn", sample.name, WHO, move |times| {
            repeat(times, || Message::try_read(black_box(&bytes), ()));
        }));
    }
    cases
}
