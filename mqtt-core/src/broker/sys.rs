//! `$SYS/broker/…`: the broker's state as retained messages, under mosquitto's names.

use alloc::format;
use alloc::string::String;
use core::fmt::Write;
use core::time::Duration;

use machine::Instant;
use mqtt_codec::QoS;

use super::Broker;
use super::time::Timer;
use crate::counters::{Counters, Gauges};
use crate::message::Draft;

type Count = fn(&Counters) -> u64;

/// What `$SYS/broker/load/…` tells averages of.
const LOADS: [(&str, Count); 9] = [
    ("messages/received", |counters| counters.packets_received),
    ("messages/sent", |counters| counters.packets_sent),
    ("publish/dropped", Counters::dropped),
    ("publish/received", |counters| counters.publish_received),
    ("publish/sent", |counters| counters.publish_sent),
    ("bytes/received", |counters| counters.bytes_received),
    ("bytes/sent", |counters| counters.bytes_sent),
    ("sockets", |counters| counters.connections_opened),
    ("connections", |counters| counters.connects_accepted),
];
const SPANS: [(&str, f64); 3] = [("1min", 60.0), ("5min", 300.0), ("15min", 900.0)];

/// What was published last, and the moving averages.
#[derive(Debug)]
pub(crate) struct Sys {
    started: Instant,
    updated: Instant,
    before: Counters,
    /// Per minute.
    loads: [[f64; SPANS.len()]; LOADS.len()],
    clients_maximum: u64,
}

impl Sys {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            started: now,
            updated: now,
            before: Counters::default(),
            loads: [[0.0; SPANS.len()]; LOADS.len()],
            clients_maximum: 0,
        }
    }

    /// Moves the averages on to `now`.
    #[expect(clippy::cast_precision_loss, reason = "an average of fifteen significant digits")]
    fn update(&mut self, counters: &Counters, gauges: &Gauges, now: Instant) {
        let elapsed = now.saturating_since(self.updated).as_secs_f64();
        if elapsed > 0.0 {
            for ((_, count), averages) in LOADS.iter().zip(&mut self.loads) {
                let per_minute = (count(counters) - count(&self.before)) as f64 * 60.0 / elapsed;
                for ((_, span), average) in SPANS.iter().zip(averages) {
                    *average = per_minute + (*average - per_minute) * decay(elapsed / span);
                }
            }
            self.before = *counters;
            self.updated = now;
        }
        self.clients_maximum = self.clients_maximum.max(gauges.sessions);
    }
}

impl Broker {
    /// Publishes what has changed, and sets the clock for the next time.
    pub(super) fn publish_sys(&mut self, now: Instant) {
        if self.config.sys_interval == Duration::ZERO {
            return;
        }
        self.deadlines.set(Timer::Sys, now + self.config.sys_interval);
        let (counters, gauges) = (self.counters, self.gauges());
        self.sys.update(&counters, &gauges, now);

        let uptime = now.saturating_since(self.sys.started).as_secs();
        self.publish_text("version", &format!("m2m version {}", env!("CARGO_PKG_VERSION")), now);
        self.publish_text("uptime", &format!("{uptime} seconds"), now);
        let numbers = [
            ("clients/total", gauges.sessions),
            ("clients/connected", gauges.clients),
            ("clients/active", gauges.clients),
            ("clients/disconnected", gauges.sessions - gauges.clients),
            ("clients/inactive", gauges.sessions - gauges.clients),
            ("clients/maximum", self.sys.clients_maximum),
            ("clients/expired", counters.sessions_expired),
            ("subscriptions/count", gauges.subscriptions),
            ("shared_subscriptions/count", gauges.shared_subscriptions),
            ("retained messages/count", gauges.retained),
            ("messages/stored", gauges.messages),
            ("store/messages/count", gauges.messages),
            ("store/messages/bytes", gauges.message_bytes),
            ("messages/received", counters.packets_received),
            ("messages/sent", counters.packets_sent),
            ("publish/messages/received", counters.publish_received),
            ("publish/messages/sent", counters.publish_sent),
            ("publish/messages/dropped", counters.dropped()),
            ("publish/bytes/received", counters.publish_bytes_received),
            ("publish/bytes/sent", counters.publish_bytes_sent),
            ("bytes/received", counters.bytes_received),
            ("bytes/sent", counters.bytes_sent),
        ];
        for (name, number) in numbers {
            self.publish_text(name, &format!("{number}"), now);
        }
        for (index, (name, _)) in LOADS.iter().enumerate() {
            for (span, (minutes, _)) in SPANS.iter().enumerate() {
                let value = format!("{:.2}", self.sys.loads[index][span]);
                self.publish_text(&format!("load/{name}/{minutes}"), &value, now);
            }
        }
    }

    fn publish_text(&mut self, name: &str, value: &str, now: Instant) {
        let mut topic = String::from("$SYS/broker/");
        _ = topic.write_str(name);
        if self.retained.get(&topic).is_some_and(|message| message.payload() == value.as_bytes()) {
            return;
        }
        let draft = Draft {
            topic: &topic,
            properties: &[],
            payload: value.as_bytes(),
            qos: QoS::ExactlyOnce,
            retain: true,
            expires: None,
        };
        if self.route(&draft, None, None, now).is_err() {
            self.counters.dropped_memory += 1;
        }
    }
}

/// e⁻ˣ, good to six digits: `core` has no exponential function.
fn decay(x: f64) -> f64 {
    let mut factor = 1.0 - x / f64::from(1 << 20);
    for _ in 0..20 {
        factor *= factor;
    }
    factor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decay_is_the_exponential() {
        for (x, expected) in [(0.0, 1.0), (1.0, 0.367_879), (0.1, 0.904_837), (5.0, 0.006_738)] {
            assert!((decay(x) - expected).abs() < 1e-5, "{x}: {}", decay(x));
        }
    }

    #[test]
    fn averages_approach_a_constant_rate() {
        let mut now = Instant::EPOCH;
        let (mut sys, mut counters) = (Sys::new(now), Counters::default());
        for _ in 0..600 {
            now += Duration::from_secs(10);
            counters.packets_received += 20;
            sys.update(&counters, &Gauges::default(), now);
        }
        for average in sys.loads[0] {
            assert!((average - 120.0).abs() < 1.0, "{average}");
        }
    }
}
