//! Topics and filters of a fleet of devices.

#[path = "../../../../topic-match/examples/fleet/devices.rs"]
mod devices;
#[path = "../../../../topic-match/examples/fleet/shapes.rs"]
mod shapes;

pub use devices::{Fleet, exact};
pub use shapes::{FILTERS, NAME, explosion};

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
