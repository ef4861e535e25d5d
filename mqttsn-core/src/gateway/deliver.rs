//! Messages to clients: queued, registered, sent, sent again, acknowledged (§6.10, §6.13).

use alloc::boxed::Box;
use core::fmt::Debug;

use machine::Instant;
use mqtt_codec::QoS;
use mqttsn_codec::{
    Delivery, MessageId, Packet, PubAck, Publish, RegAck, Register, ReturnCode, Topic, TopicId,
};

use super::Gateway;
use super::config::Config;
use super::outbound::{Event, Reaction, Slot, Step};
use super::peer::{Peer, PeerKey};
use super::queue::Queued;
use super::register::{Outgoing, outgoing};
use super::sender::Sender;
use super::state::{self, State};

impl<P: Clone + Ord + Debug> Gateway<P> {
    /// A message for a client: it is delivered, held, or dropped and counted.
    pub(super) fn deliver(&mut self, key: PeerKey, queued: Queued, now: Instant) {
        let Some(peer) = self.peers.get_mut(key.index as usize) else { return };
        let keeps_qos0 = match peer.state {
            State::Connecting | State::Active | State::Awake => true,
            State::Asleep => self.config.queue.qos0_asleep,
            State::Disconnected | State::Lost => false,
        };
        if queued.qos == QoS::AtMostOnce && !keeps_qos0 {
            self.out.counters.dropped_qos0 += 1;
            return;
        }
        // What never goes out takes no room from anybody, nor does what goes out at once.
        if !publish_fits(queued.message.payload(), &self.config) {
            self.out.counters.dropped_too_large += 1;
            return self.confirm(key, &queued, now);
        }
        let at_once = peer.state.is_listening() && peer.slot.is_none() && peer.queue.len() == 0;
        if !at_once && self.buffered + queued.size() > self.config.max_buffered {
            self.out.counters.dropped_memory += 1;
            return self.confirm(key, &queued, now);
        }
        let before = peer.queue.bytes();
        let dropped = peer.queue.push(queued, self.config.queue);
        self.buffered = self.buffered + peer.queue.bytes() - before;
        self.out.counters.dropped_queue_full += dropped.len() as u64;
        for victim in dropped {
            self.confirm(key, &victim, now);
        }
        self.pump(key, now);
        self.schedule(key.index);
    }

    /// The client has the message, or never will: the server may forget it.
    fn confirm(&mut self, key: PeerKey, queued: &Queued, now: Instant) {
        let Some(receipt) = queued.receipt else { return };
        let Some(index) = self.peers.get(key.index as usize).and_then(|peer| peer.link) else { return };
        if let Some(link) = self.links.get_mut(index as usize) {
            // One of an earlier connection is sent again by the server.
            let _ = link.client.acknowledge(receipt, now);
            self.dirty.push_back(index);
        }
    }

    /// Sends what can be sent: one message at a time waits for an answer.
    pub(super) fn pump(&mut self, key: PeerKey, now: Instant) {
        loop {
            let Some(peer) = self.peers.get_mut(key.index as usize) else { return };
            if peer.slot.is_some() || !peer.state.is_listening() {
                return;
            }
            let Some(queued) = peer.queue.pop() else { break };
            self.buffered -= queued.size();
            self.start(key, queued, now);
        }
        if self.peers.get(key.index as usize).is_some_and(|peer| peer.state == State::Awake) {
            self.fall_asleep(key, state::Event::Drained, now);
        }
    }

    /// The first step of a message: REGISTER, or PUBLISH.
    fn start(&mut self, key: PeerKey, queued: Queued, now: Instant) {
        let Some(peer) = self.peers.get_mut(key.index as usize) else { return };
        let (name, payload) = (queued.message.topic(), queued.message.payload());
        let outgoing = outgoing(peer, &self.config, name);
        let counters = &mut self.out.counters;
        let (step, topic) = match outgoing {
            _ if !fits(outgoing, name, payload, &self.config) => {
                counters.dropped_too_large += 1;
                return self.confirm(key, &queued, now);
            }
            Outgoing::Refused => {
                counters.dropped_refused += 1;
                return self.confirm(key, &queued, now);
            }
            Outgoing::NoId => {
                counters.dropped_no_topic_id += 1;
                return self.confirm(key, &queued, now);
            }
            Outgoing::Send(topic) if queued.qos == QoS::AtMostOnce => {
                counters.delivered += 1;
                let publish =
                    Publish { delivery: Delivery::AtMostOnce, retain: queued.retain, topic, data: payload };
                return self.out.send(&peer.address, &Packet::Publish(publish));
            }
            Outgoing::Send(topic) => (Step::after_publish(queued.qos), topic),
            Outgoing::Register(id) => (Step::AwaitRegAck, Topic::Id(id)),
        };
        let (id, register_id) = match step {
            Step::AwaitRegAck => {
                let register_id = peer.take_id();
                (peer.take_id(), register_id)
            }
            _ => (peer.take_id(), MessageId::MIN),
        };
        let slot =
            Slot { step, queued, topic, id, register_id, sent: false, unknown: 0, tries: 0, due: None };
        peer.slot = Some(Box::new(slot));
        self.send_slot(key, now);
    }

