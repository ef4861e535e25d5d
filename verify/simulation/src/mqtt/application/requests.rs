//! What an application asks of its client, and how that ends.

use machine::Instant;
use mqtt_codec::{Properties, Property, QoS, ReasonCode, SubscriptionOptions};
use mqtt_core::client::{Client, DropReason, Handle, Outcome};
use mqtt_core::{Publication, Refused};

use super::super::ledger::{Fate, Ledger, Published, Span, payload};
use super::{Application, Task};

impl Application {
    pub(super) fn publish(
        &mut self,
        (topic, qos, retain): (&str, QoS, bool),
        size: usize,
        expiry: Option<u32>,
        now: Instant,
        ledger: &mut Ledger,
    ) {
        let payload = payload(ledger.published.len(), size);
        let properties: Vec<_> = expiry.map(Property::MessageExpiryInterval).into_iter().collect();
        let publication = Publication {
            topic,
            qos,
            retain,
            properties: Properties::list(&properties),
            payload: payload.as_bytes(),
        };
        let handle = self.client.as_mut().map(|client| client.publish(&publication, now));
        let number = ledger.publish(Published {
            client: self.index,
            topic: topic.to_owned(),
            qos,
            retain,
            payload,
            expiry,
            // Not before, at least.
            sent: handle.is_some().then_some(now),
            fate: Fate::Open,
            repeated: false,
            doubtful: false,
        });
        if handle.is_none() || qos == QoS::AtMostOnce {
            ledger.give_up(number);
        }
        self.asked(handle, Task::Publish(number), now, ledger);
    }

    /// Makes a subscription, in place of one with the same filter.
    pub(super) fn want(&mut self, filter: &str, qos: QoS, now: Instant, ledger: &mut Ledger) {
        let place = self.open_span(filter, qos, now, ledger);
        let filters = [(filter, SubscriptionOptions::qos(qos))];
        let subscribe = |client: &mut Client| client.subscribe(&filters, Properties::NONE, now);
        let handle = self.client.as_mut().map(subscribe);
        self.asked(handle, Task::Subscribe(place), now, ledger);
    }

    pub(super) fn unsubscribe(&mut self, filter: &str, now: Instant, ledger: &mut Ledger) {
        if let Some(place) = self.filters.remove(filter) {
            ledger.spans[place].leaving.get_or_insert(now);
            self.leaving.push(place);
            self.take_back(place, now, ledger);
        }
    }

    /// Nothing says any more that these subscriptions are gone: if the session is lost, too, the client makes them again.
    pub(super) fn forget_what_left(&mut self, ledger: &mut Ledger) {
        let survive = self.notebook.len();
        for (_, place) in self.left.extract_if(.., |(record, _)| *record > survive) {
            ledger.spans[place].gone = None;
            if !self.filters.contains_key(&ledger.spans[place].filter) {
                self.leaving.push(place);
            }
        }
    }

    /// A client that has come back knows messages, but no requests.
    pub(super) fn request_all_again(&mut self, now: Instant, ledger: &mut Ledger) {
        for place in self.leaving.clone() {
            self.take_back(place, now, ledger);
        }
        self.subscribe_again(now, ledger, |_, _| true);
    }

    /// The subscriptions are gone with the session: they are made again by the client, or here.
    pub(super) fn session_lost(&mut self, now: Instant, ledger: &mut Ledger) {
        let mut pending: Vec<_> = self.tasks.values().copied().collect();
        // What is being replaced may be made again before that, too.
        let replaced = pending.iter().filter_map(|task| match task {
            Task::Subscribe(place) => ledger.spans[*place].replaces.map(Task::Unsubscribe),
            _ => None,
        });
        pending.extend(replaced.collect::<Vec<_>>());
        let spans = ledger.spans.iter_mut().enumerate().filter(|(_, span)| span.client == self.index);
        for (place, span) in spans {
            // Those that are still asked for will be, those that are being taken back may be made again before that.
            if !pending.contains(&Task::Subscribe(place)) && !pending.contains(&Task::Unsubscribe(place)) {
                span.leaving.get_or_insert(now);
                span.gone.get_or_insert(now);
            }
        }
        if self.options.resubscribe {
            let lost: Vec<_> = self.filters.iter().map(|(filter, place)| (filter.clone(), *place)).collect();
            for (filter, place) in lost {
                let Span { qos, gone, .. } = ledger.spans[place];
                if gone.is_some() {
                    self.open_span(&filter, qos, now, ledger);
                }
            }
        } else {
            self.subscribe_again(now, ledger, |ledger, place| ledger.spans[place].gone.is_some());
        }
    }

