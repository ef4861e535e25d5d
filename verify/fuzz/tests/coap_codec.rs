//! The laws of `coap-codec`, on vectors and on what becomes of them when they are mutated.

use fuzz::coap_codec::{link_format, message, stream, text, uri};
use fuzz::mutate;
use machine::Random;
use serde_json::Value;

const RUNS: u64 = 200_000;

/// A field of the vectors of a kind.
fn vectors(kind: &str, field: &str) -> Vec<String> {
    let file = include_str!("../../../coap-codec/tests/data/coap.json");
    let file: Value = serde_json::from_str(file).expect("JSON");
    let vectors = file["vectors"].as_array().expect("a list").iter();
    let found: Vec<_> = vectors
        .filter(|vector| vector["kind"] == kind)
        .map(|vector| vector[field].as_str().expect("a text").to_owned())
        .collect();
    assert!(!found.is_empty(), "no vector of kind {kind}");
    found
}

/// Bytes of the vectors that are there as a whole.
fn bytes(kind: &str) -> Vec<Vec<u8>> {
    let digit = |digits: &str, at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal");
    vectors(kind, "hex")
        .iter()
        .filter(|digits| !digits.ends_with(".."))
        .map(|digits| (0..digits.len()).step_by(2).map(|at| digit(digits, at)).collect())
        .collect()
}

fn datagrams() -> Vec<Vec<u8>> {
    [bytes("coap-udp"), bytes("coap-udp-8974")].concat()
}

fn texts() -> Vec<Vec<u8>> {
    let own = [
        "coap://[fe80::1%25eth0]:61616/a/./b/../c?",
        "coaps+tcp://user.example/%C3%A9;x=1?a=b&c",
        "</a>;rt=\"x y\";title*=UTF-8'de'%C3%A4;ct=\"0 40\" , </b>;obs;sz=9",
    ];
    let all = [vectors("uri-options", "uri"), vectors("link-format", "text"), own.map(String::from).to_vec()];
    all.concat().into_iter().map(String::into_bytes).collect()
}

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
    let messages: Vec<_> = bytes("coap-tcp").into_iter().filter(|bytes| bytes.len() < 100).collect();
    let seeds: Vec<_> =
        (0..messages.len()).map(|from| messages[from..].concat()).chain(bytes("coap-ws")).collect();
    let runs = RUNS / 10;
    let valid = mutated(&seeds, 6, runs, stream);
    assert!((runs / 10..=runs).contains(&valid), "{valid} with messages of {runs}: a poor mixture");
}

#[test]
fn mutated_texts() {
    let valid = mutated(&texts(), 0, RUNS, text);
    assert!((RUNS / 10..RUNS * 9 / 10).contains(&valid), "{valid} valid of {RUNS}: a poor mixture");
}
