//! What went to and from a client, and what follows from it for the next datagram.

use std::collections::{BTreeMap, BTreeSet};

use mqttsn_codec::{
    Delivery, MessageId, MinusOneTopic, Packet, PubAck, Publish, RegAck, Register, Rules, SubAck, Subscribe,
    SubscribeTopic,
};
use mqttsn_core::client::Config;
use topic_match::{TopicFilter, TopicName};

use super::messages::encoded;

/// The largest answer, which no limit forbids.
const LARGEST_ANSWER: usize = 7;

/// Requests of which one may be open (§6.5, §6.6, §6.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Transaction {
    Register,
    Request,
    Publish,
}

/// What a gateway said that has to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Asked {
    Register,
    Publish,
    PubRec,
    PubRel,
    Ping,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Where the client knows a gateway to be.
    pub(super) told: BTreeSet<u8>,
    asked: BTreeSet<(u8, Asked, u16)>,
    open: BTreeMap<Transaction, MessageId>,
    /// How often what was sent since something answered; without DUP.
    times: BTreeMap<Vec<u8>, u32>,
}

impl Ledger {
    pub(super) fn receives(&mut self, from: u8, bytes: &[u8]) {
        let Ok(packet) = Packet::decode(bytes) else { return };
        match packet {
            Packet::Advertise(_) => _ = self.told.insert(from),
            Packet::GwInfo(info) => {
                self.told.extend(info.address.map_or(Some(from), |octets| octets.first().copied()));
            }
            Packet::Register(Register { message_id, .. }) => {
                self.asks(from, Asked::Register, message_id.get());
            }
            Packet::Publish(publish) => {
                let id = publish.delivery.message_id().map_or(0, MessageId::get);
                self.asks(from, Asked::Publish, id);
            }
            Packet::PubRel(id) => self.asks(from, Asked::PubRel, id.get()),
            Packet::PingReq(_) => self.asks(from, Asked::Ping, 0),
            _ => {
                self.times.clear();
                self.answered(from, &packet);
            }
        }
    }

    fn asks(&mut self, from: u8, asked: Asked, id: u16) {
        self.asked.insert((from, asked, id));
    }

    fn answered(&mut self, from: u8, packet: &Packet<'_>) {
        let (transaction, id) = match *packet {
            Packet::RegAck(RegAck { message_id, .. }) => (Transaction::Register, message_id),
            Packet::PubAck(PubAck { message_id: Some(id), .. }) | Packet::PubComp(id) => {
                (Transaction::Publish, id)
            }
            Packet::SubAck(SubAck { message_id: id, .. }) | Packet::UnsubAck(id) => {
                (Transaction::Request, id)
            }
            Packet::PubRec(id) => return self.asks(from, Asked::PubRec, id.get()),
            _ => return,
        };
        if self.open.get(&transaction) == Some(&id) {
            self.open.remove(&transaction);
        }
    }

    /// The application wants something, or a connection began or ended: what is sent now has a new reason.
    pub(super) fn starts_anew(&mut self, connection_over: bool) {
        self.times.clear();
        if connection_over {
            self.open.clear();
        }
    }

