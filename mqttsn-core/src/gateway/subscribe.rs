//! SUBSCRIBE and UNSUBSCRIBE from clients: checked here, so that nothing goes to the server that it could take amiss (§6.9).

use core::fmt::Debug;

use machine::Instant;
use mqtt_codec::{QoS, ReasonCode};
use mqtt_core::client::Outcome;
use mqttsn_codec::{MessageId, Packet, ReturnCode, SubAck, Subscribe, SubscribeTopic, TopicId, Unsubscribe};
use topic_match::Subscription;

use super::peer::{PeerKey, Request, RequestKind};
use super::publish::{code_of, mqtt_qos, sn_qos};
use super::register::assign;
use super::{Gateway, Mode};

impl<P: Clone + Ord + Debug> Gateway<P> {
    pub(super) fn on_subscribe(&mut self, key: PeerKey, subscribe: &Subscribe<'_>, now: Instant) {
        let id = subscribe.message_id;
        let Some(peer) = self.peers.get_mut(key.index as usize) else { return };
        if peer.requests.iter().any(|request| request.id == id) {
            // It comes again; the answer is on its way.
            return;
        }
        if peer.past.is_late_copy(id, self.config.duplicate_window, now) {
            self.out.counters.unexpected += 1;
            return;
        }
        let busy = peer.requests.len() >= usize::from(self.config.max_requests);
        let topic_id = topic_field(&subscribe.topic);
        let result = match self.filter(key, &subscribe.topic) {
            _ if busy => Err(ReturnCode::CONGESTION),
            Ok(filter) => self.prepare(key, &subscribe.topic, &filter).and_then(|topic_id| {
                let request = Request { id, kind: RequestKind::Subscribe { topic_id } };
                self.ask(key, request, &filter, mqtt_qos(subscribe.qos), now)
            }),
            Err(return_code) => Err(return_code),
        };
        if let Err(return_code) = result {
            let congested = return_code == ReturnCode::CONGESTION;
            self.out.counters.congestion += u64::from(congested);
            let Some(peer) = self.peers.get(key.index as usize) else { return };
            let suback = SubAck { qos: subscribe.qos, topic_id, message_id: id, return_code };
            self.out.send(&peer.address, &Packet::SubAck(suback));
        }
    }

    pub(super) fn on_unsubscribe(&mut self, key: PeerKey, unsubscribe: &Unsubscribe<'_>, now: Instant) {
        let id = unsubscribe.message_id;
        let Some(peer) = self.peers.get_mut(key.index as usize) else { return };
        if peer.requests.iter().any(|request| request.id == id) {
            return;
        }
        if peer.past.is_late_copy(id, self.config.duplicate_window, now) {
            self.out.counters.unexpected += 1;
            return;
        }
        if let SubscribeTopic::Predefined(topic_id) = unsubscribe.topic {
            peer.predefined.retain(|subscribed| *subscribed != topic_id);
        }
        let Ok(filter) = self.filter(key, &unsubscribe.topic) else {
            // Nobody can have subscribed to it.
            return self.answer_unsubscribe(key, id);
        };
        match self.config.mode {
            Mode::Aggregating => {
                self.unsubscribe(key, &filter, now);
                self.answer_unsubscribe(key, id);
            }
            Mode::Transparent => {
                self.unsubscribe_link(key, Request { id, kind: RequestKind::Unsubscribe }, &filter, now);
            }
        }
    }

    /// The filter that a client means, if it is one and within the limits.
    fn filter(&self, key: PeerKey, topic: &SubscribeTopic<'_>) -> Result<alloc::string::String, ReturnCode> {
        let name = match topic {
            SubscribeTopic::Name(name) => Some(*name),
            SubscribeTopic::Predefined(id) => {
                let peer = self.peers.get(key.index as usize);
                let name = peer.and_then(|peer| self.config.predefined.get(Some(&peer.client_id), *id));
                return name.map(Into::into).ok_or(ReturnCode::INVALID_TOPIC_ID);
            }
            SubscribeTopic::Short(short) => short.as_str(),
        };
        let name = name.ok_or(ReturnCode::NOT_SUPPORTED)?;
        let subscription = Subscription::parse(name).map_err(|_| ReturnCode::NOT_SUPPORTED)?;
        let shared = subscription.share_name().is_some();
        if subscription.filter().check(&self.config.topic_limits).is_err()
            || (shared && self.config.mode == Mode::Aggregating)
        {
            return Err(ReturnCode::NOT_SUPPORTED);
        }
        Ok(name.into())
    }

