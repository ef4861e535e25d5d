//! The laws of MQTT-SN's codec, on the vectors and on what mutation makes of them.

use fuzz::mqttsn_codec::{datagram, seeds};
use fuzz::mutate;
use machine::Random;

const RUNS: u64 = 200_000;

#[test]
fn vectors_obey_the_laws() {
    let seeds = seeds();
    let valid = seeds.iter().filter(|bytes| datagram(bytes) > 0).count();
    assert!(seeds.len() > 250 && valid > 230, "{valid} valid datagrams of {}", seeds.len());
}

#[test]
fn mutated_datagrams() {
    let seeds = seeds();
    let mut random = Random::from_u64(1);
    let mut valid = 0;
    for _ in 0..RUNS {
        let mut bytes = any_of(&seeds, &mut random).clone();
        mutate(&mut bytes, any_of(&seeds, &mut random), &mut random);
        valid += u64::from(datagram(&bytes) > 0);
    }
    assert!((RUNS / 10..RUNS * 9 / 10).contains(&valid), "{valid} valid messages of {RUNS}: a poor mixture");
}

fn any_of<'a>(seeds: &'a [Vec<u8>], random: &mut Random) -> &'a Vec<u8> {
    &seeds[random.below(seeds.len() as u64) as usize]
}