    /// A message to a gateway, now, is one that a client may send.
    pub(super) fn sends(&mut self, to: u8, bytes: &[u8], config: &Config<u8>) {
        assert!(self.told.contains(&to), "it writes to {to}");
        assert!(bytes.len() <= config.max_message_size.max(LARGEST_ANSWER), "{} octets", bytes.len());
        let packet = decode(bytes);
        let repeats = match packet {
            Packet::Connect(connect) => {
                assert_eq!(connect.client_id, config.client_id);
                self.open.clear();
                true
            }
            Packet::WillTopic(will) | Packet::WillTopicUpd(will) => {
                assert!(will.is_none_or(|will| TopicName::new(will.topic).is_ok()), "{packet:?}");
                true
            }
            Packet::WillMsg(_) | Packet::WillMsgUpd(_) => true,
            Packet::PubRel(id) => !self.answers(to, Asked::PubRec, id.get()),
            Packet::PingReq(ping) => {
                assert!(ping.client_id.is_none_or(|id| id == config.client_id), "{packet:?}");
                true
            }
            Packet::Disconnect(disconnect) => {
                assert_ne!(disconnect.duration, Some(0));
                self.open.clear();
                true
            }
            Packet::Register(Register { topic_id: None, message_id, topic_name }) => {
                assert!(TopicName::new(topic_name).is_ok(), "{packet:?}");
                self.begins(Transaction::Register, message_id);
                true
            }
            Packet::Subscribe(Subscribe { message_id, topic, .. }) => {
                self.requests(message_id, &topic);
                true
            }
            Packet::Unsubscribe(unsubscribe) => {
                self.requests(unsubscribe.message_id, &unsubscribe.topic);
                true
            }
            Packet::Publish(publish) => {
                let id = publish.delivery.message_id();
                if let Some(id) = id {
                    self.begins(Transaction::Publish, id);
                }
                id.is_some()
            }
            Packet::RegAck(RegAck { message_id, .. }) => self.answers(to, Asked::Register, message_id.get()),
            Packet::PubAck(PubAck { message_id, .. }) => {
                self.answers(to, Asked::Publish, message_id.map_or(0, MessageId::get))
            }
            Packet::PubRec(id) => self.answers(to, Asked::Publish, id.get()),
            Packet::PubComp(id) => self.answers(to, Asked::PubRel, id.get()),
            Packet::PingResp => self.answers(to, Asked::Ping, 0),
            Packet::PublishMinusOne(publish) => {
                let name = match &publish.topic {
                    MinusOneTopic::Short(name) => name.as_str(),
                    MinusOneTopic::Name(name) => Some(*name),
                    MinusOneTopic::Predefined(_) => Some("predefined"),
                };
                assert!(name.is_some_and(|name| TopicName::new(name).is_ok()), "{packet:?}");
                false
            }
            _ => panic!("a client does not send {packet:?}"),
        };
        if repeats {
            self.repeats(&packet, config);
        }
    }

    /// A message to all: a search, or what another client is told of a gateway.
    pub(super) fn broadcasts(&self, radius: u8, bytes: &[u8], config: &Config<u8>) {
        match decode(bytes) {
            Packet::SearchGw(search) => {
                assert!(config.discovery && search.radius == radius && radius == config.search_radius);
            }
            Packet::GwInfo(info) => {
                let known = info.address.is_some_and(|octets| self.told.contains(&octets[0]));
                assert!(known && config.answer_searches, "{info:?}");
            }
            packet => panic!("a client does not send {packet:?} to all"),
        }
    }

    fn requests(&mut self, id: MessageId, topic: &SubscribeTopic<'_>) {
        self.begins(Transaction::Request, id);
        let filter = match topic {
            SubscribeTopic::Name(name) => Some(*name),
            SubscribeTopic::Short(name) => name.as_str(),
            SubscribeTopic::Predefined(_) => Some("predefined"),
        };
        assert!(filter.is_some_and(|filter| TopicFilter::new(filter).is_ok()), "{topic:?}");
    }

    fn begins(&mut self, transaction: Transaction, id: MessageId) {
        let open = *self.open.entry(transaction).or_insert(id);
        assert_eq!(open, id, "{transaction:?}: another one is open");
    }

    /// Nothing is answered that was not asked; nor is that a repetition.
    fn answers(&self, to: u8, asked: Asked, id: u16) -> bool {
        assert!(self.asked.contains(&(to, asked, id)), "answers no {asked:?} {id} of {to}");
        false
    }

    /// `N_retry` repetitions, with DUP.
    fn repeats(&mut self, packet: &Packet<'_>, config: &Config<u8>) {
        let (dup, first) = match *packet {
            Packet::Publish(publish) => {
                let delivery = match publish.delivery {
                    Delivery::AtLeastOnce { message_id, .. } => {
                        Delivery::AtLeastOnce { message_id, dup: false }
                    }
                    Delivery::ExactlyOnce { message_id, .. } => {
                        Delivery::ExactlyOnce { message_id, dup: false }
                    }
                    Delivery::AtMostOnce => Delivery::AtMostOnce,
                };
                (publish.delivery.dup(), Packet::Publish(Publish { delivery, ..publish }))
            }
            Packet::Subscribe(subscribe) => {
                (subscribe.dup, Packet::Subscribe(Subscribe { dup: false, ..subscribe }))
            }
            packet => (true, packet),
        };
        let times = self.times.entry(encoded(&first)).or_default();
        *times += 1;
        assert!(*times <= 1 + config.retries, "{packet:?} for the {times}. time");
        assert!(*times == 1 || dup, "{packet:?} again, without DUP");
    }
}

fn decode(bytes: &[u8]) -> Packet<'_> {
    let rules = Rules { rsmb_qos_minus_one: true, ..Rules::default() };
    Packet::decode_with(bytes, &rules).unwrap_or_else(|why| panic!("it sends {bytes:02X?}: {why:?}"))
}
