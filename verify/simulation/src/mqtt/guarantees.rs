//! What MQTT promises (MQTT 5 §4.3, §4.6, §3.3.1.3, §3.1.2.5, §4.8.2), held against what the clients saw.
//!
//! A subscription surely covers a message when its SUBACK had come before the message was sent for the first time, and the
//! message was acknowledged before anybody took the subscription back. What a session that ends with its connection gets is
//! promised only as long as the connection lasts.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use machine::Instant;
use mqtt_codec::QoS;

use super::ledger::{Delivered, Fate, Ledger, Published, Span, WillRecord};
use super::pattern::{matches, split_shared};
use super::scenario::{NEVER, Scenario};

struct Check<'a> {
    ledger: &'a Ledger,
    scenario: &'a Scenario,
    now: Instant,
    /// By message.
    copies: BTreeMap<usize, Vec<Delivered>>,
    problems: Vec<String>,
    lost: u64,
}

/// What was promised and not kept; `dropped` messages may be lost in a lossy scenario.
pub(crate) fn check(ledger: &Ledger, scenario: &Scenario, dropped: u64, now: Instant) -> Vec<String> {
    let mut copies = BTreeMap::<_, Vec<_>>::new();
    for delivered in ledger.delivered.iter().filter(|delivered| !delivered.retain && !delivered.revoked) {
        copies.entry(delivered.number).or_default().push(*delivered);
    }
    let mut check = Check { ledger, scenario, now, copies, problems: Vec::new(), lost: 0 };
    for (number, message) in ledger.published.iter().enumerate() {
        if let Some(sent) = message.sent {
            check.message(number, message, sent);
        }
    }
    for will in &ledger.wills {
        check.will(will);
    }
    for span in &ledger.spans {
        check.retained_at_subscribe(span);
    }
    check.order();
    if scenario.lossy {
        let lost = check.lost;
        if lost > dropped && ledger.crashes.is_empty() {
            check.problems.push(format!("{lost} messages lost, but the broker counts {dropped}"));
        }
    }
    check.problems
}

impl<'a> Check<'a> {
    fn message(&mut self, number: usize, message: &'a Published, sent: Instant) {
        let mut groups = BTreeSet::new();
        for client in 0..self.scenario.clients.len() {
            let spans: Vec<&Span> = self.matching(client, message).collect();
            let copies = self.copies_for(number, client);
            self.each_copy_has_a_reason(number, sent, &spans, &copies);
            self.no_copy_too_many(number, message, client, &copies);
            let sure = spans.iter().filter(|span| !is_shared(span) && self.is_sure(span, message, sent));
            let qos = sure.map(|span| span.qos.min(message.qos)).max();
            self.enough(number, message, qos, &format!("client {client}"), &copies);
            groups.extend(spans.into_iter().filter(|span| is_shared(span)).map(|span| span.filter.as_str()));
        }
        for group in groups {
            self.group(number, message, sent, group);
        }
    }

    /// A shared subscription: one member gets it.
    fn group(&mut self, number: usize, message: &Published, sent: Instant, group: &str) {
        let members: Vec<&Span> = self.ledger.spans.iter().filter(|span| span.filter == group).collect();
        let copies: Vec<Delivered> = members
            .iter()
            .map(|span| span.client)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .flat_map(|client| self.copies_for(number, client))
            .collect();
        let lasting = members.iter().all(|span| self.lasts(span.client));
        let sure = members.iter().filter(|span| self.lasts(span.client) && self.is_sure(span, message, sent));
        let qos = sure.map(|span| span.qos.min(message.qos)).max();
        // What a session that ended had begun to receive with QoS 2 goes to nobody else [MQTT-4.8.2-5].
        let qos = qos.filter(|qos| lasting || (*qos < QoS::ExactlyOnce && self.ledger.crashes.is_empty()));
        self.enough(number, message, qos, group, &copies);
        let exactly = copies.iter().filter(|copy| copy.qos == QoS::ExactlyOnce).count();
        if exactly > 1 && !message.doubtful && (lasting || self.ledger.crashes.is_empty()) {
            self.problem(number, &format!("{exactly} members of {group} got it with QoS 2"));
        }
    }

