//! The one place that asks the machine for the time.

use std::time::Instant;

pub(crate) fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "a load generator measures real time")]
    Instant::now()
}
