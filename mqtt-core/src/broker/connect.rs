//! CONNECT to CONNACK, enhanced authentication, re-authentication, take-over (MQTT 5 §3.1, §3.2, §4.12).

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::num::{NonZeroU16, NonZeroU32};

use machine::Instant;
use mqtt_codec::{ConnAck, Connect, Packet, Properties, Property, ProtocolVersion, QoS, ReasonCode};
use topic_match::TopicName;

use super::Broker;
use super::connection::{PendingConnect, Waiting};
use super::phase::Phase;
use super::publish::is_reserved;
use super::receive::Stop;
use super::session::Session;
use super::subscriber::SessionKey;
use super::time::Timer;
use crate::action::{Action, CloseReason, ConnectRequest, Question};
use crate::input::{Admission, Authentication};
use crate::records::Change;
use crate::topic_alias::OutgoingAliases;
use crate::will::Will;

impl Broker {
    pub(super) fn on_connect(
        &mut self,
        index: usize,
        connect: &Connect<'_>,
        now: Instant,
    ) -> Result<(), Stop> {
        let connection = &mut self.connections[index];
        let properties = &connect.properties;
        connection.version = connect.version;
        connection.max_packet_size =
            properties.maximum_packet_size().map_or(mqtt_codec::MAX_PACKET_SIZE, NonZeroU32::get);
        connection.authentication_method = properties.authentication_method().map(Into::into);

        if let Err(reason) = self.check_connect(connect) {
            self.refuse(index, reason);
            return Err(Stop::Ended);
        }
        let assigned = connect.client_id.is_empty();
        let client_id: Arc<str> =
            if assigned { self.make_client_id().into() } else { connect.client_id.into() };
        let authentication = properties.authentication_method().map(|method| Authentication {
            method: method.into(),
            data: properties.authentication_data().map(Into::into),
        });
        let request = self.config.ask.connect.then(|| ConnectRequest {
            client_id: Arc::clone(&client_id),
            version: connect.version,
            username: connect.username.map(Into::into),
            password: connect.password.map(Into::into),
            will_topic: connect.will.as_ref().map(|will| will.topic.into()),
            authentication: authentication.clone(),
        });
        let pending = PendingConnect {
            version: connect.version,
            clean_start: connect.clean_start,
            keep_alive: connect.keep_alive,
            client_id,
            assigned,
            session_expiry: self.requested_expiry(connect),
            receive_maximum: properties.receive_maximum().map_or(u16::MAX, NonZeroU16::get),
            topic_alias_maximum: properties.topic_alias_maximum().unwrap_or(0),
            wants_response_information: properties.request_response_information().unwrap_or(false),
            will: connect.will.as_ref().map(|will| Box::new(Will::new(will))),
            authentication,
        };
        if let Some(request) = request {
            self.ask(index, Waiting::Connect(pending), Question::Connect(Box::new(request)));
        } else {
            let admission = Admission { checks: self.config.ask.checks, authentication_data: None };
            self.admit(index, &pending, &admission, now);
        }
        Ok(())
    }

    /// What can be said against a CONNECT without asking the host.
    fn check_connect(&self, connect: &Connect<'_>) -> Result<(), ReasonCode> {
        let client_id = connect.client_id;
        if client_id.len() > usize::from(self.config.max_client_id_size)
            || (client_id.is_empty() && !self.config.assign_client_ids)
        {
            return Err(ReasonCode::CLIENT_IDENTIFIER_NOT_VALID);
        }
        if connect.properties.authentication_method().is_some() && !self.config.ask.connect {
            return Err(ReasonCode::BAD_AUTHENTICATION_METHOD);
        }
        if let Some(will) = &connect.will {
            if will.qos > self.config.max_qos {
                return Err(ReasonCode::QOS_NOT_SUPPORTED);
            }
            if will.retain && !self.config.retain_available {
                return Err(ReasonCode::RETAIN_NOT_SUPPORTED);
            }
            if is_reserved(will.topic) {
                return Err(ReasonCode::NOT_AUTHORIZED);
            }
            if TopicName::assume_valid(will.topic).check(&self.filter_limits).is_err() {
                return Err(ReasonCode::TOPIC_NAME_INVALID);
            }
        }
        Ok(())
    }

