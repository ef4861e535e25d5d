//! Changing the will during a connection (§6.4).

use machine::Instant;
use mqttsn_codec::{Packet, ReturnCode};

use super::connection::will_topic;
use super::transaction::Slot;
use super::{Client, Handle, Outcome, Refused, Will};

impl<P: Clone + Ord> Client<P> {
    /// Changes the will, or deletes it: at the gateway now, or with the next connection.
    ///
    /// # Errors
    /// [`Refused::InvalidTopic`]; [`Refused::TooLong`]; [`Refused::Full`].
    pub fn update_will(&mut self, will: Option<Will>, now: Instant) -> Result<Handle, Refused> {
        self.check_will(will.as_ref())?;
        if self.will_waiting.len() + self.will_told.len() >= self.config.max_requests {
            return Err(Refused::Full);
        }
        let handle = self.take_handle();
        self.config.will = will;
        self.will_changed = true;
        self.will_postponed = 0;
        self.will_waiting.push(handle);
        self.pump(now);
        Ok(handle)
    }

    pub(super) fn pump_will(&mut self, now: Instant) {
        if !self.will_changed || self.is_open(Slot::WillTopic) || self.is_open(Slot::WillMessage) {
            return;
        }
        self.will_is_being_told();
        let will = self.config.will.clone();
        self.start(Slot::WillTopic, &Packet::WillTopicUpd(will.as_ref().map(will_topic)), now);
        if let Some(will) = will {
            self.start(Slot::WillMessage, &Packet::WillMsgUpd(&will.message), now);
        }
    }

    pub(super) fn will_unanswered(&mut self) {
        self.will_postponed += 1;
        if self.will_postponed > self.config.max_postponements {
            for handle in core::mem::take(&mut self.will_told) {
                self.complete(handle, Outcome::Unanswered);
            }
        }
    }

    pub(super) fn on_will_resp(&mut self, slot: Slot, code: ReturnCode, now: Instant) {
        if !self.finish(slot) {
            self.counters.out_of_place += 1;
            return;
        }
        if !code.is_accepted() {
            self.will_refused = Some(code);
        }
        if !self.is_open(Slot::WillTopic) && !self.is_open(Slot::WillMessage) {
            let outcome = self.will_refused.take().map_or(Outcome::WillUpdated, Outcome::Rejected);
            for handle in core::mem::take(&mut self.will_told) {
                self.complete(handle, outcome);
            }
        }
        self.pump(now);
    }

    /// What the gateway is told from now on is the newest.
    pub(super) fn will_is_being_told(&mut self) {
        self.will_changed = false;
        self.will_refused = None;
        self.will_told.append(&mut self.will_waiting);
    }

    /// The connection stands, and with it the will.
    pub(super) fn will_is_told(&mut self) {
        for handle in core::mem::take(&mut self.will_told) {
            self.complete(handle, Outcome::WillUpdated);
        }
    }

    /// What was not answered is told again.
    pub(super) fn suspend_will(&mut self) {
        if !self.will_told.is_empty() {
            self.will_changed = true;
            self.will_told.append(&mut self.will_waiting);
            self.will_waiting = core::mem::take(&mut self.will_told);
        }
    }
}
