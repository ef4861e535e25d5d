//! What was said on both sides of a gateway, and what follows from it: no message comes out under another topic than it went in
//! with, and nothing is acknowledged that is not where it has to be.

use std::collections::{BTreeMap, BTreeSet};

use mqtt_codec::{Delivery as MqttDelivery, Packet as MqttPacket, QoS as MqttQoS};
use mqttsn_codec::{
    Delivery, Packet, PubAck, Publish, RegAck, Register, ReturnCode, SubAck, Subscribe, SubscribeTopic, Topic,
};
use mqttsn_core::gateway::{Config, Mode, Predefined};

use super::clients::CLIENTS;

/// How payloads begin that say their topic.
const TAG: &str = "topic:";

type Session = String;

#[derive(Debug)]
pub(super) struct Ledger {
    transparent: bool,
    prefix: String,
    predefined: Predefined,
    messages: u64,
    /// The server may say anything: no conclusions from what it says.
    pub(super) hostile: bool,

    /// What a client has asked with a MsgId, by SUBSCRIBE or by REGISTER: the name, if it is one that gets an id.
    asked: BTreeMap<(Session, bool, u16), Vec<Option<String>>>,
    /// The ids of a client's session: what it publishes with.
    ids: BTreeMap<Session, BTreeMap<u16, String>>,
    /// What the ids stand for that a client was told of; after a MsgId that came twice, one of several.
    told: BTreeMap<Session, BTreeMap<u16, Vec<String>>>,
    /// REGISTERs to a client that it did not answer.
    telling: BTreeMap<(Session, u16), (u16, String)>,

    /// Payloads that a client has sent under a MsgId since that was acknowledged.
    sent: BTreeMap<(Session, u16), Vec<Vec<u8>>>,
    /// Payloads on their way to the server, by its client's identifier and the packet identifier.
    to_server: BTreeMap<(String, u16), Vec<u8>>,
    /// Payloads that the server has.
    stored: BTreeSet<Vec<u8>>,
    /// Acknowledgements to clients for what the server was not seen to take.
    unexplained: u64,

    /// Messages to a client that it did not acknowledge, and those that it did.
    to_client: BTreeSet<(Session, u16)>,
    acknowledged: u64,
    /// QoS 2 messages that the server was told are here; and all acknowledgements to it.
    received: BTreeSet<(String, u16)>,
    acknowledgements: u64,
}

impl Ledger {
    pub(super) fn new(config: &Config, hostile: bool) -> Self {
        Self {
            transparent: config.mode == Mode::Transparent,
            prefix: config.upstream.client_id_prefix.clone(),
            predefined: config.predefined.clone(),
            messages: 0,
            hostile,
            asked: BTreeMap::new(),
            ids: BTreeMap::new(),
            told: BTreeMap::new(),
            telling: BTreeMap::new(),
            sent: BTreeMap::new(),
            to_server: BTreeMap::new(),
            stored: BTreeSet::new(),
            unexplained: 0,
            to_client: BTreeSet::new(),
            acknowledged: 0,
            received: BTreeSet::new(),
            acknowledgements: 0,
        }
    }

    /// A payload that says where it belongs; one that does not, where this is not certain.
    pub(super) fn payload(&mut self, session: Option<&str>, topic: Topic) -> Vec<u8> {
        let name = session.and_then(|session| match &topic {
            Topic::Short(short) => short.as_str(),
            Topic::Predefined(id) => self.predefined.get(Some(session), *id),
            Topic::Id(id) => self.ids.get(session)?.get(&id.get()).map(String::as_str),
        });
        let name = name.map(str::to_owned);
        self.tagged(name.as_deref())
    }

    pub(super) fn tagged(&mut self, name: Option<&str>) -> Vec<u8> {
        self.messages += 1;
        name.map_or(b"-".into(), |name| format!("{TAG}{name}|{}", self.messages).into_bytes())
    }

    /// The topic ids that a client may publish with.
    pub(super) fn ids_of(&self, session: Option<&str>) -> Vec<u16> {
        session
            .and_then(|session| self.ids.get(session))
            .into_iter()
            .flat_map(BTreeMap::keys)
            .copied()
            .collect()
    }

    /// A session with this identifier begins, perhaps: what its ids stand for is open.
    pub(super) fn begins(&mut self, client_id: &str) {
        self.ids.remove(client_id);
    }

