//! The laws of the codec, on packets that were valid before they were mutated.

use fuzz::codec::{DIRECTIONS, VERSIONS, packet, properties, stream};
use fuzz::{corpus, mutate};
use machine::Random;

const RUNS: u64 = 200_000;

#[test]
fn what_is_valid_obeys_the_laws() {
    for version in VERSIONS {
        for direction in DIRECTIONS {
            for bytes in corpus::packets(version, direction) {
                assert!(packet(&bytes) > 0, "{bytes:02X?}");
            }
            for bytes in corpus::streams(version, direction) {
                stream(&[&[u8::from(direction == DIRECTIONS[1]), 0, 0, 2, 0, 30], &bytes[..]].concat());
            }
        }
    }
}

#[test]
fn mutated_packets() {
    let seeds = corpus::all_packets();
    let mut random = Random::from_u64(1);
    let mut valid = 0;
    for _ in 0..RUNS {
        let mut bytes = any_of(&seeds, &mut random).clone();
        mutate(&mut bytes, any_of(&seeds, &mut random), &mut random);
        valid += u64::from(packet(&bytes) > 0);
    }
    assert!((RUNS / 10..RUNS * 9 / 10).contains(&valid), "{valid} valid packets of {RUNS}: a poor mixture");
}

#[test]
fn mutated_streams() {
    let seeds = DIRECTIONS.map(corpus::all_streams).concat();
    let mut random = Random::from_u64(2);
    for _ in 0..RUNS / 20 {
        let mut bytes = any_of(&seeds, &mut random).clone();
        mutate(&mut bytes, any_of(&seeds, &mut random), &mut random);
        let mut data = vec![0; 6];
        random.fill(&mut data);
        data.extend(bytes);
        stream(&data);
    }
}

#[test]
fn mutated_properties() {
    // What follows the fixed header contains every property.
    let seeds: Vec<_> = DIRECTIONS.iter().flat_map(|d| corpus::packets(VERSIONS[2], *d)).collect();
    let mut random = Random::from_u64(3);
    for _ in 0..RUNS {
        let seed = any_of(&seeds, &mut random);
        let from = random.below(seed.len() as u64) as usize;
        let mut bytes = seed[from..].to_vec();
        mutate(&mut bytes, seed, &mut random);
        properties(&bytes);
    }
}

fn any_of<'a>(seeds: &'a [Vec<u8>], random: &mut Random) -> &'a Vec<u8> {
    &seeds[random.below(seeds.len() as u64) as usize]
}
