//! Own messages.

use alloc::vec::Vec;

use coap_codec::MessageType;
use machine::Instant;

use super::datagram::{self, Datagram};
use super::exchange::{Effect, Event as Change, Kind, State};
use super::outgoing::{Messages, Outgoing};
use super::peers::Known;
use super::retransmission::Retransmission;
use super::table::Key;
use super::{Event, Interaction, MessageLayer, OutgoingId, Peer, Send};
use crate::Refused;
use crate::list::List;

impl<P: Peer> MessageLayer<P> {
    /// Sends a message, or lets it wait for its turn. `datagram` is a whole message, whose type and message id are
    /// overwritten.
    ///
    /// # Errors
    /// [`Refused::Full`] when there is no room for the message or its peer, [`Refused::NoMessageId`].
    pub(crate) fn send(
        &mut self,
        to: P,
        datagram: Vec<u8>,
        how: Send,
        now: Instant,
    ) -> Result<OutgoingId, Refused> {
        if how.interaction == Interaction::Group {
            return self.send_to_group(to, datagram, now);
        }
        let is_request = how.interaction == Interaction::Request;
        self.start(to, datagram, Kind::of(how), is_request, how.not_before, now)
    }

    /// Sends an Empty Confirmable message (§4.3). [`Event::Reset`] is the answer of a peer that is there.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub(crate) fn ping(&mut self, to: P, now: Instant) -> Result<OutgoingId, Refused> {
        let mut datagram = self.buffer();
        datagram.extend_from_slice(&Datagram::empty(MessageType::Confirmable, 0));
        self.start(to, datagram, Kind::Confirmable, false, None, now)
    }

    /// Puts a newer datagram in the place of one that is not acknowledged yet. It goes, with a message id of its own, when
    /// the old one would be repeated, and continues its retransmission counter and time-out (RFC 7641 §4.5.2); or as a message
    /// from the start, when the old one is acknowledged before. False when the message is over or never repeated.
    pub(crate) fn replace(&mut self, id: OutgoingId, datagram: Vec<u8>) -> bool {
        let Some(message) = self.messages.table.get_mut(id.0) else { return false };
        let old = match message.state {
            State::Delayed | State::Waiting => Some(core::mem::replace(&mut message.datagram, datagram)),
            State::AwaitAck => message.replacement.replace(datagram),
            State::AwaitResponse | State::Rejectable | State::Ended => return false,
        };
        if let Some(old) = old {
            self.recycle(old);
        }
        true
    }

    /// A response has come that proves that the message has: it is not repeated any more (§4.2).
    pub(crate) fn settle(&mut self, id: OutgoingId, now: Instant) {
        self.end(id.0, Change::Settled, now);
    }

    /// Nobody wants it any more. What the peer answers will be unmatched, and do no harm.
    pub(crate) fn cancel(&mut self, id: OutgoingId, now: Instant) {
        self.end(id.0, Change::Cancelled, now);
    }

    /// The network says that the peer cannot be reached: all own messages to it end.
    pub(crate) fn unreachable(&mut self, peer: P, now: Instant) {
        let Some(slot) = self.peers.find(peer) else { return };
        let lists: [fn(&Known<P>) -> List; 3] = [|peer| peer.sent, |peer| peer.waiting, |peer| peer.delayed];
        for list in lists {
            while let Some(key) = self.messages.first_of(list(self.peers.at(slot))) {
                self.apply(key, Change::Unreachable, now);
            }
        }
        self.wake.cancel(slot);
    }

    /// A message to a group: nothing of it is remembered, since no acknowledgement or Reset can belong to it.
    fn send_to_group(&mut self, to: P, mut datagram: Vec<u8>, now: Instant) -> Result<OutgoingId, Refused> {
        let taken = self.group_ids.take(now, self.timing.exchange_lifetime);
        let message_id = taken.ok_or(Refused::NoMessageId)?;
        datagram::address(&mut datagram, MessageType::NonConfirmable, message_id);
        self.transmit.push_back((to, Datagram::take(&mut datagram)));
        self.recycle(datagram);
        let id = OutgoingId(self.messages.table.passing_key());
        self.events.push_back(Event::Sent(id));
        Ok(id)
    }

    fn start(
        &mut self,
        to: P,
        datagram: Vec<u8>,
        kind: Kind,
        is_request: bool,
        not_before: Option<Instant>,
        now: Instant,
    ) -> Result<OutgoingId, Refused> {
        if self.messages.live() >= self.limits.outgoing {
            return Err(Refused::Full);
        }
        let slot = self.enter_peer(to, now).ok_or(Refused::Full)?;
        let delay = not_before.filter(|&at| at > now);
        let nstart = self.timing.nstart;
        let peer = self.peers.at(slot);
        let waits = delay.is_some() || !may_go(peer, kind, nstart, now);
        if waits && peer.waiting.len() + peer.delayed.len() >= self.limits.queued_per_peer {
            return Err(Refused::Full);
        }
        if !waits && peer.message_ids.free_at(now).is_some() {
            return Err(Refused::NoMessageId);
        }
        let state = if delay.is_some() { State::Delayed } else { State::Waiting };
        let key = self.messages.table.insert(Outgoing {
            peer: slot,
            kind,
            state,
            is_request,
            message_id: None,
            datagram,
            replacement: None,
            retransmission: Retransmission::start(self.timing.ack_timeout, now),
        });
        peer.outgoing += 1;
        match delay {
            Some(at) => {
                peer.delayed.push(&mut self.messages.links, key.slot());
                self.messages.timers.set(key.slot(), at);
            }
            None if !waits && peer.waiting.len() == 0 => self.send_at_once(key, slot, now),
            None => {
                peer.waiting.push(&mut self.messages.links, key.slot());
                self.promote(slot, now);
            }
        }
        Ok(OutgoingId(key))
    }

    /// A message that may go, and that none was before: it is not queued.
    fn send_at_once(&mut self, key: Key, slot: u32, now: Instant) {
        if let Some(message_id) = self.fresh_message_id(slot, now) {
            return self.transmit_first(key, message_id, now);
        }
        self.peers.at(slot).waiting.push(&mut self.messages.links, key.slot());
        self.promote(slot, now);
    }

    fn end(&mut self, key: Key, change: Change, now: Instant) {
        if let Some(peer) = self.messages.table.get(key).map(|message| message.peer) {
            self.apply(key, change, now);
            self.promote(peer, now);
        }
    }

    /// Sends what waits for a peer, as far as it may go, and sees to it that the rest is looked at in time.
    #[inline]
    pub(super) fn promote(&mut self, slot: u32, now: Instant) {
        if self.peers.at(slot).waiting.len() == 0 {
            self.wake.cancel(slot);
        } else {
            self.promote_waiting(slot, now);
        }
    }

    fn promote_waiting(&mut self, slot: u32, now: Instant) {
        while let Some(key) = self.next_to_go(slot, now) {
            let Some(message_id) = self.fresh_message_id(slot, now) else { break };
            self.transmit_first(key, message_id, now);
        }
        let peer = self.peers.at(slot);
        let obstacles = [peer.brake.opens_at(now), peer.message_ids.free_at(now)];
        match obstacles.into_iter().flatten().min().filter(|_| peer.waiting.len() > 0) {
            Some(at) => self.wake.set(slot, at),
            None => self.wake.cancel(slot),
        }
    }

    /// The first message in the queue that may go: a Non-confirmable request that `PROBING_RATE` holds up stands in nobody's way.
    fn next_to_go(&mut self, slot: u32, now: Instant) -> Option<Key> {
        let peer = self.peers.get(slot)?;
        let mut waiting =
            peer.waiting.iter(&self.messages.links).filter_map(|slot| self.messages.table.key_at(slot));
        waiting.find(|&key| {
            let kind = self.messages.table.get(key).map(|message| message.kind);
            kind.is_some_and(|kind| may_go(peer, kind, self.timing.nstart, now))
        })
    }

    /// A message id that is not in use with the peer, nor was within `EXCHANGE_LIFETIME`.
    pub(super) fn fresh_message_id(&mut self, slot: u32, now: Instant) -> Option<u16> {
        loop {
            let id = self.peers.at(slot).message_ids.take(now, self.timing.exchange_lifetime)?;
            // A message may outlive its id's time when the clock stands still between two ticks.
            if self.messages.find(slot, id).is_none() {
                return Some(id);
            }
        }
    }

    fn transmit_first(&mut self, key: Key, message_id: u16, now: Instant) {
        let Some(message) = self.messages.table.get_mut(key) else { return };
        let (slot, kind) = (message.peer, message.kind);
        datagram::address(&mut message.datagram, kind.message_type(), message_id);
        let len = message.datagram.len();
        let (datagram, over) = if kind == Kind::Confirmable {
            (Datagram::copy(&message.datagram), Vec::new())
        } else {
            let mut whole = core::mem::take(&mut message.datagram);
            (Datagram::take(&mut whole), whole)
        };
        let timeout = match kind {
            Kind::Confirmable => self.timing.first_timeout(&mut self.random),
            Kind::Request | Kind::Notification | Kind::Plain => self.timing.longest_ack_timeout,
        };
        message.retransmission = Retransmission::start(timeout, now);
        self.messages.identify(key, message_id);
        self.peers.touch(slot, now);
        let peer = self.peers.at(slot);
        if kind == Kind::Request {
            peer.brake.charge(len, self.timing.probing_rate, now);
        }
        self.transmit.push_back((peer.address, datagram));
        self.recycle(over);
        self.apply(key, Change::Transmitted(kind), now);
        self.bound_rejectable(now);
    }

    /// Forgets the oldest message ids of Non-confirmable messages when there are too many.
    pub(super) fn bound_rejectable(&mut self, now: Instant) {
        while self.messages.rejectable.len() > self.limits.outgoing {
            let Some((oldest, _)) = self.messages.oldest_rejectable() else { return };
            self.apply(oldest, Change::TimeOut, now);
        }
    }

    /// Changes the state of a message, with all that hangs on it, and tells the caller. What waits is left to wait.
    pub(super) fn apply(&mut self, key: Key, change: Change, now: Instant) -> Effect {
        let Some(message) = self.messages.table.get(key) else { return Effect::Nothing };
        let old = message.state;
        let (new, effect) = old.on(change);
        if matches!(change, Change::Ack | Change::Superseded | Change::Rst | Change::Settled)
            && old.is_outstanding()
        {
            let measured = message.retransmission.round_trip(now);
            let peer = self.peers.at(message.peer);
            peer.round_trip = measured.or(peer.round_trip);
        }
        if new != old {
            self.relocate(key, new);
        }
        let id = OutgoingId(key);
        let event = match effect {
            Effect::Nothing | Effect::Repeat => return effect,
            Effect::TellSent => Event::Sent(id),
            Effect::TellAcknowledged => Event::Acknowledged(id),
            Effect::TellReset => Event::Reset(id),
            Effect::TellTimedOut => Event::TimedOut(id),
            Effect::TellUnreachable => Event::Unreachable(id),
            Effect::TellExpired => Event::Expired(id),
        };
        self.events.push_back(event);
        effect
    }

    /// Moves a message to the list of a new state, and its timer with it. `Delayed` is only ever a first state.
    fn relocate(&mut self, key: Key, new: State) {
        let Messages { table, links, timers, rejectable, rejectable_links, .. } = &mut self.messages;
        let Some(message) = table.get_mut(key) else { return };
        let (peer, slot) = (self.peers.at(message.peer), key.slot());
        let old = core::mem::replace(&mut message.state, new);
        peer.outstanding += u32::from(new.is_outstanding());
        peer.outstanding -= u32::from(old.is_outstanding());
        match old {
            State::Delayed => peer.delayed.remove(links, slot),
            // One that goes at once was never queued.
            State::Waiting if peer.waiting.len() == 0 => {}
            State::Waiting => peer.waiting.remove(links, slot),
            State::AwaitAck | State::AwaitResponse => peer.sent.remove(links, slot),
            State::Rejectable => {
                peer.sent.remove(links, slot);
                rejectable.remove(rejectable_links, slot);
            }
            State::Ended => {}
        }
        match new {
            State::Waiting => {
                if let Some(newer) = message.replacement.take() {
                    message.datagram = newer;
                }
                peer.waiting.push(links, slot);
            }
            State::AwaitAck | State::AwaitResponse => {
                peer.sent.push(links, slot);
                timers.set(slot, message.retransmission.due(&self.timing));
            }
            State::Rejectable => {
                peer.sent.push(links, slot);
                rejectable.push(rejectable_links, slot);
            }
            State::Ended => peer.outgoing -= 1,
            State::Delayed => {}
        }
        if !new.is_outstanding() {
            timers.cancel(slot);
        }
        if matches!(new, State::Waiting | State::Ended) {
            self.messages.forget_id(key);
        }
        if new == State::Ended
            && let Some(message) = self.messages.table.remove(key)
        {
            self.recycle(message.datagram);
        }
    }
}

impl Kind {
    const fn of(how: Send) -> Self {
        match how.interaction {
            _ if how.confirmable => Self::Confirmable,
            Interaction::Request => Self::Request,
            Interaction::Notification => Self::Notification,
            Interaction::Response | Interaction::Group => Self::Plain,
        }
    }

    pub(super) const fn message_type(self) -> MessageType {
        match self {
            Self::Confirmable => MessageType::Confirmable,
            Self::Request | Self::Notification | Self::Plain => MessageType::NonConfirmable,
        }
    }
}

/// Whether congestion control lets a message go (§4.7).
fn may_go<P>(peer: &Known<P>, kind: Kind, nstart: u32, now: Instant) -> bool {
    match kind {
        Kind::Confirmable => peer.outstanding < nstart,
        Kind::Request => peer.outstanding < nstart && peer.brake.opens_at(now).is_none(),
        Kind::Notification | Kind::Plain => true,
    }
}
