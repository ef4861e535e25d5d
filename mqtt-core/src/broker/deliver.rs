//! From a message to the outputs of those who get it: at once where nothing is in the way, else through their queues.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::time::Duration;

use machine::Instant;
use mqtt_codec::{Acknowledge, Packet, PacketIdentifier, Properties, QoS, ReasonCode};
use topic_match::TopicName;

use super::Broker;
use super::connection::{Connection, DeliveryCheck};
use super::publish::is_reserved;
use super::queue::Delivery;
use super::routing::Target;
use super::session::Session;
use super::subscriber::SessionKey;
use super::time::Timer;
use super::write::{announce, gate};
use crate::action::Question;
use crate::budget::{Budget, OutOfMemory, Place};
use crate::message::{Draft, Message};
use crate::publish_packet::{self, Outgoing, SHARED_ABOVE, TooLarge};
use crate::qos::outgoing::{Acknowledgement, State};
use crate::records::Change;

/// Retained messages looked at for one client before others have their turn.
const WALK_BUDGET: u32 = 1000;
/// When a walk that has used its budget goes on: right away, but not before the host has looked at its sockets.
const WALK_PAUSE: Duration = Duration::from_micros(1);

/// A message that is being delivered: as it came, and as it is kept once somebody has to wait for it.
struct Publication<'a> {
    draft: &'a Draft<'a>,
    stored: Option<Arc<Message>>,
}

impl Broker {
    /// Delivers a message to all who get it; says whether anybody does. With `OutOfMemory` nobody got it.
    pub(super) fn route(
        &mut self,
        draft: &Draft<'_>,
        stored: Option<Arc<Message>>,
        from: Option<SessionKey>,
        now: Instant,
    ) -> Result<bool, OutOfMemory> {
        let overlapping = self.config.overlapping_subscriptions;
        self.routing.collect(TopicName::assume_valid(draft.topic), from, &mut self.sessions, overlapping);

        let mut targets = core::mem::take(&mut self.routing.targets);
        let mut publication = Publication { draft, stored };
        let acknowledged =
            draft.qos > QoS::AtMostOnce && targets.iter().any(|target| target.maximum_qos > QoS::AtMostOnce);
        let keep = (draft.retain && !draft.payload.is_empty())
            || acknowledged
            || (draft.properties.len() + draft.payload.len() > SHARED_ABOVE && !targets.is_empty());
        let room = if keep { publication.store(&mut self.budget).map(drop) } else { Ok(()) };
        if room.is_ok() {
            if draft.retain {
                self.retain(&publication);
            }
            self.encoder.start();
            for target in &targets {
                self.deliver(target, &mut publication, now);
            }
        }
        if let Some(message) = publication.stored {
            self.budget.recycle(message);
        }
        let matched = !targets.is_empty();
        targets.clear();
        self.routing.targets = targets;
        room.map(|()| matched)
    }

    /// Delivers a stored message to one session, in place of another that it was meant for.
    pub(super) fn deliver_again(&mut self, target: &Target, message: Arc<Message>, now: Instant) {
        let kept = Arc::clone(&message);
        let draft = kept.draft();
        self.encoder.start();
        self.deliver(target, &mut Publication { draft: &draft, stored: Some(message) }, now);
    }

    /// A retained message takes its topic's place; one without payload clears it [MQTT-3.3.1-6].
    fn retain(&mut self, publication: &Publication<'_>) {
        let topic = publication.draft.topic;
        let durable = !is_reserved(topic);
        match &publication.stored {
            Some(message) if !publication.draft.payload.is_empty() => match self
                .retained
                .set(Arc::clone(message))
            {
                Ok(()) => self.journal.note(durable, || Change::Retained { message: Arc::clone(message) }),
                Err(_) => self.counters.dropped_retained_full += 1,
            },
            _ => {
                if self.retained.remove(topic) {
                    self.journal.note(durable, || Change::RetainedRemoved { topic: topic.into() });
                }
            }
        }
    }

