//! Messages from clients to the server, with a connection and without (§6.6, §6.8).

use core::fmt::Debug;

use machine::Instant;
use mqtt_codec::{Properties, QoS, ReasonCode};
use mqtt_core::Publication;
use mqtt_core::client::{DropReason, Outcome};
use mqttsn_codec::{MessageId, MinusOneTopic, Packet, PubAck, Publish, PublishMinusOne, ReturnCode};

use super::config::MinusOnePolicy;
use super::inbound::{Event, Reaction, digest, published};
use super::io::Address;
use super::link::{Origin, What};
use super::peer::PeerKey;
use super::register::{short_name, topic_name};
use super::strangers::Deed;
use super::{Gateway, Mode};

impl<P: Clone + Ord + Debug> Gateway<P> {
    pub(super) fn on_publish(&mut self, key: PeerKey, publish: &Publish<'_>, now: Instant) {
        let id = publish.delivery.message_id();
        let Some(peer) = self.peers.get_mut(key.index as usize) else { return };
        let known = id.is_some_and(|id| peer.inbound.knows(id));
        let Some(name) = topic_name(peer, &self.config.predefined, &publish.topic) else {
            self.out.counters.invalid_topic_id += 1;
            return self.refuse_publish(key, publish, ReturnCode::INVALID_TOPIC_ID, now);
        };
        if name.starts_with('$') && !self.config.publish_to_dollar {
            return self.refuse_publish(key, publish, ReturnCode::NOT_SUPPORTED, now);
        }
        let qos = publish.delivery.qos();
        if let Some(id) = id {
            if !known && peer.inbound.len() >= usize::from(self.config.max_inbound) {
                self.out.counters.congestion += 1;
                return self.refuse_publish(key, publish, ReturnCode::CONGESTION, now);
            }
            let topic = publish.topic.field();
            let digest = if qos == mqttsn_codec::QoS::ExactlyOnce { digest(topic, publish.data) } else { 0 };
            if !known && qos == mqttsn_codec::QoS::ExactlyOnce && peer.inbound.is_late_copy(id, digest, now) {
                return self.react(key, id, Reaction::PubRec, ReturnCode::ACCEPTED);
            }
            match peer.inbound.apply(id, topic, digest, published(qos)) {
                Reaction::Forward => {}
                reaction => return self.react(key, id, reaction, ReturnCode::ACCEPTED),
            }
        }
        let Some(peer) = self.peers.get(key.index as usize) else { return };
        let Some(name) = topic_name(peer, &self.config.predefined, &publish.topic) else { return };
        let link = match self.config.mode {
            Mode::Transparent => peer.link,
            Mode::Aggregating => self.hub,
        };
        let link = link.and_then(|index| Some((index, self.links.get_mut(index as usize)?)));
        let link = link.filter(|(_, link)| !link.remove);
        let publication = Publication {
            topic: name,
            qos: mqtt_qos(qos),
            retain: publish.retain,
            properties: Properties::NONE,
            payload: publish.data,
        };
        let handle = link.and_then(|(index, link)| {
            let handle = link.client.publish(&publication, now).ok()?;
            if let Some(id) = id {
                link.origins.insert(handle, Origin { peer: key, what: What::Publish(id) });
            }
            Some(index)
        });
        match (handle, id) {
            (Some(index), _) => {
                self.out.counters.published += 1;
                self.dirty.push_back(index);
            }
            (None, Some(id)) => self.message_done(key, id, Event::Failed, ReturnCode::CONGESTION),
            (None, None) => {
                self.out.counters.congestion += 1;
                self.refuse_publish(key, publish, ReturnCode::CONGESTION, now);
            }
        }
    }

    /// PUBACK with a reason; at QoS 0 no more of them than strangers get (§6.6).
    fn refuse_publish(&mut self, key: PeerKey, publish: &Publish<'_>, return_code: ReturnCode, now: Instant) {
        let Some(address) = self.peers.get(key.index as usize).map(|peer| peer.address.clone()) else {
            return;
        };
        let message_id = publish.delivery.message_id();
        if message_id.is_some() || self.may_answer(&address, now) {
            let puback = PubAck { topic_id: publish.topic.field(), message_id, return_code };
            self.out.send(&address, &Packet::PubAck(puback));
        }
    }

    /// The server has answered for a message, or it cannot be asked.
    pub(super) fn message_done(
        &mut self,
        key: PeerKey,
        id: MessageId,
        event: Event,
        return_code: ReturnCode,
    ) {
        let Some(peer) = self.peer(key) else { return };
        let reaction = peer.inbound.apply(id, 0, 0, event);
        self.out.counters.congestion += u64::from(return_code == ReturnCode::CONGESTION);
        self.react(key, id, reaction, return_code);
    }

    /// The server's verdict on a message of a client.
    pub(super) fn on_published(&mut self, key: PeerKey, id: MessageId, outcome: &Outcome) {
        let return_code = match outcome {
            Outcome::Published(reason) if reason.is_error() => code_of(*reason),
            // Sent again, it could be there twice.
            Outcome::Dropped(DropReason::SessionLost) => {
                self.out.counters.uncertain += 1;
                ReturnCode::ACCEPTED
            }
            Outcome::Dropped(_) => ReturnCode::NOT_SUPPORTED,
            Outcome::Published(_) | Outcome::Subscribed(_) | Outcome::Unsubscribed(_) => ReturnCode::ACCEPTED,
        };
        let event = if return_code.is_accepted() { Event::Stored } else { Event::Failed };
        self.message_done(key, id, event, return_code);
    }

