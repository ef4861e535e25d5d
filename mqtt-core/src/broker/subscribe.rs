//! SUBSCRIBE and UNSUBSCRIBE (MQTT 5 §3.8 to §3.11).

use alloc::sync::Arc;
use alloc::vec::Vec;

use machine::Instant;
use mqtt_codec::{
    Packet, Properties, QoS, ReasonCode, ReasonCodes, RetainHandling, SubAck, Subscribe,
    SubscriptionIdentifier, SubscriptionOptions, UnsubAck, Unsubscribe,
};
use topic_match::{Subscription, TopicFilter};

use super::Broker;
use super::connection::{PendingSubscribe, Waiting};
use super::receive::Stop;
use super::routing::Routing;
use super::session::Walk;
use super::subscriber::{Route, SessionKey};
use crate::action::Question;
use crate::error::Violation;
use crate::records::Change;

/// So many filters a SUBSCRIBE or UNSUBSCRIBE may have, or as many as the client may hold subscriptions: what is kept while
/// they are decided takes more memory than the packet did, and all others wait until it is done.
const FILTERS_AT_ONCE: usize = 1000;
/// What a subscription costs beside its filter's text, in the index and its tables.
const SUBSCRIPTION_OVERHEAD: usize = 96;
/// What each level of a filter with wildcards costs, should no other filter share it.
const LEVEL_OVERHEAD: usize = 24;

impl Broker {
    pub(super) fn on_subscribe(
        &mut self,
        index: usize,
        subscribe: &Subscribe<'_>,
        now: Instant,
    ) -> Result<(), Stop> {
        self.check_filters(subscribe.filters.iter().map(|(filter, _)| filter))?;
        let identifier =
            subscribe.properties.subscription_identifiers().next().map_or(0, SubscriptionIdentifier::get);
        if identifier > 0 && !self.config.subscription_identifiers {
            return Err(Violation::SubscriptionIdentifiersNotSupported.into());
        }
        let pending = PendingSubscribe {
            packet_id: subscribe.packet_id,
            identifier,
            filters: subscribe.filters.iter().map(|(filter, options)| (filter.into(), options)).collect(),
            reasons: Vec::new(),
        };
        self.go_on_subscribing(index, pending, now);
        Ok(())
    }

    /// The host has decided about the next filter of a SUBSCRIBE.
    pub(super) fn subscribe_decided(
        &mut self,
        index: usize,
        mut pending: PendingSubscribe,
        verdict: Result<(), ReasonCode>,
        now: Instant,
    ) {
        let reason = match (verdict, self.connections[index].session) {
            (Ok(()), Some(key)) => self.subscribe(key, &pending),
            (Err(reason), _) => reason,
            (Ok(()), None) => ReasonCode::UNSPECIFIED_ERROR,
        };
        pending.reasons.push(reason);
        self.go_on_subscribing(index, pending, now);
    }

    fn go_on_subscribing(&mut self, index: usize, mut pending: PendingSubscribe, now: Instant) {
        let Some(key) = self.connections[index].session else { return };
        while let Some((filter, options)) = pending.filters.get(pending.reasons.len()) {
            let reason = match self.check_filter(filter) {
                Err(reason) => reason,
                Ok(()) if self.connections[index].checks.subscribe => {
                    let about = Question::Subscribe { filter: (**filter).into(), qos: options.maximum_qos };
                    return self.ask(index, Waiting::Subscribe(pending), about);
                }
                Ok(()) => self.subscribe(key, &pending),
            };
            pending.reasons.push(reason);
        }
        let suback = SubAck {
            packet_id: pending.packet_id,
            properties: Properties::NONE,
            reasons: ReasonCodes::list(&pending.reasons),
        };
        self.gate(index);
        self.write(index, &Packet::SubAck(suback));
        self.pump(key, now);
    }

