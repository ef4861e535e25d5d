//! The ends: of connections, of sessions; and the wills they release (MQTT 5 §3.14, §4.13, §3.1.2.5).

use alloc::collections::VecDeque;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::Display;
use core::time::Duration;

use machine::Instant;
use mqtt_codec::{
    ConnAck, Disconnect, Malformed, Packet, Properties, Property, ProtocolVersion, QoS, ReasonCode,
};

use super::connection::DeliveryCheck;
use super::phase::Phase;
use super::queue::Delivery;
use super::receive::Stop;
use super::routing::Target;
use super::session::{NEVER, Session};
use super::subscribe::subscription_cost;
use super::subscriber::SessionKey;
use super::time::Timer;
use super::{Broker, Ended};
use crate::action::{Action, CloseReason};
use crate::error::Violation;
use crate::qos::outgoing::State;
use crate::records::Change;

impl Broker {
    pub(super) fn on_disconnect(
        &mut self,
        index: usize,
        disconnect: &Disconnect<'_>,
        now: Instant,
    ) -> Result<(), Stop> {
        let connection = &self.connections[index];
        if let Some(key) = connection.session
            && let Some(expiry) = disconnect.properties.session_expiry_interval()
        {
            if expiry > 0 && !connection.asked_for_expiry {
                return Err(Violation::SessionExpiryRaised.into());
            }
            self.sessions[key].expiry = expiry.min(self.config.max_session_expiry);
        }
        let will = disconnect.reason != ReasonCode::NORMAL_DISCONNECTION;
        self.finish(index, CloseReason::Disconnected(disconnect.reason), will, now);
        Err(Stop::Ended)
    }

    /// The client broke a rule: it is told which, and its connection ends.
    pub(super) fn violation(
        &mut self,
        index: usize,
        violation: Violation,
        now: Instant,
    ) -> Result<(), Ended> {
        self.counters.violations += 1;
        let why = CloseReason::Violation(violation);
        self.end_with_error(index, violation.reason_code(), Some(&violation), why, now);
        Err(Ended)
    }

    /// Nothing that this client sends can be kept.
    pub(super) fn out_of_memory(&mut self, index: usize, now: Instant) {
        self.counters.dropped_memory += 1;
        self.end_with_error(index, ReasonCode::QUOTA_EXCEEDED, None, CloseReason::OutOfMemory, now);
    }

    /// Tells the client why, as far as its version can, and ends the connection; its will stands.
    pub(super) fn end_with_error(
        &mut self,
        index: usize,
        reason: ReasonCode,
        text: Option<&dyn Display>,
        why: CloseReason,
        now: Instant,
    ) {
        let connection = &mut self.connections[index];
        if connection.phase.is_connected() {
            self.say_disconnect(index, reason, text);
        } else if let CloseReason::Malformed(
            Malformed::UnsupportedProtocolLevel(_) | Malformed::EmptyClientIdentifier,
        ) = why
        {
            // These have a return code that every version knows [MQTT-3.1.2-2, MQTT-3.1.3-8], in a form that they know.
            connection.version = ProtocolVersion::V3_1_1;
            let connack = ConnAck { session_present: false, reason, properties: Properties::NONE };
            self.write(index, &Packet::ConnAck(connack));
        } else if connection.phase == Phase::Authenticating {
            let connack = ConnAck { session_present: false, reason, properties: Properties::NONE };
            self.write(index, &Packet::ConnAck(connack));
        }
        self.finish(index, why, true, now);
    }

    /// DISCONNECT, which only MQTT 5 has in this direction.
    pub(super) fn say_disconnect(&mut self, index: usize, reason: ReasonCode, text: Option<&dyn Display>) {
        let connection = &self.connections[index];
        if connection.version < ProtocolVersion::V5 || !connection.phase.is_connected() {
            return;
        }
        let text = text.map(ToString::to_string);
        let property = text.as_deref().map(Property::ReasonString);
        let disconnect = Disconnect { reason, properties: Properties::list(property.as_slice()) };
        if !self.try_write(index, &Packet::Disconnect(disconnect)) {
            // What is there for people to read gives way first [MQTT-3.14.2-3].
            self.try_write(index, &Packet::Disconnect(Disconnect::new(reason)));
        }
    }

    /// Ends a connection; `will`: the client did not take its will back.
    pub(super) fn finish(&mut self, index: usize, reason: CloseReason, will: bool, now: Instant) {
        self.close(index, reason);
        if let Some(key) = self.connections[index].session.take() {
            self.detach(key, will, now);
        }
    }

    /// Ends a connection that has no session (any more).
    pub(super) fn close(&mut self, index: usize, reason: CloseReason) {
        if self.connections[index].phase == Phase::Closing {
            return;
        }
        self.retire(index);
        let connection = &mut self.connections[index];
        if core::mem::take(&mut connection.held_up) {
            // So that the host forgets what it kept.
            self.actions.push_back(Action::Resume(connection.id));
        }
        self.actions.push_back(Action::Close { connection: connection.id, reason });
    }

    /// Nothing more is taken from a connection.
    pub(super) fn retire(&mut self, index: usize) {
        let connection = &mut self.connections[index];
        connection.phase = Phase::Closing;
        connection.waiting = None;
        connection.delivery = DeliveryCheck::None;
        let aliases = core::mem::take(&mut connection.incoming_aliases);
        self.budget.give_back(core::mem::take(&mut connection.partial).capacity() + aliases.bytes());
        self.deadlines.cancel(Timer::Connection(index));
    }

