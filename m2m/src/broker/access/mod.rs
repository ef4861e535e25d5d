//! Who may connect, publish, subscribe and receive: the answers to the broker's questions.

mod acl;
mod overlap;
pub(crate) mod passwords;

use alloc::sync::Arc;

use mqtt_codec::ReasonCode;
use mqtt_core::{Admission, Answer, Ask, Checks, ConnectRequest};

pub(crate) use self::acl::{Access, Acl, InvalidAcl, Rights};
pub(crate) use self::passwords::{InvalidPasswords, Passwords};

/// The rules in force.
#[derive(Debug, Default)]
pub(crate) struct AccessControl {
    /// Whether clients without a user name may connect.
    pub(crate) allow_anonymous: bool,
    pub(crate) passwords: Option<Passwords>,
    pub(crate) acl: Option<Acl>,
    /// Whether sessions may hold subscriptions that earlier rules allowed: then every delivery is checked.
    pub(crate) reloaded: bool,
}

/// Who is on a connection, and what it may do.
#[derive(Debug)]
pub(crate) struct Client {
    user: Option<Box<str>>,
    id: Arc<str>,
    /// The hash that its password was checked against.
    hash: Option<Arc<str>>,
    /// `None`: everything.
    rights: Option<Rights>,
    checks: Checks,
}

/// A password whose check takes too long for the event loop.
pub(crate) struct Login {
    password: Vec<u8>,
    hash: Option<Arc<str>>,
}

impl AccessControl {
    pub(crate) fn ask(&self) -> Ask {
        let connect = self.passwords.is_some() || self.acl.is_some() || !self.allow_anonymous;
        Ask { connect, checks: Checks::default() }
    }

    /// What has to be checked before [`admit`](Self::admit), or why the client is not let in.
    pub(crate) fn login(&self, request: &mut ConnectRequest) -> Result<Option<Login>, ReasonCode> {
        if request.authentication.is_some() {
            return Err(ReasonCode::BAD_AUTHENTICATION_METHOD);
        }
        match (&request.username, &self.passwords) {
            (Some(user), Some(passwords)) => {
                let password = request.password.take().ok_or(ReasonCode::BAD_USER_NAME_OR_PASSWORD)?;
                Ok(Some(Login { password, hash: passwords.hash(user).cloned() }))
            }
            // A name that nothing can be checked against says no more than none.
            _ if self.allow_anonymous => Ok(None),
            _ => Err(ReasonCode::NOT_AUTHORIZED),
        }
    }

    /// Lets in a client whose password, if it needed one, is right.
    pub(crate) fn admit(&self, request: &ConnectRequest) -> Result<Client, ReasonCode> {
        let client = self.client(request.username.as_deref().map(Into::into), Arc::clone(&request.client_id));
        if client.user.is_some() && client.hash.is_none() && self.passwords.is_some() {
            return Err(ReasonCode::BAD_USER_NAME_OR_PASSWORD); // deleted while its password was being checked
        }
        match &request.will_topic {
            Some(topic) if !client.allow(Access::Write, topic) => Err(ReasonCode::NOT_AUTHORIZED),
            _ => Ok(client),
        }
    }

    /// The client under rules that were read again, or `None` when it has to connect anew.
    pub(crate) fn renew(&self, client: &Client) -> Option<Client> {
        let renewed = self.client(client.user.clone(), Arc::clone(&client.id));
        let known = renewed.hash == client.hash && (renewed.hash.is_some() || self.allow_anonymous);
        (known && renewed.checks == client.checks).then_some(renewed)
    }

    fn client(&self, user: Option<Box<str>>, id: Arc<str>) -> Client {
        let hash = user.as_deref().and_then(|user| self.passwords.as_ref()?.hash(user)).cloned();
        let rights = self.acl.as_ref().map(|acl| acl.rights(user.as_deref(), &id));
        let checks = rights.as_ref().map_or(Checks::default(), |rights| Checks {
            publish: true,
            subscribe: true,
            deliver: self.reloaded || !rights.reads_all_it_subscribes(),
        });
        Client { user, id, hash, rights, checks }
    }
}

impl Client {
    pub(crate) fn admission(&self) -> Answer {
        Answer::Admit(Admission { checks: self.checks, authentication_data: None })
    }

    pub(crate) fn allow(&self, access: Access, topic: &str) -> bool {
        self.rights.as_ref().is_none_or(|rights| rights.allow(access, topic))
    }

    pub(crate) fn allow_subscription(&self, filter: &str) -> bool {
        self.rights.as_ref().is_none_or(|rights| rights.allow_subscription(filter))
    }
}

impl Login {
    /// Whether the password is right. Blocks for as long as a password hash takes.
    pub(crate) fn verify(&self) -> bool {
        passwords::verify(&self.password, self.hash.as_deref())
    }
}