    fn deliver(&mut self, target: &Target, publication: &mut Publication<'_>, now: Instant) {
        if publication.draft.expires.is_some_and(|expires| expires < now) {
            // It waited for the host's answer, or for another member of a shared subscription.
            self.counters.dropped_expired += 1;
            return;
        }
        let session = &self.sessions[target.session];
        let qos = target.maximum_qos.min(publication.draft.qos);
        let retain = publication.draft.retain && target.retain_as_published;
        let at_once = session.connection.is_some_and(|index| {
            !session.has_backlog() && self.can_send(&self.connections[index], session, qos)
        });
        if at_once && qos == QoS::AtMostOnce {
            return self.send_qos0(target, publication, retain, now);
        }
        if session.connection.is_none() && qos == QoS::AtMostOnce && !self.config.queue.offline_qos0 {
            self.counters.dropped_offline_qos0 += 1;
            return;
        }
        let stored = publication.store(&mut self.budget);
        let Ok(message) = stored.and_then(|stored| Place::take(stored, target.identifiers.size())) else {
            self.counters.dropped_memory += 1;
            return;
        };
        let session = &mut self.sessions[target.session];
        let delivery = Delivery {
            message,
            qos,
            retain,
            identifiers: target.identifiers.clone(),
            group: target.group.and_then(|group| self.routing.groups.name(group).cloned()),
            serial: session.take_serial(),
        };
        self.journal.note(session.is_durable(), || queued(session, &delivery));
        if at_once {
            let Some((index, packet_id)) = self.put_in_flight(target.session, delivery) else { return };
            let what = Outgoing {
                draft: publication.draft,
                message: publication.stored.as_ref(),
                delivery: publish_packet::delivery(qos, packet_id, false),
                retain,
                identifiers: target.identifiers.as_slice(),
            };
            self.send(target.session, index, &what, true, now);
        } else {
            self.enqueue(target.session, delivery);
            self.pump(target.session, now);
        }
    }

    fn send_qos0(&mut self, target: &Target, publication: &Publication<'_>, retain: bool, now: Instant) {
        let Some(index) = self.sessions[target.session].connection else { return };
        let what = Outgoing {
            draft: publication.draft,
            message: publication.stored.as_ref(),
            delivery: mqtt_codec::Delivery::AtMostOnce,
            retain,
            identifiers: target.identifiers.as_slice(),
        };
        self.send(target.session, index, &what, true, now);
    }

    /// Puts a delivery at the end of a session's queue, or drops what the queue's policy says.
    pub(super) fn enqueue(&mut self, key: SessionKey, delivery: Delivery) {
        let session = &mut self.sessions[key];
        let (durable, client_id) = (session.is_durable(), &session.client_id);
        session.queue.push(delivery, &self.config.queue, |dropped| {
            self.counters.dropped_queue_full += 1;
            self.journal.note(durable, || dropped_change(client_id, dropped.serial));
        });
    }

    /// Sends what can be sent of a session's backlog: first what was interrupted by the end of the last connection, then
    /// the queue, then retained messages for new subscriptions.
    pub(super) fn pump(&mut self, key: SessionKey, now: Instant) {
        let mut budget = WALK_BUDGET;
        while let Some(index) = self.sessions[key].connection {
            let connection = &self.connections[index];
            if !connection.phase.is_connected() || connection.outbox.len() >= self.config.output_high_water {
                return;
            }
            if self.resend_next(key, index, now) {
                continue;
            }
            if self.sessions[key].outgoing.is_resending() {
                return;
            }
            if !self.sessions[key].queue.is_empty() {
                if !self.send_next(key, index, now) {
                    return;
                }
            } else if !self.walk(key, &mut budget, now) {
                return;
            }
        }
    }

