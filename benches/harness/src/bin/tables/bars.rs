//! What each figure has to reach: the bars of the project, in instructions of the same run.

use crate::data::Figure;

/// What our figure is held against.
pub(crate) struct Bar {
    /// The most instructions.
    pub(crate) most: f64,
    /// Where that comes from, in few words.
    pub(crate) because: String,
}

/// Reads without checking bounds and panics on short bodies: it is not among the best for that bar.
const PANICS: &str = "mqttrs";

/// The strictest bar of a case, if it has one. `others` are floor and peers at the same case.
pub(crate) fn bar(ours: &Figure, others: &[&Figure]) -> Option<Bar> {
    let floor = others.iter().find(|figure| figure.who == "floor");
    let peers = || others.iter().filter(|figure| figure.who != "floor");
    let best = || lowest(peers());
    let part_of_best =
        |part: f64, text: &str| best().map(|best| Bar { most: best.release * part, because: text.into() });
    match ours.theme.as_str() {
        "parse_mqtt" => {
            let half = lowest(peers().filter(|figure| !figure.who.starts_with(PANICS))).map(|best| Bar {
                most: best.release / 2.0,
                because: format!("half of {}", short(&best.who)),
            });
            let unsafe_peer = lowest(peers().filter(|figure| figure.who.starts_with(PANICS)))
                .map(|best| Bar { most: best.release * 0.9, because: "0.9 of mqttrs".into() });
            let near_floor = floor
                .filter(|_| ours.name.contains("publish"))
                .map(|floor| Bar { most: floor.release * 2.5, because: "2.5 times the floor".into() });
            strictest([half, unsafe_peer, near_floor])
        }
        "encode_mqtt" => best().map(|best| Bar { most: best.release, because: short(&best.who).into() }),
        "parse_coap" => part_of_best(1.0, "the peer"),
        "encode_coap" => part_of_best(0.5, "half of the peer"),
        "parse_mqttsn" | "encode_mqttsn" => part_of_best(0.2, "a fifth of mqtt-sn"),
        "qos2_round" => part_of_best(0.2, "a fifth of the peer"),
        "match_topic" => {
            let times = match ours.name.as_str() {
                "exact" | "hash-all" | "miss-late" => 8.0,
                "plus1" => 5.0,
                "plus3" => 4.0,
                "plus7" => 1.0,
                "validate 30 bytes" => 2.5,
                _ => return None,
            };
            part_of_best(1.0 / times, &format!("the best / {times}"))
        }
        "subscription_index" if ours.name.starts_with("fleet") => part_of_best(1.0 / 1.3, "own tree / 1.3"),
        _ => None,
    }
}

pub(crate) fn lowest<'a>(figures: impl Iterator<Item = &'a &'a Figure>) -> Option<&'a Figure> {
    figures.copied().min_by(|left, right| left.release.total_cmp(&right.release))
}

fn strictest(bars: [Option<Bar>; 3]) -> Option<Bar> {
    bars.into_iter().flatten().min_by(|left, right| left.most.total_cmp(&right.most))
}

/// The name without the version.
pub(crate) fn short(who: &str) -> &str {
    who.split_once(' ').map_or(who, |(name, _)| name)
}
