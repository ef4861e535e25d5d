//! What the applications may expect, held against what they did and saw.
//!
//! Where MQTT-SN cannot promise anything, nothing is expected: see the README.

use machine::Instant;
use mqtt_codec::ProtocolVersion;
use mqttsn_codec::QoS;
use mqttsn_core::client::Outcome;
use mqttsn_core::gateway::{Counters, Mode};

use super::ledger::{Ledger, Message, Sender, Subscription};
use super::scenario::{GatewaySpec, Op, Scenario};
use crate::mqtt::pattern::matches;
use crate::net::datagram::Fates;

/// How much was expected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Obligations {
    /// Messages of clients that had to come to the broker.
    pub up: usize,
    /// Messages of clients that were not to come twice.
    pub up_once: usize,
    /// Messages that had to come to a subscriber.
    pub down: usize,
    /// Messages that were not to come to a subscriber twice.
    pub down_once: usize,
}

struct Check<'a> {
    ledger: &'a Ledger,
    scenario: &'a Scenario,
    aggregating: bool,
    /// One datagram can arrive so often.
    copies: usize,
    count: Obligations,
    problems: Vec<String>,
    /// Messages that had to come to a subscriber and did not.
    missing: Vec<String>,
    /// Messages with QoS 2 that had to come to the broker and did not.
    missing_up: Vec<String>,
}

/// Whatever was broken.
pub(super) fn check(
    ledger: &Ledger,
    scenario: &Scenario,
    counters: &[Counters],
    fates: &Fates,
) -> (Vec<String>, Obligations) {
    let hops = if scenario.clients.iter().any(|client| client.forwarded) { 2 } else { 1 };
    let mut check = Check {
        ledger,
        scenario,
        aggregating: scenario.gateways[0].config.mode == Mode::Aggregating,
        copies: if fates.doubled > 0 { 1 << hops } else { 1 },
        count: Obligations::default(),
        problems: Vec::new(),
        missing: Vec::new(),
        missing_up: Vec::new(),
    };
    for (number, message) in ledger.messages.iter().enumerate() {
        check.up(number, message);
        for client in 0..scenario.clients.len() {
            check.down(number, message, client);
        }
    }
    check.wills();
    let uncertain: u64 = counters.iter().map(|counters| counters.uncertain).sum();
    if check.missing_up.len() as u64 > uncertain {
        check.problems.append(&mut check.missing_up);
    }
    let dropped: u64 = counters.iter().map(|c| c.dropped() - c.dropped_qos0 - c.dropped_session_ended).sum();
    if check.missing.len() as u64 > dropped {
        check.problems.push(format!("{dropped} messages were dropped"));
        check.problems.append(&mut check.missing);
    }
    (check.problems, check.count)
}

