//! Finding gateways, and telling other clients of them (§6.1).

use core::time::Duration;

use machine::Instant;
use mqttsn_codec::{Advertise, GwInfo, Packet, SearchGw};

use super::gateways::Learned;
use super::phase::Event;
use super::search::{Search, SearchEvent, SearchStep};
use super::transaction::encode;
use super::{Action, Client, Phase, Timer};

/// `T_ADV` of a gateway that has not told it (§7.2).
const DEFAULT_ADVERTISE_INTERVAL: Duration = Duration::from_secs(15 * 60);

impl<P: Clone + Ord> Client<P> {
    /// Looks for gateways, connected or not: [`Action::GatewayFound`] tells of them. The search ends with the first.
    pub fn search(&mut self, now: Instant) {
        self.search_step(SearchEvent::Wanted, now);
    }

    /// The gateways that are known, with their names in the network as far as they told them.
    pub fn gateways(&self) -> impl Iterator<Item = (Option<u8>, &P)> {
        self.gateways.iter()
    }

    pub(super) fn search_step(&mut self, event: SearchEvent, now: Instant) {
        if event == SearchEvent::Wanted && !self.config.discovery {
            return;
        }
        match self.search.step(event) {
            SearchStep::Stay => {}
            SearchStep::Delay => {
                let delay = self.random.between(Duration::ZERO, self.config.search_delay);
                self.search = Search::Delayed;
                self.deadlines.set(Timer::Search, now + delay);
            }
            SearchStep::Wait => self.await_answers(0, now),
            SearchStep::Send { repeated } => {
                let radius = self.config.search_radius;
                let datagram = encode(&Packet::SearchGw(SearchGw { radius }));
                self.actions.push_back(Action::Broadcast { radius, datagram });
                self.await_answers(repeated, now);
            }
            SearchStep::Rest => {
                self.search = Search::Quiet;
                self.deadlines.cancel(Timer::Search);
            }
        }
    }

    fn await_answers(&mut self, repeated: u32, now: Instant) {
        self.search = Search::Waiting { repeated };
        let doubled = self.config.search_delay.saturating_mul(2_u32.saturating_pow(repeated));
        self.deadlines.set(Timer::Search, now + doubled.min(self.config.max_search_interval));
    }

    pub(super) fn on_advertise(&mut self, advertise: Advertise, from: &P, now: Instant) {
        let interval = Duration::from_secs(u64::from(advertise.duration));
        let expires = self.expires(interval, now);
        self.learn(advertise.gateway_id, from, expires, now);
        self.gateways.advertised(from, expires);
        self.watch_gateways();
    }

    pub(super) fn on_gateway_info(&mut self, info: &GwInfo<'_>, from: &P, now: Instant) {
        // Somebody was faster.
        self.answer = None;
        self.deadlines.cancel(Timer::Answer);
        let expires = self.expires(DEFAULT_ADVERTISE_INTERVAL, now);
        match (info.address, self.config.addresses) {
            (None, _) => self.learn(info.gateway_id, from, expires, now),
            (Some(octets), Some(format)) => {
                if let Some(address) = (format.read)(octets) {
                    self.learn(info.gateway_id, &address, expires, now);
                } else {
                    self.counters.malformed += 1;
                }
            }
            (Some(_), None) => self.counters.foreign += 1,
        }
        self.watch_gateways();
    }

    fn expires(&self, interval: Duration, now: Instant) -> Instant {
        now + interval.saturating_mul(self.config.missed_advertisements) + self.config.retry_interval
    }

    fn learn(&mut self, gateway_id: u8, address: &P, expires: Instant, now: Instant) {
        if !self.config.discovery {
            return;
        }
        match self.gateways.learn(gateway_id, address, expires) {
            Learned::New => {
                self.actions.push_back(Action::GatewayFound { gateway_id, address: address.clone() });
            }
            Learned::Known => {}
            Learned::Dropped => self.counters.dropped_gateways += 1,
        }
        // Also for one that finds no room: those that are known are tried, and a search would never end.
        self.search_step(SearchEvent::Stop, now);
        match self.phase {
            Phase::Searching => _ = self.choose_gateway(now),
            Phase::Waiting if self.gateways.has_untried() => _ = self.step(Event::WaitOver, now),
            _ => {}
        }
    }

    pub(super) fn on_search(&mut self, search: SearchGw, now: Instant) {
        if search.radius == self.config.search_radius {
            self.search_step(SearchEvent::Overheard, now);
        }
        let listens = self.phase != Phase::Asleep && self.config.answer_searches;
        let knows = self.config.addresses.is_some() && self.gateways.to_tell(self.gateway.as_ref()).is_some();
        if listens && knows && self.answer.is_none() {
            self.answer = Some(search.radius);
            let delay = self.random.between(Duration::ZERO, self.config.answer_delay);
            self.deadlines.set(Timer::Answer, now + delay);
        }
    }

    pub(super) fn answer_search(&mut self) {
        let (Some(radius), Some(format)) = (self.answer.take(), self.config.addresses) else { return };
        let Some((gateway_id, address)) = self.gateways.to_tell(self.gateway.as_ref()) else { return };
        let octets = (format.write)(address);
        let info = Packet::GwInfo(GwInfo { gateway_id, address: Some(&octets) });
        if info.encoded_len().is_ok() {
            self.actions.push_back(Action::Broadcast { radius, datagram: encode(&info) });
        }
    }

    pub(super) fn forget_gateways(&mut self, now: Instant) {
        while let Some(gateway) = self.gateways.expire(self.gateway.as_ref(), now) {
            let (gateway_id, address) = (gateway.id, gateway.address);
            self.actions.push_back(Action::GatewayLost { gateway_id, address });
        }
        self.watch_gateways();
    }

    fn watch_gateways(&mut self) {
        match self.gateways.next_expiry() {
            Some(at) => self.deadlines.set(Timer::Gateways, at),
            None => self.deadlines.cancel(Timer::Gateways),
        }
    }
}
