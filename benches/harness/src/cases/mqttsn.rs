//! mqttsn-codec.

use std::hint::black_box;

use mqttsn_codec::Packet;

use crate::corpus::mqttsn::samples;
use crate::{Case, case, repeat};

pub(super) fn parse() -> Vec<Case> {
    let one = |sample: crate::corpus::mqttsn::Sample| {
        case("parse_mqttsn", sample.name, "ours", move |times| {
            repeat(times, || Packet::decode(black_box(&sample.bytes[..])));
        })
    };
    samples().into_iter().map(one).collect()
}

pub(super) fn encode() -> Vec<Case> {
    let one = |sample: crate::corpus::mqttsn::Sample| {
        let (packet, mut buffer) = (Packet::decode(sample.bytes.leak()).expect("valid"), vec![0; 2000]);
        case("encode_mqttsn", sample.name, "ours", move |times| {
            repeat(times, || black_box(&packet).encode_to_slice(black_box(&mut buffer[..])).expect("room"));
        })
    };
    samples().into_iter().map(one).collect()
}