    /// Sends the next message or release that the last connection left unacknowledged.
    fn resend_next(&mut self, key: SessionKey, index: usize, now: Instant) -> bool {
        let connection = &mut self.connections[index];
        let Some((id, state)) = self.sessions[key].outgoing.next_resend(connection.window) else {
            return false;
        };
        let (qos, delivery) = match state {
            State::Free | State::Reserved => return true,
            State::AwaitPubComp(()) => {
                self.send_pubrel(index, id, ReasonCode::SUCCESS);
                return true;
            }
            State::AwaitPubAck(delivery) => (QoS::AtLeastOnce, delivery),
            State::AwaitPubRec(delivery) => (QoS::ExactlyOnce, delivery),
        };
        let draft = delivery.message.draft();
        let what = Outgoing {
            draft: &draft,
            message: Some(delivery.message.shared()),
            delivery: publish_packet::delivery(qos, Some(id), true),
            retain: delivery.retain,
            identifiers: delivery.identifiers.as_slice(),
        };
        match self.encoder.write(connection, &mut self.pool, &mut self.counters, &what, false, now) {
            Ok(()) => announce(&mut self.actions, connection),
            Err(TooLarge) => self.give_up(key, id, qos),
        }
        true
    }

    /// Sends the head of the queue; `false` when it has to wait.
    fn send_next(&mut self, key: SessionKey, index: usize, now: Instant) -> bool {
        let session = &self.sessions[key];
        let Some(head) = session.queue.front() else { return false };
        let serial = head.serial;
        if head.message.draft().is_expired(now) {
            self.counters.dropped_expired += 1;
            self.drop_head(key);
            return true;
        }
        let connection = &self.connections[index];
        if connection.checks.deliver {
            match connection.delivery {
                DeliveryCheck::Allowed { serial: allowed } if allowed == serial => {}
                DeliveryCheck::Asked { serial: asked, .. } if asked == serial => return false,
                DeliveryCheck::None | DeliveryCheck::Asked { .. } | DeliveryCheck::Allowed { .. } => {
                    let topic = head.message.topic().into();
                    self.ask_delivery(index, serial, Question::Deliver { topic });
                    return false;
                }
            }
        }
        if head.qos > QoS::AtMostOnce && session.outgoing.len() >= usize::from(connection.window) {
            return false;
        }
        if let Some(delivery) = self.sessions[key].queue.pop() {
            self.send_delivery(key, delivery, now);
        }
        true
    }

    /// Sends a delivery of any QoS; there is room for it.
    fn send_delivery(&mut self, key: SessionKey, delivery: Delivery, now: Instant) {
        let (message, qos, retain) = (Arc::clone(delivery.message.shared()), delivery.qos, delivery.retain);
        let identifiers = delivery.identifiers.clone();
        let Some((index, packet_id)) = self.put_in_flight(key, delivery) else { return };
        let what = Outgoing {
            draft: &message.draft(),
            message: Some(&message),
            delivery: publish_packet::delivery(qos, packet_id, false),
            retain,
            identifiers: identifiers.as_slice(),
        };
        self.send(key, index, &what, false, now);
    }

    /// A delivery leaves the queue, for good with QoS 0; returns the connection that it goes to, and its packet identifier.
    #[inline]
    fn put_in_flight(
        &mut self,
        key: SessionKey,
        delivery: Delivery,
    ) -> Option<(usize, Option<PacketIdentifier>)> {
        let session = &mut self.sessions[key];
        let index = session.connection?;
        let (qos, serial, durable) = (delivery.qos, delivery.serial, session.is_durable());
        if qos == QoS::AtMostOnce {
            self.journal.note(durable, || dropped_change(&session.client_id, serial));
            return Some((index, None));
        }
        let connection = &mut self.connections[index];
        let packet_id = session.outgoing.send(qos, delivery, connection.window).ok()?;
        let client_id = &session.client_id;
        self.journal.note(durable, || Change::Sent { client_id: Arc::clone(client_id), serial, packet_id });
        // Sent again after a crash under another identifier, the client would take it for another message.
        if qos == QoS::ExactlyOnce && durable {
            gate(&mut self.journal, connection);
        }
        Some((index, Some(packet_id)))
    }

    /// Writes the PUBLISH of what is in flight. `fresh`: its message is the one being routed right now.
    fn send(&mut self, key: SessionKey, index: usize, what: &Outgoing<'_>, fresh: bool, now: Instant) {
        let connection = &mut self.connections[index];
        match self.encoder.write(connection, &mut self.pool, &mut self.counters, what, fresh, now) {
            Ok(()) => announce(&mut self.actions, connection),
            Err(TooLarge) => match what.delivery.packet_id() {
                Some(id) => self.give_up(key, id, what.delivery.qos()),
                None => self.counters.dropped_too_large += 1,
            },
        }
    }

