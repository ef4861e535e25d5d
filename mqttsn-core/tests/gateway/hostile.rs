//! Whatever is sent: nothing panics, limits hold, the server's link survives, and the same inputs give the same actions.

use machine::Random;
use mqttsn_codec::{
    Connect, Delivery, Disconnect, MessageId, MinusOneTopic, Packet, PingReq, PubAck, Publish,
    PublishMinusOne, QoS, RegAck, Register, ReturnCode, SearchGw, ShortTopic, SubAck, Subscribe,
    SubscribeTopic, Topic, TopicId, Unsubscribe, WillTopic,
};
use mqttsn_core::gateway::{Config, Counters, Mode, QueueConfig};

use crate::support::{AtLeastOnce, Bench, PING, seconds};

const NAMES: [&str; 8] = ["a", "a/b", "a/#", "+/b", "#", "ab", "", "a/#/b"];

struct Source(Random);

impl Source {
    fn below(&mut self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    fn name(&mut self) -> &'static str {
        NAMES[self.below(8) as usize]
    }

    fn id(&mut self) -> MessageId {
        MessageId::new(1 + self.below(6) as u16).unwrap()
    }

    fn topic_id(&mut self) -> TopicId {
        TopicId::new(1 + self.below(5) as u16).unwrap()
    }

    fn short(&mut self) -> ShortTopic {
        ShortTopic([b"ab#+$\0"[self.below(6) as usize], b"ab#+$\0"[self.below(6) as usize]])
    }

    fn topic(&mut self) -> Topic {
        match self.below(4) {
            0 => Topic::Predefined(self.topic_id()),
            1 => Topic::Short(self.short()),
            _ => Topic::Id(self.topic_id()),
        }
    }

    fn subscribe_topic(&mut self) -> SubscribeTopic<'static> {
        match self.below(5) {
            0 => SubscribeTopic::Predefined(self.topic_id()),
            1 => SubscribeTopic::Short(self.short()),
            _ => SubscribeTopic::Name(self.name()),
        }
    }

    fn qos(&mut self) -> QoS {
        QoS::new(self.below(3) as u8).unwrap()
    }

    fn delivery(&mut self) -> Delivery {
        let (message_id, dup) = (self.id(), self.0.chance(1, 3));
        match self.qos() {
            QoS::AtMostOnce => Delivery::AtMostOnce,
            QoS::AtLeastOnce => Delivery::AtLeastOnce { message_id, dup },
            QoS::ExactlyOnce => Delivery::ExactlyOnce { message_id, dup },
        }
    }

    fn code(&mut self) -> ReturnCode {
        ReturnCode::new([0, 0, 0, 1, 2, 3, 9][self.below(7) as usize])
    }

    fn will(&mut self) -> Option<WillTopic<'static>> {
        let topic = ["w", "w/+", "$w"][self.below(3) as usize];
        self.0.chance(2, 3).then(|| WillTopic { qos: self.qos(), retain: false, topic })
    }

    fn packet(&mut self, from: u16) -> Packet<'static> {
        let own = usize::from(from - 1);
        let other = self.below(4) as usize;
        let client_id = ["c1", "c2", "c3", "c4"][if self.0.chance(1, 15) { other } else { own }];
        let message_id = self.id();
        match self.below(24) {
            0 | 1 => {
                let (will, clean_session) = (self.0.chance(1, 3), self.0.chance(1, 2));
                Packet::Connect(Connect {
                    will,
                    clean_session,
                    duration: 20 + self.below(300) as u16,
                    client_id,
                })
            }
            2 => Packet::WillTopic(self.will()),
            3 => Packet::WillMsg(b"gone"),
            4 | 5 => Packet::Register(Register { topic_id: None, message_id, topic_name: self.name() }),
            6 | 7 => {
                let (topic_id, return_code) = (self.topic_id().get(), self.code());
                Packet::RegAck(RegAck { topic_id, message_id, return_code })
            }
            8..=10 => Packet::Publish(Publish {
                delivery: self.delivery(),
                retain: self.0.chance(1, 4),
                topic: self.topic(),
                data: b"data",
            }),
            11 | 12 => {
                let (topic_id, return_code) = (self.topic_id().get(), self.code());
                Packet::PubAck(PubAck { topic_id, message_id: Some(message_id), return_code })
            }
            13 => Packet::PubRec(message_id),
            14 => Packet::PubRel(message_id),
            15 => Packet::PubComp(message_id),
            16 | 17 => {
                let (qos, topic) = (self.qos(), self.subscribe_topic());
                Packet::Subscribe(Subscribe { dup: false, qos, message_id, topic })
            }
            18 => Packet::Unsubscribe(Unsubscribe { message_id, topic: self.subscribe_topic() }),
            19 => Packet::PingReq(PingReq { client_id: self.0.chance(1, 2).then_some(client_id) }),
            20 => {
                let duration = self.0.chance(4, 5).then(|| self.below(60) as u16);
                Packet::Disconnect(Disconnect { duration })
            }
            21 => Packet::WillTopicUpd(self.will()),
            22 => {
                let topic = MinusOneTopic::Short(self.short());
                Packet::PublishMinusOne(PublishMinusOne { retain: false, topic, data: b"x" })
            }
            _ => match self.below(3) {
                0 => Packet::SearchGw(SearchGw { radius: 1 }),
                1 => Packet::WillMsgUpd(b"later"),
                _ => Packet::SubAck(SubAck {
                    qos: QoS::AtMostOnce,
                    topic_id: 1,
                    message_id,
                    return_code: ReturnCode::ACCEPTED,
                }),
            },
        }
    }
}

