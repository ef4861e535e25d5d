//! Acknowledgements of messages to clients: PUBACK, PUBREC, PUBCOMP (MQTT 5 §4.3).

use alloc::sync::Arc;

use machine::Instant;
use mqtt_codec::{Acknowledge, PacketIdentifier, ReasonCode};

use super::Broker;
use super::receive::Stop;
use super::subscriber::SessionKey;
use crate::error::Violation;
use crate::qos::outgoing::{Acknowledgement, Outcome};
use crate::records::Change;

impl Broker {
    pub(super) fn on_puback(
        &mut self,
        index: usize,
        ack: &Acknowledge<'_>,
        now: Instant,
    ) -> Result<(), Stop> {
        self.acknowledged(index, ack.packet_id, Acknowledgement::PubAck, now)
    }

    pub(super) fn on_pubrec(
        &mut self,
        index: usize,
        ack: &Acknowledge<'_>,
        now: Instant,
    ) -> Result<(), Stop> {
        let event =
            if ack.reason.is_error() { Acknowledgement::PubRecError } else { Acknowledgement::PubRec };
        self.acknowledged(index, ack.packet_id, event, now)
    }

    pub(super) fn on_pubcomp(
        &mut self,
        index: usize,
        ack: &Acknowledge<'_>,
        now: Instant,
    ) -> Result<(), Stop> {
        self.acknowledged(index, ack.packet_id, Acknowledgement::PubComp, now)
    }

    fn acknowledged(
        &mut self,
        index: usize,
        packet_id: PacketIdentifier,
        event: Acknowledgement,
        now: Instant,
    ) -> Result<(), Stop> {
        let Some(key) = self.connections[index].session else { return Ok(()) };
        match self.sessions[key].outgoing.acknowledge(packet_id, event) {
            Outcome::Done(delivery) => {
                self.budget.recycle(delivery.message.leave());
                self.finished(key, packet_id, now);
            }
            Outcome::Released(()) => self.finished(key, packet_id, now),
            Outcome::Release(delivery) => {
                self.budget.recycle(delivery.message.leave());
                self.note_outgoing(key, |client_id| Change::Released { client_id, packet_id });
                self.send_pubrel(index, packet_id, ReasonCode::SUCCESS);
            }
            Outcome::ReleaseAgain => self.send_pubrel(index, packet_id, ReasonCode::SUCCESS),
            // The client knows a message that the broker does not: its session was lost. It may finish.
            Outcome::Unknown if event == Acknowledgement::PubRec => {
                self.send_pubrel(index, packet_id, ReasonCode::PACKET_IDENTIFIER_NOT_FOUND);
            }
            Outcome::Unknown => {}
            Outcome::OutOfPlace => return Err(Violation::AcknowledgementOutOfPlace.into()),
        }
        Ok(())
    }

    /// A message is done: another one may have its place.
    #[inline]
    fn finished(&mut self, key: SessionKey, packet_id: PacketIdentifier, now: Instant) {
        self.note_outgoing(key, |client_id| Change::Done { client_id, packet_id });
        if self.sessions[key].has_backlog() {
            self.pump(key, now);
        }
    }

    fn note_outgoing(&mut self, key: SessionKey, change: impl FnOnce(Arc<str>) -> Change) {
        let session = &self.sessions[key];
        self.journal.note(session.is_durable(), || change(Arc::clone(&session.client_id)));
    }
}
