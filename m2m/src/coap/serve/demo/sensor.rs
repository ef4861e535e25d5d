//! Resources that change by themselves: /obs and its like.

use core::time::Duration;

use coap_codec::{Code, OptionNumber};
use coap_core::Response;
use machine::Instant;

use super::table::Size;
use super::value::{Representation, not_found};
use super::{Answer, Asked, Changed, text};

/// The time between two changes.
const PERIOD: Duration = Duration::from_secs(5);

/// Counts the periods since the start. A PUT sets what it shows from then on; a DELETE makes it vanish until the period is
/// over, and show its own count again.
pub(super) struct Sensor {
    size: Size,
    start: Instant,
    put: Option<Representation>,
    gone_until: Option<Instant>,
    /// The next change, if anybody observes it.
    next: Option<Instant>,
}

impl Sensor {
    pub(super) fn new(size: Size, start: Instant) -> Self {
        Self { size, start, put: None, gone_until: None, next: None }
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.next
    }

    pub(super) fn go_on(&mut self, now: Instant) {
        self.next = Some(self.end_of_period(now));
    }

    pub(super) fn observed(&mut self, count: usize, now: Instant) {
        self.next = if count == 0 { None } else { self.next.or_else(|| Some(self.end_of_period(now))) };
    }

    pub(super) fn answer(&mut self, asked: &Asked<'_>, now: Instant) -> Answer {
        let gone = self.gone_until.is_some_and(|until| now < until);
        match asked.method {
            Code::PUT => {
                self.put = Some(Representation::of(asked));
                self.gone_until = None;
                (Response::new(if gone { Code::CREATED } else { Code::CHANGED }), Some(Changed))
            }
            Code::DELETE => {
                self.put = None;
                self.gone_until = Some(self.end_of_period(now));
                (Response::new(Code::DELETED), Some(Changed))
            }
            _ if gone => (not_found(), None),
            _ => {
                let shown = self.put.clone().unwrap_or_else(|| Representation::text(self.own(now)));
                let response = asked.answer(&shown).with_uint(OptionNumber::MAX_AGE, PERIOD.as_secs());
                (response, None)
            }
        }
    }

    /// Its own text.
    fn own(&self, now: Instant) -> String {
        let count = self.periods(now);
        let large = match self.size {
            Size::Small => false,
            Size::Large => true,
            Size::Pumping => count % 2 == 1,
        };
        if large { format!("{count}\n{}", text::rows(text::LARGE)) } else { count.to_string() }
    }

    fn periods(&self, now: Instant) -> u64 {
        (now - self.start).as_secs() / PERIOD.as_secs()
    }

    fn end_of_period(&self, now: Instant) -> Instant {
        self.start + Duration::from_secs((self.periods(now) + 1) * PERIOD.as_secs())
    }
}
