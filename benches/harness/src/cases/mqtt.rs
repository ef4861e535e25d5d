//! mqtt-codec: decode is parse and drop, encode writes the decoded packet into a buffer of the caller's.

use std::hint::black_box;

use mqtt_codec::{Packet, ProtocolVersion, next_frame};

use crate::corpus::mqtt::{FRAGMENT, Sample, VERSIONS, rules, samples, stream};
use crate::{Case, case, repeat, stream_case};

const PARSE: &str = "parse_mqtt";
const ENCODE: &str = "encode_mqtt";

pub(super) fn parse() -> Vec<Case> {
    VERSIONS.into_iter().flat_map(|(name, version)| parse_version(name, version)).collect()
}

fn parse_version(version_name: &str, version: ProtocolVersion) -> Vec<Case> {
    let one = |sample: Sample| {
        let rules = rules(version, sample.name.starts_with("connect"));
        case(PARSE, format!("{version_name} {}", sample.name), "ours", move |times| {
            let bytes = &sample.bytes[..];
            repeat(times, || {
                let frame = next_frame(black_box(bytes), &rules).expect("valid").expect("whole");
                Packet::decode(frame, rules.version)
            });
        })
    };
    let mut cases: Vec<_> = samples(version).into_iter().map(one).collect();
    let packets = stream(version);
    let bytes = packets.concat();
    let fragments = bytes.clone();
    cases.push(stream_case(PARSE, format!("{version_name} stream_1000_mixed"), "ours", packets.len(), {
        move |times| repeat(times, || drop_all(black_box(&bytes), version))
    }));
    let mut buffer = Vec::with_capacity(4096);
    cases.push(stream_case(PARSE, format!("{version_name} stream_frag100"), "ours", packets.len(), {
        move |times| {
            repeat(times, || {
                for fragment in fragments.chunks(FRAGMENT) {
                    buffer.extend_from_slice(black_box(fragment));
                    let read = drop_all(&buffer, version);
                    buffer.drain(..read);
                }
                assert!(buffer.is_empty());
            });
        }
    }));
    cases
}

/// Decodes every whole packet; returns how many bytes those had.
#[inline]
fn drop_all(bytes: &[u8], version: ProtocolVersion) -> usize {
    let rules = rules(version, false);
    let mut read = 0;
    while let Some(frame) = next_frame(&bytes[read..], &rules).expect("valid") {
        read += frame.len();
        black_box(&Packet::decode(frame, version));
    }
    read
}

pub(super) fn encode() -> Vec<Case> {
    VERSIONS.into_iter().flat_map(|(name, version)| encode_version(name, version)).collect()
}

fn encode_version(version_name: &str, version: ProtocolVersion) -> Vec<Case> {
    let mut cases = Vec::new();
    for sample in samples(version) {
        let name = format!("{version_name} {}", sample.name);
        let bytes: &[u8] = sample.bytes.leak();
        let (packet, mut buffer) = (decoded(bytes, version), vec![0; bytes.len() + 16]);
        cases.push(case(ENCODE, name.clone(), "ours", move |times| {
            repeat(times, || {
                black_box(&packet).encode_to_slice(version, black_box(&mut buffer)).expect("room")
            });
        }));
        let mut buffer = Vec::with_capacity(bytes.len() + 16);
        cases.push(case(ENCODE, name + ", Vec", "ours", move |times| {
            repeat(times, || {
                buffer.clear();
                black_box(&packet).encode(version, black_box(&mut buffer)).expect("room");
            });
        }));
    }
    let packets: Vec<_> = stream(version).into_iter().map(|bytes| decoded(bytes.leak(), version)).collect();
    let mut buffer = vec![0; stream(version).iter().map(Vec::len).sum()];
    let name = format!("{version_name} stream_1000_mixed");
    cases.push(stream_case(ENCODE, name, "ours", packets.len(), move |times| {
        repeat(times, || {
            let mut room = black_box(&mut buffer[..]);
            for packet in black_box(&packets) {
                let len = packet.encode_to_slice(version, room).expect("room");
                room = &mut room[len..];
            }
        });
    }));
    cases
}

fn decoded(bytes: &[u8], version: ProtocolVersion) -> Packet<'_> {
    let rules = rules(version, bytes[0] == 0x10);
    let frame = next_frame(bytes, &rules).expect("valid").expect("whole");
    Packet::decode(frame, version).expect("valid")
}
