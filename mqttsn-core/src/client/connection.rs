//! Connecting with the will handshake, taking leave, and trying again (§6.2, §6.3, §6.12, §6.13).

use core::time::Duration;

use machine::Instant;
use mqttsn_codec::{Connect, Disconnect, Packet, PingReq, ReturnCode, WillTopic};
use topic_match::TopicName;

use super::phase::Event;
use super::search::SearchEvent;
use super::transaction::Slot;
use super::{Action, Client, DisconnectReason, Hold, Phase, Refused, Timer, Will};

impl<P: Clone + Ord> Client<P> {
    /// Connects to a gateway, and stays connected until [`disconnect`](Self::disconnect); wakes a client that sleeps.
    ///
    /// # Errors
    /// [`Refused::InvalidClientId`]; [`Refused::NoGateway`]; [`Refused::InvalidTopic`] and [`Refused::TooLong`] of the
    /// will.
    pub fn connect(&mut self, now: Instant) -> Result<(), Refused> {
        let id = &self.config.client_id;
        if id.is_empty() || id.contains('\0') {
            return Err(Refused::InvalidClientId);
        }
        if self.gateways.len() == 0 && !self.config.discovery {
            return Err(Refused::NoGateway);
        }
        self.check_size(&self.connect_packet())?;
        self.check_will(self.config.will.as_ref())?;
        self.wanted = true;
        self.resume |= matches!(self.phase, Phase::FallingAsleep | Phase::Asleep | Phase::Awake);
        self.step(Event::Connect, now);
        Ok(())
    }

    /// Ends the connection, or the attempt to make one. Subscriptions and will stay with the gateway unless the next
    /// connection is a clean one; what waits to be sent waits for that.
    pub fn disconnect(&mut self, now: Instant) {
        self.wanted = false;
        self.step(Event::Disconnect, now);
    }

    pub(super) fn check_will(&self, will: Option<&Will>) -> Result<(), Refused> {
        let Some(will) = will else { return Ok(()) };
        TopicName::new(&will.topic).map_err(|_| Refused::InvalidTopic)?;
        self.check_size(&Packet::WillTopicUpd(Some(will_topic(will))))?;
        self.check_size(&Packet::WillMsgUpd(&will.message))
    }

    /// Moves on, if the event has a place now.
    pub(super) fn step(&mut self, event: Event, now: Instant) -> bool {
        let Some(next) = self.phase.next(event) else { return false };
        let before = core::mem::replace(&mut self.phase, next);
        match next {
            Phase::Idle => self.enter_idle(event, now),
            Phase::Searching => self.enter_searching(now),
            Phase::Connecting => self.enter_connecting(now),
            Phase::WillTopic => self.send_will_topic(now),
            Phase::WillMessage => self.send_will_message(now),
            Phase::Active => self.enter_active(now),
            Phase::FallingAsleep => self.enter_falling_asleep(now),
            Phase::Asleep => self.enter_asleep(now),
            Phase::Awake => self.enter_awake(now),
            Phase::Disconnecting => {
                self.suspend();
                self.start(Slot::Connection, &Packet::Disconnect(Disconnect { duration: None }), now);
            }
            Phase::Waiting => self.enter_waiting(before, event, now),
        }
        true
    }

    fn enter_idle(&mut self, event: Event, now: Instant) {
        self.suspend();
        self.deadlines.cancel(Timer::Wait);
        self.search_step(SearchEvent::Stop, now);
        self.gateway = None;
        self.resume = false;
        if event != Event::GiveUp {
            let reason = DisconnectReason::Requested;
            self.actions.push_back(Action::Disconnected { reason, retry_at: None });
        }
        if self.wanted {
            self.step(Event::Connect, now);
        }
    }

    fn enter_searching(&mut self, now: Instant) {
        self.deadlines.cancel(Timer::Wait);
        if !self.choose_gateway(now) {
            self.search_step(SearchEvent::Wanted, now);
        }
    }

    /// Connects to the gateway that asked for it, or to the best that is known.
    pub(super) fn choose_gateway(&mut self, now: Instant) -> bool {
        if self.gateway.is_none() {
            self.gateway = self.gateways.best().map(|best| best.address.clone());
        }
        self.gateway.is_some() && self.step(Event::GatewayKnown, now)
    }

    fn enter_connecting(&mut self, now: Instant) {
        self.suspend();
        let client_id = self.config.client_id.clone();
        let connect = Connect {
            will: self.wants_will(),
            clean_session: self.config.clean_session && !self.resume,
            duration: self.config.keep_alive,
            client_id: &client_id,
        };
        if connect.will {
            self.will_is_being_told();
        }
        self.start(Slot::Connection, &Packet::Connect(connect), now);
    }

    /// Whether the gateway is to ask for the will: there is one and it has none, or it has another one.
    fn wants_will(&self) -> bool {
        let deletes = self.will_changed && (self.resume || !self.config.clean_session);
        deletes || (self.config.will.is_some() && (!self.resume || self.will_changed))
    }

