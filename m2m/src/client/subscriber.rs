//! What `m2m sub` does with what comes.

use core::future::pending;

use machine::{Instant, Random};
use mqtt_codec::{Properties, QoS, ReasonCode};
use mqtt_core::Publication;
use mqtt_core::client::{DeliveryId, Message, Outcome};
use tokio::time::sleep_until;
use topic_match::{TopicFilter, TopicName};

use super::failure::{Failure, equivalent};
use super::output::{Printer, Reader};
use super::session::{Event, Session};
use super::signals;
use super::statistics::Statistics;
use crate::clock::Clock;
use crate::report;
use crate::signals::Signals;

/// Which messages are printed, and when there were enough.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct Selection {
    pub(crate) filter_out: Vec<String>,
    pub(crate) no_retained: bool,
    pub(crate) retained_only: bool,
    pub(crate) remove_retained: bool,
    /// In percent.
    pub(crate) chance: Option<(f64, Random)>,
    /// Messages that are still to come.
    pub(crate) left: Option<u64>,
    pub(crate) exit_after_subscribing: bool,
}

pub(crate) struct Subscriber {
    session: Session,
    printer: Printer,
    selection: Selection,
    statistics: Option<Statistics>,
    quiet: bool,
    /// Printed, but perhaps not out yet.
    unacknowledged: Vec<DeliveryId>,
    /// There were enough messages, or nobody reads them: what comes now is not for this run.
    over: bool,
    /// A DISCONNECT was asked for.
    leaving: bool,
    failure: Option<Failure>,
}

/// What ends waiting.
enum Woken {
    Session,
    Signal,
    TimeOut,
    Statistics,
}

impl Subscriber {
    pub(crate) fn new(
        session: Session,
        printer: Printer,
        selection: Selection,
        statistics: Option<Statistics>,
        quiet: bool,
    ) -> Self {
        let (unacknowledged, failure) = (Vec::new(), None);
        Self {
            session,
            printer,
            selection,
            statistics,
            quiet,
            unacknowledged,
            over: false,
            leaving: false,
            failure,
        }
    }

    pub(crate) async fn run(mut self, end: Option<Instant>) -> Result<(), Failure> {
        let mut signals = signals()?;
        let result = self.follow(end, &mut signals).await;
        if let Some(statistics) = &self.statistics {
            statistics.end(self.session.clock().now());
        }
        result
    }

    async fn follow(&mut self, end: Option<Instant>, signals: &mut Signals) -> Result<(), Failure> {
        let clock = self.session.clock();
        loop {
            if self.take_events()? {
                return self.failure.take().map_or(Ok(()), Err);
            }
            self.flush()?;
            if self.over && self.session.outstanding() == 0 {
                self.leave();
            }
            let due = self.statistics.as_ref().map(Statistics::due);
            let woken = tokio::select! {
                () = self.session.wait() => Woken::Session,
                () = signals.next() => Woken::Signal,
                () = at(end.filter(|_| !self.leaving), clock) => Woken::TimeOut,
                () = at(due, clock) => Woken::Statistics,
            };
            match woken {
                Woken::Session => {}
                Woken::Signal if self.leaving => return Err(Failure::Interrupted),
                Woken::Signal => self.leave(),
                Woken::TimeOut => {
                    self.failure = Some(Failure::TimedOut);
                    self.leave();
                }
                Woken::Statistics => {
                    if let Some(statistics) = &mut self.statistics {
                        statistics.tick(clock.now());
                    }
                }
            }
        }
    }

    /// Says whether the connection that was to end has ended.
    fn take_events(&mut self) -> Result<bool, Failure> {
        while let Some(event) = self.session.poll()? {
            match event {
                Event::Message(message) => self.take(&message)?,
                Event::Completed(outcome) => self.note(outcome),
                Event::Ended => {
                    self.flush()?;
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn take(&mut self, message: &Message) -> Result<(), Failure> {
        if self.over || self.leaving {
            return Ok(());
        }
        if self.selection.retained_only && !message.retain {
            self.over = true;
            return Ok(());
        }
        if let Some(statistics) = &mut self.statistics {
            statistics.note(message.topic(), message.payload().len());
        }
        if self.selection.wants(message) {
            if self.selection.remove_retained && message.retain {
                self.remove(message.topic());
            }
            if !self.selection.is_left_out() && self.printer.print(message)? == Reader::Gone {
                self.over = true;
            }
            self.selection.count();
            self.over |= self.selection.left == Some(0);
        }
        self.unacknowledged.extend(message.delivery);
        Ok(())
    }

    /// Acknowledges what is certain to be printed.
    fn flush(&mut self) -> Result<(), Failure> {
        if self.printer.flush()? == Reader::Gone {
            self.over = true;
        }
        for message in self.unacknowledged.drain(..) {
            self.session.acknowledge(message);
        }
        Ok(())
    }

    fn remove(&mut self, topic: &str) {
        let empty = Publication {
            topic,
            qos: QoS::AtLeastOnce,
            retain: true,
            properties: Properties::NONE,
            payload: &[],
        };
        if let Err(refused) = self.session.ask(|client, now| client.publish(&empty, now)) {
            self.say(&format!("the retained message on {topic} stays: {refused}"));
        }
    }

    fn note(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Subscribed(reasons) => {
                if reasons.iter().all(|reason| reason.is_error()) {
                    self.fail(reasons.first().copied().unwrap_or(ReasonCode::UNSPECIFIED_ERROR));
                } else if let Some(reason) = reasons.iter().find(|reason| reason.is_error()) {
                    self.say(&format!(
                        "the broker refused a subscription: {reason}; going on with the others"
                    ));
                }
            }
            Outcome::Unsubscribed(reasons) => {
                if let Some(reason) = reasons.iter().find(|reason| reason.is_error()) {
                    self.say(&format!("the broker refused to unsubscribe: {reason}"));
                }
            }
            Outcome::Published(reason) if reason.is_error() => {
                self.say(&format!("the broker refused to remove a retained message: {reason}"));
            }
            Outcome::Published(_) => {}
            Outcome::Dropped(reason) => self.fail(equivalent(reason)),
        }
        if self.selection.exit_after_subscribing && self.session.outstanding() == 0 {
            self.over = true;
        }
    }

    fn fail(&mut self, reason: ReasonCode) {
        self.failure.get_or_insert(Failure::NoSubscription { reason });
        self.over = true;
    }

    fn leave(&mut self) {
        if !core::mem::replace(&mut self.leaving, true) {
            self.session.disconnect();
        }
    }

    fn say(&self, what: &str) {
        if !self.quiet {
            report(&what);
        }
    }
}

impl Selection {
    fn wants(&self, message: &Message) -> bool {
        let name = TopicName::assume_valid(message.topic());
        let filtered = self.filter_out.iter().any(|filter| TopicFilter::assume_valid(filter).matches(name));
        let stale = self.no_retained && message.retain;
        !filtered && !stale
    }

    /// Rolls the dice.
    fn is_left_out(&mut self) -> bool {
        let draw = |random: &mut Random| f64::from(random.next_u32()) * 100.0 / f64::from(u32::MAX);
        self.chance.as_mut().is_some_and(|(chance, random)| draw(random) > *chance)
    }

    fn count(&mut self) {
        self.left = self.left.map(|left| left.saturating_sub(1));
    }
}

async fn at(instant: Option<Instant>, clock: Clock) {
    match instant {
        Some(instant) => sleep_until(clock.timer(instant)).await,
        None => pending().await,
    }
}
