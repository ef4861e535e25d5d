//! ADVERTISE and GWINFO (§6.1): the gateway says that it is there while it can serve clients.

use core::fmt::Debug;
use core::time::Duration;

use alloc::sync::Arc;
use alloc::vec::Vec;

use machine::Instant;
use mqttsn_codec::{Advertise, GwInfo, Packet, SearchGw};

use super::io::Address;
use super::{Gateway, Timer};

/// The largest radius that an encapsulation can say (§5.5).
const MAX_FORWARDER_RADIUS: u8 = 3;

impl<P: Clone + Ord + Debug> Gateway<P> {
    /// Says it now, and again and again.
    pub(super) fn advertise(&mut self, now: Instant) {
        let Some(advertise) = self.config.advertise else { return };
        if !self.is_upstream_connected() {
            self.deadlines.cancel(Timer::Advertise);
            return;
        }
        let packet = Advertise { gateway_id: self.config.gateway_id, duration: advertise.interval };
        let packet = Packet::Advertise(packet);
        self.out.broadcast(advertise.radius, &packet);
        let radius = advertise.radius.min(MAX_FORWARDER_RADIUS);
        let forwarders: Vec<_> = self.forwarders.keys().cloned().collect();
        for peer in forwarders {
            let everyone = Address { peer, node: Some(Arc::from(&[][..])) };
            self.out.send_around(&everyone, radius, &packet);
        }
        let interval = Duration::from_secs(advertise.interval.max(1).into());
        self.deadlines.set(Timer::Advertise, now + interval);
    }

    /// A search is answered the way it came: to all, to one, or around a node behind a forwarder.
    pub(super) fn on_search(&mut self, from: &Address<P>, search: SearchGw, broadcast: bool, now: Instant) {
        if !self.is_upstream_connected() || !self.may_answer(from, now) {
            return;
        }
        let packet = Packet::GwInfo(GwInfo { gateway_id: self.config.gateway_id, address: None });
        if from.node.is_some() {
            self.out.send_around(from, search.radius.min(MAX_FORWARDER_RADIUS), &packet);
        } else if broadcast {
            self.out.broadcast(search.radius, &packet);
        } else {
            self.out.send(from, &packet);
        }
    }

    /// A forwarder gets ADVERTISE for those behind it; the one that was silent for the longest time gives way.
    pub(super) fn remember_forwarder(&mut self, peer: &P, now: Instant) {
        if let Some(heard) = self.forwarders.get_mut(peer) {
            *heard = now;
            return;
        }
        let limit = usize::from(self.config.max_forwarders);
        if self.forwarders.len() >= limit {
            let oldest = self.forwarders.iter().min_by_key(|(_, heard)| **heard);
            let Some(oldest) = oldest.map(|(peer, _)| peer.clone()) else { return };
            self.forwarders.remove(&oldest);
        }
        if limit > 0 {
            self.forwarders.insert(peer.clone(), now);
        }
    }
}
