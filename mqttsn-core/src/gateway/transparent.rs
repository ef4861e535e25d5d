//! The transparent gateway (§4.1): each client has an MQTT connection of its own, with its client identifier, its session and
//! its will at the server.
//!
//! A message is acknowledged to the server when the client has acknowledged it; until then the server keeps it, too. So the
//! receive maximum of MQTT 5 bounds what waits here for a sleeper.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt::Debug;
use core::time::Duration;

use machine::Instant;
use mqtt_codec::{Properties, QoS, ReasonCode, SubscriptionOptions};
use mqtt_core::PropertyBuffer;
use mqtt_core::client::{self, Client, DisconnectReason, Message, Outcome};
use mqttsn_codec::{Packet, ReturnCode};

use super::link::{Link, Origin, What};
use super::peer::{PeerKey, Request, RequestKind, Will};
use super::publish::code_of;
use super::queue::Queued;
use super::state::{Event, State};
use super::{Gateway, io, will};

impl<P: Clone + Ord + Debug> Gateway<P> {
    /// The client wants to be connected: its link makes a connection, if it has none.
    pub(super) fn connect_link(&mut self, key: PeerKey, now: Instant) {
        let Some(peer) = self.peers.get_mut(key.index as usize) else { return };
        if let Some(next) = peer.state.next(Event::Connect) {
            peer.state = next;
        }
        let will = peer.will.as_deref().map(mqtt_will);
        let link = peer.link.and_then(|index| Some((index, self.links.get_mut(index as usize)?)));
        match link {
            None => self.open_link(key, now),
            Some((_, link)) if link.remove => link.next = Some(key),
            Some((_, link)) if link.is_connected() && !link.leaving && !link.abrupt => {
                self.accepted(key, now);
            }
            Some((index, link)) => {
                link.client.set_will(will);
                // A CONNECT with the last will may be on its way.
                peer.will_changed &= link.upstream.is_some();
                link.leaving = false;
                link.client.connect(now);
                self.dirty.push_back(index);
            }
        }
        self.schedule(key.index);
    }

    fn open_link(&mut self, key: PeerKey, now: Instant) {
        let mut config = self.client_config();
        let seed = self.random.next_u64();
        let Some(peer) = self.peers.get_mut(key.index as usize) else { return };
        let upstream = &self.config.upstream;
        config.client_id.push_str(&upstream.client_id_prefix);
        config.client_id.push_str(&peer.client_id);
        config.clean_start = peer.clean;
        config.session_expiry =
            if peer.clean { upstream.link_grace } else { seconds(self.config.session_expiry) };
        config.will = peer.will.as_deref().map(mqtt_will).map(Box::new);
        config.manual_acknowledgement = true;
        config.receive_maximum = self.config.queue.messages.max(1);
        config.max_queued = upstream.max_queued;
        config.max_memory = upstream.max_memory;
        peer.will_changed = false;
        let mut link = Link::new(Client::new(config, seed, now));
        (link.owner, link.place) = (Some(key), Some(key.index));
        link.client.connect(now);
        let index = self.links.insert(link) as u32;
        peer.link = Some(index);
        self.dirty.push_back(index);
    }

    pub(super) fn link_connected(&mut self, index: u32, session_present: bool, now: Instant) {
        let Some(key) = self.links.get(index as usize).and_then(|link| link.owner) else { return };
        let Some(peer) = self.peer(key) else { return };
        let stale = |queued: &Queued| queued.qos == QoS::AtLeastOnce && queued.receipt.is_some();
        if session_present {
            // The server sends them again, on this connection.
            let before = peer.queue.bytes();
            peer.queue.take(stale);
            let freed = before - peer.queue.bytes();
            self.buffered -= freed;
        } else {
            // It does not; what is held is all there is.
            peer.queue.iter_mut().for_each(|queued| queued.receipt = None);
        }
        if self.peer(key).is_some_and(|peer| peer.state == State::Connecting) {
            self.accepted(key, now);
        }
    }

