//! The only place that asks the operating system for the time.

use core::time::Duration;

use machine::Instant;

/// Turns the time of the operating system into [`Instant`]s: microseconds since the Unix epoch, taken once at the start
/// and carried on by the monotonic clock, so that a step of the wall clock moves no deadline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started: std::time::Instant,
    /// Unix time at `started`.
    epoch: Duration,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the machines' time has to come from somewhere")]
    pub(crate) fn start() -> Self {
        Self { started: std::time::Instant::now(), epoch: unix_time() }
    }

    pub(crate) fn now(&self) -> Instant {
        Instant::EPOCH + (self.epoch + self.started.elapsed())
    }

    /// When tokio's timers have to fire for `at`.
    pub(crate) fn timer(&self, at: Instant) -> tokio::time::Instant {
        /// Timers cannot be set for the end of time; one that fires early only looks and sleeps on.
        const LONGEST: Duration = Duration::from_secs(86_400);
        let span = (at - Instant::EPOCH).saturating_sub(self.epoch).min(self.started.elapsed() + LONGEST);
        (self.started + span).into()
    }
}

/// What the wall clock shows, to be shown to people: nanoseconds since the Unix epoch count, steps and all.
#[expect(clippy::disallowed_methods, reason = "the time of day has to come from somewhere")]
pub(crate) fn unix_time() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_unix_time_and_goes_on() {
        let clock = Clock::start();
        let (first, second) = (clock.now(), clock.now());
        assert!(second >= first);
        // 2020-01-01: any machine that runs this is later.
        assert!(first.as_micros() > 1_577_836_800_000_000);
    }

    #[test]
    fn a_timer_is_never_set_before_its_instant() {
        let clock = Clock::start();
        let at = clock.now() + Duration::from_micros(1_500);
        assert!(
            clock.timer(at).into_std() >= clock.started + (at - Instant::EPOCH).saturating_sub(clock.epoch)
        );
        assert!(clock.timer(Instant::MAX) > clock.timer(at), "the end of time is far, and no overflow");
        assert_eq!(clock.timer(Instant::EPOCH).into_std(), clock.started, "the past is now");
    }
}
