//! Notifications: when they are made, when they leave, and what ends them (RFC 7641 §4).

use alloc::vec::Vec;
use core::time::Duration;

use coap_codec::{Code, OptionNumber, Options};

use super::asker::Asker;
use super::observers::{Format, Observer, Waiting};
use super::{Open, Role, Sent, Server, overhead};
use crate::action::{IncomingRequest, Trigger};
use crate::block::Piece;
use crate::context::Context;
use crate::message::{Event, Interaction, OutgoingId, Peer, Send};
use crate::outbound::{ObserverId, Owner};
use crate::resource::ResourceId;
use crate::{Action, Refused, Reliability, Response};

/// The largest notification to a peer of unknown address, until it acknowledges one: about what any request may be answered with
/// (RFC 9175 §2.4).
const UNCONFIRMED: usize = 136;

/// How long until a notification that found no room is made again.
const AGAIN: Duration = Duration::from_secs(2);

impl<P: Peer> Server<P> {
    /// The state of a resource has changed: each observer's request is asked again.
    pub(crate) fn changed(&mut self, resource: ResourceId, cx: &mut Context<'_, P>) {
        self.resources.note_change(resource);
        let observers: Vec<ObserverId> = self.observers.of_resource(resource).collect();
        for id in observers {
            self.ask_for(id, cx);
        }
    }

    /// A success to a registration: the first notification (RFC 7641 §4.1).
    pub(crate) fn register(
        &mut self,
        asker: &Asker<P>,
        open: &Open<P>,
        mut piece: Piece,
        reliability: Option<Reliability>,
        cx: &mut Context<'_, P>,
    ) -> Result<(), Refused> {
        let Some(resource) = open.resource else { return Err(Refused::Unknown) };
        let known = self.observers.find(asker.from, &asker.token);
        if let Some(known) = known {
            self.silence(known, cx);
        }
        // The same token may have been for another resource.
        let before = known.and_then(|known| self.observers.get(known)).map(|known| known.resource);
        let confirmed = (asker.verified || self.echo.is_verified(asker.from, cx.now)).then_some(cx.now);
        let format = match piece.code {
            Code::CONTENT => Format::Known(piece.options.view().content_format()),
            _ => Format::Unknown,
        };
        let observer = Observer::new(asker, resource, open, format, confirmed, cx.now);
        let id = self.observers.enter(observer);
        let Some(observer) = self.observers.get(id) else { return Err(Refused::Unknown) };
        piece.options.set_uint(OptionNumber::OBSERVE, observer.sequence.take(cx.now).into());
        let sent = self.send_piece(asker, &piece, reliability, Some(Owner::Observer(id)), cx);
        let Ok(Sent::Whole(outgoing)) = sent else {
            self.observers.remove(id);
            if let Some(before) = before {
                self.report_observers(before, cx);
            }
            return sent.map(drop);
        };
        if let Some(observer) = self.observers.get(id) {
            let confirmable = reliability.map_or(asker.confirmable, |wish| wish == Reliability::Confirmable);
            observer.unconfirmed = outgoing.is_some() && confirmable;
            observer.outgoing = outgoing;
        }
        if before != Some(resource) {
            if let Some(before) = before {
                self.report_observers(before, cx);
            }
            self.report_observers(resource, cx);
        }
        // What the application has told may be older than the last change: the newest state must get there in the end (§1.3).
        if self.resources.changes(resource) != open.changes {
            self.ask_for(id, cx);
        }
        Ok(())
    }

