//! Messages from publishers to subscribers: a single thread that keeps the window full.

use core::time::Duration;
use std::io;
use std::time::Instant;

use mio::{Events, Poll, Token};

use super::scenario::Messages;
use crate::clock;
use crate::measure::{self, PATIENCE, WARM_UP, measure};
use crate::mqtt::Connection;
use crate::process::Process;
use crate::report::Figure;

pub(crate) struct Load {
    scenario: &'static Messages,
    poll: Poll,
    /// The publishers, then the subscribers.
    connections: Vec<Connection>,
    published: u64,
    delivered: u64,
    bytes_per_filter: Option<f64>,
    last_publish: Instant,
    latencies: Vec<Duration>,
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
        for connection in &mut self.connections {
            connection.flush()?;
        }
        self.poll.poll(events, Some(PATIENCE))?;
        let before = self.delivered;
        for event in &*events {
            self.delivered += self.connections[event.token().0].receive()? as u64;
        }
        if self.delivered > before && self.scenario.measures_latency() {
            self.latencies.push(self.last_publish.elapsed());
        }
        Ok(())
    }

    fn missing(&self) -> String {
        let missing = self.published * self.scenario.fan_out() as u64 - self.delivered;
        format!("{missing} messages are missing")
    }
}

impl Load {
    /// Connects and subscribes every client of the scenario.
    pub(crate) fn connect(scenario: &'static Messages, broker: &Process) -> io::Result<Self> {
        let poll = Poll::new()?;
        let count = scenario.publishers + scenario.subscribers;
        let mut connections = (0..count)
            .map(|number| {
                let client_id = format!("load-{number}");
                Connection::open(broker.port(), &client_id, scenario.version, scenario.payload)
            })
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
            bytes_per_filter: (scenario.filters > 0).then(|| grown as f64 / scenario.filters as f64),
            last_publish: clock::now(),
            latencies: Vec::new(),
        })
    }

    /// Loads the broker for `length`, after a warm-up.
    pub(crate) fn run(mut self, broker: &Process, length: Duration) -> io::Result<Vec<Figure>> {
        let measured = measure(&mut self, broker, WARM_UP, length)?;
        if self.scenario.measures_latency() {
            return Ok(Figure::latencies(self.latencies));
        }
        let mut figures = measured.figures("CPU s per million deliveries", "thousand deliveries/s");
        figures.push(Figure::resident(broker.resident()?));
        figures.extend(self.bytes_per_filter.map(|bytes| Figure::new("bytes per filter", bytes, 0)));
        Ok(figures)
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
