//! What arrives.

use bytes::Bytes;
use machine::Instant;
use mqttsn_codec::{Delivery, Packet, PubAck, Publish, ReturnCode, Topic};

use super::phase::Event;
use super::transaction::Slot;
use super::{Action, Client, Message, MessageTopic, Phase};

impl<P: Clone + Ord> Client<P> {
    pub(super) fn receive(&mut self, from: &P, datagram: &[u8], now: Instant) {
        match Packet::decode(datagram) {
            Err(_) => self.counters.malformed += 1,
            Ok(Packet::Advertise(advertise)) => self.on_advertise(advertise, from, now),
            Ok(Packet::SearchGw(search)) => self.on_search(search, now),
            Ok(Packet::GwInfo(info)) => self.on_gateway_info(&info, from, now),
            Ok(packet) if self.gateway.as_ref() == Some(from) => {
                self.last_heard = now;
                self.on_packet(&packet, now);
            }
            Ok(_) => self.counters.foreign += 1,
        }
    }

    fn on_packet(&mut self, packet: &Packet<'_>, now: Instant) {
        match *packet {
            Packet::ConnAck(code) if code.is_accepted() => self.on_event(Event::Accepted, now),
            Packet::ConnAck(code) => {
                self.refusal = code;
                self.on_event(Event::Rejected, now);
            }
            Packet::WillTopicReq => self.on_event(Event::WillTopicReq, now),
            Packet::WillMsgReq => self.on_event(Event::WillMsgReq, now),
            Packet::Disconnect(_) => self.on_event(Event::DisconnectReceived, now),
            Packet::PingResp => {
                self.failures = 0;
                self.on_ping_resp(now);
            }
            Packet::RegAck(_)
            | Packet::PubAck(_)
            | Packet::PubComp(_)
            | Packet::PubRec(_)
            | Packet::SubAck(_)
            | Packet::UnsubAck(_)
            | Packet::WillTopicResp(_)
            | Packet::WillMsgResp(_) => {
                // What was asked was asked of the gateway that let the client in last.
                if self.session == self.gateway {
                    self.failures = 0;
                    self.on_answer(packet, now);
                    self.be_patient_awake(now);
                } else {
                    self.counters.out_of_place += 1;
                }
            }
            Packet::PingReq(_) | Packet::Register(_) | Packet::Publish(_) | Packet::PubRel(_) => {
                if self.phase.takes_messages() {
                    self.on_message(packet, now);
                    self.be_patient_awake(now);
                } else {
                    self.counters.out_of_place += 1;
                }
            }
            Packet::Connect(_)
            | Packet::WillTopic(_)
            | Packet::WillMsg(_)
            | Packet::PublishMinusOne(_)
            | Packet::Subscribe(_)
            | Packet::Unsubscribe(_)
            | Packet::WillTopicUpd(_)
            | Packet::WillMsgUpd(_)
            // Taken before.
            | Packet::Advertise(_)
            | Packet::SearchGw(_)
            | Packet::GwInfo(_) => self.counters.foreign += 1,
        }
    }

    fn on_event(&mut self, event: Event, now: Instant) {
        let moved = self.step(event, now);
        self.counters.out_of_place += u64::from(!moved);
    }

    fn on_answer(&mut self, packet: &Packet<'_>, now: Instant) {
        match *packet {
            Packet::RegAck(ack) => self.on_reg_ack(ack, now),
            Packet::PubAck(ack) => self.on_pub_ack(ack, now),
            Packet::PubRec(id) => self.on_pub_rec(id, now),
            Packet::PubComp(id) => self.on_pub_comp(id, now),
            Packet::SubAck(ack) => self.on_sub_ack(ack, now),
            Packet::UnsubAck(id) => self.on_unsub_ack(id, now),
            Packet::WillTopicResp(code) => self.on_will_resp(Slot::WillTopic, code, now),
            Packet::WillMsgResp(code) => self.on_will_resp(Slot::WillMessage, code, now),
            _ => {}
        }
    }

    fn on_message(&mut self, packet: &Packet<'_>, now: Instant) {
        match packet {
            Packet::PingReq(_) => self.send(&Packet::PingResp, now),
            Packet::Register(register) => self.on_register(register, now),
            Packet::Publish(publish) => self.on_publish(publish, now),
            Packet::PubRel(id) => {
                self.incoming.release(*id, now);
                self.send(&Packet::PubComp(*id), now);
            }
            _ => {}
        }
    }

    /// While messages come, PINGRESP has time (§6.14).
    fn be_patient_awake(&mut self, now: Instant) {
        if self.phase == Phase::Awake {
            self.be_patient(Slot::Ping, now);
        }
    }

    fn on_publish(&mut self, publish: &Publish<'_>, now: Instant) {
        if let Delivery::ExactlyOnce { message_id, .. } = publish.delivery
            && self.incoming.has(message_id, publish, self.config.retry_interval, now)
        {
            self.counters.duplicates += 1;
            self.send(&Packet::PubRec(message_id), now);
            return;
        }
        let topic = match publish.topic {
            Topic::Predefined(id) => Some(MessageTopic::Predefined(id)),
            Topic::Short(name) => Some(MessageTopic::Short(name)),
            Topic::Id(id) => self.topics.name(id).map(MessageTopic::Name),
        };
        let Some(topic) = topic else {
            self.counters.unknown_topic += 1;
            self.acknowledge(publish, ReturnCode::INVALID_TOPIC_ID, now);
            return;
        };
        self.actions.push_back(Action::Message(Message {
            topic,
            qos: publish.delivery.qos(),
            retain: publish.retain,
            dup: publish.delivery.dup(),
            data: Bytes::copy_from_slice(publish.data),
        }));
        match publish.delivery {
            Delivery::AtMostOnce => {}
            Delivery::AtLeastOnce { .. } => self.acknowledge(publish, ReturnCode::ACCEPTED, now),
            Delivery::ExactlyOnce { message_id, .. } => {
                let forgotten = self.incoming.deliver(message_id, publish);
                self.counters.forgotten_incoming += u64::from(forgotten);
                self.send(&Packet::PubRec(message_id), now);
            }
        }
    }

    fn acknowledge(&mut self, publish: &Publish<'_>, return_code: ReturnCode, now: Instant) {
        let (topic_id, message_id) = (publish.topic.field(), publish.delivery.message_id());
        self.send(&Packet::PubAck(PubAck { topic_id, message_id, return_code }), now);
    }
}