    /// What ends the connection, whatever else is in the packet.
    fn check_filters<'a>(&self, filters: impl Iterator<Item = &'a str>) -> Result<(), Violation> {
        let most = FILTERS_AT_ONCE.max(self.config.max_subscriptions_per_client as usize);
        for (count, filter) in filters.enumerate() {
            if count == most {
                return Err(Violation::TooManyFilters);
            }
            if Subscription::parse(filter).is_err() {
                return Err(Violation::TopicFilterMalformed);
            }
        }
        Ok(())
    }

    /// What can be said against a filter without asking the host.
    fn check_filter(&self, text: &str) -> Result<(), ReasonCode> {
        let Ok(subscription) = Subscription::parse(text) else {
            return Err(ReasonCode::TOPIC_FILTER_INVALID);
        };
        if subscription.share_name().is_some() && !self.config.shared_subscriptions {
            return Err(ReasonCode::SHARED_SUBSCRIPTIONS_NOT_SUPPORTED);
        }
        if subscription.filter().has_wildcard() && !self.config.wildcard_subscriptions {
            return Err(ReasonCode::WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED);
        }
        subscription.filter().check(&self.filter_limits).map_err(|_| ReasonCode::TOPIC_FILTER_INVALID)
    }

    /// Makes or replaces the subscription whose turn it is.
    fn subscribe(&mut self, key: SessionKey, pending: &PendingSubscribe) -> ReasonCode {
        let (text, options) = &pending.filters[pending.reasons.len()];
        let options =
            SubscriptionOptions { maximum_qos: options.maximum_qos.min(self.config.max_qos), ..*options };
        let route = Route { options, identifier: pending.identifier };
        let Some(replaced) = self.insert_subscription(key, text, route) else {
            return ReasonCode::QUOTA_EXCEEDED;
        };

        let session = &mut self.sessions[key];
        self.journal.note(session.is_durable(), || Change::Subscribed {
            client_id: Arc::clone(&session.client_id),
            filter: text.clone(),
            options,
            identifier: pending.identifier,
        });
        let wants_retained = match options.retain_handling {
            RetainHandling::SendAtSubscribe => true,
            RetainHandling::SendIfNew => !replaced,
            RetainHandling::DoNotSend => false,
        };
        // Shared subscriptions get no retained messages (§4.8.2).
        if let (true, Ok(Subscription::Plain(filter))) = (wants_retained, Subscription::parse(text)) {
            let cursor = self.retained.cursor(filter);
            let (maximum_qos, identifier) = (options.maximum_qos, pending.identifier);
            session.walks.insert(text.clone(), Walk { cursor, maximum_qos, identifier });
        }
        granted(options.maximum_qos)
    }

    /// Puts a subscription into the index; says whether it replaced one, or `None` when there is no room.
    pub(super) fn insert_subscription(&mut self, key: SessionKey, text: &str, route: Route) -> Option<bool> {
        let subscription = Subscription::parse(text).ok()?;
        let held = self.holds(key, text, &subscription);
        if !held {
            if self.has_all_subscriptions(key) {
                return None;
            }
            self.budget.take(subscription_cost(text)).ok()?;
        }
        let done = match subscription {
            Subscription::Plain(filter) => self.routing.index.insert(filter, key.subscriber(), route).is_ok(),
            Subscription::Shared { filter, .. } => self.join_group(key, text, filter, route),
        };
        if !done && !held {
            self.budget.give_back(subscription_cost(text));
        }
        done.then_some(held)
    }

    fn holds(&self, key: SessionKey, text: &str, subscription: &Subscription<'_>) -> bool {
        match subscription {
            Subscription::Plain(filter) => self.routing.index.get(*filter, key.subscriber()).is_some(),
            Subscription::Shared { .. } => {
                let groups = &self.routing.groups;
                groups.find(text).is_some_and(|id| groups.has_member(id, key))
            }
        }
    }

    /// Whether a session, or all together, have as many subscriptions as they may.
    fn has_all_subscriptions(&self, key: SessionKey) -> bool {
        let Routing { index, groups, .. } = &self.routing;
        let own = index.count_of(key.subscriber()) + self.sessions[key].groups.len();
        // Each group has an entry in the index.
        let all = index.len() - groups.len() + groups.members();
        own >= self.config.max_subscriptions_per_client as usize
            || all >= self.config.max_subscriptions as usize
    }

    /// Makes a session a member of a shared subscription; says whether there was room.
    fn join_group(&mut self, key: SessionKey, name: &str, filter: TopicFilter<'_>, route: Route) -> bool {
        let session = &mut self.sessions[key];
        let Routing { index, groups, .. } = &mut self.routing;
        let (id, new) = groups.find_or_insert(name);
        groups.join(id, key, route, session.connection.is_some());
        if new && index.insert(filter, id.subscriber(), Route::default()).is_err() {
            groups.leave(id, key);
            return false;
        }
        session.groups.insert(id);
        true
    }

    pub(super) fn on_unsubscribe(
        &mut self,
        index: usize,
        unsubscribe: &Unsubscribe<'_>,
        now: Instant,
    ) -> Result<(), Stop> {
        let Some(key) = self.connections[index].session else { return Ok(()) };
        self.check_filters(unsubscribe.filters.iter())?;
        let reasons: Vec<_> = unsubscribe
            .filters
            .iter()
            .map(|filter| {
                if self.remove_subscription(key, filter) {
                    let session = &self.sessions[key];
                    self.journal.note(session.is_durable(), || Change::Unsubscribed {
                        client_id: Arc::clone(&session.client_id),
                        filter: filter.into(),
                    });
                    ReasonCode::SUCCESS
                } else {
                    ReasonCode::NO_SUBSCRIPTION_EXISTED
                }
            })
            .collect();
        let packet_id = unsubscribe.packet_id;
        self.gate(index);
        let unsuback =
            UnsubAck { packet_id, properties: Properties::NONE, reasons: ReasonCodes::list(&reasons) };
        self.write(index, &Packet::UnsubAck(unsuback));
        self.pump(key, now);
        Ok(())
    }

    /// Takes a subscription out of the index; says whether there was one.
    pub(super) fn remove_subscription(&mut self, key: SessionKey, text: &str) -> bool {
        let removed = self.remove_from_index(key, text);
        if removed {
            self.sessions[key].walks.remove(text);
            self.budget.give_back(subscription_cost(text));
        }
        removed
    }

    fn remove_from_index(&mut self, key: SessionKey, text: &str) -> bool {
        match Subscription::parse(text) {
            Ok(Subscription::Plain(filter)) => self.routing.index.remove(filter, key.subscriber()).is_some(),
            Ok(Subscription::Shared { filter, .. }) => {
                let groups = &mut self.routing.groups;
                let Some(id) = groups.find(text) else { return false };
                let Some(gone) = groups.leave(id, key) else { return false };
                if gone {
                    self.routing.index.remove(filter, id.subscriber());
                }
                self.sessions[key].groups.remove(&id);
                true
            }
            Err(_) => false,
        }
    }
}

/// What a subscription counts for under the memory limit.
pub(super) fn subscription_cost(filter: &str) -> usize {
    let levels = if filter.contains(['+', '#']) { filter.split('/').count() } else { 0 };
    SUBSCRIPTION_OVERHEAD + filter.len() + levels * LEVEL_OVERHEAD
}

fn granted(qos: QoS) -> ReasonCode {
    match qos {
        QoS::AtMostOnce => ReasonCode::GRANTED_QOS_0,
        QoS::AtLeastOnce => ReasonCode::GRANTED_QOS_1,
        QoS::ExactlyOnce => ReasonCode::GRANTED_QOS_2,
    }
}
