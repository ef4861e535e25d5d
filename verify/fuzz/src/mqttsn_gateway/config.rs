use core::time::Duration;

use mqtt_codec::ProtocolVersion;
use mqttsn_codec::TopicId;
use mqttsn_core::gateway::{
    Advertise, Config, DropPolicy, MinusOnePolicy, Mode, Predefined, QueueConfig, StrangerLimits, Upstream,
};
use topic_match::FilterLimits;

use crate::Source;

/// The predefined topic ids: 1 for all clients, 2 for the first.
pub(super) const PREDEFINED: [&str; 2] = ["pre/all", "pre/own"];
pub(super) const GATEWAY_ID: u8 = 7;

/// A configuration with some narrow limits.
pub(super) fn config(source: &mut Source<'_>) -> Config {
    let mode = source.pick(&[Mode::Transparent, Mode::Aggregating]);
    let policies = [DropPolicy::Oldest, DropPolicy::Newest, DropPolicy::QoS0First];
    Config {
        mode,
        gateway_id: GATEWAY_ID,
        upstream: upstream(source),
        predefined: predefined(),
        advertise: source.once_in(3).then(|| Advertise {
            interval: source.mostly(&[60, 0, 900]),
            radius: source.mostly(&[0, 2, 200]),
        }),
        max_clients: source.mostly(&[100, 0, 1, 3]),
        max_handshakes: source.mostly(&[100, 0, 1]),
        handshake_timeout: seconds(source.mostly(&[60, 0, 5])),
        max_client_id: source.mostly(&[128, 1, 2]),
        assign_client_ids: source.once_in(2),
        rebind_on_ping: source.once_in(2),
        idle_ceiling: seconds(source.mostly(&[100, 0])),
        session_expiry: seconds(source.mostly(&[300, 0, 5])),
        linger: seconds(source.mostly(&[60, 0])),
        duplicate_window: seconds(source.mostly(&[5, 0])),
        retry: seconds(source.mostly(&[10, 0, 1])),
        retries: source.mostly(&[4, 0, 1, 255]),
        wait: seconds(source.mostly(&[300, 0, 5])),
        max_message_size: source.mostly(&[1400, 7, 20, 60]),
        max_topics: source.mostly(&[256, 0, 1, 2]),
        random_ids: source.once_in(2),
        topic_limits: FilterLimits { levels: source.mostly(&[128, 1]), ..Config::default().topic_limits },
        publish_to_dollar: source.once_in(8),
        max_will_size: source.mostly(&[1024, 0]),
        max_inbound: source.mostly(&[8, 0, 1]),
        max_requests: source.mostly(&[4, 0, 1]),
        queue: QueueConfig {
            messages: source.mostly(&[100, 0, 1, 3]),
            bytes: source.mostly(&[64 << 10, 0, 60, 200]),
            policy: source.pick(&policies),
            qos0_asleep: !source.once_in(4),
        },
        max_buffered: source.mostly(&[64 << 20, 0, 60, 300]),
        qos_minus_one: source.mostly(&[
            MinusOnePolicy::Anyone,
            MinusOnePolicy::Off,
            MinusOnePolicy::Connected,
        ]),
        rsmb_qos_minus_one: source.once_in(4),
        strangers: strangers(source),
        max_forwarders: source.mostly(&[256, 0, 1]),
        subscribe_delay: Duration::from_millis(source.mostly(&[20, 0])),
        retained_window: seconds(source.mostly(&[2, 0])),
    }
}

fn upstream(source: &mut Source<'_>) -> Upstream {
    Upstream {
        version: source.mostly(&[ProtocolVersion::V5, ProtocolVersion::V3_1_1]),
        client_id: source.mostly(&["", "hub"]).into(),
        client_id_prefix: source.mostly(&["", "p-"]).into(),
        username: source.once_in(4).then(|| "user".into()),
        keep_alive: source.mostly(&[60, 0, 1]),
        link_grace: source.mostly(&[60, 0]),
        connect_timeout: seconds(source.mostly(&[10, 1])),
        max_queued: source.mostly(&[16, 0, 1]),
        max_shared_queued: source.mostly(&[10_000, 1, 3]),
        max_memory: source.mostly(&[16 << 20, 100, 2000]),
        max_filters: source.mostly(&[100_000, 1, 2]),
        max_packet_size: source.mostly(&[1 << 20, 100]),
        ..Upstream::default()
    }
}

fn predefined() -> Predefined {
    let mut predefined = Predefined::default();
    let id = |number| TopicId::new(number).expect("in range");
    predefined.insert(id(1), PREDEFINED[0]).expect("a topic name");
    predefined.insert_for("c1", id(2), PREDEFINED[1]).expect("a topic name");
    predefined
}

fn strangers(source: &mut Source<'_>) -> StrangerLimits {
    StrangerLimits {
        answers: source.mostly(&[200, 0, 1]),
        answers_each: source.mostly(&[5, 0, 1]),
        messages: source.mostly(&[5000, 0, 1]),
        messages_each: source.mostly(&[100, 0, 1]),
        addresses: source.mostly(&[4096, 0, 1]),
    }
}

pub(super) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
