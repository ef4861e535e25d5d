//! A client: the machine, the application on it, and its host.

use std::collections::BTreeMap;
use std::time::Duration;

use machine::{Instant, Random};
use mqttsn_codec::{MinusOneTopic, Packet, QoS};
use mqttsn_core::client::{
    Action, Client, Config, DisconnectReason, Handle, Input, Message, MessageTopic, Outcome, Publication,
    Refused, State, Will,
};

use super::ledger::{Connection, Sender, Subscription};
use super::scenario::{ClientSpec, Scenario, Topic, short};
use super::world::Surroundings;
use super::{Address, wire};
use crate::contract;
use crate::net::datagram::Arrival;

/// Messages that may wait in a client.
const MAX_QUEUED: usize = 16;

#[derive(Debug)]
pub(crate) struct Node {
    index: usize,
    random: Random,
    lateness: Duration,
    client: Client<Address>,
    moves: u16,
    /// What is under way.
    tasks: BTreeMap<Handle, Task>,
    /// Handles of subscriptions that stand: they may complete once more.
    standing: BTreeMap<Handle, usize>,
    /// The client's deadline, and when the host will tick for it.
    tick: Option<(Instant, Instant)>,
}

/// What a handle is for: a message's number, or the place of a subscription.
#[derive(Clone, Copy, Debug)]
enum Task {
    Publish(usize),
    Subscribe(usize),
    Unsubscribe,
}

impl Node {
    pub(crate) fn new(
        scenario: &Scenario,
        index: usize,
        mut random: Random,
        around: &mut Surroundings,
    ) -> Self {
        let spec = &scenario.clients[index];
        let client = Client::new(config(spec, index, scenario.gateways.len()), random.next_u64(), around.now);
        let node = Self {
            index,
            random,
            lateness: spec.lateness,
            client,
            moves: 0,
            tasks: BTreeMap::new(),
            standing: BTreeMap::new(),
            tick: None,
        };
        around.datagrams.join(Address::GROUP, node.address());
        node
    }

    pub(crate) fn address(&self) -> Address {
        Address::client(self.index, self.moves)
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.tick.map(|(_, at)| at)
    }

    pub(crate) fn state(&self) -> State {
        self.client.state()
    }

    /// What it waits for.
    pub(crate) fn waits_for(&self) -> usize {
        self.tasks.len() + self.client.unfinished()
    }

    /// A datagram has come.
    pub(crate) fn receive(&mut self, arrival: &Arrival<Address>, around: &mut Surroundings) {
        let input = Input::Datagram { from: arrival.from, datagram: &arrival.bytes };
        self.client.handle(input, around.now);
        self.drain(around);
    }

    /// Does what is due.
    pub(crate) fn wake(&mut self, around: &mut Surroundings) {
        if self.tick.is_some_and(|(_, at)| at <= around.now) {
            self.tick = None;
            for action in contract::tick(&mut self.client, around.now) {
                self.act(action, around);
            }
            self.drain(around);
        }
    }

    pub(crate) fn connect(&mut self, around: &mut Surroundings) {
        if let Err(refused) = self.client.connect(around.now) {
            around.ledger.fault(around.now, refused);
        }
        self.drain(around);
    }

    pub(crate) fn disconnect(&mut self, around: &mut Surroundings) {
        self.client.disconnect(around.now);
        self.drain(around);
    }

    /// If it is connected.
    pub(crate) fn sleep(&mut self, seconds: u16, around: &mut Surroundings) {
        let _ = self.client.sleep(seconds, around.now);
        self.drain(around);
    }

    /// If it sleeps.
    pub(crate) fn check(&mut self, around: &mut Surroundings) {
        let _ = self.client.check(around.now);
        self.drain(around);
    }

    /// Nothing comes to the address that it had.
    pub(crate) fn change_address(&mut self, around: &mut Surroundings) {
        self.moves += 1;
        around.ledger.moves += 1;
        around.datagrams.join(Address::GROUP, self.address());
    }

