//! Random courses of events on a broker with narrow limits: whatever happens, limits hold, no deadline is left behind,
//! and when all is over nothing is left.

use core::time::Duration;

use machine::Random;
use mqtt_codec::{
    Acknowledge, Connect, Packet, Properties, Property, Publish, QoS, ReasonCode, SubscriptionOptions,
};
use mqtt_core::{Admission, Answer, Ask, Checks, ConnectionId, Counters, DropPolicy, Overlapping};

use crate::support::{
    AtLeastOnce, AtMostOnce, Bench, ExactlyOnce, Got, V3_1, V3_1_1, V5, connect, delivery, id, will,
};

const FILTERS: [&str; 8] = ["a", "a/b", "a/#", "+", "#", "$share/g/a/#", "$share/h/+", "$SYS/#"];
const TOPICS: [&str; 4] = ["a", "a/b", "b", "$x"];
const QOS: [QoS; 3] = [AtMostOnce, AtLeastOnce, ExactlyOnce];

struct Course {
    bench: Bench,
    random: Random,
    /// Open connections; what some of them were sent and have not acknowledged.
    clients: Vec<ConnectionId>,
    memory: usize,
}

impl Course {
    fn new(seed: u64) -> Self {
        let mut random = Random::from_seed([seed as u8, (seed >> 8) as u8].repeat(16).try_into().unwrap());
        let mut flip = || random.next_u64().is_multiple_of(2);
        let memory = if flip() { 4_000 } else { 40_000 };
        let checks = Checks { publish: flip(), subscribe: flip(), deliver: flip() };
        let bench = Bench::with(|config| {
            config.ask = Ask { connect: flip(), checks };
            config.queue.messages = 5;
            config.queue.offline_qos0 = flip();
            config.queue.policy = if flip() { DropPolicy::Newest } else { DropPolicy::Oldest };
            config.overlapping_subscriptions = if flip() { Overlapping::Once } else { Overlapping::Each };
            config.max_inflight = 3;
            config.receive_maximum = 3;
            config.topic_alias_maximum = 3;
            config.output_high_water = 300;
            config.max_memory = memory;
            config.max_retained = 2;
            config.max_session_expiry = 20;
            config.v3_session_expiry = 20;
            config.max_subscriptions_per_client = 4;
            config.durable = flip();
        });
        Self { bench, random, clients: Vec::new(), memory }
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.random.next_u64() % bound as u64) as usize
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn connect(&mut self) {
        let name = self.pick(&["x", "y", "z", "w"]);
        let version = self.pick(&[V3_1, V3_1_1, V5]);
        let expiry = self.pick(&[0, 3, u32::MAX]);
        let properties = [
            Property::SessionExpiryInterval(expiry),
            Property::ReceiveMaximum(self.pick(&[1, 2, 100]).try_into().unwrap()),
            Property::MaximumPacketSize(self.pick(&[60, 100_000]).try_into().unwrap()),
            Property::TopicAliasMaximum(self.pick(&[0, 1, 5])),
        ];
        let delay = [Property::WillDelayInterval(self.pick(&[0, 2, 10]))];
        let mut connect = Connect {
            clean_start: self.below(3) == 0,
            keep_alive: self.pick(&[0, 5]),
            ..connect(version, name)
        };
        let mut last = will("a", b"will");
        if version == V5 {
            connect.properties = Properties::list(&properties);
            last.properties = Properties::list(&delay);
        }
        connect.will = (self.below(2) == 0).then_some(last);
        let client = self.bench.open();
        self.bench.send(client, &Packet::Connect(connect));
        self.clients.push(client);
    }

    fn answer_all(&mut self) {
        while !self.bench.questions.is_empty() {
            let admission =
                Admission { checks: self.bench.broker.config().ask.checks, authentication_data: None };
            let connecting = matches!(self.bench.questions[0].2, mqtt_core::Question::Connect(_));
            let answer = match (self.below(6), connecting) {
                (0, _) => Answer::Deny(ReasonCode::NOT_AUTHORIZED),
                (_, true) => Answer::Admit(admission),
                (_, false) => Answer::Allow,
            };
            self.bench.answer(answer);
        }
    }