    /// The application has told the state: a notification.
    pub(crate) fn notify(
        &mut self,
        id: ObserverId,
        open: &Open<P>,
        response: Response,
        cx: &mut Context<'_, P>,
    ) -> Result<(), Refused> {
        let Some(observer) = self.observers.get(id) else { return Ok(()) };
        let peer = observer.peer;
        if !response.code.is_success() {
            return self.answer_last(id, &response, cx);
        }
        let format = response.options.view().content_format();
        if response.code == Code::CONTENT && !observer.format.admits(format) {
            return self.answer_last(id, &Response::new(Code::NOT_ACCEPTABLE), cx);
        }
        let reliability = response.reliability;
        let room = if observer.confirmed.is_some() { cx.config.max_datagram } else { UNCONFIRMED };
        let room = room.saturating_sub(overhead(&observer.token, response.options.view()));
        let mut piece = self.piece(peer, open, response, room, cx);
        let Some(observer) = self.observers.get(id) else { return Ok(()) };
        piece.options.set_uint(OptionNumber::OBSERVE, observer.sequence.take(cx.now).into());
        let datagram =
            cx.encode(piece.code, observer.token.as_bytes(), piece.options.view(), &piece.payload)?;
        let confirmable = observer.wants_confirmation(reliability, cx);
        let again = core::mem::take(&mut observer.changed);
        observer.asked = None;
        self.offer(id, Waiting { datagram, confirmable }, cx);
        if again {
            self.ask_for(id, cx);
        }
        Ok(())
    }

    /// What the application has answered ends the observation.
    fn answer_last(
        &mut self,
        id: ObserverId,
        response: &Response,
        cx: &mut Context<'_, P>,
    ) -> Result<(), Refused> {
        let asked = self.observers.get(id).and_then(|observer| observer.asked.take());
        let sent = self.notify_last(id, response, cx);
        if let (Err(_), Some(observer)) = (sent, self.observers.get(id)) {
            observer.asked = asked;
        }
        sent
    }

    /// An error, without Observe: the last notification (RFC 7641 §4.2).
    pub(crate) fn notify_last(
        &mut self,
        id: ObserverId,
        response: &Response,
        cx: &mut Context<'_, P>,
    ) -> Result<(), Refused> {
        let Some(observer) = self.observers.get(id) else { return Ok(()) };
        let (peer, token) = (observer.peer, observer.token.as_bytes());
        let mut datagram = cx.encode(response.code, token, response.options.view(), &response.payload)?;
        if observer.confirmed.is_none() && datagram.len() > UNCONFIRMED {
            // The code says it all.
            datagram = cx.encode(response.code, token, Options::EMPTY, &[])?;
        }
        self.end_observation(id, cx);
        let confirmable = response.reliability != Some(Reliability::NonConfirmable);
        let how = Send { confirmable, interaction: Interaction::Notification, not_before: None };
        let sent = cx.outbound.send(peer, datagram, how, None, cx.now);
        cx.counters.dropped_full += u64::from(sent.is_err());
        Ok(())
    }

    /// Takes an observer out of the list.
    pub(crate) fn end_observation(&mut self, id: ObserverId, cx: &mut Context<'_, P>) {
        self.silence(id, cx);
        if let Some(observer) = self.observers.remove(id) {
            self.report_observers(observer.resource, cx);
        }
    }

    /// Something has become of a notification.
    pub(crate) fn notification_event(
        &mut self,
        id: ObserverId,
        of: OutgoingId,
        event: Event,
        cx: &mut Context<'_, P>,
    ) {
        match event {
            Event::Sent(_) | Event::Expired(_) => {}
            // §4.5: no acknowledgement after all repetitions, and a Reset, both say that there is no interest.
            Event::Reset(_) | Event::TimedOut(_) | Event::Unreachable(_) => self.end_observation(id, cx),
            Event::Acknowledged(_) => {
                let Some(observer) = self.observers.get(id) else { return };
                observer.confirmed = Some(cx.now);
                if observer.outgoing == Some(of) {
                    observer.outgoing = None;
                    observer.unconfirmed = false;
                }
                self.echo.confirm(observer.peer, cx.now);
                self.send_if_due(id, cx);
            }
        }
    }

    /// Sends the notifications whose time has come.
    pub(crate) fn send_waiting(&mut self, cx: &mut Context<'_, P>) {
        while let Some(slot) = self.notification_timers.expire(cx.now) {
            if let Some(id) = self.observers.id_at(slot) {
                self.send_if_due(id, cx);
            }
        }
    }

