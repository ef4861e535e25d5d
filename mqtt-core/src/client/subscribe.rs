//! Subscriptions: made, taken back, made again when the server has lost the session (MQTT 5 §3.8 to §3.11).

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use machine::Instant;
use mqtt_codec::{
    Packet, PacketIdentifier, Properties, Property, ReasonCode, SubAck, Subscribe, SubscribeFilters,
    SubscriptionIdentifier, SubscriptionOptions, UnsubAck, Unsubscribe, UnsubscribeFilters,
};
use topic_match::{self as topics, TopicName};

use super::phase::Phase;
use super::records::Change;
use super::{Client, DropReason, Handle, Message, Outcome};
use crate::error::{Refused, Violation};
use crate::property_buffer::PropertyBuffer;

/// A SUBSCRIBE or UNSUBSCRIBE that is not done.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// `None` when the client makes subscriptions again by itself.
    handle: Option<Handle>,
    what: What,
    properties: PropertyBuffer,
}

type Filters = Vec<(Box<str>, SubscriptionOptions)>;

#[derive(Clone, Debug)]
enum What {
    Subscribe { filters: Filters, identifier: u32, owner: Option<Handle> },
    Unsubscribe { filters: Vec<Box<str>> },
}

/// A subscription that the server has granted.
#[derive(Clone, Debug)]
pub(super) struct Subscription {
    pub(super) options: SubscriptionOptions,
    /// 0 for none.
    pub(super) identifier: u32,
    /// The SUBSCRIBE that made it, if that was in this run.
    pub(super) owner: Option<Handle>,
}

impl Client {
    /// Subscribes, now or when there is a connection. The handle tells which SUBSCRIBE a message belongs to, see
    /// [`subscribers`](Self::subscribers).
    ///
    /// # Errors
    /// [`Refused::InvalidTopic`] for a filter that is none, or no filters; [`Refused::Full`] when as many requests wait as
    /// messages may.
    pub fn subscribe(
        &mut self,
        filters: &[(&str, SubscriptionOptions)],
        properties: Properties<'_>,
        now: Instant,
    ) -> Result<Handle, Refused> {
        if filters.is_empty()
            || filters.iter().any(|(filter, _)| topics::Subscription::parse(filter).is_err())
        {
            return Err(Refused::InvalidTopic);
        }
        let handle = self.take_handle();
        let given = properties.subscription_identifiers().next().map(SubscriptionIdentifier::get);
        let what = What::Subscribe {
            filters: filters.iter().map(|(filter, options)| ((*filter).into(), *options)).collect(),
            identifier: given.unwrap_or_else(|| self.take_identifier()),
            owner: Some(handle),
        };
        self.request(
            Request { handle: Some(handle), what, properties: without_identifiers(&properties)? },
            now,
        )?;
        Ok(handle)
    }

