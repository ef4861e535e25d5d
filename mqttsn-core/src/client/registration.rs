//! Topic names and their ids, both ways (§6.5). One REGISTER at a time.

use alloc::sync::Arc;

use machine::Instant;
use mqttsn_codec::{MessageId, Packet, RegAck, Register, ReturnCode, TopicId};
use topic_match::TopicName;

use super::transaction::Slot;
use super::{Client, Handle, Hold, Outcome, Phase, Refused, Subject, Timer};

/// A topic name that is to have an id.
#[derive(Clone, Debug)]
pub(super) struct Registration {
    name: Arc<str>,
    /// Who asked for it, if not a message that is to be sent.
    handle: Option<Handle>,
    postponed: u32,
}

impl<P: Clone + Ord> Client<P> {
    /// Registers a topic name before anything is published to it. Publishing does so by itself.
    ///
    /// # Errors
    /// [`Refused::InvalidTopic`]; [`Refused::TooLong`]; [`Refused::Full`].
    pub fn register(&mut self, name: &str, now: Instant) -> Result<Handle, Refused> {
        self.check_name(name)?;
        if self.waiting_requests() >= self.config.max_requests {
            return Err(Refused::Full);
        }
        let handle = self.take_handle();
        if let (Phase::Active, Some(id)) = (self.phase, self.topics.id(name)) {
            self.complete(handle, Outcome::Registered(id));
            return Ok(handle);
        }
        let (name, handle_of) = (name.into(), Some(handle));
        self.registrations.push(Registration { name, handle: handle_of, postponed: 0 });
        self.pump(now);
        Ok(handle)
    }

    pub(super) fn check_name(&self, name: &str) -> Result<(), Refused> {
        TopicName::new(name).map_err(|_| Refused::InvalidTopic)?;
        self.check_size(&Packet::Register(register(None, MessageId::MIN, name)))
    }

    /// A message cannot be sent before its topic name has an id.
    pub(super) fn want_id(&mut self, name: &Arc<str>) {
        let open = self.registering.as_ref().map(|(registration, _)| registration);
        let mut wanted = self.registrations.iter().chain(open);
        if !wanted.any(|registration| registration.name == *name) {
            self.registrations.push(Registration { name: Arc::clone(name), handle: None, postponed: 0 });
        }
    }

    pub(super) fn pump_registrations(&mut self, now: Instant) {
        if self.registering.is_some() || self.is_held(Hold::Register) {
            return;
        }
        while !self.registrations.is_empty() {
            let registration = self.registrations.remove(0);

            if let Some(id) = self.topics.id(&registration.name) {
                self.registered(&registration, id);
                continue;
            }
            let id = self.take_message_id();
            let name = Arc::clone(&registration.name);
            self.registering = Some((registration, id));
            self.start(Slot::Register, &Packet::Register(register(None, id, &name)), now);
            return;
        }
    }

    /// What was not answered is asked again.
    pub(super) fn suspend_registration(&mut self) {
        if let Some((registration, _)) = self.registering.take() {
            self.registrations.insert(0, registration);
        }
    }

    pub(super) fn registration_unanswered(&mut self) {
        let limit = self.config.max_postponements;
        if let Some((registration, _)) = &mut self.registering {
            registration.postponed += 1;
        }
        if let Some((registration, _)) = self.registering.take_if(|(open, _)| open.postponed > limit) {
            self.not_registered(&registration, Outcome::Unanswered);
        }
    }

    pub(super) fn on_reg_ack(&mut self, ack: RegAck, now: Instant) {
        let answered = self.registering.take_if(|(_, id)| *id == ack.message_id);
        let Some((registration, _)) = answered else {
            self.counters.out_of_place += 1;
            return;
        };
        self.finish(Slot::Register);
        match (ack.return_code, TopicId::new(ack.topic_id)) {
            (ReturnCode::ACCEPTED, Some(id)) => {
                let limit = self.config.max_topics;
                self.counters.evicted_topics +=
                    u64::from(self.topics.registered(&registration.name, id, limit));
                // The gateway may send with it, too: it knows that the client knows.
                self.announced(id, &registration.name);
                self.registered(&registration, id);
            }
            (ReturnCode::CONGESTION, _) if registration.postponed < self.config.max_postponements => {
                self.hold(Hold::Register, now);
                let postponed = registration.postponed + 1;
                self.registrations.insert(0, Registration { postponed, ..registration });
            }
            (code, _) => {
                // Accepted without an id that could be used.
                let code = if code.is_accepted() { ReturnCode::INVALID_TOPIC_ID } else { code };
                self.not_registered(&registration, Outcome::Rejected(code));
            }
        }
        self.pump(now);
    }

    fn registered(&mut self, registration: &Registration, id: TopicId) {
        if let Some(handle) = registration.handle {
            self.complete(handle, Outcome::Registered(id));
        }
    }

    fn not_registered(&mut self, registration: &Registration, outcome: Outcome) {
        if let Some(handle) = registration.handle {
            self.complete(handle, outcome);
        }
        self.reject_messages(&Subject::Name(Arc::clone(&registration.name)), outcome);
    }

    /// The gateway tells what a topic id will mean.
    pub(super) fn on_register(&mut self, register: &Register<'_>, now: Instant) {
        let code = match register.topic_id {
            None => ReturnCode::INVALID_TOPIC_ID,
            Some(_) if TopicName::new(register.topic_name).is_err() => ReturnCode::NOT_SUPPORTED,
            Some(id) => {
                self.announced(id, register.topic_name);
                ReturnCode::ACCEPTED
            }
        };
        self.counters.refused_registrations += u64::from(!code.is_accepted());
        let topic_id = register.topic_id.map_or(0, TopicId::get);
        let ack = RegAck { topic_id, message_id: register.message_id, return_code: code };
        self.send(&Packet::RegAck(ack), now);
    }

    /// What arrives with this id is about this name.
    pub(super) fn announced(&mut self, id: TopicId, name: &str) {
        let evicted = self.topics.announced(id, name, self.config.max_topics);
        self.counters.evicted_topics += u64::from(evicted);
    }

    /// The gateway is congested: nothing of this kind for `T_WAIT`.
    pub(super) fn hold(&mut self, hold: Hold, now: Instant) {
        self.counters.congestions += 1;
        self.deadlines.set(Timer::Hold(hold), now + self.config.congestion_wait);
    }

    pub(super) fn is_held(&self, hold: Hold) -> bool {
        self.deadlines.is_set(Timer::Hold(hold))
    }
}

fn register(topic_id: Option<TopicId>, message_id: MessageId, topic_name: &str) -> Register<'_> {
    Register { topic_id, message_id, topic_name }
}
