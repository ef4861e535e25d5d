//! Messages that come.

use coap_codec::{Message, MessageType, Reaction};
use machine::Instant;

use super::datagram::Datagram;
use super::deduplication;
use super::exchange::{Event, State};
use super::remembered::token_hash;
use super::table::Key;
use super::{Arrival, IncomingId, MessageLayer, OutgoingId, Peer};
use crate::Counters;

impl<P: Peer> MessageLayer<P> {
    /// A message has come.
    pub(crate) fn receive(
        &mut self,
        from: P,
        message: &Message<'_>,
        multicast: bool,
        counters: &mut Counters,
        now: Instant,
    ) -> Arrival {
        let code = message.code;
        let arrival = match message.message_type {
            // Nothing but a Non-confirmable request goes to groups (§8.1).
            MessageType::Confirmable | MessageType::Acknowledgement | MessageType::Reset if multicast => {
                rejected(counters)
            }
            MessageType::NonConfirmable if multicast && !code.is_request() => rejected(counters),
            MessageType::Confirmable | MessageType::NonConfirmable
                if code.is_request() || code.is_response() =>
            {
                self.arrived(from, message, multicast, counters, now)
            }
            MessageType::Confirmable if code.is_empty() => self.pinged(from, message, now),
            MessageType::Confirmable => {
                self.malformed(from, Reaction::Reset(message.message_id), multicast, counters, now);
                rejected(counters)
            }
            MessageType::Acknowledgement if code.is_empty() || code.is_response() => {
                self.acknowledged(from, message, counters, now)
            }
            MessageType::Reset if code.is_empty() => self.was_reset(from, message, counters, now),
            // To reject any of these is to be silent (§4.2, §4.3).
            MessageType::NonConfirmable | MessageType::Acknowledgement | MessageType::Reset => {
                rejected(counters)
            }
        };
        self.count(counters);
        arrival
    }

    /// A datagram has come that is malformed. If its message id belongs to a message that came well-formed, it gets what that
    /// one got; otherwise what it calls for.
    pub(crate) fn malformed(
        &mut self,
        from: P,
        reaction: Reaction,
        multicast: bool,
        counters: &mut Counters,
        now: Instant,
    ) {
        let Reaction::Reset(id) = reaction else { return };
        if multicast {
            return;
        }
        if !self.rejections.allow(now) {
            counters.rate_limited += 1;
            return;
        }
        let peer = self.peers.find(from);
        let known = peer.and_then(|peer| self.remembered.find(&mut self.peers, peer, id.get(), now));
        match known {
            Some(key) => {
                counters.duplicates += 1;
                self.answer(key, deduplication::Event::Repetition);
            }
            None => self.transmit.push_back((from, Datagram::empty(MessageType::Reset, id.get()))),
        }
    }

    /// A sign of life: `PROBING_RATE`'s brake is off.
    fn heard_from(&mut self, peer: P, now: Instant) {
        if let Some(slot) = self.peers.find(peer) {
            self.heard(slot, now);
        }
    }

    fn heard(&mut self, slot: u32, now: Instant) {
        self.peers.touch(slot, now);
        self.peers.at(slot).brake.release();
        self.promote(slot, now);
    }

    /// A request, or a response with a message of its own.
    fn arrived(
        &mut self,
        from: P,
        message: &Message<'_>,
        multicast: bool,
        counters: &mut Counters,
        now: Instant,
    ) -> Arrival {
        let mut known = self.peers.find(from);
        if let Some(peer) = known {
            self.heard(peer, now);
            if let Some(key) = self.remembered.find(&mut self.peers, peer, message.message_id.get(), now) {
                self.repeated(key, message, multicast, counters);
                return Arrival::Nothing;
            }
        } else {
            known = self.enter_peer(from, now);
        }
        let remembered =
            known.and_then(|peer| self.remembered.remember(&mut self.peers, peer, message, multicast, now));
        let Some(incoming) = remembered.map(IncomingId) else {
            counters.dropped_full += 1;
            return Arrival::Nothing;
        };
        let confirmable = message.message_type == MessageType::Confirmable;
        if message.code.is_request() {
            Arrival::Request { incoming, confirmable }
        } else {
            Arrival::Response { acknowledges: None, incoming: Some(incoming), confirmable }
        }
    }

    /// A duplicate, by its source and message id alone (§4.5). That the token differs is the peer's fault: it uses a message
    /// id again too early. It gets the old answer, unless it went to a group (§8.1), and is counted.
    fn repeated(&mut self, key: Key, message: &Message<'_>, multicast: bool, counters: &mut Counters) {
        counters.duplicates += 1;
        if self.remembered.get(key).is_some_and(|incoming| incoming.token != token_hash(message.token)) {
            counters.message_ids_reused += 1;
        }
        if !multicast {
            self.answer(key, deduplication::Event::Repetition);
        }
    }

    /// An Empty Confirmable message asks for a Reset, and nothing is to be remembered: the next gets the same (§4.2, §4.3).
    fn pinged(&mut self, from: P, message: &Message<'_>, now: Instant) -> Arrival {
        self.heard_from(from, now);
        self.transmit.push_back((from, Datagram::empty(MessageType::Reset, message.message_id.get())));
        Arrival::Nothing
    }

    fn acknowledged(
        &mut self,
        from: P,
        message: &Message<'_>,
        counters: &mut Counters,
        now: Instant,
    ) -> Arrival {
        let Some((peer, key)) = self.own_message(from, message) else { return unmatched(counters) };
        let Some(own) = self.messages.table.get(key).filter(|own| own.state == State::AwaitAck) else {
            return unmatched(counters);
        };
        let piggybacked = own.is_request && message.code.is_response();
        let superseded = own.replacement.is_some();
        self.heard(peer, now);
        if piggybacked {
            return Arrival::Response {
                acknowledges: Some(OutgoingId(key)),
                incoming: None,
                confirmable: false,
            };
        }
        self.apply(key, if superseded { Event::Superseded } else { Event::Ack }, now);
        self.promote(peer, now);
        Arrival::Nothing
    }

    fn was_reset(
        &mut self,
        from: P,
        message: &Message<'_>,
        counters: &mut Counters,
        now: Instant,
    ) -> Arrival {
        let Some((peer, key)) = self.own_message(from, message) else { return unmatched(counters) };
        self.heard(peer, now);
        self.apply(key, Event::Rst, now);
        self.promote(peer, now);
        Arrival::Nothing
    }

    /// The own message that an acknowledgement or Reset belongs to, by source and message id (§4.4).
    fn own_message(&self, from: P, message: &Message<'_>) -> Option<(u32, Key)> {
        let peer = self.peers.find(from)?;
        Some((peer, self.messages.find(peer, message.message_id.get())?))
    }
}

const fn rejected(counters: &mut Counters) -> Arrival {
    counters.rejected += 1;
    Arrival::Nothing
}

const fn unmatched(counters: &mut Counters) -> Arrival {
    counters.unmatched += 1;
    Arrival::Nothing
}
