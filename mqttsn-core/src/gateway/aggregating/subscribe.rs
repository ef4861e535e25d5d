//! Subscriptions of clients become subscriptions at the server: one for each filter, at the highest QoS.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Debug;
use core::time::Duration;

use machine::Instant;
use mqtt_codec::{Properties, Property, ProtocolVersion, QoS, SubscriptionIdentifier, SubscriptionOptions};
use mqtt_core::client::{Client, Handle, Outcome};
use mqttsn_codec::ReturnCode;
use topic_match::{SubscriberId, TopicFilter};

use super::Route;
use super::filters::{Filter, Request, Step, Waiter};
use crate::gateway::link::{Origin, What};
use crate::gateway::peer::{self, PeerKey};
use crate::gateway::subscribe::granted;
use crate::gateway::{Gateway, Timer};

/// When the server is asked again after the queue of requests was full.
const LATER: Duration = Duration::from_secs(1);

impl<P: Clone + Ord + Debug> Gateway<P> {
    pub(in crate::gateway) fn subscribe(
        &mut self,
        key: PeerKey,
        request: peer::Request,
        name: &str,
        qos: QoS,
        now: Instant,
    ) -> Result<(), ReturnCode> {
        let connected = self.is_upstream_connected();
        let aggregate = self.aggregate.as_mut().ok_or(ReturnCode::CONGESTION)?;
        let known = aggregate.filters.find(name).and_then(|number| aggregate.filters.get(number)?.granted);
        if known.is_none() && !connected {
            return Err(ReturnCode::CONGESTION);
        }
        // Those that are being given up count until the server has answered.
        let full = aggregate.filters.len() >= self.config.upstream.max_filters as usize;
        if full && aggregate.filters.find(name).is_none() {
            return Err(ReturnCode::CONGESTION);
        }
        let number = aggregate.filters.open(name);
        let (filter, route) = (TopicFilter::assume_valid(name), Route { filter: number, qos });
        let old = aggregate.index.insert(filter, SubscriberId(key.index), route);
        let Some(filter) = aggregate.filters.get_mut(number) else { return Err(ReturnCode::CONGESTION) };
        let Ok(old) = old else {
            if filter.step() == Step::Forget {
                aggregate.filters.remove(number);
            }
            return Err(ReturnCode::CONGESTION);
        };
        if let Some(old) = old {
            filter.count(old.qos, -1);
        }
        filter.count(qos, 1);
        if !filter.next_joiners.contains(&key) {
            filter.next_joiners.push(key);
        }
        // While the subscription is being raised, what was granted before is no answer to who wants more.
        let raising = filter.request == Some(Request::Subscribe);
        let at_once = filter.granted.filter(|granted| qos <= *granted || (!raising && qos <= filter.asked));
        if at_once.is_none() {
            filter.waiters.push(Waiter { peer: key, id: request.id, qos });
        }
        if let Some(peer) = self.peer(key) {
            peer.requests.push(request);
        }
        if let Some(granted) = at_once {
            self.answer_subscribe(key, request.id, Ok(granted.min(qos)));
        }
        self.collect(number, self.config.subscribe_delay, now);
        Ok(())
    }

    pub(in crate::gateway) fn unsubscribe(&mut self, key: PeerKey, name: &str, now: Instant) {
        let Some(aggregate) = &mut self.aggregate else { return };
        let filter = TopicFilter::assume_valid(name);
        let Some(route) = aggregate.index.remove(filter, SubscriberId(key.index)) else { return };
        self.left(key, route, now);
    }

    /// A client that is gone.
    pub(in crate::gateway) fn unsubscribe_all(&mut self, key: PeerKey, now: Instant) {
        let Some(aggregate) = &mut self.aggregate else { return };
        let mut routes: Vec<Route> = Vec::new();
        aggregate.index.subscriptions_of(SubscriberId(key.index), |_, route| routes.push(route));
        aggregate.index.remove_subscriber(SubscriberId(key.index));
        for route in routes {
            self.left(key, route, now);
        }
    }

    fn left(&mut self, key: PeerKey, route: Route, now: Instant) {
        let filter = self.aggregate.as_mut().and_then(|aggregate| aggregate.filters.get_mut(route.filter));
        let Some(filter) = filter else { return };
        filter.count(route.qos, -1);
        filter.waiters.retain(|waiter| waiter.peer != key);
        filter.joiners.retain(|joiner| *joiner != key);
        filter.next_joiners.retain(|joiner| *joiner != key);
        self.collect(route.filter, self.config.subscribe_delay, now);
    }