    /// How long the client wants its session to last without a connection.
    fn requested_expiry(&self, connect: &Connect<'_>) -> u32 {
        match connect.version {
            ProtocolVersion::V5 => connect.properties.session_expiry_interval().unwrap_or(0),
            ProtocolVersion::V3_1 | ProtocolVersion::V3_1_1 if connect.clean_start => 0,
            ProtocolVersion::V3_1 | ProtocolVersion::V3_1_1 => self.config.v3_session_expiry,
        }
    }

    fn make_client_id(&mut self) -> String {
        format!("auto-{:016x}{:016x}", self.random.next_u64(), self.random.next_u64())
    }

    /// Lets a client in: takes over or makes its session, answers CONNACK, and sends what waits.
    pub(super) fn admit(
        &mut self,
        index: usize,
        pending: &PendingConnect,
        admission: &Admission,
        now: Instant,
    ) {
        self.catch_up(&pending.client_id, now);
        let existing = self.sessions.find(&pending.client_id);
        if existing.is_none() && self.sessions.len() >= self.config.max_sessions as usize {
            return self.refuse(index, ReasonCode::QUOTA_EXCEEDED);
        }
        if let Some(old) = existing.and_then(|key| self.sessions[key].connection) {
            self.take_over(old, pending, now);
        }
        // Without a connection a session that was to end with it is gone by now.
        let existing = self.sessions.find(&pending.client_id);
        let resumed = match existing {
            Some(key) if pending.clean_start => {
                self.end_session(key, now);
                None
            }
            other => other,
        };
        let session_present = resumed.is_some();
        let key = resumed.unwrap_or_else(|| {
            self.sessions.insert(Session::new(Arc::clone(&pending.client_id), pending.version))
        });
        self.attach(index, key, pending, admission, session_present, now);
        // Nothing comes before CONNACK, not even where that is too large for the client.
        if !self.unsendable.contains(&index) {
            self.pump(key, now);
        }
    }

    /// Another connection has the session: it is told so and closed [MQTT-3.1.4-3].
    fn take_over(&mut self, old: usize, pending: &PendingConnect, now: Instant) {
        if let Some(key) = self.connections[old].session {
            let session = &self.sessions[key];
            let delayed = session.will.as_ref().is_some_and(|will| will.delay() > 0);
            if delayed && session.expiry > 0 && !pending.clean_start {
                // The session goes on before the delay has passed: its will is not published [MQTT-3.1.3-9].
                self.take_will(key);
            }
        }
        let (reason, why) = (ReasonCode::SESSION_TAKEN_OVER, CloseReason::SessionTakenOver);
        self.say_disconnect(old, reason, None);
        self.finish(old, why, true, now);
    }

    fn attach(
        &mut self,
        index: usize,
        key: SessionKey,
        pending: &PendingConnect,
        admission: &Admission,
        session_present: bool,
        now: Instant,
    ) {
        if session_present {
            self.deadlines.cancel(Timer::Session(key));
            self.deadlines.cancel(Timer::Will(key));
        }
        let session = &mut self.sessions[key];
        session.connection = Some(index);
        session.version = pending.version;
        session.expiry = pending.session_expiry.min(self.config.max_session_expiry);
        let before = core::mem::replace(&mut session.will, pending.will.clone());
        for &group in &session.groups {
            self.routing.groups.set_online(group, key, true);
        }
        self.note_session(key, None);
        let session = &self.sessions[key];
        if before != session.will {
            self.journal.note(session.is_durable(), || Change::Will {
                client_id: Arc::clone(&session.client_id),
                will: session.will.clone(),
            });
        }

        let keep_alive = self.keep_alive(pending);
        let connection = &mut self.connections[index];
        connection.phase = Phase::Connected;
        connection.session = Some(key);
        connection.checks = admission.checks;
        connection.keep_alive = keep_alive;
        connection.last_received = now;
        connection.asked_for_expiry = pending.session_expiry > 0;
        connection.window = pending.receive_maximum.min(self.config.max_inflight);
        let aliases = pending.topic_alias_maximum.min(self.config.max_outgoing_topic_aliases);
        connection.outgoing_aliases = OutgoingAliases::new(aliases);
        match connection.keep_alive_deadline() {
            Some(deadline) => self.deadlines.set(Timer::Connection(index), deadline),
            None => _ = self.deadlines.cancel(Timer::Connection(index)),
        }
        self.counters.connects_accepted += 1;
        self.actions.push_back(Action::Connected {
            connection: connection.id,
            client_id: Arc::clone(&pending.client_id),
            version: pending.version,
            session_present,
        });
        self.send_connack(index, pending, admission, session_present);
    }

