//! PINGREQ before the server loses patience (MQTT 5 §3.1.2.10).

use core::time::Duration;

use machine::Instant;
use mqtt_codec::Packet;

use super::Client;
use super::timers::Timer;

impl Client {
    /// Half of the tolerance is left to the network: a server waits for one and a half times the keep alive.
    fn keep_alive(&self) -> Option<Duration> {
        let seconds = self.server.keep_alive.unwrap_or(self.config.keep_alive);
        (seconds > 0).then(|| Duration::from_secs(u64::from(seconds)))
    }

    /// The time runs from the last packet, which may be CONNECT.
    pub(super) fn set_ping(&mut self) {
        if let Some(keep_alive) = self.keep_alive() {
            self.timers.set(Timer::Ping, self.last_sent + keep_alive);
        }
    }

    /// Sends PINGREQ if nothing was sent for as long as the keep alive [MQTT-3.1.2-20].
    pub(super) fn ping(&mut self, now: Instant) {
        let Some(keep_alive) = self.keep_alive() else { return };
        let due = self.last_sent + keep_alive;
        if due > now {
            self.timers.set(Timer::Ping, due);
            return;
        }
        self.write(&Packet::PingReq, now);
        if !self.timers.is_set(Timer::PingTimeout) {
            self.timers.set(Timer::PingTimeout, now + self.config.ping_timeout);
        }
        self.set_ping();
    }
}
