//! Messages to the gateway (§6.6, §6.8). One of QoS 1 or 2 at a time; those of QoS 0 overtake.

use bytes::Bytes;
use machine::Instant;
use mqttsn_codec::{
    Delivery, MessageId, MinusOneTopic, Packet, PubAck, Publish, PublishMinusOne, QoS, ReturnCode, Topic,
    TopicId,
};
use topic_match::TopicName;

use super::flow::{Answer, Flow, Step};
use super::transaction::{Slot, encode};
use super::{Action, Client, Handle, Hold, Outcome, Phase, Publication, PublishTopic, Refused, Subject};

/// A message that waits to be sent, or is under way.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    handle: Handle,
    topic: Subject,
    qos: QoS,
    retain: bool,
    data: Bytes,
    postponed: u32,
}

/// The QoS 1 or 2 message that is under way.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    pending: Pending,
    pub(super) message_id: MessageId,
    flow: Flow,
    /// It may have reached the gateway.
    sent: bool,
    /// It is being sent until it is answered.
    pub(super) open: bool,
}

impl<P: Clone + Ord> Client<P> {
    /// Publishes a message, now or when there is a connection. Its handle completes when the message has reached the end
    /// of its QoS.
    ///
    /// # Errors
    /// [`Refused::InvalidTopic`]; [`Refused::TooLong`]; [`Refused::Full`] when as much waits as the configuration allows.
    pub fn publish(&mut self, publication: &Publication<'_>, now: Instant) -> Result<Handle, Refused> {
        let Publication { topic, qos, retain, data } = *publication;
        let (topic, field) = match topic {
            PublishTopic::Name(name) => {
                self.check_name(name)?;
                (Subject::Name(name.into()), Topic::Id(TopicId::MIN))
            }
            PublishTopic::Predefined(id) => (Subject::Predefined(id), Topic::Predefined(id)),
            PublishTopic::Short(name) => {
                check_short(name.as_str())?;
                (Subject::Short(name), Topic::Short(name))
            }
        };
        self.check_size(&publish(Delivery::AtMostOnce, retain, field, data))?;
        if qos == QoS::AtMostOnce && self.phase != Phase::Active && !self.config.queue_qos0 {
            let handle = self.take_handle();
            self.complete(handle, Outcome::NotConnected);
            return Ok(handle);
        }
        if self.queue.len() >= self.config.max_queued
            || self.queued_octets + data.len() > self.config.max_queued_octets
        {
            return Err(Refused::Full);
        }
        let handle = self.take_handle();
        self.queued_octets += data.len();
        let data = Bytes::copy_from_slice(data);
        self.queue.push(Pending { handle, topic, qos, retain, data, postponed: 0 });
        self.pump(now);
        Ok(handle)
    }

    /// Sends a message of QoS -1 to a gateway whose address is known, connected or not, and forgets it (§6.8).
    /// [`MinusOneTopic::Name`] is an extension that few gateways understand.
    ///
    /// # Errors
    /// [`Refused::InvalidTopic`]; [`Refused::TooLong`].
    pub fn publish_minus_one(
        &mut self,
        to: P,
        topic: MinusOneTopic<'_>,
        retain: bool,
        data: &[u8],
    ) -> Result<(), Refused> {
        match topic {
            MinusOneTopic::Predefined(_) => {}
            MinusOneTopic::Short(name) => check_short(name.as_str())?,
            MinusOneTopic::Name(name) => check_short(Some(name))?,
        }
        let packet = Packet::PublishMinusOne(PublishMinusOne { retain, topic, data });
        self.check_size(&packet)?;
        self.actions.push_back(Action::Send { to, datagram: encode(&packet) });
        Ok(())
    }

    /// Messages that have not reached their end: waiting, or sent and not acknowledged.
    pub fn unfinished(&self) -> usize {
        self.queue.len() + usize::from(self.flight.is_some())
    }

    pub(super) fn pump_messages(&mut self, now: Instant) {
        while !self.is_held(Hold::Publish) {
            if self.flight.as_ref().is_some_and(|flight| !flight.open) {
                self.send_flight(now);
            }
            // While one message is under way, only those of QoS 0 may go.
            let place = match self.flight {
                None => 0,
                Some(_) => match self.queue.iter().position(|pending| pending.qos == QoS::AtMostOnce) {
                    Some(place) => place,
                    None => return,
                },
            };
            let Some(pending) = self.queue.get(place) else { return };
            let topic = pending.topic.clone();
            let Some(topic) = self.resolve(&topic) else { return };
            let pending = self.queue.remove(place);
            self.queued_octets -= pending.data.len();
            match Flow::of(pending.qos) {
                None => {
                    self.send(&publish(Delivery::AtMostOnce, pending.retain, topic, &pending.data), now);
                    self.complete(pending.handle, Outcome::Published);
                }
                Some(flow) => {
                    let message_id = self.take_message_id();
                    self.flight = Some(Flight { pending, message_id, flow, sent: false, open: false });
                }
            }
        }
    }

    /// What stands for the topic in a PUBLISH; a name without an id is going to be registered.
    fn resolve(&mut self, topic: &Subject) -> Option<Topic> {
        match topic {
            Subject::Predefined(id) => Some(Topic::Predefined(*id)),
            Subject::Short(name) => Some(Topic::Short(*name)),
            Subject::Name(name) => {
                let id = self.topics.id(name).map(Topic::Id);
                if id.is_none() {
                    self.want_id(name);
                }
                id
            }
        }
    }

