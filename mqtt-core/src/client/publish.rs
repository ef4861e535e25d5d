//! Messages to the server, up to their last acknowledgement (MQTT 5 §3.3, §4.3, §4.4).

use alloc::sync::Arc;
use alloc::vec::Vec;

use machine::Instant;
use mqtt_codec::{Acknowledge, Packet, PacketIdentifier, Properties, QoS, ReasonCode};

use super::phase::Phase;
use super::records::Change;
use super::{Client, DropReason, Handle, Outcome, Pending};
use crate::error::{Refused, Violation};
use crate::input::Publication;
use crate::message::{Draft, Message};
use crate::publish_packet::{self, Outgoing, Receiver, SHARED_ABOVE, TooLarge};
use crate::qos::outgoing::{self, Acknowledgement, State};

/// Bytes that may wait in the output before messages wait in the queue instead.
pub(super) const HIGH_WATER: usize = 64 << 10;

impl Client {
    /// Publishes a message, now or when there is a connection. Its handle completes when the message has reached the end of
    /// its QoS.
    ///
    /// # Errors
    /// [`Refused::InvalidTopic`]; [`Refused::InvalidProperties`]; [`Refused::Full`] when as many messages wait as the
    /// configuration allows, or their bytes do.
    pub fn publish(&mut self, publication: &Publication<'_>, now: Instant) -> Result<Handle, Refused> {
        let mut properties = Vec::new();
        let draft = publication.draft(&mut properties, now)?;
        let at_once = self.phase == Phase::Connected && !self.has_backlog() && self.outbox.len() < HIGH_WATER;
        if draft.qos == QoS::AtMostOnce && (at_once || !self.may_wait(draft.qos)) {
            let shared = at_once && draft.payload.len() > SHARED_ABOVE;
            let message = shared.then(|| self.budget.store(&draft)).transpose().map_err(|_| Refused::Full)?;
            let handle = self.take_handle();
            let outcome = if at_once {
                let fits = self.check_server(&draft, now);
                match fits.and_then(|()| self.send_qos0(&draft, message.as_ref(), now)) {
                    Ok(()) => Outcome::Published(ReasonCode::SUCCESS),
                    Err(reason) => Outcome::Dropped(reason),
                }
            } else {
                Outcome::Dropped(DropReason::NotConnected)
            };
            self.complete(handle, outcome);
            return Ok(handle);
        }
        if self.unfinished() >= self.config.max_queued as usize {
            self.drop_expired(now);
        }
        if self.unfinished() >= self.config.max_queued as usize {
            return Err(Refused::Full);
        }
        let message = self.budget.store(&draft).map_err(|_| Refused::Full)?;
        let handle = self.take_handle();
        self.next_serial += 1;
        let pending = Pending { handle, message, serial: self.next_serial };
        self.note_queued(&pending);
        if !at_once {
            self.queue.push_back(pending);
            self.pump(now);
        } else if let Err(pending) = self.send_first(pending, &draft, now) {
            self.queue.push_back(pending);
        }
        self.commit();
        Ok(handle)
    }

    /// Sends what can be sent: first what the end of the last connection interrupted, then the queue.
    #[inline]
    pub(super) fn pump(&mut self, now: Instant) {
        if self.has_backlog() {
            self.send_backlog(now);
        }
    }

    fn send_backlog(&mut self, now: Instant) {
        while self.phase == Phase::Connected && self.outbox.len() < HIGH_WATER {
            if self.resend_next(now) {
                continue;
            }
            if self.outgoing.is_resending() || !self.send_next(now) {
                return;
            }
        }
    }

