//! What comes from the server: packets out of the stream, and messages (MQTT 5 §3.3, §4.3).

use machine::Instant;
use mqtt_codec::{
    Direction, Frame, FrameRules, Malformed, Packet, PacketType, ProtocolVersion, Publish, QoS, ReasonCode,
    frame_len_hint, next_frame,
};

use super::phase::{Event, Phase};
use super::publish::HIGH_WATER;
use super::{Action, Client, DisconnectReason, Message};
use crate::error::Violation;
use crate::qos::incoming::Arrival;
use crate::qos::outgoing::Acknowledgement;

impl Client {
    pub(super) fn receive(&mut self, bytes: &[u8], now: Instant) {
        let mut rest = bytes;
        while !rest.is_empty() && matches!(self.phase, Phase::AwaitConnAck | Phase::Connected) {
            if !self.partial.is_empty() {
                rest = self.complete_partial(rest, now);
                continue;
            }
            match next_frame(rest, &self.rules()) {
                Ok(Some(frame)) => {
                    rest = &rest[frame.len()..];
                    self.handle_frame(frame, now);
                }
                Ok(None) => {
                    self.partial.extend_from_slice(rest);
                    return;
                }
                Err(malformed) => return self.refuse_malformed(malformed, now),
            }
        }
    }

    /// Adds to a packet that has come in part, and handles it when it is whole; returns what is left of the bytes.
    fn complete_partial<'a>(&mut self, bytes: &'a [u8], now: Instant) -> &'a [u8] {
        // While not even the length is known, one byte at a time: at most four.
        let missing =
            frame_len_hint(&self.partial).map_or(1, |len| len.saturating_sub(self.partial.len()).max(1));
        let (more, rest) = bytes.split_at(missing.min(bytes.len()));
        self.partial.extend_from_slice(more);
        let mut partial = core::mem::take(&mut self.partial);
        match next_frame(&partial, &self.rules()) {
            Ok(Some(frame)) => {
                self.handle_frame(frame, now);
                partial.clear();
            }
            Ok(None) => {}
            Err(malformed) => {
                self.refuse_malformed(malformed, now);
                partial.clear();
            }
        }
        self.partial = partial;
        rest
    }

    fn rules(&self) -> FrameRules {
        FrameRules {
            direction: Direction::ServerToClient,
            first: self.phase == Phase::AwaitConnAck,
            version: self.config.version,
            max_packet_size: self.config.max_packet_size,
        }
    }

    fn handle_frame(&mut self, frame: Frame<'_>, now: Instant) {
        // By reference: a packet is large to move.
        match &decode(frame, self.config.version) {
            Ok(packet) => {
                if let Err(violation) = self.handle_packet(packet, now) {
                    let why = DisconnectReason::Violation(violation);
                    self.end_with_error(violation.reason_code(), &violation, why, now);
                }
                self.commit();
            }
            Err(_) if is_older_server(&frame) => {
                self.end(DisconnectReason::Refused(ReasonCode::UNSUPPORTED_PROTOCOL_VERSION));
            }
            Err(malformed) => self.refuse_malformed(*malformed, now),
        }
        if self.outbox.own_len() > HIGH_WATER + self.config.max_memory {
            self.end(DisconnectReason::Stalled);
        }
    }

    fn refuse_malformed(&mut self, malformed: Malformed, now: Instant) {
        let why = DisconnectReason::Malformed(malformed);
        self.end_with_error(malformed.reason_code(), &malformed, why, now);
    }

    fn handle_packet(&mut self, packet: &Packet<'_>, now: Instant) -> Result<(), Violation> {
        let enhanced = self.is_enhanced();
        self.phase.admit(Event::of(packet), enhanced, self.reauthenticating)?;
        match packet {
            Packet::ConnAck(connack) => self.on_connack(connack, now),
            Packet::Publish(publish) => self.on_publish(publish, now),
            Packet::PubAck(ack) => self.on_acknowledgement(ack, Acknowledgement::PubAck, now),
            Packet::PubRec(ack) if ack.reason.is_error() => {
                self.on_acknowledgement(ack, Acknowledgement::PubRecError, now)
            }
            Packet::PubRec(ack) => self.on_acknowledgement(ack, Acknowledgement::PubRec, now),
            Packet::PubComp(ack) => self.on_acknowledgement(ack, Acknowledgement::PubComp, now),
            Packet::PubRel(ack) => self.on_pubrel(ack, now),
            Packet::SubAck(suback) => self.on_suback(suback, now),
            Packet::UnsubAck(unsuback) => self.on_unsuback(unsuback, now),
            Packet::PingResp => {
                self.timers.cancel(super::timers::Timer::PingTimeout);
                Ok(())
            }
            Packet::Disconnect(disconnect) => {
                self.on_disconnect(disconnect);
                Ok(())
            }
            Packet::Auth(auth) => self.on_auth(auth, now),
            // A client's packets were not admitted.
            Packet::Connect(_) | Packet::Subscribe(_) | Packet::Unsubscribe(_) | Packet::PingReq => Ok(()),
        }
    }

    fn on_publish(&mut self, publish: &Publish<'_>, now: Instant) -> Result<(), Violation> {
        let Some(alias) = publish.properties.topic_alias() else {
            return self.take_message(publish, publish.topic, now);
        };
        let mut aliases = core::mem::take(&mut self.incoming_aliases);
        let result = match aliases.resolve(publish.topic, alias, self.config.topic_alias_maximum) {
            Ok(topic) => self.take_message(publish, topic, now),
            Err(_) => Err(Violation::TopicAliasInvalid),
        };
        self.incoming_aliases = aliases;
        result
    }

    fn take_message(&mut self, publish: &Publish<'_>, topic: &str, now: Instant) -> Result<(), Violation> {
        let qos = publish.delivery.qos();
        let limit = match self.config.version {
            ProtocolVersion::V5 => self.config.receive_maximum,
            ProtocolVersion::V3_1 | ProtocolVersion::V3_1_1 => u16::MAX,
        };
        if let (QoS::ExactlyOnce, Some(id)) = (qos, publish.delivery.packet_id()) {
            match self.incoming.arrival(id, limit) {
                Arrival::New => self.incoming.remember(id),
                Arrival::Repeated => {
                    self.on_repeated(id, now);
                    return Ok(());
                }
                Arrival::TooMany => return Err(Violation::ReceiveMaximumExceeded),
            }
        }
        if qos > QoS::AtMostOnce && self.unacknowledged.len() >= usize::from(limit) {
            return Err(Violation::ReceiveMaximumExceeded);
        }
        let delivery = publish.delivery.packet_id().filter(|_| self.config.manual_acknowledgement);
        let delivery = delivery.map(|id| self.await_acknowledgement(id, qos));
        self.actions.push_back(Action::Message(copy(publish, topic, delivery)));
        if let (None, Some(id)) = (delivery, publish.delivery.packet_id()) {
            self.send_acknowledgement(id, qos, now);
        }
        Ok(())
    }
}

