//! A fleet of devices that publish and listen, for whoever measures: `benches` has it from here.

use std::collections::HashSet;

/// What a device measures.
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