    pub(super) fn link_disconnected(
        &mut self,
        index: u32,
        reason: DisconnectReason,
        fall_back: bool,
        now: Instant,
    ) {
        let Some(link) = self.links.get_mut(index as usize) else { return };
        let leaving = core::mem::take(&mut link.leaving);
        self.out.counters.wills_dropped += u64::from(leaving);
        if core::mem::take(&mut link.abrupt) || leaving {
            link.client.disconnect(ReasonCode::NORMAL_DISCONNECTION, Properties::NONE, now);
        }
        let owner = link.owner;
        if link.remove || fall_back {
            self.remove_link(index, now);
        }
        let Some(key) = owner.filter(|key| self.key(key.index) == Some(*key)) else { return };
        let Some(peer) = self.peers.get(key.index as usize) else { return };
        match peer.state {
            State::Connecting if fall_back => self.open_link(key, now),
            // The client's own CONNECT came while the last connection was being closed.
            State::Connecting if reason == DisconnectReason::Requested => {}
            State::Connecting => self.turned_away(key, reason, now),
            State::Active | State::Asleep | State::Awake if fall_back || is_final(reason) => {
                self.dismiss(key, now);
            }
            State::Active | State::Asleep | State::Awake | State::Disconnected | State::Lost => {}
        }
    }

    /// The server does not let the client in, or is not there.
    fn turned_away(&mut self, key: PeerKey, reason: DisconnectReason, now: Instant) {
        let return_code = match reason {
            DisconnectReason::Refused(code) | DisconnectReason::Server(code) => code_of(code),
            DisconnectReason::InvalidConfig(_) => ReturnCode::NOT_SUPPORTED,
            _ => ReturnCode::CONGESTION,
        };
        let Some(peer) = self.peers.get_mut(key.index as usize) else { return };
        if let Some(next) = peer.state.next(Event::Refuse) {
            peer.state = next;
        }
        peer.heard = now;
        self.out.counters.connects_refused += 1;
        self.out.send(&peer.address, &Packet::ConnAck(return_code));
        let (address, clean) = (peer.address.clone(), peer.clean);
        self.out.event(io::Event::Refused { address, return_code });
        if clean {
            self.end_session(key, now);
        } else {
            self.rest_link(key, now);
        }
        self.schedule(key.index);
    }

    pub(super) fn link_message(&mut self, index: u32, message: Message, now: Instant) {
        let (qos, retain, receipt) = (message.qos, message.retain, message.delivery);
        match self.links.get(index as usize).and_then(|link| link.owner) {
            Some(key) if self.key(key.index) == Some(key) => {
                let queued = Queued { message: Arc::new(message), qos, retain, receipt };
                self.deliver(key, queued, now);
            }
            // Not acknowledged: the server keeps it, or the session is at its end.
            _ => {}
        }
    }

    pub(super) fn subscribe_link(
        &mut self,
        key: PeerKey,
        request: Request,
        filter: &str,
        qos: QoS,
        now: Instant,
    ) -> Result<(), ReturnCode> {
        let Some((index, link)) = self.live_link(key) else { return Err(ReturnCode::CONGESTION) };
        if !link.is_connected() {
            return Err(ReturnCode::CONGESTION);
        }
        let options = SubscriptionOptions::qos(qos);
        let handle = link.client.subscribe(&[(filter, options)], Properties::NONE, now);
        let handle = handle.map_err(|_| ReturnCode::CONGESTION)?;
        link.origins.insert(handle, Origin { peer: key, what: What::Subscribe(request.id) });
        self.dirty.push_back(index);
        if let Some(peer) = self.peer(key) {
            peer.requests.push(request);
        }
        Ok(())
    }

    pub(super) fn unsubscribe_link(&mut self, key: PeerKey, request: Request, filter: &str, now: Instant) {
        let limit = usize::from(self.config.max_requests);
        if self.peer(key).is_none_or(|peer| peer.requests.len() >= limit) {
            return;
        }
        let Some((index, link)) = self.live_link(key) else { return };
        // UNSUBACK cannot refuse: the client asks again.
        let Ok(handle) = link.client.unsubscribe(&[filter], Properties::NONE, now) else { return };
        link.origins.insert(handle, Origin { peer: key, what: What::Unsubscribe(request.id) });
        self.dirty.push_back(index);
        debug_assert_eq!(request.kind, RequestKind::Unsubscribe);
        if let Some(peer) = self.peer(key) {
            peer.requests.push(request);
        }
    }