    fn connect_packet(&self) -> Packet<'_> {
        let (will, duration) = (true, self.config.keep_alive);
        Packet::Connect(Connect { will, clean_session: true, duration, client_id: &self.config.client_id })
    }

    fn send_will_topic(&mut self, now: Instant) {
        let will = self.config.will.clone();
        self.start(Slot::Connection, &Packet::WillTopic(will.as_ref().map(will_topic)), now);
    }

    fn send_will_message(&mut self, now: Instant) {
        let message = self.config.will.as_ref().map(|will| will.message.clone()).unwrap_or_default();
        self.start(Slot::Connection, &Packet::WillMsg(&message), now);
    }

    fn enter_active(&mut self, now: Instant) {
        self.finish(Slot::Connection);
        let Some(gateway) = self.gateway.clone() else { return };
        let kept = self.resume || !self.config.clean_session;
        let same = self.resume || self.session.as_ref() == Some(&gateway);
        if !(kept && same) {
            self.incoming.clear();
            self.interrupt_flight();
        }
        self.actions.push_back(Action::Connected { gateway: gateway.clone(), resumed: kept });
        if !self.resume {
            // A gateway that began anew may have given the ids to other names. One that has not announces them again (§6.10).
            self.topics.forget_to_gateway();
            self.topics.forget_from_gateway();
        }
        // Also after sleep: the gateway may have ended the session meanwhile, or begun anew, and does not tell.
        self.subscribe_again();
        self.resume = false;
        self.session = Some(gateway);
        self.failed_checks = 0;
        self.gateways.succeeded();
        self.search_step(SearchEvent::Stop, now);
        self.will_is_told();
        self.keep_alive_from(now);
        self.pump(now);
    }

    fn enter_waiting(&mut self, before: Phase, event: Event, now: Instant) {
        let reason = match event {
            Event::Rejected => DisconnectReason::Refused(self.refusal),
            Event::DisconnectReceived => DisconnectReason::ByGateway,
            _ => DisconnectReason::GatewayLost,
        };
        self.suspend();
        for hold in Hold::ALL {
            self.deadlines.cancel(Timer::Hold(hold));
        }
        self.resume = false;
        self.failures = self.failures.saturating_add(1);
        // A gateway that does not know the client is to be asked again, but not for ever at the speed of the network.
        let forgiven = before == Phase::Active && reason == DisconnectReason::ByGateway && self.failures == 1;
        if !forgiven && let Some(gateway) = self.gateway.take() {
            self.gateways.failed(&gateway);
        }
        self.counters.gateways_given_up += u64::from(reason == DisconnectReason::GatewayLost);
        if !self.wanted || !self.config.reconnect {
            self.wanted = false;
            self.actions.push_back(Action::Disconnected { reason, retry_at: None });
            self.step(Event::GiveUp, now);
            return;
        }
        let at_once = forgiven || self.gateways.has_untried();
        let retry_at = if at_once { now } else { now + self.wait_after(reason) };
        self.actions.push_back(Action::Disconnected { reason, retry_at: Some(retry_at) });
        if at_once {
            self.step(Event::WaitOver, now);
        } else {
            self.deadlines.set(Timer::Wait, retry_at);
            self.search_step(SearchEvent::Wanted, now);
        }
    }

    /// How long to wait when every gateway has failed: `T_WAIT` for a congested one, else a random span of a time that
    /// doubles from `T_retry` on.
    fn wait_after(&mut self, reason: DisconnectReason) -> Duration {
        let longest = self.config.congestion_wait;
        if reason == DisconnectReason::Refused(ReturnCode::CONGESTION) {
            self.counters.congestions += 1;
            return longest;
        }
        let doubled = 2_u32.saturating_pow(self.failures.saturating_sub(1));
        let wait = self.config.retry_interval.saturating_mul(doubled).min(longest);
        self.random.between(wait / 2, wait)
    }

    /// The gateway is not to be spoken to: what was under way waits until it is again.
    pub(super) fn suspend(&mut self) {
        self.suspend_will();
        self.finish_all();
        self.deadlines.cancel(Timer::KeepAlive);
        self.deadlines.cancel(Timer::Wake);
        self.suspend_registration();
        self.suspend_request();
        if let Some(flight) = &mut self.flight {
            flight.open = false;
        }
    }

    /// PINGREQ when nothing was sent, or nothing heard, for three quarters of the keep-alive time: then there is time to
    /// send it again (§6.11).
    pub(super) fn keep_alive_from(&mut self, since: Instant) {
        if self.config.keep_alive > 0 {
            self.deadlines.set(Timer::KeepAlive, since + self.ping_interval());
        }
    }

    fn ping_interval(&self) -> Duration {
        Duration::from_millis(750) * u32::from(self.config.keep_alive)
    }

    pub(super) fn keep_alive(&mut self, now: Instant) {
        let since = self.last_heard.min(self.last_sent);
        if since + self.ping_interval() > now {
            self.keep_alive_from(since);
        } else if self.phase == Phase::Active {
            self.start(Slot::Ping, &Packet::PingReq(PingReq { client_id: None }), now);
        }
    }
}

pub(super) fn will_topic(will: &Will) -> WillTopic<'_> {
    WillTopic { qos: will.qos, retain: will.retain, topic: &will.topic }
}
