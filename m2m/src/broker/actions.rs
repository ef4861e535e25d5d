//! What the broker wants done: the answers to its actions and questions.

use machine::Instant;
use mqtt_codec::ReasonCode;
use mqtt_core::{Action, Answer, CloseReason, ConnectRequest, ConnectionId, Input, Question, QuestionId};
use tracing::debug;

use super::access::{Access, Client, Login};
use super::connection::Connection;
use super::engine::State;
use super::local::Carrier;

/// Clients that may wait for the check of their password; others are told that the server is busy.
const MAX_LOGINS: usize = 1024;

/// A question that waits for the check of a password.
pub(super) struct PendingLogin {
    pub(super) question: QuestionId,
    pub(super) connection: ConnectionId,
    pub(super) request: Box<ConnectRequest>,
    pub(super) login: Login,
}

impl State {
    pub(super) fn insert(&mut self, id: ConnectionId, stream: Carrier) {
        if self.connections.len() <= id.index() {
            self.connections.resize_with(id.index() + 1, || None);
        }
        self.connections[id.index()] = Some(Connection::new(id, stream));
        self.open += 1;
    }

    pub(super) fn connection(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.connections.get_mut(id.index())?.as_mut().filter(|connection| connection.id == id)
    }

    /// Does what the broker wants until it wants nothing more.
    pub(super) fn act(&mut self, now: Instant) {
        while let Some(action) = self.broker.poll_action() {
            match action {
                Action::Output(id) => self.write_soon(id),
                Action::Close { connection, reason } => self.close(connection, reason),
                Action::Resume(id) => {
                    if let Some(connection) = self.connection(id) {
                        connection.resumed = true;
                        self.again.push(id);
                    }
                }
                Action::Ask { question, connection, about } => self.ask(question, connection, about, now),
                Action::Connected { connection: id, client_id, version, session_present } => {
                    debug!(connection = id.index(), %client_id, ?version, session_present, "connected");
                    if let Some(connection) = self.connection(id) {
                        connection.connected = true;
                    }
                }
                Action::Record { .. } => {} // only with `Config::durable`, which is off
            }
        }
    }

    /// Under new rules.
    pub(super) fn renew_clients(&mut self, now: Instant) {
        let mut unwelcome = Vec::new();
        for connection in self.connections.iter_mut().flatten() {
            match connection.client.as_ref().map(|client| self.access.renew(client)) {
                Some(Some(renewed)) => connection.client = Some(Box::new(renewed)),
                Some(None) => unwelcome.push(connection.id),
                // Let in without a question: that stands unless there are questions now.
                None if connection.connected && self.access.ask().connect => unwelcome.push(connection.id),
                None => {}
            }
        }
        for id in unwelcome {
            _ = self.broker.disconnect(id, ReasonCode::ADMINISTRATIVE_ACTION, now);
        }
    }

    pub(super) fn admit(&mut self, connection: ConnectionId, request: &ConnectRequest) -> Answer {
        match self.access.admit(request) {
            Ok(client) => {
                let admission = client.admission();
                if let Some(connection) = self.connection(connection) {
                    connection.client = Some(Box::new(client));
                }
                admission
            }
            Err(reason) => Answer::Deny(reason),
        }
    }

    pub(super) fn wrong_password() -> Answer {
        Answer::Deny(ReasonCode::BAD_USER_NAME_OR_PASSWORD)
    }

    fn close(&mut self, id: ConnectionId, reason: CloseReason) {
        debug!(connection = id.index(), ?reason, "closing");
        if let Some(connection) = self.connection(id) {
            connection.closing = true;
            connection.linger = !matches!(reason, CloseReason::Disconnected(_));
            self.write_soon(id);
        }
    }

    fn ask(&mut self, question: QuestionId, id: ConnectionId, about: Question, now: Instant) {
        let answer = match about {
            Question::Connect(request) => match self.connect(question, id, request) {
                Some(answer) => answer,
                None => return,
            },
            Question::Authenticate(_) => Answer::Deny(ReasonCode::BAD_AUTHENTICATION_METHOD),
            Question::Publish { topic, .. } => self.permit(id, |client| client.allow(Access::Write, &topic)),
            Question::Subscribe { filter, .. } => {
                self.permit(id, |client| client.allow_subscription(&filter))
            }
            Question::Deliver { topic } => self.permit(id, |client| client.allow(Access::Read, &topic)),
        };
        self.broker.handle(Input::Answer { question, answer }, now);
    }

    /// The answer, or nothing when it has to wait for the check of a password.
    fn connect(
        &mut self,
        question: QuestionId,
        connection: ConnectionId,
        mut request: Box<ConnectRequest>,
    ) -> Option<Answer> {
        match self.access.login(&mut request) {
            Ok(None) => Some(self.admit(connection, &request)),
            Ok(Some(_)) if self.checking >= MAX_LOGINS => Some(Answer::Deny(ReasonCode::SERVER_BUSY)),
            Ok(Some(login)) => {
                self.checking += 1;
                self.logins.push(PendingLogin { question, connection, request, login });
                None
            }
            Err(reason) => Some(Answer::Deny(reason)),
        }
    }

    fn permit(&mut self, id: ConnectionId, allowed: impl FnOnce(&Client) -> bool) -> Answer {
        let client = self.connection(id).and_then(|connection| connection.client.as_deref());
        if client.is_none_or(allowed) { Answer::Allow } else { Answer::Deny(ReasonCode::NOT_AUTHORIZED) }
    }
}
