//! Enhanced authentication, at CONNECT and later: AUTH (MQTT 5 §3.15, §4.12).

use machine::Instant;
use mqtt_codec::{Auth, Packet, Properties, Property, ProtocolVersion, ReasonCode};

use super::phase::Phase;
use super::{Action, Client, Timer};
use crate::error::{Refused, Violation};

impl Client {
    /// Begins a re-authentication (MQTT 5 §4.12.1).
    ///
    /// # Errors
    /// [`Refused::NoConnection`] when there is none, it is under way already, or no method is configured;
    /// [`Refused::Full`] when the data is more than the server takes.
    pub fn reauthenticate(&mut self, data: Option<&[u8]>, now: Instant) -> Result<(), Refused> {
        if self.phase != Phase::Connected || self.reauthenticating || !self.is_enhanced() {
            return Err(Refused::NoConnection);
        }
        if !self.send_auth(ReasonCode::RE_AUTHENTICATE, data, now) {
            return Err(Refused::Full);
        }
        self.reauthenticating = true;
        self.timers.set(Timer::Connect, now + self.config.connect_timeout);
        self.commit();
        Ok(())
    }

    pub(super) fn continue_authentication(&mut self, data: &[u8], now: Instant) {
        let under_way = match self.phase {
            Phase::AwaitConnAck => self.is_enhanced(),
            Phase::Connected => self.reauthenticating,
            Phase::Idle | Phase::Opening | Phase::Closing | Phase::BackingOff => false,
        };
        if under_way {
            self.send_auth(ReasonCode::CONTINUE_AUTHENTICATION, Some(data), now);
        }
    }

    /// Whether CONNECT has an authentication method.
    pub(super) fn is_enhanced(&self) -> bool {
        self.config.authentication.is_some() && self.config.version == ProtocolVersion::V5
    }

    fn send_auth(&mut self, reason: ReasonCode, data: Option<&[u8]>, now: Instant) -> bool {
        let method = self.config.authentication.as_ref().map(|authentication| authentication.method.clone());
        let method = method.unwrap_or_default();
        let method = Property::AuthenticationMethod(&method);
        let properties = match data {
            Some(data) => &[method, Property::AuthenticationData(data)][..],
            None => &[method],
        };
        self.write(&Packet::Auth(Auth { reason, properties: Properties::list(properties) }), now)
    }

    pub(super) fn on_auth(&mut self, auth: &Auth<'_>, now: Instant) -> Result<(), Violation> {
        let method = self.config.authentication.as_ref().map(|authentication| authentication.method.as_str());
        if auth.properties.authentication_method() != method {
            return Err(Violation::AuthenticationMethodChanged);
        }
        if auth.reason == ReasonCode::SUCCESS {
            self.reauthenticating = false;
            self.timers.cancel(Timer::Connect);
            self.actions.push_back(Action::Reauthenticated);
            return Ok(());
        }
        self.timers.set(Timer::Connect, now + self.config.connect_timeout);
        let data = auth.properties.authentication_data().unwrap_or_default().into();
        self.actions.push_back(Action::Authenticate { data });
        Ok(())
    }
}