    /// A client acknowledges some of what it got.
    fn acknowledge(&mut self, client: ConnectionId) {
        for got in self.bench.got(client) {
            let lazy = self.below(3) == 0;
            match got {
                _ if lazy => {}
                Got::Publish(message) if message.qos == AtLeastOnce => {
                    self.bench.puback(client, message.packet_id.unwrap());
                }
                Got::Publish(message) if message.qos == ExactlyOnce => {
                    let packet_id = id(message.packet_id.unwrap());
                    let reason = self.pick(&[ReasonCode::SUCCESS, ReasonCode::UNSPECIFIED_ERROR]);
                    let properties = Properties::NONE;
                    self.bench.send(client, &Packet::PubRec(Acknowledge { packet_id, reason, properties }));
                }
                Got::PubRec(packet_id, reason) if !reason.is_error() => self.bench.pubrel(client, packet_id),
                Got::PubRel(packet_id, _) => self.bench.pubcomp(client, packet_id),
                _ => {}
            }
        }
    }

    fn publish(&mut self, client: ConnectionId) {
        let size = self.pick(&[0, 20, 500, 2000]);
        let payload = vec![b'x'; size];
        let (qos, packet_id) = (self.pick(&QOS), self.below(4) as u16 + 1);
        let expiry = [Property::MessageExpiryInterval(self.pick(&[1, 8]))];
        let properties = if self.below(2) == 0 { Properties::list(&expiry) } else { Properties::NONE };
        let (topic, retain) = (self.pick(&TOPICS), self.below(3) == 0);
        let delivery = delivery(qos, packet_id);
        let packet = Publish { delivery, retain, topic, properties, payload: &payload };
        self.bench.publish(client, &packet);
    }

    fn step(&mut self) {
        if self.clients.is_empty() {
            return self.connect();
        }
        let client = self.pick(&self.clients.clone());
        match self.below(12) {
            0 => self.connect(),
            1 => {
                self.bench.close(client);
                self.clients.retain(|open| *open != client);
            }
            2 => {
                let (filter, qos) = (self.pick(&FILTERS), self.pick(&QOS));
                self.bench.subscribe_with(client, filter, SubscriptionOptions::qos(qos), &[]);
            }
            3 => {
                let filter = self.pick(&FILTERS);
                self.bench.unsubscribe(client, filter);
            }
            4 => self.bench.stalled.push(client),
            5 => self.bench.unstall(client),
            6 => self.answer_all(),
            7 => self.acknowledge(client),
            8 => {
                let span = self.pick(&[1, 100, 3_000]);
                self.bench.advance(Duration::from_millis(span));
            }
            _ => self.publish(client),
        }
    }

    fn check(&self) {
        let gauges = self.bench.broker.gauges();
        assert!(gauges.memory as usize <= self.memory + 300, "{gauges:?}");
        assert!(gauges.retained <= 2 && gauges.sessions <= 4, "{gauges:?}");
        for client in &self.clients {
            let waiting: usize = self.bench.broker.output(*client).map(<[u8]>::len).sum();
            assert!(waiting < 5_000, "{waiting}");
        }
    }

    /// All connections go, all sessions expire, all retained messages are removed.
    fn end(mut self) -> Counters {
        for client in core::mem::take(&mut self.clients) {
            self.bench.close(client);
        }
        self.bench.advance(Duration::from_secs(60));
        for topic in TOPICS {
            let nothing = mqtt_core::Publication {
                topic,
                qos: AtMostOnce,
                retain: true,
                properties: Properties::NONE,
                payload: b"",
            };
            self.bench.broker.publish(&nothing, self.bench.now).unwrap();
            self.bench.drain();
        }
        // Records refer to the messages that they tell of.
        self.bench.records.clear();
        assert_eq!(self.bench.broker.gauges(), mqtt_core::Gauges::default());
        assert_eq!(self.bench.broker.next_deadline(), None);
        *self.bench.broker.counters()
    }
}

#[test]
fn whatever_happens_limits_hold_and_nothing_is_left() {
    let mut seen = Vec::new();
    for seed in 0..400 {
        let mut course = Course::new(seed);
        for _ in 0..300 {
            course.step();
            course.check();
        }
        seen.push(course.end());
    }
    // All that can go wrong has gone wrong somewhere.
    let counters: [fn(&Counters) -> u64; 14] = [
        |counters| counters.connects_refused,
        |counters| counters.violations,
        |counters| counters.keep_alive_timeouts,
        |counters| counters.sessions_expired,
        |counters| counters.wills_published,
        |counters| counters.dropped_queue_full,
        |counters| counters.dropped_offline_qos0,
        |counters| counters.dropped_expired,
        |counters| counters.dropped_too_large,
        |counters| counters.dropped_memory,
        |counters| counters.dropped_publish_denied,
        |counters| counters.dropped_deliver_denied,
        |counters| counters.dropped_retained_full,
        |counters| counters.dropped_session_ended,
    ];
    for (number, counter) in counters.iter().enumerate() {
        assert!(seen.iter().any(|counters| counter(counters) > 0), "counter {number}");
    }
}