    /// The subscription of this filter may have to change, with others in a moment.
    fn collect(&mut self, number: u32, delay: Duration, now: Instant) {
        let Some(aggregate) = &mut self.aggregate else { return };
        aggregate.batch.insert(number);
        if self.deadlines.get(Timer::Batch).is_none() {
            self.deadlines.set(Timer::Batch, now + delay);
        }
    }

    /// The connection and all that was asked for on it are gone.
    pub(in crate::gateway) fn subscribe_anew(&mut self, now: Instant) {
        let all = self.aggregate.as_mut().map(|aggregate| aggregate.filters.forget_server());
        for number in all.into_iter().flatten() {
            self.collect(number, self.config.subscribe_delay, now);
        }
    }

    pub(in crate::gateway) fn send_batch(&mut self, now: Instant) {
        let batch = self.aggregate.as_mut().map(|aggregate| core::mem::take(&mut aggregate.batch));
        for number in batch.into_iter().flatten() {
            self.bring_in_step(number, now);
        }
    }

    /// Asks the server for what is wanted of it.
    pub(super) fn bring_in_step(&mut self, number: u32, now: Instant) {
        let Some(aggregate) = &mut self.aggregate else { return };
        let Some(filter) = aggregate.filters.get_mut(number) else { return };
        let Some(hub) = self.hub else { return };
        let Some(link) = self.links.get_mut(hub as usize) else { return };
        let (request, handle) = match filter.step() {
            Step::Nothing => return,
            Step::Forget => {
                self.deadlines.cancel(Timer::Filter(number));
                return aggregate.filters.remove(number);
            }
            Step::Subscribe(qos) => {
                filter.asked = qos;
                (Request::Subscribe, ask(&mut link.client, number, filter, now))
            }
            Step::Unsubscribe => {
                let handle = link.client.unsubscribe(&[&filter.name], Properties::NONE, now).ok();
                (Request::Unsubscribe, handle)
            }
        };
        let Some(handle) = handle else { return self.collect(number, LATER, now) };
        filter.request = Some(request);
        match request {
            Request::Subscribe => aggregate.filters.let_in(number),
            // Who asks for it again waits until the server has it again.
            Request::Unsubscribe => filter.granted = None,
        }
        let nobody = PeerKey { index: u32::MAX, serial: 0 };
        link.origins.insert(handle, Origin { peer: nobody, what: What::Filter(number) });
        self.dirty.push_back(hub);
    }

    /// SUBACK or UNSUBACK of the server.
    pub(in crate::gateway) fn filter_answered(&mut self, number: u32, outcome: &Outcome, now: Instant) {
        let Some(aggregate) = &mut self.aggregate else { return };
        let Some(filter) = aggregate.filters.get_mut(number) else { return };
        match filter.request.take() {
            Some(Request::Subscribe) => {
                let result = match outcome {
                    Outcome::Subscribed(reasons) => {
                        reasons.first().map_or(Err(ReturnCode::NOT_SUPPORTED), |reason| granted(*reason))
                    }
                    _ => Err(ReturnCode::NOT_SUPPORTED),
                };
                self.subscribed(number, result, now);
            }
            Some(Request::Unsubscribe) | None => {}
        }
        self.bring_in_step(number, now);
    }

    fn subscribed(&mut self, number: u32, result: Result<QoS, ReturnCode>, now: Instant) {
        let Some(aggregate) = &mut self.aggregate else { return };
        let Some(filter) = aggregate.filters.get_mut(number) else { return };
        let asked = filter.asked;
        if let Ok(qos) = result {
            filter.granted = Some(qos);
            filter.open = true;
            self.deadlines.set(Timer::Filter(number), now + self.config.retained_window);
        }
        let (answered, waiting): (Vec<_>, Vec<_>) =
            core::mem::take(&mut filter.waiters).into_iter().partition(|waiter| waiter.qos <= asked);
        filter.waiters = waiting;
        let name: String = (*filter.name).into();
        for waiter in answered {
            if result.is_err() && self.peer(waiter.peer).is_some() {
                self.unsubscribe(waiter.peer, &name, now);
            }
            let result = result.map(|granted| granted.min(waiter.qos));
            self.answer_subscribe(waiter.peer, waiter.id, result);
        }
    }
}

/// SUBSCRIBE, with an identifier that finds the filter again in each message (MQTT 5 §3.8.2.1.2).
fn ask(client: &mut Client, number: u32, filter: &Filter, now: Instant) -> Option<Handle> {
    let options = SubscriptionOptions::qos(filter.asked);
    let identifier = SubscriptionIdentifier::new(number + 1).map(Property::SubscriptionIdentifier);
    let v5 = client.config().version == ProtocolVersion::V5;
    let properties = identifier.as_slice();
    let properties = if v5 { Properties::list(properties) } else { Properties::NONE };
    client.subscribe(&[(&filter.name, options)], properties, now).ok()
}
