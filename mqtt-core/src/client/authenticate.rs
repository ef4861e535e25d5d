//! Enhanced authentication, at CONNECT and later: AUTH (MQTT 5 §3.15, §4.12).

use alloc::vec::Vec;

use machine::Instant;
use mqtt_codec::{Auth, Packet, Properties, Property, ReasonCode};

use super::phase::Phase;
use super::{Action, Client, Timer};
use crate::error::{Refused, Violation};

impl Client {
    /// Begins a re-authentication (MQTT 5 §4.12.1).
    ///
    /// # Errors
    /// [`Refused::NoConnection`] when there is none, it is under way already, or no method is configured.
    pub fn reauthenticate(&mut self, data: Option<&[u8]>, now: Instant) -> Result<(), Refused> {
        if self.phase != Phase::Connected || self.reauthenticating || self.config.authentication.is_none() {
            return Err(Refused::NoConnection);
        }
        self.reauthenticating = true;
        self.send_auth(ReasonCode::RE_AUTHENTICATE, data, now);
        self.commit();
        Ok(())
    }

    pub(super) fn continue_authentication(&mut self, data: &[u8], now: Instant) {
        if self.phase == Phase::AwaitConnAck || self.reauthenticating {
            self.send_auth(ReasonCode::CONTINUE_AUTHENTICATION, Some(data), now);
        }
    }

    fn send_auth(&mut self, reason: ReasonCode, data: Option<&[u8]>, now: Instant) {
        let method = self.config.authentication.as_ref().map(|authentication| authentication.method.clone());
        let method = method.unwrap_or_default();
        let properties: Vec<_> = [Property::AuthenticationMethod(&method)]
            .into_iter()
            .chain(data.map(Property::AuthenticationData))
            .collect();
        self.write(&Packet::Auth(Auth { reason, properties: Properties::list(&properties) }), now);
    }

    pub(super) fn on_auth(&mut self, auth: &Auth<'_>, now: Instant) -> Result<(), Violation> {
        let method = self.config.authentication.as_ref().map(|authentication| authentication.method.as_str());
        if auth.properties.authentication_method() != method {
            return Err(Violation::AuthenticationMethodChanged);
        }
        if auth.reason == ReasonCode::SUCCESS {
            self.reauthenticating = false;
            self.actions.push_back(Action::Reauthenticated);
            return Ok(());
        }
        if self.phase == Phase::AwaitConnAck {
            self.deadlines.set(Timer::Connect, now + self.config.connect_timeout);
        }
        let data = auth.properties.authentication_data().unwrap_or_default().into();
        self.actions.push_back(Action::Authenticate { data });
        Ok(())
    }
}
