//! Scenarios out of seeds.

use std::time::Duration;

use machine::Random;
use mqtt_codec::ProtocolVersion;
use mqttsn_codec::QoS;
use mqttsn_core::gateway::{Advertise, Config, Mode, QueueConfig, Upstream};

use super::scenario::{ClientSpec, GatewaySpec, Op, Scenario, Topic};
use crate::net;
use crate::net::datagram::Weather;

/// What messages are about.
pub(crate) const TOPICS: [Topic; 6] = [
    Topic::Name("t/1"),
    Topic::Name("t/2"),
    Topic::Name("u/1"),
    Topic::Short("ab"),
    Topic::Predefined(1),
    Topic::Predefined(2),
];
/// What is subscribed to.
pub(crate) const FILTERS: [Topic; 7] = [
    Topic::Name("t/1"),
    Topic::Name("t/+"),
    Topic::Name("u/#"),
    Topic::Name("+/1"),
    Topic::Short("ab"),
    Topic::Predefined(1),
    Topic::Predefined(2),
];

/// When the last operation comes.
const BUSY: Duration = Duration::from_secs(500);

impl Scenario {
    /// A scenario in which anything may happen.
    pub fn from_seed(seed: u64) -> Self {
        let mut random = Random::from_u64(!seed);
        let mode = if random.chance(1, 2) { Mode::Transparent } else { Mode::Aggregating };
        let gateways = if random.chance(1, 3) { 2 } else { 1 };
        let clients = 1 + random.below(3) as usize;
        let forwarder = random.chance(1, 5);
        let gateways: Vec<_> =
            (0..gateways).map(|index| gateway(&mut random, mode, index, clients)).collect();
        let clients: Vec<_> =
            (0..clients).map(|_| client(&mut random, mode, gateways.len(), forwarder)).collect();
        // What may go wrong in this run, beside the weather.
        let troubles: Vec<u64> = (0..TROUBLES).filter(|_| random.chance(1, 4)).collect();
        let mut ops: Vec<_> =
            (0..clients.len()).map(|client| (Duration::ZERO, Op::Connect(client))).collect();
        for client in 0..clients.len() {
            for _ in 0..random.below(3) {
                let at = random.between(Duration::ZERO, Duration::from_secs(2));
                ops.push((at, Op::Subscribe(client, pick(&mut random, FILTERS), qos(&mut random))));
            }
        }
        for _ in 0..10 + random.below(30) {
            let at = random.between(Duration::ZERO, BUSY);
            happen(&mut random, at, &clients, gateways.len(), &troubles, &mut ops);
        }
        ops.sort_by_key(|(at, _)| *at);
        Self {
            seed,
            weather: weather(&mut random),
            upstream: upstream(&mut random),
            gateways,
            clients,
            ops,
            calm_at: BUSY + Duration::from_secs(30),
            trace: false,
        }
    }
}

fn gateway(random: &mut Random, mode: Mode, index: usize, clients: usize) -> GatewaySpec {
    let mut config = Config {
        mode,
        gateway_id: 1 + index as u8,
        predefined: Topic::predefined(),
        advertise: random.chance(1, 2).then_some(Advertise { interval: 60, radius: 0 }),
        max_clients: clients as u32,
        rebind_on_ping: random.chance(1, 2),
        idle_ceiling: Duration::from_secs(1800),
        session_expiry: Duration::from_secs(3600),
        // Longer than a datagram can be on its way.
        duplicate_window: Duration::from_secs(6),
        wait: Duration::from_secs(40),
        upstream: Upstream {
            version: if random.chance(1, 4) { ProtocolVersion::V3_1_1 } else { ProtocolVersion::V5 },
            client_id: format!("gateway-{index}"),
            link_grace: pick(random, [60, 3600]),
            ..Upstream::default()
        },
        ..Config::default()
    };
    if random.chance(1, 6) {
        config.queue = QueueConfig { messages: 2 + random.below(3) as u16, ..QueueConfig::default() };
    }
    GatewaySpec { config, lateness: lateness(random) }
}

