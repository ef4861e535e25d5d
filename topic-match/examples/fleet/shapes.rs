//! One topic with filters for it, and filters that a search has to walk for long; `benches` has them from here.

/// The topic: 7 levels, 52 bytes.
pub const NAME: &str = "enterprise/site12/area7/line3/cell9/machine4/status0";
/// Filters for [`NAME`], with what they are called.
pub const FILTERS: [(&str, &str); 11] = [
    ("exact", NAME),
    ("plus1", "enterprise/site12/+/line3/cell9/machine4/status0"),
    ("plus3", "enterprise/+/area7/+/cell9/+/status0"),
    ("plus7", "+/+/+/+/+/+/+"),
    ("hash-end", "enterprise/site12/area7/line3/cell9/machine4/#"),
    ("hash-all", "#"),
    ("hash-parent", "enterprise/site12/area7/line3/cell9/machine4/status0/#"),
    ("miss-early", "Xnterprise/site12/area7/line3/cell9/machine4/status0"),
    ("miss-late", "enterprise/site12/area7/line3/cell9/machine4/statusX"),
    ("miss-short", "enterprise/site12"),
    ("plus-miss-late", "+/+/+/+/+/+/statusX"),
];

/// All combinations of a literal and `+` in twelve levels, and the topic that all of them are walked for.
pub fn explosion(end: &str) -> (Vec<String>, String) {
    let filter = |bits: u32| {
        let level = |depth: u32| if bits & 1 << depth == 0 { "level" } else { "+" };
        (0..12).map(level).collect::<Vec<_>>().join("/") + end
    };
    ((0..4096).map(filter).collect(), ["level"; 12].join("/"))
}