    /// A session lost its connection; `will`: the client did not take its will back.
    pub(super) fn detach(&mut self, key: SessionKey, will: bool, now: Instant) {
        let session = &mut self.sessions[key];
        session.connection = None;
        session.outgoing.interrupt();
        self.deadlines.cancel(Timer::Walk(key));
        for &group in &session.groups {
            self.routing.groups.set_online(group, key, false);
        }
        if !will {
            self.take_will(key);
        }
        let expiry = self.sessions[key].expiry;
        if expiry == 0 {
            return self.end_session(key, now);
        }
        self.note_session(key, Some(now));
        self.schedule(key, now, now);
        self.hand_over_queued(key, now);
    }

    /// Sets the clocks of a session without a connection, which it lost at `since`.
    pub(super) fn schedule(&mut self, key: SessionKey, since: Instant, now: Instant) {
        let session = &self.sessions[key];
        if session.expiry != NEVER {
            let expires = since + Duration::from_secs(u64::from(session.expiry));
            self.deadlines.set(Timer::Session(key), expires);
        }
        let Some(will) = &session.will else { return };
        let due = since + Duration::from_secs(u64::from(will.delay()));
        if due <= now {
            // Not with the next tick: the client may be back before, and a will is cancelled within its delay only.
            self.release_will(key, now);
        } else {
            // Should the session end before, its end publishes the will.
            self.deadlines.set(Timer::Will(key), due);
        }
    }

    /// Ends a session: publishes its will, forgets what it had, and gives what it was chosen for to other members of its
    /// shared subscriptions.
    pub(super) fn end_session(&mut self, key: SessionKey, now: Instant) {
        let mut session = self.forget_session(key);
        self.journal.note(session.is_durable(), || Change::SessionEnded {
            client_id: Arc::clone(&session.client_id),
        });

        let unacknowledged = session.outgoing.drain().into_iter().filter_map(|state| match state {
            State::AwaitPubAck(delivery) => Some(delivery),
            State::AwaitPubRec(_) => {
                // A QoS 2 message that was sent must not go to anybody else [MQTT-4.8.2-5].
                self.counters.dropped_session_ended += 1;
                None
            }
            State::AwaitPubComp(()) | State::Free | State::Reserved => None,
        });
        let left: VecDeque<_> = unacknowledged.chain(core::iter::from_fn(|| session.queue.pop())).collect();
        self.hand_over(left, now);
        if let Some(will) = session.will.take() {
            self.publish_will(&will, None, now);
        }
    }

    /// Takes a session out of all tables.
    pub(super) fn forget_session(&mut self, key: SessionKey) -> Session {
        for timer in [Timer::Session(key), Timer::Will(key), Timer::Walk(key)] {
            self.deadlines.cancel(timer);
        }
        let mut cost = 0;
        self.routing.index.subscriptions_of(key.subscriber(), |filter, _| cost += subscription_cost(filter));
        self.routing.index.remove_subscriber(key.subscriber());
        self.budget.give_back(cost);
        let groups = self.sessions[key].groups.iter();
        let names: Vec<_> = groups.filter_map(|group| self.routing.groups.name(*group).cloned()).collect();
        for name in names {
            self.remove_subscription(key, &name);
        }
        self.sessions.remove(key)
    }

    /// What waits for a member that is off-line goes to one that is not.
    fn hand_over_queued(&mut self, key: SessionKey, now: Instant) {
        let (sessions, groups) = (&mut self.sessions, &self.routing.groups);
        let session = &mut sessions[key];
        if session.groups.is_empty() {
            return;
        }
        let movable = |delivery: &Delivery| {
            let group = delivery.group.as_deref().and_then(|name| groups.find(name));
            group.is_some_and(|group| groups.has_online(group))
        };
        let moved = session.queue.extract(movable);
        for delivery in &moved {
            self.journal.note(session.is_durable(), || Change::Dropped {
                client_id: Arc::clone(&session.client_id),
                serial: delivery.serial,
            });
        }
        self.hand_over(moved, now);
    }

    /// Gives deliveries that came through shared subscriptions to the next members.
    fn hand_over(&mut self, deliveries: VecDeque<Delivery>, now: Instant) {
        for delivery in deliveries {
            let groups = &mut self.routing.groups;
            let group = delivery.group.as_deref().and_then(|name| groups.find(name));
            let chosen = group.and_then(|group| Some((groups.choose(group)?, group)));
            match chosen {
                Some(((member, route), group)) => {
                    let target = Target::new(member, route, Some(group));
                    self.deliver_again(&target, Arc::clone(delivery.message.shared()), now);
                }
                None if delivery.qos > QoS::AtMostOnce => self.counters.dropped_session_ended += 1,
                None => {}
            }
        }
    }

    /// Publishes the will of a session whose delay is over.
    pub(super) fn release_will(&mut self, key: SessionKey, now: Instant) {
        if let Some(will) = self.take_will(key) {
            self.publish_will(&will, Some(key), now);
        }
    }

    pub(super) fn take_will(&mut self, key: SessionKey) -> Option<alloc::boxed::Box<crate::will::Will>> {
        self.deadlines.cancel(Timer::Will(key));
        let session = &mut self.sessions[key];
        let will = session.will.take()?;
        self.journal.note(session.is_durable(), || Change::Will {
            client_id: Arc::clone(&session.client_id),
            will: None,
        });
        Some(will)
    }

    fn publish_will(&mut self, will: &crate::will::Will, from: Option<SessionKey>, now: Instant) {
        match self.route(&will.draft(now), None, from, now) {
            Ok(_) => self.counters.wills_published += 1,
            Err(_) => self.counters.dropped_memory += 1,
        }
    }
}