/// Nothing that only a client sends is let in as a frame; said again, so that a firmware does without its decoders.
#[inline]
fn decode(frame: Frame<'_>, version: ProtocolVersion) -> Result<Packet<'_>, Malformed> {
    let packet_type = frame.packet_type();
    match packet_type {
        PacketType::Connect | PacketType::Subscribe | PacketType::Unsubscribe | PacketType::PingReq => {
            Err(Malformed::WrongDirection(packet_type))
        }
        _ => Packet::decode(frame, version),
    }
}

/// A server that does not know MQTT 5 refuses it in the form of its own version, with return code 1 (3.1.1 §3.1.2.2).
fn is_older_server(frame: &Frame<'_>) -> bool {
    frame.packet_type() == PacketType::ConnAck && frame.body() == [0, 1]
}

/// A message for the application: one allocation.
fn copy(publish: &Publish<'_>, topic: &str, delivery: Option<super::DeliveryId>) -> Message {
    let properties = publish.properties.encoded();
    Message {
        data: [topic.as_bytes(), properties, publish.payload].concat().into_boxed_slice(),
        topic_len: topic.len(),
        payload_start: topic.len() + properties.len(),
        qos: publish.delivery.qos(),
        retain: publish.retain,
        dup: publish.delivery.dup(),
        packet_id: publish.delivery.packet_id(),
        delivery,
    }
}
