//! What cannot be left out: walking over the frame and checking the topic's UTF-8 to read a packet, one copy to write it.

use std::hint::black_box;

use crate::corpus::mqtt::{FRAGMENT, TOPIC, VERSIONS, samples, stream};
use crate::corpus::topics::{FILTERS, NAME};
use crate::corpus::{coap, mqttsn};
use crate::{Case, case, repeat, stream_case};

const WHO: &str = "floor";

/// The floor under all themes that have one.
pub fn floor() -> Vec<Case> {
    [mqtt(), coap(), mqttsn(), topics()].into_iter().flatten().collect()
}

fn mqtt() -> Vec<Case> {
    let mut cases = Vec::new();
    for (version_name, version) in VERSIONS {
        for sample in samples(version) {
            let name = format!("{version_name} {}", sample.name);
            cases.push(copy("encode_mqtt", name.clone(), sample.bytes.clone(), 1));
            cases.push(case("parse_mqtt", name, WHO, move |times| {
                repeat(times, || walk(black_box(&sample.bytes)));
            }));
        }
        let packets = stream(version);
        let (len, bytes) = (packets.len(), packets.concat());
        let name = |name: &str| format!("{version_name} {name}");
        let buffer_len = bytes.len();
        cases.push(stream_case("encode_mqtt", name("stream_1000_mixed"), WHO, len, move |times| {
            let mut buffer = vec![0; buffer_len];
            repeat(times, || {
                let mut room = black_box(&mut buffer[..]);
                for packet in black_box(&packets) {
                    room[..packet.len()].copy_from_slice(packet);
                    room = &mut room[packet.len()..];
                }
            });
        }));
        let fragments = bytes.clone();
        cases.push(stream_case("parse_mqtt", name("stream_1000_mixed"), WHO, len, move |times| {
            repeat(times, || walk_all(black_box(&bytes)));
        }));
        let mut buffer = Vec::with_capacity(4096);
        cases.push(stream_case("parse_mqtt", name("stream_frag100"), WHO, len, move |times| {
            repeat(times, || {
                for fragment in fragments.chunks(FRAGMENT) {
                    buffer.extend_from_slice(black_box(fragment));
                    let read = walk_all(&buffer);
                    buffer.drain(..read);
                }
            });
        }));
    }
    cases
}

fn walk_all(bytes: &[u8]) -> usize {
    let mut read = 0;
    while let Some((len, topic)) = walk(&bytes[read..]) {
        black_box(topic);
        read += len;
    }
    read
}

/// The length of the packet, and the topic of a PUBLISH.
#[inline]
fn walk(bytes: &[u8]) -> Option<(usize, Option<&str>)> {
    let first = *bytes.first()?;
    let mut remaining = 0;
    let mut header = 1;
    for shift in [0, 7, 14, 21] {
        let byte = *bytes.get(header)?;
        header += 1;
        remaining |= usize::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            break;
        }
    }
    let body = bytes.get(header..header + remaining)?;
    let topic = if first >> 4 == 3 {
        let (len, rest) = body.split_first_chunk()?;
        Some(std::str::from_utf8(rest.get(..usize::from(u16::from_be_bytes(*len)))?).ok()?)
    } else {
        None
    };
    Some((header + remaining, topic))
}

fn copy(theme: &'static str, name: String, bytes: Vec<u8>, operations: usize) -> Case {
    let mut buffer = vec![0; bytes.len()];
    stream_case(theme, name, WHO, operations, move |times| {
        repeat(times, || black_box(&mut buffer[..]).copy_from_slice(black_box(&bytes)));
    })
    .times(100)
}

fn coap() -> Vec<Case> {
    let mut cases = Vec::new();
    for sample in coap::samples() {
        cases.push(copy("encode_coap", sample.name.to_owned(), sample.bytes.clone(), 1));
        cases.push(case("parse_coap", sample.name, WHO, move |times| {
            repeat(times, || walk_options(black_box(&sample.bytes[4 + coap::TOKEN.len()..])));
        }));
    }
    cases
}

/// Where the payload begins.
fn walk_options(body: &[u8]) -> Option<usize> {
    let extended = |nibble: u8, at: &mut usize| match nibble {
        13 => {
            let value = usize::from(*body.get(*at)?) + 13;
            *at += 1;
            Some(value)
        }
        14 => {
            let bytes = body.get(*at..)?.first_chunk()?;
            *at += 2;
            Some(usize::from(u16::from_be_bytes(*bytes)) + 269)
        }
        15 => None,
        value => Some(usize::from(value)),
    };
    let (mut at, mut number) = (0, 0);
    while let Some(&first) = body.get(at) {
        at += 1;
        if first == 0xFF {
            return Some(at);
        }
        number += extended(first >> 4, &mut at)?;
        at += extended(first & 15, &mut at)?;
        black_box(number);
    }
    (at == body.len()).then_some(at)
}

fn mqttsn() -> Vec<Case> {
    let samples = mqttsn::samples().into_iter();
    samples.map(|sample| copy("encode_mqttsn", sample.name.to_owned(), sample.bytes, 1)).collect()
}

fn topics() -> Vec<Case> {
    let one = |(name, filter): (&'static str, &'static str)| {
        case("match_topic", name, WHO, move |times| repeat(times, || black_box(filter) == black_box(NAME)))
    };
    let mut cases: Vec<_> = FILTERS.into_iter().map(one).collect();
    cases.push(case("match_topic", "validate 30 bytes", "std: from_utf8 and a search", |times| {
        repeat(times, || {
            let topic = std::str::from_utf8(black_box(TOPIC.as_bytes()))?;
            black_box(topic.bytes().any(|byte| matches!(byte, 0 | b'+' | b'#')));
            Ok::<_, std::str::Utf8Error>(topic)
        });
    }));
    cases
}
