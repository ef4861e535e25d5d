//! Subscriptions: made, taken back, made again when the server has lost the session (MQTT 5 §3.8 to §3.11).

use alloc::boxed::Box;
use alloc::vec::Vec;

use machine::Instant;
use mqtt_codec::{
    Packet, PacketIdentifier, Properties, Property, PropertyContext, ProtocolVersion, ReasonCode, SubAck,
    Subscribe, SubscribeFilters, SubscriptionIdentifier, SubscriptionOptions, UnsubAck, Unsubscribe,
    UnsubscribeFilters,
};
use topic_match::{self as topics, TopicName};

use super::phase::Phase;
use super::records::Change;
use super::subscriptions::Subscription;
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

impl Request {
    /// The filters of an UNSUBSCRIBE.
    fn taken_back(&self) -> &[Box<str>] {
        match &self.what {
            What::Subscribe { .. } => &[],
            What::Unsubscribe { filters } => filters,
        }
    }
}

impl Client {
    /// Subscribes, now or when there is a connection. The handle tells which SUBSCRIBE a message belongs to, see
    /// [`subscribers`](Self::subscribers).
    ///
    /// # Errors
    /// [`Refused::InvalidTopic`] for a filter that is none, no filters, or No Local on a shared subscription;
    /// [`Refused::InvalidProperties`]; [`Refused::Full`] when as many requests wait as messages may.
    pub fn subscribe(
        &mut self,
        filters: &[(&str, SubscriptionOptions)],
        properties: Properties<'_>,
        now: Instant,
    ) -> Result<Handle, Refused> {
        if filters.is_empty() || !filters.iter().all(|(filter, options)| is_valid(filter, *options)) {
            return Err(Refused::InvalidTopic);
        }
        let kept = without_identifiers(&properties, PropertyContext::Subscribe)?;
        let handle = self.take_handle();
        let given = properties.subscription_identifiers().next().map(SubscriptionIdentifier::get);
        let what = What::Subscribe {
            filters: filters.iter().map(|(filter, options)| ((*filter).into(), *options)).collect(),
            identifier: given.unwrap_or_else(|| self.take_identifier()),
            owner: Some(handle),
        };
        self.request(Request { handle: Some(handle), what, properties: kept }, now)?;
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
        let properties = without_identifiers(&properties, PropertyContext::Unsubscribe)?;
        let handle = self.take_handle();
        let what = What::Unsubscribe { filters: filters.iter().map(|filter| (*filter).into()).collect() };
        self.request(Request { handle: Some(handle), what, properties }, now)?;
        Ok(handle)
    }

