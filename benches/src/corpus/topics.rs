//! Topics and filters of a fleet of devices.

use std::collections::HashSet;

/// The topic of the comparison of one filter with one topic: 7 levels, 53 bytes.
pub const NAME: &str = "enterprise/site12/area7/line3/cell9/machine4/status0";
/// Filters for [`NAME`], with their names in the tables.
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
/// Queries of retained messages that [`exact`] has answers for.
pub const QUERIES: [&str; 7] = [
    "site/+/device/d000123/temp",
    "site/s0010/device/#",
    "+/+/+/d000123/#",
    "site/s0010/+/+/hum",
    "site/s0010/device/d000510/#",
    "+/+/+/+/nosuch",
    "site/+/nosuch/#",
];
const METRICS: [&str; 8] = ["temp", "hum", "volt", "rssi", "state", "cpu", "mem", "disk"];

/// xorshift: the same fleet every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

/// Devices that publish and listen.
pub struct Fleet {
    devices: usize,
    dice: Dice,
}

impl Fleet {
    /// As many devices as such a number of filters asks for.
    pub fn new(filters: usize) -> Self {
        Self { devices: (filters / 8).max(50), dice: Dice(0x9E37_79B9_7F4A_7C15) }
    }

    fn device(&mut self) -> (String, String, &'static str) {
        let device = self.dice.below(self.devices);
        (format!("s{:04}", device / 50), format!("d{device:06}"), METRICS[self.dice.below(8)])
    }

    fn filter(&mut self) -> String {
        let (site, device, metric) = self.device();
        match self.dice.below(100) {
            0..5 => match self.dice.below(3) {
                0 => format!("site/{site}/#"),
                1 => format!("site/{site}/device/{device}/#"),
                _ => format!("site/+/device/{device}/#"),
            },
            5..20 => match self.dice.below(4) {
                0 => format!("site/+/device/{device}/{metric}"),
                1 => format!("site/{site}/device/+/{metric}"),
                2 => format!("site/{site}/device/{device}/+"),
                _ => format!("+/{site}/+/{device}/{metric}"),
            },
            _ => format!("site/{site}/device/{device}/{metric}"),
        }
    }

    /// So many different filters: 80 % without wildcards, 15 % with `+`, 5 % with `#`, and `#` and `site/#`.
    pub fn filters(&mut self, count: usize) -> Vec<String> {
        let mut filters = vec!["#".to_owned(), "site/#".to_owned()];
        let mut known: HashSet<String> = filters.iter().cloned().collect();
        while filters.len() < count {
            let filter = self.filter();
            if known.insert(filter.clone()) {
                filters.push(filter);
            }
        }
        filters
    }

    /// Topics to look up; 9 % are of no known device.
    pub fn topics(&mut self, count: usize) -> Vec<String> {
        let topic = |_| {
            let (site, device, metric) = self.device();
            let device = if self.dice.below(100) < 9 { "unknown".to_owned() } else { device };
            format!("site/{site}/device/{device}/{metric}")
        };
        (0..count).map(topic).collect()
    }
}

/// Different filters without wildcards, which are topics as well.
pub fn exact(count: usize) -> Vec<String> {
    let name = |n: usize| format!("site/s{:04}/device/d{:06}/{}", n / 400, n / 8, METRICS[n % 8]);
    (0..count).map(name).collect()
}

/// All combinations of a literal and `+` in twelve levels, and the topic that all of them are walked for.
pub fn explosion(end: &str) -> (Vec<String>, String) {
    let filter = |bits: u32| {
        let level = |depth: u32| if bits & 1 << depth == 0 { "level" } else { "+" };
        (0..12).map(level).collect::<Vec<_>>().join("/") + end
    };
    ((0..4096).map(filter).collect(), ["level"; 12].join("/"))
}