    pub(super) fn on_pubrel(&mut self, key: PeerKey, id: MessageId, now: Instant) {
        let Some(peer) = self.peers.get_mut(key.index as usize) else { return };
        let reaction = peer.inbound.release(id, now + self.config.duplicate_window);
        self.react(key, id, reaction, ReturnCode::ACCEPTED);
    }

    fn react(&mut self, key: PeerKey, id: MessageId, reaction: Reaction, return_code: ReturnCode) {
        let Some(peer) = self.peers.get(key.index as usize).filter(|peer| !peer.state.is_gone()) else {
            return;
        };
        let message_id = Some(id);
        let packet = match reaction {
            Reaction::PubAck(topic_id) => {
                Packet::PubAck(PubAck { topic_id, message_id, return_code: ReturnCode::ACCEPTED })
            }
            Reaction::Refuse(topic_id) => Packet::PubAck(PubAck { topic_id, message_id, return_code }),
            Reaction::PubRec => Packet::PubRec(id),
            Reaction::PubComp => Packet::PubComp(id),
            Reaction::Forward | Reaction::Wait | Reaction::Ignore => return,
        };
        self.out.send(&peer.address, &packet);
    }

    /// QoS -1: from anyone, as far as the policy goes; nothing is ever answered.
    pub(super) fn on_publish_minus_one(
        &mut self,
        address: &Address<P>,
        publish: &PublishMinusOne<'_>,
        now: Instant,
    ) {
        let client = self.client_at(address).filter(|(_, state)| state.is_connected());
        let allowed = match self.config.qos_minus_one {
            MinusOnePolicy::Off => false,
            MinusOnePolicy::Connected => client.is_some(),
            MinusOnePolicy::Anyone => true,
        };
        if !allowed {
            self.out.counters.dropped_minus_one += 1;
            return;
        }
        if !self.strangers.allow(address, Deed::Message, now) {
            self.out.counters.strangers_limited += 1;
            return;
        }
        if let Some((key, _)) = client
            && let Some(peer) = self.peers.get_mut(key.index as usize)
        {
            peer.heard = now;
        }
        self.hand_over_minus_one(client.map(|(key, _)| key), publish, now);
    }

    fn hand_over_minus_one(&mut self, client: Option<PeerKey>, publish: &PublishMinusOne<'_>, now: Instant) {
        let client_id =
            client.and_then(|key| self.peers.get(key.index as usize)).map(|peer| &*peer.client_id);
        let name = match &publish.topic {
            MinusOneTopic::Predefined(id) => self.config.predefined.get(client_id, *id),
            MinusOneTopic::Short(short) => short_name(short),
            MinusOneTopic::Name(name) => Some(*name),
        };
        let Some(name) = name.filter(|name| self.may_publish_to(name)) else {
            self.out.counters.dropped_minus_one += 1;
            return;
        };
        let (qos, properties) = (QoS::AtMostOnce, Properties::NONE);
        let publication =
            Publication { topic: name, qos, retain: publish.retain, properties, payload: publish.data };
        let sent = self.hub.and_then(|hub| {
            let link = self.links.get_mut(hub as usize)?;
            link.client.publish(&publication, now).ok()?;
            Some(hub)
        });
        match sent {
            Some(hub) => {
                self.out.counters.published += 1;
                self.dirty.push_back(hub);
            }
            None => self.out.counters.congestion += 1,
        }
    }
}

/// What a client of MQTT-SN is told of a reason code.
pub(super) fn code_of(reason: ReasonCode) -> ReturnCode {
    match reason {
        ReasonCode::SERVER_UNAVAILABLE
        | ReasonCode::SERVER_BUSY
        | ReasonCode::QUOTA_EXCEEDED
        | ReasonCode::CONNECTION_RATE_EXCEEDED
        | ReasonCode::USE_ANOTHER_SERVER
        | ReasonCode::SERVER_SHUTTING_DOWN => ReturnCode::CONGESTION,
        _ => ReturnCode::NOT_SUPPORTED,
    }
}

pub(super) const fn mqtt_qos(qos: mqttsn_codec::QoS) -> QoS {
    match qos {
        mqttsn_codec::QoS::AtMostOnce => QoS::AtMostOnce,
        mqttsn_codec::QoS::AtLeastOnce => QoS::AtLeastOnce,
        mqttsn_codec::QoS::ExactlyOnce => QoS::ExactlyOnce,
    }
}

pub(super) const fn sn_qos(qos: QoS) -> mqttsn_codec::QoS {
    match qos {
        QoS::AtMostOnce => mqttsn_codec::QoS::AtMostOnce,
        QoS::AtLeastOnce => mqttsn_codec::QoS::AtLeastOnce,
        QoS::ExactlyOnce => mqttsn_codec::QoS::ExactlyOnce,
    }
}
