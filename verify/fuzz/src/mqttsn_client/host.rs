//! A host that does what its client says, and looks at all that it says.

use core::fmt::Debug;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use machine::Instant;
use mqttsn_codec::{Packet, QoS, ReturnCode};
use mqttsn_core::client::{Action, Client, Config, Counters, Handle, Input, Outcome, Refused, State};

use super::application::may_end;
use super::ledger::Ledger;
use super::messages;

/// How many of the last datagrams can be answered.
const KEPT: usize = 6;
/// More than a client has to do at once within the limits here.
const MOST_ACTIONS: usize = 400;

pub(super) struct Host {
    pub(super) client: Client<u8>,
    pub(super) now: Instant,
    pub(super) ledger: Ledger,
    /// What the client sent last, and to whom; 0 is everybody.
    pub(super) sent: Vec<(u8, Vec<u8>)>,
    open: BTreeMap<Handle, Kind>,
    /// Subscriptions that stand: they may be rejected once more.
    standing: BTreeSet<Handle>,
    ended: BTreeSet<Handle>,
    before: Counters,
    pub(super) reports: Reports,
    /// Everything that came out, for comparison with another run.
    history: DefaultHasher,
}

/// How often what was called, sent and reported, by name.
pub type Reports = BTreeMap<String, u64>;

/// What a handle is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Publish(QoS),
    Subscribe,
    Unsubscribe,
    Register,
    Will,
}

impl Host {
    pub(super) fn new(config: Config<u8>, seed: u64, now: Instant) -> Self {
        let mut ledger = Ledger::default();
        ledger.told.extend(&config.gateways);
        Self {
            client: Client::new(config, seed, now),
            now,
            ledger,
            sent: Vec::new(),
            open: BTreeMap::new(),
            standing: BTreeSet::new(),
            ended: BTreeSet::new(),
            before: Counters::default(),
            reports: Reports::default(),
            history: DefaultHasher::new(),
        }
    }

    pub(super) fn receive(&mut self, from: u8, datagram: &[u8]) {
        self.ledger.receives(from, datagram);
        let expected = self.client.gateway() == Some(&from);
        self.client.handle(Input::Datagram { from, datagram }, self.now);
        self.settle(Some(datagram).filter(|_| expected));
    }

    pub(super) fn receive_from_gateway(&mut self, datagram: &[u8]) {
        if let Some(&gateway) = self.client.gateway() {
            self.receive(gateway, datagram);
        }
    }

    /// Time passes. Nothing that is due is left; a tick that comes too early, or again, changes nothing.
    pub(super) fn tick(&mut self, now: Instant) {
        self.now = self.now.max(now);
        let due = self.client.next_deadline();
        self.client.handle(Input::Tick, self.now);
        if due.is_none_or(|due| due > self.now) {
            self.assert_unchanged(due);
        }
        self.settle(None);
        let next = self.client.next_deadline();
        assert!(next.is_none_or(|next| next > self.now), "a deadline is left behind");
        self.client.handle(Input::Tick, self.now);
        self.assert_unchanged(next);
    }

    fn assert_unchanged(&mut self, deadline: Option<Instant>) {
        assert_eq!(self.client.poll_action(), None, "a tick of no use does something");
        assert_eq!(self.client.next_deadline(), deadline);
    }

    /// A call of the application that has no handle.
    pub(super) fn called(&mut self, name: &str, result: Result<(), Refused>) {
        self.ledger.starts_anew(false);
        self.report(result.map_or_else(|refused| format!("{refused:?}"), |()| name.into()));
        self.settle(None);
    }

    /// A call of the application that has one.
    pub(super) fn began(&mut self, handle: Result<Handle, Refused>, kind: Kind) {
        self.ledger.starts_anew(false);
        match handle {
            Ok(handle) => {
                assert!(
                    !self.ended.contains(&handle) && !self.standing.contains(&handle),
                    "{handle:?} again"
                );
                assert!(self.open.insert(handle, kind).is_none(), "{handle:?} again");
            }
            Err(refused) => {
                assert!(matches!(refused, Refused::Full | Refused::TooLong | Refused::InvalidTopic));
                self.report(format!("{refused:?}"));
            }
        }
        self.settle(None);
    }

    /// Takes everything that the client says; then looks at the client. `datagram`: what it got from its gateway.
    fn settle(&mut self, datagram: Option<&[u8]>) {
        let packet = datagram.and_then(|datagram| Packet::decode(datagram).ok());
        let mut actions = 0;
        while let Some(action) = self.client.poll_action() {
            format!("{action:?}").hash(&mut self.history);
            self.report(name(&action));
            self.take(action, packet.as_ref());
            actions += 1;
        }
        assert!(actions <= MOST_ACTIONS, "{actions} actions at once");
        self.check_numbers();
    }

