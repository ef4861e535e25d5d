//! What the applications at both ends did and saw.

use std::collections::BTreeSet;
use std::fmt::Display;

use machine::Instant;
use mqttsn_codec::QoS;
use mqttsn_core::client::Outcome;

/// Everything that the guarantees are about.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// All messages; a message's number is its place.
    pub messages: Vec<Message>,
    /// All subscriptions, in the order in which they were asked for.
    pub subscriptions: Vec<Subscription>,
    /// When clients were let in, for each client.
    pub connections: Vec<Vec<Connection>>,
    /// Gateways that were asked for a connection, by each client.
    pub asked: Vec<BTreeSet<usize>>,
    /// Gateways that began anew.
    pub restarts: Vec<(usize, Instant)>,
    /// Times that a client got another address.
    pub moves: usize,
    /// Times that a sleeping client asked for what was kept.
    pub checks: usize,
    /// Wills that were seen at the broker, by the client.
    pub wills: Vec<usize>,
    /// Requests that clients had no room for.
    pub refused: usize,
    /// What should not have happened.
    pub faults: Vec<String>,
}

/// A message.
#[derive(Clone, Debug)]
pub struct Message {
    /// The name of its topic.
    pub topic: &'static str,
    /// Its QoS; -1 is 0.
    pub qos: QoS,
    /// Who published it.
    pub sender: Sender,
    /// When.
    pub at: Instant,
    /// When its handle completed, and how.
    pub end: Option<(Instant, Outcome)>,
    /// When it came to somebody who subscribes to everything at the broker.
    pub observed: Vec<Instant>,
    /// Clients that it came to, and with which QoS.
    pub received: Vec<(usize, Instant, QoS)>,
}

/// Who published a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// A client, with a handle.
    Client(usize),
    /// A client, with QoS -1.
    MinusOne(usize),
    /// Somebody at the broker.
    Broker,
}

/// A subscription.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// Whose.
    pub client: usize,
    /// The filter.
    pub filter: &'static str,
    /// The QoS that was asked for.
    pub qos: QoS,
    /// When it was asked for.
    pub at: Instant,
    /// Since when it stands.
    pub stands: Option<Instant>,
    /// When the client asked for its end, or asked for it again with another QoS.
    pub leaving: Option<Instant>,
    /// When it ended, or was refused.
    pub end: Option<Instant>,
}

/// A client was let in.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    /// When.
    pub at: Instant,
    /// The gateway; with a forwarder, the first one.
    pub gateway: usize,
    /// Whether it woke up, or goes on with what the gateway has of it.
    pub woke: bool,
}

impl Ledger {
    /// Notes what should not have happened.
    pub fn fault(&mut self, now: Instant, what: impl Display) {
        if self.faults.len() < 20 {
            self.faults.push(format!("{now:?} {what}"));
        }
    }

    /// A message is about to be published; its payload.
    pub(crate) fn publish(
        &mut self,
        topic: &'static str,
        qos: QoS,
        sender: Sender,
        now: Instant,
    ) -> (usize, String) {
        let number = self.messages.len();
        let message =
            Message { topic, qos, sender, at: now, end: None, observed: Vec::new(), received: Vec::new() };
        self.messages.push(message);
        (number, format!("message {number}"))
    }

    /// A message came somewhere, under this name: which one is it?
    pub(crate) fn arrived(&mut self, topic: &str, payload: &[u8], now: Instant) -> Option<usize> {
        let text = std::str::from_utf8(payload).ok();
        let number = text.and_then(|text| text.strip_prefix("message ")?.parse().ok());
        match number.and_then(|number: usize| Some((number, self.messages.get(number)?))) {
            Some((number, message)) if message.topic == topic => Some(number),
            Some((number, message)) => {
                let real = message.topic;
                self.fault(now, format_args!("message {number} about {real} came as one about {topic}"));
                None
            }
            None => {
                self.fault(now, format_args!("nobody sent {:?}", payload.escape_ascii().to_string()));
                None
            }
        }
    }
}