    /// Sends what the slot waits to be answered.
    fn send_slot(&mut self, key: PeerKey, now: Instant) {
        let Some(peer) = self.peers.get_mut(key.index as usize) else { return };
        send(peer, &self.config, &mut self.out, now);
        self.schedule(key.index);
    }

    /// A client is there (again): what was interrupted is sent again, what has waited follows.
    pub(super) fn resume(&mut self, key: PeerKey, now: Instant) {
        let Some(peer) = self.peers.get_mut(key.index as usize) else { return };
        if peer.slot.is_none() {
            return self.pump(key, now);
        }
        let known = peer.slot.as_ref().and_then(|slot| slot.topic_id()).map(|id| peer.topics.is_known(id));
        let register_id = peer.take_id();
        if let Some(slot) = &mut peer.slot {
            slot.tries = 0;
            if known == Some(false) && matches!(slot.step, Step::AwaitPubAck | Step::AwaitPubRec) {
                (slot.step, slot.register_id) = (Step::AwaitRegAck, register_id);
            }
        }
        self.send_slot(key, now);
    }

    /// The client asks again what it is waiting for: the message that is under way is sent at once.
    pub(super) fn nudge(&mut self, key: PeerKey, now: Instant) {
        if let Some(slot) = self.peers.get_mut(key.index as usize).and_then(|peer| peer.slot.as_mut()) {
            slot.tries = 0;
            self.send_slot(key, now);
        }
    }

    /// After a sign of life, what has waited for one is sent again.
    pub(super) fn unpark(&mut self, key: PeerKey, now: Instant) {
        let parked = self.peers.get(key.index as usize).is_some_and(|peer| {
            peer.state.is_listening() && peer.slot.as_ref().is_some_and(|slot| slot.due.is_none())
        });
        if parked {
            self.nudge(key, now);
        }
    }

    /// The time for an answer may be over.
    pub(super) fn retry(&mut self, key: PeerKey, now: Instant) {
        let Some(peer) = self.peers.get_mut(key.index as usize) else { return };
        if !peer.state.is_listening() {
            return;
        }
        let Some(slot) = peer.slot.as_mut().filter(|slot| slot.due.is_some_and(|due| due <= now)) else {
            return;
        };
        if slot.tries > self.config.retries.into() {
            slot.due = None;
            return self.fall_asleep(key, state::Event::GaveUp, now);
        }
        self.send_slot(key, now);
    }

    pub(super) fn on_regack(&mut self, key: PeerKey, regack: RegAck, now: Instant) {
        self.answered(key, regack.message_id, Event::of_regack(regack.return_code), now);
    }

    pub(super) fn on_puback(&mut self, key: PeerKey, puback: PubAck, now: Instant) {
        if puback.return_code == ReturnCode::INVALID_TOPIC_ID
            && let Some(id) = TopicId::new(puback.topic_id)
            && let Some(peer) = self.peers.get_mut(key.index as usize)
        {
            peer.topics.set_known(id, false);
        }
        if let Some(id) = puback.message_id {
            self.answered(key, id, Event::of_puback(puback.return_code), now);
        }
    }

    pub(super) fn on_pubrec(&mut self, key: PeerKey, id: MessageId, now: Instant) {
        let Some(peer) = self.peers.get(key.index as usize) else { return };
        if peer.slot.as_ref().is_some_and(|slot| slot.id == id) {
            return self.answered(key, id, Event::PubRec, now);
        }
        // The client has what is over and done with here.
        self.out.send(&peer.address, &Packet::PubRel(id));
    }

    pub(super) fn on_pubcomp(&mut self, key: PeerKey, id: MessageId, now: Instant) {
        self.answered(key, id, Event::PubComp, now);
    }

