//! What is to happen in a run.

use std::time::Duration;

use mqttsn_codec::{QoS, ShortTopic, SubscribeTopic, TopicId};
use mqttsn_core::client::PublishTopic;
use mqttsn_core::gateway::{Config, Predefined};

use crate::net;
use crate::net::datagram::Weather;

/// Who takes part, and who does what and when.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What is left to chance is drawn from it.
    pub seed: u64,
    /// Between clients and gateways.
    pub weather: Weather,
    /// Between gateways and the broker.
    pub upstream: net::Weather,
    /// The gateways: all in the same mode.
    pub gateways: Vec<GatewaySpec>,
    /// The clients.
    pub clients: Vec<ClientSpec>,
    /// What is done, and when.
    pub ops: Vec<(Duration, Op)>,
    /// When nothing goes wrong any more.
    pub calm_at: Duration,
    /// Whether the history is wanted.
    pub trace: bool,
}

/// A gateway and its host.
#[derive(Clone, Debug)]
pub struct GatewaySpec {
    /// Its configuration.
    pub config: Config,
    /// How late its host ticks, at most.
    pub lateness: Duration,
}

/// A client and its host.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each holds on its own")]
pub struct ClientSpec {
    /// `CleanSession`.
    pub clean: bool,
    /// Seconds.
    pub keep_alive: u16,
    /// Whether it has a will.
    pub will: bool,
    /// Whether it reaches the first gateway through the forwarder, and no other one.
    pub forwarded: bool,
    /// Whether it looks for gateways.
    pub discovery: bool,
    /// Whether it subscribes again with each connection.
    pub resubscribe: bool,
    /// `T_retry`.
    pub retry: Duration,
    /// How late its host ticks, at most.
    pub lateness: Duration,
}

/// What messages and subscriptions are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// A topic name, or a filter.
    Name(&'static str),
    /// A short topic name.
    Short(&'static str),
    /// A predefined topic id.
    Predefined(u16),
}

impl Topic {
    /// Its name at the broker.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Name(name) | Self::Short(name) => name,
            Self::Predefined(1) => "p/1",
            Self::Predefined(_) => "p/2",
        }
    }

    /// What a gateway is told of the predefined ids.
    pub fn predefined() -> Predefined {
        let mut predefined = Predefined::default();
        for number in [1, 2] {
            let added = predefined.insert(id(number), Self::Predefined(number).name());
            added.expect("the names are valid");
        }
        predefined
    }

    pub(crate) fn publish(&self) -> PublishTopic<'static> {
        match *self {
            Self::Name(name) => PublishTopic::Name(name),
            Self::Short(name) => PublishTopic::Short(short(name)),
            Self::Predefined(number) => PublishTopic::Predefined(id(number)),
        }
    }

    pub(crate) fn subscribe(&self) -> SubscribeTopic<'static> {
        match *self {
            Self::Name(name) => SubscribeTopic::Name(name),
            Self::Short(name) => SubscribeTopic::Short(short(name)),
            Self::Predefined(number) => SubscribeTopic::Predefined(id(number)),
        }
    }
}

pub(crate) fn id(number: u16) -> TopicId {
    TopicId::new(number).expect("a topic id")
}

pub(crate) fn short(name: &str) -> ShortTopic {
    ShortTopic::new(name).expect("two letters")
}

/// What somebody does, or what goes wrong. Clients and gateways by their places.
#[derive(Clone, Copy, Debug)]
pub enum Op {
    /// A client publishes.
    Publish(usize, Topic, QoS),
    /// A client publishes with QoS -1 to this gateway.
    PublishMinusOne(usize, Topic, usize),
    /// Somebody publishes at the broker.
    PublishAtBroker(&'static str, QoS),
    /// A client subscribes.
    Subscribe(usize, Topic, QoS),
    /// A client unsubscribes, if it has subscribed.
    Unsubscribe(usize, Topic),
    /// A client goes to sleep for so many seconds at a time.
    Sleep(usize, u16),
    /// A sleeping client asks what there is.
    Check(usize),
    /// A client wakes up, or connects.
    Connect(usize),
    /// A client takes leave.
    Disconnect(usize),
    /// A client has another address from now on.
    Move(usize),
    /// A gateway ends, in order or not, and begins anew after a while.
    Restart(usize, Duration, bool),
    /// The forwarder ends, and begins anew at once.
    RestartForwarder,
    /// The connections of a gateway to the broker break.
    CutUpstream(usize),
    /// The broker cannot be reached from a gateway for so long.
    Outage(usize, Duration),
    /// A client and a gateway do not reach each other, or the one not the other.
    Part(usize, usize, Duration, bool),
}
