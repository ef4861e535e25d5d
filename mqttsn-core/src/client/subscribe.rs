//! Subscriptions (§6.9). One SUBSCRIBE or UNSUBSCRIBE at a time.

use alloc::sync::Arc;

use machine::Instant;
use mqttsn_codec::{
    MessageId, Packet, QoS, ReturnCode, ShortTopic, SubAck, Subscribe, SubscribeTopic, TopicId, Unsubscribe,
};
use topic_match::TopicFilter;

use super::transaction::Slot;
use super::{Client, Handle, Hold, Outcome, Refused};

/// What a message or a subscription is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Name(Arc<str>),
    Predefined(TopicId),
    Short(ShortTopic),
}

/// A SUBSCRIBE or UNSUBSCRIBE.
#[derive(Clone, Debug)]
pub(super) struct Request {
    subject: Subject,
    /// `None` unsubscribes.
    qos: Option<QoS>,
    handle: Handle,
    /// It may have been sent before.
    dup: bool,
    postponed: u32,
}

/// A subscription that stands.
#[derive(Clone, Debug)]
pub(super) struct Subscription {
    subject: Subject,
    qos: QoS,
    handle: Handle,
}

impl<P: Clone + Ord> Client<P> {
    /// Subscribes, now or when there is a connection. If a later connection cannot have the subscription, its handle
    /// completes once more, with the rejection.
    ///
    /// # Errors
    /// [`Refused::InvalidTopic`]; [`Refused::TooLong`]; [`Refused::Full`].
    pub fn subscribe(
        &mut self,
        topic: SubscribeTopic<'_>,
        qos: QoS,
        now: Instant,
    ) -> Result<Handle, Refused> {
        let subject = self.check_subject(topic)?;
        let coming = self.requests.iter().filter(|request| request.qos.is_some()).count();
        let standing = self.subscriptions.len() + coming;
        if self.subscription(&subject).is_none() && standing >= self.config.max_subscriptions {
            return Err(Refused::Full);
        }
        self.request(subject, Some(qos), now)
    }