    /// The `TopicId` for SUBACK, and what the client's tables must know before messages come.
    fn prepare(&mut self, key: PeerKey, topic: &SubscribeTopic<'_>, filter: &str) -> Result<u16, ReturnCode> {
        let Some(peer) = self.peers.get_mut(key.index as usize) else {
            return Err(ReturnCode::CONGESTION);
        };
        if let Ok(subscription) = Subscription::parse(filter) {
            let matches = |name: &str| {
                topic_match::TopicName::new(name).is_ok_and(|name| subscription.filter().matches(name))
            };
            peer.topics.forgive(matches);
            let plain = !subscription.filter().has_wildcard() && subscription.share_name().is_none();
            if let SubscribeTopic::Name(name) = topic
                && plain
            {
                let id = assign(peer, &self.config, name).ok_or(ReturnCode::CONGESTION)?;
                return Ok(id.get());
            }
        }
        if let SubscribeTopic::Predefined(id) = topic
            && !peer.predefined.contains(id)
        {
            peer.predefined.push(*id);
        }
        Ok(topic_field(topic))
    }

    fn ask(
        &mut self,
        key: PeerKey,
        request: Request,
        filter: &str,
        qos: QoS,
        now: Instant,
    ) -> Result<(), ReturnCode> {
        match self.config.mode {
            Mode::Aggregating => self.subscribe(key, request, filter, qos, now),
            Mode::Transparent => self.subscribe_link(key, request, filter, qos, now),
        }
    }

    /// The server's verdict on a subscription of a client.
    pub(super) fn on_subscribed(&mut self, key: PeerKey, id: MessageId, outcome: &Outcome) {
        let result = match outcome {
            Outcome::Subscribed(reasons) => match reasons.first() {
                Some(reason) => granted(*reason),
                None => Err(ReturnCode::NOT_SUPPORTED),
            },
            Outcome::Published(_) | Outcome::Unsubscribed(_) | Outcome::Dropped(_) => {
                Err(ReturnCode::NOT_SUPPORTED)
            }
        };
        self.answer_subscribe(key, id, result);
    }

    /// SUBACK.
    pub(super) fn answer_subscribe(&mut self, key: PeerKey, id: MessageId, result: Result<QoS, ReturnCode>) {
        let Some(peer) = self.peer(key) else { return };
        let Some(place) = peer.requests.iter().position(|request| request.id == id) else { return };
        let RequestKind::Subscribe { topic_id } = peer.requests.swap_remove(place).kind else { return };
        let (qos, return_code) = match result {
            Ok(qos) => (qos, ReturnCode::ACCEPTED),
            Err(return_code) => (QoS::AtMostOnce, return_code),
        };
        if let Some(id) = TopicId::new(topic_id)
            && return_code.is_accepted()
            && !peer.predefined.contains(&id)
        {
            peer.topics.hold(id);
            peer.topics.set_known(id, true);
        }
        let suback = SubAck { qos: sn_qos(qos), topic_id, message_id: id, return_code };
        if peer.state.is_gone() {
            return;
        }
        let address = peer.address.clone();
        self.out.send(&address, &Packet::SubAck(suback));
    }

    /// UNSUBACK.
    pub(super) fn answer_unsubscribe(&mut self, key: PeerKey, id: MessageId) {
        let Some(peer) = self.peer(key) else { return };
        peer.requests.retain(|request| request.id != id);
        if peer.state.is_gone() {
            return;
        }
        let address = peer.address.clone();
        self.out.send(&address, &Packet::UnsubAck(id));
    }
}

/// What SUBACK echoes: a predefined id, the two octets of a short name; 0 for a name.
const fn topic_field(topic: &SubscribeTopic<'_>) -> u16 {
    match topic {
        SubscribeTopic::Name(_) => 0,
        SubscribeTopic::Predefined(id) => id.get(),
        SubscribeTopic::Short(short) => short.field(),
    }
}

/// The granted QoS of a reason code in SUBACK.
pub(super) fn granted(reason: ReasonCode) -> Result<QoS, ReturnCode> {
    match reason {
        ReasonCode::SUCCESS => Ok(QoS::AtMostOnce),
        ReasonCode::GRANTED_QOS_1 => Ok(QoS::AtLeastOnce),
        ReasonCode::GRANTED_QOS_2 => Ok(QoS::ExactlyOnce),
        reason => Err(code_of(reason)),
    }
}
