//! Keep alive, sleep, and leaving (§6.11, §6.12, §6.14).

use alloc::sync::Arc;
use core::fmt::Debug;

use machine::Instant;
use mqttsn_codec::{Disconnect, Packet, PingReq, ReturnCode};

use super::io::{self, Address};
use super::peer::PeerKey;
use super::state::{Event, State};
use super::{Gateway, Mode};

impl<P: Clone + Ord + Debug> Gateway<P> {
    /// A sign of life.
    pub(super) fn touch(&mut self, key: PeerKey, now: Instant) {
        let Some(peer) = self.peers.get_mut(key.index as usize) else { return };
        (peer.heard, peer.busy) = (now, true);
    }

    /// PINGREQ of a client that is known at this address, with its identifier or without.
    pub(super) fn on_ping(&mut self, key: PeerKey, now: Instant) {
        let Some(peer) = self.peers.get_mut(key.index as usize) else { return };
        let Some(next) = peer.state.next(Event::Wake) else { return };
        let was = core::mem::replace(&mut peer.state, next);
        match next {
            State::Active => self.out.send(&peer.address, &Packet::PingResp),
            _ if was == State::Asleep => self.resume(key, now),
            _ => self.nudge(key, now),
        }
    }

    /// PINGREQ with the identifier of a client that is not known at this address.
    pub(super) fn on_foreign_ping(&mut self, address: &Address<P>, client_id: &str, now: Instant) {
        let key = self.by_id.get(client_id).copied().and_then(|index| self.key(index));
        let key = key.filter(|key| {
            self.config.rebind_on_ping
                && self.peers.get(key.index as usize).is_some_and(|peer| peer.state.is_connected())
        });
        let Some(key) = key else {
            return self.on_stranger(address, &Packet::PingReq(PingReq { client_id: None }), now);
        };
        self.bind(key, address, now);
        self.touch(key, now);
        self.on_ping(key, now);
        self.schedule(key.index);
    }

    /// All that has waited is delivered, or the sleeper does not answer: it sleeps again.
    pub(super) fn fall_asleep(&mut self, key: PeerKey, event: Event, now: Instant) {
        let Some(peer) = self.peers.get_mut(key.index as usize) else { return };
        let Some(next) = peer.state.next(event) else { return };
        if peer.state == State::Awake {
            // The sleep timer starts again.
            peer.heard = now;
            self.out.send(&peer.address, &Packet::PingResp);
        }
        peer.state = next;
    }

    /// DISCONNECT with a duration.
    pub(super) fn on_sleep(&mut self, key: PeerKey, duration: u16, now: Instant) {
        let Some(peer) = self.peers.get_mut(key.index as usize) else { return };
        let Some(next) = peer.state.next(Event::Sleep) else { return };
        (peer.state, peer.sleep, peer.heard) = (next, duration, now);
        self.out.send(&peer.address, &Packet::Disconnect(Disconnect { duration: None }));
        let client_id = Arc::clone(&peer.client_id);
        self.out.event(io::Event::Asleep { client_id, duration });
    }

    /// DISCONNECT without a duration, from a client in any state.
    pub(super) fn on_disconnect(&mut self, key: PeerKey, now: Instant) {
        let Some(peer) = self.peers.get(key.index as usize) else { return };
        self.out.send(&peer.address, &Packet::Disconnect(Disconnect { duration: None }));
        if matches!(peer.state, State::Disconnected | State::Lost) {
            return;
        }
        self.leave(key, Event::Disconnect, now);
    }

    /// The client is asked to connect again: its connection to the server is over.
    pub(super) fn dismiss(&mut self, key: PeerKey, now: Instant) {
        let Some(peer) = self.peers.get(key.index as usize) else { return };
        if peer.state.next(Event::Refuse).is_some() {
            self.out.send(&peer.address, &Packet::Disconnect(Disconnect { duration: None }));
            self.leave(key, Event::Refuse, now);
        }
    }

    /// The client goes in order: no will.
    pub(super) fn leave(&mut self, key: PeerKey, event: Event, now: Instant) {
        let Some(peer) = self.peers.get_mut(key.index as usize) else { return };
        let Some(next) = peer.state.next(event) else { return };
        (peer.state, peer.heard) = (next, now);
        let (client_id, clean) = (Arc::clone(&peer.client_id), peer.clean);
        self.out.event(io::Event::Disconnected { client_id });
        if clean {
            self.end_session(key, now);
        } else {
            self.rest_link(key, now);
        }
        self.schedule(key.index);
    }

    /// The client was silent for too long: its will goes out (§6.14).
    pub(super) fn lost(&mut self, key: PeerKey, now: Instant) {
        let Some(peer) = self.peers.get_mut(key.index as usize) else { return };
        let Some(next) = peer.state.next(Event::Silence) else { return };
        let was = core::mem::replace(&mut peer.state, next);
        peer.heard = now;
        let (client_id, clean) = (Arc::clone(&peer.client_id), peer.clean);
        if was == State::Connecting {
            // A host that never says what became of the connection. Unless somebody else is at this address by now.
            if self.by_address.get(&peer.address) == Some(&key.index) {
                self.out.send(&peer.address, &Packet::ConnAck(ReturnCode::CONGESTION));
            }
            if clean {
                self.end_session(key, now);
            } else {
                self.rest_link(key, now);
            }
            return self.schedule(key.index);
        }
        self.out.counters.clients_lost += 1;
        self.out.event(io::Event::Lost { client_id });
        match self.config.mode {
            Mode::Aggregating => self.publish_will(key, now),
            Mode::Transparent => self.lose_link(key, now),
        }
        if clean {
            self.end_session(key, now);
        }
        self.schedule(key.index);
    }

    /// A client's deadline has come.
    pub(super) fn peer_due(&mut self, index: u32, now: Instant) {
        let Some(key) = self.key(index) else { return };
        let Some(peer) = self.peers.get(index as usize) else { return };
        if peer.supervised_until(&self.config) <= now {
            match peer.state {
                State::Connecting | State::Active | State::Asleep | State::Awake => self.lost(key, now),
                State::Disconnected | State::Lost => {
                    self.out.counters.sessions_expired += u64::from(!peer.clean);
                    self.remove_peer(key, now);
                }
            }
        } else {
            self.retry(key, now);
        }
        self.schedule(index);
    }
}
