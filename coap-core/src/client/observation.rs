//! The client's side of an observation (RFC 7641 §3).

use core::time::Duration;

use coap_codec::is_newer_notification;
use machine::{Instant, Random};

/// Max-Age of a response that has none (RFC 7252 §5.10.5), in seconds.
const DEFAULT_MAX_AGE: u32 = 60;

/// How long after Max-Age a client registers anew, so that many do not do so at once (RFC 7641 §3.3.1).
const REGISTRATION_DELAY: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(15));

/// What is known of the newest notification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Observation {
    newest: Option<(u32, Instant)>,
}

impl Observation {
    /// Whether a notification is newer than all before it.
    pub(crate) fn is_news(&self, sequence: u32, now: Instant) -> bool {
        self.newest.is_none_or(|(newest, at)| is_newer_notification(newest, sequence, now - at))
    }

    /// This one is the newest.
    pub(crate) const fn note(&mut self, sequence: u32, now: Instant) {
        self.newest = Some((sequence, now));
    }

    /// How long after a notification its observer gives up waiting for the next and registers anew.
    pub(crate) fn stale_after(max_age: Option<u32>, random: &mut Random) -> Duration {
        let (least, most) = REGISTRATION_DELAY;
        Duration::from_secs(max_age.unwrap_or(DEFAULT_MAX_AGE).into()) + random.between(least, most)
    }
}