    /// PUBLISH, or PUBREL where the gateway has the message already.
    fn send_flight(&mut self, now: Instant) {
        let Some(flight) = &self.flight else { return };
        let (message_id, flow, dup) = (flight.message_id, flight.flow, flight.sent);
        if flow == Flow::AwaitPubComp {
            self.start(Slot::Publish, &Packet::PubRel(message_id), now);
        } else {
            let (topic, data, retain) =
                (flight.pending.topic.clone(), flight.pending.data.clone(), flight.pending.retain);
            let Some(topic) = self.resolve(&topic) else { return };
            let first = publish(delivery(flow, message_id, dup), retain, topic, &data);
            let again = publish(delivery(flow, message_id, true), retain, topic, &data);
            self.start_with(Slot::Publish, &first, &again, now);
        }
        if let Some(flight) = &mut self.flight {
            (flight.open, flight.sent) = (true, true);
        }
    }

    pub(super) fn on_pub_ack(&mut self, ack: PubAck, now: Instant) {
        match ack.message_id {
            Some(id) => self.answered(id, Answer::of(ack.return_code), now),
            None => {
                // About a message of QoS 0, which is gone.
                if let (ReturnCode::INVALID_TOPIC_ID, Some(id)) =
                    (ack.return_code, TopicId::new(ack.topic_id))
                {
                    self.topics.forget_id(id);
                } else if ack.return_code == ReturnCode::CONGESTION {
                    self.hold(Hold::Publish, now);
                }
            }
        }
        self.pump(now);
    }

    pub(super) fn on_pub_rec(&mut self, id: MessageId, now: Instant) {
        if self.flight.as_ref().is_some_and(|flight| flight.message_id == id) {
            self.answered(id, Answer::PubRec, now);
        } else {
            // The message is done with, but the gateway still holds it.
            self.send(&Packet::PubRel(id), now);
        }
    }

    pub(super) fn on_pub_comp(&mut self, id: MessageId, now: Instant) {
        self.answered(id, Answer::PubComp, now);
        self.pump(now);
    }

    fn answered(&mut self, id: MessageId, answer: Answer, now: Instant) {
        let Some(mut flight) = self.flight.take_if(|flight| flight.message_id == id) else {
            self.counters.out_of_place += 1;
            return;
        };
        let step = flight.flow.step(answer);
        // A refusal that was on its way when the connection ended is about one copy. Another one may have been taken.
        let late = !flight.open && matches!(step, Step::Register | Step::Postpone);
        if late || step == Step::Ignore {
            self.counters.out_of_place += 1;
            self.flight = Some(flight);
            return;
        }
        self.finish(Slot::Publish);
        flight.open = false;
        match step {
            Step::Done => self.complete(flight.pending.handle, Outcome::Published),
            Step::Refuse(code) => self.complete(flight.pending.handle, Outcome::Rejected(code)),
            Step::Release => {
                flight.flow = Flow::AwaitPubComp;
                self.flight = Some(flight);
                if self.phase == Phase::Active {
                    self.send_flight(now);
                }
            }
            Step::Register | Step::Postpone => self.put_off(flight, step, now),
            Step::Ignore => {}
        }
    }

    /// The gateway did not take the message: it does not know the topic id any more, or has no room.
    fn put_off(&mut self, mut flight: Flight, step: Step, now: Instant) {
        let code = if step == Step::Register { ReturnCode::INVALID_TOPIC_ID } else { ReturnCode::CONGESTION };
        let curable = match (&flight.pending.topic, step) {
            (_, Step::Postpone) => {
                self.hold(Hold::Publish, now);
                true
            }
            (Subject::Name(name), _) => {
                self.topics.forget_name(name);
                true
            }
            // Registering does not help here (§6.7).
            (Subject::Predefined(_) | Subject::Short(_), _) => false,
        };
        if !curable || flight.pending.postponed >= self.config.max_postponements {
            self.complete(flight.pending.handle, Outcome::Rejected(code));
            return;
        }
        flight.pending.postponed += 1;
        flight.sent = false;
        self.flight = Some(flight);
    }

    /// The session in which the message was sent is over.
    pub(super) fn interrupt_flight(&mut self) {
        let Some(flight) = self.flight.take() else { return };
        if flight.sent && flight.pending.qos == QoS::ExactlyOnce {
            self.complete(flight.pending.handle, Outcome::Interrupted);
        } else {
            self.queued_octets += flight.pending.data.len();
            self.queue.insert(0, flight.pending);
        }
    }

    /// The gateway gives no id to a topic name: no message about it can be sent.
    pub(super) fn reject_messages(&mut self, topic: &Subject, outcome: Outcome) {
        if let Some(flight) = self.flight.take_if(|flight| !flight.open && flight.pending.topic == *topic) {
            self.complete(flight.pending.handle, outcome);
        }
        let (rejected, kept): (alloc::vec::Vec<_>, _) = core::mem::take(&mut self.queue)
            .into_iter()
            .partition(|pending: &Pending| pending.topic == *topic);
        self.queue = kept;
        for pending in rejected {
            self.queued_octets -= pending.data.len();
            self.complete(pending.handle, outcome);
        }
    }
}

fn check_short(name: Option<&str>) -> Result<(), Refused> {
    match name.map(TopicName::new) {
        Some(Ok(_)) => Ok(()),
        _ => Err(Refused::InvalidTopic),
    }
}

fn publish(delivery: Delivery, retain: bool, topic: Topic, data: &[u8]) -> Packet<'_> {
    Packet::Publish(Publish { delivery, retain, topic, data })
}

const fn delivery(flow: Flow, message_id: MessageId, dup: bool) -> Delivery {
    match flow {
        Flow::AwaitPubAck => Delivery::AtLeastOnce { message_id, dup },
        Flow::AwaitPubRec | Flow::AwaitPubComp => Delivery::ExactlyOnce { message_id, dup },
    }
}
