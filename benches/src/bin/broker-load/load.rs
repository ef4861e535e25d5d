//! Drives one scenario against one broker: a single thread that keeps the window full.

use core::time::Duration;
use std::io;
use std::time::Instant;

use mio::{Events, Poll, Token};

use crate::broker::Broker;
use crate::clock;
use crate::connection::Connection;
use crate::scenario::Scenario;

/// Load before the measurement begins.
const WARM_UP: Duration = Duration::from_millis(500);
/// Without any delivery for so long, the broker is taken to have dropped a message.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) struct Load {
    scenario: &'static Scenario,
    poll: Poll,
    /// The publishers, then the subscribers.
    connections: Vec<Connection>,
    published: u64,
    delivered: u64,
    bytes_per_filter: Option<u64>,
    last_publish: Instant,
    latencies: Vec<Duration>,
}

/// What a run came to.
pub(crate) struct Measured {
    pub(crate) length: Duration,
    pub(crate) deliveries: u64,
    pub(crate) cpu: Duration,
    /// The broker's resident memory at the end, in bytes.
    pub(crate) resident: u64,
    pub(crate) bytes_per_filter: Option<u64>,
    /// Sorted; empty unless the scenario measures them.
    pub(crate) latencies: Vec<Duration>,
}

impl Load {
    /// Connects and subscribes every client of the scenario.
    pub(crate) fn connect(scenario: &'static Scenario, broker: &Broker) -> io::Result<Self> {
        let poll = Poll::new()?;
        let count = scenario.publishers + scenario.subscribers;
        let mut connections = (0..count)
            .map(|number| Connection::open(broker.port(), &format!("load-{number}")))
            .collect::<io::Result<Vec<_>>>()?;
        let before = broker.resident()?;
        for (number, subscriber) in connections[scenario.publishers..].iter_mut().enumerate() {
            subscriber.subscribe(&scenario.filters_of(number), scenario.qos)?;
        }
        let grown = broker.resident()?.saturating_sub(before);
        for (number, connection) in connections.iter().enumerate() {
            connection.register(poll.registry(), Token(number))?;
        }
        Ok(Self {
            scenario,
            poll,
            connections,
            published: 0,
            delivered: 0,
            bytes_per_filter: grown.checked_div(scenario.filters as u64),
            last_publish: clock::now(),
            latencies: Vec::new(),
        })
    }

    /// Loads the broker for `length`, after a warm-up.
    pub(crate) fn run(mut self, broker: &Broker, length: Duration) -> io::Result<Measured> {
        self.work_for(WARM_UP)?;
        self.latencies.clear();
        let (delivered, cpu, started) = (self.delivered, broker.cpu()?, clock::now());
        self.work_for(length)?;
        self.latencies.sort_unstable();
        Ok(Measured {
            length: started.elapsed(),
            deliveries: self.delivered - delivered,
            cpu: broker.cpu()?.saturating_sub(cpu),
            resident: broker.resident()?,
            bytes_per_filter: self.bytes_per_filter,
            latencies: self.latencies,
        })
    }

    fn work_for(&mut self, length: Duration) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        let started = clock::now();
        let mut last_delivery = started;
        while started.elapsed() < length {
            self.fill_window()?;
            for connection in &mut self.connections {
                connection.flush()?;
            }
            self.poll.poll(&mut events, Some(PATIENCE))?;
            let before = self.delivered;
            for event in &events {
                self.delivered += self.connections[event.token().0].receive()? as u64;
            }
            if self.delivered > before {
                last_delivery = clock::now();
                if self.scenario.measures_latency() {
                    self.latencies.push(last_delivery - self.last_publish);
                }
            } else if last_delivery.elapsed() > PATIENCE {
                let missing = self.published * self.scenario.fan_out() as u64 - self.delivered;
                return Err(io::Error::other(format!(
                    "{}: {missing} messages are missing",
                    self.scenario.name
                )));
            }
        }
        Ok(())
    }

    /// Publishes, each publisher in its turn, until as much is under way as the scenario allows.
    fn fill_window(&mut self) -> io::Result<()> {
        let publishers = &mut self.connections[..self.scenario.publishers];
        let unacknowledged: usize = publishers.iter().map(|publisher| publisher.unacknowledged).sum();
        let undelivered = self
            .published
            .checked_sub(self.delivered.div_ceil(self.scenario.fan_out() as u64))
            .ok_or_else(|| io::Error::other("more deliveries than messages"))?;
        let under_way = unacknowledged.max(undelivered as usize);
        for _ in under_way..self.scenario.window {
            let turn = self.published as usize % publishers.len();
            publishers[turn].publish(&self.scenario.topic(self.published), self.scenario.qos)?;
            self.published += 1;
            self.last_publish = clock::now();
        }
        Ok(())
    }
}

impl Measured {
    /// Seconds of the broker's processor time per million deliveries.
    pub(crate) fn cpu_per_million(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.deliveries.max(1) as f64
    }

    /// Deliveries in a second.
    pub(crate) fn rate(&self) -> f64 {
        self.deliveries as f64 / self.length.as_secs_f64()
    }

    /// The latency, in microseconds, that `percent` of the messages do not exceed.
    pub(crate) fn latency(&self, percent: usize) -> Option<f64> {
        let index = (self.latencies.len() * percent / 100).min(self.latencies.len().saturating_sub(1));
        self.latencies.get(index).map(|latency| latency.as_secs_f64() * 1e6)
    }
}
