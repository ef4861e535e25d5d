use core::time::Duration;

use mqtt_codec::QoS;
use mqtt_core::{Ask, Checks, Config, DropPolicy, Overlapping, QueueConfig};

use crate::Source;

/// The longest that a session outlives its connection here, so that the end can be waited for.
pub(super) const LONGEST_SESSION: u32 = 100;

/// A configuration with some narrow limits.
pub(super) fn config(source: &mut Source<'_>) -> Config {
    Config {
        max_connections: source.mostly(&[8, 2]),
        max_sessions: source.mostly(&[100, 1, 3]),
        connect_timeout: seconds(source.mostly(&[10, 1])),
        max_connect_size: source.mostly(&[3072, 40, 200]),
        max_packet_size: source.mostly(&[16 << 20, 60, 2000]),
        max_client_id_size: source.mostly(&[1024, 1]),
        assign_client_ids: !source.once_in(32),
        max_keep_alive: source.mostly(&[u16::MAX, 2, 30]),
        max_session_expiry: source.mostly(&[LONGEST_SESSION, 0, 3]),
        receive_maximum: source.mostly(&[1024, 1, 3]),
        v3_receive_maximum: source.mostly(&[1024, 1, 3]),
        max_inflight: source.mostly(&[1024, 1, 3]),
        topic_alias_maximum: source.mostly(&[32, 0, 2]),
        max_outgoing_topic_aliases: source.mostly(&[32, 0, 2]),
        max_qos: source.mostly(&[QoS::ExactlyOnce, QoS::AtLeastOnce, QoS::AtMostOnce]),
        retain_available: !source.once_in(32),
        wildcard_subscriptions: !source.once_in(32),
        shared_subscriptions: !source.once_in(32),
        subscription_identifiers: !source.once_in(32),
        overlapping_subscriptions: source.pick(&[Overlapping::Once, Overlapping::Each]),
        max_topic_levels: source.mostly(&[128, 1, 2]),
        max_filter_wildcards: source.mostly(&[8, 0, 1]),
        max_subscriptions_per_client: source.mostly(&[1000, 1, 3]),
        max_subscriptions: source.mostly(&[1000, 2, 5]),
        max_retained: source.mostly(&[1000, 0, 2]),
        max_memory: source.mostly(&[1 << 20, 500, 3000, 10_000]),
        queue: QueueConfig {
            messages: source.mostly(&[1000, 0, 1, 3]),
            bytes: source.mostly(&[1 << 20, 10, 2000]),
            policy: source.pick(&[DropPolicy::Newest, DropPolicy::Oldest]),
            offline_qos0: source.once_in(2),
        },
        output_high_water: source.mostly(&[64 << 10, 1, 100, 2000]),
        response_topic_prefix: source.once_in(2).then(|| "answers/".into()),
        sys_interval: seconds(source.mostly(&[0, 0, 7])),
        ask: ask(source),
        durable: source.once_in(3),
        ..Config::default()
    }
}

fn ask(source: &mut Source<'_>) -> Ask {
    let connect = source.once_in(3);
    Ask { connect, checks: if source.once_in(4) { checks(source) } else { Checks::default() } }
}

pub(super) fn checks(source: &mut Source<'_>) -> Checks {
    let bits = source.byte();
    Checks { publish: bits & 1 != 0, subscribe: bits & 2 != 0, deliver: bits & 4 != 0 }
}

pub(super) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
