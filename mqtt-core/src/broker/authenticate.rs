//! Enhanced authentication, at CONNECT and later: AUTH (MQTT 5 §3.15, §4.12).

use alloc::boxed::Box;
use alloc::vec::Vec;

use machine::Instant;
use mqtt_codec::{Auth, Packet, Properties, Property, ReasonCode};

use super::Broker;
use super::connection::{PendingConnect, Waiting};
use super::phase::Phase;
use super::receive::Stop;
use super::time::Timer;
use crate::action::Question;
use crate::error::Violation;
use crate::input::{Admission, Authentication};

impl Broker {
    pub(super) fn on_auth(&mut self, index: usize, auth: &Auth<'_>, now: Instant) -> Result<(), Stop> {
        let connection = &mut self.connections[index];
        let method = auth.properties.authentication_method();
        if method.is_none() || method != connection.authentication_method.as_deref() {
            return Err(Violation::AuthenticationMethodChanged.into());
        }
        let about = Question::Authenticate(Authentication {
            method: method.unwrap_or_default().into(),
            data: auth.properties.authentication_data().map(Into::into),
        });
        let waiting = match connection.waiting.take().map(|waiting| *waiting) {
            Some(Waiting::ClientAuth(pending)) => Waiting::Connect(pending),
            _ => Waiting::Reauthenticate,
        };
        if connection.phase == Phase::Authenticating {
            self.deadlines.set(Timer::Connection(index), now + self.config.connect_timeout);
        }
        self.ask(index, waiting, about);
        Ok(())
    }

    /// The host has another step of enhanced authentication for a client that is not let in yet.
    pub(super) fn continue_connect(
        &mut self,
        index: usize,
        pending: PendingConnect,
        data: &[u8],
        now: Instant,
    ) {
        if pending.authentication.is_none() {
            return self.refuse(index, ReasonCode::NOT_AUTHORIZED);
        }
        let connection = &mut self.connections[index];
        connection.phase = Phase::Authenticating;
        connection.waiting = Some(Box::new(Waiting::ClientAuth(pending)));
        self.deadlines.set(Timer::Connection(index), now + self.config.connect_timeout);
        self.send_auth(index, ReasonCode::CONTINUE_AUTHENTICATION, Some(data));
    }

    pub(super) fn continue_reauthentication(&mut self, index: usize, data: &[u8]) {
        self.connections[index].phase = Phase::Reauthenticating;
        self.send_auth(index, ReasonCode::CONTINUE_AUTHENTICATION, Some(data));
    }

    pub(super) fn reauthenticated(&mut self, index: usize, admission: &Admission) {
        let connection = &mut self.connections[index];
        connection.phase = Phase::Connected;
        connection.checks = admission.checks;
        self.send_auth(index, ReasonCode::SUCCESS, admission.authentication_data.as_deref());
    }

    fn send_auth(&mut self, index: usize, reason: ReasonCode, data: Option<&[u8]>) {
        let method = self.connections[index].authentication_method.clone().unwrap_or_default();
        let method = [Property::AuthenticationMethod(&method)];
        let data = data.map(Property::AuthenticationData);
        let properties: Vec<_> = method.into_iter().chain(data).collect();
        self.write(index, &Packet::Auth(Auth { reason, properties: Properties::list(&properties) }));
    }
}