    fn answered(&mut self, key: PeerKey, id: MessageId, event: Event, now: Instant) {
        let Some(peer) = self.peers.get_mut(key.index as usize) else { return };
        let register_id = peer.take_id();
        let Some(slot) = peer.slot.as_mut().filter(|slot| slot.awaits(id)) else { return };
        match slot.step.apply(event) {
            Reaction::Ignore => {}
            Reaction::Publish => {
                if let Some(topic) = slot.topic_id() {
                    peer.topics.set_known(topic, true);
                }
                slot.step = Step::after_publish(slot.queued.qos);
                slot.tries = 0;
                self.send_slot(key, now);
                self.finish_qos0(key, now);
            }
            Reaction::RefuseTopic => {
                if let Some(topic) = slot.topic_id() {
                    peer.topics.refuse(topic);
                }
                self.drop_slot(key, now);
            }
            Reaction::Drop => self.drop_slot(key, now),
            Reaction::Done => self.empty_slot(key, now),
            Reaction::Register => {
                slot.unknown = slot.unknown.saturating_add(1);
                // A predefined id cannot be explained (§6.7); and some clients never understand.
                if slot.topic_id().is_none() || slot.unknown > 2 {
                    return self.drop_slot(key, now);
                }
                (slot.step, slot.register_id, slot.tries) = (Step::AwaitRegAck, register_id, 0);
                self.send_slot(key, now);
            }
            Reaction::Later => {
                (slot.due, slot.tries) = (Some(now + self.config.wait), 0);
                self.fall_asleep(key, state::Event::Drained, now);
            }
            Reaction::Release => {
                (slot.step, slot.tries) = (Step::AwaitPubComp, 0);
                let queued = slot.queued.clone();
                self.confirm(key, &queued, now);
                self.send_slot(key, now);
            }
            Reaction::ReleaseAgain => self.send_slot(key, now),
        }
    }

    /// A QoS 0 message waits for its topic id only.
    fn finish_qos0(&mut self, key: PeerKey, now: Instant) {
        let slot = self.peers.get(key.index as usize).and_then(|peer| peer.slot.as_ref());
        if slot.is_some_and(|slot| slot.queued.qos == QoS::AtMostOnce) {
            self.empty_slot(key, now);
        }
    }

    fn drop_slot(&mut self, key: PeerKey, now: Instant) {
        self.out.counters.dropped_refused += 1;
        self.empty_slot(key, now);
    }

    /// The message under way is at its end.
    fn empty_slot(&mut self, key: PeerKey, now: Instant) {
        let slot = self.peers.get_mut(key.index as usize).and_then(|peer| peer.slot.take());
        if let Some(slot) = slot {
            self.confirm(key, &slot.queued, now);
        }
        self.pump(key, now);
    }
}

/// Whether the messages that it takes are small enough for the network (§6.10).
fn fits(outgoing: Outgoing, name: &str, payload: &[u8], config: &Config) -> bool {
    let registers = matches!(outgoing, Outgoing::Register(_));
    publish_fits(payload, config) && (!registers || body_fits(4 + name.len(), config))
}

fn publish_fits(payload: &[u8], config: &Config) -> bool {
    body_fits(5 + payload.len(), config)
}

fn body_fits(body: usize, config: &Config) -> bool {
    let header = if body > 253 { 4 } else { 2 };
    body + header <= usize::from(config.max_message_size)
}

fn send<P: Clone>(peer: &mut Peer<P>, config: &Config, out: &mut Sender<P>, now: Instant) {
    let Some(slot) = &mut peer.slot else { return };
    let name = slot.queued.message.topic();
    let packet = match slot.step {
        Step::AwaitRegAck => {
            let register =
                Register { topic_id: slot.topic_id(), message_id: slot.register_id, topic_name: name };
            Packet::Register(register)
        }
        Step::AwaitPubAck | Step::AwaitPubRec => {
            let (message_id, dup) = (slot.id, slot.sent);
            slot.sent = true;
            out.counters.delivered += 1;
            let delivery = match slot.queued.qos {
                QoS::AtMostOnce => Delivery::AtMostOnce,
                QoS::AtLeastOnce => Delivery::AtLeastOnce { message_id, dup },
                QoS::ExactlyOnce => Delivery::ExactlyOnce { message_id, dup },
            };
            let data = slot.queued.message.payload();
            Packet::Publish(Publish { delivery, retain: slot.queued.retain, topic: slot.topic, data })
        }
        Step::AwaitPubComp => Packet::PubRel(slot.id),
    };
    out.send(&peer.address, &packet);
    out.counters.retransmitted += u64::from(slot.tries > 0);
    slot.tries = slot.tries.saturating_add(1);
    slot.due = Some(now + config.retry);
}