    /// A client that is known says something.
    pub(super) fn client_says(&mut self, session: &str, packet: &Packet<'_>) {
        let key = |number: u16| (session.to_owned(), number);
        match *packet {
            Packet::Register(Register { message_id, topic_name, .. }) => {
                self.asks(session, false, message_id.get(), Some(topic_name));
            }
            Packet::Subscribe(Subscribe { message_id, topic, .. }) => {
                let name = if let SubscribeTopic::Name(name) = topic { Some(name) } else { None };
                self.asks(session, true, message_id.get(), name);
            }
            Packet::RegAck(RegAck { message_id, return_code, .. }) => {
                if let Some((id, name)) = self.telling.remove(&key(message_id.get()))
                    && return_code.is_accepted()
                {
                    self.told.entry(session.into()).or_default().insert(id, vec![name]);
                }
            }
            Packet::Publish(Publish { delivery, data, .. }) => {
                if let Some(id) = delivery.message_id() {
                    self.sent.entry(key(id.get())).or_default().push(data.into());
                }
            }
            Packet::PubAck(PubAck { message_id: Some(id), .. }) | Packet::PubRec(id) => {
                self.acknowledged += u64::from(self.to_client.remove(&key(id.get())));
            }
            _ => {}
        }
    }

    fn asks(&mut self, session: &str, subscribes: bool, id: u16, name: Option<&str>) {
        self.asked.entry((session.into(), subscribes, id)).or_default().push(name.map(str::to_owned));
    }

    /// The answer to what a client asked says what an id stands for; unless it asked for several things with one MsgId.
    fn learns(&mut self, session: &str, subscribes: bool, id: u16, topic_id: u16) {
        let Some(names) = self.asked.remove(&(session.into(), subscribes, id)) else { return };
        let ids = self.ids.entry(session.into()).or_default();
        let told = self.told.entry(session.into()).or_default().entry(topic_id).or_default();
        match &names[..] {
            [Some(name)] => {
                ids.insert(topic_id, name.clone());
                *told = vec![name.clone()];
            }
            [None] => {}
            _ => {
                ids.remove(&topic_id);
                told.extend(names.into_iter().flatten());
            }
        }
    }

    /// The gateway says something to a client. `uncertain`: how often it said that it cannot know what the server has.
    pub(super) fn client_is_told(&mut self, session: &str, packet: &Packet<'_>, uncertain: u64) {
        let key = |number: u16| (session.to_owned(), number);
        match *packet {
            Packet::ConnAck(_) => self.begins(session),
            Packet::RegAck(RegAck { topic_id, message_id, return_code: ReturnCode::ACCEPTED }) => {
                self.learns(session, false, message_id.get(), topic_id);
            }
            Packet::SubAck(SubAck { topic_id, message_id, return_code: ReturnCode::ACCEPTED, .. }) => {
                self.learns(session, true, message_id.get(), topic_id);
            }
            Packet::Register(Register { topic_id, message_id, topic_name }) => {
                let id = topic_id.expect("a gateway knows the id").get();
                // What the id stood for before is over, whatever the client says of it now.
                self.telling.retain(|(of, _), (told, _)| of != session || *told != id);
                self.telling.insert(key(message_id.get()), (id, topic_name.into()));
            }
            Packet::Publish(publish) => {
                if let Some(id) = publish.delivery.message_id() {
                    self.to_client.insert(key(id.get()));
                }
                self.delivered(session, &publish);
            }
            Packet::PubAck(PubAck { message_id: Some(id), return_code: ReturnCode::ACCEPTED, .. }) => {
                self.taken_over(session, id.get(), uncertain);
                self.sent.remove(&key(id.get()));
            }
            Packet::PubRec(id) => self.taken_over(session, id.get(), uncertain),
            Packet::PubComp(id) => _ = self.sent.remove(&key(id.get())),
            _ => {}
        }
    }

    /// A message comes under the topic that it was published with, and that the client knows by now.
    fn delivered(&self, session: &str, publish: &Publish<'_>) {
        let known = match publish.topic {
            Topic::Short(short) => vec![short.as_str().expect("a topic name").to_owned()],
            Topic::Predefined(id) => {
                self.predefined.get(Some(session), id).map(str::to_owned).into_iter().collect()
            }
            Topic::Id(id) => {
                let told = self.told.get(session).and_then(|told| told.get(&id.get()));
                told.cloned().unwrap_or_default()
            }
        };
        assert!(!known.is_empty(), "{session} does not know the topic of {publish:?}");
        if let Some(name) = topic_of(publish.data).filter(|_| !self.hostile) {
            assert!(known.iter().any(|known| known == name), "{session} takes {name} for {known:?}");
        }
    }

