//! Acknowledgements to the server: at once, or in order when the application says so (MQTT 5 §4.3, §4.6).

use machine::Instant;
use mqtt_codec::{Acknowledge, Packet, PacketIdentifier, Properties, QoS, ReasonCode};

use super::phase::Phase;
use super::records::Change;
use super::{Client, DeliveryId};
use crate::error::{Refused, Violation};

/// A message that the application has and has not acknowledged, or that others before it hold up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unacknowledged {
    delivery: DeliveryId,
    packet_id: PacketIdentifier,
    qos: QoS,
    done: bool,
}

impl Client {
    /// Acknowledges a message. The server is told in the order in which the messages came [MQTT-4.6.0-2].
    ///
    /// # Errors
    /// [`Refused::NoConnection`] when the connection that a QoS 1 message came on is gone: the server sends it again.
    pub fn acknowledge(&mut self, delivery: DeliveryId, now: Instant) -> Result<(), Refused> {
        let waiting = self.unacknowledged.iter_mut().find(|waiting| waiting.delivery == delivery);
        waiting.ok_or(Refused::NoConnection)?.done = true;
        self.send_acknowledged(now);
        self.commit();
        Ok(())
    }

    /// Tells the server of all messages that none before them holds up any more.
    fn send_acknowledged(&mut self, now: Instant) {
        while let Some(first) = self.unacknowledged.front().copied().filter(|first| first.done) {
            self.unacknowledged.pop_front();
            self.send_acknowledgement(first.packet_id, first.qos, now);
        }
    }

    pub(super) fn await_acknowledgement(&mut self, packet_id: PacketIdentifier, qos: QoS) -> DeliveryId {
        self.next_delivery += 1;
        let delivery = DeliveryId(self.next_delivery);
        self.unacknowledged.push_back(Unacknowledged { delivery, packet_id, qos, done: false });
        delivery
    }

    /// PUBACK or PUBREC.
    pub(super) fn send_acknowledgement(&mut self, packet_id: PacketIdentifier, qos: QoS, now: Instant) {
        self.journal.note(qos == QoS::ExactlyOnce, || Change::Received { packet_id });
        if self.phase != Phase::Connected {
            // The server sends a QoS 2 message again, and gets its PUBREC then.
            return;
        }
        let ack = Acknowledge::success(packet_id);
        match qos {
            QoS::AtMostOnce => {}
            QoS::AtLeastOnce => _ = self.write(&Packet::PubAck(ack), now),
            QoS::ExactlyOnce => {
                self.gate();
                self.write(&Packet::PubRec(ack), now);
            }
        }
    }

    /// A QoS 2 message came again: it is not handed out again, and acknowledged unless the application has yet to do so.
    pub(super) fn on_repeated(&mut self, packet_id: PacketIdentifier, now: Instant) {
        if !self.awaits_pubrec(packet_id) {
            self.send_acknowledgement(packet_id, QoS::ExactlyOnce, now);
        }
    }

    fn awaits_pubrec(&self, packet_id: PacketIdentifier) -> bool {
        let waits =
            |waiting: &Unacknowledged| waiting.packet_id == packet_id && waiting.qos == QoS::ExactlyOnce;
        self.unacknowledged.iter().any(waits)
    }

    /// PUBREL: the server will not send the message again.
    pub(super) fn on_pubrel(&mut self, pubrel: &Acknowledge<'_>, now: Instant) -> Result<(), Violation> {
        let packet_id = pubrel.packet_id;
        if self.awaits_pubrec(packet_id) {
            return Err(Violation::AcknowledgementOutOfPlace);
        }
        let known = self.incoming.release(packet_id);
        self.journal.note(known, || Change::Completed { packet_id });
        let reason = if known { ReasonCode::SUCCESS } else { ReasonCode::PACKET_IDENTIFIER_NOT_FOUND };
        self.gate();
        self.write(&Packet::PubComp(Acknowledge { packet_id, reason, properties: Properties::NONE }), now);
        Ok(())
    }

    /// The connection is gone: QoS 1 messages come again under other identifiers.
    pub(super) fn forget_unacknowledged(&mut self, now: Instant) {
        self.unacknowledged.retain(|waiting| waiting.qos == QoS::ExactlyOnce);
        self.send_acknowledged(now);
    }
}