    /// The session may have expired, and an unanswered CONNECT may have begun the one that there is now: nobody can tell.
    pub(super) fn doubt_session(&mut self, now: Instant, ledger: &mut Ledger) {
        for span in ledger.spans.iter_mut().filter(|span| span.client == self.index && span.granted.is_some())
        {
            span.leaving.get_or_insert(now);
        }
        for task in self.tasks.values() {
            if let Task::Publish(number) = task {
                ledger.published[*number].doubtful = true;
            }
        }
    }

    pub(super) fn completed(&mut self, handle: Handle, outcome: &Outcome, now: Instant, ledger: &mut Ledger) {
        match (self.tasks.remove(&handle), outcome) {
            (Some(Task::Publish(number)), Outcome::Published(reason)) if !reason.is_error() => {
                let fate = &mut ledger.published[number].fate;
                if *fate == Fate::Open {
                    *fate = Fate::Acknowledged(now);
                }
            }
            (Some(Task::Publish(number)), Outcome::Dropped(DropReason::SessionLost)) => {
                let by_rule = ledger.published[number].qos == QoS::ExactlyOnce;
                if !by_rule || (self.spec.expiry == super::NEVER && ledger.crashes.is_empty()) {
                    self.fault(now, ledger, &format!("lost message {number} for no reason"));
                }
                ledger.give_up(number);
                ledger.session_lost += 1;
            }
            (Some(Task::Subscribe(place)), Outcome::Subscribed(reasons)) => {
                let span = &mut ledger.spans[place];
                span.granted = Some(now);
                let granted = ReasonCode::new(span.qos as u8);
                if let Some(before) = span.replaces {
                    ledger.spans[before].gone.get_or_insert(now);
                }
                if *reasons != [granted] {
                    self.fault(now, ledger, &format!("was refused a subscription: {reasons:?}"));
                }
            }
            (Some(Task::Unsubscribe(place)), Outcome::Unsubscribed(_)) => {
                ledger.spans[place].gone.get_or_insert(now);
                self.leaving.retain(|leaving| *leaving != place);
                // The record of it comes next.
                self.left.push((self.notebook.len() + 1, place));
            }
            (task, outcome) => {
                self.fault(now, ledger, &format!("was told {outcome:?} about {handle:?}, which is {task:?}"));
            }
        }
    }

    /// While it is down it asks for nothing; a subscription is then asked for afterwards.
    fn asked(
        &mut self,
        handle: Option<Result<Handle, Refused>>,
        task: Task,
        now: Instant,
        ledger: &mut Ledger,
    ) {
        match handle {
            None => {}
            Some(Ok(handle)) => {
                if let Some(before) = self.tasks.insert(handle, task) {
                    self.fault(now, ledger, &format!("was given {handle:?} of {before:?} for {task:?}"));
                }
            }
            Some(Err(refused)) => self.fault(now, ledger, &format!("{task:?}: {refused}")),
        }
        self.drain(now, ledger);
    }

    fn take_back(&mut self, place: usize, now: Instant, ledger: &mut Ledger) {
        let filter = ledger.spans[place].filter.clone();
        let unsubscribe = |client: &mut Client| client.unsubscribe(&[&filter], Properties::NONE, now);
        let handle = self.client.as_mut().map(unsubscribe);
        self.asked(handle, Task::Unsubscribe(place), now, ledger);
    }

    fn subscribe_again(&mut self, now: Instant, ledger: &mut Ledger, which: impl Fn(&Ledger, usize) -> bool) {
        let filters: Vec<_> = self.filters.iter().map(|(filter, place)| (filter.clone(), *place)).collect();
        for (filter, place) in filters {
            if which(ledger, place) {
                self.want(&filter, ledger.spans[place].qos, now, ledger);
            }
        }
    }

    fn open_span(&mut self, filter: &str, qos: QoS, now: Instant, ledger: &mut Ledger) -> usize {
        let place = ledger.spans.len();
        let replaces = self.filters.insert(filter.to_owned(), place);
        if let Some(before) = replaces {
            ledger.spans[before].leaving.get_or_insert(now);
        }
        ledger.spans.push(Span {
            client: self.index,
            filter: filter.to_owned(),
            qos,
            asked: now,
            granted: None,
            leaving: None,
            gone: None,
            replaces,
            discarded: false,
        });
        place
    }
}
