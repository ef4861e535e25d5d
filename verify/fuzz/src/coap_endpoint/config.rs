use core::time::Duration;

use coap_core::{Config, EchoPolicy, Limits, NonBadOption, NotificationPolicy, Transmission};

use crate::Source;

/// A configuration with some narrow limits.
pub(super) fn config(source: &mut Source<'_>) -> Config {
    let day = Duration::from_secs(24 * 60 * 60);
    Config {
        transmission: transmission(source),
        limits: limits(source),
        max_token_len: source.mostly(&[8, 20, 300]),
        block_size_exponent: source.mostly(&[2, 0, 6]),
        max_datagram: source.mostly(&[1152, 60, 200]),
        acknowledge_after: source.mostly(&[Duration::from_millis(500), Duration::ZERO, seconds(10)]),
        response_timeout: source.mostly(&[seconds(247), seconds(1)]),
        echo: EchoPolicy {
            amplification: source.mostly(&[Some(3), None, Some(1), Some(10)]),
            lifetime: source.mostly(&[seconds(60), seconds(1)]),
        },
        non_bad_option: source.pick(&[NonBadOption::BadOption, NonBadOption::Silence]),
        notifications: NotificationPolicy {
            confirmable: source.once_in(2),
            confirm_after: source.mostly(&[day, Duration::ZERO, seconds(10)]),
            spacing: source.mostly(&[seconds(3), Duration::ZERO]),
        },
        reregister: !source.once_in(4),
    }
}

fn transmission(source: &mut Source<'_>) -> Transmission {
    Transmission {
        max_retransmit: source.mostly(&[4, 0, 1]),
        nstart: source.mostly(&[1, 2, 1000]),
        probing_rate: source.mostly(&[1, 0, 1000]),
        ..Transmission::default()
    }
}

fn limits(source: &mut Source<'_>) -> Limits {
    Limits {
        peers: source.mostly(&[100, 1, 2]),
        queued_per_peer: source.mostly(&[64, 0, 1]),
        outgoing: source.mostly(&[1000, 1, 4]),
        remembered: source.mostly(&[1000, 1, 4]),
        remembered_per_peer: source.mostly(&[1000, 1, 4]),
        remembered_bytes: source.mostly(&[1 << 20, 0, 30, 200]),
        requests: source.mostly(&[1000, 1, 4]),
        unanswered: source.mostly(&[1000, 0, 1, 4]),
        unanswered_per_peer: source.mostly(&[64, 0, 1]),
        body: source.mostly(&[2000, 0, 64]),
        bodies: source.mostly(&[1 << 20, 0, 300]),
        bodies_per_peer: source.mostly(&[8, 0, 1]),
        observers: source.mostly(&[1000, 0, 1]),
        observers_per_peer: source.mostly(&[64, 0, 1]),
        rejections_per_second: source.mostly(&[100, 0, 1]),
    }
}

pub(super) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
