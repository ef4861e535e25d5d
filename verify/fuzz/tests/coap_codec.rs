//! The laws of `coap-codec`, on vectors and on what becomes of them when they are mutated.

use fuzz::coap_codec::seeds::{bytes, datagrams, streams, texts, vectors};
use fuzz::coap_codec::{link_format, message, stream, text, uri};
use fuzz::mutate;
use machine::Random;

const RUNS: u64 = 200_000;

fn any_of<'a>(seeds: &'a [Vec<u8>], random: &mut Random) -> &'a Vec<u8> {
    &seeds[random.below(seeds.len() as u64) as usize]
}

/// Mutates seeds and counts how many obey the law as valid ones.
fn mutated(seeds: &[Vec<u8>], head: usize, runs: u64, law: fn(&[u8]) -> usize) -> u64 {
    let mut random = Random::from_u64(1);
    let mut valid = 0;
    for _ in 0..runs {
        let mut bytes = any_of(seeds, &mut random).clone();
        mutate(&mut bytes, any_of(seeds, &mut random), &mut random);
        let mut data = vec![0; head];
        random.fill(&mut data);
        data.extend(bytes);
        valid += u64::from(law(&data) > 0);
    }
    valid
}

#[test]
fn vectors_obey_the_laws() {
    let valid = datagrams().iter().filter(|bytes| message(bytes) > 0).count();
    // A token of 9 bytes is malformed under one of the rules only.
    assert_eq!(valid, 85 + 5 + 1);
    let web_socket = bytes("coap-ws");
    for bytes in bytes("coap-tcp").iter().chain(&web_socket) {
        assert!(stream(&[&[0; 6], &bytes[..]].concat()) > 0, "{bytes:02X?}");
    }
    assert!(vectors("uri-options", "uri").iter().all(|text| uri(text)));
    assert!(vectors("link-format", "text").iter().all(|text| link_format(text)));
}

#[test]
fn mutated_messages() {
    let valid = mutated(&datagrams(), 0, RUNS, message);
    assert!((RUNS / 10..RUNS * 9 / 10).contains(&valid), "{valid} valid of {RUNS}: a poor mixture");
}

#[test]
fn mutated_streams() {
    let runs = RUNS / 10;
    let valid = mutated(&streams(), 6, runs, stream);
    assert!((runs / 10..=runs).contains(&valid), "{valid} with messages of {runs}: a poor mixture");
}

#[test]
fn mutated_texts() {
    let valid = mutated(&texts(), 0, RUNS, text);
    assert!((RUNS / 10..RUNS * 9 / 10).contains(&valid), "{valid} valid of {RUNS}: a poor mixture");
}
