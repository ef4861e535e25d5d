//! Making connections and losing them: CONNECT, CONNACK, back-off, redirection, keep alive, DISCONNECT, AUTH
//! (MQTT 5 §3.1, §3.2, §3.14, §4.11, §4.12).

use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt::Display;
use core::num::{NonZeroU16, NonZeroU32};

use machine::Instant;
use mqtt_codec::{ConnAck, Connect, Disconnect, Packet, Properties, Property, ProtocolVersion, ReasonCode};

use super::phase::Phase;
use super::records::Change;
use super::server::Server;
use super::{Action, Client, DisconnectReason, DropReason, Outcome, Pending, Timer};
use crate::error::Violation;
use crate::property_buffer::PropertyBuffer;
use crate::qos::incoming::Incoming;
use crate::qos::outgoing::State;
use crate::topic_alias::{IncomingAliases, OutgoingAliases};

impl Client {
    /// Wants a connection: asks the host to open one now, and again whenever it is lost (if the configuration says so).
    pub fn connect(&mut self, now: Instant) {
        self.wanted = true;
        if matches!(self.phase, Phase::Idle | Phase::BackingOff) {
            self.open(now);
        }
    }

    /// Wants no connection any more: DISCONNECT goes out if there is one, and the host is asked to close it.
    pub fn disconnect(&mut self, reason: ReasonCode, properties: Properties<'_>, now: Instant) {
        self.wanted = false;
        match self.phase {
            Phase::Idle | Phase::Closing => {}
            Phase::BackingOff => {
                self.deadlines.cancel(Timer::Reconnect);
                self.phase = Phase::Idle;
            }
            Phase::Opening | Phase::AwaitConnAck => self.end(DisconnectReason::Requested),
            Phase::Connected => {
                if !self.write(&Packet::Disconnect(Disconnect { reason, properties }), now) {
                    self.write(&Packet::Disconnect(Disconnect::new(reason)), now);
                }
                self.end(DisconnectReason::Requested);
            }
        }
    }

    pub(super) fn open(&mut self, now: Instant) {
        self.phase = Phase::Opening;
        self.deadlines.cancel(Timer::Reconnect);
        self.deadlines.set(Timer::Connect, now + self.config.connect_timeout);
        self.actions.push_back(Action::Open { server: self.redirect.clone() });
    }

    pub(super) fn opened(&mut self, now: Instant) {
        if self.phase != Phase::Opening {
            return;
        }
        self.phase = Phase::AwaitConnAck;
        self.server = Server::default();
        let config = &self.config;
        let will_properties = config.will.as_ref().map(|will| will.properties.clone()).unwrap_or_default();
        let will = config.will.clone();
        let properties = self.connect_properties();
        let connect_properties = config.connect_properties.clone();
        let client_id = self.identifier.clone();
        let (username, password) = (config.username.clone(), config.password.clone());
        let authentication = config.authentication.clone();
        let mut list = properties;
        if let Some(authentication) = &authentication {
            list.push(Property::AuthenticationMethod(&authentication.method));
            list.extend(authentication.data.as_deref().map(Property::AuthenticationData));
        }
        let connect = Connect {
            version: config.version,
            clean_start: self.wants_clean_start(),
            keep_alive: config.keep_alive,
            properties: connect_properties.get().and(&list),
            client_id: &client_id,
            will: will.as_ref().map(|will| mqtt_codec::Will {
                qos: will.qos,
                retain: will.retain,
                properties: will_properties.get(),
                topic: &will.topic,
                payload: &will.payload,
            }),
            username: username.as_deref(),
            password: password.as_deref(),
        };
        if !self.write(&Packet::Connect(connect), now) {
            self.end(DisconnectReason::Refused(ReasonCode::PACKET_TOO_LARGE));
        }
    }

    /// Before MQTT 5, Clean Session holds for every connection; from then on only the first one may begin anew.
    fn wants_clean_start(&self) -> bool {
        self.config.clean_start && (self.config.version < ProtocolVersion::V5 || !self.established)
    }

    fn connect_properties<'a>(&self) -> Vec<Property<'a>> {
        let config = &self.config;
        let mut list = Vec::new();
        if config.session_expiry > 0 {
            list.push(Property::SessionExpiryInterval(config.session_expiry));
        }
        if let Some(maximum) =
            NonZeroU16::new(config.receive_maximum).filter(|maximum| maximum.get() < u16::MAX)
        {
            list.push(Property::ReceiveMaximum(maximum));
        }
        let size = NonZeroU32::new(config.max_packet_size);
        list.extend(
            size.filter(|size| size.get() < mqtt_codec::MAX_PACKET_SIZE).map(Property::MaximumPacketSize),
        );
        if config.topic_alias_maximum > 0 {
            list.push(Property::TopicAliasMaximum(config.topic_alias_maximum));
        }
        list
    }

    pub(super) fn on_connack(&mut self, connack: &ConnAck<'_>, now: Instant) -> Result<(), Violation> {
        let properties = kept(&connack.properties);
        if connack.reason.is_error() {
            self.note_redirect(connack.reason, &connack.properties);
            self.end_with(DisconnectReason::Refused(connack.reason), properties);
            return Ok(());
        }
        if connack.session_present && (self.wants_clean_start() || !self.may_have_session()) {
            return Err(Violation::SessionNotAskedFor);
        }
        self.phase = Phase::Connected;
        self.deadlines.cancel(Timer::Connect);
        self.server = Server::of(connack);
        self.failures = 0;
        if let Some(assigned) = connack.properties.assigned_client_identifier() {
            self.identifier = assigned.into();
            self.journal.note(true, || Change::ClientId(assigned.into()));
        }
        let aliases = self.server.topic_alias_maximum.min(self.config.max_outgoing_topic_aliases);
        self.outgoing_aliases = OutgoingAliases::new(aliases);
        self.set_ping(now);
        // MQTT 3.1 has no flag for it: the session that was asked for is taken to be there, but for its subscriptions.
        let untold =
            self.config.version == ProtocolVersion::V3_1 && !self.config.clean_start && self.established;
        let session_present = connack.session_present || untold;
        self.actions.push_back(Action::Connected { session_present, properties });
        if !session_present {
            self.session_lost();
        }
        if self.established && self.config.resubscribe && !connack.session_present {
            self.subscribe_again();
        }
        self.established = true;
        self.send_requests(now);
        self.pump(now);
        Ok(())
    }

