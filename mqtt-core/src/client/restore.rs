//! A client's session out of the records of an earlier run.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use machine::Instant;

use super::records::Change;
use super::subscriptions::Subscription;
use super::{Client, Handle, Pending};
use crate::error::Refused;
use crate::qos::incoming::Incoming;
use crate::qos::outgoing::{Outgoing, State};

impl Client {
    /// Rebuilds the session from the changes of an earlier run, in their order: all of them, or all up to the end of any
    /// record. Returns a handle for each message that is not done, in the order in which they were published.
    ///
    /// # Errors
    /// [`Refused::AlreadyRunning`] after [`connect`](Self::connect), `publish` or `subscribe`; [`Refused::Full`] when a
    /// message does not fit the memory limit.
    pub fn restore(
        &mut self,
        changes: impl IntoIterator<Item = Change>,
        now: Instant,
    ) -> Result<Vec<Handle>, Refused> {
        if self.wanted || self.next_handle > 0 {
            return Err(Refused::AlreadyRunning);
        }
        // Nothing is forgotten: identifiers begin at 1, and those of the records are near.
        self.outgoing = Outgoing::default();
        let mut waiting = BTreeMap::new();
        let mut unfinished = BTreeMap::new();
        for change in changes {
            // Had there been a session on the server, it may be there still.
            self.established = true;
            self.apply(change, &mut waiting, &mut unfinished)?;
        }
        self.last_sent = now;
        unfinished.extend(waiting.values().map(|pending: &Pending| (pending.serial, pending.handle)));
        self.queue.extend(waiting.into_values());
        self.outgoing.interrupt();
        Ok(unfinished.into_values().collect())
    }

    fn apply(
        &mut self,
        change: Change,
        waiting: &mut BTreeMap<u64, Pending>,
        unfinished: &mut BTreeMap<u64, Handle>,
    ) -> Result<(), Refused> {
        match change {
            Change::ClientId(client_id) => self.assigned = Some(client_id),
            Change::Queued { serial, message } => {
                let message = self.budget.store(&message.draft()).map_err(|_| Refused::Full)?;
                let handle = self.take_handle();
                self.next_serial = self.next_serial.max(serial);
                waiting.insert(serial, Pending { handle, message, serial });
            }
            Change::Dropped { serial } => _ = waiting.remove(&serial),
            Change::Sent { serial, packet_id } => {
                if let Some(pending) = waiting.remove(&serial) {
                    unfinished.insert(serial, pending.handle);
                    let state = match pending.message.qos() {
                        mqtt_codec::QoS::ExactlyOnce => State::AwaitPubRec(pending),
                        _ => State::AwaitPubAck(pending),
                    };
                    self.outgoing.restore(packet_id, state);
                }
            }
            Change::Released { packet_id } => {
                if let Some(State::AwaitPubRec(pending)) = self.outgoing.state(packet_id) {
                    let handle = pending.handle;
                    self.outgoing.forget(packet_id);
                    self.outgoing.restore(packet_id, State::AwaitPubComp(handle));
                }
            }
            Change::Done { packet_id } => {
                let handle = match self.outgoing.state(packet_id) {
                    Some(State::AwaitPubAck(pending) | State::AwaitPubRec(pending)) => Some(pending.handle),
                    Some(State::AwaitPubComp(handle)) => Some(*handle),
                    Some(State::Free | State::Reserved) | None => None,
                };
                unfinished.retain(|_, unfinished| Some(*unfinished) != handle);
                self.outgoing.forget(packet_id);
            }
            Change::Received { packet_id } => self.incoming.remember(packet_id),
            Change::Completed { packet_id } => _ = self.incoming.release(packet_id),
            Change::Subscribed { filter, options, identifier } => {
                self.next_subscription_identifier = self.next_subscription_identifier.max(identifier);
                self.subscriptions.insert(Subscription { filter, options, identifier, owner: None });
            }
            Change::Unsubscribed { filter } => self.subscriptions.remove(&filter),
            Change::SessionLost => {
                self.incoming = Incoming::default();
                self.outgoing = Outgoing::default();
                unfinished.clear();
            }
        }
        Ok(())
    }
}
