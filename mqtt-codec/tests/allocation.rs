//! No packet and no property allocates, in either direction.
#![cfg(feature = "bytes")]

mod common;

use common::{VERSIONS, bytes_of, rules, strategies};
use mqtt_codec::{Direction, FrameRules, Packet, next_frame};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

/// Reads everything that the packet has, and writes it.
fn use_up(bytes: &[u8], rules: FrameRules, out: &mut Vec<u8>) -> usize {
    let frame = next_frame(bytes, &rules).unwrap().expect("whole");
    let packet = Packet::decode(frame, rules.version).unwrap();
    out.clear();
    packet.encode(rules.version, out).unwrap();
    match packet {
        Packet::Connect(connect) => connect.properties.iter().count(),
        Packet::Publish(publish) => publish.properties.user_properties().count(),
        Packet::Subscribe(subscribe) => subscribe.filters.iter().count(),
        Packet::Unsubscribe(unsubscribe) => unsubscribe.filters.iter().count(),
        Packet::SubAck(suback) => suback.reasons.iter().count(),
        _ => 0,
    }
}

#[test]
fn decode_and_encode_allocate_nothing() {
    let mut runner = TestRunner::deterministic();
    let mut types = std::collections::BTreeSet::new();
    for version in VERSIONS {
        for direction in [Direction::ClientToServer, Direction::ServerToClient] {
            let any = strategies::packet(version, direction);
            for _ in 0..300 {
                let packet = any.new_tree(&mut runner).unwrap().current();
                let bytes = bytes_of(&packet, version).unwrap();
                let rules = rules(bytes[0], version, direction);
                let mut out = Vec::with_capacity(bytes.len());
                let count = allocation_counter::measure(|| {
                    core::hint::black_box(use_up(&bytes, rules, &mut out));
                });
                assert_eq!(count.count_total, 0, "{packet:?}");
                assert_eq!(out, bytes);
                types.insert((version, packet.packet_type()));
            }
        }
    }
    assert_eq!(types.len(), 14 + 14 + 15, "every packet of every version");
}

#[test]
fn the_counter_counts() {
    let count = allocation_counter::measure(|| drop(core::hint::black_box(vec![1_u8; 10])));
    assert_eq!(count.count_total, 1);
}