    pub(crate) fn publish(&mut self, topic: Topic, qos: QoS, around: &mut Surroundings) {
        let now = around.now;
        let (number, payload) = around.ledger.publish(topic.name(), qos, Sender::Client(self.index), now);
        let data = payload.as_bytes();
        let publication = Publication { topic: topic.publish(), qos, retain: false, data };
        match self.client.publish(&publication, now) {
            Ok(handle) => self.enter(handle, Task::Publish(number), around),
            Err(refused) => {
                around.ledger.messages.pop();
                refuse(refused, around);
            }
        }
        self.drain(around);
    }

    pub(crate) fn publish_minus_one(&mut self, topic: Topic, to: usize, around: &mut Surroundings) {
        let topic_field = match topic {
            Topic::Predefined(number) => MinusOneTopic::Predefined(super::scenario::id(number)),
            Topic::Short(name) => MinusOneTopic::Short(short(name)),
            Topic::Name(_) => return,
        };
        let sender = Sender::MinusOne(self.index);
        let (_, payload) = around.ledger.publish(topic.name(), QoS::AtMostOnce, sender, around.now);
        let to = Address::gateway(to);
        if let Err(refused) = self.client.publish_minus_one(to, topic_field, false, payload.as_bytes()) {
            around.ledger.fault(around.now, refused);
        }
        self.drain(around);
    }

    pub(crate) fn subscribe(&mut self, topic: Topic, qos: QoS, around: &mut Surroundings) {
        let now = around.now;
        match self.client.subscribe(topic.subscribe(), qos, now) {
            Ok(handle) => {
                self.leave(topic.name(), around);
                let place = around.ledger.subscriptions.len();
                around.ledger.subscriptions.push(Subscription {
                    client: self.index,
                    filter: topic.name(),
                    qos,
                    at: now,
                    stands: None,
                    leaving: None,
                    end: None,
                });
                self.enter(handle, Task::Subscribe(place), around);
            }
            Err(refused) => refuse(refused, around),
        }
        self.drain(around);
    }

    pub(crate) fn unsubscribe(&mut self, topic: Topic, around: &mut Surroundings) {
        match self.client.unsubscribe(topic.subscribe(), around.now) {
            Ok(handle) => {
                self.leave(topic.name(), around);
                self.enter(handle, Task::Unsubscribe, around);
            }
            Err(refused) => refuse(refused, around),
        }
        self.drain(around);
    }

    /// What it had under this filter is over, or about to be.
    fn leave(&self, filter: &str, around: &mut Surroundings) {
        let now = around.now;
        let mine = |subscription: &&mut Subscription| {
            subscription.client == self.index
                && subscription.filter == filter
                && subscription.leaving.is_none()
        };
        around.ledger.subscriptions.iter_mut().filter(mine).for_each(|old| old.leaving = Some(now));
    }

    fn enter(&mut self, handle: Handle, task: Task, around: &mut Surroundings) {
        if self.tasks.insert(handle, task).is_some() {
            around.ledger.fault(around.now, format_args!("{handle:?} was given twice"));
        }
    }

    fn drain(&mut self, around: &mut Surroundings) {
        while let Some(action) = self.client.poll_action() {
            self.act(action, around);
        }
        if self.client.unfinished() > MAX_QUEUED + 1 {
            around.ledger.fault(around.now, format_args!("{} messages wait", self.client.unfinished()));
        }
        let next = self.client.next_deadline();
        if self.tick.map(|(deadline, _)| deadline) != next {
            let late = self.random.between(Duration::ZERO, self.lateness);
            self.tick = next.map(|next| (next, next.max(around.now) + late));
        }
    }