    /// Takes subscriptions back, now or when there is a connection.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    pub fn unsubscribe(
        &mut self,
        filters: &[&str],
        properties: Properties<'_>,
        now: Instant,
    ) -> Result<Handle, Refused> {
        if filters.is_empty() || filters.iter().any(|filter| topics::Subscription::parse(filter).is_err()) {
            return Err(Refused::InvalidTopic);
        }
        let handle = self.take_handle();
        let what = What::Unsubscribe { filters: filters.iter().map(|filter| (*filter).into()).collect() };
        self.request(
            Request { handle: Some(handle), what, properties: without_identifiers(&properties)? },
            now,
        )?;
        Ok(handle)
    }

    /// The SUBSCRIBEs of this run that a message belongs to: by its subscription identifiers, or by their filters where the
    /// server sends none.
    pub fn subscribers(&self, message: &Message) -> Vec<Handle> {
        let identifiers: Vec<_> =
            message.properties().subscription_identifiers().map(SubscriptionIdentifier::get).collect();
        let name = TopicName::assume_valid(message.topic());
        let belongs = |filter: &str, subscription: &Subscription| match identifiers.as_slice() {
            [] => topics::Subscription::parse(filter).is_ok_and(|parsed| parsed.filter().matches(name)),
            identifiers => identifiers.contains(&subscription.identifier),
        };
        let mut owners: Vec<_> = self
            .subscriptions
            .iter()
            .filter(|(filter, subscription)| belongs(filter, subscription))
            .filter_map(|(_, subscription)| subscription.owner)
            .collect();
        owners.sort_unstable();
        owners.dedup();
        owners
    }

    /// A subscription identifier; 0 for none.
    fn take_identifier(&mut self) -> u32 {
        if !self.config.subscription_identifiers {
            return 0;
        }
        self.next_subscription_identifier =
            self.next_subscription_identifier % SubscriptionIdentifier::MAX + 1;
        self.next_subscription_identifier
    }

    fn request(&mut self, request: Request, now: Instant) -> Result<(), Refused> {
        if self.requests.len() + self.requested.len() >= self.config.max_queued as usize {
            return Err(Refused::Full);
        }
        self.requests.push_back(request);
        self.send_requests(now);
        self.commit();
        Ok(())
    }

    /// Sends the requests that wait, as long as there are packet identifiers.
    pub(super) fn send_requests(&mut self, now: Instant) {
        while self.phase == Phase::Connected && !self.requests.is_empty() {
            let Some(id) = self.outgoing.reserve() else { return };
            let Some(request) = self.requests.pop_front() else { return };
            if self.send_request(id, &request, now) {
                self.requested.insert(id, request);
            } else {
                self.outgoing.forget(id);
                if let Some(handle) = request.handle {
                    self.complete(handle, Outcome::Dropped(DropReason::TooLarge));
                }
            }
        }
    }

    fn send_request(&mut self, packet_id: PacketIdentifier, request: &Request, now: Instant) -> bool {
        let properties = request.properties.get();
        match &request.what {
            What::Subscribe { filters, identifier, .. } => {
                let available = self.server.subscription_identifiers;
                let identifier = SubscriptionIdentifier::new(*identifier).filter(|_| available);
                let identifier = identifier.map(Property::SubscriptionIdentifier);
                let filters: Vec<_> = filters.iter().map(|(filter, options)| (&**filter, *options)).collect();
                let filters = SubscribeFilters::list(&filters);
                let properties = properties.and(identifier.as_slice());
                self.write(&Packet::Subscribe(Subscribe { packet_id, properties, filters }), now)
            }
            What::Unsubscribe { filters } => {
                let filters: Vec<_> = filters.iter().map(|filter| &**filter).collect();
                let filters = UnsubscribeFilters::list(&filters);
                self.write(&Packet::Unsubscribe(Unsubscribe { packet_id, properties, filters }), now)
            }
        }
    }

    pub(super) fn on_suback(&mut self, suback: &SubAck<'_>, now: Instant) -> Result<(), Violation> {
        let Some(Request { handle, what: What::Subscribe { filters, identifier, owner }, .. }) =
            self.requested.remove(&suback.packet_id)
        else {
            return Err(Violation::AcknowledgementOutOfPlace);
        };
        self.outgoing.forget(suback.packet_id);
        if suback.reasons.len() != filters.len() {
            return Err(Violation::AcknowledgementOutOfPlace);
        }
        for ((filter, options), reason) in filters.into_iter().zip(suback.reasons.iter()) {
            if !reason.is_error() {
                self.journal.note(true, || Change::Subscribed {
                    filter: filter.clone(),
                    options,
                    identifier,
                });
                self.subscriptions.insert(filter, Subscription { options, identifier, owner });
            }
        }
        if let Some(handle) = handle {
            self.complete(handle, Outcome::Subscribed(suback.reasons.iter().collect()));
        }
        self.send_requests(now);
        Ok(())
    }

    pub(super) fn on_unsuback(&mut self, unsuback: &UnsubAck<'_>, now: Instant) -> Result<(), Violation> {
        let Some(Request { handle, what: What::Unsubscribe { filters }, .. }) =
            self.requested.remove(&unsuback.packet_id)
        else {
            return Err(Violation::AcknowledgementOutOfPlace);
        };
        self.outgoing.forget(unsuback.packet_id);
        let reasons: Vec<ReasonCode> = unsuback.reasons.iter().collect();
        for (index, filter) in filters.into_iter().enumerate() {
            if reasons.get(index).is_none_or(|reason| !reason.is_error()) {
                self.subscriptions.remove(&filter);
                self.journal.note(true, || Change::Unsubscribed { filter });
            }
        }
        if let Some(handle) = handle {
            self.complete(handle, Outcome::Unsubscribed(reasons));
        }
        self.send_requests(now);
        Ok(())
    }

    /// The connection is gone: what was not answered is asked again on the next one, first.
    pub(super) fn take_back_requests(&mut self) {
        let mut requested: Vec<_> = core::mem::take(&mut self.requested).into_iter().collect();
        requested.sort_unstable_by_key(|(_, request)| core::cmp::Reverse(request.handle));
        for (id, request) in requested {
            self.outgoing.forget(id);
            if request.handle.is_some() {
                self.requests.push_front(request);
            }
        }
    }

    /// Makes all subscriptions again, one SUBSCRIBE for each that made them, before all other requests.
    pub(super) fn subscribe_again(&mut self) {
        let mut groups: BTreeMap<(u32, Option<Handle>), Filters> = BTreeMap::new();
        for (filter, subscription) in &self.subscriptions {
            let group = groups.entry((subscription.identifier, subscription.owner)).or_default();
            group.push((filter.clone(), subscription.options));
        }
        for ((identifier, owner), filters) in groups.into_iter().rev() {
            let what = What::Subscribe { filters, identifier, owner };
            self.requests.push_front(Request { handle: None, what, properties: PropertyBuffer::default() });
        }
    }
}

/// The identifier is kept apart.
fn without_identifiers(properties: &Properties<'_>) -> Result<PropertyBuffer, Refused> {
    let kept = properties.iter().filter(|property| !matches!(property, Property::SubscriptionIdentifier(_)));
    PropertyBuffer::new(kept).map_err(|_| Refused::Full)
}
