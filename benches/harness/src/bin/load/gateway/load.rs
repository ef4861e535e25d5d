//! Clients that publish, and one subscriber: a single thread that keeps the window full.

use core::time::Duration;
use std::collections::VecDeque;
use std::io;
use std::time::Instant;

use mio::{Events, Poll, Token};
use mqtt_codec::ProtocolVersion;
use mqttsn_codec::QoS;

use super::client::Client;
use super::{PAYLOAD, Scenario, Side};
use crate::clock;
use crate::measure::{self, PATIENCE, WARM_UP, measure};
use crate::mqtt::Connection;
use crate::process::Process;
use crate::report::Figure;

const FILTER: &str = "site/+/temperature";

pub(super) struct Load {
    scenario: &'static Scenario,
    poll: Poll,
    publishers: Vec<Client>,
    subscriber: Subscriber,
    /// The publishers that may publish, in turn: at QoS 1 those without an unacknowledged message.
    ready: VecDeque<usize>,
    published: u64,
    delivered: u64,
    last_publish: Instant,
    latencies: Vec<Duration>,
}

enum Subscriber {
    Mqtt(Connection),
    Sn(Client),
}

impl measure::Load for Load {
    fn done(&self) -> u64 {
        self.delivered
    }

    fn begin(&mut self) {
        self.latencies.clear();
    }

    fn turn(&mut self, events: &mut Events) -> io::Result<()> {
        self.fill_window()?;
        self.poll.poll(events, Some(PATIENCE))?;
        let before = self.delivered;
        for event in &*events {
            self.take(event.token().0)?;
        }
        if self.delivered > before {
            self.latencies.push(self.last_publish.elapsed());
        }
        Ok(())
    }

    fn missing(&self) -> String {
        format!("{} messages are missing", self.published - self.delivered)
    }
}

impl Load {
    /// Connects everybody; each publisher registers a topic of its own.
    pub(super) fn connect(
        scenario: &'static Scenario,
        broker: &Process,
        gateway: &Process,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut publishers = Vec::new();
        for number in 0..scenario.publishers {
            let mut client = Client::open(gateway.port(), &format!("load-{number}"))?;
            client.register_topic(&format!("site/{number}/temperature"))?;
            client.register(poll.registry(), Token(number))?;
            publishers.push(client);
        }
        let subscriber = Subscriber::open(scenario, broker, gateway)?;
        subscriber.register(&poll, Token(scenario.publishers))?;
        Ok(Self {
            scenario,
            poll,
            publishers,
            subscriber,
            ready: (0..scenario.publishers).collect(),
            published: 0,
            delivered: 0,
            last_publish: clock::now(),
            latencies: Vec::new(),
        })
    }

    /// Loads the gateway for `length`, after a warm-up.
    pub(super) fn run(mut self, gateway: &Process, length: Duration) -> io::Result<Vec<Figure>> {
        let measured = measure(&mut self, gateway, WARM_UP, length)?;
        if self.scenario.window == 1 {
            return Ok(Figure::latencies(self.latencies));
        }
        let mut figures = measured.figures("CPU s per million messages", "thousand messages/s");
        figures.push(Figure::resident(gateway.resident()?));
        Ok(figures)
    }

    /// Takes what has come for this publisher, or else for the subscriber.
    fn take(&mut self, number: usize) -> io::Result<()> {
        match self.publishers.get(number) {
            Some(publisher) => {
                let acknowledged = publisher.receive()?.acknowledged;
                self.ready.extend((acknowledged > 0).then_some(number));
            }
            None => self.delivered += self.subscriber.receive()?,
        }
        if self.delivered > self.published {
            return Err(io::Error::other("more deliveries than messages"));
        }
        Ok(())
    }

    fn fill_window(&mut self) -> io::Result<()> {
        while self.published - self.delivered < self.scenario.window {
            let Some(number) = self.ready.pop_front() else { return Ok(()) };
            self.publishers[number].publish(self.scenario.qos)?;
            self.published += 1;
            self.last_publish = clock::now();
            if self.scenario.qos == QoS::AtMostOnce {
                self.ready.push_back(number);
            }
        }
        Ok(())
    }
}

impl Subscriber {
    fn open(scenario: &Scenario, broker: &Process, gateway: &Process) -> io::Result<Self> {
        match scenario.to {
            Side::Mqtt => {
                let version = ProtocolVersion::V3_1_1;
                let mut connection = Connection::open(broker.port(), "subscriber", version, PAYLOAD.len())?;
                let qos = match scenario.qos {
                    QoS::AtLeastOnce => mqtt_codec::QoS::AtLeastOnce,
                    _ => mqtt_codec::QoS::AtMostOnce,
                };
                connection.subscribe(&[FILTER.to_owned()], qos)?;
                Ok(Self::Mqtt(connection))
            }
            Side::Sn => {
                let mut client = Client::open(gateway.port(), "subscriber")?;
                client.subscribe(FILTER, scenario.qos)?;
                Ok(Self::Sn(client))
            }
        }
    }

    fn register(&self, poll: &Poll, token: Token) -> io::Result<()> {
        match self {
            Self::Mqtt(connection) => connection.register(poll.registry(), token),
            Self::Sn(client) => client.register(poll.registry(), token),
        }
    }

    fn receive(&mut self) -> io::Result<u64> {
        match self {
            Self::Mqtt(connection) => {
                let delivered = connection.receive()?;
                connection.flush()?;
                Ok(delivered as u64)
            }
            Self::Sn(client) => Ok(client.receive()?.delivered),
        }
    }
}