    /// Whether this client could know a session that the server has: a restored one, or one of an earlier connection.
    /// Without Clean Start the first connection may also find one of an earlier run.
    fn may_have_session(&self) -> bool {
        self.established || !self.config.clean_start
    }

    /// The server knows nothing of earlier connections.
    fn session_lost(&mut self) {
        self.incoming = Incoming::default();
        self.unacknowledged.clear();
        let unfinished = self.outgoing.drain();
        if !unfinished.is_empty() || self.established {
            self.journal.note(true, || Change::SessionLost);
        }
        for (_, handle) in core::mem::take(&mut self.released) {
            // The server had the message before it lost the session.
            self.complete(handle, Outcome::Published(ReasonCode::SUCCESS));
        }
        for state in unfinished.into_iter().rev() {
            match state {
                State::AwaitPubAck(pending) => self.requeue(pending),
                State::AwaitPubRec(pending) => {
                    self.complete(pending.handle, Outcome::Dropped(DropReason::SessionLost));
                }
                State::AwaitPubComp | State::Free | State::Reserved => {}
            }
        }
    }

    /// A message that is sent anew, before all others.
    fn requeue(&mut self, mut pending: Pending) {
        self.next_serial += 1;
        pending.serial = self.next_serial;
        self.note_queued(&pending);
        self.queue.push_front(pending);
    }

    /// Gives up a connection: the host is to close it.
    pub(super) fn end(&mut self, reason: DisconnectReason) {
        self.end_with(reason, PropertyBuffer::default());
    }

    pub(super) fn end_with(&mut self, reason: DisconnectReason, properties: PropertyBuffer) {
        match self.phase {
            Phase::Idle | Phase::BackingOff | Phase::Closing => return,
            Phase::Opening | Phase::AwaitConnAck | Phase::Connected => {}
        }
        self.phase = Phase::Closing;
        for timer in [Timer::Connect, Timer::Ping, Timer::PingTimeout] {
            self.deadlines.cancel(timer);
        }
        self.ending = Some((reason, properties));
        self.actions.push_back(Action::Close);
    }

    /// The server broke a rule: it is told so, as far as its version allows, and the connection ends.
    pub(super) fn end_with_error(
        &mut self,
        code: ReasonCode,
        text: &dyn Display,
        reason: DisconnectReason,
        now: Instant,
    ) {
        if self.phase == Phase::Connected && self.config.version == ProtocolVersion::V5 {
            let text = text.to_string();
            let property = [Property::ReasonString(&text)];
            let disconnect = Disconnect { reason: code, properties: Properties::list(&property) };
            if !self.write(&Packet::Disconnect(disconnect), now) {
                self.write(&Packet::Disconnect(Disconnect::new(code)), now);
            }
        }
        self.end(reason);
    }

    pub(super) fn on_disconnect(&mut self, disconnect: &Disconnect<'_>) {
        self.note_redirect(disconnect.reason, &disconnect.properties);
        self.end_with(DisconnectReason::Server(disconnect.reason), kept(&disconnect.properties));
    }

    /// "Use another server" for now, "server moved" for good; both only if it says which.
    fn note_redirect(&mut self, reason: ReasonCode, properties: &Properties<'_>) {
        let moved = reason == ReasonCode::USE_ANOTHER_SERVER || reason == ReasonCode::SERVER_MOVED;
        if moved && self.config.follow_redirects {
            self.redirect = properties.server_reference().map(Into::into);
        }
    }

    /// The transport connection is gone: what belonged to it is forgotten, and the next attempt is planned.
    pub(super) fn closed(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Idle | Phase::BackingOff) {
            return;
        }
        let (reason, properties) =
            self.ending.take().unwrap_or((DisconnectReason::TransportClosed, PropertyBuffer::default()));
        for timer in [Timer::Connect, Timer::Ping, Timer::PingTimeout] {
            self.deadlines.cancel(timer);
        }
        self.outbox.clear(&mut self.pool);
        self.announced = false;
        self.partial = Vec::new();
        self.incoming_aliases = IncomingAliases::default();
        self.outgoing_aliases = OutgoingAliases::default();
        self.reauthenticating = false;
        self.forget_unacknowledged();
        self.take_back_requests();
        self.outgoing.interrupt();
        self.drop_unwanted_qos0();

        self.failures = self.failures.saturating_add(1);
        let retry_at = self.config.reconnect.filter(|_| self.wanted).map(|backoff| {
            let span = backoff.after(self.failures);
            now + self.random.between(span / 2, span)
        });
        self.phase = if retry_at.is_some() { Phase::BackingOff } else { Phase::Idle };
        if let Some(retry_at) = retry_at {
            self.deadlines.set(Timer::Reconnect, retry_at);
        }
        self.wanted = retry_at.is_some();
        self.actions.push_back(Action::Disconnected { reason, properties, retry_at });
    }
}

/// The properties of a packet, for the application.
fn kept(properties: &Properties<'_>) -> PropertyBuffer {
    // They were decoded, so they can be encoded.
    PropertyBuffer::new(properties.iter()).unwrap_or_default()
}
