//! The broker, its side of the connections, and somebody who subscribes to everything there.

use std::collections::BTreeMap;
use std::time::Duration;

use machine::{Instant, Random};
use mqtt_codec::{Properties, QoS, SubscriptionOptions};
use mqtt_core::client::{self, Client};
use mqtt_core::{Action, Broker, Config, ConnectionId, Gauges, Input, Publication};

use super::ledger::{Ledger, Sender};
use crate::contract;
use crate::net::{Event, LinkId, Network, Side};

/// How long the session of a client of MQTT 3.1.1 is kept, in seconds.
const SESSION_EXPIRY: u32 = 3600;

#[derive(Debug)]
pub(crate) struct Host {
    broker: Broker,
    connections: BTreeMap<LinkId, ConnectionId>,
    links: BTreeMap<ConnectionId, LinkId>,
    /// Connected in the same program, without a network.
    observer: Client,
    observing: Option<ConnectionId>,
}

impl Host {
    pub(crate) fn new(mut random: Random, network: &mut Network, ledger: &mut Ledger, now: Instant) -> Self {
        let config =
            Config { sys_interval: Duration::ZERO, v3_session_expiry: SESSION_EXPIRY, ..Config::default() };
        let mut seed = [0; 32];
        random.fill(&mut seed);
        let observer = client::Config { client_id: "observer".into(), ..client::Config::default() };
        let mut host = Self {
            broker: Broker::new(config, seed, now),
            connections: BTreeMap::new(),
            links: BTreeMap::new(),
            observer: Client::new(observer, random.next_u64(), now),
            observing: None,
        };
        host.observer.connect(now);
        let all = [("#", SubscriptionOptions::qos(QoS::ExactlyOnce))];
        host.observer.subscribe(&all, Properties::NONE, now).expect("a valid filter");
        host.drain(network, ledger, now);
        host
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.broker.next_deadline().into_iter().chain(self.observer.next_deadline()).min()
    }

    pub(crate) fn gauges(&self) -> Gauges {
        self.broker.gauges()
    }

    /// Does what is due.
    pub(crate) fn wake(&mut self, network: &mut Network, ledger: &mut Ledger, now: Instant) {
        if self.broker.next_deadline().is_some_and(|at| at <= now) {
            for action in contract::tick(&mut self.broker, now) {
                self.act(&action, network, ledger, now);
            }
        }
        if self.observer.next_deadline().is_some_and(|at| at <= now) {
            self.observer.handle(client::Input::Tick, now);
        }
        self.drain(network, ledger, now);
    }

    /// Something happened to a connection.
    pub(crate) fn on(&mut self, event: Event, network: &mut Network, ledger: &mut Ledger, now: Instant) {
        match event {
            Event::Opened(link) => match self.broker.open(now) {
                Ok(connection) => {
                    self.connections.insert(link, connection);
                    self.links.insert(connection, link);
                }
                Err(refused) => ledger.fault(now, refused),
            },
            Event::Readable(link, _) => self.read(link, network, now),
            Event::Writable(link, _) => self.write(link, network, now),
            Event::Closed(link, _) => self.closed(link, now),
        }
        self.drain(network, ledger, now);
    }

    /// Somebody in the same program publishes.
    pub(crate) fn publish(
        &mut self,
        topic: &'static str,
        qos: mqttsn_codec::QoS,
        network: &mut Network,
        ledger: &mut Ledger,
        now: Instant,
    ) -> usize {
        let (number, payload) = ledger.publish(topic, qos, Sender::Broker, now);
        let publication = Publication {
            topic,
            qos: QoS::try_from(qos as u8).expect("the same values"),
            retain: false,
            properties: Properties::NONE,
            payload: payload.as_bytes(),
        };
        if let Err(refused) = self.broker.publish(&publication, now) {
            ledger.fault(now, refused);
        }
        self.drain(network, ledger, now);
        number
    }

