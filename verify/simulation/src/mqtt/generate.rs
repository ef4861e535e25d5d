//! Scenarios out of seeds.

use std::time::Duration;

use machine::Random;
use mqtt_codec::{ProtocolVersion, QoS};
use mqtt_core::{Ask, Checks, Config, DropPolicy, QueueConfig};

use super::scenario::{ApplicationSpec, ClientSpec, Crash, Faults, NEVER, Op, Scenario, WillSpec};
use crate::net::Weather;

/// When the last operation comes, in milliseconds.
const BUSY: u64 = 8_000;
const FILTERS: [&str; 10] = ["t/0", "t/1", "t/+", "t/#", "+/0", "#", "r/#", "r/+/1", "will/#", "+/+"];

impl Scenario {
    /// A scenario in which anything may happen.
    pub fn from_seed(seed: u64) -> Self {
        let mut random = Random::from_u64(!seed);
        let lossy = random.chance(1, 6);
        let config = config(&mut random, lossy);
        let clients: Vec<_> = (0..3 + random.below(3)).map(|number| client(&mut random, number)).collect();
        let crashes = if config.durable { random.below(3) } else { 0 };
        let crash: Vec<_> = (0..crashes).map(|_| millis(&mut random, 500, BUSY)).collect();
        let mut ops = Vec::new();
        let members = if random.chance(1, 3) { 2 } else { 0 };
        let group_qos = qos(&mut random);
        for client in 0..clients.len() {
            ops.push((millis(&mut random, 0, 100), client, Op::Connect));
            for _ in 0..=random.below(2) {
                let op = if client < members {
                    Op::Subscribe("$share/group/s/+".into(), group_qos)
                } else {
                    subscribe(&mut random)
                };
                ops.push((millis(&mut random, 100, 500), client, op));
            }
        }
        for _ in 0..30 + random.below(70) {
            let at = millis(&mut random, 300, BUSY);
            let client = random.below(clients.len() as u64) as usize;
            happen(&mut random, at, client, client < members, &mut ops);
        }
        // A client of MQTT 3.1 is not told whether its session was ended after all.
        ops.retain(|(_, client, op)| {
            !matches!(op, Op::Clean) || clients[*client].version > ProtocolVersion::V3_1
        });
        ops.sort_by_key(|(at, client, _)| (*at, *client));
        Self {
            seed,
            config,
            clients,
            ops,
            faults: Faults {
                weather: weather(&mut random),
                storage: Duration::from_millis([0, 60, 500][random.below(3) as usize]),
                lateness: Duration::from_millis([0, 0, 700][random.below(3) as usize]),
                answers: millis(&mut random, 0, 100),
                crash: if crash.is_empty() { Crash::Never } else { Crash::At(crash) },
                downtime: Duration::from_secs(1),
            },
            calm_at: Duration::from_millis(BUSY + 1000),
            calm: Duration::from_secs(200),
            lossy,
            trace: false,
        }
    }

    /// A scenario in which most clients are applications on this workspace's client, and those with storage crash too.
    pub fn with_applications_from_seed(seed: u64) -> Self {
        let mut scenario = Self::from_seed(seed);
        let mut random = Random::from_u64(seed);
        for (index, client) in scenario.clients.iter_mut().enumerate() {
            if random.chance(1, 5) {
                continue;
            }
            let application = application(&mut random);
            client.application = Some(application);
            client.will = None;
            if client.version == ProtocolVersion::V5 && random.chance(1, 3) {
                client.expiry = 1;
            }
            scenario
                .ops
                .retain(|(_, who, op)| *who != index || !matches!(op, Op::Clean | Op::ClearRetained(_)));
            let crashes = if application.durable { random.below(3) } else { 0 };
            scenario.ops.extend((0..crashes).map(|_| (millis(&mut random, 500, BUSY), index, Op::Crash)));
        }
        scenario.ops.sort_by_key(|(at, client, _)| (*at, *client));
        scenario
    }
}

fn application(random: &mut Random) -> ApplicationSpec {
    ApplicationSpec {
        clean_start: random.chance(1, 2),
        durable: random.chance(2, 3),
        manual_acknowledgement: random.chance(1, 3),
        resubscribe: random.chance(1, 2),
        max_inflight: [1, 4, 1024][random.below(3) as usize],
    }
}

