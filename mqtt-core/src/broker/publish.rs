//! Messages from clients: PUBLISH and PUBREL in, PUBACK, PUBREC and PUBCOMP out (MQTT 5 §3.3, §4.3).

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::num::NonZeroU16;

use machine::Instant;
use mqtt_codec::{
    Acknowledge, Delivery, Packet, PacketIdentifier, Properties, Property, ProtocolVersion, Publish, QoS,
    ReasonCode,
};
use topic_match::TopicName;

use super::Broker;
use super::connection::Waiting;
use super::receive::Stop;
use crate::action::Question;
use crate::budget::OutOfMemory;
use crate::error::Violation;
use crate::message::{Draft, Message, expires_at, is_forwarded};
use crate::qos::incoming::Arrival;
use crate::records::Change;
use crate::topic_alias::IncomingAliases;

impl Broker {
    pub(super) fn on_publish(
        &mut self,
        index: usize,
        publish: &Publish<'_>,
        now: Instant,
    ) -> Result<(), Stop> {
        self.counters.publish_received += 1;
        self.counters.publish_bytes_received += publish.payload.len() as u64;
        if publish.delivery.qos() > self.config.max_qos {
            return Err(Violation::QoSNotSupported.into());
        }
        if publish.retain && !self.config.retain_available {
            return Err(Violation::RetainNotSupported.into());
        }
        let seen = Seen::of(&publish.properties);
        match seen.alias {
            None => self.take_message(index, publish, publish.topic, &seen, now),
            Some(alias) => self.take_message_of_alias(index, publish, alias, &seen, now),
        }
    }

    fn take_message_of_alias(
        &mut self,
        index: usize,
        publish: &Publish<'_>,
        alias: NonZeroU16,
        seen: &Seen,
        now: Instant,
    ) -> Result<(), Stop> {
        // Out of the connection for a moment, so that a topic can be borrowed from it.
        let mut aliases = core::mem::take(&mut self.connections[index].incoming_aliases);
        let before = aliases.bytes();
        let result = match aliases.resolve(publish.topic, alias, self.config.topic_alias_maximum) {
            Ok(topic) => self.take_message(index, publish, topic, seen, now),
            Err(_) => Err(Violation::TopicAliasInvalid.into()),
        };
        let after = aliases.bytes();
        self.connections[index].incoming_aliases = aliases;
        self.budget.give_back(before.saturating_sub(after));
        if after > before && self.budget.take(after - before).is_err() {
            self.budget.give_back(before);
            self.connections[index].incoming_aliases = IncomingAliases::default();
            self.out_of_memory(index, now);
            return Err(Stop::Ended);
        }
        result
    }

    fn take_message(
        &mut self,
        index: usize,
        publish: &Publish<'_>,
        topic: &str,
        seen: &Seen,
        now: Instant,
    ) -> Result<(), Stop> {
        if !self.is_first_arrival(index, publish.delivery)? {
            return Ok(());
        }
        if TopicName::assume_valid(topic).check(&self.filter_limits).is_err() {
            return Err(Violation::TopicNameInvalid.into());
        }
        if is_reserved(topic) {
            let reason = ReasonCode::NOT_AUTHORIZED;
            self.deny(index, publish.delivery.qos(), publish.delivery.packet_id(), reason);
            return Ok(());
        }
        let mut rewritten = core::mem::take(&mut self.property_buffer);
        let draft = Draft {
            topic,
            properties: seen.forwarded(&publish.properties, &mut rewritten),
            payload: publish.payload,
            qos: publish.delivery.qos(),
            retain: publish.retain,
            expires: expires_at(seen.expiry, now),
        };
        let result = self.accept(index, &draft, publish.delivery.packet_id(), now);
        self.property_buffer = rewritten;
        result
    }

