//! Sleep (§6.14): the gateway keeps messages, and the client asks for them.

use core::time::Duration;

use machine::Instant;
use mqttsn_codec::{Disconnect, Packet, PingReq};

use super::phase::Event;
use super::transaction::Slot;
use super::{Action, Client, Phase, Refused, Timer};

impl<P: Clone + Ord> Client<P> {
    /// Goes to sleep for so many seconds (at least 1) at a time: the gateway keeps messages meanwhile. Before they are
    /// over the client asks for what was kept, and sleeps again, until it is woken. What the application wants to send
    /// waits until then.
    ///
    /// A client that sleeps already tells the gateway the new duration.
    ///
    /// # Errors
    /// [`Refused::NotConnected`].
    pub fn sleep(&mut self, seconds: u16, now: Instant) -> Result<(), Refused> {
        self.sleep_seconds = seconds.max(1);
        self.asleep(Event::Sleep, now)
    }

    /// Asks for what the gateway has kept, before the client would do so by itself.
    ///
    /// # Errors
    /// [`Refused::NotConnected`] unless the client sleeps.
    pub fn check(&mut self, now: Instant) -> Result<(), Refused> {
        self.asleep(Event::Check, now)
    }

    /// Connects again after sleep; the gateway keeps subscriptions, topic ids and will.
    ///
    /// # Errors
    /// [`Refused::NotConnected`] unless the client sleeps.
    pub fn wake(&mut self, now: Instant) -> Result<(), Refused> {
        let sleeps = matches!(self.phase, Phase::FallingAsleep | Phase::Asleep | Phase::Awake);
        if sleeps { self.connect(now) } else { Err(Refused::NotConnected) }
    }

    fn asleep(&mut self, event: Event, now: Instant) -> Result<(), Refused> {
        if self.step(event, now) { Ok(()) } else { Err(Refused::NotConnected) }
    }

    pub(super) fn enter_falling_asleep(&mut self, now: Instant) {
        self.suspend();
        let duration = Some(self.sleep_seconds);
        self.start(Slot::Connection, &Packet::Disconnect(Disconnect { duration }), now);
    }

    pub(super) fn enter_asleep(&mut self, now: Instant) {
        self.suspend();
        // An eighth of the time is left for retransmissions.
        let nap = Duration::from_millis(875) * u32::from(self.sleep_seconds);
        self.deadlines.set(Timer::Wake, now + nap);
        self.actions.push_back(Action::Asleep);
    }

    pub(super) fn enter_awake(&mut self, now: Instant) {
        self.deadlines.cancel(Timer::Wake);
        self.actions.push_back(Action::Awake);
        let client_id = self.config.client_id.clone();
        self.start(Slot::Ping, &Packet::PingReq(PingReq { client_id: Some(&client_id) }), now);
    }

    pub(super) fn on_ping_resp(&mut self, now: Instant) {
        if !self.finish(Slot::Ping) {
            self.counters.out_of_place += 1;
            return;
        }
        self.failed_checks = 0;
        if !self.step(Event::PingResp, now) {
            self.keep_alive_from(now);
        }
    }
}