    /// At least once, with no less than the QoS that was granted.
    fn enough(
        &mut self,
        number: usize,
        message: &Published,
        qos: Option<QoS>,
        whom: &str,
        copies: &[Delivered],
    ) {
        let Some(qos) = qos.filter(|qos| *qos > QoS::AtMostOnce) else { return };
        if message.expiry.is_some() || message.payload.is_empty() {
            return;
        }
        if copies.is_empty() {
            self.lost += 1;
            if !self.scenario.lossy {
                self.problem(number, &format!("{whom} did not get it, though {qos:?} was promised"));
            }
        }
        if let Some(copy) = copies.iter().find(|copy| copy.qos < qos && !message.repeated) {
            self.problem(number, &format!("{whom} got it with {:?} instead of {qos:?}", copy.qos));
        }
    }

    /// Exactly once with QoS 2, and at most once with QoS 0 (unless the publisher repeated it, or the broker forgot).
    fn no_copy_too_many(&mut self, number: usize, message: &Published, client: usize, copies: &[Delivered]) {
        let count = |qos| copies.iter().filter(|copy| copy.qos == qos).count();
        let remembered = (self.ledger.crashes.is_empty() || self.lasts(client)) && !message.doubtful;
        if count(QoS::ExactlyOnce) > 1 && remembered {
            self.problem(number, &format!("client {client} got it {} times with QoS 2", copies.len()));
        }
        let repeated = message.qos == QoS::AtLeastOnce || !self.ledger.crashes.is_empty();
        if count(QoS::AtMostOnce) > 1 && !repeated {
            self.problem(number, &format!("client {client} got it {} times with QoS 0", copies.len()));
        }
    }

    fn each_copy_has_a_reason(
        &mut self,
        number: usize,
        sent: Instant,
        spans: &[&Span],
        copies: &[Delivered],
    ) {
        for copy in copies {
            let covered = spans.iter().any(|span| {
                span.asked <= copy.at && span.gone.is_none_or(|gone| gone >= sent) && span.qos >= copy.qos
            });
            if !covered {
                self.problem(number, &format!("client {} got it without a subscription", copy.client));
            }
        }
    }

    /// A new subscriber gets the retained message that was there before and stayed.
    fn retained_at_subscribe(&mut self, span: &Span) {
        let settled =
            span.granted.is_some() && span.leaving.is_none() && !span.discarded && self.lasts(span.client);
        // What was still to be sent for a new subscription does not survive a crash.
        if !settled || is_shared(span) || !self.ledger.crashes.is_empty() {
            return;
        }
        for topic in retained_topics(self.ledger).iter().filter(|topic| matches(&span.filter, topic)) {
            let published = self.ledger.published.iter().enumerate();
            let mut of_topic = published.filter(|(_, message)| message.retain && message.topic == *topic);
            let Some((number, last)) = of_topic.next_back() else {
                continue;
            };
            let there = matches!(last.fate, Fate::Acknowledged(at) if at < span.asked);
            let there = there && !is_repeated(self.ledger, topic);
            let qos = span.qos.min(last.qos);
            let copies: Vec<_> = self
                .ledger
                .delivered
                .iter()
                .filter(|copy| {
                    copy.client == span.client && copy.number == number && copy.retain && !copy.revoked
                })
                .filter(|copy| copy.at > span.asked && copy.qos == qos)
                .copied()
                .collect();
            let qos = Some(qos).filter(|_| there);
            self.enough(number, last, qos, &format!("as retained: client {}", span.client), &copies);
        }
    }

    /// A will is published when the connection ended without DISCONNECT and the client stayed away for its delay.
    fn will(&mut self, will: &WillRecord) {
        let message = &self.ledger.published[will.number];
        let (Some(accepted), Some(ended)) = (will.accepted, will.ended) else { return };
        let delay = Duration::from_secs(u64::from(will.delay));
        // The broker may notice later, and do so when it is up again.
        let faults = &self.scenario.faults;
        let latest = ended + delay + faults.weather.notice + faults.downtime + faults.lateness;
        let away = delay.is_zero() || will.returned.unwrap_or(self.now) > latest + Duration::from_secs(1);
        let remembered = self.ledger.crashes.is_empty() || self.lasts(message.client);
        let due = !will.taken_back && away && remembered;
        for client in 0..self.scenario.clients.len() {
            let copies = self.copies_for(will.number, client);
            self.no_copy_too_many(will.number, message, client, &copies);
            let spans = self.matching(client, message);
            let sure = spans.filter(|span| {
                let before = span.granted.is_some_and(|granted| granted < accepted);
                before && span.leaving.is_none() && !is_shared(span)
            });
            let qos = sure.map(|span| span.qos.min(message.qos)).max().filter(|_| due);
            self.enough(will.number, message, qos, &format!("will: client {client}"), &copies);
        }
    }