    /// Unsubscribes, now or when there is a connection.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    pub fn unsubscribe(&mut self, topic: SubscribeTopic<'_>, now: Instant) -> Result<Handle, Refused> {
        let subject = self.check_subject(topic)?;
        self.request(subject, None, now)
    }

    fn check_subject(&self, topic: SubscribeTopic<'_>) -> Result<Subject, Refused> {
        let subject = match topic {
            SubscribeTopic::Name(filter) => {
                TopicFilter::new(filter).map_err(|_| Refused::InvalidTopic)?;
                Subject::Name(filter.into())
            }
            SubscribeTopic::Predefined(id) => Subject::Predefined(id),
            SubscribeTopic::Short(name) => {
                name.as_str().and_then(|name| TopicFilter::new(name).ok()).ok_or(Refused::InvalidTopic)?;
                Subject::Short(name)
            }
        };
        self.check_size(&Packet::Unsubscribe(Unsubscribe { message_id: MessageId::MIN, topic }))?;
        Ok(subject)
    }

    fn request(&mut self, subject: Subject, qos: Option<QoS>, now: Instant) -> Result<Handle, Refused> {
        if self.waiting_requests() >= self.config.max_requests {
            return Err(Refused::Full);
        }
        let handle = self.take_handle();
        self.requests.push(Request { subject, qos, handle, dup: false, postponed: 0 });
        self.pump(now);
        Ok(handle)
    }

    pub(super) fn waiting_requests(&self) -> usize {
        self.requests.len() + self.registrations.len()
    }

    pub(super) fn pump_requests(&mut self, now: Instant) {
        if self.requests.is_empty() || self.request.is_some() || self.is_held(Hold::Request) {
            return;
        }
        let request = self.requests.remove(0);
        let id = self.take_message_id();
        let first = packet(&request, id, request.dup);
        let again = packet(&request, id, true);
        self.start_with(Slot::Request, &first, &again, now);
        self.request = Some((request, id));
    }

    /// What was not answered is asked again.
    pub(super) fn suspend_request(&mut self) {
        if let Some((request, _)) = self.request.take() {
            self.requests.insert(0, Request { dup: true, ..request });
        }
    }

    pub(super) fn request_unanswered(&mut self) {
        let limit = self.config.max_postponements;
        if let Some((request, _)) = &mut self.request {
            request.postponed += 1;
        }
        if let Some((request, _)) = self.request.take_if(|(open, _)| open.postponed > limit) {
            self.forget_subscription(&request.subject);
            self.complete(request.handle, Outcome::Unanswered);
        }
    }

    pub(super) fn on_sub_ack(&mut self, ack: SubAck, now: Instant) {
        let answered = self.request.take_if(|(request, id)| *id == ack.message_id && request.qos.is_some());
        let Some((request, _)) = answered else {
            self.counters.out_of_place += 1;
            return;
        };
        self.finish(Slot::Request);
        match ack.return_code {
            ReturnCode::ACCEPTED => self.subscribed(&request, ack),
            ReturnCode::CONGESTION if request.postponed < self.config.max_postponements => {
                self.hold(Hold::Request, now);
                let postponed = request.postponed + 1;
                self.requests.insert(0, Request { postponed, dup: false, ..request });
            }
            code => {
                self.forget_subscription(&request.subject);
                self.complete(request.handle, Outcome::Rejected(code));
            }
        }
        self.pump(now);
    }

    fn subscribed(&mut self, request: &Request, ack: SubAck) {
        let topic_id = match &request.subject {
            Subject::Name(filter) if !TopicFilter::assume_valid(filter).has_wildcard() => {
                let id = TopicId::new(ack.topic_id);
                if let Some(id) = id {
                    self.announced(id, filter);
                }
                id
            }
            Subject::Name(_) | Subject::Short(_) => None,
            Subject::Predefined(id) => Some(*id),
        };
        let standing = self.subscription(&request.subject);
        let again = standing.is_some_and(|subscription| subscription.handle == request.handle);
        let (subject, qos) = (request.subject.clone(), request.qos.unwrap_or(ack.qos));
        self.forget_subscription(&subject);
        self.subscriptions.push(Subscription { subject, qos, handle: request.handle });
        if !again {
            self.complete(request.handle, Outcome::Subscribed { qos: ack.qos, topic_id });
        }
    }

    pub(super) fn on_unsub_ack(&mut self, id: MessageId, now: Instant) {
        let answered = self.request.take_if(|(request, theirs)| *theirs == id && request.qos.is_none());
        let Some((request, _)) = answered else {
            self.counters.out_of_place += 1;
            return;
        };
        self.finish(Slot::Request);
        self.forget_subscription(&request.subject);
        self.complete(request.handle, Outcome::Unsubscribed);
        self.pump(now);
    }

    fn subscription(&self, subject: &Subject) -> Option<&Subscription> {
        self.subscriptions.iter().find(|subscription| subscription.subject == *subject)
    }

    fn forget_subscription(&mut self, subject: &Subject) {
        self.subscriptions.retain(|subscription| subscription.subject != *subject);
    }

    /// A new connection: the gateway may not have the subscriptions.
    pub(super) fn subscribe_again(&mut self) {
        if !self.config.resubscribe {
            return;
        }
        for subscription in self.subscriptions.iter().rev() {
            // One connection after another may fail before it is sent.
            if self.requests.iter().any(|request| request.handle == subscription.handle) {
                continue;
            }
            self.requests.insert(
                0,
                Request {
                    subject: subscription.subject.clone(),
                    qos: Some(subscription.qos),
                    handle: subscription.handle,
                    dup: false,
                    postponed: 0,
                },
            );
        }
    }
}

fn packet(request: &Request, message_id: MessageId, dup: bool) -> Packet<'_> {
    let topic = match &request.subject {
        Subject::Name(name) => SubscribeTopic::Name(name),
        Subject::Predefined(id) => SubscribeTopic::Predefined(*id),
        Subject::Short(name) => SubscribeTopic::Short(*name),
    };
    match request.qos {
        Some(qos) => Packet::Subscribe(Subscribe { dup, qos, message_id, topic }),
        None => Packet::Unsubscribe(Unsubscribe { message_id, topic }),
    }
}