    fn take(&mut self, action: Action<u8>, packet: Option<&Packet<'_>>) {
        match action {
            Action::Send { to, datagram } => {
                self.ledger.sends(to, &datagram, self.client.config());
                self.keep(to, datagram.to_vec());
            }
            Action::Broadcast { radius, datagram } => {
                self.ledger.broadcasts(radius, &datagram, self.client.config());
                self.keep(0, datagram.to_vec());
            }
            Action::Message(message) => {
                let Some(Packet::Publish(publish)) = packet else { panic!("{message:?} out of nothing") };
                let (qos, dup) = (publish.delivery.qos(), publish.delivery.dup());
                assert_eq!((message.qos, message.retain, message.dup), (qos, publish.retain, dup));
                assert_eq!(message.data, publish.data);
            }
            Action::Connected { gateway, .. } => {
                assert!(matches!(packet, Some(Packet::ConnAck(ReturnCode::ACCEPTED))), "let in by nobody");
                assert!(self.ledger.told.contains(&gateway));
                self.ledger.starts_anew(true);
            }
            Action::Disconnected { .. } | Action::Asleep => self.ledger.starts_anew(true),
            Action::Awake => self.ledger.starts_anew(false),
            Action::Completed { handle, outcome } => self.complete(handle, outcome),
            Action::GatewayFound { address, .. } | Action::GatewayLost { address, .. } => {
                assert!(self.ledger.told.contains(&address) && self.client.config().discovery);
            }
        }
    }

    fn keep(&mut self, to: u8, datagram: Vec<u8>) {
        self.sent.push((to, datagram));
        if self.sent.len() > KEPT {
            self.sent.remove(0);
        }
    }

    /// Each handle ends once; a subscription that stands may be rejected later.
    fn complete(&mut self, handle: Handle, outcome: Outcome) {
        if self.standing.remove(&handle) {
            assert!(matches!(outcome, Outcome::Rejected(_) | Outcome::Unanswered), "{outcome:?}");
        } else {
            let kind =
                self.open.remove(&handle).unwrap_or_else(|| panic!("{handle:?} ends twice: {outcome:?}"));
            let queue_qos0 = self.client.config().queue_qos0;
            assert!(may_end(kind, &short(&outcome), queue_qos0), "{kind:?} ends as {outcome:?}");
            if matches!(outcome, Outcome::Subscribed { .. }) {
                self.standing.insert(handle);
                return;
            }
        }
        self.ended.insert(handle);
    }

    fn check_numbers(&mut self) {
        let (config, counters) = (self.client.config(), self.client.counters());
        let messages = self.open.values().filter(|kind| matches!(kind, Kind::Publish(_))).count();
        assert_eq!(self.client.unfinished(), messages, "messages that have not ended");
        assert!(messages <= config.max_queued + 1, "{messages} messages");
        assert!(self.client.gateways().count() <= config.max_gateways);
        let wills = self.open.values().filter(|kind| **kind == Kind::Will).count();
        assert!(wills <= config.max_requests, "{wills} changes of the will");

        for ((name, before), (_, now)) in self.before.rows().into_iter().zip(counters.rows()) {
            assert!(now >= before, "{name} went from {before} to {now}");
        }
        self.before = counters;
    }

    fn report(&mut self, name: String) {
        *self.reports.entry(name).or_default() += 1;
    }

    pub(super) fn history(&self) -> u64 {
        self.history.finish()
    }

    /// All gateways are well and the network is, too: everything that the application asked for comes to its end. Then the
    /// client takes leave, and nothing waits for a time any more.
    pub(super) fn wind_up(&mut self) {
        if self.client.config().max_gateways == 0 || !self.connect() {
            return;
        }
        let mut steps = 0;
        self.sent.clear();
        while !(self.open.is_empty() && self.client.state() == State::Active) {
            self.go_on();
            if matches!(self.client.state(), State::Disconnected | State::Asleep) {
                assert!(self.connect());
            }
            steps += 1;
            assert!(steps < 10_000, "in state {:?} these never end: {:?}", self.client.state(), self.open);
        }
        self.client.disconnect(self.now);
        self.called("disconnect", Ok(()));
        while self.client.state() != State::Disconnected || self.client.next_deadline().is_some() {
            self.go_on();
            steps += 1;
            assert!(steps < 20_000, "it never comes to rest");
        }
    }

    /// Connects, be it without a will that does not fit.
    fn connect(&mut self) -> bool {
        let mut connected = self.client.connect(self.now);
        if matches!(connected, Err(Refused::InvalidTopic | Refused::TooLong)) {
            if let Ok(handle) = self.client.update_will(None, self.now) {
                self.began(Ok(handle), Kind::Will);
            }
            connected = self.client.connect(self.now);
        }
        self.called("connect", connected);
        connected.is_ok()
    }

    /// What was sent is answered; when there is nothing, time passes.
    fn go_on(&mut self) {
        if self.sent.is_empty() {
            self.tick(self.client.next_deadline().unwrap_or(self.now));
            return;
        }
        let (to, datagram) = self.sent.remove(0);
        if let Some(answer) = messages::answer(&datagram, ReturnCode::ACCEPTED, None) {
            self.receive(to.max(1), &answer);
        }
    }
}

/// The name of a variant.
fn short(what: &dyn Debug) -> String {
    format!("{what:?}").split(['(', ' ']).next().unwrap_or_default().into()
}

fn name(action: &Action<u8>) -> String {
    match action {
        Action::Send { datagram, .. } | Action::Broadcast { datagram, .. } => Packet::decode(datagram)
            .map_or_else(|_| "RSMB".into(), |packet| packet.message_type().to_string()),
        Action::Disconnected { reason, .. } => format!("over: {}", short(reason)),
        Action::Completed { outcome, .. } => short(outcome),
        other => short(other),
    }
}