    /// What a publisher sends on one topic with one QoS comes in order, as far as it comes for the first time. A message
    /// that was routed twice counts only where its first copy cannot have been lost. Shared subscriptions keep no order
    /// between members.
    fn order(&mut self) {
        let mut last = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for copy in self.ledger.delivered.iter().filter(|copy| !copy.retain && !copy.revoked) {
            let message = &self.ledger.published[copy.number];
            let Some(sent) = message.sent.filter(|_| seen.insert((copy.client, copy.number))) else {
                continue;
            };
            let routed_once = message.qos != QoS::AtLeastOnce && self.ledger.crashes.is_empty();
            let kept = || {
                // A copy with QoS 0 can: the first that came may then be of a repetition.
                let mut spans = self.matching(copy.client, message).filter(|span| span.qos > QoS::AtMostOnce);
                let sure = spans.any(|span| self.is_sure(span, message, sent));
                sure && copy.qos > QoS::AtMostOnce && self.lasts(copy.client) && !self.scenario.lossy
            };
            if self.matching(copy.client, message).any(is_shared) || !(routed_once || kept()) {
                continue;
            }
            let flow = (copy.client, message.client, &message.topic, message.qos, copy.qos);
            if let Some(before) = last.insert(flow, copy.number)
                && before > copy.number
            {
                self.problems.push(format!("client {} got {before} before {}", copy.client, copy.number));
            }
        }
    }

    fn matching(&self, client: usize, message: &'a Published) -> impl Iterator<Item = &'a Span> + use<'a> {
        let spans = self.ledger.spans.iter().filter(move |span| span.client == client);
        spans.filter(|span| matches(split_shared(&span.filter).1, &message.topic))
    }

    fn copies_for(&self, number: usize, client: usize) -> Vec<Delivered> {
        let copies = self.copies.get(&number).map_or(&[][..], Vec::as_slice);
        copies.iter().filter(|copy| copy.client == client).copied().collect()
    }

    fn is_sure(&self, span: &Span, message: &Published, sent: Instant) -> bool {
        let Fate::Acknowledged(at) = message.fate else { return false };
        let kept = match span.leaving {
            None => true,
            Some(leaving) => at <= leaving && self.lasts(span.client),
        };
        kept && !span.discarded && span.granted.is_some_and(|granted| granted < sent)
    }

    /// Whether the client's session outlives its connections and the broker.
    fn lasts(&self, client: usize) -> bool {
        self.scenario.clients[client].expiry == NEVER
    }

    fn problem(&mut self, number: usize, what: &str) {
        let message = &self.ledger.published[number];
        let text = format!("message {number} on {} with {:?}: {what}", message.topic, message.qos);
        self.problems.push(text);
    }
}

fn is_shared(span: &Span) -> bool {
    split_shared(&span.filter).0.is_some()
}

/// Every topic that ever had a retained message.
pub(crate) fn retained_topics(ledger: &Ledger) -> Vec<String> {
    let retained = ledger.published.iter().filter(|message| message.retain);
    retained.map(|message| message.topic.clone()).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Whether a publisher crashed and sent an old message of this topic again, perhaps after its last one.
fn is_repeated(ledger: &Ledger, topic: &str) -> bool {
    ledger.published.iter().any(|message| message.repeated && message.topic == topic)
}

/// A new subscriber to everything got of each topic the message that was published last, and nothing else.
pub(crate) fn check_retained(ledger: &Ledger, probe: usize) -> Vec<String> {
    let mut problems = Vec::new();
    for topic in retained_topics(ledger) {
        let published = ledger.published.iter().enumerate();
        let mut of_topic = published.filter(|(_, message)| message.retain && message.topic == topic);
        let Some((number, last)) = of_topic.next_back() else { continue };
        let Fate::Acknowledged(_) = last.fate else { continue };
        if is_repeated(ledger, &topic) {
            continue;
        }
        let expected: &[usize] = if last.payload.is_empty() { &[] } else { &[number] };
        let got: Vec<_> = ledger
            .delivered
            .iter()
            .filter(|copy| {
                copy.client == probe && copy.retain && ledger.published[copy.number].topic == topic
            })
            .map(|copy| copy.number)
            .collect();
        if got != expected {
            problems.push(format!("retained on {topic}: {got:?} instead of {expected:?}"));
        }
    }
    problems
}