    /// Whether a PUBLISH is no repetition of a QoS 2 message that has been passed on.
    fn is_first_arrival(&mut self, index: usize, delivery: Delivery) -> Result<bool, Stop> {
        let connection = &self.connections[index];
        let (Delivery::ExactlyOnce { packet_id, .. }, Some(key)) = (delivery, connection.session) else {
            return Ok(true);
        };
        let limit = match connection.version {
            ProtocolVersion::V5 => self.config.receive_maximum,
            ProtocolVersion::V3_1 | ProtocolVersion::V3_1_1 => self.config.v3_receive_maximum,
        };
        match self.sessions[key].incoming.arrival(packet_id, limit) {
            Arrival::New => Ok(true),
            Arrival::TooMany => Err(Violation::ReceiveMaximumExceeded.into()),
            Arrival::Repeated => {
                self.acknowledge(index, QoS::ExactlyOnce, Some(packet_id), ReasonCode::SUCCESS);
                Ok(false)
            }
        }
    }

    /// Passes a message on, or asks first.
    #[inline]
    fn accept(
        &mut self,
        index: usize,
        draft: &Draft<'_>,
        packet_id: Option<PacketIdentifier>,
        now: Instant,
    ) -> Result<(), Stop> {
        if self.connections[index].checks.publish {
            self.ask_publish(index, draft, packet_id, now)
        } else {
            self.pass_on(index, draft, None, packet_id, now)
        }
    }

    fn ask_publish(
        &mut self,
        index: usize,
        draft: &Draft<'_>,
        packet_id: Option<PacketIdentifier>,
        now: Instant,
    ) -> Result<(), Stop> {
        let Ok(message) = self.budget.store(draft) else {
            return self.no_memory(index, draft.qos, packet_id, now);
        };
        let about = Question::Publish { topic: draft.topic.into(), qos: draft.qos, retain: draft.retain };
        self.ask(index, Waiting::Publish { message, packet_id }, about);
        Ok(())
    }

    /// The host has decided about a message.
    pub(super) fn publish_decided(
        &mut self,
        index: usize,
        message: &Arc<Message>,
        packet_id: Option<PacketIdentifier>,
        verdict: Result<(), ReasonCode>,
        now: Instant,
    ) -> Result<(), Stop> {
        match verdict {
            Ok(()) => self.pass_on(index, &message.draft(), Some(Arc::clone(message)), packet_id, now),
            Err(reason) => {
                self.deny(index, message.qos(), packet_id, reason);
                Ok(())
            }
        }
    }

    #[inline]
    fn pass_on(
        &mut self,
        index: usize,
        draft: &Draft<'_>,
        stored: Option<Arc<Message>>,
        packet_id: Option<PacketIdentifier>,
        now: Instant,
    ) -> Result<(), Stop> {
        let from = self.connections[index].session;
        match self.route(draft, stored, from, now) {
            Ok(matched) => {
                if let (QoS::ExactlyOnce, Some(packet_id), Some(key)) = (draft.qos, packet_id, from) {
                    let session = &mut self.sessions[key];
                    session.incoming.remember(packet_id);
                    self.journal.note(session.is_durable(), || Change::Received {
                        client_id: Arc::clone(&session.client_id),
                        packet_id,
                    });
                }
                let reason = if matched { ReasonCode::SUCCESS } else { ReasonCode::NO_MATCHING_SUBSCRIBERS };
                self.acknowledge(index, draft.qos, packet_id, reason);
                Ok(())
            }
            Err(OutOfMemory) => self.no_memory(index, draft.qos, packet_id, now),
        }
    }

    /// A message that cannot be kept must not be acknowledged as if it were: MQTT 5 has a reason code for that, the older
    /// versions leave nothing but to end the connection.
    fn no_memory(
        &mut self,
        index: usize,
        qos: QoS,
        packet_id: Option<PacketIdentifier>,
        now: Instant,
    ) -> Result<(), Stop> {
        if qos > QoS::AtMostOnce && self.connections[index].version < ProtocolVersion::V5 {
            self.out_of_memory(index, now);
            return Err(Stop::Ended);
        }
        self.counters.dropped_memory += 1;
        self.acknowledge(index, qos, packet_id, ReasonCode::QUOTA_EXCEEDED);
        Ok(())
    }

