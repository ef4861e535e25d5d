//! Making connections and losing them: CONNECT, CONNACK, back-off, redirection, keep alive, DISCONNECT, AUTH
//! (MQTT 5 §3.1, §3.2, §3.14, §4.11, §4.12).

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt::Display;
use core::num::{NonZeroU16, NonZeroU32};

use machine::Instant;
use mqtt_codec::{
    ConnAck, Connect, Direction, Disconnect, EncodeError, FrameRules, MAX_PACKET_SIZE, Packet, PacketType,
    Properties, Property, ProtocolVersion, ReasonCode, next_frame,
};

use super::phase::Phase;
use super::records::Change;
use super::server::Server;
use super::{Action, Client, DisconnectReason, DropReason, Outcome, Pending, Timer, Will};
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
                self.timers.cancel(Timer::Reconnect);
                self.phase = Phase::Idle;
            }
            Phase::Opening | Phase::AwaitConnAck => self.end(DisconnectReason::Requested),
            Phase::Connected => {
                // An expiry of 0 at CONNECT is final (§3.14.2.2.2).
                let kept: Vec<_> = properties
                    .iter()
                    .filter(|property| {
                        self.config.session_expiry > 0
                            || !matches!(property, Property::SessionExpiryInterval(1..))
                    })
                    .collect();
                let properties = Properties::list(&kept);
                if !self.write(&Packet::Disconnect(Disconnect { reason, properties }), now) {
                    self.write(&Packet::Disconnect(Disconnect::new(reason)), now);
                }
                self.end(DisconnectReason::Requested);
            }
        }
    }

    /// Changes the will. The server hears of it with the next CONNECT: a will cannot be changed on a connection.
    pub fn set_will(&mut self, will: Option<Will>) {
        self.config.will = will.map(Box::new);
    }

    pub(super) fn open(&mut self, now: Instant) {
        self.phase = Phase::Opening;
        self.timers.cancel(Timer::Reconnect);
        self.timers.set(Timer::Connect, now + self.config.connect_timeout);
        let server = self.redirect.take().or_else(|| self.moved.clone());
        self.actions.push_back(Action::Open { server });
    }

    pub(super) fn opened(&mut self, now: Instant) {
        if self.phase != Phase::Opening {
            return;
        }
        self.phase = Phase::AwaitConnAck;
        self.server = Server::default();
        match self.connect_packet() {
            Ok(bytes) => {
                self.outbox.buffer(&mut self.pool).extend_from_slice(&bytes);
                self.unanswered = self.unanswered.saturating_add(1);
                self.last_sent = now;
                self.announce();
            }
            Err(error) => {
                self.wanted = false;
                self.end(DisconnectReason::InvalidConfig(error));
            }
        }
    }

    /// CONNECT, encoded and read back: nobody has looked at the configuration until now.
    fn connect_packet(&self) -> Result<Vec<u8>, EncodeError> {
        let config = &self.config;
        let properties = self.connect_properties();
        let connect = Connect {
            version: config.version,
            clean_start: self.wants_clean_start(),
            keep_alive: config.keep_alive,
            properties: Properties::list(&properties),
            client_id: self.client_id(),
            will: config.will.as_ref().map(|will| mqtt_codec::Will {
                qos: will.qos,
                retain: will.retain,
                properties: will.properties.get(),
                topic: &will.topic,
                payload: &will.payload,
            }),
            username: config.username.as_deref(),
            password: config.password.as_deref(),
        };
        let mut bytes = Vec::new();
        connect.encode(config.version, &mut bytes)?;
        let rules = FrameRules {
            direction: Direction::ClientToServer,
            first: true,
            version: config.version,
            max_packet_size: MAX_PACKET_SIZE,
        };
        let frame = next_frame(&bytes, &rules)?;
        if let Some(frame) = frame.filter(|frame| frame.packet_type() == PacketType::Connect) {
            Packet::decode(frame, config.version)?;
        }
        Ok(bytes)
    }

    /// Before MQTT 5, Clean Session holds for every connection; from then on only the first one may begin anew.
    fn wants_clean_start(&self) -> bool {
        self.config.clean_start && (self.config.version < ProtocolVersion::V5 || !self.established)
    }

    fn connect_properties(&self) -> Vec<Property<'_>> {
        let config = &self.config;
        let mut list: Vec<_> =
            config.connect_properties.get().iter().filter(|property| !has_field(property)).collect();
        if config.session_expiry > 0 {
            list.push(Property::SessionExpiryInterval(config.session_expiry));
        }
        let maximum = NonZeroU16::new(config.receive_maximum).filter(|maximum| maximum.get() < u16::MAX);
        list.extend(maximum.map(Property::ReceiveMaximum));
        let size = NonZeroU32::new(config.max_packet_size).filter(|size| size.get() < MAX_PACKET_SIZE);
        list.extend(size.map(Property::MaximumPacketSize));
        if config.topic_alias_maximum > 0 {
            list.push(Property::TopicAliasMaximum(config.topic_alias_maximum));
        }
        if let Some(authentication) = &config.authentication {
            list.push(Property::AuthenticationMethod(&authentication.method));
            list.extend(authentication.data.as_deref().map(Property::AuthenticationData));
        }
        list
    }

    pub(super) fn on_connack(&mut self, connack: &ConnAck<'_>, now: Instant) -> Result<(), Violation> {
        let properties = kept(&connack.properties);
        if connack.reason.is_error() {
            self.unanswered -= 1;
            self.note_redirect(connack.reason, &connack.properties);
            self.end_with(DisconnectReason::Refused(connack.reason), properties);
            return Ok(());
        }
        if connack.session_present && (self.wants_clean_start() || !self.may_have_session()) {
            return Err(Violation::SessionNotAskedFor);
        }
        self.phase = Phase::Connected;
        self.timers.cancel(Timer::Connect);
        self.server = Server::of(connack);
        self.failures = 0;
        // A CONNECT that was not answered may have begun a new session, after the old one's end: this may be that one.
        let doubtful = core::mem::take(&mut self.unanswered) > 1;
        if let Some(assigned) = connack.properties.assigned_client_identifier() {
            self.assigned = Some(assigned.into());
            self.journal.note(true, || Change::ClientId(assigned.into()));
        }
        let aliases = self.server.topic_alias_maximum.min(self.config.max_outgoing_topic_aliases);
        self.outgoing_aliases = OutgoingAliases::new(aliases);
        self.set_ping();
        // MQTT 3.1 has no flag for it: the session that was asked for is taken to be there, but for its subscriptions.
        let untold =
            self.config.version == ProtocolVersion::V3_1 && !self.config.clean_start && self.established;
        let session_present = connack.session_present || untold;
        self.actions.push_back(Action::Connected { session_present, properties });
        if !session_present {
            self.session_lost();
        }
        if self.established && self.config.resubscribe && (doubtful || !connack.session_present) {
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
        for state in &unfinished {
            if let State::AwaitPubComp(handle) = state {
                // The server had the message before it lost the session.
                self.complete(*handle, Outcome::Published(ReasonCode::SUCCESS));
            }
        }
        for state in unfinished.into_iter().rev() {
            match state {
                State::AwaitPubAck(pending) => self.requeue(pending),
                State::AwaitPubRec(pending) => {
                    self.complete(pending.handle, Outcome::Dropped(DropReason::SessionLost));
                }
                State::AwaitPubComp(_) | State::Free | State::Reserved => {}
            }
        }
    }

    /// A message that is sent anew, before all others.
    fn requeue(&mut self, pending: Pending) {
        // Under its old serial: that is its place after a restart, too.
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
            self.timers.cancel(timer);
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

    /// "Use another server" is for the next attempt, "server moved" for good; both only if it says which.
    fn note_redirect(&mut self, reason: ReasonCode, properties: &Properties<'_>) {
        let server = properties.server_reference().filter(|_| self.config.follow_redirects);
        let Some(server) = server else { return };
        match reason {
            ReasonCode::USE_ANOTHER_SERVER => self.redirect = Some(server.into()),
            ReasonCode::SERVER_MOVED => self.moved = Some(server.into()),
            _ => {}
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
            self.timers.cancel(timer);
        }
        self.outbox.clear(&mut self.pool);
        self.announced = false;
        self.partial = Vec::new();
        self.incoming_aliases = IncomingAliases::default();
        self.outgoing_aliases = OutgoingAliases::default();
        self.reauthenticating = false;
        self.phase = Phase::Closing;
        self.forget_unacknowledged(now);
        self.take_back_requests();
        self.outgoing.interrupt();
        self.drop_unwanted_qos0();

        self.failures = self.failures.saturating_add(1);
        // Wanted again since the application took leave.
        let at_once = self.wanted && reason == DisconnectReason::Requested;
        let retry_at = if at_once { Some(now) } else { self.retry_at(now) };
        self.wanted = retry_at.is_some();
        self.phase = if self.wanted { Phase::BackingOff } else { Phase::Idle };
        self.actions.push_back(Action::Disconnected { reason, properties, retry_at });
        if at_once {
            self.open(now);
        } else if let Some(retry_at) = retry_at {
            self.timers.set(Timer::Reconnect, retry_at);
        }
    }

    fn retry_at(&mut self, now: Instant) -> Option<Instant> {
        let span = self.config.reconnect.filter(|_| self.wanted)?.after(self.failures);
        Some(now + self.random().between(span / 2, span))
    }
}

/// Whether a property of CONNECT comes from a field of the configuration.
fn has_field(property: &Property<'_>) -> bool {
    matches!(
        property,
        Property::SessionExpiryInterval(_)
            | Property::ReceiveMaximum(_)
            | Property::MaximumPacketSize(_)
            | Property::TopicAliasMaximum(_)
            | Property::AuthenticationMethod(_)
            | Property::AuthenticationData(_)
    )
}

/// The properties of a packet, for the application.
fn kept(properties: &Properties<'_>) -> PropertyBuffer {
    // They were decoded, so they can be encoded.
    PropertyBuffer::new(properties.iter()).unwrap_or_default()
}
