//! No message allocates, in either direction.
#![cfg(feature = "bytes")]

mod common;

use common::{RSMB, bytes_of, strategies};
use mqttsn_codec::{Datagram, MessageType, Packet};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

#[test]
fn decode_and_encode_allocate_nothing() {
    let mut runner = TestRunner::deterministic();
    let mut types = std::collections::BTreeSet::new();
    let any = strategies::packet();
    for _ in 0..2000 {
        let packet = any.new_tree(&mut runner).unwrap().current();
        let bytes = bytes_of(&packet).unwrap();
        let mut out = Vec::with_capacity(bytes.len());
        let count = allocation_counter::measure(|| {
            let packet = core::hint::black_box(Packet::decode_with(&bytes, &RSMB)).unwrap();
            packet.encode(&mut out).unwrap();
        });
        assert_eq!(count.count_total, 0, "{packet:?}");
        assert_eq!(out, bytes);
        types.insert(packet.message_type());
    }
    assert_eq!(types.len(), MessageType::ALL.len(), "every message");
}

#[test]
fn encapsulation_allocates_nothing() {
    let mut runner = TestRunner::deterministic();
    let any = strategies::encapsulated();
    for _ in 0..200 {
        let encapsulated = any.new_tree(&mut runner).unwrap().current();
        let mut bytes = Vec::with_capacity(encapsulated.encoded_len().unwrap());
        let count = allocation_counter::measure(|| encapsulated.encode(&mut bytes).unwrap());
        assert_eq!(count.count_total, 0);
        let count = allocation_counter::measure(|| {
            let decoded = core::hint::black_box(Datagram::decode(&bytes, &RSMB));
            assert_eq!(decoded, Ok(Datagram::Encapsulated(encapsulated)));
        });
        assert_eq!(count.count_total, 0);
    }
}

#[test]
fn the_counter_counts() {
    let count = allocation_counter::measure(|| drop(core::hint::black_box(vec![1_u8; 10])));
    assert_eq!(count.count_total, 1);
}