    /// The SUBSCRIBEs of this run that a message belongs to: by its subscription identifiers, or by their filters where the
    /// server sends none.
    pub fn subscribers(&self, message: &Message) -> Vec<Handle> {
        let identifiers: Vec<_> =
            message.properties().subscription_identifiers().map(SubscriptionIdentifier::get).collect();
        let name = TopicName::assume_valid(message.topic());
        let belongs = |filter: &str, identifier: u32| match identifiers.as_slice() {
            [] => topics::Subscription::parse(filter).is_ok_and(|parsed| parsed.filter().matches(name)),
            identifiers => identifiers.contains(&identifier),
        };
        let granted = self
            .subscriptions
            .iter()
            .filter(|granted| belongs(&granted.filter, granted.identifier))
            .filter_map(|granted| granted.owner);
        // A message may come before the SUBACK.
        let requested = self.requested.iter().filter_map(|(_, request)| match &request.what {
            What::Subscribe { filters, identifier, owner } => {
                owner.filter(|_| filters.iter().any(|(filter, _)| belongs(filter, *identifier)))
            }
            What::Unsubscribe { .. } => None,
        });
        let mut owners: Vec<_> = granted.chain(requested).collect();
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
    #[inline]
    pub(super) fn send_requests(&mut self, now: Instant) {
        if !self.requests.is_empty() {
            self.send_waiting_requests(now);
        }
    }

    fn send_waiting_requests(&mut self, now: Instant) {
        while self.phase == Phase::Connected && !self.requests.is_empty() {
            let Some(id) = self.outgoing.reserve() else { return };
            let Some(request) = self.requests.pop_front() else { return };
            let reason = if !self.is_supported(&request) {
                DropReason::SubscriptionNotSupported
            } else if self.send_request(id, &request, now) {
                self.requested.push((id, request));
                continue;
            } else {
                DropReason::TooLarge
            };
            self.outgoing.forget(id);
            if let Some(handle) = request.handle {
                self.complete(handle, Outcome::Dropped(reason));
            }
        }
    }

    fn is_supported(&self, request: &Request) -> bool {
        match &request.what {
            What::Subscribe { filters, .. } => {
                filters.iter().all(|(filter, _)| self.server.has_subscription(filter))
            }
            What::Unsubscribe { .. } => true,
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
        let fits = |request: &Request| match &request.what {
            What::Subscribe { filters, .. } => filters.len() == suback.reasons.len(),
            What::Unsubscribe { .. } => false,
        };
        let request = self.take_request(suback.packet_id, fits)?;
        let (handle, What::Subscribe { filters, identifier, owner }) = (request.handle, request.what) else {
            return Ok(());
        };
        for ((filter, options), reason) in filters.into_iter().zip(suback.reasons.iter()) {
            if !reason.is_error() {
                self.journal.note(true, || Change::Subscribed {
                    filter: filter.clone(),
                    options,
                    identifier,
                });
                self.subscriptions.insert(Subscription { filter, options, identifier, owner });
            }
        }
        if let Some(handle) = handle {
            self.complete(handle, Outcome::Subscribed(suback.reasons.iter().collect()));
        }
        self.send_requests(now);
        Ok(())
    }

    /// The request that is answered; one that the answer does not fit stays, to be asked again.
    fn take_request(
        &mut self,
        id: PacketIdentifier,
        fits: impl Fn(&Request) -> bool,
    ) -> Result<Request, Violation> {
        let place = self.requested.iter().position(|(requested, request)| *requested == id && fits(request));
        let Some(place) = place else { return Err(Violation::AcknowledgementOutOfPlace) };
        self.outgoing.forget(id);
        Ok(self.requested.remove(place).1)
    }

    pub(super) fn on_unsuback(&mut self, unsuback: &UnsubAck<'_>, now: Instant) -> Result<(), Violation> {
        let each = self.config.version == ProtocolVersion::V5;
        let fits = |request: &Request| match &request.what {
            What::Subscribe { .. } => false,
            What::Unsubscribe { filters } => !each || filters.len() == unsuback.reasons.len(),
        };
        let request = self.take_request(unsuback.packet_id, fits)?;
        let (handle, What::Unsubscribe { filters }) = (request.handle, request.what) else { return Ok(()) };
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
        for (id, request) in core::mem::take(&mut self.requested).into_iter().rev() {
            self.outgoing.forget(id);
            self.requests.push_front(request);
        }
    }

    /// Makes all subscriptions again, one SUBSCRIBE for each that made them, before all other requests; but not those that
    /// wait to be taken back.
    pub(super) fn subscribe_again(&mut self) {
        // What is left of the last time: it is all made again now.
        self.requests.retain(|request| request.handle.is_some());
        let mut wanted = self.subscriptions.clone();
        for request in &self.requests {
            request.taken_back().iter().for_each(|filter| wanted.remove(filter));
        }
        let mut wanted = wanted.into_groups();
        while let Some(group) = wanted.last().map(Subscription::group) {
            let start = wanted.partition_point(|subscription| subscription.group() < group);
            let filters = wanted.drain(start..).map(|wanted| (wanted.filter, wanted.options)).collect();
            let what = What::Subscribe { filters, identifier: group.0, owner: group.1 };
            self.requests.push_front(Request { handle: None, what, properties: PropertyBuffer::default() });
        }
    }
}

/// A filter with options that may go with it [MQTT-3.8.3-4].
fn is_valid(filter: &str, options: SubscriptionOptions) -> bool {
    topics::Subscription::parse(filter).is_ok() && !(options.no_local && filter.starts_with("$share/"))
}

/// The identifier is kept apart.
fn without_identifiers(
    properties: &Properties<'_>,
    context: PropertyContext,
) -> Result<PropertyBuffer, Refused> {
    let kept = properties.iter().filter(|property| !matches!(property, Property::SubscriptionIdentifier(_)));
    let kept = PropertyBuffer::new(kept).map_err(|_| Refused::InvalidProperties)?;
    Properties::validate(kept.get().encoded(), context).map_err(|_| Refused::InvalidProperties)?;
    Ok(kept)
}