    /// A message that is too large for its client counts as delivered [MQTT-3.1.2-25].
    fn give_up(&mut self, key: SessionKey, id: PacketIdentifier, qos: QoS) {
        let event =
            if qos == QoS::ExactlyOnce { Acknowledgement::PubRecError } else { Acknowledgement::PubAck };
        let session = &mut self.sessions[key];
        session.outgoing.acknowledge(id, event);
        self.counters.dropped_too_large += 1;
        self.journal.note(session.is_durable(), || Change::Done {
            client_id: Arc::clone(&session.client_id),
            packet_id: id,
        });
    }

    /// Moves the next retained message for a new subscription into the (empty) queue; `false` when there is none for now.
    fn walk(&mut self, key: SessionKey, budget: &mut u32, now: Instant) -> bool {
        let session = &mut self.sessions[key];
        if session.outgoing.len() > 0 && !self.budget.has_room_for_place() {
            // One at a time, then: the next when this one is acknowledged.
            return false;
        }
        let Some(mut entry) = session.walks.first_entry() else { return false };
        let walk = entry.get_mut();
        match self.retained.next(&mut walk.cursor, budget) {
            Ok(Some(message)) => {
                let qos = walk.maximum_qos.min(message.qos());
                let identifiers = super::queue::Identifiers::None.with(walk.identifier);
                let serial = session.take_serial();
                // Retained messages are there to be read also when they are what fills the memory.
                let message = Place::take_anyway(message);
                let delivery = Delivery { message, qos, retain: true, identifiers, group: None, serial };
                self.journal.note(session.is_durable(), || queued(session, &delivery));
                self.enqueue(key, delivery);
                true
            }
            Ok(None) => {
                entry.remove();
                if session.walks.is_empty() {
                    // A map that was in use keeps most of a kilobyte.
                    session.walks = BTreeMap::new();
                }
                true
            }
            Err(_) => {
                self.deadlines.set(Timer::Walk(key), now + WALK_PAUSE);
                false
            }
        }
    }

    /// The head of the queue will not be sent.
    pub(super) fn drop_head(&mut self, key: SessionKey) {
        let session = &mut self.sessions[key];
        if let Some(delivery) = session.queue.pop() {
            self.journal.note(session.is_durable(), || dropped_change(&session.client_id, delivery.serial));
        }
    }

    /// PUBREL, once it is certain that the message itself is never sent again.
    pub(super) fn send_pubrel(&mut self, index: usize, packet_id: PacketIdentifier, reason: ReasonCode) {
        gate(&mut self.journal, &mut self.connections[index]);
        let pubrel = Acknowledge { packet_id, reason, properties: Properties::NONE };
        self.write(index, &Packet::PubRel(pubrel));
    }

    fn can_send(&self, connection: &Connection, session: &Session, qos: QoS) -> bool {
        connection.phase.is_connected()
            && !connection.checks.deliver
            && connection.outbox.len() < self.config.output_high_water
            && (qos == QoS::AtMostOnce || session.outgoing.len() < usize::from(connection.window))
    }
}

impl Publication<'_> {
    /// The message as it is kept.
    fn store(&mut self, budget: &mut Budget) -> Result<Arc<Message>, OutOfMemory> {
        if let Some(message) = &self.stored {
            return Ok(Arc::clone(message));
        }
        let message = budget.store(self.draft)?;
        Ok(Arc::clone(self.stored.insert(message)))
    }
}

fn queued(session: &Session, delivery: &Delivery) -> Change {
    Change::Queued {
        client_id: Arc::clone(&session.client_id),
        serial: delivery.serial,
        message: Arc::clone(delivery.message.shared()),
        qos: delivery.qos,
        retain: delivery.retain,
        identifiers: delivery.identifiers.as_slice().to_vec(),
        shared: delivery.group.clone(),
    }
}

fn dropped_change(client_id: &Arc<str>, serial: u64) -> Change {
    Change::Dropped { client_id: Arc::clone(client_id), serial }
}