    /// Asks the application for the state, for one observer.
    fn ask_for(&mut self, id: ObserverId, cx: &mut Context<'_, P>) {
        let Some(observer) = self.observers.get(id) else { return };
        if observer.asked.is_some() {
            observer.changed = true;
            return;
        }
        let open = Open {
            role: Role::Notification(id, observer.peer),
            resource: Some(observer.resource),
            changes: 0,
            method: observer.method,
            options: observer.options.clone(),
            payload: observer.payload.clone(),
            blocks: observer.blocks,
            block1: None,
            bodies: observer.bodies,
        };
        let id = self.open.next_id();
        observer.asked = Some(id);
        cx.actions.push_back(Action::Request(IncomingRequest {
            id,
            from: observer.peer,
            resource: observer.resource,
            method: observer.method,
            options: observer.options.clone(),
            payload: observer.payload.clone(),
            multicast: false,
            trigger: Trigger::Change,
        }));
        self.open.put(open);
    }

    /// A newer notification takes the place of what has not reached the observer yet (§4.5.2): of a message that is being repeated,
    /// whose count and time-out go on, or of one that waits for its time.
    fn offer(&mut self, id: ObserverId, newest: Waiting, cx: &mut Context<'_, P>) {
        let Some(observer) = self.observers.get(id) else { return };
        if let (true, Some(outgoing)) = (observer.unconfirmed, observer.outgoing)
            && cx.outbound.layer.replace(outgoing, newest.datagram.clone())
        {
            cx.counters.superseded += 1;
            return;
        }
        cx.counters.superseded += u64::from(observer.waiting.replace(newest).is_some());
        self.send_if_due(id, cx);
    }

    /// Sends what waits, unless its time is still to come.
    fn send_if_due(&mut self, id: ObserverId, cx: &mut Context<'_, P>) {
        let Some(observer) = self.observers.get(id) else { return };
        let Some(waiting) = &observer.waiting else {
            if core::mem::take(&mut observer.missed) {
                self.ask_for(id, cx);
            }
            return;
        };
        // §4.5.1: no more than one in a round-trip time when nothing is acknowledged.
        let spacing = cx.outbound.layer.round_trip(observer.peer).unwrap_or(cx.config.notifications.spacing);
        let due = observer.last_sent + spacing.min(cx.config.notifications.spacing);
        if !waiting.confirmable && due > cx.now {
            self.notification_timers.set(id.key, due);
            return;
        }
        let Some(Waiting { datagram, confirmable }) = observer.waiting.take() else { return };
        observer.last_sent = cx.now;
        let how = Send { confirmable, interaction: Interaction::Notification, not_before: None };
        let sent = cx.outbound.send(observer.peer, datagram, how, Some(Owner::Observer(id)), cx.now);
        observer.missed = sent.is_err();
        if let Ok(outgoing) = sent {
            observer.outgoing = Some(outgoing);
            observer.unconfirmed = confirmable;
        } else {
            // The newest state must get there in the end (§4.5): it is asked for once more when there may be room.
            cx.counters.dropped_full += 1;
            self.notification_timers.set(id.key, cx.now + AGAIN);
        }
    }

    /// Stops all that is under way for an observer.
    fn silence(&mut self, id: ObserverId, cx: &mut Context<'_, P>) {
        self.notification_timers.cancel(id.key);
        let Some(observer) = self.observers.get(id) else { return };
        observer.waiting = None;
        let (asked, outgoing) = (observer.asked.take(), observer.outgoing.take());
        if let Some(outgoing) = outgoing {
            cx.outbound.cancel(outgoing, cx.now);
        }
        if let Some(asked) = asked {
            self.open.forget(asked);
            cx.actions.push_back(Action::Cancelled { id: asked });
        }
    }

    fn report_observers(&self, resource: ResourceId, cx: &mut Context<'_, P>) {
        let count = self.observers.count(resource);
        cx.actions.push_back(Action::Observers { resource, count });
    }
}

impl<P: Peer> Observer<P> {
    /// Whether the next notification asks for an acknowledgement: when the application or the configuration says so, when none has for
    /// too long (§4.5), and as long as nobody knows that the peer is there at all.
    fn wants_confirmation(&self, wish: Option<Reliability>, cx: &Context<'_, P>) -> bool {
        let policy = &cx.config.notifications;
        let overdue = self.confirmed.is_none_or(|at| cx.now - at >= policy.confirm_after);
        overdue || wish.map_or(policy.confirmable, |wish| wish == Reliability::Confirmable)
    }
}
