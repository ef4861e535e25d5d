//! A durable broker that crashes at every record, with every number of records that may survive: what was acknowledged is
//! there afterwards, and QoS 2 stays exactly once.

use std::time::Duration;

use mqtt_codec::ProtocolVersion::{V3_1_1, V5};
use mqtt_codec::QoS::{self, AtLeastOnce, AtMostOnce, ExactlyOnce};
use mqtt_core::Config;
use simulation::mqtt::{ClientSpec, Crash, Faults, Op, Scenario, WillSpec, run};
use simulation::net::Weather;

/// Runs a scenario once without a crash, then with a crash at each of its records, once for each number of records after
/// the last durable one that may survive. Returns how many crashes that made.
fn crash_everywhere(scenario: &Scenario) -> usize {
    let records = checked(scenario, Crash::Never).records;
    assert!(records > 10, "{records} records are hardly a test");
    let mut crashes = 0;
    for record in 1..=records {
        for survive in 0.. {
            let outcome = checked(scenario, Crash::AtRecord { record, survive });
            crashes += outcome.lags.len();
            if outcome.lags.first().is_none_or(|lag| survive >= *lag) {
                break;
            }
        }
    }
    crashes
}

fn checked(scenario: &Scenario, crash: Crash) -> simulation::mqtt::Outcome {
    let mut scenario = scenario.clone();
    scenario.faults.crash = crash;
    let outcome = run(&scenario);
    if !outcome.problems.is_empty() {
        scenario.trace = true;
        let problems = outcome.problems.join("\n  ");
        panic!("{:?}:\n{}\n  {problems}", scenario.faults.crash, run(&scenario).history);
    }
    outcome
}

/// Storage that takes up to 20 ms, a network that takes 1 ms, a broker that is down for up to 50 ms.
fn scenario(clients: Vec<ClientSpec>, ops: Vec<(u64, usize, Op)>) -> Scenario {
    let ops: Vec<_> =
        ops.into_iter().map(|(at, client, op)| (Duration::from_millis(at), client, op)).collect();
    let last = ops.iter().map(|(at, ..)| *at).max().unwrap_or_default();
    Scenario {
        seed: 1,
        config: Config { durable: true, sys_interval: Duration::ZERO, ..Config::default() },
        clients,
        ops,
        faults: Faults {
            weather: Weather::FAIR,
            storage: Duration::from_millis(20),
            lateness: Duration::ZERO,
            answers: Duration::ZERO,
            crash: Crash::Never,
            downtime: Duration::from_millis(50),
        },
        calm_at: last + Duration::from_secs(1),
        calm: Duration::from_secs(20),
        lossy: false,
        trace: false,
    }
}

fn publish(topic: &str, qos: QoS) -> Op {
    Op::Publish { topic: topic.into(), qos, retain: false, size: 0, expiry: None }
}

fn retain(topic: &str, qos: QoS) -> Op {
    Op::Publish { topic: topic.into(), qos, retain: true, size: 0, expiry: None }
}

fn subscribe(filter: &str, qos: QoS) -> Op {
    Op::Subscribe(filter.into(), qos)
}

#[test]
fn messages_in_flight_and_queued() {
    let slow = ClientSpec {
        receive_maximum: 1,
        ack_delay: Duration::from_millis(15),
        ..ClientSpec::persistent("slow", V5)
    };
    let clients =
        vec![ClientSpec::persistent("publisher", V3_1_1), slow, ClientSpec::persistent("away", V3_1_1)];
    let mut ops = vec![
        (0, 0, Op::Connect),
        (0, 1, Op::Connect),
        (0, 2, Op::Connect),
        (100, 1, subscribe("a/#", ExactlyOnce)),
        (100, 2, subscribe("a/1", AtLeastOnce)),
        (100, 2, subscribe("a/2", ExactlyOnce)),
        (200, 2, Op::Drop),
        (600, 2, Op::Connect),
        (650, 1, Op::Drop),
        (670, 1, Op::Connect),
    ];
    for at in [300, 301, 302, 303, 640, 660] {
        ops.push((at, 0, publish("a/1", AtLeastOnce)));
        ops.push((at, 0, publish("a/2", ExactlyOnce)));
        ops.push((at, 0, publish("a/0", AtMostOnce)));
    }
    let crashes = crash_everywhere(&scenario(clients, ops));
    assert!(crashes > 100, "{crashes}");
}

#[test]
fn subscriptions_retained_messages_and_wills() {
    let with_will = |id: &str, delay| ClientSpec {
        will: Some(WillSpec { topic: format!("will/{id}"), qos: ExactlyOnce, delay }),
        patience: Duration::from_secs(4),
        ..ClientSpec::persistent(id, V5)
    };
    let clients =
        vec![ClientSpec::persistent("watcher", V5), with_will("prompt", 0), with_will("patient", 1)];
    let ops = vec![
        (0, 0, Op::Connect),
        (100, 0, subscribe("will/#", ExactlyOnce)),
        (200, 1, Op::Connect),
        (200, 2, Op::Connect),
        (300, 1, retain("r/1", AtLeastOnce)),
        (300, 2, retain("r/2", ExactlyOnce)),
        (320, 0, subscribe("t", AtLeastOnce)),
        (340, 1, retain("r/1", AtLeastOnce)),
        (360, 2, Op::ClearRetained("r/3".into())),
        (360, 2, retain("r/3", AtLeastOnce)),
        (400, 1, publish("t", ExactlyOnce)),
        (420, 0, Op::Unsubscribe("t".into())),
        (440, 1, publish("t", AtLeastOnce)),
        (450, 2, Op::ClearRetained("r/3".into())),
        (460, 0, subscribe("t", ExactlyOnce)),
        (500, 1, Op::Drop),
        (500, 2, Op::Drop),
        (520, 1, publish("t", ExactlyOnce)),
        (14_000, 1, Op::Connect),
        (14_100, 1, Op::Disconnect),
        (14_200, 2, Op::Connect),
        (14_300, 2, publish("t", ExactlyOnce)),
        (14_400, 2, Op::Clean),
        (14_500, 2, Op::Connect),
    ];
    let crashes = crash_everywhere(&scenario(clients, ops));
    assert!(crashes > 30, "{crashes}");
}

#[test]
fn shared_subscriptions() {
    let clients = vec![
        ClientSpec::persistent("publisher", V5),
        ClientSpec::persistent("member-1", V5),
        ClientSpec::persistent("member-2", V3_1_1),
    ];
    let mut ops = vec![
        (0, 0, Op::Connect),
        (0, 1, Op::Connect),
        (0, 2, Op::Connect),
        (100, 1, subscribe("$share/g/s/#", ExactlyOnce)),
        (100, 2, subscribe("$share/g/s/#", ExactlyOnce)),
        (300, 1, Op::Drop),
        (330, 2, Op::Drop),
        (500, 2, Op::Connect),
    ];
    for at in [250, 290, 305, 325, 340, 495, 510] {
        ops.push((at, 0, publish("s/1", AtLeastOnce)));
        ops.push((at, 0, publish("s/2", ExactlyOnce)));
    }
    let crashes = crash_everywhere(&scenario(clients, ops));
    assert!(crashes > 60, "{crashes}");
}