fn config(random: &mut Random, lossy: bool) -> Config {
    let queue = QueueConfig {
        messages: if lossy { 1 + random.below(5) as u32 } else { 1000 },
        policy: if random.chance(1, 2) { DropPolicy::Newest } else { DropPolicy::Oldest },
        offline_qos0: random.chance(1, 2),
        ..QueueConfig::default()
    };
    let checks =
        Checks { publish: random.chance(1, 6), subscribe: random.chance(1, 6), deliver: random.chance(1, 8) };
    Config {
        sys_interval: Duration::ZERO,
        durable: random.chance(1, 2),
        output_high_water: [300, 2000, 64 << 10][random.below(3) as usize],
        max_inflight: [1, 3, 1024][random.below(3) as usize],
        receive_maximum: [8, 1024][random.below(2) as usize],
        max_outgoing_topic_aliases: [0, 2, 32][random.below(3) as usize],
        ask: Ask { connect: random.chance(1, 6), checks },
        queue,
        ..Config::default()
    }
}

fn client(random: &mut Random, number: u64) -> ClientSpec {
    let version = [ProtocolVersion::V3_1, ProtocolVersion::V3_1_1, ProtocolVersion::V5, ProtocolVersion::V5]
        [random.below(4) as usize];
    let will = random.chance(1, 3).then(|| WillSpec {
        topic: format!("will/{number}"),
        qos: qos(random),
        delay: random.below(4) as u32,
    });
    ClientSpec {
        expiry: if random.chance(1, 4) { 0 } else { NEVER },
        receive_maximum: [0, 1, 5][random.below(3) as usize],
        alias_maximum: [0, 3][random.below(2) as usize],
        ack_delay: millis(random, 0, 60),
        patience: millis(random, 1, 800),
        will,
        ..ClientSpec::persistent(&format!("client-{number}"), version)
    }
}

fn weather(random: &mut Random) -> Weather {
    let least = millis(random, 0, 5);
    Weather {
        latency: (least, least + millis(random, 1, 30)),
        buffer: [70, 1000, 100_000][random.below(3) as usize],
        cut_per_mille: [0, 500, 1000][random.below(3) as usize],
        cut_within: [500, 5000][random.below(2) as usize],
        notice: Duration::from_millis([50, 3000, 60_000][random.below(3) as usize]),
        pieces_per_mille: [0, 100, 700][random.below(3) as usize],
    }
}

/// Something that a client may do, and sometimes what it does a little later.
fn happen(
    random: &mut Random,
    at: Duration,
    client: usize,
    member: bool,
    ops: &mut Vec<(Duration, usize, Op)>,
) {
    let span = millis(random, 1, 2000);
    let later = at + span;
    match random.below(20) {
        0 => {
            ops.push((at, client, Op::Disconnect));
            ops.push((later, client, Op::Connect));
        }
        1 => {
            ops.push((at, client, Op::Drop));
            ops.push((later, client, Op::Connect));
        }
        2 => ops.push((at, client, Op::Stall(span))),
        8 if !member && random.chance(1, 4) => {
            ops.push((at, client, Op::Clean));
            ops.push((later, client, Op::Connect));
            ops.push((later, client, subscribe(random)));
        }
        3 if !member => ops.push((at, client, subscribe(random))),
        4 if !member => ops.push((at, client, Op::Unsubscribe(filter(random)))),
        5 | 6 => {
            // Each topic has one publisher and one QoS, so that it is certain which message is the last.
            let qos = if random.chance(1, 2) { QoS::AtLeastOnce } else { QoS::ExactlyOnce };
            let topic = format!("r/{client}/{}", qos as u8);
            if qos == QoS::AtLeastOnce && random.chance(1, 4) {
                ops.push((at, client, Op::ClearRetained(topic)));
            } else {
                ops.push((at, client, Op::Publish { topic, qos, retain: true, size: 0, expiry: None }));
            }
        }
        burst => {
            let topic = ["t/0", "t/1", "s/0"][random.below(3) as usize].to_owned();
            let (qos, size) = (qos(random), [0, 0, 40, 1500][random.below(4) as usize]);
            for _ in 0..if burst == 7 { 10 } else { 1 } {
                let op = Op::Publish { topic: topic.clone(), qos, retain: false, size, expiry: None };
                ops.push((at, client, op));
            }
        }
    }
}

fn subscribe(random: &mut Random) -> Op {
    Op::Subscribe(filter(random), qos(random))
}

fn filter(random: &mut Random) -> String {
    FILTERS[random.below(FILTERS.len() as u64) as usize].into()
}

fn qos(random: &mut Random) -> QoS {
    [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce, QoS::ExactlyOnce][random.below(4) as usize]
}

fn millis(random: &mut Random, least: u64, most: u64) -> Duration {
    random.between(Duration::from_millis(least), Duration::from_millis(most))
}
