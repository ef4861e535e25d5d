//! CONNECT: new connections, repeated ones, sleepers that stand up, clients at another address (§6.2, §6.3, §6.14).

use alloc::boxed::Box;
use alloc::format;
use core::fmt::Debug;

use machine::Instant;
use mqttsn_codec::{Packet, ReturnCode, WillTopic};
use topic_match::TopicName;

use super::handshake::{Connect, Event, Handshake, Reaction, WillChange};
use super::io::{self, Address};
use super::peer::{PeerKey, Will};
use super::state::{self, State};
use super::{Gateway, Mode, Timer};
use crate::gateway::publish::mqtt_qos;

/// How identifiers begin that the gateway gives.
const ASSIGNED: &str = "sn-";

impl<P: Clone + Ord + Debug> Gateway<P> {
    pub(super) fn on_connect(
        &mut self,
        address: &Address<P>,
        connect: &mqttsn_codec::Connect<'_>,
        now: Instant,
    ) {
        let Some(client_id) = self.client_id(address, connect.client_id) else {
            return self.refuse_connect(address, ReturnCode::NOT_SUPPORTED, now);
        };
        let connect = Connect {
            client_id,
            clean: connect.clean_session,
            will: connect.will,
            duration: connect.duration,
        };
        if let Some(key) = self.repeated(address, &connect, now) {
            self.out.counters.connects_repeated += 1;
            if let Some(peer) = self.peer(key) {
                (peer.heard, peer.accepted) = (now, now);
            }
            return self.answer_connect_again(key);
        }
        if self.config.mode == Mode::Aggregating && !self.is_upstream_connected() {
            return self.refuse_connect(address, ReturnCode::CONGESTION, now);
        }
        if !connect.will {
            self.forget_handshake_of(address);
            return self.accept(address, &connect, WillChange::Keep, now);
        }
        match self.handshake_at.get(address).copied() {
            Some(index) if self.handshakes.get(index as usize).is_some_and(|h| h.connect == connect) => {
                self.go_on(index, Event::Connect);
            }
            _ => self.begin_handshake(address, connect, now),
        }
    }

    /// The identifier that a client is known by; `None` if an empty one is not allowed, or if it is the gateway's own at the
    /// server.
    fn client_id(&mut self, address: &Address<P>, client_id: &str) -> Option<Box<str>> {
        if !client_id.is_empty() {
            let prefix = &*self.config.upstream.client_id_prefix;
            let own = self.hub_id.strip_prefix(prefix) == Some(client_id);
            return (!own || self.config.mode == Mode::Aggregating).then(|| client_id.into());
        }
        if !self.config.assign_client_ids {
            return None;
        }
        let handshake = self.handshake_at.get(address).and_then(|index| self.handshakes.get(*index as usize));
        let given = match (handshake, self.client_at(address)) {
            (Some(handshake), _) => Some(&*handshake.connect.client_id),
            (None, Some((key, _))) => self.peers.get(key.index as usize).map(|peer| &*peer.client_id),
            (None, None) => None,
        };
        if let Some(given) = given.filter(|given| given.starts_with(ASSIGNED)) {
            return Some(given.into());
        }
        let number = self.random.next_u64();
        Some(format!("{ASSIGNED}{number:016x}").into())
    }

    /// The client whose CONNECT this is again: CONNACK was lost, or the network made a copy, which must not wake a sleeper
    /// either. A client that has done something since, and some time ago, begins anew.
    fn repeated(&self, address: &Address<P>, connect: &Connect, now: Instant) -> Option<PeerKey> {
        let (key, state) = self.client_at(address)?;
        let peer = self.peers.get(key.index as usize)?;
        let same = matches!(state, State::Active | State::Asleep | State::Awake)
            && *peer.client_id == *connect.client_id
            && (peer.clean, peer.keep_alive) == (connect.clean, connect.duration);
        let recent = now - peer.accepted < self.config.duplicate_window;
        // A client that is asked for its will expects to be asked again.
        let quiet = !peer.busy && !connect.will && state == State::Active;
        (same && (recent || quiet)).then_some(key)
    }