/// Everything that four addresses got, and the last count of what happened.
fn run(mode: Mode, seed: u64) -> (Vec<Vec<Vec<u8>>>, Counters) {
    let queue = QueueConfig { messages: 5, bytes: 300, ..QueueConfig::default() };
    let mut bench = Bench::with(|config: &mut Config| {
        config.mode = mode;
        config.queue = queue;
        config.max_topics = 2;
        config.max_clients = 4;
        config.max_buffered = 300;
        config.session_expiry = seconds(200);
        config.rebind_on_ping = seed.is_multiple_of(2);
    });
    bench.connect(9, "bystander");
    bench.subscribe(9, "news", AtLeastOnce);
    let mut source = Source(Random::from_u64(seed));
    let mut got = vec![Vec::new(); 4];
    for number in 0..400 {
        let from = 1 + source.below(4) as u16;
        match source.below(20) {
            0 => {
                let mut bytes = vec![0; source.below(12) as usize];
                source.0.fill(&mut bytes);
                bench.send_raw(from, &bytes);
            }
            1..=4 => {
                let topic = ["a", "a/b", "ab", "other/b"][source.below(4) as usize];
                bench.publish_with(topic, &number.to_string(), source.below(3) as u8, source.0.chance(1, 3));
            }
            5 => bench.advance(seconds(source.below(20))),
            6 if source.0.chance(1, 4) => bench.break_connections(),
            _ => bench.send(from, &source.packet(from)),
        }
        for (peer, got) in (1..).zip(&mut got) {
            got.extend(bench.take(peer));
        }
        if number % 20 == 0 {
            bench.send(9, &PING);
        }
        let gauges = bench.gateway.gauges();
        assert!(gauges.buffered <= 300 && gauges.clients <= 4, "{gauges:?}");
        assert!(bench.connections() <= 1 + 5);
    }
    bench.advance(seconds(30));
    bench.take(9);
    bench.send(9, &PING);
    bench.publish_at_broker("news", "still here", 1);
    assert!(bench.payloads(9).contains(&"still here".into()), "seed {seed}: the bystander noticed");
    // Everybody goes, and nothing is left.
    bench.advance(seconds(100_000));
    let gauges = bench.gateway.gauges();
    assert_eq!(
        (gauges.clients, gauges.buffered, gauges.filters, gauges.upstreams),
        (0, 0, 0, 1),
        "seed {seed}"
    );
    (got, *bench.gateway.counters())
}

#[test]
fn nothing_that_is_sent_does_harm_and_every_run_can_be_repeated() {
    for mode in [Mode::Transparent, Mode::Aggregating] {
        let mut all = [0; 8];
        for seed in 0..150 {
            let first = run(mode, seed);
            let counters = &first.1;
            let counted = [
                counters.wills_published,
                counters.published,
                counters.delivered,
                counters.retransmitted,
                counters.dropped_queue_full,
                counters.dropped_memory,
                counters.dropped_refused,
                counters.dropped_no_topic_id,
            ];
            all.iter_mut().zip(counted).for_each(|(all, counted)| *all += counted);
            if seed % 10 == 0 {
                assert_eq!(first, run(mode, seed));
            }
        }
        assert!(
            all.iter().all(|&counted| counted > 10),
            "{mode:?}: what the runs are about does happen: {all:?}"
        );
    }
}
