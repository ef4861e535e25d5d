//! A gateway in miniature, right by construction: what courses of events run against.

use std::collections::{BTreeMap, BTreeSet};

use mqttsn_codec::{
    Connect, Delivery, Disconnect, MessageId, Packet, PubAck, Publish, RegAck, ReturnCode, SubAck, Topic,
    TopicId,
};

use crate::support::encoded;

/// One gateway with one client.
#[derive(Default)]
pub struct Gateway {
    connected: bool,
    topics: Vec<String>,
    /// QoS 2 messages that were not released.
    unreleased: BTreeSet<MessageId>,
    /// Those that were: the network may bring them once more.
    released: BTreeSet<(MessageId, Vec<u8>)>,
    /// What arrived, by its data.
    pub arrived: BTreeMap<Vec<u8>, u32>,
    out: Vec<Vec<u8>>,
}

impl Gateway {
    /// Takes a datagram in; what it answers.
    pub fn handle(&mut self, datagram: &[u8]) -> Vec<Vec<u8>> {
        let packet = Packet::decode(datagram).expect("the client sends messages only");
        match packet {
            Packet::Connect(connect) => self.connect(&connect),
            _ if !self.connected => self.send(&Packet::Disconnect(Disconnect { duration: None })),
            Packet::Register(register) => {
                let topic_id = self.topic_id(register.topic_name);
                let (message_id, return_code) = (register.message_id, ReturnCode::ACCEPTED);
                self.send(&Packet::RegAck(RegAck { topic_id, message_id, return_code }));
            }
            Packet::Publish(publish) => self.publish(&publish),
            Packet::PubRel(id) => {
                self.unreleased.remove(&id);
                self.send(&Packet::PubComp(id));
            }
            Packet::Subscribe(subscribe) => {
                let mqttsn_codec::SubscribeTopic::Name(name) = subscribe.topic else { panic!("names only") };
                let topic_id = self.topic_id(name);
                let (qos, message_id) = (subscribe.qos, subscribe.message_id);
                let return_code = ReturnCode::ACCEPTED;
                self.send(&Packet::SubAck(SubAck { qos, topic_id, message_id, return_code }));
            }
            Packet::WillTopicUpd(_) => self.send(&Packet::WillTopicResp(ReturnCode::ACCEPTED)),
            Packet::PingReq(_) => self.send(&Packet::PingResp),
            Packet::Disconnect(disconnect) => {
                self.connected = disconnect.duration.is_some();
                self.send(&Packet::Disconnect(Disconnect { duration: None }));
            }
            _ => {}
        }
        core::mem::take(&mut self.out)
    }

    /// It begins anew, and has forgotten the client but for its session.
    pub fn restart(&mut self) {
        self.connected = false;
    }

    fn connect(&mut self, connect: &Connect<'_>) {
        // A CONNECT that comes twice, or late, must not end what has begun since.
        if connect.clean_session && !self.connected {
            self.topics.clear();
            self.unreleased.clear();
        }
        self.connected = true;
        self.send(&Packet::ConnAck(ReturnCode::ACCEPTED));
    }

    fn publish(&mut self, publish: &Publish<'_>) {
        let Topic::Id(id) = publish.topic else { panic!("normal topic ids only") };
        let known = usize::from(id.get()) <= self.topics.len();
        let mut again = false;
        let return_code = if known { ReturnCode::ACCEPTED } else { ReturnCode::INVALID_TOPIC_ID };
        let (topic_id, message_id) = (id.get(), publish.delivery.message_id());
        let ack = PubAck { topic_id, message_id, return_code };
        match publish.delivery {
            _ if !known => self.send(&Packet::PubAck(ack)),
            Delivery::AtMostOnce => {}
            Delivery::AtLeastOnce { .. } => self.send(&Packet::PubAck(ack)),
            Delivery::ExactlyOnce { message_id, .. } => {
                again = !self.unreleased.insert(message_id)
                    || !self.released.insert((message_id, publish.data.to_vec()));
                self.send(&Packet::PubRec(message_id));
            }
        }
        if known && !again {
            let name = &self.topics[usize::from(id.get()) - 1];
            assert!(publish.data.starts_with(name.as_bytes()), "published under another name");
            *self.arrived.entry(publish.data.to_vec()).or_default() += 1;
        }
    }

    fn topic_id(&mut self, name: &str) -> u16 {
        let place = self.topics.iter().position(|known| known == name).unwrap_or_else(|| {
            self.topics.push(name.to_owned());
            self.topics.len() - 1
        });
        let id = TopicId::new(place as u16 + 1).expect("few topics");
        id.get()
    }

    fn send(&mut self, packet: &Packet<'_>) {
        self.out.push(encoded(packet));
    }
}
