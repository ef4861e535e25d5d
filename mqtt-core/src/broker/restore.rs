//! The state of a broker out of the records of an earlier one.

use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};
use core::time::Duration;

use machine::Instant;
use mqtt_codec::QoS;

use super::Broker;
use super::queue::{Delivery, Identifiers};
use super::session::{NEVER, Session};
use super::subscriber::{Route, SessionKey};
use crate::budget::{OutOfMemory, Place};
use crate::config::{DropPolicy, QueueConfig};
use crate::message::Message;
use crate::qos::outgoing::State;
use crate::records::{Change, Record};

/// What was accepted before the restart is kept, whatever the limits are now.
const NO_LIMIT: QueueConfig =
    QueueConfig { messages: u32::MAX, bytes: usize::MAX, policy: DropPolicy::Newest, offline_qos0: true };

/// What is only needed while records are read.
#[derive(Default)]
pub(super) struct Restorer {
    /// By their numbers, so that shared messages stay shared. What is done by the end of the records takes no memory.
    messages: BTreeMap<u64, Weak<Message>>,
    /// Sessions, and since when they have no connection.
    disconnected: BTreeMap<SessionKey, Option<Instant>>,
}

impl Broker {
    pub(super) fn replay(&mut self, records: impl IntoIterator<Item = Record>, now: Instant) {
        let mut restorer = Restorer::default();
        for change in records.into_iter().flat_map(|record| record.changes) {
            self.apply(&mut restorer, change, now);
        }
        // All connections are gone: their sessions' clocks run from now, those of the others from when they lost theirs.
        for (key, since) in restorer.disconnected {
            let session = &mut self.sessions[key];
            session.outgoing.interrupt();
            let (expiry, lost) = (session.expiry, since.unwrap_or(now));
            if expiry != NEVER && lost + Duration::from_secs(u64::from(expiry)) <= now {
                self.counters.sessions_expired += u64::from(expiry > 0);
                self.end_session(key, now);
                continue;
            }
            if since.is_none() {
                self.note_session(key, Some(now));
            }
            self.schedule(key, lost, now);
        }
        self.commit(now);
    }

    fn apply(&mut self, restorer: &mut Restorer, change: Change, now: Instant) {
        match change {
            Change::Session { client_id, version, expiry, disconnected } => {
                let known = self.sessions.find(&client_id);
                let key = known.unwrap_or_else(|| self.sessions.insert(Session::new(client_id, version)));
                let session = &mut self.sessions[key];
                session.version = version;
                session.expiry = expiry;
                session.recorded = true;
                restorer.disconnected.insert(key, disconnected);
            }
            Change::SessionEnded { client_id } => {
                if let Some(key) = self.sessions.find(&client_id) {
                    restorer.disconnected.remove(&key);
                    _ = self.forget_session(key);
                }
            }
            Change::Retained { message } => match self.keep(restorer, &message) {
                Ok(kept) if !kept.draft().is_expired(now) => {
                    if self.retained.set(kept).is_err() {
                        self.counters.dropped_retained_full += 1;
                    }
                }
                // It has taken the place of the one before all the same.
                _ => _ = self.retained.remove(message.topic()),
            },
            Change::RetainedRemoved { topic } => _ = self.retained.remove(&topic),
            Change::Will { ref client_id, .. }
            | Change::Subscribed { ref client_id, .. }
            | Change::Unsubscribed { ref client_id, .. }
            | Change::Queued { ref client_id, .. }
            | Change::Dropped { ref client_id, .. }
            | Change::Sent { ref client_id, .. }
            | Change::Released { ref client_id, .. }
            | Change::Done { ref client_id, .. }
            | Change::Received { ref client_id, .. }
            | Change::Completed { ref client_id, .. } => {
                if let Some(key) = self.sessions.find(client_id) {
                    self.apply_to_session(restorer, key, change);
                }
            }
        }
    }

    fn apply_to_session(&mut self, restorer: &mut Restorer, key: SessionKey, change: Change) {
        let session = &mut self.sessions[key];
        match change {
            Change::Will { will, .. } => session.will = will,
            Change::Subscribed { filter, options, identifier, .. } => {
                _ = self.insert_subscription(key, &filter, Route { options, identifier });
            }
            Change::Unsubscribed { filter, .. } => _ = self.remove_subscription(key, &filter),
            Change::Queued { serial, message, qos, retain, identifiers, shared, .. } => {
                session.next_serial = session.next_serial.max(serial);
                let identifiers = identifiers.into_iter().fold(Identifiers::None, Identifiers::with);
                let Ok(message) = self.keep(restorer, &message) else { return };
                let Ok(message) = Place::take(message, identifiers.size()) else {
                    self.counters.dropped_memory += 1;
                    return;
                };
                let delivery = Delivery { message, qos, retain, identifiers, group: shared, serial };
                self.sessions[key].queue.push(delivery, &NO_LIMIT, drop);
            }
            Change::Dropped { serial, .. } => _ = take(session, serial),
            Change::Sent { serial, packet_id, .. } => {
                if let Some(delivery) = take(session, serial) {
                    let state = match delivery.qos {
                        QoS::ExactlyOnce => State::AwaitPubRec(delivery),
                        QoS::AtMostOnce | QoS::AtLeastOnce => State::AwaitPubAck(delivery),
                    };
                    session.outgoing.restore(packet_id, state);
                }
            }
            Change::Released { packet_id, .. } => {
                session.outgoing.forget(packet_id);
                session.outgoing.restore(packet_id, State::AwaitPubComp(()));
            }
            Change::Done { packet_id, .. } => session.outgoing.forget(packet_id),
            Change::Received { packet_id, .. } => session.incoming.remember(packet_id),
            Change::Completed { packet_id, .. } => _ = session.incoming.release(packet_id),
            Change::Session { .. }
            | Change::SessionEnded { .. }
            | Change::Retained { .. }
            | Change::RetainedRemoved { .. } => {}
        }
    }

    /// The message under this broker's memory limit.
    fn keep(&mut self, restorer: &mut Restorer, message: &Message) -> Result<Arc<Message>, OutOfMemory> {
        let number = message.number();
        if let Some(kept) = restorer.messages.get(&number).and_then(Weak::upgrade) {
            return Ok(kept);
        }
        let kept = self.budget.store_as(&message.draft(), number);
        let kept = kept.inspect_err(|_| self.counters.dropped_memory += 1)?;
        restorer.messages.insert(number, Arc::downgrade(&kept));
        Ok(kept)
    }
}

/// The delivery with this serial, out of the queue.
fn take(session: &mut Session, serial: u64) -> Option<Delivery> {
    if session.queue.front().is_some_and(|head| head.serial == serial) {
        return session.queue.pop();
    }
    session.queue.extract(|delivery| delivery.serial == serial).pop_front()
}