    fn live_link(&mut self, key: PeerKey) -> Option<(u32, &mut Link)> {
        let index = self.peer(key)?.link?;
        let link = self.links.get_mut(index as usize).filter(|link| !link.remove)?;
        Some((index, link))
    }

    /// The session is over: DISCONNECT, and the link goes.
    pub(super) fn drop_link(&mut self, key: PeerKey, now: Instant) {
        let Some(index) = self.peers.get(key.index as usize).and_then(|peer| peer.link) else { return };
        let Some(link) = self.links.get_mut(index as usize) else { return };
        if link.remove {
            return;
        }
        (link.remove, link.owner) = (true, None);
        let pending = link.abrupt || link.leaving;
        if !pending {
            self.part(index, true, now);
        }
        if self.links.get(index as usize).is_some_and(|link| link.upstream.is_none()) {
            self.remove_link(index, now);
        }
    }

    /// The client goes and may come back: DISCONNECT, and the link waits for it with all that QoS 2 must remember.
    pub(super) fn rest_link(&mut self, key: PeerKey, now: Instant) {
        if let Some(index) = self.peers.get(key.index as usize).and_then(|peer| peer.link) {
            self.part(index, false, now);
        }
    }

    /// The client is lost: the server publishes the will that it knows, or gets the one that it does not know.
    pub(super) fn lose_link(&mut self, key: PeerKey, now: Instant) {
        let Some(peer) = self.peers.get(key.index as usize) else { return };
        let Some(index) = peer.link else { return };
        let Some(link) = self.links.get_mut(index as usize) else { return };
        match (&peer.will, peer.will_changed) {
            (None, _) => self.part(index, false, now),
            (Some(_), false) => {
                self.out.counters.wills_published += 1;
                if link.upstream.is_some() {
                    link.abrupt = true;
                    self.close_upstream(index);
                } else {
                    // The server has published it when the connection was lost.
                    self.part(index, false, now);
                }
            }
            (Some(will), true) => {
                let Ok(handle) = link.client.publish(&will::publication(will), now) else {
                    self.out.counters.wills_dropped += 1;
                    return self.part(index, false, now);
                };
                link.leaving = true;
                link.origins.insert(handle, Origin { peer: key, what: What::Will });
                self.dirty.push_back(index);
            }
        }
    }

    pub(super) fn will_done(&mut self, index: u32, outcome: &Outcome, now: Instant) {
        let published = matches!(outcome, Outcome::Published(reason) if !reason.is_error());
        self.out.counters.wills_published += u64::from(published);
        self.out.counters.wills_dropped += u64::from(!published);
        let Some(link) = self.links.get_mut(index as usize) else { return };
        if core::mem::take(&mut link.leaving) {
            let end_session = link.remove;
            self.part(index, end_session, now);
        }
    }
}

/// Whether it makes no sense to connect again: another client has the identifier, or may not.
fn is_final(reason: DisconnectReason) -> bool {
    match reason {
        DisconnectReason::Refused(code) => code_of(code) == ReturnCode::NOT_SUPPORTED,
        DisconnectReason::Server(code) => matches!(
            code,
            ReasonCode::SESSION_TAKEN_OVER | ReasonCode::NOT_AUTHORIZED | ReasonCode::ADMINISTRATIVE_ACTION
        ),
        DisconnectReason::InvalidConfig(_) => true,
        _ => false,
    }
}

fn mqtt_will(will: &Will) -> client::Will {
    client::Will {
        topic: will.topic.as_ref().into(),
        payload: will.message.to_vec(),
        qos: will.qos,
        retain: will.retain,
        properties: PropertyBuffer::default(),
    }
}

fn seconds(span: Duration) -> u32 {
    u32::try_from(span.as_secs()).unwrap_or(u32::MAX)
}