    fn resend_next(&mut self, now: Instant) -> bool {
        let window = self.window();
        let Some((id, state)) = self.outgoing.next_resend(window) else { return false };
        let (qos, pending) = match state {
            State::Free | State::Reserved => return true,
            State::AwaitPubComp(_) => {
                self.send_pubrel(id, ReasonCode::SUCCESS, now);
                return true;
            }
            State::AwaitPubAck(pending) => (QoS::AtLeastOnce, pending.clone()),
            State::AwaitPubRec(pending) => (QoS::ExactlyOnce, pending.clone()),
        };
        let delivery = publish_packet::delivery(qos, Some(id), true);
        // Another server, or the same one with other limits, may have the session now. Its expiry does not count any more.
        let sent = self.server.check(qos, pending.message.retain()).and_then(|()| {
            let draft = pending.message.draft();
            self.send(&draft, &pending.message, delivery, now).map_err(|TooLarge| DropReason::TooLarge)
        });
        if let Err(reason) = sent {
            self.give_up(id, pending.handle, reason);
        }
        true
    }

    /// Sends the head of the queue; `false` when there is none or it has to wait.
    fn send_next(&mut self, now: Instant) -> bool {
        let Some(pending) = self.queue.pop_front() else { return false };
        let message = Arc::clone(&pending.message);
        match self.send_first(pending, &message.draft(), now) {
            Ok(()) => true,
            Err(pending) => {
                self.queue.push_front(pending);
                false
            }
        }
    }

    /// Sends, or gives up, the message that is first in line; gives it back when it has to wait.
    #[inline]
    fn send_first(&mut self, pending: Pending, draft: &Draft<'_>, now: Instant) -> Result<(), Pending> {
        let Pending { handle, serial, .. } = pending;
        if let Err(reason) = self.check_server(draft, now) {
            self.note_dropped(&pending);
            self.complete(handle, Outcome::Dropped(reason));
            return Ok(());
        }
        let (qos, message) = (draft.qos, Arc::clone(&pending.message));
        if qos == QoS::AtMostOnce {
            let outcome = match self.send(draft, &message, mqtt_codec::Delivery::AtMostOnce, now) {
                Ok(()) => Outcome::Published(ReasonCode::SUCCESS),
                Err(TooLarge) => Outcome::Dropped(DropReason::TooLarge),
            };
            self.complete(handle, outcome);
            return Ok(());
        }
        // The window may be full, or all packet identifiers taken, by SUBSCRIBEs too.
        let id = self.outgoing.send(qos, pending, self.window())?;
        self.journal.note(true, || Change::Sent { serial, packet_id: id });
        if qos == QoS::ExactlyOnce {
            // Sent again after a crash under another identifier, the server would take it for another message.
            self.gate();
        }
        if self.send(draft, &message, publish_packet::delivery(qos, Some(id), false), now).is_err() {
            self.give_up(id, handle, DropReason::TooLarge);
        }
        Ok(())
    }

    fn send(
        &mut self,
        draft: &Draft<'_>,
        message: &Arc<Message>,
        delivery: mqtt_codec::Delivery,
        now: Instant,
    ) -> Result<(), TooLarge> {
        let message = Some(message);
        let what = Outgoing { draft, message, delivery, retain: draft.retain, identifiers: &[] };
        self.write_publish(&what, now)
    }

    fn send_qos0(
        &mut self,
        draft: &Draft<'_>,
        message: Option<&Arc<Message>>,
        now: Instant,
    ) -> Result<(), DropReason> {
        let delivery = mqtt_codec::Delivery::AtMostOnce;
        let what = Outgoing { draft, message, delivery, retain: draft.retain, identifiers: &[] };
        self.write_publish(&what, now).map_err(|TooLarge| DropReason::TooLarge)
    }

    #[inline]
    fn write_publish(&mut self, what: &Outgoing<'_>, now: Instant) -> Result<(), TooLarge> {
        let mut server = Receiver {
            outbox: &mut self.outbox,
            aliases: &mut self.outgoing_aliases,
            version: self.config.version,
            max_packet_size: self.server.max_packet_size,
        };
        what.write(&mut server, &mut self.pool, now)?;
        self.last_sent = now;
        self.announce();
        Ok(())
    }

    /// What is to be said against sending a message to this server, now.
    fn check_server(&self, draft: &Draft<'_>, now: Instant) -> Result<(), DropReason> {
        if draft.is_expired(now) {
            return Err(DropReason::Expired);
        }
        self.server.check(draft.qos, draft.retain)
    }