impl Check<'_> {
    /// From a client to the broker.
    fn up(&mut self, number: usize, message: &Message) {
        let times = message.observed.len();
        let what = format!("{number} {message:?}");
        match message.sender {
            Sender::Broker if times != 1 => self.problems.push(format!("came {times} times: {what}")),
            Sender::Broker => {}
            Sender::MinusOne(_) => self.at_most(self.copies, times, &what),
            Sender::Client(client) => match (message.qos, message.end) {
                (QoS::AtMostOnce, _) => self.at_most(self.copies, times, &what),
                (_, None) => self.problems.push(format!("was never done with: {what}")),
                (qos, Some((at, outcome))) => {
                    if outcome == Outcome::Published {
                        self.count.up += 1;
                        if times == 0 && !(qos == QoS::ExactlyOnce && self.shares_session(client)) {
                            let list = if qos == QoS::ExactlyOnce {
                                &mut self.missing_up
                            } else {
                                &mut self.problems
                            };
                            list.push(format!("was acknowledged and never came: {what}"));
                        }
                    } else if qos == QoS::AtLeastOnce || outcome != Outcome::Interrupted {
                        self.problems.push(format!("ended with {outcome:?}: {what}"));
                    }
                    let forgotten = self.restarted(message.at, Some(at))
                        || self.woke(client, message.at, at)
                        || self.shares_session(client);
                    if qos == QoS::ExactlyOnce && !forgotten {
                        self.count.up_once += 1;
                        self.at_most(1, times, &what);
                    }
                }
            },
        }
    }

    /// From the broker to a client.
    fn down(&mut self, number: usize, message: &Message, client: usize) {
        let copies: Vec<_> = message.received.iter().filter(|(receiver, ..)| *receiver == client).collect();
        let what = || format!("{number} for client {client}: {message:?}");
        let Some(&observed) = message.observed.first() else {
            if !copies.is_empty() {
                self.problems.push(format!("came to a client, but not to the broker: {}", what()));
            }
            return;
        };
        let all: Vec<_> = self
            .ledger
            .subscriptions
            .iter()
            .filter(|subscription| {
                subscription.client == client && matches(subscription.filter, message.topic)
            })
            .collect();
        let last = copies.last().map_or(observed, |(_, at, _)| *at);
        if !copies.is_empty() && !all.iter().any(|subscription| subscription.at <= last) {
            self.problems.push(format!("came without a subscription: {}", what()));
        }
        if copies.iter().any(|(_, _, qos)| *qos > message.qos) {
            self.problems.push(format!("came with a QoS that it does not have: {}", what()));
        }
        // Nothing that a gateway which the client has left could undo; and that is told that another one has the session.
        let told = |spec: &GatewaySpec| spec.config.upstream.version == ProtocolVersion::V5;
        let plain = self.scenario.gateways.iter().all(told)
            && all.iter().all(|one| one.leaving.is_none() && one.qos.min(message.qos) < QoS::ExactlyOnce);
        let reliable = |subscription: &&&Subscription| subscription.qos > QoS::AtMostOnce;
        let due = all.iter().filter(reliable).find(|one| self.must_come(one, plain, observed));
        if let Some(due) = due.filter(|_| message.qos > QoS::AtMostOnce) {
            self.count.down += 1;
            if copies.is_empty() {
                self.missing.push(format!("never came, to {due:?}: {}", what()));
            }
        }
        let [first, rest @ ..] = &all[..] else { return };
        let single = rest.iter().all(|other| (other.filter, other.qos) == (first.filter, first.qos));
        match first.qos.min(message.qos) {
            // Before it stands, a message may come with the QoS that others have.
            QoS::ExactlyOnce
                if single
                    && first.stands.is_some_and(|stands| stands <= observed)
                    && !self.may_come_twice(client, observed) =>
            {
                self.count.down_once += 1;
                self.at_most(message.observed.len(), copies.len(), &what());
            }
            // A gateway that aggregates may have it with QoS 1, for others, and twice.
            QoS::AtMostOnce
                if single
                    && !self.may_come_twice(client, observed)
                    && !(self.aggregating && self.is_cut()) =>
            {
                self.at_most(message.observed.len() * self.copies, copies.len(), &what());
            }
            _ => {}
        }
    }

    /// Whether a message that the broker got then must come because of this subscription.
    fn must_come(&self, subscription: &Subscription, plain: bool, observed: Instant) -> bool {
        let Some(stands) = subscription.stands.filter(|stands| *stands <= observed) else { return false };
        if subscription.leaving.is_some() || subscription.end.is_some() {
            return false;
        }
        let client = subscription.client;
        let spec = &self.scenario.clients[client];
        let connections = &self.ledger.connections[client];
        let again = connections.iter().any(|connection| connection.at > stands);
        match (spec.clean, self.aggregating) {
            // The session ends with each connection, and with the gateway's patience.
            (true, true) => !again && !self.restarted(stands, None),
            (true, false) => {
                let shared = self.shares_session(client) && !plain;
                !again && !shared && !self.restarted(stands, None) && !self.link_may_end_session()
            }
            (false, true) => !self.restarted(stands, None) && !self.elsewhere(client, stands),
            // The session is the broker's.
            (false, false) => plain || !self.shares_session(client),
        }
    }

    /// Whether a message that the broker got then may come to this client twice, whatever its QoS.
    fn may_come_twice(&self, client: usize, observed: Instant) -> bool {
        let connections = &self.ledger.connections[client];
        let again = connections.iter().any(|connection| connection.at >= observed);
        let elsewhere = self.elsewhere(client, Instant::EPOCH);
        self.restarted(observed, None) || elsewhere || (self.scenario.clients[client].clean && again)
    }

    /// Whether a client was let in by another gateway than before, after this.
    fn elsewhere(&self, client: usize, since: Instant) -> bool {
        let connections = &self.ledger.connections[client];
        connections.windows(2).any(|pair| pair[1].at >= since && pair[0].gateway != pair[1].gateway)
    }

    /// Whether two transparent gateways may have used the client's session at the broker: neither knows what the other one has
    /// sent and received with QoS 2.
    fn shares_session(&self, client: usize) -> bool {
        !self.aggregating && self.ledger.asked[client].len() > 1
    }

    /// Whether a gateway began anew, or ended, in this time.
    fn restarted(&self, since: Instant, until: Option<Instant>) -> bool {
        self.ledger.restarts.iter().any(|(_, at)| *at >= since && until.is_none_or(|until| *at <= until))
    }

    /// Whether the loss of a connection to the broker may cost a client its clean session.
    fn link_may_end_session(&self) -> bool {
        let patient = self.scenario.gateways.iter().all(|spec| {
            let upstream = &spec.config.upstream;
            upstream.version == ProtocolVersion::V5 && upstream.link_grace >= 3600
        });
        !patient && self.is_cut()
    }

    /// Whether connections to the broker are lost.
    fn is_cut(&self) -> bool {
        let cut = |(_, op): &(_, Op)| matches!(op, Op::CutUpstream(_) | Op::Outage(..));
        self.scenario.upstream.cut_per_mille > 0 || self.scenario.ops.iter().any(cut)
    }

    /// Whether a client with a clean session woke up in this time: the gateway may have ended its session before.
    fn woke(&self, client: usize, since: Instant, until: Instant) -> bool {
        let mut connections = self.ledger.connections[client].iter();
        self.scenario.clients[client].clean
            && connections.any(|connection| connection.woke && (since..=until).contains(&connection.at))
    }

    fn wills(&mut self) {
        for client in &self.ledger.wills {
            if !self.scenario.clients.get(*client).is_some_and(|spec| spec.will) {
                self.problems.push(format!("client {client} has no will"));
            }
        }
    }

    fn at_most(&mut self, most: usize, times: usize, what: &str) {
        if times > most {
            self.problems.push(format!("came {times} times: {what}"));
        }
    }
}

/// After a calm, every subscription works.
pub(super) fn check_probes(ledger: &Ledger, probes: &[usize]) -> Vec<String> {
    let mut problems = Vec::new();
    for (place, subscription) in ledger.subscriptions.iter().enumerate() {
        let works = subscription.stands.is_some() && subscription.leaving.is_none();
        if !works || subscription.end.is_some() {
            continue;
        }
        for &number in probes {
            let message = &ledger.messages[number];
            if !matches(subscription.filter, message.topic) {
                continue;
            }
            let times = message.received.iter().filter(|(client, ..)| *client == subscription.client).count();
            let same = |other: &&Subscription| {
                other.client == subscription.client && matches(other.filter, message.topic)
            };
            let single = ledger.subscriptions.iter().filter(same).count() == 1;
            if times == 0 || (single && times > 1) {
                problems.push(format!("in the calm {number} came {times} times to {place} {subscription:?}"));
            }
        }
    }
    problems
}