    pub(super) fn answer_connect_again(&mut self, key: PeerKey) {
        let Some(peer) = self.peers.get(key.index as usize) else { return };
        self.out.send(&peer.address, &Packet::ConnAck(ReturnCode::ACCEPTED));
    }

    pub(super) fn refuse_connect(&mut self, address: &Address<P>, return_code: ReturnCode, now: Instant) {
        self.out.counters.connects_refused += 1;
        self.forget_handshake_of(address);
        if self.may_answer(address, now) {
            self.out.send(address, &Packet::ConnAck(return_code));
            self.out.event(io::Event::Refused { address: address.clone(), return_code });
        }
    }

    fn begin_handshake(&mut self, address: &Address<P>, connect: Connect, now: Instant) {
        self.forget_handshake_of(address);
        if self.handshakes.len() >= self.config.max_handshakes as usize {
            return self.refuse_connect(address, ReturnCode::CONGESTION, now);
        }
        let handshake = Handshake { address: address.clone(), connect, topic: None };
        let index = self.handshakes.insert(handshake) as u32;
        self.handshake_at.insert(address.clone(), index);
        self.deadlines.set(Timer::Handshake(index), now + self.config.handshake_timeout);
        self.go_on(index, Event::Connect);
    }

    pub(super) fn on_will_topic(
        &mut self,
        address: &Address<P>,
        topic: Option<&WillTopic<'_>>,
        now: Instant,
    ) {
        let Some(&index) = self.handshake_at.get(address) else { return };
        let Some(topic) = topic else {
            if self.go_on(index, Event::EmptyWillTopic) == Reaction::Delete {
                self.complete(index, WillChange::Delete, now);
            }
            return;
        };
        if !self.is_will_topic(topic.topic) {
            return self.refuse_connect(address, ReturnCode::NOT_SUPPORTED, now);
        }
        if let Some(handshake) = self.handshakes.get_mut(index as usize) {
            handshake.topic = Some(super::handshake::WillTopic {
                topic: topic.topic.into(),
                qos: mqtt_qos(topic.qos),
                retain: topic.retain,
            });
        }
        self.go_on(index, Event::WillTopic);
    }

    pub(super) fn on_will_message(&mut self, address: &Address<P>, message: &[u8], now: Instant) {
        let Some(&index) = self.handshake_at.get(address) else { return };
        if self.go_on(index, Event::WillMsg) != Reaction::Accept {
            return;
        }
        if message.len() > usize::from(self.config.max_will_size) {
            return self.refuse_connect(address, ReturnCode::NOT_SUPPORTED, now);
        }
        let topic = self.handshakes.get_mut(index as usize).and_then(|handshake| handshake.topic.take());
        let Some(topic) = topic else { return };
        let will = Will { topic: topic.topic, message: message.into(), qos: topic.qos, retain: topic.retain };
        self.complete(index, WillChange::Set(Box::new(will)), now);
    }

    /// Whether a will may go there.
    pub(super) fn is_will_topic(&self, topic: &str) -> bool {
        self.may_publish_to(topic)
    }

    /// Whether a client may publish there: a topic name within the limits, and not one of the server's own.
    pub(super) fn may_publish_to(&self, topic: &str) -> bool {
        TopicName::new(topic).is_ok_and(|name| {
            name.check(&self.config.topic_limits).is_ok()
                && (self.config.publish_to_dollar || !name.is_dollar())
        })
    }

    /// Asks what the table says is to be asked.
    fn go_on(&mut self, index: u32, event: Event) -> Reaction {
        let Some(handshake) = self.handshakes.get(index as usize) else { return Reaction::Ignore };
        let reaction = handshake.step().apply(event);
        match reaction {
            Reaction::AskTopic => self.out.send(&handshake.address, &Packet::WillTopicReq),
            Reaction::AskMessage => self.out.send(&handshake.address, &Packet::WillMsgReq),
            Reaction::Delete | Reaction::Accept | Reaction::Ignore => {}
        }
        reaction
    }

