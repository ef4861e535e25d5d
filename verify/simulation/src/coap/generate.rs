//! Scenarios out of seeds.

use std::time::Duration;

use coap_codec::Code;
use coap_core::{Config, EchoPolicy, Limits, NotificationPolicy, Reliability, Transmission};
use machine::Random;

use super::scenario::{Ask, NodeSpec, Op, Path, Scenario, ServerSpec, Target};
use crate::net::datagram::Weather;

/// When the last operation comes.
const BUSY: Duration = Duration::from_secs(300);

impl Scenario {
    /// A scenario in which anything may happen.
    pub fn from_seed(seed: u64) -> Self {
        let mut random = Random::from_u64(!seed);
        let fair = random.chance(1, 8);
        let servers = 1 + random.below(3);
        let clients = 1 + random.below(3);
        let nodes: Vec<_> =
            (0..servers + clients).map(|index| node(&mut random, index < servers, fair)).collect();
        let mut directions = Vec::new();
        if !fair && random.chance(1, 3) {
            let (from, to) = (random.below(nodes.len() as u64), random.below(nodes.len() as u64));
            directions.push((from as usize, to as usize, weather(&mut random)));
        }
        let mut ops = Vec::new();
        for _ in 0..10 + random.below(40) {
            let at = random.between(Duration::ZERO, BUSY);
            happen(&mut random, at, &nodes, servers, fair, &mut ops);
        }
        ops.sort_by_key(|(at, node, _)| (*at, *node));
        Self {
            seed,
            weather: if fair { Weather::FAIR } else { weather(&mut random) },
            directions,
            reports_unreachable: random.chance(1, 2),
            nodes,
            ops,
            fair,
            calm_at: BUSY + Duration::from_secs(100),
            trace: false,
        }
    }
}

fn node(random: &mut Random, server: bool, fair: bool) -> NodeSpec {
    // A client may be a server, too, but nobody asks it for anything that it has.
    NodeSpec {
        config: config(random, fair),
        serves: server.then(|| serves(random, fair)),
        lateness: Duration::from_millis([0, 0, 50, 3000][pick(random, if fair { 3 } else { 4 })]),
        trusts: random.chance(1, 2),
    }
}

fn config(random: &mut Random, fair: bool) -> Config {
    let limits = match fair {
        // Many bodies may be under way at once.
        true => Limits { bodies_per_peer: 100, ..Limits::default() },
        false if random.chance(2, 3) => Limits::default(),
        false => small(random),
    };
    Config {
        transmission: Transmission {
            nstart: [1, 1, 3][pick(random, 3)],
            probing_rate: [1, 50, 1000][pick(random, 3)],
            ..Transmission::default()
        },
        limits,
        block_size_exponent: [6, 4, 2, 0][pick(random, 4)].max(if random.chance(1, 2) { 4 } else { 0 }),
        acknowledge_after: millis(random, 0, 1500),
        echo: EchoPolicy {
            amplification: [None, Some(3), Some(1)][pick(random, 3)],
            ..EchoPolicy::default()
        },
        notifications: NotificationPolicy {
            confirmable: random.chance(1, 2),
            confirm_after: [Duration::from_secs(24 * 60 * 60), Duration::from_secs(40)][pick(random, 2)],
            spacing: if random.chance(1, 2) { Duration::ZERO } else { millis(random, 0, 5000) },
        },
        reregister: random.chance(7, 8),
        ..Config::default()
    }
}

fn small(random: &mut Random) -> Limits {
    let few = |random: &mut Random, most: u64| 1 + random.below(most) as usize;
    Limits {
        queued_per_peer: few(random, 5),
        outgoing: 4 + few(random, 8),
        remembered: 60 + few(random, 200),
        remembered_per_peer: 40 + few(random, 100),
        remembered_bytes: few(random, 6000),
        requests: 4 + few(random, 10),
        unanswered: few(random, 6),
        unanswered_per_peer: few(random, 3),
        body: 500 + few(random, 3000),
        bodies: 4000 + few(random, 10_000),
        bodies_per_peer: few(random, 3),
        observers: few(random, 4),
        observers_per_peer: few(random, 3),
        rejections_per_second: few(random, 3) as u32,
        ..Limits::default()
    }
}

