//! What is due when: silence, wills, expiry, `$SYS`.

use machine::Instant;
use mqtt_codec::ReasonCode;

use super::Broker;
use super::subscriber::SessionKey;
use crate::action::CloseReason;
use crate::records::Change;

/// What has a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// Connect time-out, then keep alive.
    Connection(usize),
    /// The session's will is due.
    Will(SessionKey),
    /// The session expires.
    Session(SessionKey),
    /// The session's retained messages have not all been looked at.
    Walk(SessionKey),
    /// `$SYS` is due.
    Sys,
}

impl Broker {
    pub(super) fn tick(&mut self, now: Instant) {
        while let Some(timer) = self.deadlines.expire(now) {
            match timer {
                Timer::Connection(index) => self.check_silence(index, now),
                Timer::Will(key) => self.release_will(key, now),
                Timer::Session(key) => self.expire_session(key, now),
                Timer::Walk(key) => self.pump(key, now),
                Timer::Sys => self.publish_sys(now),
            }
            self.commit(now);
        }
        while let Some(message) = self.retained.expire(now) {
            self.journal.note(true, || Change::RetainedRemoved { topic: message.topic().into() });
            self.commit(now);
        }
    }

    /// What is due for a session happens before its client comes back, though the tick for it is late.
    pub(super) fn catch_up(&mut self, client_id: &str, now: Instant) {
        let Some(key) = self.sessions.find(client_id) else { return };
        let is_due = |timer| self.deadlines.get(timer).is_some_and(|at| at <= now);
        let (will, session) = (is_due(Timer::Will(key)), is_due(Timer::Session(key)));
        if will {
            self.release_will(key, now);
        }
        if session {
            self.expire_session(key, now);
        }
    }

    /// A session without a connection has lasted as long as it was to.
    fn expire_session(&mut self, key: SessionKey, now: Instant) {
        self.counters.sessions_expired += 1;
        self.end_session(key, now);
    }

    /// A connection's deadline has come: it is moved on if something was received since it was set.
    fn check_silence(&mut self, index: usize, now: Instant) {
        let connection = &mut self.connections[index];
        if !connection.phase.is_connected() {
            let why = CloseReason::ConnectTimeout;
            return self.end_with_error(index, ReasonCode::MAXIMUM_CONNECT_TIME, None, why, now);
        }
        if connection.held_up && connection.is_waiting() {
            // Its bytes wait for the host, not the other way round.
            connection.last_received = now;
        }
        match connection.keep_alive_deadline() {
            Some(deadline) if deadline <= now => {
                self.counters.keep_alive_timeouts += 1;
                let why = CloseReason::KeepAliveTimeout;
                self.end_with_error(index, ReasonCode::KEEP_ALIVE_TIMEOUT, None, why, now);
            }
            Some(deadline) => self.deadlines.set(Timer::Connection(index), deadline),
            None => {}
        }
    }
}
