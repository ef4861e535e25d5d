//! What time brings.

use coap_codec::MessageType;
use machine::Instant;

use super::datagram::{self, Datagram};
use super::exchange::{Effect, Event, State};
use super::retransmission::Step;
use super::table::Key;
use super::{MessageLayer, Peer};
use crate::Counters;
use crate::timers::earlier;

impl<P: Peer> MessageLayer<P> {
    /// When [`tick`](Self::tick) has something to do next.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let rejectable = self.messages.oldest_rejectable().map(|(_, sent)| sent + self.timing.non_lifetime);
        let timers = earlier(self.messages.timers.next(), self.wake.next());
        let lifetimes = earlier(self.remembered.next_deadline(), self.peers.next_deadline());
        earlier(earlier(timers, rejectable), lifetimes)
    }

    /// Repeats what is due, gives up what went unanswered, sends what has waited long enough, forgets what is over.
    pub(crate) fn tick(&mut self, counters: &mut Counters, now: Instant) {
        loop {
            if let Some(slot) = self.messages.timers.expire(now) {
                self.timer_expired(slot, counters, now);
            } else if let Some(peer) = self.wake.expire(now) {
                self.promote(peer, now);
            } else {
                break;
            }
        }
        self.bound_rejectable(now);
        while let Some((key, sent)) = self.messages.oldest_rejectable() {
            if sent + self.timing.non_lifetime > now {
                break;
            }
            self.apply(key, Event::TimeOut, now);
        }
        self.remembered.expire(&mut self.peers, now);
        self.peers.expire(now);
        self.count(counters);
    }

    fn timer_expired(&mut self, slot: u32, counters: &mut Counters, now: Instant) {
        let Some(key) = self.messages.table.key_at(slot) else { return };
        let Some(message) = self.messages.table.get_mut(key) else { return };
        let peer = message.peer;
        let event = match message.state {
            State::Delayed => Event::Due,
            State::AwaitAck => match message.retransmission.step(&self.timing, now) {
                Step::Repeat => Event::TimeOut,
                Step::GiveUp => Event::Exhausted,
                Step::Wait => {
                    let due = message.retransmission.due(&self.timing);
                    self.messages.timers.set(slot, due);
                    return;
                }
            },
            State::AwaitResponse => Event::TimeOut,
            State::Waiting | State::Rejectable | State::Ended => return,
        };
        match self.apply(key, event, now) {
            Effect::Repeat => self.repeat(key, counters, now),
            _ => self.promote(peer, now),
        }
    }

    fn repeat(&mut self, key: Key, counters: &mut Counters, now: Instant) {
        self.put_replacement_in_place(key, now);
        let Some(message) = self.messages.table.get(key) else { return };
        let datagram = Datagram::copy(&message.datagram);
        self.messages.timers.set(key.slot(), message.retransmission.due(&self.timing));
        self.peers.touch(message.peer, now);
        self.transmit.push_back((self.peers.at(message.peer).address, datagram));
        counters.retransmitted += 1;
    }

    /// A newer datagram, if there is one, with a message id of its own (RFC 7641 §4.5.2); the old one for as long as no id
    /// is free.
    fn put_replacement_in_place(&mut self, key: Key, now: Instant) {
        let Some(message) = self.messages.table.get(key).filter(|message| message.replacement.is_some())
        else {
            return;
        };
        let Some(message_id) = self.fresh_message_id(message.peer, now) else { return };
        self.messages.identify(key, message_id);
        let Some(message) = self.messages.table.get_mut(key) else { return };
        if let Some(mut newer) = message.replacement.take() {
            datagram::address(&mut newer, MessageType::Confirmable, message_id);
            let older = core::mem::replace(&mut message.datagram, newer);
            self.recycle(older);
        }
    }
}
