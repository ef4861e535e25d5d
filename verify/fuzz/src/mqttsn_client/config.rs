use core::time::Duration;

use mqttsn_codec::QoS;
use mqttsn_core::client::{AddressFormat, Config, Will};

use crate::Source;

/// A configuration with some narrow limits.
pub(super) fn config(source: &mut Source<'_>) -> Config<u8> {
    let addresses = AddressFormat { write: |address| vec![*address], read: |octets| octets.first().copied() };
    Config {
        client_id: source.mostly(&["c", "a client id of 23 signs", "", "\0"]).into(),
        clean_session: source.once_in(2),
        keep_alive: source.mostly(&[60, 0, 1, 20]),
        will: source.once_in(2).then(|| will(source)),
        gateways: [1, 2][..source.mostly(&[1, 2, 0])].into(),
        discovery: source.once_in(2),
        answer_searches: !source.once_in(8),
        addresses: (!source.once_in(3)).then_some(addresses),
        max_gateways: source.mostly(&[8, 0, 1, 2]),
        search_radius: source.mostly(&[0, 1]),
        search_delay: seconds(source.mostly(&[5, 0])),
        max_search_interval: seconds(source.mostly(&[300, 0, 20])),
        answer_delay: seconds(source.mostly(&[5, 0])),
        missed_advertisements: source.mostly(&[3, 0, 1]),
        retry_interval: seconds(source.mostly(&[10, 0, 1])),
        retries: source.mostly(&[3, 0, 1]),
        congestion_wait: seconds(source.mostly(&[300, 0, 5])),
        max_postponements: source.mostly(&[3, 0, 1]),
        reconnect: !source.once_in(4),
        resubscribe: !source.once_in(4),
        queue_qos0: !source.once_in(4),
        max_message_size: source.mostly(&[1232, 2, 12, 30]),
        max_queued: source.mostly(&[64, 0, 1, 3]),
        max_queued_octets: source.mostly(&[16 << 10, 0, 10]),
        max_requests: source.mostly(&[64, 0, 1, 3]),
        max_subscriptions: source.mostly(&[64, 0, 1]),
        max_topics: source.mostly(&[64, 0, 1, 2]),
    }
}

pub(super) fn will(source: &mut Source<'_>) -> Will {
    Will {
        topic: source.mostly(&["w", "", "w/#", "a will topic that takes some room"]).into(),
        message: vec![b'm'; source.mostly(&[4, 0, 200, 2000])],
        qos: qos(source),
        retain: source.once_in(2),
    }
}

pub(super) fn qos(source: &mut Source<'_>) -> QoS {
    source.pick(&[QoS::AtLeastOnce, QoS::ExactlyOnce, QoS::AtMostOnce])
}

pub(super) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
