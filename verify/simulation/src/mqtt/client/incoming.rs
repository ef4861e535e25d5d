//! What the broker sends to a client.

use std::num::NonZeroU16;

use machine::Instant;
use mqtt_codec::{
    Acknowledge, ConnAck, Direction, FrameRules, MAX_PACKET_SIZE, Packet, PacketIdentifier, Properties,
    ProtocolVersion, Publish, QoS, ReasonCode, next_frame,
};

use super::super::ledger::{Arrival, Fate, Ledger};
use super::super::session::Request;
use super::super::wire;
use super::{Ack, Client, WINDOW};

impl Client {
    pub(super) fn take_in(&mut self, bytes: &[u8], now: Instant, ledger: &mut Ledger) {
        let mut input = std::mem::take(&mut self.input);
        input.extend_from_slice(bytes);
        let mut taken = 0;
        while self.link.is_some() {
            let rules = FrameRules {
                direction: Direction::ServerToClient,
                first: !self.connected,
                version: self.spec.version,
                max_packet_size: MAX_PACKET_SIZE,
            };
            let packet = match next_frame(&input[taken..], &rules) {
                Ok(Some(frame)) => {
                    taken += frame.len();
                    Packet::decode(frame, self.spec.version)
                }
                Ok(None) => break,
                Err(malformed) => Err(malformed),
            };
            match packet {
                Ok(packet) => self.handle(&packet, now, ledger),
                Err(malformed) => {
                    self.fault(now, ledger, &format!("was sent what is malformed: {malformed}"));
                    taken = input.len();
                    break;
                }
            }
        }
        input.drain(..taken);
        self.input = input;
    }

    fn handle(&mut self, packet: &Packet<'_>, now: Instant, ledger: &mut Ledger) {
        match packet {
            Packet::ConnAck(connack) => self.on_connack(connack, now, ledger),
            Packet::Publish(publish) => self.on_publish(publish, now, ledger),
            Packet::PubAck(ack) => self.on_taken(ack, QoS::AtLeastOnce, now, ledger),
            Packet::PubRec(ack) => self.on_taken(ack, QoS::ExactlyOnce, now, ledger),
            Packet::PubComp(ack) => {
                match self.session.find(ack.packet_id.get()).map(|message| message.released) {
                    Some(true) => self.session.remove(ack.packet_id.get()),
                    other => self.fault(now, ledger, &format!("got {ack:?} for {other:?}")),
                }
                self.pump(now, ledger);
            }
            Packet::PubRel(ack) => {
                self.session.incoming.remove(&ack.packet_id.get());
                self.acknowledge(Ack::PubComp(ack.packet_id), now);
            }
            Packet::SubAck(ack) => self.on_answer(ack.packet_id, ack.reasons.iter(), now, ledger),
            Packet::UnsubAck(ack) => {
                self.on_answer(ack.packet_id, [ReasonCode::SUCCESS].into_iter(), now, ledger);
            }
            Packet::PingResp => {}
            Packet::Disconnect(disconnect) if disconnect.reason == ReasonCode::SESSION_TAKEN_OVER => {}
            other => self.fault(now, ledger, &format!("got {other:?}")),
        }
    }

    fn on_connack(&mut self, connack: &ConnAck<'_>, now: Instant, ledger: &mut Ledger) {
        if connack.reason != ReasonCode::SUCCESS {
            return self.fault(now, ledger, &format!("was refused: {:?}", connack.reason));
        }
        self.connected = true;
        let asked_for_none = self.clean || self.spec.expiry == 0;
        // MQTT 3.1 does not say.
        let unsaid = self.spec.version == ProtocolVersion::V3_1 && self.established && !asked_for_none;
        self.resumed = connack.session_present || unsaid;
        if !self.resumed && self.established && self.lasts() {
            self.fault(now, ledger, "finds its session lost");
        }
        if self.resumed && self.must_be_new {
            self.fault(now, ledger, "was given a session that it did not ask for");
        }
        if !self.resumed {
            self.forget_session(now, ledger);
        }
        if let Some(will) = self.will {
            ledger.wills[will].accepted = Some(now);
        }
        if self.clean {
            self.disconnect(now, ledger);
            self.nothing_there = !self.unanswered;
            self.clean = false;
            self.wanted = std::mem::take(&mut self.again);
            return;
        }
        self.established = self.spec.expiry > 0;
        let allowed = connack.properties.receive_maximum().map_or(WINDOW, |maximum| maximum.get().into());
        self.window = allowed.min(WINDOW);
        self.ping_at = (self.spec.keep_alive > 0).then(|| now + self.ping_interval());
        self.resume(now, ledger);
    }