    /// Makes room: only the head of the queue is looked at when it is sent.
    fn drop_expired(&mut self, now: Instant) {
        self.drop_waiting(DropReason::Expired, &|message| message.is_expired(now));
    }

    /// Goes once through the queue, which stays in order.
    fn drop_waiting(&mut self, reason: DropReason, unwanted: &dyn Fn(&Message) -> bool) {
        for _ in 0..self.queue.len() {
            let Some(pending) = self.queue.pop_front() else { return };
            if unwanted(&pending.message) {
                self.note_dropped(&pending);
                self.complete(pending.handle, Outcome::Dropped(reason));
            } else {
                self.queue.push_back(pending);
            }
        }
    }

    fn note_dropped(&mut self, pending: &Pending) {
        let serial = pending.serial;
        self.journal.note(pending.message.qos() > QoS::AtMostOnce, || Change::Dropped { serial });
    }

    fn give_up(&mut self, id: PacketIdentifier, handle: Handle, reason: DropReason) {
        self.outgoing.forget(id);
        self.journal.note(true, || Change::Done { packet_id: id });
        self.complete(handle, Outcome::Dropped(reason));
    }

    pub(super) fn on_acknowledgement(
        &mut self,
        ack: &Acknowledge<'_>,
        event: Acknowledgement,
        now: Instant,
    ) -> Result<(), Violation> {
        let id = ack.packet_id;
        match self.outgoing.acknowledge(id, event) {
            outgoing::Outcome::Done(pending) => {
                self.journal.note(true, || Change::Done { packet_id: id });
                self.complete(pending.handle, Outcome::Published(ack.reason));
                self.budget.recycle(pending.message);
            }
            outgoing::Outcome::Released(handle) => {
                self.journal.note(true, || Change::Done { packet_id: id });
                self.complete(handle, Outcome::Published(ReasonCode::SUCCESS));
            }
            outgoing::Outcome::Release(pending) => {
                self.journal.note(true, || Change::Released { packet_id: id });
                self.send_pubrel(id, ReasonCode::SUCCESS, now);
                self.budget.recycle(pending.message);
            }
            outgoing::Outcome::ReleaseAgain => self.send_pubrel(id, ReasonCode::SUCCESS, now),
            outgoing::Outcome::Unknown if event == Acknowledgement::PubRec => {
                self.send_pubrel(id, ReasonCode::PACKET_IDENTIFIER_NOT_FOUND, now);
            }
            outgoing::Outcome::Unknown => {}
            outgoing::Outcome::OutOfPlace => return Err(Violation::AcknowledgementOutOfPlace),
        }
        self.send_requests(now);
        self.pump(now);
        Ok(())
    }

    /// PUBREL, once it is certain that the message itself is never sent again.
    fn send_pubrel(&mut self, packet_id: PacketIdentifier, reason: ReasonCode, now: Instant) {
        self.gate();
        self.write(&Packet::PubRel(Acknowledge { packet_id, reason, properties: Properties::NONE }), now);
    }

    /// Without a connection, QoS 0 messages are only kept if the configuration says so.
    pub(super) fn drop_unwanted_qos0(&mut self) {
        if !self.config.queue_qos0 {
            self.drop_waiting(DropReason::NotConnected, &|message| message.qos() == QoS::AtMostOnce);
        }
    }

    pub(super) fn note_queued(&mut self, pending: &Pending) {
        self.journal.note(pending.message.qos() > QoS::AtMostOnce, || Change::Queued {
            serial: pending.serial,
            message: Arc::clone(&pending.message),
        });
    }

    fn has_backlog(&self) -> bool {
        !self.queue.is_empty() || self.outgoing.is_resending()
    }

    fn may_wait(&self, qos: QoS) -> bool {
        qos > QoS::AtMostOnce || self.config.queue_qos0 || self.phase == Phase::Connected
    }

    fn window(&self) -> u16 {
        self.server.receive_maximum.min(self.config.max_inflight)
    }
}