fn serves(random: &mut Random, fair: bool) -> ServerSpec {
    let longest = [100, 5000, 30_000][pick(random, 3)];
    ServerSpec {
        think: millis(random, 0, longest),
        slow_per_mille: [0, 200, 1000][pick(random, 3)],
        silent_per_mille: if fair { 0 } else { [0, 0, 50][pick(random, 3)] },
        etags: random.chance(1, 2),
        max_age: [None, Some(20), Some(60)][pick(random, 3)],
        page: 200 + random.below(3000) as usize,
        notifications: [None, None, Some(Reliability::Confirmable), Some(Reliability::NonConfirmable)]
            [pick(random, 4)],
        in_group: random.chance(2, 3),
    }
}

fn weather(random: &mut Random) -> Weather {
    let least = millis(random, 0, 200);
    // RFC 7252 §4.8.2: nothing is under way for longer than MAX_LATENCY.
    let lateness = Duration::from_secs([1, 20, 95][pick(random, 3)]);
    Weather {
        latency: (least, least + millis(random, 1, 2000)),
        late_per_mille: [0, 50, 200][pick(random, 3)],
        lateness,
        loss_per_mille: [0, 50, 200, random.below(600)][pick(random, 4)],
        burst_per_mille: [0, 0, 30][pick(random, 3)],
        burst: Duration::from_secs(20),
        twice_per_mille: [0, 100, 500][pick(random, 3)],
    }
}

/// Something that a node may do, and sometimes what it does a little later.
fn happen(
    random: &mut Random,
    at: Duration,
    nodes: &[NodeSpec],
    servers: u64,
    fair: bool,
    ops: &mut Vec<(Duration, usize, Op)>,
) {
    let any = random.below(nodes.len() as u64) as usize;
    let server = random.below(servers) as usize;
    let client = servers as usize + random.below(nodes.len() as u64 - servers) as usize;
    let path = [Path::Value, Path::Page][pick(random, 2)];
    let span = millis(random, 1, 60_000);
    let other = (any + 1 + random.below(nodes.len() as u64 - 1) as usize) % nodes.len();
    let op = match random.below(40) {
        0 if !fair => (any, Op::Restart(span)),
        1 if !fair => (any, Op::Part(other, span, random.chance(1, 2))),
        2 if !fair => (server, Op::Withdraw(path, span)),
        3 if !fair => (client, Op::Cancel),
        4 => (client, Op::Deregister),
        5 => (any, Op::Ping(other)),
        6..=9 => (server, Op::Change(path)),
        10 | 11 => {
            for _ in 0..10 {
                ops.push((at + millis(random, 0, 5000), server, Op::Change(path)));
            }
            return;
        }
        burst => {
            for _ in 0..if burst == 12 { 8 } else { 1 } {
                // Servers ask each other, too.
                let asks =
                    if random.chance(1, 8) && servers > 1 { (server + 1) % servers as usize } else { client };
                ops.push((at, asks, Op::Ask(ask(random, server, fair))));
            }
            return;
        }
    };
    ops.push((at, op.0, op.1));
}

fn ask(random: &mut Random, server: usize, fair: bool) -> Ask {
    let methods = [Code::GET, Code::GET, Code::GET, Code::GET, Code::PUT, Code::PUT, Code::POST, Code::POST];
    let method = match random.below(12) {
        8 => Code::FETCH,
        9 => Code::DELETE,
        other => methods[other as usize % methods.len()],
    };
    let group = method == Code::GET && random.chance(1, 6);
    let safe = matches!(method, Code::GET | Code::FETCH);
    let path = match method {
        Code::POST => Path::Echo,
        _ if group => Path::Value,
        _ => [Path::Value, Path::Page][pick(random, 2)],
    };
    let large = random.below(4000) as usize;
    let non = group || !fair && random.chance(1, 4) || fair && random.chance(1, 8);
    Ask {
        to: if group { Target::Group } else { Target::Node(server) },
        path,
        method,
        size: [0, 0, 40, large][pick(random, 4)],
        answer: [0, 40, 1500, large][pick(random, 4)],
        reliability: if non { Reliability::NonConfirmable } else { Reliability::Confirmable },
        observe: safe && !group && path != Path::Echo && random.chance(1, 3),
        validate: method == Code::GET && !group && random.chance(1, 4),
        anonymous: safe && random.chance(1, 4),
        no_response: (!fair && random.chance(1, 20)).then(|| [2, 8, 26][pick(random, 3)]),
        exponent: random.chance(1, 3).then(|| random.below(7) as u8),
        timeout: (!fair && random.chance(1, 6)).then(|| millis(random, 0, 20_000)),
    }
}

fn pick(random: &mut Random, count: usize) -> usize {
    random.below(count as u64) as usize
}

fn millis(random: &mut Random, least: u64, most: u64) -> Duration {
    random.between(Duration::from_millis(least), Duration::from_millis(most))
}