fn client(random: &mut Random, mode: Mode, gateways: usize, through: bool) -> ClientSpec {
    let clean = random.chance(1, 3);
    let forwarded = through && random.chance(1, 2);
    ClientSpec {
        clean,
        keep_alive: pick(random, [30, 60, 120]),
        will: random.chance(1, 4),
        forwarded,
        discovery: !forwarded && random.chance(1, 5),
        // Where the session is the broker's, and one gateway's alone, it keeps the subscriptions.
        resubscribe: clean || mode == Mode::Aggregating || gateways > 1 || random.chance(1, 2),
        retry: Duration::from_secs(pick(random, [6, 10, 15])),
        lateness: lateness(random),
    }
}

fn lateness(random: &mut Random) -> Duration {
    Duration::from_millis(pick(random, [0, 0, 20, 1000]))
}

fn weather(random: &mut Random) -> Weather {
    if random.chance(1, 6) {
        return Weather::FAIR;
    }
    Weather {
        latency: (Duration::from_millis(1), Duration::from_millis(pick(random, [2, 50, 800]))),
        late_per_mille: pick(random, [0, 20, 200]),
        lateness: Duration::from_secs(2),
        loss_per_mille: pick(random, [0, 50, 200, 400, 600]),
        burst_per_mille: pick(random, [0, 0, 10]),
        burst: Duration::from_secs(20),
        twice_per_mille: pick(random, [0, 0, 50, 300]),
    }
}

fn upstream(random: &mut Random) -> net::Weather {
    if random.chance(1, 2) {
        return net::Weather::FAIR;
    }
    net::Weather {
        latency: (Duration::from_millis(1), Duration::from_millis(pick(random, [2, 50, 500]))),
        buffer: pick(random, [1 << 16, 300]),
        cut_per_mille: pick(random, [0, 300, 700]),
        cut_within: pick(random, [200, 2000]),
        notice: Duration::from_secs(pick(random, [0, 3, 30])),
        pieces_per_mille: pick(random, [0, 300]),
    }
}

/// Kinds of trouble.
const TROUBLES: u64 = 8;

fn happen(
    random: &mut Random,
    at: Duration,
    clients: &[ClientSpec],
    gateways: usize,
    troubles: &[u64],
    ops: &mut Vec<(Duration, Op)>,
) {
    let client = random.below(clients.len() as u64) as usize;
    let gateway = random.below(gateways as u64) as usize;
    let topic = pick(random, TOPICS);
    let later =
        |random: &mut Random, most: u64| at + random.between(Duration::ZERO, Duration::from_secs(most));
    let op = match random.below(16) {
        0..=4 => Op::Publish(client, topic, qos(random)),
        5..=8 => Op::PublishAtBroker(topic.name(), qos(random)),
        9 => Op::Subscribe(client, pick(random, FILTERS), qos(random)),
        10 if random.chance(1, 3) => {
            // Soon again: copies of the one must not undo the other.
            let filter = pick(random, FILTERS);
            ops.push((at + Duration::from_secs(1), Op::Subscribe(client, filter, qos(random))));
            Op::Unsubscribe(client, filter)
        }
        10 => Op::PublishMinusOne(client, topic, gateway),
        _ => {
            let Some(trouble) = troubles.get(random.below(TROUBLES) as usize) else {
                return ops.push((at, Op::Publish(client, topic, qos(random))));
            };
            match trouble {
                0 => {
                    ops.push((later(random, 200), Op::Connect(client)));
                    ops.push((later(random, 100), Op::Check(client)));
                    Op::Sleep(client, pick(random, [20, 60, 200]))
                }
                1 => {
                    ops.push((later(random, 100), Op::Connect(client)));
                    Op::Disconnect(client)
                }
                2 => Op::Move(client),
                3 => {
                    let downtime = Duration::from_secs(random.below(100));
                    Op::Restart(gateway, downtime, random.chance(1, 3))
                }
                4 => Op::CutUpstream(gateway),
                5 => Op::Outage(gateway, Duration::from_secs(pick(random, [1, 20, 100]))),
                6 => {
                    let span = Duration::from_secs(pick(random, [5, 30, 150]));
                    Op::Part(client, gateway, span, random.chance(1, 2))
                }
                _ => Op::RestartForwarder,
            }
        }
    };
    ops.push((at, op));
}

fn qos(random: &mut Random) -> QoS {
    pick(random, [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::AtLeastOnce, QoS::ExactlyOnce, QoS::ExactlyOnce])
}

fn pick<T: Copy, const N: usize>(random: &mut Random, from: [T; N]) -> T {
    from[random.below(N as u64) as usize]
}