    fn act(&mut self, action: Action<Address>, around: &mut Surroundings) {
        let (now, from) = (around.now, self.address());
        match action {
            Action::Send { to, datagram } => {
                around.history.note(now, format_args!("{from:?} > {to:?}: {}", wire::line(&datagram)));
                if let Ok(Packet::Connect(_)) = Packet::decode(&datagram) {
                    around.ledger.asked[self.index].insert(to.as_gateway().unwrap_or(0));
                }
                around.datagrams.send(from, to, &datagram, now);
            }
            Action::Broadcast { datagram, .. } => {
                around.history.note(now, format_args!("{from:?} > all: {}", wire::line(&datagram)));
                around.datagrams.send(from, Address::GROUP, &datagram, now);
            }
            Action::Message(message) => self.receive_message(&message, around),
            Action::Completed { handle, outcome } => {
                around.history.note(now, format_args!("{from:?}: {handle:?} {outcome:?}"));
                self.completed(handle, outcome, around);
            }
            Action::Connected { gateway, resumed: woke } => {
                around.history.note(now, format_args!("{from:?}: {action:?}"));
                let gateway = gateway.as_gateway().unwrap_or(0);
                around.ledger.connections[self.index].push(Connection { at: now, gateway, woke });
            }
            Action::Awake => around.ledger.checks += 1,
            Action::Disconnected { reason, .. } => {
                around.history.note(now, format_args!("{from:?}: {action:?}"));
                if let DisconnectReason::Refused(code) = reason
                    && code == mqttsn_codec::ReturnCode::NOT_SUPPORTED
                {
                    around.ledger.fault(now, format_args!("{from:?} is not let in: {code:?}"));
                }
            }
            Action::GatewayFound { .. } | Action::GatewayLost { .. } | Action::Asleep => {}
        }
    }

    fn receive_message(&mut self, message: &Message, around: &mut Surroundings) {
        let (now, from) = (around.now, self.address());
        around.history.note(now, format_args!("{from:?}: {message:?}"));
        let name = match &message.topic {
            MessageTopic::Predefined(id) => Some(Topic::Predefined(id.get()).name()),
            other => other.name(),
        };
        if name == Some("will") {
            return;
        }
        if let Some(number) = around.ledger.arrived(name.unwrap_or("?"), &message.data, now) {
            around.ledger.messages[number].received.push((self.index, now, message.qos));
        }
    }

    fn completed(&mut self, handle: Handle, outcome: Outcome, around: &mut Surroundings) {
        let (now, ledger) = (around.now, &mut around.ledger);
        match self.tasks.remove(&handle) {
            Some(Task::Publish(number)) => ledger.messages[number].end = Some((now, outcome)),
            Some(Task::Subscribe(place)) => {
                if let Outcome::Subscribed { qos, .. } = outcome {
                    let subscription = &mut ledger.subscriptions[place];
                    subscription.stands = Some(now);
                    self.standing.insert(handle, place);
                    if qos != subscription.qos {
                        ledger.fault(now, format_args!("subscription {place} has {qos:?}"));
                    }
                } else {
                    ledger.subscriptions[place].end = Some(now);
                }
            }
            Some(Task::Unsubscribe) => {}
            None => match self.standing.remove(&handle) {
                Some(place) => ledger.subscriptions[place].end = Some(now),
                None => ledger.fault(now, format_args!("{handle:?} completes twice: {outcome:?}")),
            },
        }
    }
}

fn refuse(refused: Refused, around: &mut Surroundings) {
    match refused {
        Refused::Full => around.ledger.refused += 1,
        other => around.ledger.fault(around.now, other),
    }
}

fn config(spec: &ClientSpec, index: usize, gateways: usize) -> Config<Address> {
    let known = (0..gateways).map(|gateway| Address::gateway((index + gateway) % gateways));
    Config {
        client_id: format!("client-{index}"),
        clean_session: spec.clean,
        keep_alive: spec.keep_alive,
        will: spec.will.then(|| Will {
            topic: "will".into(),
            message: format!("will of {index}").into_bytes(),
            qos: QoS::AtLeastOnce,
            retain: false,
        }),
        gateways: match (spec.forwarded, spec.discovery) {
            (true, _) => vec![Address::FORWARDER],
            (false, true) => Vec::new(),
            (false, false) => known.collect(),
        },
        discovery: spec.discovery,
        retry_interval: spec.retry,
        congestion_wait: Duration::from_secs(40),
        max_search_interval: Duration::from_secs(40),
        max_postponements: 10_000,
        resubscribe: spec.resubscribe,
        max_queued: MAX_QUEUED,
        ..Config::default()
    }
}