    /// The client may not publish this. MQTT 5 has a reason code for that, and PUBREC with an error frees the packet
    /// identifier at once; older clients are answered as if all were well [3.1.1 MQTT-3.3.5-2].
    fn deny(&mut self, index: usize, qos: QoS, packet_id: Option<PacketIdentifier>, reason: ReasonCode) {
        self.counters.dropped_publish_denied += 1;
        let connection = &self.connections[index];
        if connection.version < ProtocolVersion::V5
            && let (QoS::ExactlyOnce, Some(packet_id), Some(key)) = (qos, packet_id, connection.session)
        {
            self.sessions[key].incoming.remember(packet_id);
        }
        self.acknowledge(index, qos, packet_id, reason);
    }

    /// PUBACK or PUBREC.
    #[inline]
    fn acknowledge(
        &mut self,
        index: usize,
        qos: QoS,
        packet_id: Option<PacketIdentifier>,
        reason: ReasonCode,
    ) {
        let Some(packet_id) = packet_id else { return };
        let ack = Acknowledge { packet_id, reason, properties: Properties::NONE };
        self.gate(index);
        match qos {
            QoS::AtMostOnce => {}
            QoS::AtLeastOnce => self.write(index, &Packet::PubAck(ack)),
            QoS::ExactlyOnce => self.write(index, &Packet::PubRec(ack)),
        }
    }

    /// PUBREL: the client will not send the message again.
    pub(super) fn on_pubrel(&mut self, index: usize, pubrel: &Acknowledge<'_>) {
        let packet_id = pubrel.packet_id;
        let known = self.connections[index].session.is_some_and(|key| {
            let session = &mut self.sessions[key];
            let known = session.incoming.release(packet_id);
            self.journal.note(known && session.is_durable(), || Change::Completed {
                client_id: Arc::clone(&session.client_id),
                packet_id,
            });
            known
        });
        let reason = if known { ReasonCode::SUCCESS } else { ReasonCode::PACKET_IDENTIFIER_NOT_FOUND };
        self.gate(index);
        self.write(index, &Packet::PubComp(Acknowledge { packet_id, reason, properties: Properties::NONE }));
    }
}

/// Whether only the broker publishes to this topic (MQTT 5 §4.7.2).
pub(super) fn is_reserved(topic: &str) -> bool {
    topic.strip_prefix("$SYS").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What one look at the properties of a PUBLISH shows.
struct Seen {
    alias: Option<NonZeroU16>,
    expiry: Option<u32>,
    /// How many go on to subscribers as they are, and how many do not.
    forwarded: usize,
    others: usize,
}

impl Seen {
    #[inline]
    fn of(properties: &Properties<'_>) -> Self {
        let mut seen = Self { alias: None, expiry: None, forwarded: 0, others: 0 };
        for property in properties {
            match property {
                Property::TopicAlias(alias) => seen.alias = Some(alias),
                Property::MessageExpiryInterval(seconds) => seen.expiry = Some(seconds),
                _ => {}
            }
            if is_forwarded(&property) {
                seen.forwarded += 1;
            } else {
                seen.others += 1;
            }
        }
        seen
    }

    /// The properties that go on, encoded: as they came, or rewritten without the others.
    #[inline]
    fn forwarded<'a>(&self, properties: &Properties<'a>, rewritten: &'a mut Vec<u8>) -> &'a [u8] {
        if self.forwarded == 0 {
            return &[];
        }
        if self.others == 0 {
            return properties.encoded();
        }
        rewritten.clear();
        for property in properties.iter().filter(is_forwarded) {
            // It was decoded, so it can be encoded.
            _ = property.encode(rewritten);
        }
        rewritten
    }
}