    fn drain(&mut self, network: &mut Network, ledger: &mut Ledger, now: Instant) {
        loop {
            while let Some(action) = self.broker.poll_action() {
                self.act(&action, network, ledger, now);
            }
            if !self.observe(ledger, now) {
                return;
            }
        }
    }

    fn act(&mut self, action: &Action, network: &mut Network, ledger: &mut Ledger, now: Instant) {
        match *action {
            Action::Output(connection) if self.observing == Some(connection) => {
                let bytes: Vec<u8> = self.broker.output(connection).flatten().copied().collect();
                self.broker.handle(Input::Sent { connection, bytes: bytes.len() }, now);
                self.observer.handle(client::Input::Bytes(&bytes), now);
            }
            Action::Output(connection) => {
                if let Some(&link) = self.links.get(&connection) {
                    self.write(link, network, now);
                }
            }
            Action::Close { connection, .. } => {
                if let Some(link) = self.links.get(&connection).copied() {
                    self.write(link, network, now);
                    network.close(link, Side::Accepted, now);
                    self.closed(link, now);
                } else {
                    ledger.fault(now, "the observer is turned out");
                }
            }
            Action::Resume(connection) => {
                if let Some(&link) = self.links.get(&connection) {
                    self.read(link, network, now);
                }
            }
            Action::Ask { .. } | Action::Record { .. } | Action::Connected { .. } => {}
        }
    }

    fn read(&mut self, link: LinkId, network: &mut Network, now: Instant) {
        let Some(&connection) = self.connections.get(&link) else { return };
        let bytes = network.peek(link, Side::Accepted);
        if !bytes.is_empty() {
            let taken = self.broker.handle(Input::Bytes { connection, bytes }, now);
            network.read(link, Side::Accepted, taken, now);
        }
    }

    fn write(&mut self, link: LinkId, network: &mut Network, now: Instant) {
        let Some(&connection) = self.connections.get(&link) else { return };
        loop {
            let bytes = network.write(link, Side::Accepted, self.broker.output(connection), now);
            if bytes == 0 {
                return;
            }
            self.broker.handle(Input::Sent { connection, bytes }, now);
        }
    }

    fn closed(&mut self, link: LinkId, now: Instant) {
        if let Some(connection) = self.connections.remove(&link) {
            self.links.remove(&connection);
            self.broker.handle(Input::Closed { connection }, now);
        }
    }

    /// What the observer does and sees; whether there was anything.
    fn observe(&mut self, ledger: &mut Ledger, now: Instant) -> bool {
        let mut busy = false;
        while let Some(action) = self.observer.poll_action() {
            busy = true;
            match action {
                client::Action::Open { .. } => {
                    self.observing = self.broker.open(now).ok();
                    self.observer.handle(client::Input::Opened, now);
                }
                client::Action::Output => {
                    let bytes: Vec<u8> = self.observer.output().flatten().copied().collect();
                    self.observer.handle(client::Input::Sent(bytes.len()), now);
                    if let Some(connection) = self.observing {
                        self.broker.handle(Input::Bytes { connection, bytes: &bytes }, now);
                    }
                }
                client::Action::Message(message) => see(&message, ledger, now),
                client::Action::Disconnected { reason, .. } => ledger.fault(now, format_args!("{reason:?}")),
                _ => {}
            }
        }
        busy
    }
}

/// A message, or the will of a client.
fn see(message: &client::Message, ledger: &mut Ledger, now: Instant) {
    if message.topic() == "will" {
        let text = std::str::from_utf8(message.payload()).ok();
        match text.and_then(|text| text.strip_prefix("will of ")?.parse().ok()) {
            Some(client) => ledger.wills.push(client),
            None => ledger.fault(now, "nobody's will"),
        }
    } else if let Some(number) = ledger.arrived(message.topic(), message.payload(), now) {
        ledger.messages[number].observed.push(now);
    }
}