    fn complete(&mut self, index: u32, will: WillChange, now: Instant) {
        let Some(handshake) = self.handshakes.get(index as usize) else { return };
        let (address, connect) = (handshake.address.clone(), handshake.connect.clone());
        self.forget_handshake(index);
        self.accept(&address, &connect, will, now);
    }

    pub(super) fn forget_handshake(&mut self, index: u32) {
        if let Some(handshake) = self.handshakes.try_remove(index as usize) {
            self.handshake_at.remove(&handshake.address);
            self.deadlines.cancel(Timer::Handshake(index));
        }
    }

    fn forget_handshake_of(&mut self, address: &Address<P>) {
        if let Some(&index) = self.handshake_at.get(address) {
            self.forget_handshake(index);
        }
    }

    /// The client has said all that it has to say.
    fn accept(&mut self, address: &Address<P>, connect: &Connect, will: WillChange, now: Instant) {
        let key = match self.by_id.get(&*connect.client_id).copied().and_then(|index| self.key(index)) {
            Some(key) => key,
            None if self.peers.len() >= self.config.max_clients as usize => {
                return self.refuse_connect(address, ReturnCode::CONGESTION, now);
            }
            None => self.add_peer(address, &connect.client_id, now),
        };
        self.bind(key, address, now);
        let Some(peer) = self.peer(key) else { return };
        (peer.heard, peer.keep_alive) = (now, connect.duration);
        match peer.state {
            // Only the state changes: what the session has, and what has waited, is still the client's.
            State::Asleep | State::Awake => {
                if connect.clean {
                    // Perhaps it is a new session for the client, which knows no topic ids then.
                    peer.topics.forget_known();
                }
                self.change_will(key, will);
                self.accepted(key, now);
            }
            State::Connecting if peer.clean == connect.clean && will == WillChange::Keep => {}
            State::Connecting | State::Active | State::Disconnected | State::Lost => {
                self.begin(key, connect.clean, will, now);
            }
        }
        self.schedule(key.index);
    }

    /// A new connection, perhaps with the session of an earlier one (§6.3).
    fn begin(&mut self, key: PeerKey, clean: bool, will: WillChange, now: Instant) {
        let key = if clean { self.wipe(key, now) } else { key };
        let Some(peer) = self.peer(key) else { return };
        let key = PeerKey { index: key.index, serial: peer.serial };
        peer.clean = clean;
        peer.requests.clear();
        // A resumed session is one whose topic ids the client may have forgotten (§6.10).
        peer.topics.forget_known();
        self.change_will(key, will);
        match self.config.mode {
            Mode::Aggregating => self.accepted(key, now),
            Mode::Transparent => self.connect_link(key, now),
        }
    }

    /// The client is in: CONNACK, and what has waited.
    pub(super) fn accepted(&mut self, key: PeerKey, now: Instant) {
        let Some(peer) = self.peers.get_mut(key.index as usize) else { return };
        let first = !peer.state.is_connected();
        // From `Disconnected` and `Lost` by way of `Connecting`, be it for no time at all.
        if first && let Some(next) = peer.state.next(state::Event::Connect) {
            peer.state = next;
        }
        let Some(next) = peer.state.next(state::Event::Accept) else { return };
        peer.state = next;
        (peer.heard, peer.accepted, peer.busy) = (now, now, false);
        self.out.counters.connects_accepted += 1;
        self.out.send(&peer.address, &Packet::ConnAck(ReturnCode::ACCEPTED));
        if first {
            let (client_id, address) = (peer.client_id.clone(), peer.address.clone());
            self.out.event(io::Event::Connected { client_id, address });
        }
        self.resume(key, now);
        self.schedule(key.index);
    }
}