    /// A client is told that its message has arrived: then the server has it.
    fn taken_over(&mut self, session: &str, id: u16, uncertain: u64) {
        let sent = self.sent.get(&(session.to_owned(), id));
        let stored = sent.is_some_and(|sent| sent.iter().any(|payload| is_untold(payload, &self.stored)));
        if stored || self.hostile {
            return;
        }
        self.unexplained += 1;
        assert!(self.unexplained <= uncertain, "{session}'s message {id} is not at the server: {sent:?}");
        // It counts once, however often the client asks.
        self.stored.extend(sent.into_iter().flatten().cloned());
    }

    /// The gateway says something to the server. `dropped`: messages that clients will never get.
    pub(super) fn server_is_told(&mut self, client_id: &str, packet: &MqttPacket<'_>, dropped: u64) {
        match packet {
            MqttPacket::Publish(publish) => {
                if let Some(name) = topic_of(publish.payload) {
                    assert_eq!(publish.topic, name, "published under another topic");
                }
                if let Some(id) = packet_id(publish.delivery) {
                    self.to_server.insert((client_id.into(), id), publish.payload.into());
                }
            }
            MqttPacket::PubAck(ack) => self.acknowledges(client_id, ack.packet_id.get(), false, dropped),
            MqttPacket::PubRec(ack) => self.acknowledges(client_id, ack.packet_id.get(), true, dropped),
            MqttPacket::PubComp(ack) => {
                self.received.remove(&(client_id.into(), ack.packet_id.get()));
            }
            _ => {}
        }
    }

    /// What the server may forget has come to a client of the transparent gateway, or was dropped and counted.
    fn acknowledges(&mut self, client_id: &str, id: u16, exactly_once: bool, dropped: u64) {
        let of_a_client = client_id.strip_prefix(&*self.prefix).is_some_and(|id| CLIENTS.contains(&id));
        let again = exactly_once && !self.received.insert((client_id.into(), id));
        if !self.transparent || !of_a_client || again {
            return;
        }
        self.acknowledgements += 1;
        let most = self.acknowledged + dropped;
        assert!(self.acknowledgements <= most, "{} acknowledged, {most} at an end", self.acknowledgements);
    }

    /// The server says something.
    pub(super) fn server_says(&mut self, client_id: &str, packet: &MqttPacket<'_>) {
        let (MqttPacket::PubAck(ack) | MqttPacket::PubRec(ack)) = packet else { return };
        if let Some(payload) = self.to_server.get(&(client_id.into(), ack.packet_id.get())) {
            self.stored.insert(payload.clone());
        }
    }
}

/// Whether the server has it, as far as can be told.
fn is_untold(payload: &[u8], stored: &BTreeSet<Vec<u8>>) -> bool {
    topic_of(payload).is_none() || stored.contains(payload)
}

/// The topic that a payload says.
fn topic_of(payload: &[u8]) -> Option<&str> {
    let text = core::str::from_utf8(payload).ok()?.strip_prefix(TAG)?;
    text.rsplit_once('|').map(|(name, _)| name)
}

pub(super) fn packet_id(delivery: MqttDelivery) -> Option<u16> {
    match delivery {
        MqttDelivery::AtMostOnce => None,
        MqttDelivery::AtLeastOnce { packet_id, .. } | MqttDelivery::ExactlyOnce { packet_id, .. } => {
            Some(packet_id.get())
        }
    }
}

pub(super) fn delivery_of(qos: MqttQoS, id: mqtt_codec::PacketIdentifier, dup: bool) -> MqttDelivery {
    match qos {
        MqttQoS::AtMostOnce => MqttDelivery::AtMostOnce,
        MqttQoS::AtLeastOnce => MqttDelivery::AtLeastOnce { packet_id: id, dup },
        MqttQoS::ExactlyOnce => MqttDelivery::ExactlyOnce { packet_id: id, dup },
    }
}

/// What a message is but for DUP.
pub(super) fn first_sending<'a>(packet: &Packet<'a>) -> Packet<'a> {
    let Packet::Publish(publish) = *packet else { return *packet };
    let delivery = match publish.delivery {
        Delivery::AtMostOnce => Delivery::AtMostOnce,
        Delivery::AtLeastOnce { message_id, .. } => Delivery::AtLeastOnce { message_id, dup: false },
        Delivery::ExactlyOnce { message_id, .. } => Delivery::ExactlyOnce { message_id, dup: false },
    };
    Packet::Publish(Publish { delivery, ..publish })
}
