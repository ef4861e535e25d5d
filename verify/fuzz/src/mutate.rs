use machine::Random;

/// Bytes that protocols treat in a special way.
const TELLING: [u8; 12] = [0, 1, 2, 0x7F, 0x80, 0xFF, b'#', b'+', b'/', b'$', 0x26, 0xC3];

/// Changes a few things about some bytes: bits, bytes, order, length; or splices in a part of `other`.
pub fn mutate(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    for _ in 0..=random.below(3) {
        mutate_once(bytes, other, random);
    }
}

fn mutate_once(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let mut place = |len: usize| random.below(len as u64) as usize;
    let (at, until) = (place(bytes.len()), place(bytes.len() + 1));
    let from = place(other.len());
    let (from, to) = (from, other.len().min(from + place(20)));
    let what = place(8);
    let any = if place(2) == 0 { TELLING[place(TELLING.len())] } else { place(256) as u8 };
    match what {
        _ if bytes.is_empty() => bytes.push(any),
        0 => bytes[at] ^= 1 << place(8),
        1 => bytes[at] = any,
        2 => bytes[at] = bytes[at].wrapping_add(if place(2) == 0 { 1 } else { 255 }),
        3 => bytes.insert(at, any),
        4 => bytes.truncate(at),
        5 => _ = bytes.drain(at.min(until)..at.max(until)),
        6 => {
            let part = bytes[at.min(until)..at.max(until)].to_vec();
            bytes.splice(at..at, part);
        }
        _ => _ = bytes.splice(at..at, other[from..to].iter().copied()),
    }
}