    fn on_publish(&mut self, publish: &Publish<'_>, now: Instant, ledger: &mut Ledger) {
        let mut topic = publish.topic.to_owned();
        if let Some(alias) = publish.properties.topic_alias().map(NonZeroU16::get) {
            if topic.is_empty() {
                topic = self.aliases.get(&alias).cloned().unwrap_or_default();
            } else {
                self.aliases.insert(alias, topic.clone());
            }
        }
        let delivery = publish.delivery;
        if delivery.dup() && !self.resumed {
            self.fault(now, ledger, "got a repetition in a new session");
        }
        let fresh = match delivery.packet_id().map(PacketIdentifier::get) {
            None => true,
            Some(id) => self.check_identifier(id, delivery.qos(), delivery.dup(), now, ledger),
        };
        if fresh {
            self.note_delivery(publish, &topic, now, ledger);
        }
        match (delivery.qos(), delivery.packet_id()) {
            (QoS::AtLeastOnce, Some(id)) => self.acknowledge(Ack::PubAck(id), now),
            (QoS::ExactlyOnce, Some(id)) => self.acknowledge(Ack::PubRec(id), now),
            _ => {}
        }
    }

    /// Whether a message of QoS 1 or 2 is to be passed on.
    fn check_identifier(&mut self, id: u16, qos: QoS, dup: bool, now: Instant, ledger: &mut Ledger) -> bool {
        let in_use = self.unacknowledged.contains(&id) || self.session.incoming.contains(&id);
        if in_use && !dup {
            self.fault(now, ledger, &format!("got a new message with identifier {id}, which is in use"));
        }
        self.unacknowledged.insert(id);
        let maximum = usize::from(self.spec.receive_maximum);
        if maximum > 0 && self.v5() && self.unacknowledged.len() > maximum {
            self.fault(now, ledger, "got more messages than its receive maximum");
        }
        qos == QoS::AtLeastOnce || self.session.incoming.insert(id)
    }

    fn note_delivery(&mut self, publish: &Publish<'_>, topic: &str, now: Instant, ledger: &mut Ledger) {
        let (qos, retain, payload) = (publish.delivery.qos(), publish.retain, publish.payload);
        ledger.deliver(&Arrival { client: self.index, topic, payload, qos, retain }, now);
    }

    /// PUBACK or PUBREC: the broker has the message.
    fn on_taken(&mut self, ack: &Acknowledge<'_>, qos: QoS, now: Instant, ledger: &mut Ledger) {
        let id = ack.packet_id;
        let Some(message) = self.session.find(id.get()) else {
            return self.fault(now, ledger, &format!("got {ack:?}, but sent no such message"));
        };
        let published = &mut ledger.published[message.number];
        if published.qos != qos {
            return self.fault(now, ledger, &format!("got {ack:?} for a message of another QoS"));
        }
        let refused = ack.reason.is_error();
        if published.fate == Fate::Open {
            published.fate = if refused { Fate::GivenUp } else { Fate::Acknowledged(now) };
        }
        if qos == QoS::ExactlyOnce && !refused {
            message.released = true;
            wire::put(&Packet::PubRel(wire::success(id)), self.spec.version, &mut self.output);
        } else {
            self.session.remove(id.get());
            self.pump(now, ledger);
        }
    }

    fn on_answer(
        &mut self,
        packet_id: PacketIdentifier,
        mut reasons: impl Iterator<Item = ReasonCode>,
        now: Instant,
        ledger: &mut Ledger,
    ) {
        match self.session.requests.remove(&packet_id.get()) {
            Some(Request::Subscribe(place)) => {
                let span = &mut ledger.spans[place];
                span.granted = Some(now);
                let refused = reasons.next() != Some(ReasonCode::new(span.qos as u8));
                if let Some(before) = span.replaces {
                    ledger.spans[before].gone.get_or_insert(now);
                }
                if refused {
                    self.fault(now, ledger, "was refused a subscription");
                }
            }
            Some(Request::Unsubscribe(place)) => {
                ledger.spans[place].gone.get_or_insert(now);
                self.leaving.retain(|leaving| *leaving != place);
            }
            None => self.fault(now, ledger, "got an answer to no request"),
        }
    }

    fn acknowledge(&mut self, ack: Ack, now: Instant) {
        let at = now + self.random.between(std::time::Duration::ZERO, self.spec.ack_delay);
        let last = self.acks.back().map_or(at, |(last, _)| *last);
        self.acks.push_back((at.max(last), ack));
        self.send_acknowledgements(now);
    }

    pub(super) fn send_acknowledgements(&mut self, now: Instant) {
        while let Some(&(_, ack)) = self.acks.front().filter(|(at, _)| *at <= now) {
            self.acks.pop_front();
            let packet = match ack {
                Ack::PubAck(id) => Packet::PubAck(wire::success(id)),
                Ack::PubRec(id) => Packet::PubRec(wire::success(id)),
                Ack::PubComp(id) => Packet::PubComp(Acknowledge {
                    properties: Properties::NONE,
                    reason: ReasonCode::SUCCESS,
                    packet_id: id,
                }),
            };
            if let Ack::PubAck(id) | Ack::PubComp(id) = ack {
                self.unacknowledged.remove(&id.get());
            }
            wire::put(&packet, self.spec.version, &mut self.output);
        }
    }

    fn fault(&self, now: Instant, ledger: &mut Ledger, what: &str) {
        ledger.fault(now, format!("{} {what}", self.spec.id));
    }
}