    /// The keep alive that holds: the client's, unless it is longer than allowed.
    fn keep_alive(&self, pending: &PendingConnect) -> u16 {
        let maximum = self.config.max_keep_alive;
        match pending.keep_alive {
            0 if maximum == u16::MAX => 0,
            0 => maximum,
            asked => asked.min(maximum),
        }
    }

    fn send_connack(
        &mut self,
        index: usize,
        pending: &PendingConnect,
        admission: &Admission,
        session_present: bool,
    ) {
        let keep_alive = self.connections[index].keep_alive;
        let response_information = self
            .config
            .response_topic_prefix
            .as_deref()
            .filter(|_| pending.wants_response_information)
            .map(|prefix| format!("{prefix}{}", pending.client_id));
        let mut properties = self.announced_limits();
        if pending.session_expiry > self.config.max_session_expiry {
            properties.push(Property::SessionExpiryInterval(self.config.max_session_expiry));
        }
        if keep_alive != pending.keep_alive {
            properties.push(Property::ServerKeepAlive(keep_alive));
        }
        if pending.assigned {
            properties.push(Property::AssignedClientIdentifier(&pending.client_id));
        }
        if let Some(information) = &response_information {
            properties.push(Property::ResponseInformation(information));
        }
        if let Some(authentication) = &pending.authentication {
            properties.push(Property::AuthenticationMethod(&authentication.method));
            properties.extend(admission.authentication_data.as_deref().map(Property::AuthenticationData));
        }
        let reason = ReasonCode::SUCCESS;
        self.gate(index);
        self.write(
            index,
            &Packet::ConnAck(ConnAck { session_present, reason, properties: Properties::list(&properties) }),
        );
    }

    /// What CONNACK says of the broker's limits (MQTT 5 §3.2.2.3), where they differ from what clients assume.
    fn announced_limits<'a>(&self) -> Vec<Property<'a>> {
        let config = &self.config;
        let mut limits = Vec::new();
        if let Some(maximum) =
            NonZeroU16::new(config.receive_maximum).filter(|maximum| maximum.get() < u16::MAX)
        {
            limits.push(Property::ReceiveMaximum(maximum));
        }
        if config.max_qos < QoS::ExactlyOnce {
            limits.push(Property::MaximumQoS(config.max_qos));
        }
        if let Some(size) =
            NonZeroU32::new(config.max_packet_size).filter(|size| size.get() < mqtt_codec::MAX_PACKET_SIZE)
        {
            limits.push(Property::MaximumPacketSize(size));
        }
        if config.topic_alias_maximum > 0 {
            limits.push(Property::TopicAliasMaximum(config.topic_alias_maximum));
        }
        let absent = [
            (config.retain_available, Property::RetainAvailable(false)),
            (config.wildcard_subscriptions, Property::WildcardSubscriptionAvailable(false)),
            (config.subscription_identifiers, Property::SubscriptionIdentifiersAvailable(false)),
            (config.shared_subscriptions, Property::SharedSubscriptionAvailable(false)),
        ];
        limits.extend(absent.into_iter().filter(|(available, _)| !available).map(|(_, property)| property));
        limits
    }

    /// CONNACK with an error, and the end.
    pub(super) fn refuse(&mut self, index: usize, reason: ReasonCode) {
        self.counters.connects_refused += 1;
        self.connections[index].waiting = None;
        let connack = ConnAck { session_present: false, reason, properties: Properties::NONE };
        self.write(index, &Packet::ConnAck(connack));
        self.close(index, CloseReason::Refused(reason));
    }
}
