//! Notifications: when they are made, when they leave, and what ends them (RFC 7641 §4).

use alloc::vec::Vec;

use coap_codec::{Code, OptionNumber};

use super::subject::{Observer, ObserverId, Waiting};
use crate::action::{IncomingRequest, Trigger};
use crate::block::Piece;
use crate::context::Context;
use crate::message::{Event, Interaction, OutgoingId, Peer, Send};
use crate::outbound::Owner;
use crate::resource::ResourceId;
use crate::server::asker::Asker;
use crate::server::{Open, Role, Sent, Server};
use crate::{Action, Refused, Reliability, RequestId, Response};

/// Bytes of a notification that are not payload, at the most as a rule.
const OVERHEAD: usize = 64;

/// The largest notification to a peer of unknown address, until it acknowledges one: about what any request may be answered with
/// (RFC 9175 §2.4).
const UNCONFIRMED: usize = 136;

impl<P: Peer> Server<P> {
    /// The state of a resource has changed: each observer's request is asked again.
    pub(crate) fn changed(&mut self, resource: ResourceId, cx: &mut Context<'_, P>) {
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
        let confirmed = (asker.verified || self.echo.is_verified(asker.from, cx.now)).then_some(cx.now);
        let format = (piece.code == Code::CONTENT).then(|| piece.options.view().content_format());
        let observer = Observer::new(asker, resource, open, format, confirmed, cx.now);
        let id = self.observers.enter(observer);
        let Some(observer) = self.observers.get(id) else { return Err(Refused::Unknown) };
        piece.options.set_uint(OptionNumber::OBSERVE, observer.sequence.take().into());
        let sent = self.send_piece(asker, open.method, &piece, reliability, Some(Owner::Observer(id)), cx);
        let Ok(Sent::Whole(outgoing)) = sent else {
            self.observers.remove(id);
            if known.is_some() {
                self.report_observers(resource, cx);
            }
            return sent.map(drop);
        };
        if let Some(observer) = self.observers.get(id) {
            let confirmable = reliability.map_or(asker.confirmable, |wish| wish == Reliability::Confirmable);
            observer.unconfirmed = outgoing.is_some() && confirmable;
            observer.outgoing = outgoing;
        }
        if known.is_none() {
            self.report_observers(resource, cx);
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
        let again = core::mem::take(&mut observer.changed);
        observer.asked = None;
        let peer = observer.peer;
        if !response.code.is_success() {
            self.notify_last(id, &response, cx);
            return Ok(());
        }
        // RFC 7641 §4.2: the Content-Format stays what it was. 2.03 has none.
        let format = response.options.view().content_format();
        if response.code == Code::CONTENT && *observer.content_format.get_or_insert(format) != format {
            self.notify_last(id, &Response::new(Code::NOT_ACCEPTABLE), cx);
            return Ok(());
        }
        let reliability = response.reliability;
        let room = if observer.confirmed.is_some() { cx.config.max_datagram } else { UNCONFIRMED };
        let room = room.saturating_sub(OVERHEAD);
        let mut piece = self.piece(peer, open, response, room, cx);
        let Some(observer) = self.observers.get(id) else { return Ok(()) };
        piece.options.set_uint(OptionNumber::OBSERVE, observer.sequence.take().into());
        let datagram = cx.outbound.encode(
            piece.code,
            observer.token.as_bytes(),
            piece.options.view(),
            &piece.payload,
        )?;
        let confirmable = observer.wants_confirmation(reliability, cx);
        self.offer(id, Waiting { datagram, confirmable }, cx);
        if again {
            self.ask_for(id, cx);
        }
        Ok(())
    }

    /// An error, without Observe: the last notification (RFC 7641 §4.2).
    pub(crate) fn notify_last(&mut self, id: ObserverId, response: &Response, cx: &mut Context<'_, P>) {
        self.silence(id, cx);
        let Some(observer) = self.observers.remove(id) else { return };
        self.report_observers(observer.resource, cx);
        let confirmable = response.reliability != Some(Reliability::NonConfirmable);
        let how = Send { confirmable, interaction: Interaction::Notification, not_before: None };
        let sent = cx
            .outbound
            .encode(response.code, observer.token.as_bytes(), response.options.view(), &response.payload)
            .and_then(|datagram| cx.outbound.send(observer.peer, datagram, how, None, cx.now));
        cx.counters.dropped_full += u64::from(sent.is_err());
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
        while let Some(id) = self.notification_timers.expire(cx.now) {
            self.send_if_due(id, cx);
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
            method: observer.method,
            options: observer.options.clone(),
            payload: observer.payload.clone(),
            blocks: observer.blocks,
            block1: None,
            bodies: observer.bodies,
        };
        let incoming = IncomingRequest {
            id: RequestId(0),
            from: observer.peer,
            resource: observer.resource,
            method: observer.method,
            options: observer.options.clone(),
            payload: observer.payload.clone(),
            multicast: false,
            trigger: Trigger::Change,
        };
        let asked = self.open.put(open);
        if let Some(observer) = self.observers.get(id) {
            observer.asked = Some(asked);
        }
        cx.actions.push_back(Action::Request(IncomingRequest { id: asked, ..incoming }));
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
        let Some(waiting) = &observer.waiting else { return };
        // §4.5.1: no more than one in a round-trip time when nothing is acknowledged.
        let spacing = cx.outbound.layer.round_trip(observer.peer).unwrap_or(cx.config.notifications.spacing);
        let due = observer.last_sent + spacing.min(cx.config.notifications.spacing);
        if !waiting.confirmable && due > cx.now {
            self.notification_timers.set(id, due);
            return;
        }
        let Some(Waiting { datagram, confirmable }) = observer.waiting.take() else { return };
        observer.last_sent = cx.now;
        let how = Send { confirmable, interaction: Interaction::Notification, not_before: None };
        match cx.outbound.send(observer.peer, datagram, how, Some(Owner::Observer(id)), cx.now) {
            Ok(outgoing) => {
                observer.outgoing = Some(outgoing);
                observer.unconfirmed = confirmable;
            }
            Err(_) => cx.counters.dropped_full += 1,
        }
    }

    /// Stops all that is under way for an observer.
    fn silence(&mut self, id: ObserverId, cx: &mut Context<'_, P>) {
        self.notification_timers.cancel(id);
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
